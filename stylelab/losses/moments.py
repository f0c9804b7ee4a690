"""Mean and deviation of each map: all that adaptive instance normalisation sees of a style."""

from dataclasses import dataclass

import torch
from torch import Tensor

from stylelab.losses.statistic import Statistic, centre


@dataclass(frozen=True)
class Moments(Statistic):
    """mean over channels of (μ_F − μ_S)² and (σ_F − σ_S)²: each map by itself, whatever the others do.

    μ and σ: mean and standard deviation of a map over its positions. 2·C numbers stand for a layer, where
    the Gram matrix has C².
    Source: Li et al. (2017), "Demystifying neural style transfer", section 4.2, there as statistics of batch
    normalisation; Huang and Belongie (2017), eq. 13.
    """

    def measure(self, maps: Tensor, mask: Tensor | None = None) -> Tensor:
        """(N, 2, C): the means, then the deviations, in float32 also for bfloat16 maps."""
        centred, mean = centre(maps, mask)
        positions: float | Tensor = centred[0, 0].numel()
        if mask is not None:
            mask = mask.to(centred)
            centred, positions = centred * mask.sqrt(), mask.sum()
        # Of a norm the gradient is 0 where all is 0; that of a root would be infinite.
        deviation = torch.linalg.vector_norm(centred, dim=(2, 3)) / positions**0.5
        return torch.stack([mean, deviation], 1)
