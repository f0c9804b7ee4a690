"""Pictures side by side, each with its title and the caption below them."""

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.patches import Rectangle

from stylelab.errors import StylelabError
from stylelab.figures.figure import COLOURS, FONT, WIDTH, CourseFigure
from stylelab.pictures.stylist import Stylist


def pictures(
    images: Sequence,
    titles: Sequence[str] | None = None,
    caption: str = "",
    columns: int | None = None,
    limits: tuple[float, float] | None = None,
    cmap: str = "gray",
    height: float | None = None,
    exact: bool = False,
    row_titles: Sequence[str] = (),
    frames: Mapping[int, Sequence[tuple[int, int, int]]] | None = None,
) -> CourseFigure:
    """Pictures side by side, in rows of `columns` (all in one row unless given).

    images: image tensors (1, 3, H, W), or one-channel maps (1, 1, H, W) or (H, W), drawn with `cmap` between
    `limits` (by default [0, 1] for values within it, else each map's own extremes); or a text, written where
    a picture is missing. titles: one each, above it. row_titles: one for each row, beside it.
    height: of a row, in inches; chosen to fill the width unless given. exact: show pixels as squares.
    frames: squares to outline, by the number of the picture: (row, column, side) of each, in pixels, about
    its middle pixel.
    """
    shape = next((image.shape[-2:] for image in images if not isinstance(image, str)), (3, 4))
    arrays = [np.full((*shape, 3), 0.93) if isinstance(image, str) else as_array(image) for image in images]
    titles = [""] * len(arrays) if titles is None else list(titles)
    if not arrays or len(titles) != len(arrays):
        raise StylelabError(f"got {len(arrays)} pictures and {len(titles)} titles; give one for each picture")
    columns = columns or len(arrays)
    rows = -(-len(arrays) // columns)
    tallest = max(a.shape[0] / a.shape[1] for a in arrays)
    lines = max(t.count("\n") + 1 if t else 0 for t in titles)
    row = height or min(4.6, (WIDTH / columns - 0.1) * tallest)
    photographic = not exact and any(a.ndim == 3 or min(a.shape) >= 64 for a in arrays)
    figure = CourseFigure(rows * (row + 0.24 * lines + 0.16), caption, photographic)
    figure.engine.set(h_pad=0.06 + 0.03 * lines)  # else titles touch the figure's edge
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis in axes:
        axis.set_axis_off()
        axis.set_anchor("N")  # titles of one row at one height, whatever the pictures' shapes
    for axis, array, title in zip(axes, arrays, titles, strict=False):  # some places stay empty
        low, high = limits or (
            (0, 1) if array.min() >= 0 and array.max() <= 1 else (array.min(), array.max())
        )
        smooth = "nearest" if exact or array.shape[0] < 24 else "antialiased"
        axis.imshow(array, cmap=cmap, vmin=low, vmax=high, interpolation=smooth)
        axis.set_title(title, fontsize=FONT)
    for axis, image in zip(axes, images, strict=False):
        if isinstance(image, str):
            text = textwrap.fill(textwrap.shorten(image, 140, placeholder=" …"), round(90 / columns))
            axis.text(0.5, 0.5, text, transform=axis.transAxes, ha="center", va="center", fontsize=FONT - 2)
    for number, squares in (frames or {}).items():
        for square in squares:
            axes[number].add_patch(_frame(*square))
    for axis, title in zip(axes[::columns], row_titles, strict=False):
        place = {"transform": axis.transAxes, "rotation": 90, "ha": "right", "va": "center"}
        axis.text(-0.03, 0.5, title, fontsize=FONT, **place)
    return figure


def _frame(row: int, column: int, side: int) -> Rectangle:
    corner = (column - side // 2 - 0.5, row - side // 2 - 0.5)
    return Rectangle(corner, side, side, fill=False, edgecolor=COLOURS[1], linewidth=2.2, clip_on=False)


def comparison(
    images: Mapping[str, torch.Tensor], stylists: Mapping[str, Stylist], caption: str = ""
) -> CourseFigure:
    """Methods side by side: a row for each image, its own picture first, then what each stylist makes of it.

    images: (1, 3, H, W) by the name of the row. stylists: by the title of the column.
    """
    made = [[image, *(stylist.stylise(image) for stylist in stylists.values())] for image in images.values()]
    titles = ["photograph", *stylists]
    blank = [""] * (len(titles) * (len(images) - 1))
    flat = [picture for row in made for picture in row]
    return pictures(flat, titles + blank, caption, len(titles), row_titles=list(images))


def strongest_maps(features: torch.Tensor, count: int) -> tuple[list[torch.Tensor], list[int]]:
    """The `count` channels of (1, C, H, W) with the largest mean, as (H, W) maps, and their numbers."""
    order = features[0].clamp_min(0).mean((1, 2)).argsort(descending=True)[:count]
    return [features[0, channel] for channel in order], order.tolist()


def as_array(image) -> np.ndarray:
    """(H, W, 3) in [0, 1] for a colour image, (H, W) for a map or a grey image."""
    if isinstance(image, torch.Tensor):
        image = image.detach().cpu().float()
        image = image[0] if image.ndim == 4 else image
        if image.ndim == 3:
            image = image.clamp(0, 1).permute(1, 2, 0) if image.shape[0] == 3 else image[0]
    return np.asarray(image, dtype=float)
