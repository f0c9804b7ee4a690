"""A transfer with its painting fixed: a Stylist like any other."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from stylelab.networks.extractor import FeatureExtractor
from stylelab.optimisation.recipes import Recipe
from stylelab.optimisation.running import transfer


@dataclass(frozen=True)
class StyleTransfer:
    """`transfer` in one style; all settings as `transfer` takes them."""

    style: Any
    recipe: str | Recipe = "default"
    extractor: FeatureExtractor | None = None
    seed: int = 0
    device: str | torch.device = "auto"

    def stylise(self, image: Tensor) -> Tensor:
        """The photograph (1, 3 or 1, H, W) in [0, 1] painted like the painting: (1, 3, H, W) in [0, 1]."""
        result = transfer(
            image, self.style, self.recipe, self.extractor, progress=False, seed=self.seed, device=self.device
        )
        return result.image
