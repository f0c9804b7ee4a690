"""The terms of an objective: what each compares, with which weight."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

import torch
from torch import Tensor

from stylelab.losses.distances import content_loss
from stylelab.losses.gram import Gram
from stylelab.losses.scene import Scene
from stylelab.losses.smoothness import tv_loss
from stylelab.losses.statistic import Statistic, at_layer
from stylelab.networks.features import Features

Loss = Callable[[Tensor, Mapping[str, Tensor]], Tensor]


class Term(Protocol):
    """A named, weighted part of an objective: a frozen dataclass with these three fields, and `prepare`."""

    @property
    def name(self) -> str:
        """Under which the loss is reported."""

    @property
    def weight(self) -> float:
        """Of the loss in the total."""

    @property
    def layers(self) -> Collection[str]:
        """The names of those it looks at; perhaps none."""

    def prepare(self, scene: Scene, network: Features) -> Loss:
        """Makes the targets, once, and returns the loss: a function of (image, maps) to a scalar, unweighted.

        scene: at the size of the images to come. network: `network(image, layers)` gives maps by layer.
        The loss is called with the maps {name: (N, C, h, w)} of one layer at a time, and what it returns is
        added up; that of a term without layers is called once, with no maps.
        """


@dataclass(frozen=True)
class Content:
    """The distance of feature maps from the photograph's. layers: the factor of each, by name."""

    layers: Mapping[str, float]
    weight: float = 1.0
    reduction: str = "relative"
    name: str = "content"

    def prepare(self, scene: Scene, network: Features) -> Loss:
        """See Term."""
        with torch.no_grad():
            targets = {name: maps.float() for name, maps in network.walk(scene.content, self.layers)}

        def loss(image: Tensor, maps: Mapping[str, Tensor]) -> Tensor:
            total = image.new_zeros(())
            for name, found in maps.items():
                total = total + self.layers[name] * content_loss(found, targets[name], self.reduction)
            return total

        return loss


@dataclass(frozen=True)
class Style:
    """The distance of a statistic of feature maps from the paintings'. layers: the factor of each, by name.

    Several paintings are mixed in proportion to their weights; where the scene has masks, each painting is
    compared under its own instead, and their distances have the scene's shares.
    """

    layers: Mapping[str, float]
    weight: float = 1.0
    reduction: str = "relative"
    statistic: Statistic = field(default_factory=Gram)
    name: str = "style"

    @torch.no_grad()
    def measures(self, painting: Tensor, network: Features, mask: Tensor | None = None) -> dict[str, Tensor]:
        """The painting's statistic at each layer, by name. mask: what of it counts, (1, 1, H, W)."""
        return {
            name: self.statistic.measure(maps, at_layer(mask, maps))
            for name, maps in network.walk(painting, self.layers)
        }

    def prepare(self, scene: Scene, network: Features) -> Loss:
        """See Term."""
        masks = scene.masks or [(None, None)] * len(scene.styles)
        regions, shares = [where for where, _ in masks], scene.shares
        measures: dict[str, list[Tensor]] = {name: [] for name in self.layers}
        for (painting, _), (_, mask) in zip(scene.styles, masks, strict=True):
            for name, measure in self.measures(painting, network, mask).items():
                measures[name].append(measure)
        if not scene.masks:
            measures = {name: [self.statistic.mix(found, shares)] for name, found in measures.items()}
            regions, shares = [None], [1.0]
        under: dict[str, list[Tensor | None]] = {}

        def loss(image: Tensor, maps: Mapping[str, Tensor]) -> Tensor:
            total = image.new_zeros(())
            for name, found in maps.items():
                if name not in under:
                    under[name] = [at_layer(region, found) for region in regions]
                for share, target, mask in zip(shares, measures[name], under[name], strict=True):
                    distance = self.statistic.distance(found, target, self.reduction, mask)
                    total = total + self.layers[name] * share * distance
            return total

        return loss


@dataclass(frozen=True)
class TotalVariation:
    """How restless the image is. scale: what its red, green and blue are multiplied by first."""

    weight: float = 1.0
    power: int = 1
    reduction: str = "mean"
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    name: str = "tv"
    layers: ClassVar[tuple[str, ...]] = ()

    def prepare(self, scene: Scene, network: Features) -> Loss:
        """See Term."""
        scale = scene.content.new_tensor(self.scale).view(1, 3, 1, 1)

        def loss(image: Tensor, maps: Mapping[str, Tensor]) -> Tensor:
            if not self.weight:  # looks at every pixel, mostly for nothing
                return image.new_zeros(())
            return tv_loss(image * scale, self.power, self.reduction)

        return loss


@dataclass(frozen=True)
class InRange:
    """The mean square of what is outside [0, 1]: a penalty, for optimisers that do not know the range."""

    weight: float = 1000.0
    name: str = "range"
    layers: ClassVar[tuple[str, ...]] = ()

    def prepare(self, scene: Scene, network: Features) -> Loss:
        """See Term."""
        return lambda image, maps: (image - image.clamp(0, 1)).square().mean()
