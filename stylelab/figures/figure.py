"""What every figure of the course is: a matplotlib figure with its caption drawn below it.

A figure shows itself at the end of a notebook cell, at the width of a JupyterLab page. Its caption is also
its text alternative. Nothing here touches pyplot, so labs may draw from any thread.
"""

import io
import textwrap

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

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
        room = (0, below / (height + below), 1, height / (height + below))
        self.engine = ConstrainedLayoutEngine(rect=room)
        super().__init__(figsize=(width, height + below), dpi=DPI, layout=self.engine)
        FigureCanvasAgg(self)
        self.caption, self.photographic = caption, photographic
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
        options = {"quality": 88} if kind == "jpeg" else {}
        self.savefig(buffer, format=kind, facecolor="white", pil_kwargs=options)
        return buffer.getvalue()

    def _repr_mimebundle_(self, include=None, exclude=None) -> tuple[dict, dict]:
        mime = "image/jpeg" if self.photographic else "image/png"
        return {mime: self.encoded(), "text/plain": self.caption or "figure"}, {mime: {"alt": self.caption}}
