"""A photograph to paint regions on: up to four of them, with a brush, an eraser, or a rectangle by keys."""

import html
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import RLock

import ipywidgets as widgets
import numpy as np
import torch
import traitlets
from torch import Tensor

from stylelab.errors import StylelabError
from stylelab.labs.kit.base import Lab, Picture, controls, row
from stylelab.labs.kit.drawing import encode
from stylelab.labs.kit.touchable import Touchable, page_module
from stylelab.pictures.filters import gaussian_blur

# Of the regions, in order: no red beside green, and each far from the next in lightness too.
COLOURS = ("#f0e442", "#aa3377", "#56b4e9", "#332288")
UNDONE = 30  # changes that can be taken back
BRUSH = 28, 160  # pixels across, at first and at most
_REGION = 7  # the bits of a run that say of which region it is; the others say how long it is


class Paintable(Touchable):
    """The picture and the paint above it, as the page has them.

    painted: the height and width of the photograph in pixels, its regions as `packed` has them, and the
    number of the last stroke of the page that they know of. region: that is painted, 0 to erase. brush: its
    width in pixels of the photograph. colours: of the regions, as #rrggbb.
    """

    _esm = page_module("renderPaintable", "touchable.js", "painting.js")
    _css = Path(__file__).with_name("painting.css").read_text(encoding="utf-8") + "".join(
        f".stylelab-regions button:nth-of-type({n})::before, .stylelab-region-{n} .widget-label::before "
        f"{{ background: {colour} }}\n"
        for n, colour in enumerate(COLOURS, 1)
    )
    painted = traitlets.Dict().tag(sync=True)
    region = traitlets.Int(1).tag(sync=True)
    brush = traitlets.Int(BRUSH[0]).tag(sync=True)
    colours = traitlets.List(traitlets.Unicode(), [*COLOURS]).tag(sync=True)


@dataclass(frozen=True, eq=False)
class Painted:
    """What is painted on what.

    name: the photograph's. photograph: (1, 3, H, W) in [0, 1]. regions: (H, W), uint8: the number of each
    pixel's region, 1 to count, or 0 for none.
    """

    name: str
    photograph: Tensor
    regions: np.ndarray
    count: int

    def masks(self, soft: float = 0.0) -> list[Tensor]:
        """Where each region is: (1, 1, H, W) in [0, 1], 0 or 1 unless its edge is blurred.

        soft: the standard deviation, in pixels, of the Gaussian that blurs them all alike.
        """
        each = [torch.from_numpy(self.regions == n).float()[None, None] for n in range(1, self.count + 1)]
        return [gaussian_blur(mask, soft).clamp(0, 1) for mask in each] if soft else each

    def shares(self) -> list[float]:
        """How much of the picture each region has, 0 to 1."""
        return (np.bincount(self.regions.ravel(), minlength=self.count + 1)[1:] / self.regions.size).tolist()


