"""The lab of notebook 02: what a layer sees of a photograph, and what it no longer knows."""

from dataclasses import dataclass

import ipywidgets as widgets
import torch
from torch import Tensor

from stylelab.labs.kit.base import Lab, Picture, controls, fold, row
from stylelab.labs.kit.choosing import Chooser, Chosen
from stylelab.labs.kit.drawing import enlarge, heat_map, plain
from stylelab.labs.kit.worker import Run
from stylelab.losses.distances import content_loss
from stylelab.networks.extractor import shared_extractor
from stylelab.networks.layers import RELUS
from stylelab.optimisation.recipes import Recipe
from stylelab.optimisation.running import optimise
from stylelab.seeds import noise


@dataclass(frozen=True)
class Settings:
    """The controls when something was asked for. shift: pixels to the right. steps: of a reconstruction."""

    photograph: Chosen
    layer: str
    channel: int
    shift: int
    brighten: float
    steps: int


def content(size: int = 128) -> "ContentLab":
    """The lab of content; see ContentLab. size: longest side in pixels of its pictures."""
    return ContentLab(size)


class ContentLab(Lab):
    """One channel of a layer as a picture; the photograph shifted, brightened, or made from its features.

    `feature_map` is the one shown, (h, w); `result` the reconstruction, (1, 3, H, W), once there is one.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.feature_map: Tensor | None = None
        self._known: tuple[Chosen, Tensor, dict[str, Tensor]] | None = None
        self.photograph = Chooser(self, "photograph", "cat")
        self.layer = widgets.SelectionSlider(options=RELUS, value="relu4_2", description="layer")
        self.channel = widgets.IntSlider(value=0, min=0, max=511, description="channel")
        self.shift = widgets.IntSlider(value=0, min=-16, max=16, description="shift (pixels)")
        self.brighten = widgets.FloatSlider(value=0, min=-0.4, max=0.4, step=0.02, description="brighten by")
        self.steps = widgets.IntSlider(value=60, min=10, max=300, step=10, description="steps")
        self.seen, self.map, self.rebuilt = (Picture(360, 190, "27vh") for _ in range(3))
        for control in (self.photograph, self.layer, self.channel, self.shift, self.brighten):
            self.on(control, lambda: self.later(self._draw))
        self.build(
            (
                self.photograph,
                controls(self.layer, self.channel, self.shift, self.brighten),
                self.run_controls(self._reconstruct),
            ),
            (row(self.seen, self.map, self.rebuilt),),
            fold(
                "More: steps of the reconstruction, your own photograph",
                controls(self.steps),
                self.photograph.own,
            ),
        )
        blank = torch.full_like(self.photograph.value.image(size), 0.93)
        self.rebuilt.show(blank, "Reconstruction: press Start to make one from the layer.")
        self.later(self._draw)

    def settings(self) -> Settings:
        """The controls as they stand."""
        return Settings(
            self.photograph.value,
            self.layer.value,
            self.channel.value,
            self.shift.value,
            self.brighten.value,
            self.steps.value,
        )

    def _maps(self, photograph: Chosen, layer: str) -> tuple[Tensor, dict[str, Tensor]]:
        """The photograph and its ReLU maps, kept while it is shown.

        For a new one only as deep as it is looked at, so that it is there at once; all if that changes.
        """
        same = self._known is not None and self._known[0] == photograph
        if self._known is None or not same or layer not in self._known[2]:
            image = photograph.image(self.size)
            wanted = RELUS if same else RELUS[: RELUS.index(layer) + 1]
            with torch.no_grad():
                self._known = (photograph, image, shared_extractor()(image, wanted))
        return self._known[1:]

    def _draw(self, asked: Settings) -> None:
        layer, name = asked.layer, asked.photograph.name
        image, maps = self._maps(asked.photograph, layer)
        features = maps[layer]
        self.channel.max = features.shape[1] - 1
        channel = min(asked.channel, features.shape[1] - 1)
        self.feature_map = features[0, channel].cpu()
        self.map.show(
            heat_map(self.feature_map, 320),
            f"{name} at {layer}, channel {channel} of {features.shape[1]}: {features.shape[3]} × "
            f"{features.shape[2]} values, from 0 (dark) to {plain(self.feature_map.max().item())}.",
        )
        shift, more = asked.shift, asked.brighten
        if not shift and not more:
            self.seen.show(image, f"{name} as it is, {image.shape[-1]} × {image.shape[-2]} pixels.")
            return
        changed = (_shifted(image, shift) + more).clamp(0, 1)
        with torch.no_grad():
            moved = shared_extractor()(changed, [layer])[layer]
        pixels = content_loss(changed, image, "relative").item()
        distance = content_loss(moved, features, "relative").item()
        self.seen.show(
            changed,
            f"{name}, shifted by {shift} pixels, brightened by {more:+.2f}. Distance in pixels {pixels:.3f}, "
            f"in features of {layer} {distance:.3f} (0 is equal).",
        )

    def _reconstruct(self, asked: Settings) -> Run:
        layer, name = asked.layer, asked.photograph.name
        image = asked.photograph.image(self.size)
        recipe = Recipe(
            content_layers={layer: 1.0}, style_layers={}, tv_weight=0, init="noise", detail=0.0
        ).replace(scales=(1.0,), steps=(asked.steps,), style_factors=(1.0,), size=self.size)
        self.rebuilt.show(noise(image.shape), f"{name} from {layer}: noise, before the first step.")

        def show(step, final: bool) -> None:
            self.result = step.image.cpu()
            self.rebuilt.show(
                enlarge(self.result, self.size),
                f"{name} from {layer} alone: step {step.index} of {step.steps}, content loss "
                f"{step.losses['content']:.4f}.",
                final,
            )

        yield from self.follow(optimise(image, image, recipe), recipe, show)


def _shifted(image: Tensor, pixels: int) -> Tensor:
    """The image moved to the right, or to the left; what comes in repeats the edge."""
    columns = (torch.arange(image.shape[-1]) - pixels).clamp(0, image.shape[-1] - 1)
    return image[..., columns]
