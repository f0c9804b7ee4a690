"""Randomness that leaves torch's global state alone: a lab runs beside cells that may count on it."""

import torch
from torch import Tensor

from stylelab.patches.net import PatchNet


def noise(shape) -> Tensor:
    """Uniform noise in [0, 1], always the same."""
    return torch.rand(shape, generator=torch.Generator().manual_seed(0))


def untrained(**shape) -> PatchNet:
    """A PatchNet of zeros: training begins by drawing its values from a seed of its own.

    shape: what PatchNet takes. Made as usual, it would draw values that nobody sees.
    """
    with torch.device("meta"):
        net = PatchNet(**shape)
    zeros = {name: torch.zeros(values.shape) for name, values in net.state_dict().items()}
    net.load_state_dict(zeros, assign=True)  # to_empty would take half a second to import what it needs
    return net
