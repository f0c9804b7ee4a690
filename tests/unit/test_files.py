"""Files are written whole or not at all, and whatever is in the way is said."""

import errno
import os

import pytest

from stylelab.errors import ImageError, StylelabError
from stylelab.files import atomic_write, checked_target, unused


def names(folder):
    return sorted(file.name for file in folder.iterdir())


def test_the_file_appears_when_the_block_has_ended(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with atomic_write(path) as part:
        assert part.parent == tmp_path, "a rename from elsewhere may cross file systems"
        part.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize(
    ("failure", "raised", "message"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), ImageError, "cannot be written: No space left"),
        (ValueError("too wide"), ImageError, "cannot be written: too wide"),
        (StylelabError("my own words"), StylelabError, "^my own words$"),
        (KeyError("a mistake of ours"), KeyError, "a mistake of ours"),
        (KeyboardInterrupt("Ctrl-C"), KeyboardInterrupt, "Ctrl-C"),
    ],
)
def test_of_a_failure_nothing_is_left(tmp_path, failure, raised, message):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(raised, match=message), atomic_write(path, ImageError) as part:
        part.write_text("half a fi")
        raise failure
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_a_block_that_writes_nothing_is_a_failure(tmp_path):
    with pytest.raises(StylelabError, match=r"a\.txt: cannot be written: "), atomic_write(tmp_path / "a.txt"):
        pass
    assert names(tmp_path) == []


def test_the_home_folder_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    with atomic_write("~/a.txt") as part:
        part.write_text("new")
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.skipif(os.name == "nt", reason="file modes are POSIX's")
def test_its_modes_are_those_of_any_new_file(tmp_path):
    (tmp_path / "plain").touch()
    with atomic_write(tmp_path / "a.txt") as part:
        part.write_text("new")
    assert (tmp_path / "a.txt").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_what_is_in_the_way_is_said_before_anything_is_written(tmp_path, monkeypatch):
    (tmp_path / "folder").mkdir()
    (tmp_path / "kept").write_text("mine")
    (tmp_path / "kept").chmod(0o444)
    reasons = {
        tmp_path / "nowhere" / "a": f"a: there is no folder {tmp_path / 'nowhere'} to write it to",
        tmp_path / "folder": "folder: a folder of that name is in the way",
        tmp_path / "kept": "kept: write-protected; choose another name, or allow writing to it first",
    }
    for path, reason in reasons.items():
        for refuse in (checked_target, lambda path, error: atomic_write(path, error).__enter__()):
            with pytest.raises(ImageError) as caught:
                refuse(path, ImageError)
            assert str(caught.value).startswith(reason)
    # Whoever runs the tests as an administrator may write everywhere: what others are told is simulated.
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path)
    with pytest.raises(StylelabError, match=r"^a: you may not write to the folder .*; choose another$"):
        checked_target(tmp_path / "a")
    assert names(tmp_path) == ["folder", "kept"]


def test_a_name_that_is_used_gets_the_next_number(tmp_path):
    wanted = tmp_path / "a.b.png"
    for expected in ("a.b.png", "a.b-2.png", "a.b-3.png"):
        assert unused(wanted).name == expected
        unused(wanted).write_text("")
    assert unused(wanted, lambda path: path.stem != "a.b-7").name == "a.b-7.png"
