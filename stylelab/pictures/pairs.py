"""Two folders of pictures, before and after a filter, paired by name."""

import os
import re
from pathlib import Path

from torch import Tensor

from stylelab.errors import ImageError
from stylelab.files import expanded
from stylelab.pictures.loading import load_image

PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"}


def load_pairs(
    originals: str | Path, filtered: str | Path, size: int | None = None, grey: bool = True
) -> list[tuple[Tensor, Tensor]]:
    """Training pairs from two folders: img1.jpg goes with img1.png or img1_filtered.png, img2 before img10.

    originals, filtered: folders. The name before the ending must be the original's own, or that followed
    by an underscore and one word; files that are no pictures are passed over. size: longest side in pixels
    (a filter works at one scale, so shrink the originals before filtering rather than both after).
    grey: one channel, the luminance, instead of three.
    Returns [(original, filtered), ...], both (1, C, H, W) in [0, 1], of equal shape.
    Raises ImageError, by name, for a folder that is missing or empty, a missing partner, two candidates, a
    pair of different shapes and a file that cannot be read.
    """
    befores, afters = pictures_in(originals), pictures_in(filtered)
    stems = {before.stem: before for before in befores}
    for before in befores:
        if stems[before.stem] != before:
            raise ImageError(
                f"{before.name} and {stems[before.stem].name} share a name; rename or remove one"
            )
    partner = {before: _partner(before, afters, stems, filtered) for before in befores}
    spare = [after for after in afters if after not in partner.values()]
    if spare:
        raise ImageError(
            f"{spare[0].name}: no original of that name in {Path(originals).name}; "
            f"add {_base(spare[0])}.png there, or remove the filtered picture"
        )
    return [_load(before, after, size, grey) for before, after in partner.items()]


def pictures_in(folder: str | Path) -> list[Path]:
    """The pictures in a folder in natural order: numbers inside names by their value.

    Raises ImageError where there is no such folder, it cannot be listed, or it holds no picture.
    """
    folder = expanded(folder)
    if not os.path.isdir(folder):
        raise ImageError(f"{folder.name}: no such folder in {folder.parent.absolute()}; check the path")
    try:
        files = [file for file in folder.iterdir() if file.suffix.lower() in PICTURES and file.name[0] != "."]
    except OSError as error:
        raise ImageError(f"{folder.name}: this folder cannot be listed ({error.strerror})") from error
    if not files:
        raise ImageError(f"{folder.name}: no pictures in this folder; it should hold one or more")
    return sorted(files, key=_natural)


def _natural(file: Path) -> list[tuple[bool, int, str]]:
    parts = re.split(r"(\d+)", file.name.lower())
    return [(part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts]


def _base(after: Path) -> str:
    return after.stem.rpartition("_")[0] or after.stem


def _partner(before: Path, afters: list[Path], stems: dict, folder: str | Path) -> Path:
    """The one filtered picture of an original; one that has another original's whole name is not asked."""
    found = [after for after in afters if after.stem == before.stem]
    found += [after for after in afters if _base(after) == before.stem and after.stem not in stems]
    if not found:
        raise ImageError(
            f"{before.name}: no filtered picture in {Path(folder).name}; "
            f"expected {before.stem}.png or {before.stem}_filtered.png"
        )
    if len(found) > 1:
        raise ImageError(
            f"{before.name}: {' and '.join(file.name for file in found)} both go with it; keep one of them"
        )
    return found[0]


def _load(before: Path, after: Path, size: int | None, grey: bool) -> tuple[Tensor, Tensor]:
    pair = load_image(before, size=size, grey=grey), load_image(after, size=size, grey=grey)
    if pair[0].shape != pair[1].shape:
        shapes = [f"{image.shape[-1]}×{image.shape[-2]}" for image in pair]
        raise ImageError(
            f"{before.name} has {shapes[0]} pixels and {after.name} {shapes[1]}; "
            "a filter keeps the size, so filter the picture again"
        )
    return pair
