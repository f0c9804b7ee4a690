"""The random inputs of the exercises: the same at every call, on every machine."""

import torch
from torch import Tensor


def normal(*shape: int, seed: int = 0) -> Tensor:
    """Of this shape, normally distributed: feature maps, patches, gradients."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def uniform(*shape: int, seed: int = 0) -> Tensor:
    """Of this shape, between 0 and 1: pictures."""
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))
