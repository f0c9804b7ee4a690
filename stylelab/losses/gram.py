"""The losses of neural style transfer, as pure functions of tensors.

Feature maps are (N, C, H, W), Gram matrices (N, C, C). Every loss returns one scalar for the whole
batch. Each takes a `reduction`, because publications differ in it and weights only mean something together
with it:

- "mean": the mean over the entries (of all batch elements).
- "sum": the sum over the entries, the mean over the batch.
- "relative": the squared distance divided by the target's own squared size: 0 is equal, 1 is as far
  from the target as a grey nothing. It means the same for every layer, picture size and network.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from stylelab.errors import StylelabError


def gram_matrix(features: Tensor, normalise: str = "chw") -> Tensor:
    """Which channels fire together: G = F Fᵀ, with F the feature map flattened to (C, H·W).

    features: (N, C, H, W). normalise: what G is divided by: "chw" (C·H·W, comparable between layers and
    sizes), "hw" (H·W, comparable between sizes) or "none".
    Returns (N, C, C), symmetric and positive semi-definite, in float32 also for bfloat16 features.
    Source: Gatys, Ecker and Bethge (2016), "Image style transfer using convolutional neural networks", eq. 3.
    """
    if features.ndim != 4:
        raise StylelabError(f"got {tuple(features.shape)}; a batch of feature maps is (N, C, H, W)")
    _, channels, height, width = features.shape
    divisors = {"chw": channels * height * width, "hw": height * width, "none": 1}
    if normalise not in divisors:
        raise StylelabError(f'normalise="{normalise}" is unknown; use "chw", "hw" or "none"')
    return _Gram.apply(features.permute(0, 2, 3, 1).flatten(1, 2)) / divisors[normalise]


class _Gram(torch.autograd.Function):
    """Rᵀ R for rows of positions R, with its gradient by hand: autograd would take two products for it,
    and lay the result out so that adding it to the network's own gradient is slow."""

    @staticmethod
    def forward(ctx, rows: Tensor) -> Tensor:
        ctx.save_for_backward(rows)
        # One picture at a time: a batched product of bfloat16 takes five times as long.
        gram = torch.stack([picture.mT @ picture for picture in rows])
        return gram.float() if gram.dtype == torch.bfloat16 else gram

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:
        (rows,) = ctx.saved_tensors
        return rows @ (gradient + gradient.mT).to(rows.dtype)


def content_loss(features: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """How far one layer's feature map is from the photograph's: the squared distance of F and P.

    features, target: (N, C, H, W), alike. reduction: "mean", "sum" or "relative". Returns a scalar.
    Source: Gatys, Ecker and Bethge (2016), eq. 1 (there: half the sum).
    """
    return squared_distance(features, target, reduction)


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


def tv_loss(image: Tensor, power: int = 1, reduction: str = "mean") -> Tensor:
    """Total variation: how much each pixel differs from its right and its lower neighbour, to the `power`.

    image: (N, C, H, W), any range. power: 1 keeps edges, 2 rounds them. reduction: "mean", the mean over the
    horizontal differences plus the mean over the vertical ones (a weight then means the same at every size),
    or "sum" (as published; the mean over the batch).
    Returns a scalar, 0 for a constant image and for a single pixel.
    Source: Rudin, Osher and Fatemi (1992); as a power of differences Mahendran and Vedaldi (2015), eq. 4.
    """
    if power not in (1, 2):
        raise StylelabError(f"power={power} is not a total variation used here; use 1 or 2")
    if reduction not in ("mean", "sum"):
        raise StylelabError(f'reduction="{reduction}" is unknown here; use "mean" or "sum"')
    total = image.new_zeros(())
    for dim in (-1, -2):
        differences = image.diff(dim=dim)
        if differences.numel():
            powered = differences.abs() if power == 1 else differences.square()
            total = total + (powered.mean() if reduction == "mean" else powered.sum() / len(image))
    return total


def squared_distance(value: Tensor, target: Tensor, reduction: str) -> Tensor:
    """The squared distance of two batches of one shape, reduced as this module's head says: a scalar."""
    if value.shape[1:] != target.shape[1:] or target.shape[0] not in (1, value.shape[0]):
        raise StylelabError(
            f"got {tuple(value.shape)} and a target {tuple(target.shape)}; make both at one layer, and "
            "feature maps from images of one size"
        )
    squares = (value - target).square()
    if reduction == "mean":
        return squares.mean()
    if reduction == "sum":
        return squares.sum() / len(value)
    if reduction == "relative":
        size = target.square().flatten(1).sum(1).clamp_min(torch.finfo(target.dtype).tiny)
        return (squares.flatten(1).sum(1) / size).mean()
    raise StylelabError(f'reduction="{reduction}" is unknown; use "mean", "sum" or "relative"')
