"""The exercise of notebook 10 on colouring: a painting's covariance laid on white maps."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from stylelab.checks.comparing import Shortfall, alike, compare
from stylelab.checks.covariances import (
    MIXED_UP,
    NEARLY,
    axes_of,
    covariance_of,
    each_by_itself,
    hand_made,
    imitated,
    power,
    rows_of,
    straight,
    turned,
    varying,
    whitened,
)
from stylelab.checks.drawing import normal
from stylelab.checks.engine import checker
from stylelab.checks.exercise import Case, Exercise, Mistake


def _coloured(white: np.ndarray, style_maps: np.ndarray) -> np.ndarray:
    mean, _, variances, axes = axes_of(style_maps)
    rows = white[0].reshape(white.shape[1], -1)
    return (axes * np.sqrt(variances) @ (axes.T @ rows) + mean).reshape(white.shape)


def _in_colour(
    matrix: Callable[[Tensor, Tensor], Tensor] = lambda rows, white: power(covariance_of(rows), 0.5),
    centred: bool = True,
    combine: Callable[[Tensor, Tensor, Tensor], Tensor] = lambda root, white, mean: root @ white + mean,
    mean: Callable[[Tensor], Tensor] = lambda rows: rows.mean(1, keepdim=True),
    reshape: Callable[[Tensor, Tensor, Tensor], Tensor] = lambda rows, white, style: rows.view(white.shape),
) -> Callable:
    """An imitation: the exercise's function, with one thing done otherwise."""

    def imitation(white: Tensor, style_maps: Tensor) -> Tensor:
        rows = rows_of(white, False)
        made = combine(matrix(rows_of(style_maps, centred), rows), rows, mean(rows_of(style_maps, False)))
        return reshape(made, white, style_maps).to(white)

    return imitation


def _style_divided(by: Callable[[Tensor, Tensor], float]) -> Callable:
    return lambda rows, white: power(rows @ rows.T / by(rows, white), 0.5)


COLOURED = (
    Mistake(
        "The style's mean is not added: the maps have its covariance, about 0.",
        _in_colour(combine=lambda root, white, mean: root @ white),
    ),
    Mistake(
        "One mean of all the style's maps is added. Each map has its own.",
        _in_colour(mean=lambda rows: rows.mean()),
    ),
    Mistake(
        "The mean is added first, then all is multiplied: the mean is stretched too. Add it at the end.",
        _in_colour(combine=lambda root, white, mean: root @ (white + mean)),
    ),
    Mistake("The style's mean is subtracted; add it.", _in_colour(combine=lambda r, w, m: r @ w - m)),
    Mistake(
        "This is the covariance itself, Λ in place of Λ^½: variances come out squared. The matrix enters "
        "twice, so its root is needed.",
        _in_colour(lambda rows, white: covariance_of(rows)),
    ),
    Mistake(
        "This whitens with the style's covariance, Λ^−½. To lay it on takes Λ^½.",
        _in_colour(lambda rows, white: power(covariance_of(rows), -0.5)),
    ),
    Mistake(
        "Each map was given its own deviation, and no more. That is the second half of AdaIN: how maps rise "
        "and fall together is lost.",
        _in_colour(lambda rows, white: each_by_itself(rows, 0.5)),
    ),
    Mistake(
        "Only the style's mean is added: E Eᵀ is the identity. Λ^½ belongs in between.",
        _in_colour(lambda rows, white: torch.eye(len(rows)).to(rows)),
    ),
    Mistake(
        "The style's mean is not subtracted before its covariance is taken: a covariance is of what varies "
        "about it.",
        _in_colour(centred=False),
    ),
    Mistake(
        "The covariance is divided by h·w − 1, as `torch.cov` does by itself. Here it is by the number of "
        "the style's positions, h·w: `correction=0`.",
        _in_colour(_style_divided(lambda rows, white: rows.shape[1] - 1)),
    ),
    Mistake(
        "The covariance is not divided by the number of positions: it is a sum, and grows with the painting.",
        _in_colour(_style_divided(lambda rows, white: 1)),
    ),
    Mistake(
        "The covariance is divided by C·h·w, as a Gram matrix is. Here it is by the number of positions.",
        _in_colour(_style_divided(lambda rows, white: rows.numel())),
    ),
    Mistake(
        "The style's covariance is divided by the number of positions of the white maps. The painting has a "
        "size of its own.",
        _in_colour(_style_divided(lambda rows, white: white.shape[1])),
    ),
    Mistake(
        "The result is shaped like the style's maps. It has the white maps' height and width; the painting's "
        "are free.",
        _in_colour(reshape=lambda rows, white, style: rows.view(style.shape)),
    ),
    Mistake(
        MIXED_UP,
        _in_colour(reshape=lambda rows, white, style: straight(rows, white)),
    ),
    Mistake(
        "These are the style's maps themselves: nothing of the white maps is left in them.",
        lambda white, style_maps: style_maps.clone(),
    ),
)


