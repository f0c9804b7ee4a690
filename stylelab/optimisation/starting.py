"""Starts that have something of the painting already: its strokes, by a fast network, or its colours."""

import warnings
from collections.abc import Sequence

import torch
from torch import Tensor

from stylelab.colour.matching import match_colours
from stylelab.errors import WeightsError

SHARE = (
    0.5  # of the network's picture: alone it has lost content that the optimisation would have to find again
)


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


def recoloured_start(photograph: Tensor, paintings: Sequence[tuple[Tensor, float]]) -> Tensor:
    """The photograph with the mean and covariance of the paintings' colours, (1, 3, H, W) in [0, 1].

    photograph: (1, 3, H, W). paintings: (image, weight) pairs; of several, the weighted mean of what each
    makes of it. The map of the colours is affine, so that the matting loss hardly sees it.
    """
    total = sum(weight for _, weight in paintings)
    recoloured = [
        weight / total * match_colours(photograph, painting, "linear") for painting, weight in paintings
    ]
    return torch.stack(recoloured).sum(0)
