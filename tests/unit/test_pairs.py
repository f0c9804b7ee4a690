"""Two folders paired by name, and the complaints that name the file."""

import pytest
import torch

from stylelab import load_pairs
from stylelab.errors import ImageError
from stylelab.pictures.saving import save_image


@pytest.fixture
def folders(tmp_path):
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir(), after.mkdir()
    return before, after


def grey(level, height=6, width=8):
    return torch.full((1, 1, height, width), level)


def put(folder, name, level, **size):
    save_image(grey(level, **size), folder / name)


def test_pairs_by_name_in_natural_order(folders):
    before, after = folders
    for number in (10, 2, 1):
        put(before, f"img{number}.png", number / 51)
        put(after, f"img{number}_filtered.png", number / 255)
    pairs = load_pairs(before, after)
    assert [round(a.mean().item() * 51) for a, _ in pairs] == [1, 2, 10]
    assert [round(b.mean().item() * 255) for _, b in pairs] == [1, 2, 10]
    assert all(a.shape == b.shape == (1, 1, 6, 8) and a.dtype == torch.float32 for a, b in pairs)


def test_a_name_of_its_own_or_with_any_one_word_is_a_partner(folders):
    before, after = folders
    put(before, "cat.png", 0.2), put(after, "cat.jpg", 0.4)
    put(before, "old_cat.png", 0.6), put(after, "old_cat_emboss.png", 0.8)
    (after / "notes.txt").write_text("not a picture")
    pairs = load_pairs(before, after)
    assert [[round(image.mean().item(), 1) for image in pair] for pair in pairs] == [[0.2, 0.4], [0.6, 0.8]]


def test_a_name_that_continues_another_is_not_taken_for_it(folders):
    before, after = folders
    for name in ("img", "img_b"):
        put(before, f"{name}.png", 0.2), put(after, f"{name}.png", 0.4)
    assert len(load_pairs(before, after)) == 2


def test_size_and_colour(folders):
    before, after = folders
    put(before, "a.png", 0.2), put(after, "a.png", 0.4)
    pair = load_pairs(before, after, size=4, grey=False)[0]
    assert [tuple(image.shape) for image in pair] == [(1, 3, 3, 4)] * 2


@pytest.mark.parametrize(
    ("befores", "afters", "complaint"),
    [
        (
            ["img3.png"],
            ["img4.png"],
            r"img3\.png: no filtered picture in after; expected img3\.png or",
        ),
        (
            ["a.png"],
            ["a.png", "b_filtered.png"],
            r"b_filtered\.png: no original of that name in before; add b",
        ),
        (["a.png"], ["a.jpg", "a_emboss.png"], r"a\.png: a\.jpg and a_emboss\.png both go with it"),
        (["a.png", "a.jpg"], ["a.png"], r"a\.jpg and a\.png share a name"),
        ([], ["a.png"], r"before: no pictures"),
        (["a.png"], [], r"after: no pictures"),
    ],
)
def test_folders_that_do_not_match_are_told_by_name(folders, befores, afters, complaint):
    for folder, names in zip(folders, (befores, afters), strict=True):
        for name in names:
            put(folder, name, 0.5)
    with pytest.raises(ImageError, match=complaint):
        load_pairs(*folders)


def test_different_shapes_are_told_with_both(folders):
    before, after = folders
    put(before, "a.png", 0.5), put(after, "a_filtered.png", 0.5, width=9)
    with pytest.raises(ImageError, match=r"a\.png has 8×6 pixels and a_filtered\.png 9×6"):
        load_pairs(before, after)


def test_an_unreadable_file_is_told_by_name(folders):
    before, after = folders
    put(before, "a.png", 0.5)
    (after / "a.png").write_bytes(b"not a picture at all")
    with pytest.raises(ImageError, match=r"a\.png"):
        load_pairs(before, after)


def test_a_missing_folder_is_told_by_name(folders):
    with pytest.raises(ImageError, match="elsewhere: no such folder"):
        load_pairs(folders[0].parent / "elsewhere", folders[1])
