"""The Gram matrix of a layer's maps: the statistic of Gatys, and the style loss on it."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from stylelab.errors import StylelabError
from stylelab.losses.distances import squared_distance
from stylelab.losses.statistic import Statistic


def gram_matrix(features: Tensor, normalise: str = "chw", mask: Tensor | None = None) -> Tensor:
    """Which channels fire together: G = F Fᵀ, with F the feature map flattened to (C, H·W).

    features: (N, C, H, W). normalise: what G is divided by: "chw" (C·H·W, comparable between layers and
    sizes), "hw" (H·W, comparable between sizes) or "none". mask: (1, 1, H, W) in [0, 1], how much each
    position counts in the sum; H·W is then the sum of the mask.
    Returns (N, C, C), symmetric and positive semi-definite, in float32 also for bfloat16 features.
    Source: Gatys, Ecker and Bethge (2016), "Image style transfer using convolutional neural networks", eq. 3;
    with a mask Gatys et al. (2017), "Controlling perceptual factors in neural style transfer", eq. 6 (there
    the maps are multiplied by a guide whose squares sum to 1: the root of ours over its sum).
    """
    if features.ndim != 4:
        raise StylelabError(f"got {tuple(features.shape)}; a batch of feature maps is (N, C, H, W)")
    _, channels, height, width = features.shape
    positions: int | Tensor = height * width if mask is None else mask.sum()
    divisors = {"chw": channels * positions, "hw": positions, "none": 1}
    if normalise not in divisors:
        raise StylelabError(f'normalise="{normalise}" is unknown; use "chw", "hw" or "none"')
    counts = None if mask is None else mask.to(features).flatten(1)[..., None]
    return _Gram.apply(features.permute(0, 2, 3, 1).flatten(1, 2), counts) / divisors[normalise]


@dataclass(frozen=True)
class Gram(Statistic):
    """The Gram matrix as what a style is compared by; normalise: as in gram_matrix."""

    normalise: str = "chw"

    def measure(self, maps: Tensor, mask: Tensor | None = None) -> Tensor:
        """(N, C, C), see gram_matrix."""
        return gram_matrix(maps, self.normalise, mask)


class _Gram(torch.autograd.Function):
    """Rᵀ M R for rows of positions R and how much each counts, M, with its gradient by hand: autograd would
    take two products for it, and lay the result out so that adding it to the network's own gradient is slow.

    rows: (N, H·W, C). counts: (1, H·W, 1), or None where all count alike. Returns (N, C, C).
    """

    @staticmethod
    def forward(ctx, rows: Tensor, counts: Tensor | None) -> Tensor:
        ctx.save_for_backward(rows, counts)
        counted = rows if counts is None else rows * counts
        # One picture at a time: a batched product of bfloat16 takes five times as long.
        gram = torch.stack([left.mT @ right for left, right in zip(rows, counted, strict=True)])
        return gram.float() if gram.dtype == torch.bfloat16 else gram

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:
        rows, counts = ctx.saved_tensors
        slopes = rows @ (gradient + gradient.mT).to(rows.dtype)
        return (slopes if counts is None else slopes * counts), None


def style_loss(
    features: Mapping[str, Tensor],
    grams: Mapping[str, Tensor],
    layer_weights: Mapping[str, float] | None = None,
    reduction: str = "mean",
    normalise: str = "chw",
) -> Tensor:
    """How far the Gram matrices of some layers are from the painting's, summed over the layers of `grams`.

    features: feature maps by layer name, (N, C, H, W). grams: the painting's Gram matrices by layer name,
    (N, C, C) or (1, C, C), made with the same `normalise`. layer_weights: a factor for each layer, 1 where
    none is given. reduction: of each layer, "mean", "sum" or "relative". Returns a scalar.
    Source: Gatys, Ecker and Bethge (2016), eq. 4 and 5.
    """
    missing = [name for name in grams if name not in features]
    if missing:
        raise StylelabError(f"no feature map for {', '.join(missing)}; got {', '.join(features)}")
    if not grams:
        raise StylelabError("grams is empty; give the Gram matrix of at least one layer")
    weights = layer_weights or {}
    strangers = [name for name in weights if name not in grams]
    if strangers:
        raise StylelabError(f"layer_weights names {', '.join(strangers)}, but grams has {', '.join(grams)}")
    terms = [
        weights.get(name, 1.0) * squared_distance(gram_matrix(features[name], normalise), gram, reduction)
        for name, gram in grams.items()
    ]
    return torch.stack(terms).sum()
