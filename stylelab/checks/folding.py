"""The exercises of notebook 06 on patches put back: overlapped and averaged, or only their centres."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from stylelab.checks.drawing import normal
from stylelab.checks.engine import checker
from stylelab.checks.exercise import Case, Exercise, Mistake


def _averaged(patches: np.ndarray, shape: tuple[int, int, int, int], size: int) -> np.ndarray:
    number, channels, height, width = shape
    total, count = np.zeros(shape), np.zeros(shape)
    windows = patches.reshape(number, height, width, channels, size, size)
    for n, row, column, r, s in np.ndindex(number, height, width, size, size):
        y, x = row + r - size // 2, column + s - size // 2
        if 0 <= y < height and 0 <= x < width:
            total[n, :, y, x] += windows[n, row, column, :, r, s]
            count[n, :, y, x] += 1
    return total / count


def _fold(
    patches: Tensor,
    shape: tuple,
    size: int,
    divide: str = "count",
    crop: bool = True,
    turn: bool = False,
    swap: str = "axes",
) -> Tensor:
    """An imitation: patches laid over each other, with another divisor, rim or order."""
    number, channels, height, width = shape
    if turn:
        patches = patches.view(-1, channels, size, size).transpose(2, 3).flatten(1)
    stacked = patches.reshape(number, height * width, -1).transpose(1, 2)
    if swap != "axes":
        stacked = patches.reshape(stacked.shape if swap == "view" else (number, height * width, -1))
    whole = (height + size - 1, width + size - 1)
    total = F.fold(stacked, whole, size)
    count = F.fold(torch.ones_like(stacked), whole, size)
    folded = total / {"count": count, "size": torch.tensor(size**2), "none": torch.tensor(1)}[divide]
    rim = size // 2 if crop else 0
    return folded[..., rim : whole[0] - rim, rim : whole[1] - rim]


def _centres(patches: Tensor, shape: tuple, size: int, place: int | None = None) -> Tensor:
    number, channels, height, width = shape
    windows = patches.view(number, height, width, channels, size**2)
    return windows[..., size**2 // 2 if place is None else place].permute(0, 3, 1, 2)


def _own(shape: tuple[int, int, int, int], size: int, seed: int) -> Tensor:
    return normal(shape[0] * shape[2] * shape[3], shape[1] * size**2, seed=seed)


def _shape(number: int, channels: int, height: int, width: int, size: int, about: str) -> Case:
    shape = (number, channels, height, width)
    return Case((_own(shape, size, height), shape, size), about)


fold_average = checker(
    Exercise(
        name="fold_average",
        signature="fold_average(patches, shape, size)",
        task="Overlapping patches put back at their pixels: each pixel is the mean of all patches that "
        "cover it.\n\n"
        "patches: one about every pixel, in reading order, (N·H·W, C·size²), each channel by channel. "
        "shape: (N, C, H, W). size: odd. Returns an image of that shape; what reaches beyond its border is "
        "dropped.",
        cases=lambda: [
            _shape(1, 1, 1, 3, 1, "patches of one pixel"),
            # As many pixels as numbers a patch: folding them without exchanging the axes raises nothing here.
            _shape(1, 1, 3, 3, 3, "patches of 3 × 3, 3 × 3 pixels"),
            _shape(1, 1, 3, 4, 3, "patches of 3 × 3, 3 × 4 pixels"),
            _shape(1, 2, 4, 3, 3, "two channels"),
            _shape(2, 1, 5, 6, 5, "patches of 5 × 5, a batch of two"),
        ],
        reference=_averaged,
        mistakes=(
            Mistake(
                "The patches are added, not averaged: divide each pixel by how many cover it. (Fold ones to "
                "count them.)",
                lambda p, shape, s: _fold(p, shape, s, "none"),
            ),
            Mistake(
                "Every pixel is divided by size². At the border fewer patches overlap, so the rim comes out "
                "too dark: count them.",
                lambda p, shape, s: _fold(p, shape, s, "size"),
            ),
            *(
                Mistake(
                    "`fold` takes the patches in columns, (N, C·size², places): exchange the last two axes, "
                    "`transpose(1, 2)`. A `view` into that shape moves no axis."
                    "",
                    imitation,
                )
                for imitation in (
                    lambda p, shape, s: _fold(p, shape, s, swap="view"),
                    lambda p, shape, s: _fold(p, shape, s, "none", swap="view"),
                    lambda p, shape, s: _fold(p, shape, s, swap="no"),
                    lambda p, shape, s: _fold(p, shape, s, "none", swap="no"),
                )
            ),
            Mistake(
                "Only the middle of each patch is used. The point is the others: up to size² opinions on "
                "every pixel.",
                _centres,
            ),
            Mistake(
                "Only the first number of each patch is used.",
                lambda p, shape, s: _centres(p, shape, s, 0),
            ),
            Mistake(
                "The rim that the patches reach over is still there: cut size // 2 pixels off on each side.",
                lambda p, shape, s: _fold(p, shape, s, crop=False),
            ),
            Mistake(
                "Rows and columns within the patches are exchanged.",
                lambda p, shape, s: _fold(p, shape, s, turn=True),
            ),
            Mistake(
                "Each patch is cut down to its mean: a blur. Its numbers belong to different pixels.",
                lambda p, shape, s: (
                    p.view(shape[0], shape[2], shape[3], shape[1], -1).mean(4).permute(0, 3, 1, 2)
                ),
            ),
            Mistake(
                "Patches belong about their pixel, and these hang from it: everything is moved by size // 2.",
                lambda p, shape, s: F.pad(_fold(p, shape, s, crop=False), (0, 1 - s, 0, 1 - s)),
            ),
        ),
    )
)


def _grid(height: int, width: int, about: str) -> Case:
    return Case((normal(height * width, 25, seed=height), height, width), about)


centres = checker(
    Exercise(
        name="centres",
        signature="centres(patches, height, width)",
        task="The picture that takes only each patch's middle.\n\n"
        "patches: 5 × 5, one about every pixel in reading order, (H·W, 25). Returns (1, 1, H, W).",
        cases=lambda: [_grid(1, 1, "one patch"), _grid(1, 2, "two patches"), _grid(6, 9, "6 × 9 patches")],
        reference=lambda p, h, w: np.array([row[2 * 5 + 2] for row in p]).reshape(1, 1, h, w),
        mistakes=(
            Mistake(
                "This is each patch's first number, its upper left corner. Which of the 25 is in the third "
                "row and column?",
                lambda p, h, w: p[:, 0].view(1, 1, h, w),
            ),
            Mistake(
                "One too far: counted from 0, as many stand before the middle as behind it.",
                lambda p, h, w: p[:, 13].view(1, 1, h, w),
            ),
            Mistake(
                "One short of the middle: counted from 0, as many stand before it as behind it.",
                lambda p, h, w: p[:, 11].view(1, 1, h, w),
            ),
            Mistake(
                "This is each patch's mean: a blur. One number of each is asked for.",
                lambda p, h, w: p.mean(1).view(1, 1, h, w),
            ),
            Mistake(
                "The numbers are right, in the wrong places: rows and columns of the picture are exchanged. "
                "The pixels are in reading order.",
                lambda p, h, w: p[:, 12].view(1, 1, w, h).mT,
            ),
            Mistake(
                "The numbers are right and still in one row: `.view(1, 1, height, width)`.",
                lambda p, h, w: p[:, 12],
            ),
            Mistake(
                "The numbers are right; the two leading axes are missing: (1, 1, H, W).",
                lambda p, h, w: p[:, 12].view(h, w),
            ),
        ),
    )
)
