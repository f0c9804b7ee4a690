"""VGG-19 as columns of maps, with its taps, and how much of a picture an entry of each tap's maps sees."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from stylelab.errors import LayerError, RecipeError, unknown
from stylelab.figures.diagrams.sheet import (
    BODY,
    CARD,
    CONTENT,
    EDGE,
    MARGIN,
    SHADE,
    SOFT,
    STYLE,
    STYLE_INK,
    WIDTH,
    Diagram,
    Sheet,
)
from stylelab.networks.architectures import LAYER_NAMES, architecture
from stylelab.optimisation.published import find_recipe
from stylelab.optimisation.recipes import Recipe
from stylelab.pictures.loading import load_image

CAPTION = (
    "From left to right maps get smaller and more numerous. Below, what one number of a tapped map has seen: "
    "from a few pixels, enough for colours and edges, to a large part of the picture, enough for things."
)
TALL = 150  # of the picture, in CSS pixels; maps are drawn to the same scale
THIN = 21  # channels for each pixel of a convolution's width


@dataclass(frozen=True)
class Stage:
    """A layer: its name, what it is, its kernel's side, its maps' shape, the side of what an entry sees."""

    name: str
    kind: str
    kernel: int
    channels: int
    height: int
    field: int


def stages(size: int = 256) -> list[Stage]:
    """VGG-19's layers in order, for a square picture of so many pixels.

    A field grows at each layer by its kernel less one, in steps as wide as the layers before have made them.
    """
    channels, height, field, step, found = 3, size, 1, 1, []
    for name, module in zip(LAYER_NAMES["vgg19"](), architecture("vgg19"), strict=True):
        kind, kernel = "relu", 1
        if isinstance(module, nn.Conv2d):
            kind, kernel, channels = "conv", module.kernel_size[0], module.out_channels
        elif isinstance(module, nn.MaxPool2d):
            kind, kernel = "pool", _side(module.kernel_size)
        field += (kernel - 1) * step
        if kind == "pool":
            step, height = step * kernel, height // kernel
        found.append(Stage(name, kind, kernel, channels, height, field))
    return found


def _side(size: int | tuple[int, ...]) -> int:
    return size if isinstance(size, int) else size[0]


def vgg19_diagram(
    taps: Sequence[str] | None = None,
    recipe: str | Recipe = "default",
    size: int = 256,
    caption: str = CAPTION,
) -> Diagram:
    """VGG-19, where a recipe reads it, and what each tap sees of a picture `size` pixels wide and high.

    taps: layers to be marked in the place of the recipe's, all as read for style. Raises LayerError for a
    layer that VGG-19 does not have, RecipeError for a recipe on another network.
    """
    found = find_recipe(recipe)
    if taps is None and found.network != "vgg19":
        raise RecipeError(f'recipe "{found.name}" reads {found.network}; give one that reads vgg19')
    style = list(found.style_layers) if taps is None else list(taps)
    content = list(found.content_layers) if taps is None else []
    layers = {stage.name: stage for stage in stages(size)}
    for name in (*style, *content):
        if name not in layers:
            raise LayerError(unknown("layer", name, layers, "networks.architectures"))
    sheet = Sheet()
    photograph = load_image("astronaut", 192)[..., :192, :192]
    rows = _rows(layers, style, content)
    top = 44 + 20 * (1 + max((row for row, _ in rows.values()), default=0))
    places = _draw_network(sheet, layers, photograph, top, size)
    _draw_taps(sheet, rows, places, top)
    _legend(sheet, layers, bool(content))
    bottom = top + TALL + 70
    tapped = [stage for name, stage in layers.items() if name in {*style, *content}]
    height = _draw_fields(sheet, tapped, set(content) - set(style), photograph, bottom, size)
    kinds = [stage.kind for stage in layers.values()]
    convolutions, pools = kinds.count("conv"), kinds.count("pool")
    sees = ", ".join(f"{s.name} {s.field} × {s.field}" for s in tapped)
    description = (
        f"VGG-19's {convolutions} convolutions, each with its ReLU, in {pools} blocks, a pooling after each. "
        f"Style is read at {', '.join(style)}; content at {', '.join(content) or 'no layer'}. "
        f"An entry sees this many pixels of a picture of {size} × {size}: {sees}."
    )
    return sheet.finish(height, "VGG-19 with its taps, and what each tap sees", caption, description)


def _rows(layers: dict[str, Stage], style: list[str], content: list[str]) -> dict[str, tuple[int, str]]:
    """Which row above the network each tap's name stands in, and as what: names in one row never touch."""
    centres, rows = _centres(layers), {}
    ends: list[float] = []
    for kind, names in (("style", style), ("content", [name for name in content if name not in style])):
        below = len(ends) if kind == "content" else 0  # content stands above all of style
        for name in sorted(names, key=lambda name: centres[name]):
            start = centres[name] - 30
            row = next((r for r in range(below, len(ends)) if ends[r] <= start), len(ends))
            ends[row:] = [start + 60] if row == len(ends) else [start + 60, *ends[row + 1 :]]
            rows[name] = (row, "content" if name in content and kind == "content" else "style")
    return rows


