"""What gives one picture's feature maps the statistics of another's: AdaIN and WCT, as pure functions."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from stylelab.errors import StylelabError
from stylelab.pictures.masks import at_size

EPSILON = 1e-5  # under the root: a map that is flat has no deviation to be divided by
FLOOR = 1e-5  # of the largest variance: directions with less are rounding, and hold no style

Transform = Callable[..., Tensor]


def adain(
    content_maps: Tensor,
    style_maps: Tensor,
    content_mask: Tensor | None = None,
    style_mask: Tensor | None = None,
) -> Tensor:
    """Content maps with the mean and deviation of the style's: σ(y) (x − μ(x)) / σ(x) + μ(y), map by map.

    content_maps: (N, C, H, W). style_maps: (1 or N, C, h, w). content_mask, style_mask: (1, 1, H, W) and
    (1, 1, h, w) in [0, 1], how much each position counts in the mean and deviation; all count by default.
    Returns (N, C, H, W). A map of the content that is flat stays flat, at the style's mean.
    Source: Huang and Belongie (2017), "Arbitrary style transfer in real-time with adaptive instance
    normalization", eq. 8.
    """
    _check(content_maps, style_maps)
    mean, deviation = moments(content_maps, content_mask)
    style_mean, style_deviation = moments(style_maps, style_mask)
    # In this order: a flat map is divided by next to nothing, so what is subtracted must be exact.
    return style_deviation * ((content_maps - mean) / deviation) + style_mean


def wct(
    content_maps: Tensor,
    style_maps: Tensor,
    floor: float = FLOOR,
    content_mask: Tensor | None = None,
    style_mask: Tensor | None = None,
) -> Tensor:
    """Content maps with the mean and covariance of the style's: whitened, then coloured.

    content_maps: (N, C, H, W). style_maps: (1 or N, C, h, w). floor: directions whose variance is below this
    share of the largest are left out, on both sides. Masks: as for `adain`. Computes in float64; no gradient
    flows. Returns (N, C, H, W) of the content's type.
    Source: Li et al. (2017), "Universal style transfer via feature transforms", section 3.
    """
    _check(content_maps, style_maps)
    if not 0 <= floor < 1:
        raise StylelabError(f"floor {floor}: a share, from 0 up to 1")
    with torch.no_grad():
        made = [
            colour(
                whiten(content, floor, content_mask),
                style_maps[min(n, len(style_maps) - 1)][None],
                floor,
                style_mask,
            )
            for n, content in enumerate(content_maps.split(1))
        ]
    return torch.cat(made).to(content_maps.dtype)


def whiten(maps: Tensor, floor: float = FLOOR, mask: Tensor | None = None) -> Tensor:
    """Maps (1, C, H, W) with mean 0 and, in all directions that they vary in, covariance 1; in float64.

    Source: Li et al. (2017), eq. 1.
    """
    rows, mean, variances, axes = _axes(maps, floor, mask)
    return ((rows - mean) @ (axes / variances.sqrt() @ axes.T)).T.reshape(maps.shape)


def colour(white: Tensor, style_maps: Tensor, floor: float = FLOOR, mask: Tensor | None = None) -> Tensor:
    """White maps (1, C, H, W) with the mean and covariance of the style's (1, C, h, w); in float64.

    Source: Li et al. (2017), eq. 2.
    """
    _, mean, variances, axes = _axes(style_maps, floor, mask)
    rows = white.double().flatten(2)[0].T
    return (rows @ (axes * variances.sqrt() @ axes.T) + mean).T.reshape(white.shape)


def moments(maps: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Mean and deviation of each map, (N, C, 1, 1) both. maps: (N, C, H, W). mask: as for `adain`."""
    if mask is None:
        mean = maps.mean((2, 3), keepdim=True)
        # Fewer large tensors in between: handing memory out takes longer than the arithmetic.
        length = torch.linalg.vector_norm(maps - mean, dim=(2, 3), keepdim=True)
        variance = length.square() / maps[0, 0].numel()
    else:
        share = _shares(mask, maps)
        mean = (maps * share).sum((2, 3), keepdim=True)
        variance = ((maps - mean).square() * share).sum((2, 3), keepdim=True)
    return mean, (variance + EPSILON).sqrt()


