"""The one widget of the labs that ipywidgets lacks: a picture that tells where it is clicked and dragged."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

import anywidget
import traitlets


class Touch(NamedTuple):
    """One place of a drag, or of a click, which is a drag that goes nowhere.

    phase: whether it is the first place, one in between, or the last. x, y: to the right and downwards, as
    shares of the picture, 0 to 1.
    """

    phase: Literal["down", "move", "up"]
    x: float
    y: float

    def pixel(self, width: int, height: int) -> tuple[int, int]:
        """The (row, column) under it, in a picture of so many pixels."""
        return min(int(self.y * height), height - 1), min(int(self.x * width), width - 1)


def page_module(render: str, *names: str) -> str:
    """The page's half of a widget: files of this folder, one after the other. render: the function of theirs
    that shows it."""
    code = [Path(__file__).with_name(name).read_text(encoding="utf-8") for name in names]
    return "\n".join([*code, f"export default {{ render: {render} }};"])


class Touchable(anywidget.AnyWidget):
    """A picture. value: the bytes of its file. format: as in image/<format>. alt: what it shows, in words.

    cursor: the pointer's shape over it, as CSS has it; "" for a picture that is only looked at. height: at
    most, as CSS has it; it is as wide as there is room, in its own proportions. Its half in the page also
    looks after the lab around it: names for sliders, keys that Jupyter would take for commands, files too
    large to send.
    """

    _esm = page_module("render", "touchable.js")
    value = traitlets.Bytes().tag(sync=True)
    format = traitlets.Unicode("jpeg").tag(sync=True)
    alt = traitlets.Unicode().tag(sync=True)
    cursor = traitlets.Unicode().tag(sync=True)
    height = traitlets.Unicode("none").tag(sync=True)

    def on_touch(self, action: Callable[[Touch], None], cursor: str = "crosshair") -> None:
        """Calls `action` for every place of a drag, at most one a frame of the page."""
        self.cursor = cursor
        self.on_msg(lambda _, told, buffers: action(Touch(told["phase"], told["x"], told["y"])))
