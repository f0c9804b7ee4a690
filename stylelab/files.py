"""Paths and the writing of files."""

import os
from pathlib import Path


def expanded(path: str | os.PathLike) -> Path:
    """The path, "~" as the home folder; "~draft.png", with which Path.expanduser fails, stays as it is."""
    return Path(os.path.expanduser(path))
