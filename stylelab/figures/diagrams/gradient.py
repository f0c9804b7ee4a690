"""Where the gradient flows: from the losses back through a network that stays as it is, to the pixels."""

from functools import partial

from stylelab.figures.diagrams.sheet import (
    BODY,
    CARD,
    CONTENT,
    EDGE,
    GRADIENT,
    INK,
    MARGIN,
    SOFT,
    STYLE,
    STYLE_INK,
    WIDTH,
    Diagram,
    Sheet,
)
from stylelab.optimisation.published import find_recipe
from stylelab.optimisation.recipes import Recipe
from stylelab.pictures.loading import load_image
from stylelab.pictures.samples import sample_path

CAPTION = (
    "Along the grey arrows the losses are computed; along the dashed ones goes the gradient. It passes "
    "through the network and changes nothing there. Only the pixels move."
)
GRADIENT_INK = "#a84600"  # vermilion dark enough to be read
DASH = "6 4"
APART = 8  # of the two directions of an arrow from their middle
PICTURE = 92  # CSS pixels
PAINTING, PIXELS, PHOTOGRAPH = 60, 204, 348  # the top of each row's picture
NETWORK = (206, 122)  # where it begins, and how wide it is
MAPS = (404, 150)
LOSSES = (630, 110)


def gradient_diagram(recipe: str | Recipe = "default", caption: str = CAPTION) -> Diagram:
    """The objective of a recipe as a flow: picture, network, maps, losses; and back, to the pixels alone."""
    found = find_recipe(recipe)
    style, content = _listed(found.style_layers), _listed(found.content_layers)
    sheet = Sheet()
    _draw_pictures(sheet)
    _draw_network(sheet, "VGG-19" if found.network == "vgg19" else "SqueezeNet 1.1")
    middles = {row: top + PICTURE / 2 for row, top in (("a", PAINTING), ("x", PIXELS), ("p", PHOTOGRAPH))}
    grams, maps = middles["x"] - 30, middles["x"] + 30
    x, wide = MAPS
    for y, title, where, colour, kept in (
        (middles["a"], "Gram matrices", style, STYLE, True),
        (grams, "Gram matrices of x", style, STYLE, False),
        (maps, "maps of x", content, CONTENT, False),
        (middles["p"], "maps", content, CONTENT, True),
    ):
        sheet.box(x, y - 23, wide, 46, CARD, colour, 1.6, 4, "2 3" if kept else "")
        sheet.text(x + wide / 2, y - 4, title, 12.5, "middle", bold=True)
        sheet.text(x + wide / 2, y + 13, f"at {where}", 11.5, "middle", SOFT)
    for y in (middles["a"], middles["p"]):
        beside = y + (40 if y > maps else -33)
        sheet.text(x + wide / 2, beside, "target: computed once, no gradient", 11.5, "middle", SOFT)
    _draw_losses(sheet, middles, grams, maps, f"{found.style_weight:g}", f"{found.content_weight:g}")
    _draw_forward(sheet, middles, grams, maps)
    _draw_back(sheet, middles, grams, maps)
    _legend(sheet, 648, 34)
    if found.tv_weight:
        words = f"+ total variation of x × {found.tv_weight:g}"
        sheet.text(WIDTH - MARGIN, middles["p"] + 20, words, 12, "end", SOFT)
    description = (
        f"The picture's pixels go through the network to its maps. The Gram matrices of those at {style} are "
        f"compared with the painting's, the style loss; the maps at {content} with the photograph's, the "
        "content loss; the weighted sum is the total. The gradient returns from the total through both "
        "losses, the maps and the network to the pixels. The network's weights are fixed, and no gradient "
        "reaches the painting or the photograph."
    )
    return sheet.finish(492, "Where the gradient flows", caption, description)


def _listed(layers) -> str:
    """The names of layers, those between the first and the last left out."""
    names = list(layers)
    return " … ".join([names[0], names[-1]] if len(names) > 1 else names) or "no layer"


def _draw_pictures(sheet: Sheet) -> None:
    made = load_image(sample_path("pagoda").parents[1] / "results" / "pagoda_starry_night.jpg", 184)
    painting, photograph = load_image("starry_night", 232), load_image("pagoda", 184)
    for image, top, title, edge in (
        (painting, PAINTING, "the painting", STYLE),
        (made, PIXELS, "the picture x", INK),
        (photograph, PHOTOGRAPH, "the photograph", CONTENT),
    ):
        height, width = image.shape[-2:]
        side = min(height, width)
        down, across = (height - side) // 2, (width - side) // 2
        image = image[..., down : down + side, across : across + side]
        sheet.picture(image, MARGIN + 18, top, PICTURE, PICTURE)
        sheet.box(MARGIN + 18, top, PICTURE, PICTURE, "none", edge, 2.4)
        sheet.text(MARGIN + 18 + PICTURE / 2, top + PICTURE + 18, title, 12.5, "middle", bold=True)


