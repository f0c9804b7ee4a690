"""Randomness that a number decides, and that leaves torch's own state alone."""

import numbers
from typing import TYPE_CHECKING

from stylelab.errors import StylelabError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

MOST = 2**63 - 1


def generator(seed: int) -> "torch.Generator":
    """A generator of random numbers on the CPU; StylelabError for a seed that is no whole number from 0."""
    import torch  # the command line checks seeds before anything heavy is loaded

    return torch.Generator().manual_seed(whole_seed(seed))


def noise(shape: "Sequence[int]", seed: int = 0) -> "torch.Tensor":
    """Uniform noise in [0, 1) of that shape, on the CPU: the start of a texture, and init="noise"."""
    import torch

    return torch.rand(*shape, generator=generator(seed))


def whole_seed(seed: int) -> int:
    """The seed as an int; StylelabError where it is none from 0 to 2⁶³ − 1."""
    if isinstance(seed, bool) or not isinstance(seed, numbers.Integral) or not 0 <= seed <= MOST:
        raise StylelabError(f"seed {seed}: use a whole number from 0 to {MOST}")
    return int(seed)
