"""The exercise of notebook 10 on whitening: the covariance of the maps taken away."""

from collections.abc import Callable

import torch
from torch import Tensor

from stylelab.checks.comparing import Shortfall, alike, compare
from stylelab.checks.covariances import (
    FLOOR,
    MIXED_UP,
    NEARLY,
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

Matrix = Callable[[Tensor], Tensor]


def _imitation(
    matrix: Matrix = lambda rows: power(covariance_of(rows), -0.5),
    centred: bool = True,
    applied_to_centred: bool = True,
    back: bool = False,
    reshape: Callable[[Tensor, Tensor], Tensor] = lambda rows, maps: rows.view(maps.shape),
) -> Callable:
    """An imitation: the exercise's function, with one thing done otherwise."""

    def imitation(maps: Tensor) -> Tensor:
        made = matrix(rows_of(maps, centred)) @ rows_of(maps, applied_to_centred)
        made = made + rows_of(maps, False).mean(1, keepdim=True) if back else made
        return reshape(made, maps).to(maps)

    return imitation


def _divided(by: Callable[[Tensor], float]) -> Matrix:
    return lambda rows: power(rows @ rows.T / by(rows), -0.5)


WHITENED = (
    Mistake(
        "The mean is not subtracted, neither for the covariance nor from the maps: μ is taken for a "
        "direction that they vary in.",
        _imitation(centred=False, applied_to_centred=False),
    ),
    Mistake(
        "The covariance is right, but the matrix is applied to the maps with their mean still in them. "
        "Subtract it there too.",
        _imitation(applied_to_centred=False),
    ),
    Mistake(
        "The mean is not subtracted before the covariance is taken: a covariance is of what varies about it.",
        _imitation(centred=False),
    ),
    Mistake("The mean is added back at the end; white maps have mean 0.", _imitation(back=True)),
    Mistake(
        "To the power −1, variances v become 1 / v. It is spreads that are to become 1, so divide by the "
        "root of the variance: Λ^−½.",
        _imitation(lambda rows: power(covariance_of(rows), -1.0)),
    ),
    Mistake(
        "Λ^½ stretches what is large already. Divide by the root of the variance: Λ^−½.",
        _imitation(lambda rows: power(covariance_of(rows), 0.5)),
    ),
    Mistake(
        "Only the mean was subtracted: E Eᵀ is the identity. Λ^−½ belongs in between.",
        _imitation(lambda rows: power(covariance_of(rows), 0.0)),
    ),
    Mistake(
        "The covariance is divided by H·W − 1, as `torch.cov` does by itself. Here it is by the number of "
        "positions, H·W: `correction=0`.",
        _imitation(_divided(lambda rows: rows.shape[1] - 1)),
    ),
    Mistake(
        "The covariance is not divided by the number of positions: it is a sum, and grows with the picture.",
        _imitation(_divided(lambda rows: 1)),
    ),
    Mistake(
        "The covariance is divided by C·H·W, as a Gram matrix is. Here it is by the number of positions.",
        _imitation(_divided(lambda rows: rows.numel())),
    ),
    Mistake(
        "Each map was divided by its own deviation. That is the first half of AdaIN: the maps still rise and "
        "fall together. White maps have no covariance with one another.",
        _imitation(lambda rows: each_by_itself(rows, -0.5)),
    ),
    Mistake(
        "A small number was added to every variance. Directions without variance are to be left out, the "
        "others kept as they are: where maps are small, 1e-5 is no small number.",
        _imitation(lambda rows: power(covariance_of(rows) + 1e-5 * torch.eye(len(rows)), -0.5, 0.0)),
    ),
    Mistake(MIXED_UP, _imitation(reshape=straight)),
)


def _white_told(maps: Tensor, yours) -> Shortfall | None:
    """What became of each direction of the maps says more than the numbers."""
    found = compare(whitened(maps.double().numpy()), yours, 2 * NEARLY)
    if not found or not isinstance(yours, Tensor) or yours.shape != maps.shape:
        return found
    rows, mine = rows_of(maps), yours.detach().double().flatten(2)[0]
    covariance = covariance_of(rows)
    variances, axes = torch.linalg.eigh(covariance)
    kept = variances > FLOOR * variances[-1]
    if not mine.isfinite().all():
        if kept.all():
            return found
        return found._replace(
            sentence="There is a direction here in which nothing varies, and it was divided by the root of "
            "0. Leave out directions whose variance is below 1e-5 of the largest, before you divide."
        )
    if sentence := imitated(WHITENED, (maps,), yours):
        return found._replace(sentence=sentence)
    for told, matrix in turned(covariance, -0.5):
        if alike((matrix @ rows).view(maps.shape), yours, NEARLY):
            return found._replace(sentence=told)
    along = (axes.T @ mine).var(1, correction=0)
    for variance, became in zip(variances / variances[-1].clamp_min(1e-30), along, strict=True):
        if variance <= FLOOR and became > NEARLY:
            return found._replace(
                sentence=f"A direction with {max(variance.item(), 0):.0e} of the largest variance is "
                f"rounding, or nothing at all, and here it is blown up to a variance of {became:.2g}. Leave "
                "out what is below 1e-5 of the largest: to add a small number or to put one in its place is "
                "not enough."
            )
        if variance > FLOOR and became < NEARLY:
            return found._replace(
                sentence=f"A direction is left out that has {variance:.1g} of the largest variance. The "
                "floor is 1e-5 of the largest, not 1e-5 itself, and not more."
            )
    if kept.all() and alike(covariance_of(mine - mine.mean(1, keepdim=True)), torch.eye(len(mine)), 1e-2):
        return found._replace(
            sentence="These maps are white, but turned: of all matrices that whiten, E Λ^−½ Eᵀ is the one "
            "that leaves every map nearest to where it was."
        )
    return found


def _two_equal() -> Tensor:
    maps = normal(1, 3, 2, 3, seed=13) + 1
    maps[:, 2] = maps[:, 0]
    return maps


whiten = checker(
    Exercise(
        name="whiten",
        signature="whiten(maps)",
        task="White maps: mean 0, and in all directions that the maps vary in variance 1, with no covariance "
        "between them: E Λ^−½ Eᵀ (x − μ), where Σ = E Λ Eᵀ is the covariance.\n\n"
        "maps: (1, C, H, W). Each position is a point, each map one of its C coordinates. Σ: (C, C), divided "
        "by the number of positions, H·W. Directions whose variance is below 1e-5 of the largest are left "
        "out: nothing of them is in the result, and where nothing varies it is 0. Returns (1, C, H, W), in "
        "float32 or float64.",
        cases=lambda: [
            Case((hand_made(),), "two maps of four places"),
            Case((torch.tensor([0.5, -2.0]).view(1, 2, 1, 1).repeat(1, 1, 2, 4),), "two flat maps"),
            Case((_two_equal(),), "three maps, the first and the last equal"),
            Case((varying(4.0, 1.0, 0.25),), "three maps", tolerance=NEARLY),
            Case((varying(1.0, 0.25, 1e-6),), "three maps, in one direction only noise", tolerance=NEARLY),
            Case((varying(1.0, 0.5, 0.02) / 100,), "three maps of small numbers", tolerance=NEARLY),
            Case((varying(4.0, 1.0, 8e-4),), "three maps, in one direction faint", tolerance=1e-2),
            Case((2 * normal(1, 4, 5, 6, seed=14) - 1,), "four maps of thirty places"),
        ],
        judge=_white_told,
        mistakes=WHITENED,
        praise="Right: white, and no further from the maps than that takes.",
    )
)
