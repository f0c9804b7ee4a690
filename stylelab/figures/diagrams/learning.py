"""The patch net, from a patch to its centre, and the table that looks up what the net missed."""

import itertools
from functools import lru_cache
from typing import Any, NamedTuple

from torch import Tensor

from stylelab.figures.diagrams.sheet import (
    BODY,
    EDGE,
    INK,
    MARGIN,
    SHADE,
    SOFT,
    STYLE,
    STYLE_INK,
    WIDTH,
    Diagram,
    Sheet,
)
from stylelab.patches.net import PatchNet
from stylelab.pictures.filters import apply_filter
from stylelab.pictures.loading import load_image

CAPTION = (
    "Above: one rule for every pixel, learnt from pairs. Below: no rule, only precedents: where the net's "
    "picture and the photograph looked like this before, that much was missing. The pixel is at a cat's eye."
)
ROW, COLUMN = 17, 44  # of the pixel: at the cat's eye
AROUND = 6  # pixels shown on each side of it
NET_TOP, TABLE_TOP = 62, 402
SPACING = 11.0  # of the units of a layer
REACH = 0.12  # differences are drawn from −REACH to REACH
OTHERS = 4  # entries shown that are not among the nearest


class Example(NamedTuple):
    """A net, a table on it, and what they make of a photograph, each picture (H, W) in [0, 1].

    shown: the photograph. made, found, result: the net's picture, the difference that the table finds (in
    [−1, 1]), and their sum. why: DifferenceTable.explain's answer for the pixel; others: some more entries.
    """

    net: PatchNet
    table: Any
    shown: Tensor
    made: Tensor
    found: Tensor
    result: Tensor
    why: Any
    others: list[tuple[Tensor, Tensor, Tensor]]


@lru_cache(maxsize=1)
def _example() -> Example:
    from stylelab.patches.differences import DifferenceTable  # brings scikit-learn
    from stylelab.patches.fitting import fit_patch_net

    originals = [load_image(name, 64, grey=True) for name in ("astronaut", "coffee")]
    pairs = [(original, apply_filter(original, "blur")) for original in originals]
    net = PatchNet()
    fit_patch_net(net, pairs, progress=False, steps=25)
    table = DifferenceTable(net, pairs)
    cat = load_image("cat", 64, grey=True)
    made, found, result = (part[0, 0] for part in table.stylise(cat, parts=True, progress=False))
    far = DifferenceTable(net, pairs, neighbours=600, calibrate=False).explain(cat, ROW, COLUMN)
    places = [599 - 150 * number for number in range(OTHERS)]
    others = [(far.outputs[n, 0], far.inputs[n, 0], far.differences[n, 0]) for n in places]
    return Example(net, table, cat[0, 0], made, found, result, table.explain(cat, ROW, COLUMN), others)


def patch_net_diagram(caption: str = CAPTION) -> Diagram:
    """A PatchNet and a DifferenceTable as they are by default, at work on one pixel of a photograph.

    Both are real: fitted, in a second, to the blur of two small pictures.
    """
    example, sheet = _example(), Sheet()
    net, table = example.net, example.table
    sizes = [net.layers[0].in_features, *(layer.out_features for layer in net.layers)]
    numbers = sum(parameter.numel() for parameter in net.parameters())
    sheet.text(MARGIN, 34, "The net: one rule for every pixel", 13.5, bold=True)
    sheet.text(WIDTH - MARGIN, 34, f"{numbers} weights and biases", 12, "end", SOFT)
    _draw_net(sheet, example, sizes)
    sheet.path([(MARGIN, TABLE_TOP - 50), (WIDTH - MARGIN, TABLE_TOP - 50)], "#d9d9d4", 1.2)
    sheet.text(MARGIN, TABLE_TOP - 24, "The table: what the net missed, looked up", 13.5, bold=True)
    key = "difference: blue darker, grey none, yellow brighter"
    sheet.text(WIDTH - MARGIN, TABLE_TOP - 24, key, 12, "end", SOFT)
    bottom = _draw_table(sheet, example)
    side, k = table.patch, table.neighbours
    description = (
        f"A patch of {net.patch} × {net.patch} pixels is {sizes[0]} numbers. They go through hidden layers "
        f"of {', '.join(map(str, sizes[1:-1]))} units with {net.activation} to {sizes[-1]} number, the "
        f"filtered centre: {numbers} weights and biases. The key of a pixel is the {side} × {side} patch of "
        f"the net's output and that of the input around it. The {k} entries of the table with the nearest "
        "keys are found, their difference patches averaged and trusted as far as has proved right; laid over "
        "each other for all pixels they are the difference that is added to the net's picture."
    )
    return sheet.finish(bottom, "The patch net and its table", caption, description)


