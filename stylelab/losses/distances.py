"""Distances of feature maps and of images, as pure functions of tensors.

Every loss returns one scalar for the whole batch. Each takes a `reduction`, because publications differ in it
and weights only mean something together with it:

- "mean": the mean over the entries (of all batch elements).
- "sum": the sum over the entries, the mean over the batch.
- "relative": the squared distance divided by the target's own squared size: 0 is equal, 1 is as far
  from the target as features that are all 0. It means the same for every layer, picture size and network.
"""

import math

import torch
from torch import Tensor

from stylelab.errors import StylelabError


def content_loss(features: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """How far one layer's feature map is from the photograph's: the squared distance of F and P.

    features, target: (N, C, H, W), alike. reduction: "mean", "sum" or "relative". Returns a scalar.
    Source: Gatys, Ecker and Bethge (2016), eq. 1 (there: half the sum).
    """
    return squared_distance(features, target, reduction)


def squared_distance(value: Tensor, target: Tensor, reduction: str) -> Tensor:
    """The squared distance of two batches of one shape, reduced as this module's head says: a scalar."""
    if value.shape[1:] != target.shape[1:] or target.shape[0] not in (1, value.shape[0]):
        raise StylelabError(
            f"got {tuple(value.shape)} and a target {tuple(target.shape)}; make both at one layer, and "
            "feature maps from images of one size"
        )
    squares, sizes = (value - target).square().flatten(1).sum(1), target.square().flatten(1).sum(1)
    return reduced(squares, sizes, value[0].numel(), reduction)


def reduced(squares: Tensor, sizes: Tensor, entries: float | Tensor, reduction: str) -> Tensor:
    """The squared distances (N,) of a batch as one scalar, reduced as this module's head says.

    sizes: the targets' own squared sizes, (N,) or (1,). entries: how many differences were squared in each.
    """
    if reduction == "mean":
        return squares.mean() / entries
    if reduction == "sum":
        return squares.mean()
    if reduction == "relative":
        return (squares / sizes.clamp_min(torch.finfo(sizes.dtype).tiny)).mean()
    raise StylelabError(f'reduction="{reduction}" is unknown; use "mean", "sum" or "relative"')


def psnr(image: Tensor, truth: Tensor) -> float:
    """Peak signal-to-noise ratio in dB: −10 log10 of the mean squared difference of two images in [0, 1]."""
    return -10 * math.log10(max((image - truth.to(image)).square().mean().item(), 1e-12))