def transformed(
    transform: Transform,
    content_maps: Tensor,
    styles: Sequence[tuple[Tensor, float]],
    strength: float | Tensor = 1.0,
    masks: Sequence[tuple[Tensor | None, Tensor | None]] | None = None,
) -> Tensor:
    """Content maps transformed by one style or several, (N, C, H, W), and blended with what they were.

    transform: `adain` or `wct`. styles: (maps (1, C, h, w), weight) pairs; only the proportions of the
    weights count. strength: 0 gives the maps back, 1 the transformed ones; or one for each position. masks:
    for each style (where in the photograph it is laid on, where in the painting it is taken from), None for
    all of it. Strength and masks are (1, 1, h, w) in [0, 1] of any size, and brought to the maps'. Positions
    that no style claims stay as they are; those that several claim are shared by weight.
    Raises StylelabError where nothing has a weight, and for masks that do not fit.
    """
    if not all(0 <= weight < math.inf for _, weight in styles) or not sum(weight for _, weight in styles):
        raise StylelabError("styles: give at least one with a weight above 0, and none below")
    masks = [(None, None)] * len(styles) if masks is None else masks
    if len(masks) != len(styles):
        raise StylelabError(f"got {len(styles)} styles and {len(masks)} pairs of masks; give one for each")
    if len(styles) == 1 and masks[0] == (None, None) and isinstance(strength, int | float):
        made = transform(content_maps, styles[0][0])
        return made if strength == 1 else content_maps + strength * (made - content_maps)
    everywhere = torch.ones_like(content_maps[:1, :1])
    made, weighed, covered = torch.zeros_like(content_maps), 0 * everywhere, 0 * everywhere
    for (maps, weight), (where, taken_from) in zip(styles, masks, strict=True):
        if weight:
            where = None if where is None else _at(where, content_maps)
            taken_from = None if taken_from is None else _at(taken_from, maps)
            share = everywhere if where is None else where
            painted = transform(content_maps, maps, content_mask=where, style_mask=taken_from)
            made, weighed, covered = (
                made + weight * share * painted,
                weighed + weight * share,
                covered + share,
            )
    made = made / weighed.clamp_min(torch.finfo(made.dtype).tiny)
    if isinstance(strength, Tensor):
        strength = _at(strength, content_maps)
    return content_maps + strength * covered.clamp(max=1) * (made - content_maps)


def _at(mask: Tensor, maps: Tensor) -> Tensor:
    """A mask at the size of feature maps: the mean of what each position stands for."""
    size = (maps.shape[-2], maps.shape[-1])
    return at_size(mask.to(maps.device), size).clamp(0, 1).to(maps.dtype)


def _axes(maps: Tensor, floor: float, mask: Tensor | None) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Positions as rows, their mean, and the variances along the axes that are above the floor."""
    rows = maps.double().flatten(2)[0].T
    shares = (
        torch.full_like(rows[:, :1], 1 / len(rows))
        if mask is None
        else _shares(mask, maps).double().view(-1, 1)
    )
    mean = (rows * shares).sum(0)
    centred = (rows - mean) * shares.sqrt()
    variances, axes = torch.linalg.eigh(centred.T @ centred)
    kept = variances > max(floor * variances[-1].item(), torch.finfo(torch.float32).tiny)
    return rows, mean, variances[kept], axes[:, kept]


def _shares(mask: Tensor, maps: Tensor) -> Tensor:
    """A mask as what each position has of the whole, which is 1."""
    if mask.shape[-2:] != maps.shape[-2:]:
        raise StylelabError(
            f"the mask is {tuple(mask.shape)}, the maps are {tuple(maps.shape)}: bring it to their size"
        )
    total = mask.sum()
    if not total > 0:
        raise StylelabError("the mask is empty: nothing is left to take a statistic of")
    return mask.to(maps) / total


def _check(content_maps: Tensor, style_maps: Tensor) -> None:
    for name, maps in (("content", content_maps), ("style", style_maps)):
        if maps.ndim != 4 or maps.numel() == 0:
            raise StylelabError(f"{name} maps {tuple(maps.shape)}: a batch of feature maps is (N, C, H, W)")
    if content_maps.shape[1] != style_maps.shape[1]:
        raise StylelabError(
            f"content has {content_maps.shape[1]} maps and style {style_maps.shape[1]}: take both at a layer"
        )
    if len(style_maps) not in (1, len(content_maps)):
        raise StylelabError(
            f"{len(style_maps)} styles for {len(content_maps)} pictures: give one, or one for each"
        )
