"""Evidence about a transfer that went wrong: what its feature maps are like, and what one pixel changes."""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor

from stylelab.errors import StylelabError
from stylelab.figures.tables import PictureTable


def feature_statistics(maps: Mapping[str, Mapping[str, Tensor]], caption: str = "") -> PictureTable:
    """A table of mean, deviation and share of zeros of feature maps, layer by layer.

    maps: {of which picture: {layer: maps of any shape}}; rows of one layer stand together, as in the
    first picture. A ReLU leaves zeros, a convolution next to none. caption: what to see in it.
    """
    layers = list(dict.fromkeys(layer for found in maps.values() for layer in found))
    rows = [
        (layer, picture, maps[picture][layer])
        for layer in layers
        for picture in maps
        if layer in maps[picture]
    ]
    columns = {
        "layer": [layer for layer, _, _ in rows],
        "of": [picture for _, picture, _ in rows],
        "mean": [_figures(values.mean().item()) for _, _, values in rows],
        "deviation": [_figures(values.std(correction=0).item()) for _, _, values in rows],
        "zeros": [f"{(values == 0).float().mean().item():.0%}" for _, _, values in rows],
    }
    return PictureTable([None] * len(rows), columns, caption)


def pixel_probe(function: Callable, image, place: tuple[int, ...], amount: float = 1 / 255) -> Tensor:
    """What changes in an output when one number of the input does.

    function: from an input like image to a tensor. image: a tensor, or an array of NumPy. place: the index of
    the number in it, (0, 2, row, column) for the blue of a pixel. amount: added to it, one grey level of a
    picture in [0, 1] unless given. Returns function(changed) − function(image), in the shape of the output.
    Raises StylelabError if the place is not in the image.
    """
    changed = image.copy() if isinstance(image, np.ndarray) else image.detach().clone()
    if len(place) != changed.ndim or not all(
        0 <= at < size for at, size in zip(place, changed.shape, strict=True)
    ):
        raise StylelabError(f"place {place} is not in an image of shape {tuple(changed.shape)}")
    changed[place] = changed[place] + amount
    with torch.no_grad():
        return function(changed) - function(image)


def _figures(number: float) -> str:
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.3g}"
