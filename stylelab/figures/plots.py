"""Curves, matrices and clouds of colours."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from stylelab.colour.spaces import rgb_to_yuv
from stylelab.figures.figure import COLOURS, FONT, MARKERS, WIDTH, CourseFigure
from stylelab.figures.plates import as_array


def curves(
    series: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    xlabel: str,
    ylabel: str,
    caption: str = "",
    log: str = "",
    markers: bool = True,
    height: float = 3.4,
    title: str = "",
    legend: str = "best",
) -> CourseFigure:
    """Curves in one frame. series: {label: (x, y)}. log: "", "x", "y" or "xy". markers: draw each point.

    legend: where, as matplotlib names places, or "outside", to the right of the frame.
    """
    return curve_panels({title: series}, xlabel, ylabel, caption, log, markers, height, legend)


def curve_panels(
    panels: Mapping[str, Mapping[str, tuple[Sequence[float], Sequence[float]]]],
    xlabel: str,
    ylabel: str,
    caption: str = "",
    log: str = "",
    markers: bool = True,
    height: float = 3.2,
    legend: str = "best",
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
            beside = {"loc": "center left", "bbox_to_anchor": (1.0, 0.5)}
            place = beside if legend == "outside" else {"loc": legend}
            axis.legend(fontsize=FONT - 1, frameon=False, **place)
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
    values = as_array(values)
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
    colours = [as_array(image).reshape(-1, 3) for image in images]
    thinned = [torch.from_numpy(pixels[:: max(1, len(pixels) // points)]) for pixels in colours]
    clouds = [rgb_to_yuv(pixels.T[None, :, :, None])[0, 1:, :, 0] for pixels in thinned]
    # the frame keeps its shape and is as large as the farthest colour of any image asks
    scale = 1.05 * max(0.2, *(max(u.abs().max() / 0.45, v.abs().max() / 0.5) for u, v in clouds))
    width = min(WIDTH, 3.2 * len(images) + 0.6)
    figure = CourseFigure(((width - 0.6) / len(images) - 0.14) * 0.5 / 0.45 + 0.8, caption, width=width)
    axes = figure.subplots(1, len(images), squeeze=False, sharex=True, sharey=True)[0]
    for axis, pixels, chroma, title in zip(axes, thinned, clouds, titles, strict=True):
        axis.scatter(*chroma, s=3, c=pixels.numpy(), linewidths=0)
        axis.axhline(0, color="0.85", linewidth=0.8, zorder=0)
        axis.axvline(0, color="0.85", linewidth=0.8, zorder=0)
        axis.set(xlim=(-0.45 * scale, 0.45 * scale), ylim=(-0.5 * scale, 0.5 * scale), aspect="equal")
        axis.set_title(title, fontsize=FONT)
        axis.set_xlabel("U (blue − brightness)", fontsize=FONT - 1)
        axis.tick_params(labelsize=FONT - 2)
    axes[0].set_ylabel("V (red − brightness)", fontsize=FONT - 1)
    return figure


def map_clouds(
    panels: Mapping[str, torch.Tensor], axes_of: tuple[str, str], caption: str = "", points: int = 3000
) -> CourseFigure:
    """Two feature maps as points: each position is one, with their mean and the ellipse of their covariance,
    two deviations along its axes. Each panel has a scale of its own, alike in both directions.

    panels: {title: maps (1, 2, H, W)}. axes_of: what the two are called. Of more than `points` positions
    every n-th is drawn.
    """
    width = min(WIDTH, 2.9 * len(panels) + 0.6)
    figure = CourseFigure((width - 0.6) / len(panels) + 0.75, caption, width=width)
    turn = np.linspace(0, 2 * np.pi, 100)
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for axis, (title, maps) in zip(axes, panels.items(), strict=True):
        rows = maps.detach().double().flatten(2)[0].numpy()
        mean = rows.mean(1, keepdims=True)
        variances, directions = np.linalg.eigh(np.cov(rows, ddof=0))
        ellipse = directions @ (2 * np.sqrt(variances.clip(0))[:, None] * (np.cos(turn), np.sin(turn)))
        axis.scatter(*rows[:, :: max(1, rows.shape[1] // points)], s=2, color="0.6", linewidths=0)
        axis.plot(*(mean + ellipse), color=COLOURS[1], linewidth=2)
        axis.plot(*mean, "o", color=COLOURS[1], markersize=5)
        reach = 1.25 * float(np.abs(ellipse).max()) or 1.0
        x, y = mean[:, 0].tolist()
        axis.set(xlim=(x - reach, x + reach), ylim=(y - reach, y + reach), aspect="equal")
        axis.axhline(0, color="0.85", linewidth=0.8, zorder=0)
        axis.axvline(0, color="0.85", linewidth=0.8, zorder=0)
        axis.set_title(title, fontsize=FONT)
        axis.set_xlabel(axes_of[0], fontsize=FONT - 1)
        axis.tick_params(labelsize=FONT - 2)
    axes[0].set_ylabel(axes_of[1], fontsize=FONT - 1)
    return figure
