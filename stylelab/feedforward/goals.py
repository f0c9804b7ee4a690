"""What a fast network is asked for: the terms of a transfer, each picture of a batch in its own style."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from torch import Tensor

from stylelab.feedforward.settings import FastSettings
from stylelab.losses.objective import Objective
from stylelab.losses.scene import Scene
from stylelab.losses.terms import Content, Loss, Style, Term, TotalVariation
from stylelab.networks.features import Features
from stylelab.networks.layers import RELU_1_TO_5
from stylelab.pictures.resampling import resize


@dataclass(frozen=True)
class OwnStyles(Style):
    """The style loss of a batch of which every picture has a painting of its own, measured before.

    targets: their measures at each layer, one a picture. shares: the factor of each picture's distance.
    """

    targets: Mapping[str, Sequence[Tensor]] = field(default_factory=dict)
    shares: Sequence[float] = ()

    def prepare(self, scene: Scene, network: Features) -> Loss:
        """See Term; the scene's own styles are not looked at."""

        def loss(image: Tensor, maps: Mapping[str, Tensor]) -> Tensor:
            total = image.new_zeros(())
            for name, found in maps.items():
                for picture, target, share in zip(
                    found.split(1), self.targets[name], self.shares, strict=True
                ):
                    distance = self.statistic.distance(picture, target, self.reduction)
                    total = total + self.layers[name] * share / len(found) * distance
            return total

        return loss


class Goals:
    """The objectives of a training's steps, for paintings that are measured once.

    paintings: (1, 3, H, W) by name. network: whose maps are compared.
    """

    def __init__(self, paintings: Mapping[str, Tensor], settings: FastSettings, network: Features) -> None:
        self.settings, self.network = settings, network
        self.weights = [settings.weight_of(name) for name in paintings]
        self.weight = sum(self.weights) / len(self.weights)
        layers = dict.fromkeys(RELU_1_TO_5, 1 / len(RELU_1_TO_5))
        self.style = Style(layers, self.weight)
        self.measures = [
            self.style.measures(_at_most(painting, settings.style_size), network)
            for painting in paintings.values()
        ]

    def objective(self, photographs: Tensor, chosen: Sequence[int]) -> Objective:
        """Of one step: photographs (N, 3, H, W), and the number of the style of each."""
        targets = {name: [self.measures[n][name] for n in chosen] for name in self.style.layers}
        shares = [self.weights[n] / self.weight if self.weight else 0.0 for n in chosen]
        terms: list[Term] = [
            Content({"relu4_2": 1.0}, self.settings.content_weight),
            OwnStyles(self.style.layers, self.weight, targets=targets, shares=shares),
            TotalVariation(self.settings.tv_weight),
        ]
        return Objective(terms, Scene(photographs), self.network)


def _at_most(painting: Tensor, size: int) -> Tensor:
    longest = max(painting.shape[-2:])
    return painting if longest <= size else resize(painting, size).clamp(0, 1)