class Painting(Picture):
    """A Picture that is painted on, and `tools`, the controls for that, which the lab places.

    lab: whose it is. name, photograph: see Painted. count: of regions, 1 to 4. width, least, height: see
    Picture. buttons: more of them, for the tools. Its trait `value` is what was Painted, a new one after
    every change, for `lab.on`; no pixel of it is ever changed in place. What the page paints is seen there at
    once, and told when a stroke ends.
    """

    value = traitlets.Instance(Painted)

    def __init__(
        self,
        lab: Lab,
        name: str,
        photograph: Tensor,
        count: int = len(COLOURS),
        width: int = 560,
        least: int = 320,
        height: str = "54vh",
        buttons: Sequence[widgets.Button] = (),
    ) -> None:
        self.page = Paintable(height=height)
        super().__init__(width, least, height, self.page)
        self.text.layout.margin = "5px 2px 0"  # below the ring of what has the focus
        self.count = count
        self._before: list[np.ndarray] = []
        self._stroke = 0
        self._lock = RLock()  # a worker may put a photograph where the page has just painted on another
        options = [*((f"region {n}", n) for n in range(1, count + 1)), ("eraser", 0)]
        self.region = widgets.ToggleButtons(options=options, description="paint with")
        self.region.style.button_width = self.region.style.description_width = "auto"
        self.region.add_class("stylelab-regions")
        self.brush = widgets.IntSlider(value=BRUSH[0], min=1, max=BRUSH[1], description="brush (pixels)")
        self.tools = widgets.VBox(
            [
                row(self.region),
                controls(self.brush),
                row(
                    lab.button("Undo", self.undo, "take back the last change of the paint"),
                    lab.button("Clear", self.clear, "take all paint off"),
                    *buttons,
                ),
            ],
            layout={"overflow": "visible"},
        )
        for control in (self.region, self.brush):
            lab.on(control, self._take_tools)
        self.page.on_msg(lambda _, told, buffers: lab.act(lambda: self._hear(told, buffers)))
        self.put(name, photograph)

    @property
    def regions(self) -> np.ndarray:
        """(H, W), uint8: the number of each pixel's region, from 1 on, or 0 for none."""
        return self.value.regions

    def masks(self, soft: float = 0.0) -> list[Tensor]:
        """Where each region is, (1, 1, H, W) in [0, 1]; soft: see Painted."""
        return self.value.masks(soft)

    def put(self, name: str, photograph: Tensor, regions=None) -> None:
        """Shows a photograph in the place of the one there is; nothing that was done before can be undone.

        name, photograph: see Painted. regions: as `fill` takes them; without, nothing is painted on it.
        """
        shape = photograph.shape[-2], photograph.shape[-1]
        painted = np.zeros(shape, dtype=np.uint8) if regions is None else self._checked(regions, shape)
        with self._lock, self.page.hold_sync():  # the picture and what is painted on it arrive together
            self._before.clear()
            self.page.value, self.page.format = encode(photograph)
            self._set(Painted(name, photograph, painted, self.count))

    def fill(self, regions) -> None:
        """Paints all of it anew.

        regions: integers (H, W), an array or a tensor, of the photograph's size: the region of each pixel,
        from 1 on, or 0 for none. Raises StylelabError where it is of another size or has other numbers.
        """
        with self._lock:
            self._change(self._checked(regions, self.regions.shape))

    def clear(self) -> None:
        """Takes all paint off."""
        with self._lock:
            self._change(np.zeros_like(self.regions))

    def undo(self) -> None:
        """Takes back the last change, if there is one."""
        with self._lock:
            if self._before:
                self._set(replace(self.value, regions=self._before.pop()))

    def _checked(self, regions, shape: tuple[int, ...]) -> np.ndarray:
        found = regions.cpu().numpy() if isinstance(regions, Tensor) else np.asarray(regions)
        if found.shape != shape:
            got, expected = (" × ".join(map(str, sides)) for sides in (found.shape, shape))
            raise StylelabError(f"regions of the shape {got}; the photograph has {expected}: height × width")
        if found.dtype.kind not in "iub":
            raise StylelabError(f"regions of the type {found.dtype}; give whole numbers, 0 where none is")
        if not 0 <= found.min() <= found.max() <= self.count:
            raise StylelabError(
                f"regions numbered {found.min()} to {found.max()}; give 1 to {self.count}, 0 where none is"
            )
        return found.astype(np.uint8)

    def _change(self, regions: np.ndarray) -> None:
        if np.array_equal(regions, self.regions):
            self._tell(self.value)  # the page waits for an answer to its stroke
        else:
            self._before = [*self._before, self.regions][-UNDONE:]
            self._set(replace(self.value, regions=regions))

    def _set(self, painted: Painted) -> None:
        painted.regions.setflags(write=False)
        with self.page.hold_sync():
            self._tell(painted)
            self._say(painted)
        self.value = painted

    def _say(self, painted: Painted) -> None:
        height, width = painted.regions.shape
        shares = [(n, share) for n, share in enumerate(painted.shares(), 1) if share]
        words = [f"region {n}: {_per_cent(share)}" for n, share in shares]
        if words:
            words[0] += " of the picture"
        picture = f"{painted.name}, {width} × {height} pixels"
        self.says = self.page.alt = f"{picture}; {', '.join(words) or 'nothing is painted on it'}."
        marked = [_marked(n, word) for (n, _), word in zip(shares, words, strict=True)]
        line = f"{html.escape(picture)}; {', '.join(marked) or 'nothing is painted on it'}."
        self.text.value = f'<div style="line-height: 1.35">{line}</div>'

    # The page --------------------------------------------------------------------------------------------

    def _take_tools(self) -> None:
        self.page.region, self.page.brush = self.region.value, self.brush.value

    def _tell(self, painted: Painted) -> None:
        """Has the page show what is painted, and know which of its strokes that was heard of."""
        height, width = painted.regions.shape
        runs = packed(painted.regions)
        self.page.painted = {"height": height, "width": width, "runs": runs, "stroke": self._stroke}

    def _hear(self, told, buffers) -> None:
        """Does what the page asks for: a stroke that has ended, or Ctrl+Z."""
        match told, buffers:
            case {"kind": "undo"}, []:
                self.undo()
            case {"kind": "painted", "stroke": int(stroke)}, [runs]:
                with self._lock:
                    self._stroke = stroke
                    try:
                        self._change(unpacked(runs, self.regions.shape, self.count))
                    except StylelabError:
                        self._tell(self.value)  # takes off what was painted there
                        raise
            case _:
                raise StylelabError("the page told of something that is no paint; run the lab's cell again")


def packed(regions: np.ndarray) -> bytes:
    """Regions, (H, W), as runs of equal ones, row by row: 32 bits each, the region in the lowest three."""
    flat = regions.ravel().astype("<u4")
    starts = np.flatnonzero(np.diff(flat, prepend=_REGION + 1))
    lengths = np.diff(starts, append=flat.size)
    return (lengths * (_REGION + 1) + flat[starts]).astype("<u4").tobytes()


def unpacked(runs: bytes | memoryview, shape: tuple[int, int], count: int) -> np.ndarray:
    """What was `packed`, (H, W), uint8.

    shape: (H, W). count: of regions. Raises StylelabError where the runs do not fill the one, or have more
    than the other.
    """
    data = bytes(runs)
    words = np.frombuffer(data[: len(data) // 4 * 4], "<u4")
    lengths, regions = words // (_REGION + 1), words & _REGION
    size = int(lengths.sum(dtype=np.uint64))
    if len(data) % 4 or size != shape[0] * shape[1] or regions.max(initial=0) > count:
        raise StylelabError(
            f"the page painted {size} pixels with regions up to {regions.max(initial=0)}, where there are "
            f"{shape[1]} × {shape[0]} pixels and {count} regions: it was not taken; paint it again"
        )
    return np.repeat(regions.astype(np.uint8), lengths).reshape(shape)


def _per_cent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.005 else "under 1 %"


def _marked(region: int, words: str) -> str:
    """What is said of a region behind its colour, as HTML that stays on one line."""
    swatch = f'<span class="stylelab-swatch" style="background: {COLOURS[region - 1]}"></span>'
    return f'<span style="white-space: nowrap">{swatch}{words}</span>'