def _colour_told(white: Tensor, style_maps: Tensor, yours) -> Shortfall | None:
    found = compare(_coloured(white.double().numpy(), style_maps.double().numpy()), yours, NEARLY)
    if not found or not isinstance(yours, Tensor):
        return found
    if not yours.isfinite().all():
        return found._replace(
            sentence="Some of the numbers are NaN or infinite: where a direction has no variance, rounding "
            "leaves one a little below 0, which has no root. Leave such directions out, or `clamp(min=0)` "
            "first."
        )
    sentence = imitated(COLOURED, (white, style_maps), yours)
    if sentence or yours.shape != white.shape:
        return found._replace(sentence=sentence or found.sentence)
    rows, points = rows_of(style_maps), rows_of(white, False)
    covariance, mean = covariance_of(rows), rows_of(style_maps, False).mean(1, keepdim=True)
    for told, matrix in turned(covariance, 0.5):
        if alike((matrix @ points + mean).view(white.shape), yours, NEARLY):
            return found._replace(sentence=told)
    mine = yours.detach().double().flatten(2)[0] - mean
    if alike(covariance_of(mine), covariance, 1e-2):
        return found._replace(
            sentence="Mean and covariance are the style's, but the maps are turned: of all roots of the "
            "covariance, E Λ^½ Eᵀ is the symmetric one, which leaves every map nearest to where it was."
        )
    return found


def _drawn_white(channels: int, height: int, width: int, seed: int) -> Tensor:
    return torch.from_numpy(whitened(normal(1, channels, height, width, seed=seed).double().numpy())).float()


def _patterns() -> Tensor:
    return torch.tensor([[[[1.0, -1.0, 1.0, -1.0]], [[1.0, 1.0, -1.0, -1.0]]]])


colour_in = checker(
    Exercise(
        name="colour_in",
        signature="colour_in(white, style_maps)",
        task="White maps with the mean and the covariance of a style's: E Λ^½ Eᵀ w + μ, where Σ = E Λ Eᵀ is "
        "the covariance of the style's maps and μ their mean.\n\n"
        "white: (1, C, H, W), of mean 0 and covariance 1. style_maps: (1, C, h, w), of another size. Each "
        "position is a point, each map one of its C coordinates. Σ: (C, C), divided by the number of the "
        "style's positions, h·w. Where the style has no variance, rounding may leave one below 0; it counts "
        "as 0. Returns (1, C, H, W), in float32 or float64.",
        cases=lambda: [
            Case((_patterns(), hand_made().view(1, 2, 2, 2)), "two maps of four places, 1 × 4 and 2 × 2"),
            Case(
                (_drawn_white(2, 1, 5, 15), 2 * normal(1, 2, 2, 5, seed=16) + 1), "two maps, 5 and 10 places"
            ),
            Case(
                (_drawn_white(2, 2, 3, 17), torch.tensor([0.5, -2.0]).view(1, 2, 1, 1).repeat(1, 1, 2, 3)),
                "a style whose maps are flat",
            ),
            Case((_drawn_white(3, 3, 4, 18), varying(4.0, 1.0, 0.25)), "three maps, twelve places and eight"),
            Case(
                (_drawn_white(6, 3, 4, 19), normal(1, 6, 1, 2, seed=20) + 1),
                "a style of two places: six maps, and one direction that they vary in",
            ),
        ],
        judge=_colour_told,
        mistakes=COLOURED,
        praise="Right: mean and covariance are the style's, whatever its size.",
    )
)
