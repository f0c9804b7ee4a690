"""What of a layer's maps a style is compared by: a statistic, of which the Gram matrix is the first."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from stylelab.losses.distances import squared_distance
from stylelab.pictures.masks import at_size


class Statistic:
    """A summary of feature maps that forgets where things are. A new one defines `measure`, in its own file.

    `mix` and `distance` are right for any measure that is one tensor; what measures otherwise brings its own.
    A statistic holds settings only: make it a frozen dataclass, so that a recipe can hold it.
    """

    def measure(self, maps: Tensor, mask: Tensor | None = None) -> Any:
        """The summary (N, …) of maps (N, C, H, W).

        mask: (1, 1, H, W) in [0, 1], how much each position counts; all alike unless given.
        """
        raise NotImplementedError

    def mix(self, measures: Sequence[Any], weights: Sequence[float]) -> Any:
        """One target for several paintings; weights: from 0 upwards, of sum 1."""
        mixed = weights[0] * measures[0]
        for weight, measure in zip(weights[1:], measures[1:], strict=True):
            mixed = mixed + weight * measure
        return mixed

    def distance(
        self, maps: Tensor, measure: Any, reduction: str = "relative", mask: Tensor | None = None
    ) -> Tensor:
        """How far maps (N, C, H, W) are from a target that `mix` or `measure` made: a scalar, 0 where equal.

        reduction: "mean", "sum" or "relative", see stylelab.losses.distances.
        """
        return squared_distance(self.measure(maps, mask), measure, reduction)


def at_layer(mask: Tensor | None, maps: Tensor) -> Tensor | None:
    """A mask (1, 1, H, W) at the size of maps (N, C, h, w): each takes the mean of what it covers."""
    return None if mask is None else at_size(mask.to(maps.device), (maps.shape[-2], maps.shape[-1]))


def in_full(maps: Tensor) -> Tensor:
    """Maps of half precision in float32, others as they are: where eight bits are too few."""
    return maps.float() if maps.dtype in (torch.bfloat16, torch.float16) else maps


def centre(maps: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Maps (N, C, H, W) less the mean of each, and these means (N, C), in full precision.

    mask: as in Statistic.measure.
    """
    maps = in_full(maps)
    if mask is None:
        mean = maps.mean((2, 3), keepdim=True)
    else:
        mask = mask.to(maps)
        mean = (maps * mask).sum((2, 3), keepdim=True) / mask.sum()
    return maps - mean, mean.flatten(1)
