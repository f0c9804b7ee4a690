"""The lab of fast networks: a slider for each style; the picture follows the finger."""

from dataclasses import dataclass
from pathlib import Path

import ipywidgets as widgets
import torch
from torch import Tensor

from stylelab.feedforward.network import FastNetwork
from stylelab.labs.kit.base import Lab, Picture, code_line, controls, fold, row
from stylelab.labs.kit.choosing import Chooser, Chosen
from stylelab.labs.kit.drawing import plain
from stylelab.labs.kit.saving import Saver
from stylelab.labs.kit.touchable import Touch
from stylelab.pictures.loading import load_image
from stylelab.pictures.resampling import resize
from stylelab.pictures.samples import sample_names

LARGEST = 1024  # pixels
FACE = 72  # pixels of a style's face in a corner of the pad
PAD = 3 * FACE


@dataclass(frozen=True)
class Settings:
    """The controls when something was asked for. weights: of each style, 0 to 1, as the sliders stand."""

    photograph: Chosen
    weights: dict[str, float]
    strength: float
    size: int

    @property
    def mixture(self) -> dict[str, float]:
        """The styles that take part, the heaviest first, with their weights; only the proportions count."""
        taking_part = {name: weight for name, weight in self.weights.items() if weight}
        return dict(sorted(taking_part.items(), key=lambda entry: -entry[1]))


def fast(
    network: FastNetwork | str | Path | None = None, size: int = 256, content: str = "pagoda"
) -> "FastLab":
    """The lab of fast networks; see FastLab.

    network: what `fit_fast_network` made, a file that it was saved to, or nothing for the course's. size:
    longest side in pixels at first. content: a sample. Raises WeightsError for a file that is no network.
    """
    return FastLab(network, size, content)


class FastLab(Lab):
    """A photograph painted again at every touch; `result` is the picture, (1, 3, H, W) in [0, 1].

    On the pad, a place is a mixture of the four styles in its corners: the nearer a corner, the more of it.
    """

    def __init__(self, network: FastNetwork | str | Path | None, size: int, content: str) -> None:
        super().__init__()
        self._code = "network"
        if not isinstance(network, FastNetwork):
            self._code = f"stylelab.FastNetwork.load({'' if network is None else repr(str(network))})"
            network = FastNetwork.load(network)
        self.network, styles = network, network.styles
        first = "starry_night" if "starry_night" in styles else styles[0]
        self._setting = False
        self._loaded: tuple[tuple[Chosen, int], Tensor] | None = None
        self._faces = {name: _face(network, name) for name in styles}

        self.photograph = Chooser(self, "photograph", content, sample_names("content"), thumbnails=True)
        self.strength = widgets.FloatSlider(value=1, min=0, max=1.5, step=0.05, description="strength")
        self.size = widgets.IntSlider(value=size, min=64, max=LARGEST, step=32, description="size (pixels)")
        self.weights = {
            name: widgets.FloatSlider(
                value=float(name == first),
                min=0,
                max=1,
                step=0.01,
                readout_format=".2f",
                description=name.replace("_", " "),
            )
            for name in styles
        }
        self.corners = [
            widgets.Dropdown(options=list(styles), value=styles[k * len(styles) // 4], description=place)
            for k, place in enumerate(("upper left", "upper right", "lower left", "lower right"))
        ]
        self.save = Saver(self, "fast.png")
        self.line = widgets.HTML(layout={"margin": "0 4px"})
        self.picture, self.pad = Picture(560, 360), Picture(220, 170, "34vh")
        for control in (self.photograph, self.strength, self.size, *self.weights.values()):
            self.on(control, self._ask)
        for corner in self.corners:
            self.on(corner, lambda: self._show_pad(None))
        self.on_touch(self.pad, self._stand)
        self.build(
            (
                self.photograph,
                controls(self.strength, self.size),
                controls(*self.weights.values()),
                self.save,
            ),
            (row(self.picture, self.pad),),
            fold(
                "More: the pad's corners, a photograph of your own, the file's name",
                controls(*self.corners, self.save.file),
                self.photograph.own,
            ),
            self.line,
        )
        self._show_pad(None)
        self._ask()

    def settings(self) -> Settings:
        """The controls as they stand."""
        weights = {name: slider.value for name, slider in self.weights.items()}
        return Settings(self.photograph.value, weights, self.strength.value, self.size.value)

    def _ask(self) -> None:
        if self._setting:
            return
        self.save.said.value = ""
        self.line.value = code_line(self._told(self.settings()))
        self.later(self._draw)

    def _told(self, asked: Settings) -> str:
        mixture = asked.mixture
        image = f"stylelab.load_image({asked.photograph.name!r}, {asked.size})"
        if not mixture:
            return image
        style = repr(next(iter(mixture)) if len(mixture) == 1 else mixture)
        strength = f", strength={asked.strength!r}" if asked.strength != 1 else ""
        return f"{self._code}.stylise({image}, {style}{strength})"

    def _draw(self, asked: Settings) -> None:
        key = (asked.photograph, asked.size)
        if self._loaded is None or self._loaded[0] != key:
            self._loaded = key, asked.photograph.image(asked.size)
        image, mixture = self._loaded[1], asked.mixture
        name = asked.photograph.name
        if mixture:
            self.result = self.network.stylise(image, mixture, asked.strength).cpu()
            total = sum(mixture.values())
            shares = ", ".join(f"{style.replace('_', ' ')} {w / total:.0%}" for style, w in mixture.items())
            says = f"{name}, {image.shape[-1]} × {image.shape[-2]} pixels: {shares}"
            if asked.strength != 1:
                says += f"; strength {plain(asked.strength)}"
        else:
            self.result, says = image, f"{name} as it is: every style stands at 0"
        self.picture.show(self.result, f"{says}.")

    # The pad ---------------------------------------------------------------------------------------------

    def _stand(self, touch: Touch) -> None:
        """Takes the mixture of a place on the pad: bilinear in its four corners."""
        x, y = touch.x, touch.y
        shares = ((1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y)
        weights = dict.fromkeys(self.weights, 0.0)
        for corner, share in zip(self.corners, shares, strict=True):
            weights[corner.value] += share
        self._setting = True  # one picture, however many sliders
        try:
            for name, slider in self.weights.items():
                slider.value = round(weights[name], 2)
        finally:
            self._setting = False
        self._show_pad((x, y))
        self._ask()

    def _show_pad(self, place: tuple[float, float] | None) -> None:
        pad = torch.full((1, 3, PAD, PAD), 0.93)
        for k, corner in enumerate(self.corners):
            top, left = (PAD - FACE) * (k // 2), (PAD - FACE) * (k % 2)
            pad[..., top : top + FACE, left : left + FACE] = self._faces[corner.value]
        if place is not None:
            for half, value in ((4, 1.0), (3, 0.0)):  # a dark square with a light edge, seen on any face
                column, line = (round(share * (PAD - 9)) + 4 for share in place)
                pad[..., line - half : line + half + 1, column - half : column + half + 1] = value
        names = ", ".join(corner.value.replace("_", " ") for corner in self.corners)
        self.pad.show(pad, f"Click or drag: a place mixes its corners ({names}).")


def _face(network: FastNetwork, style: str) -> Tensor:
    """What the network was shown of a style, (3, FACE, FACE); grey where nothing is known."""
    data = network.thumbnails.get(style)
    if data is None:
        return torch.full((3, FACE, FACE), 0.6)
    image = load_image(data)
    side = min(image.shape[-2:])
    return resize(image[..., :side, :side], (FACE, FACE))[0].clamp(0, 1)
