"""python -m stylelab: see stylelab.cli."""

import sys
from io import TextIOWrapper

from stylelab.cli.command import main

if __name__ == "__main__":
    if isinstance(sys.stdout, TextIOWrapper):  # a file name that the console cannot show is no error
        sys.stdout.reconfigure(errors="backslashreplace")
    sys.exit(main())