def _crop(picture: Tensor) -> Tensor:
    return picture[ROW - AROUND : ROW + AROUND + 1, COLUMN - AROUND : COLUMN + AROUND + 1]


def _draw_net(sheet: Sheet, example: Example, sizes: list[int]) -> None:
    net, middle = example.net, NET_TOP + 118
    cell, x = 9, MARGIN
    side = sheet.pixels(_crop(example.shown), x, middle - cell * (AROUND + 0.5), cell)
    rim = net.patch // 2
    corner = x + cell * (AROUND - rim), middle - cell * (rim + 0.5)
    sheet.box(*corner, cell * net.patch, cell * net.patch, "none", STYLE, 2.2)
    big, left = 66 / net.patch, x + side + 44
    top = middle - 33
    for y, start in ((top, corner[1]), (top + 66, corner[1] + cell * net.patch)):
        sheet.path([(corner[0] + cell * net.patch, start), (left, y)], STYLE, 1.2)
    patch = example.shown[ROW - rim : ROW + rim + 1, COLUMN - rim : COLUMN + rim + 1]
    sheet.pixels(patch, left, top, big)
    sheet.box(left, top, 66, 66, "none", STYLE, 2.2)
    sheet.text(x + side / 2, middle + side / 2 + 20, "the photograph", 12, "middle", bold=True)
    sheet.text(left + 33, top + 66 + 20, "a patch", 12, "middle", bold=True)
    sheet.text(left + 33, top + 66 + 36, f"{net.patch} × {net.patch} pixels", 11.5, "middle", SOFT)
    first, last = left + 66 + 44, WIDTH - MARGIN - side - 52
    columns = [first + (last - first) * number / (len(sizes) - 1) for number in range(len(sizes))]
    places = [
        [(column, middle + SPACING * (unit - (size - 1) / 2)) for unit in range(size)]
        for column, size in zip(columns, sizes, strict=True)
    ]
    for before, after in itertools.pairwise(places):
        lines = "".join(f"M{a:.0f} {b:.1f}L{c:.0f} {d:.1f}" for a, b in before for c, d in after)
        sheet.raw(f'<path d="{lines}" fill="none" stroke="{EDGE}" stroke-width="0.5" stroke-opacity="0.5"/>')
    sheet.path([(left + 72, middle), (first - 10, middle)], arrow=True)
    shades = [f"#{round(255 * value):02x}" for value in patch.flatten().tolist()]
    for number, units in enumerate(places):
        for unit, (a, b) in enumerate(units):
            fill = shades[unit] + shades[unit][1:] * 2 if number == 0 and net.channels == 1 else BODY
            sheet.dot(a, b, 4.2, INK if number == len(places) - 1 else fill, SHADE)
    under = middle + SPACING * max(len(units) for units in places) / 2 + 24
    words = ["numbers in", *[net.activation] * (len(sizes) - 2), "number out"]
    for column, size, word in zip(columns, sizes, words, strict=True):
        sheet.text(column, under, str(size), 13, "middle", bold=True)
        sheet.text(column, under + 17, word, 11.5, "middle", SOFT)
    middle_of_hidden = (columns[1] + columns[-2]) / 2
    sheet.text(middle_of_hidden, NET_TOP - 8, "hidden layers", 11.5, "middle", SOFT)
    end = WIDTH - MARGIN - side
    sheet.path([(last + 10, middle), (end - 6, middle)], arrow=True)
    sheet.pixels(_crop(example.made), end, middle - side / 2, cell)
    sheet.box(end + cell * AROUND - 1, middle - cell / 2 - 1, cell + 2, cell + 2, "none", STYLE, 2.2)
    sheet.text(end + side / 2, middle + side / 2 + 20, "its centre, filtered", 12, "middle", bold=True)


