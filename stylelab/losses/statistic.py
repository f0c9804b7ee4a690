"""What of a layer's maps a style is compared by: a statistic, of which the Gram matrix is the first."""

from collections.abc import Sequence

from torch import Tensor

from stylelab.losses.distances import squared_distance
from stylelab.pictures.masks import at_size


class Statistic:
    """A summary of feature maps that forgets where things are. A new one defines `measure`, in its own file.

    `mix` and `distance` are right for any measure that is one tensor; what measures otherwise brings its own.
    A statistic holds settings only: make it a frozen dataclass, so that a recipe can hold it.
    """

    def measure(self, maps: Tensor, mask: Tensor | None = None) -> Tensor:
        """The summary (N, …) of maps (N, C, H, W).

        mask: (1, 1, H, W) in [0, 1], how much each position counts; all alike unless given.
        """
        raise NotImplementedError

    def mix(self, measures: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
        """One target for several paintings; weights: from 0 upwards, of sum 1."""
        mixed = weights[0] * measures[0]
        for weight, measure in zip(weights[1:], measures[1:], strict=True):
            mixed = mixed + weight * measure
        return mixed

    def distance(
        self, maps: Tensor, measure: Tensor, reduction: str = "relative", mask: Tensor | None = None
    ) -> Tensor:
        """How far maps (N, C, H, W) are from a target that `mix` or `measure` made: a scalar, 0 where equal.

        reduction: "mean", "sum" or "relative", see stylelab.losses.distances.
        """
        return squared_distance(self.measure(maps, mask), measure, reduction)


def at_layer(mask: Tensor | None, maps: Tensor) -> Tensor | None:
    """A mask (1, 1, H, W) at the size of maps (N, C, h, w): each takes the mean of what it covers."""
    return None if mask is None else at_size(mask.to(maps.device), (maps.shape[-2], maps.shape[-1]))
