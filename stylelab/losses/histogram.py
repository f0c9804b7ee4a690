"""The distribution of each map's values, whatever its shape: sorted, and matched rank by rank."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from stylelab.losses.distances import squared_distance
from stylelab.losses.statistic import Statistic, in_full


@dataclass(frozen=True)
class Histogram(Statistic):
    """mean over channels and ranks r of (F_(r) − S_(r))², with F_(r) the r-th smallest value of a map.

    Of each channel it is the squared Wasserstein distance of two distributions: 0 only where their
    histograms are the same. Where picture and painting have different numbers of positions, or positions
    count by a mask, a value is compared with the painting's at the same share of what is below it.
    Several paintings: the mean of their sorted values, which is the exact barycentre of each channel.
    Source: Zhang et al. (2022), "Exact feature distribution matching for arbitrary style transfer and domain
    generalization", eq. 5 and 10.
    """

    def measure(self, maps: Tensor, mask: Tensor | None = None) -> Tensor:
        """(N, C, K): each map's values in ascending order, in float32 also for bfloat16 maps.

        K: the number of positions; with a mask of those that count, each value then as often as its weight
        asks for.
        """
        return ordered(in_full(maps).flatten(2), mask)

    def mix(self, measures: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
        """See Statistic: (N, C, K), K that of the painting that has most."""
        most = max(measure.shape[-1] for measure in measures)
        return super().mix([at_ranks(measure, most) for measure in measures], weights)

    def distance(
        self, maps: Tensor, measure: Tensor, reduction: str = "relative", mask: Tensor | None = None
    ) -> Tensor:
        """See Statistic. The gradient draws each value towards the one at its rank, and ties in any order."""
        return rank_distance(in_full(maps).flatten(2), measure, reduction, mask)


def ordered(values: Tensor, mask: Tensor | None = None) -> Tensor:
    """Values (N, C, P) in ascending order, (N, C, K): K equal shares of the mask, as in Histogram.measure."""
    if mask is None:
        return values.sort(-1).values
    weights = mask.flatten().to(values)
    inside = weights > 0
    found, order = values[..., inside].sort(-1)
    below = weights[inside][order].cumsum(-1)
    number = found.shape[-1]
    shares = (torch.arange(number, device=values.device) + 0.5) * (below[..., -1:] / number)
    return found.gather(-1, torch.searchsorted(below, shares).clamp_max(number - 1))


def at_ranks(measure: Tensor, number: int) -> Tensor:
    """Sorted values (N, C, K) as so many, each the one at the same share of the ranks."""
    return F.interpolate(measure, number, mode="nearest-exact")


def rank_distance(values: Tensor, measure: Tensor, reduction: str, mask: Tensor | None = None) -> Tensor:
    """How far values (N, C, P) are from those at their ranks in a measure (N, C, K): a scalar."""
    if mask is None:
        with torch.no_grad():
            ranked = at_ranks(measure, values.shape[-1]).to(values).expand_as(values)
            wanted = torch.empty_like(values).scatter_(-1, values.argsort(-1), ranked)
        return squared_distance(values, wanted, reduction)
    weights = mask.flatten().to(values)
    inside = weights > 0
    values, weights = values[..., inside], weights[inside]
    with torch.no_grad():
        order = values.argsort(-1)
        own = weights[order]
        # The middle of the stretch of ranks that is a value's own.
        place = (own.cumsum(-1) - own / 2) * (measure.shape[-1] / weights.sum())
        place = place.long().clamp_max(measure.shape[-1] - 1)
        ranked = measure.to(values).expand(len(values), -1, -1).gather(-1, place)
        wanted = torch.empty_like(values).scatter_(-1, order, ranked)
        root = (weights / weights.mean()).sqrt()
    return squared_distance(values * root, wanted * root, reduction)
