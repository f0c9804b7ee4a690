"""The lab of any style: a photograph takes over a painting's statistics, at the layers that are ticked."""

import time
from dataclasses import dataclass
from typing import Any, NamedTuple

import ipywidgets as widgets
from torch import Tensor

from stylelab.arbitrary.decoders import LEVELS, Decoders
from stylelab.arbitrary.stylists import WCT, AdaIN
from stylelab.colour.matching import keep_colours
from stylelab.errors import StylelabError
from stylelab.labs.kit.base import Lab, Picture, code_line, controls, fold, row
from stylelab.labs.kit.choosing import Chooser, Chosen, with_uploads
from stylelab.labs.kit.drawing import plain
from stylelab.labs.kit.saving import Saver
from stylelab.pictures.samples import sample_names

LARGEST = 1024  # pixels
METHODS = {"AdaIN": AdaIN, "WCT": WCT}


@dataclass(frozen=True)
class Settings:
    """The controls when something was asked for. method: of METHODS. levels: of LEVELS, at least one."""

    photograph: Chosen
    painting: Chosen
    size: int
    strength: float
    method: str
    levels: tuple[str, ...]
    keep_colours: bool


class Encoded(NamedTuple):
    """A picture (1, 3, H, W), its maps at all levels, and what was chosen, at what size."""

    image: Tensor
    maps: dict[str, Tensor]
    chosen: tuple[Chosen, int]


def any_style(
    decoders: Decoders | None = None, size: int = 256, content: str = "pagoda", style: str = "starry_night"
) -> "AnyStyleLab":
    """The lab of any style; see AnyStyleLab.

    decoders: what `fit_decoders` made, or nothing for the course's. size: longest side in pixels at first.
    content, style: samples. Raises WeightsError where the course's decoders are missing.
    """
    return AnyStyleLab(decoders, size, content, style)


