"""Paths and the writing of files."""

import itertools
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from stylelab.errors import StylelabError


def expanded(path: str | os.PathLike) -> Path:
    """The path, "~" as the home folder; "~draft.png", with which Path.expanduser fails, stays as it is."""
    return Path(os.path.expanduser(path))


def unused(path: Path, used: Callable[[Path], bool] = os.path.exists) -> Path:
    """The path, or the first of painting-2.png, painting-3.png, … that is not in use.

    used: whether a path is.
    """
    if not path.name:
        return path
    numbered = (path.with_stem(f"{path.stem}-{number}") for number in itertools.count(2))
    return next(name for name in itertools.chain([path], numbered) if not used(name))


def checked_target(path: str | os.PathLike, error: type[StylelabError] = StylelabError) -> Path:
    """The path, "~" expanded, if a file can be written there; to ask before a long computation.

    error: what to raise, for a missing or protected folder, a folder of that name or a protected file.
    """
    path = expanded(path)
    # os.path's questions answer False where pathlib's raise, in a folder that may not be looked into.
    if not os.path.isdir(path.parent):
        raise error(f"{path.name}: there is no folder {path.parent} to write it to; make it first")
    if os.path.isdir(path):
        raise error(f"{path.name}: a folder of that name is in the way; choose another name")
    if not os.access(path.parent, os.W_OK):
        raise error(f"{path.name}: you may not write to the folder {path.parent}; choose another")
    # Renaming asks the folder only. The modes as well, since an administrator's access is always granted.
    if os.path.exists(path) and not (os.access(path, os.W_OK) and path.stat().st_mode & 0o222):
        raise error(f"{path.name}: write-protected; choose another name, or allow writing to it first")
    return path


@contextmanager
def atomic_write(path: str | os.PathLike, error: type[StylelabError] = StylelabError) -> Iterator[Path]:
    """A name to write a file to, beside `path`, that becomes `path` when the block ends well; else nothing.

    path: as checked_target takes it; a file there is replaced. error: what to raise where checked_target
    does, and for any OSError or ValueError (an encoder's) in the block.
    """
    path = checked_target(path, error)
    # Beside the target, so that the rename cannot cross file systems; not tempfile's, whose files only
    # their owner may read.
    part = path.with_name(f".{secrets.token_hex(6)}.part")
    try:
        yield part
        part.replace(path)
    except StylelabError:
        raise
    except (OSError, ValueError) as reason:
        raise error(
            f"{path.name}: cannot be written: {getattr(reason, 'strerror', None) or reason}"
        ) from reason
    finally:
        part.unlink(missing_ok=True)