def _draw_table(sheet: Sheet, example: Example) -> float:
    """The key, the table with its nearest entries, and what is added. Returns where it ends."""
    table, why, top = example.table, example.why, TABLE_TOP
    rows, small = 6, 4.4
    near = zip(why.outputs[:, 0], why.inputs[:, 0], why.differences[:, 0], strict=True)
    entries = [*near, *example.others]
    columns = -(-len(entries) // rows)
    middle, line = top + 100, 34
    side = sheet.pixels(why.query_output[0], MARGIN + 7, middle - 66, 11)
    sheet.pixels(why.query_input[0], MARGIN + 7, middle + 11, 11)
    sheet.box(MARGIN, middle - 73, side + 14, 146, "none", STYLE, 2.2, 4)
    x = MARGIN + side + 24
    size = f"{table.patch} × {table.patch} of"
    sheet.lines(x, middle - 42, [size, "the net's picture"], 15, size=11.5, colour=SOFT)
    sheet.lines(x, middle + 35, [size, "the photograph"], 15, size=11.5, colour=SOFT)
    sheet.text(MARGIN, middle + 124, "the key of a pixel", 12, bold=True)
    left = x + 122
    sheet.path([(x + 4, middle), (left - 12, middle)], arrow=True)
    wide = 3 * small * table.patch + 14
    for number, (output, given, difference) in enumerate(entries):
        a, b = left + number % columns * (wide + 14), top + 6 + number // columns * line
        patch = small * table.patch
        sheet.pixels(output, a, b, small)
        sheet.pixels(given, a + patch + 3, b, small)
        sheet.pixels((difference / REACH + 1) / 2, a + 2 * patch + 11, b, small, "cividis")
        if number < table.neighbours:
            sheet.box(a - 4, b - 4, wide + 5, patch + 8, "none", STYLE, 2)
    across = columns * (wide + 14) - 14
    centre, nearest = left + across / 2, f"the {table.neighbours} nearest of all entries"
    sheet.text(centre, middle + 124, nearest, 12, "middle", STYLE_INK, True)
    sheet.text(centre, middle + 141, "each: its key, and the difference there", 11.5, "middle", SOFT)
    mean = why.differences[:, 0].mean(0) * why.trust
    start = left + across + 46
    sheet.path([(left + across + 8, middle), (start - 6, middle)], arrow=True)
    side = sheet.pixels((mean / REACH + 1) / 2, start, middle - 27.5, 11, "cividis")
    sheet.text(start + side / 2, middle + 124, "their mean", 12, "middle", bold=True)
    sheet.text(start + side / 2, middle + 141, "× trust", 11.5, "middle", SOFT)
    return _draw_sum(sheet, example, start + side, middle) + 24


def _draw_sum(sheet: Sheet, example: Example, x: float, middle: float) -> float:
    """The differences laid over each other, and what they are added to. Returns the last baseline."""
    cell = 6
    side, between = cell * (2 * AROUND + 1), 22
    left = WIDTH - MARGIN - 3 * side - 2 * between
    sheet.path([(x + 6, middle), (left - 6, middle)], arrow=True)
    for number, (values, cmap, title, below) in enumerate(
        (
            ((_crop(example.found) / REACH + 1) / 2, "cividis", "difference", "of all pixels"),
            (_crop(example.made), "gray", "net's picture", ""),
            (_crop(example.result), "gray", "result", ""),
        )
    ):
        place = left + number * (side + between)
        sheet.pixels(values, place, middle - side / 2, cell, cmap)
        sheet.text(place + side / 2, middle + 124, title, 12, "middle", bold=True)
        sheet.text(place + side / 2, middle + 141, below, 11.5, "middle", SOFT)
        if number:
            sheet.text(place - between / 2, middle + 6, "+="[number - 1], 17, "middle", bold=True)
    return middle + 141
