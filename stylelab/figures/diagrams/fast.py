"""A fast network: the convolutions that all its styles share, and the numbers that are a style."""

import torch
from torch import Tensor

from stylelab.feedforward.network import FastNetwork
from stylelab.figures.diagrams.sheet import INK, MARGIN, SHADE, SOFT, STYLE, STYLE_INK, WIDTH, Diagram, Sheet
from stylelab.pictures.loading import load_image
from stylelab.pictures.resampling import resize

CAPTION = (
    "Grey: the convolutions, one set for all styles, drawn as high as their maps and as wide as there are of "
    "them. Orange: all that is this style, two numbers a map. Another style is another strip."
)
TOP, TALLEST = 66, 172  # of the largest maps, in CSS pixels
PICTURE = 124  # of the photograph, in width
MAP = 0.62  # CSS pixels of a slab's width for each map
CELL, ACROSS = 1.7, 40  # of a number; how many in a row
STRIPS = TOP + TALLEST + 94  # where the numbers begin


def fast_network_diagram(
    network: FastNetwork | None = None,
    style: str | None = None,
    content: str = "pagoda",
    caption: str = CAPTION,
) -> Diagram:
    """A FastNetwork as it is, with one of its styles at work on a sample photograph.

    network: the course's own by default. style: one of its names, its first by default.
    """
    network = network or FastNetwork.load()
    style = style or network.styles[0]
    photograph = load_image(content, 256)
    painted = network.stylise(photograph, style)
    sheet = Sheet()
    height, width = photograph.shape[-2:]
    tall = PICTURE * height / width
    middle = TOP + TALLEST / 2
    for x, image, title in (
        (MARGIN, photograph, "photograph"),
        (WIDTH - MARGIN - PICTURE, painted, "painted"),
    ):
        sheet.picture(resize(image, 256).clamp(0, 1), x, middle - tall / 2, PICTURE, tall)
        sheet.text(x + PICTURE / 2, middle + tall / 2 + 20, title, 12.5, "middle", bold=True)
    centres = _draw_slabs(sheet, network, (width, height), middle)
    bottom = _draw_numbers(sheet, network, network.mix(style).detach(), style, centres)
    maps = sum(network.maps)
    description = (
        f"Convolutions to {', '.join(map(str, network.widths))} maps, two of them halving the picture; "
        f"{network.blocks} residual blocks at a quarter of its size; two that double it again, and one to "
        f"three colours. After each but the last every map is normalised, multiplied by a scale and moved "
        f"by a shift. The style {style} is these {maps:,} scales and {maps:,} shifts."
    )
    return sheet.finish(bottom, "A fast network", caption, description)


def _draw_slabs(sheet: Sheet, network: FastNetwork, size: tuple[int, int], middle: float) -> list[float]:
    """The stages side by side. Returns the middle of each, the residual blocks counting as one."""
    narrow, wider, widest = network.widths
    stages = [(narrow, 1), (wider, 2), (widest, 4), (widest, 4), (wider, 2), (narrow, 1)]
    words = [
        "9 × 9",
        "3 × 3, halved",
        "3 × 3, halved",
        f"{network.blocks} residual blocks",
        "doubled",
        "doubled",
    ]
    left, right = MARGIN + PICTURE + 42, WIDTH - MARGIN - PICTURE - 42
    wides = [MAP * maps for maps, _ in stages]
    wides[3] = network.blocks * (MAP * widest / 2 + 7) - 7
    gap = (right - left - sum(wides)) / (len(stages) - 1)
    centres: list[float] = []
    x = float(left)
    sheet.path([(left - 38, middle), (left - 4, middle)], arrow=True)
    for number, ((maps, part), wide, word) in enumerate(zip(stages, wides, words, strict=True)):
        tall, centre = TALLEST / part, x + wide / 2
        pieces = network.blocks if number == 3 else 1
        piece = (wide + 7) / pieces - 7 if pieces > 1 else wide
        for place in range(pieces):
            at = x + place * (piece + 7)
            sheet.box(at, middle - tall / 2, piece, tall, corner=2)
            if pieces > 1:  # what a block adds to what it was given
                top, low = middle - tall / 2 - 13, middle - tall / 2 - 1
                arc = f"M{at - 3:.1f} {low:.1f}C{at:.1f} {top:.1f} {at + piece:.1f} {top:.1f} "
                arc += f"{at + piece + 3:.1f} {low:.1f}"
                sheet.raw(f'<path d="{arc}" fill="none" stroke="{SHADE}" stroke-width="1.3"/>')
        if number:
            sheet.path([(x - gap + 4, middle), (x - 4, middle)], arrow=True)
        sheet.text(centre, TOP + TALLEST + 22, str(maps), 13, "middle", bold=True)
        across, down = (-(-side // part) for side in size)
        sheet.text(centre, TOP + TALLEST + 38, f"{across} × {down}", 11, "middle", SOFT)
        sheet.text(centre, TOP - 16 - 14 * (number % 2), word, 11.5, "middle", INK)
        centres.append(centre)
        x += wide + gap
    sheet.text(left - 30, TOP + TALLEST + 22, "maps", 11.5, "end", SOFT)
    sheet.text(left - 30, TOP + TALLEST + 38, "pixels of each", 11, "end", SOFT)
    sheet.path([(right + 4, middle), (right + 38, middle)], arrow=True)
    sheet.text(right + 22, middle - 10, "9 × 9", 11.5, "middle", INK)
    return centres


def _draw_numbers(
    sheet: Sheet, network: FastNetwork, vectors: Tensor, style: str, centres: list[float]
) -> float:
    """The scales and shifts below the convolutions that they belong to. Returns where they end."""
    parts = [torch.cat([_rows(scale), _rows(shift)]) for scale, shift in network.scales_and_shifts(vectors)]
    groups = [*parts[:3], torch.cat(parts[3:-2]), *parts[-2:]]
    largest = vectors.abs().quantile(0.97).item()
    bottom = float(STRIPS)
    for numbers, centre in zip(groups, centres, strict=True):
        wide = CELL * numbers.shape[1]
        sheet.path([(centre, STRIPS - 8), (centre, STRIPS - 34)], STYLE, 2, arrow=True)
        side = sheet.pixels(numbers.cpu() / largest / 2 + 0.5, centre - wide / 2, STRIPS, CELL, "cividis")
        tall = CELL * len(numbers)
        sheet.box(centre - side / 2 - 2, STRIPS - 2, side + 4, tall + 4, "none", STYLE, 1.6, 2)
        bottom = max(bottom, STRIPS + tall)
    maps = sum(network.maps)
    told = f"{style}: {maps:,} scales and {maps:,} shifts"
    sheet.text(WIDTH / 2, bottom + 24, told, 13, "middle", STYLE_INK, True)
    return bottom + 42


def _rows(numbers: Tensor) -> Tensor:
    """Numbers (1, C, 1, 1) in rows of at most ACROSS."""
    count = numbers.numel()
    return numbers.reshape(-(-count // ACROSS), -1) if count % ACROSS == 0 else numbers.reshape(1, -1)
