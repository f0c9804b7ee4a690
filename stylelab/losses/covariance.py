"""The covariance of a layer's maps: the Gram matrix without the means."""

from dataclasses import dataclass

from torch import Tensor

from stylelab.losses.gram import gram_matrix
from stylelab.losses.statistic import Statistic, centre


@dataclass(frozen=True)
class Covariance(Statistic):
    """C = (F − m)(F − m)ᵀ / (H·W): which channels rise above their means together.

    F: maps as (C, H·W); m: the mean of each. The Gram matrix divided by H·W is C + m mᵀ; as most maps come
    from a ReLU, much of it is the means, of which this statistic knows nothing.
    Source: the second moment that Li et al. (2017), "Universal style transfer via feature transforms",
    section 3, exchange.
    """

    def measure(self, maps: Tensor, mask: Tensor | None = None) -> Tensor:
        """(N, C, C), symmetric and positive semi-definite, in float32 also for bfloat16 maps."""
        centred, _ = centre(maps, mask)
        # Centred first, so that no more is rounded off than the Gram matrix loses.
        return gram_matrix(centred.to(maps.dtype), "hw", None if mask is None else mask.to(centred))
