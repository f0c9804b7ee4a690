"""python -m stylelab: see stylelab.cli."""

import sys

from stylelab.cli.command import main

if __name__ == "__main__":
    sys.stdout.reconfigure(errors="backslashreplace")  # a file name that the console cannot show is no error
    sys.exit(main())