def _draw_network(sheet: Sheet, name: str) -> None:
    (x, wide), top, bottom = NETWORK, PAINTING - 8, PHOTOGRAPH + PICTURE + 8
    sheet.box(x, top, wide, bottom - top, BODY, EDGE, 1.2, 6)
    sheet.text(x + wide / 2, top - 10, name, 12.5, "middle", SOFT, bold=True)
    for row in (PAINTING, PIXELS, PHOTOGRAPH):
        for number in range(5):
            tall = PICTURE * 0.8 * 0.68**number
            middle = row + PICTURE / 2
            sheet.box(x + 14 + 20 * number, middle - tall / 2, 13, tall, "#d3d9e1", EDGE, 1)
    sheet.text(x + wide / 2, bottom + 18, "weights fixed", 12.5, "middle", SOFT, bold=True)


def _draw_losses(sheet: Sheet, middles: dict, grams: float, maps: float, style: str, content: str) -> None:
    x, wide = LOSSES
    for y, title, colour, ink in (
        ((middles["a"] + grams) / 2, "style loss", STYLE, STYLE_INK),
        ((maps + middles["p"]) / 2, "content loss", CONTENT, CONTENT),
    ):
        sheet.box(x, y - 18, wide, 36, CARD, colour, 2.2, 18)
        sheet.text(x + wide / 2, y + 4.5, title, 12.5, "middle", ink, bold=True)
    sheet.box(WIDTH - MARGIN - 62, middles["x"] - 20, 62, 40, CARD, INK, 2.2, 20)
    sheet.text(WIDTH - MARGIN - 31, middles["x"] + 4.5, "total", 12.5, "middle", bold=True)
    for y, weight, ink in ((middles["x"] - 58, style, STYLE_INK), (middles["x"] + 67, content, CONTENT)):
        sheet.text(WIDTH - MARGIN - 24, y, f"× {weight}", 12, colour=ink)


def _draw_forward(sheet: Sheet, middles: dict, grams: float, maps: float) -> None:
    left, right = MARGIN + 18 + PICTURE, NETWORK[0] + NETWORK[1]
    style, content = (middles["a"] + grams) / 2, (maps + middles["p"]) / 2
    end, start = MAPS[0] + MAPS[1], LOSSES[0]
    for y in (middles["a"], middles["x"] - APART, middles["p"]):
        sheet.path([(left + 6, y), (NETWORK[0] - 4, y)], arrow=True)
    for y in (middles["a"], grams - APART, maps + APART, middles["p"]):
        sheet.path([(right + 4, y), (MAPS[0] - 5, y)], arrow=True)
    bend = (end + start) / 2 - 10
    for y, to in (
        (middles["a"], style - 7),
        (grams - APART, style + 7),
        (maps + APART, content - 7),
        (middles["p"], content + 7),
    ):
        sheet.path([(end + 5, y), (bend, y), (bend, to), (start - 5, to)], arrow=True)
    far, into = LOSSES[0] + LOSSES[1], WIDTH - MARGIN - 31
    sheet.path([(far + 5, style), (into, style), (into, middles["x"] - 25)], arrow=True)
    sheet.path([(far + 5, content), (into, content), (into, middles["x"] + 25)], arrow=True)


def _draw_back(sheet: Sheet, middles: dict, grams: float, maps: float) -> None:
    """From the total to the pixels, beside the arrows that came, and never across them."""
    back = partial(sheet.path, colour=GRADIENT, dash=DASH, arrow=True)
    style, content = (middles["a"] + grams) / 2, (maps + middles["p"]) / 2
    total, middle = WIDTH - MARGIN - 67, middles["x"]
    near, under = LOSSES[0] + LOSSES[1] - 24, LOSSES[0] + 32
    end, join = MAPS[0] + MAPS[1] + 5, NETWORK[0] + NETWORK[1] + 32
    back([(total, middle - 6), (near, middle - 6), (near, style + 23)])
    back([(total, middle + 6), (near, middle + 6), (near, content - 23)])
    back([(under, style + 22), (under, grams + APART), (end, grams + APART)])
    back([(under, content - 22), (under, maps - APART), (end, maps - APART)])
    y = middle + APART
    for start in (grams + APART, maps - APART):
        sheet.path([(MAPS[0] - 5, start), (join, start), (join, y)], GRADIENT, dash=DASH)
    back([(join, y), (MARGIN + 18 + PICTURE + 6, y)])
    sheet.text(
        MARGIN + 18 + PICTURE / 2, PIXELS + PICTURE + 34, "changes at each step", 11.5, "middle", GRADIENT_INK
    )


def _legend(sheet: Sheet, x: float, y: float) -> None:
    sheet.path([(x, y - 4), (x + 34, y - 4)], arrow=True)
    sheet.text(x + 42, y, "values", 11.5, colour=SOFT)
    sheet.path([(x + 106, y - 4), (x + 140, y - 4)], GRADIENT, dash=DASH, arrow=True)
    sheet.text(x + 148, y, "gradient", 11.5, colour=GRADIENT_INK)