def _bars(layers: dict[str, Stage]) -> dict[str, tuple[float, float]]:
    """Where each layer begins, and how wide it is drawn."""
    wide = {name: stage.channels / THIN if stage.kind == "conv" else 4.5 for name, stage in layers.items()}
    inner = 6.0
    convolutions = sum(stage.kind == "conv" for stage in layers.values())
    pools = sum(stage.kind == "pool" for stage in layers.values())
    taken = sum(wide.values()) + inner * (convolutions + pools)
    between = (WIDTH - 2 * MARGIN - TALL - taken) / pools
    x, bars = MARGIN + TALL + between, {}
    for name, stage in layers.items():
        bars[name] = (x, wide[name])
        x += wide[name] + {"conv": 0, "relu": inner, "pool": inner + between}[stage.kind]
    return bars


def _centres(layers: dict[str, Stage]) -> dict[str, float]:
    return {name: x + wide / 2 for name, (x, wide) in _bars(layers).items()}


def _draw_network(sheet: Sheet, layers: dict[str, Stage], photograph, top: float, size: int) -> dict:
    """The picture and the bars. Returns the top of each layer's bar: (x, y)."""
    middle, tops = top + TALL / 2, {}
    sheet.picture(photograph, MARGIN, top, TALL, TALL)
    bars = _bars(layers)
    first, last = next(iter(bars.values())), [*bars.values()][-1]
    sheet.path([(MARGIN + TALL + 5, middle), (first[0] - 5, middle)], SHADE, arrow=True)
    sheet.path([(first[0], middle), (last[0], middle)], EDGE, 1.2)
    blocks: dict[tuple[int, int, str], list[float]] = {}
    for name, stage in layers.items():
        (x, wide), tall = bars[name], max(4.0, TALL * stage.height / size)
        fill = {"conv": BODY, "relu": SHADE, "pool": CARD}[stage.kind]
        sheet.box(x, middle - tall / 2, wide, tall, fill, SHADE if stage.kind == "pool" else EDGE, 1)
        tops[name] = (x + wide / 2, middle - tall / 2)
        if stage.kind != "pool":
            key = (stage.height, stage.channels, name.removeprefix(stage.kind).split("_")[0])
            blocks.setdefault(key, []).extend((x, x + wide))
    under = top + TALL + 20
    sheet.text(MARGIN + TALL / 2, under, "the picture", anchor="middle", bold=True)
    sheet.text(MARGIN + TALL / 2, under + 17, f"{size} × {size} × 3", 11.5, "middle", SOFT)
    for (side, channels, number), edges in blocks.items():
        centre = (min(edges) + max(edges)) / 2
        sheet.text(centre, under, f"block {number}", anchor="middle", bold=True)
        sheet.text(centre, under + 17, f"{side} × {side}", 11.5, "middle", SOFT)
        sheet.text(centre, under + 33, f"× {channels}", 11.5, "middle", SOFT)
    return tops


