"""Every static picture of the course: a few kinds of figure, each with its caption drawn below it.

A figure shows itself at the end of a notebook cell, at the width of a JupyterLab page. Its caption is also
its text alternative. Nothing here touches pyplot, so labs may draw from any thread.
"""

import io
import textwrap
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from stylelab.colour.matching import rgb_to_yuv
from stylelab.errors import StylelabError
from stylelab.pictures.loading import to_pil

WIDTH = 9.0  # inches
DPI = 105
FONT = 10.5
COLOURS = (
    "#0072b2",
    "#e69f00",
    "#333333",
    "#cc79a7",
    "#56b4e9",
    "#d55e00",
)  # told apart by colour-blind readers
MARKERS = "os^Dvx"


class CourseFigure(Figure):
    """A matplotlib figure with a caption, that displays itself as JPEG (photographs) or PNG (lines).

    height, width: in inches, without the caption. caption: what to see in it. photographic: choose JPEG.
    """

    def __init__(
        self, height: float, caption: str = "", photographic: bool = False, width: float = WIDTH
    ) -> None:
        lines = textwrap.wrap(caption, round(13 * width))
        below = 0.2 * len(lines) + 0.12 if lines else 0
        super().__init__(figsize=(width, height + below), dpi=DPI, layout="constrained")
        FigureCanvasAgg(self)
        self.caption, self.photographic = caption, photographic
        self.get_layout_engine().set(rect=(0, below / (height + below), 1, height / (height + below)))
        if lines:
            self.text(
                0.05 / width,
                0.06 / (height + below),
                "\n".join(lines),
                fontsize=FONT - 0.5,
                style="italic",
                va="bottom",
                linespacing=1.25,
            )

    def encoded(self, kind: str | None = None) -> bytes:
        """The figure as the bytes of a file; kind: "jpeg" or "png", by its content unless given."""
        buffer = io.BytesIO()
        kind = kind or ("jpeg" if self.photographic else "png")
        options = {"pil_kwargs": {"quality": 88}} if kind == "jpeg" else {}
        self.savefig(buffer, format=kind, facecolor="white", **options)
        return buffer.getvalue()

    def _repr_mimebundle_(self, include=None, exclude=None) -> tuple[dict, dict]:
        mime = "image/jpeg" if self.photographic else "image/png"
        return {mime: self.encoded(), "text/plain": self.caption or "figure"}, {mime: {"alt": self.caption}}


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
) -> CourseFigure:
    """Pictures side by side, in rows of `columns` (all in one row unless given).

    images: image tensors (1, 3, H, W), or one-channel maps (1, 1, H, W) or (H, W), drawn with `cmap` between
    `limits` (by default [0, 1] for values within it, else each map's own extremes); or a text, written where
    a picture is missing. titles: one each, above it. row_titles: one for each row, beside it.
    height: of a row, in inches; chosen to fill the width unless given. exact: show pixels as squares.
    """
    shape = next((image.shape[-2:] for image in images if not isinstance(image, str)), (3, 4))
    arrays = [np.full((*shape, 3), 0.93) if isinstance(image, str) else _array(image) for image in images]
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
    figure.get_layout_engine().set(h_pad=0.06 + 0.03 * lines)  # else titles touch the figure's edge
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis in axes:
        axis.set_axis_off()
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
    for axis, title in zip(axes[::columns], row_titles, strict=False):
        place = {"transform": axis.transAxes, "rotation": 90, "ha": "right", "va": "center"}
        axis.text(-0.03, 0.5, title, fontsize=FONT, **place)
    return figure


def curves(
    series: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    xlabel: str,
    ylabel: str,
    caption: str = "",
    log: str = "",
    markers: bool = True,
    height: float = 3.4,
    title: str = "",
) -> CourseFigure:
    """Curves in one frame. series: {label: (x, y)}. log: "", "x", "y" or "xy". markers: draw each point."""
    return curve_panels({title: series}, xlabel, ylabel, caption, log, markers, height)


def curve_panels(
    panels: Mapping[str, Mapping[str, tuple[Sequence[float], Sequence[float]]]],
    xlabel: str,
    ylabel: str,
    caption: str = "",
    log: str = "",
    markers: bool = True,
    height: float = 3.2,
) -> CourseFigure:
    """Frames of curves side by side on one vertical scale. panels: {title: series}; else as `curves`."""
    figure = CourseFigure(height, caption)
    axes = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
    for axis, (title, series) in zip(axes, panels.items(), strict=True):
        for number, (label, (x, y)) in enumerate(series.items()):
            mark = MARKERS[number % len(MARKERS)] if markers else None
            colour = COLOURS[number % len(COLOURS)]
            axis.plot(x, y, marker=mark, markersize=5, color=colour, label=label, linewidth=1.8)
        if "x" in log:
            axis.set_xscale("log")
        if "y" in log:
            axis.set_yscale("log")
        axis.set_title(title, fontsize=FONT)
        axis.set_xlabel(xlabel, fontsize=FONT)
        axis.tick_params(labelsize=FONT - 1)
        axis.grid(color="0.9")
        axis.spines[["top", "right"]].set_visible(False)
        if len(series) > 1:
            axis.legend(fontsize=FONT - 1, frameon=False)
    axes[0].set_ylabel(ylabel, fontsize=FONT)
    return figure


