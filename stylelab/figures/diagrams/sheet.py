"""What every diagram is drawn on: a light card with a few kinds of mark, which becomes an SVG.

The card brings its own background, so that a dark page shows it as a light one does. Everything is said in
presentation attributes: a page that holds several SVGs shares their styles and ids, and some viewers take
scripts, styles and fonts away.
"""

import io
import math
import textwrap
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from matplotlib import colormaps
from PIL import Image
from torch import Tensor

from stylelab.figures.figure import COLOURS
from stylelab.pictures.saving import to_pil

WIDTH = 880  # CSS pixels: what a notebook's page has
MARGIN = 28
FAMILY = "Helvetica, Arial, Liberation Sans, DejaVu Sans, sans-serif"

CARD, RIM, INK, SOFT = "#fcfcfa", "#d9d9d4", "#222222", "#5a5f66"
BODY, SHADE, EDGE = "#e4e8ee", "#8793a3", "#aab3bf"  # what is neither content nor style
CONTENT, STYLE, GRADIENT = COLOURS[0], COLOURS[1], COLOURS[5]
STYLE_INK = "#8f5a00"  # orange dark enough to be read

Point = tuple[float, float]


@dataclass(frozen=True, repr=False)
class Diagram:
    """A drawing that shows itself at the end of a cell; whoever cannot see it is told what is in it.

    svg: the whole drawing as text. caption: what to see in it. description: what is drawn, in words.
    """

    svg: str
    caption: str
    description: str

    def __repr__(self) -> str:
        return f"{self.caption}\n{self.description}".strip()

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        # JupyterLab shows the SVG itself only in notebooks that it trusts: those that were run here.
        data = b64encode(self.svg.encode()).decode()
        picture = f'<img src="data:image/svg+xml;base64,{data}" alt="{escape(repr(self))}" width="{WIDTH}">'
        return {"text/html": picture, "text/plain": repr(self)}


class Sheet:
    """A card WIDTH wide, drawn on from the top left corner; `finish` closes it below what is drawn."""

    def __init__(self) -> None:
        self.parts: list[str] = []

    def text(
        self,
        x: float,
        y: float,
        words: str,
        size: float = 12,
        anchor: str = "start",
        colour: str = INK,
        bold: bool = False,
        italic: bool = False,
    ) -> None:
        """A line of text whose baseline is at y. anchor: "start", "middle" or "end"."""
        look = (' font-weight="bold"' if bold else "") + (' font-style="italic"' if italic else "")
        place = f'x="{_n(x)}" y="{_n(y)}" font-size="{size:g}" text-anchor="{anchor}" fill="{colour}"'
        self.parts.append(f"<text {place}{look}>{escape(words)}</text>")

    def lines(self, x: float, y: float, words: Sequence[str], leading: float = 16, **look) -> None:
        """Lines of text, one below the other."""
        for number, line in enumerate(words):
            self.text(x, y + number * leading, line, **look)

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        fill: str = BODY,
        edge: str = EDGE,
        stroke: float = 1.2,
        corner: float = 0,
        dash: str = "",
    ) -> None:
        """A rectangle; edge "none" leaves its outline out."""
        place = f'x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}"'
        rim = f' rx="{corner:g}"' if corner else ""
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(
            f'<rect {place}{rim} fill="{fill}" stroke="{edge}" stroke-width="{stroke:g}"{dashed}/>'
        )

    def dot(self, x: float, y: float, radius: float, fill: str, edge: str = "none") -> None:
        """A filled circle."""
        place = f'cx="{_n(x)}" cy="{_n(y)}" r="{radius:g}"'
        self.parts.append(f'<circle {place} fill="{fill}" stroke="{edge}" stroke-width="1.2"/>')

    def diamond(self, x: float, y: float, radius: float, fill: str) -> None:
        """A square on its tip, told from a dot without its colour."""
        r = _n(radius)
        self.parts.append(f'<path d="M{_n(x)} {_n(y - radius)}l{r} {r}l-{r} {r}l-{r} -{r}z" fill="{fill}"/>')

    def path(
        self,
        points: Sequence[Point],
        colour: str = SHADE,
        stroke: float = 1.6,
        dash: str = "",
        arrow: bool = False,
    ) -> None:
        """A line from point to point. arrow: with a head at its last one."""
        *_, before, last = points
        ends = list(points)
        if arrow:
            length = math.dist(before, last)
            along = ((last[0] - before[0]) / length, (last[1] - before[1]) / length)
            base = (last[0] - 8 * along[0], last[1] - 8 * along[1])
            ends[-1] = base
        course = "L".join(f"{_n(x)} {_n(y)}" for x, y in ends)
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(
            f'<path d="M{course}" fill="none" stroke="{colour}" stroke-width="{stroke:g}"{dashed}/>'
        )
        if arrow:
            side = (-4 * along[1], 4 * along[0])
            corners = (last, (base[0] + side[0], base[1] + side[1]), (base[0] - side[0], base[1] - side[1]))
            head = "L".join(f"{_n(x)} {_n(y)}" for x, y in corners)
            self.parts.append(f'<path d="M{head}z" fill="{colour}"/>')

    def picture(
        self, image: Tensor, x: float, y: float, width: float, height: float, quality: int = 80
    ) -> None:
        """An image (1, 3 or 1, H, W) in [0, 1], in a frame."""
        file = io.BytesIO()
        to_pil(image).save(file, "JPEG", quality=quality)
        self._embed(file.getvalue(), "jpeg", x, y, width, height)
        self.box(x, y, width, height, "none", INK, 1)

    def pixels(
        self, values: Tensor, x: float, y: float, cell: float, cmap: str = "gray", edge: str = INK
    ) -> float:
        """Pixels (H, W) in [0, 1] as squares of `cell` CSS pixels, in a frame. Returns how wide it is."""
        height, width = values.shape
        colours = (colormaps[cmap](values.clamp(0, 1).numpy())[..., :3] * 255).round().astype("uint8")
        times = 8  # viewers smooth a picture that they enlarge
        file = io.BytesIO()
        squares = Image.fromarray(colours).resize((width * times, height * times), Image.Resampling.NEAREST)
        squares.quantize(256).save(file, "PNG", optimize=True)
        self._embed(file.getvalue(), "png", x, y, cell * width, cell * height)
        self.box(x, y, cell * width, cell * height, "none", edge, 1)
        return cell * width

    def _embed(self, data: bytes, kind: str, x: float, y: float, width: float, height: float) -> None:
        self.box(x, y, width, height, SHADE, "none")  # all there is where a viewer leaves the picture out
        place = f'x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}"'
        source = f"data:image/{kind};base64,{b64encode(data).decode()}"
        self.parts.append(f'<image {place} preserveAspectRatio="none" href="{source}"/>')

    def raw(self, element: str) -> None:
        """An element as it is."""
        self.parts.append(element)

    def finish(self, height: float, title: str, caption: str, description: str) -> Diagram:
        """The card, `height` high, with the caption in italics below."""
        lines = textwrap.wrap(caption, 118)
        self.lines(MARGIN, height + 14, lines, 17, size=12.5, colour=INK, italic=True)
        height += 17 * len(lines) + (20 if lines else 0)
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {_n(height)}" width="{WIDTH}" '
            f'height="{_n(height)}" role="img" font-family="{FAMILY}">'
            f"<title>{escape(title)}</title><desc>{escape(f'{caption} {description}'.strip())}</desc>"
            f'<rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{_n(height - 1)}" rx="8" fill="{CARD}" '
            f'stroke="{RIM}"/>'
        )
        return Diagram("\n".join([head, *self.parts, "</svg>"]), caption, description)


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
