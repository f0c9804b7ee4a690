"""The distribution of all maps together, by looking at it from many directions."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from stylelab.errors import StylelabError
from stylelab.losses.histogram import Histogram, ordered, rank_distance
from stylelab.losses.statistic import Statistic, in_full
from stylelab.seeds import generator, whole_seed


@dataclass(frozen=True)
class Sliced(Statistic):
    """mean over directions v and ranks r of ((v·F)_(r) − (v·S)_(r))², values sorted along each direction.

    Each position of a map is a point of C numbers, v·F the points' places along a direction v of length 1.
    Two clouds of points that look the same from all directions are the same: what channels do together
    counts too, which Histogram does not see.
    projections: how many directions; by default as many as there are channels. They are drawn once, by the
    seed, where the publication draws new ones each step: an optimiser that remembers steps needs the same
    loss at each. They come as bases at right angles, so that none of C directions says what others say.
    Several paintings: the mean of their sorted values, the exact barycentre along each direction.
    Source: Heitz et al. (2021), "A sliced Wasserstein loss for neural texture synthesis", eq. 5 and 6.
    """

    projections: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        number = self.projections
        if number is not None and (isinstance(number, bool) or not isinstance(number, int) or number < 1):
            raise StylelabError(f"projections={number!r}: use a whole number from 1 upwards, or None")
        whole_seed(self.seed)

    def measure(self, maps: Tensor, mask: Tensor | None = None) -> Tensor:
        """(N, projections, K): as Histogram measures, of maps seen along the directions."""
        return ordered(self._along(maps), mask)

    def mix(self, measures: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
        """As Histogram mixes."""
        return Histogram().mix(measures, weights)

    def distance(
        self, maps: Tensor, measure: Tensor, reduction: str = "relative", mask: Tensor | None = None
    ) -> Tensor:
        """See Statistic."""
        return rank_distance(self._along(maps), measure, reduction, mask)

    def _along(self, maps: Tensor) -> Tensor:
        maps = in_full(maps)
        directions = _directions(maps.shape[1], self.projections or maps.shape[1], self.seed)
        return directions.to(maps) @ maps.flatten(2)


@lru_cache(maxsize=16)
def _directions(channels: int, number: int, seed: int) -> Tensor:
    """(number, channels): rows of random rotations, one after the other."""
    drawn = torch.randn(math.ceil(number / channels), channels, channels, generator=generator(seed))
    return torch.linalg.qr(drawn).Q.flatten(0, 1)[:number]