class AnyStyleLab(Lab):
    """A photograph painted again at every touch; `result` is the picture, (1, 3, H, W) in [0, 1].

    Photograph and painting are encoded once, at all levels: what strength, method and levels change is only
    the way back from there.
    """

    def __init__(self, decoders: Decoders | None, size: int, content: str, style: str) -> None:
        super().__init__()
        self._given = "" if decoders is None else "decoders=decoders"
        self._encoder = AdaIN(LEVELS, decoders=decoders)
        self._options: dict[str, Any] = {
            "decoders": self._encoder.decoders,
            "extractor": self._encoder.extractor,
        }
        self._own = {name: method(**self._options).levels for name, method in METHODS.items()}
        self._encoded: dict[Picture, Encoded] = {}
        self._setting = False

        self.photograph = Chooser(self, "photograph", content, sample_names("content"), thumbnails=True)
        self.painting = Chooser(self, "painting", style, sample_names("style"), thumbnails=True)
        self.strength = widgets.FloatSlider(value=1, min=0, max=1, step=0.01, description="strength")
        self.size = widgets.IntSlider(value=size, min=64, max=LARGEST, step=32, description="size (pixels)")
        self.method = widgets.Dropdown(options=list(METHODS), description="method")
        self._method = self.method.value
        self.levels = {
            name: widgets.Checkbox(name in self._own[self._method], description=name, indent=False)
            for name in LEVELS
        }
        for box in self.levels.values():
            box.layout.width = "84px"
        self.keep_colours = widgets.Checkbox(False, description="keep the photograph's colours", indent=False)
        self.save = Saver(self, "any_style.png")
        self.line = widgets.HTML(layout={"margin": "0 4px"})
        self.picture = Picture(560, 360)
        self.before, self.style_picture = (Picture(220, 220, "20vh") for _ in range(2))
        # Beside the result, which grows first, one above the other; below it, on a narrow page, side by side.
        given = row(self.before, self.style_picture)
        self.picture.layout.flex, given.layout.flex = "9 1 360px", "1 1 228px"
        self.on(self.method, self._take_method)
        for control in (self.photograph, self.painting, self.strength, self.size, self.keep_colours):
            self.on(control, self._ask)
        for box in self.levels.values():
            self.on(box, self._ask)
        self.build(
            (
                self.photograph,
                self.painting,
                controls(self.strength, self.size, self.method),
                widgets.HTML("statistics are exchanged at the layers", layout={"margin": "0 4px"}),
                row(*self.levels.values()),
                controls(self.keep_colours),
                self.save,
            ),
            (row(self.picture, given),),
            fold(
                "More: pictures of your own, the file's name",
                controls(self.save.file),
                self.photograph.own,
                self.painting.own,
            ),
            self.line,
        )
        self._ask()

    def settings(self) -> Settings:
        """The controls as they stand."""
        return Settings(
            self.photograph.value,
            self.painting.value,
            self.size.value,
            round(self.strength.value, 2),
            self.method.value,
            self._ticked(),
            self.keep_colours.value,
        )

    def _ticked(self) -> tuple[str, ...]:
        return tuple(name for name, box in self.levels.items() if box.value)

    def _take_method(self) -> None:
        """Ticks what a method has by default, unless other boxes than the last one's own were chosen."""
        before, self._method = self._method, self.method.value
        if self._ticked() == self._own[before]:
            self._setting = True  # one picture, however many boxes
            try:
                for name, box in self.levels.items():
                    box.value = name in self._own[self._method]
            finally:
                self._setting = False
        self._ask()

    def _ask(self) -> None:
        if self._setting:
            return
        self.save.said.value = ""
        asked = self.settings()
        if not asked.levels:
            raise StylelabError("no layer is ticked; tick one at least, or there is nothing to exchange")
        self.line.value = code_line(self._told(asked))
        self.later(self._draw)

    def _told(self, asked: Settings) -> str:
        words = [self._given] if self._given else []
        if asked.levels != self._own[asked.method]:
            levels = asked.levels[0] if len(asked.levels) == 1 else list(asked.levels)
            words.insert(0, f"levels={levels!r}")
        image = photograph = f"stylelab.load_image({asked.photograph.name!r}, {asked.size})"
        if asked.keep_colours:  # which looks at the photograph once more
            image = "photograph"
        strength = f", strength={asked.strength!r}" if asked.strength != 1 else ""
        line = (
            f"stylelab.{asked.method}({', '.join(words)}).stylise({image}, {asked.painting.name!r}{strength})"
        )
        if asked.keep_colours:
            line = f"photograph = {photograph}\nstylelab.keep_colours({line}, photograph)"
        return with_uploads(line, asked.photograph, asked.painting)

    def _encode(self, shown: Picture, picture: Chosen, size: int) -> Encoded:
        """What VGG-19 makes of a picture, and the picture beside the result; kept until another is chosen."""
        known = self._encoded.get(shown)
        if known is None or known.chosen != (picture, size):
            image = picture.image(size)
            known = self._encoded[shown] = Encoded(image, self._encoder.encode(image), (picture, size))
            what = "photograph" if shown is self.before else "painting"
            shown.show(image, f"The {what}: {picture.name}.")
        return known

    def _draw(self, asked: Settings) -> None:
        began = time.perf_counter()
        photograph = self._encode(self.before, asked.photograph, asked.size)
        height, width = photograph.image.shape[-2:]
        painting = self._encode(self.style_picture, asked.painting, max(height, width))  # as `stylise` does
        encoded = time.perf_counter()
        stylist = METHODS[asked.method](asked.levels, **self._options)
        shape = (height, width)
        made = stylist.painted(photograph.maps, [(painting.maps, 1.0)], shape, asked.strength).cpu()
        self.result = keep_colours(made, photograph.image) if asked.keep_colours else made
        ended = time.perf_counter()
        says = f"{asked.photograph.name} like {asked.painting.name}, {width} × {height} pixels"
        says += f": {asked.method} at {_together(asked.levels)}, strength {plain(asked.strength)}"
        if asked.keep_colours:
            says += ", colours kept"
        times = f"{encoded - began:.2f} s to encode, {ended - encoded:.2f} s to paint"
        self.picture.show(self.result, f"{says}; {times}.")


def _together(levels: tuple[str, ...]) -> str:
    """ "relu1_1 to relu3_1" where none is left out between, else each by name."""
    first = LEVELS.index(levels[0])
    if len(levels) > 2 and levels == LEVELS[first : first + len(levels)]:
        return f"{levels[0]} to {levels[-1]}"
    return " and ".join(", ".join(levels).rsplit(", ", 1))