def matrix(
    values,
    labels: Sequence[str] | None = None,
    caption: str = "",
    title: str = "",
    form: str | None = None,
    height: float = 4.6,
    cmap: str = "viridis",
) -> CourseFigure:
    """A matrix as a heat map with its colour bar. values: (R, C). labels: of rows and columns alike.

    form: how to print each entry in its square ("{:.2f}"); not at all unless given.
    """
    values = _array(values)
    figure = CourseFigure(height, caption, width=max(height * 1.25, 6.0))
    axis = figure.subplots()
    drawn = axis.imshow(values, cmap=cmap, interpolation="nearest")
    axis.set_title(title, fontsize=FONT)
    axis.tick_params(labelsize=FONT - 1)
    if labels is not None:
        axis.set_xticks(range(len(labels)), labels, rotation=45, ha="right")
        axis.set_yticks(range(len(labels)), labels)
    if form:
        middle = (values.max() + values.min()) / 2
        for (row, column), value in np.ndenumerate(values):
            ink = "white" if value < middle else "black"
            axis.text(column, row, form.format(value), ha="center", va="center", color=ink, fontsize=FONT - 2)
    figure.colorbar(drawn, ax=axis, shrink=0.9).ax.tick_params(labelsize=FONT - 1)
    return figure


def chroma_clouds(
    images: Sequence, titles: Sequence[str], caption: str = "", points: int = 4000
) -> CourseFigure:
    """The colours of images without their brightness: (U, V) of every pixel, in one frame for all.

    images: (1, 3, H, W). Of larger ones every n-th pixel is drawn, about `points` of them, in its own colour.
    """
    thinned = [_array(image).reshape(-1, 3) for image in images]
    thinned = [torch.from_numpy(pixels[:: max(1, len(pixels) // points)]) for pixels in thinned]
    clouds = [rgb_to_yuv(pixels.T[None, :, :, None])[0, 1:, :, 0] for pixels in thinned]
    reach = max(
        0.5, *(1.05 * v.abs().max().item() for _, v in clouds)
    )  # of V; only the purest reds go further
    width = min(WIDTH, 3.2 * len(images) + 0.6)
    figure = CourseFigure((width - 0.6) / len(images) * reach / 0.45 + 0.85, caption, width=width)
    axes = figure.subplots(1, len(images), squeeze=False, sharex=True, sharey=True)[0]
    for axis, pixels, chroma, title in zip(axes, thinned, clouds, titles, strict=True):
        axis.scatter(*chroma, s=3, c=pixels.numpy(), linewidths=0)
        axis.axhline(0, color="0.85", linewidth=0.8, zorder=0)
        axis.axvline(0, color="0.85", linewidth=0.8, zorder=0)
        axis.set(xlim=(-0.45, 0.45), ylim=(-reach, reach), aspect="equal")
        axis.set_title(title, fontsize=FONT)
        axis.set_xlabel("U (blue − brightness)", fontsize=FONT - 1)
        axis.tick_params(labelsize=FONT - 2)
    axes[0].set_ylabel("V (red − brightness)", fontsize=FONT - 1)
    return figure


@dataclass(frozen=True, repr=False)
class PictureTable:
    """A table of text with a picture at the head of each row, that displays itself.

    images: (1, 3, H, W) each, or None where a row has none. columns: {heading: one text a row}; the first
    text is also the picture's alternative. caption: what to see in it. width: of the pictures, in CSS pixels.
    """

    images: Sequence
    columns: Mapping[str, Sequence[str]]
    caption: str = ""
    width: int = 150

    def __repr__(self) -> str:
        rows = [self.columns, *zip(*self.columns.values(), strict=True)]
        return "\n".join([*(" | ".join(row) for row in rows), self.caption])

    def _repr_html_(self) -> str:
        align = ' style="text-align: left; vertical-align: top"'
        lines = ["".join(f"<th{align}>{escape(name)}</th>" for name in ("", *self.columns))]
        for image, row in zip(self.images, zip(*self.columns.values(), strict=True), strict=True):
            cells = ["" if image is None else self._picture(image, row[0])]
            cells += [escape(text).replace("\n", "<br>") for text in row]
            lines.append("".join(f"<td{align}>{cell}</td>" for cell in cells))
        body = "".join(f"<tr>{line}</tr>" for line in lines)
        return f"<table>{body}</table><p><em>{escape(self.caption)}</em></p>"

    def _picture(self, image: torch.Tensor, alternative: str) -> str:
        buffer = io.BytesIO()
        to_pil(image).save(buffer, "JPEG", quality=90)
        data = b64encode(buffer.getvalue()).decode()
        # JupyterLab squeezes the pictures of a table with much text to thumbnails of thumbnails.
        size = f'width="{self.width}" style="min-width: {self.width}px; max-width: none"'
        return f'<img src="data:image/jpeg;base64,{data}" alt="{escape(alternative)}" {size}>'


def strongest_maps(features: torch.Tensor, count: int) -> tuple[list[torch.Tensor], list[int]]:
    """The `count` channels of (1, C, H, W) with the largest mean, as (H, W) maps, and their numbers."""
    order = features[0].clamp_min(0).mean((1, 2)).argsort(descending=True)[:count]
    return [features[0, channel] for channel in order], order.tolist()


def _array(image) -> np.ndarray:
    """(H, W, 3) in [0, 1] for a colour image, (H, W) for a map or a grey image."""
    if isinstance(image, torch.Tensor):
        image = image.detach().cpu().float()
        image = image[0] if image.ndim == 4 else image
        if image.ndim == 3:
            image = image.clamp(0, 1).permute(1, 2, 0) if image.shape[0] == 3 else image[0]
    return np.asarray(image, dtype=float)