def _draw_taps(sheet: Sheet, rows: dict, tops: dict, top: float) -> None:
    """Each tap's name, and a line from it down to its layer."""
    names = []
    for name, (row, kind) in rows.items():
        (x, y), label = tops[name], top - 14 - 20 * row
        names.append((x, label, name, CONTENT if kind == "content" else STYLE_INK))
        colour = CONTENT if kind == "content" else STYLE
        sheet.path([(x, label + 5), (x, y)], colour, 1.6)
        (sheet.diamond if kind == "content" else sheet.dot)(x, y, 5.5 if kind == "content" else 4.5, colour)
    for x, label, name, ink in names:  # last, so that no line of a row above runs through them
        sheet.box(x - 26, label - 10, 52, 13, CARD, "none")
        sheet.text(x, label, name, 11.5, "middle", ink, bold=True)


def _legend(sheet: Sheet, layers: dict[str, Stage], with_content: bool) -> None:
    x, y = MARGIN, 26
    kernels = {stage.kind: f"{stage.kernel} × {stage.kernel}" for stage in layers.values()}
    for fill, edge, words, room in (
        (BODY, EDGE, f"convolution {kernels['conv']}", 142),
        (SHADE, EDGE, "ReLU", 66),
        (CARD, SHADE, f"pooling {kernels['pool']}", 116),
    ):
        sheet.box(x, y - 11, 8, 14, fill, edge, 1)
        sheet.text(x + 14, y, words, 11.5, colour=SOFT)
        x += room
    sheet.dot(x + 5, y - 4, 4.5, STYLE)
    sheet.text(x + 15, y, "read for style", 11.5, colour=STYLE_INK)
    if with_content:
        sheet.diamond(x + 123, y - 4, 5.5, CONTENT)
        sheet.text(x + 134, y, "read for content", 11.5, colour=CONTENT)


def _draw_fields(
    sheet: Sheet, tapped: list[Stage], content: set[str], photograph, top: float, size: int
) -> float:
    """For each tap the picture, bright where one entry of its maps sees it. Returns where it ends."""
    columns = max(4, min(6, len(tapped)))
    pitch = (WIDTH - 2 * MARGIN + 14) / columns
    side = min(pitch - 14, 124)
    sheet.path([(MARGIN, top), (WIDTH - MARGIN, top)], "#d9d9d4", 1.2)
    sheet.text(
        MARGIN, top + 24, "What one number of the map has seen of the picture, to scale", 13, bold=True
    )
    across = min(columns, len(tapped))
    for number, stage in enumerate(tapped):
        left = WIDTH / 2 - (across * pitch - 14) / 2 + number % columns * pitch + (pitch - 14 - side) / 2
        upper = top + 40 + number // columns * (side + 60)
        sheet.picture(photograph, left, upper, side, side, 72)
        seen = side * min(stage.field, size) / size
        x, y = left + (side - seen) / 2, upper + (side - seen) / 2
        frame = f"M{left:.1f} {upper:.1f}h{side:.1f}v{side:.1f}h-{side:.1f}z"
        veil = f"{frame}M{x:.1f} {y:.1f}v{seen:.1f}h{seen:.1f}v-{seen:.1f}z"
        sheet.raw(f'<path d="{veil}" fill="{CARD}" fill-opacity="0.72" fill-rule="evenodd"/>')
        colour, ink = (CONTENT, CONTENT) if stage.name in content else (STYLE, STYLE_INK)
        sheet.box(x - 1, y - 1, seen + 2, seen + 2, "none", colour, 2)
        middle = left + side / 2
        field = f"{stage.name}: {stage.field} × {stage.field}"
        sheet.text(middle, upper + side + 18, field, 12, "middle", ink, True)
        shape = f"{stage.height} × {stage.height} × {stage.channels}"
        sheet.text(middle, upper + side + 35, f"map {shape}", 11.5, "middle", SOFT)
    rows = -(-len(tapped) // columns)
    return top + 40 + rows * (side + 60) - 8
