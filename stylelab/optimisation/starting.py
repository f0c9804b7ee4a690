"""Starts that are nearer to the painting than the photograph is: recoloured, or half painted already."""

import warnings
from collections.abc import Sequence

import torch
from torch import Tensor

from stylelab.colour.matching import match_colours
from stylelab.errors import WeightsError

SHARE = (
    0.5  # of the network's picture: alone it has lost content that the optimisation would have to find again
)


def recoloured_start(photograph: Tensor, paintings: Sequence[tuple[Tensor, float]]) -> Tensor:
    """The photograph with the mean and covariance of the paintings' colours, in proportion to their weights.

    photograph: (1, 3 or 1, H, W) in [0, 1]. paintings: (painting, weight) pairs. Returns the photograph's
    shape; a grey one has no colours to be matched, and is returned itself.
    """
    if photograph.shape[1] == 1:
        return photograph
    matched = [weight * match_colours(photograph, painting, "linear") for painting, weight in paintings]
    return torch.stack(matched).sum(0) / sum(weight for _, weight in paintings)


def fast_start(photograph: Tensor, paintings: Sequence[tuple]) -> Tensor:
    """Half the photograph, half the network's picture of it, (1, 3, H, W) in [0, 1].

    photograph: (1, 3, H, W). paintings: (name, weight) pairs; where one of them is no style that the network
    was trained in, or the network is missing, it is the photograph, with a warning that says so.
    """
    # By the package's front, as a reader would ask for it: a family imports no other.
    from stylelab import FastNetwork

    try:
        network = FastNetwork.load(device=photograph.device)
    except WeightsError as error:
        warnings.warn(f"{error}; started from the photograph instead", stacklevel=4)
        return photograph
    strangers = [name for name, _ in paintings if not (isinstance(name, str) and name in network.styles)]
    if strangers:
        names = ", ".join(name if isinstance(name, str) else "a picture" for name in strangers)
        warnings.warn(
            f'init="fast": the fast network does not know {names}, only {", ".join(network.styles)}; started '
            "from the photograph instead",
            stacklevel=4,
        )
        return photograph
    return network.stylise(photograph, dict(paintings), strength=SHARE)
