"""The exercises of notebook 01 on gradients: of the distance of two Gram matrices, plain and relative."""

import numpy as np
import torch
from torch import Tensor

from stylelab.checks.drawing import normal
from stylelab.checks.engine import checker
from stylelab.checks.exercise import Case, Exercise, Mistake
from stylelab.checks.gram import BY_HAND, gram_by_loops, gram_of


def _slope(f: np.ndarray, target: np.ndarray, relative: bool = False) -> np.ndarray:
    """∂‖G − A‖²/∂F by differences: the derivation of the notebook is not used."""
    slope, step = np.zeros_like(f), 1e-5
    for place in np.ndindex(f.shape):
        distances = []
        for side in (step, -step):
            moved = f.copy()
            moved[place] += side
            squares = (gram_by_loops(moved) - target) ** 2
            distances.append((squares.sum((1, 2)) / ((target**2).sum((1, 2)) if relative else 1)).sum())
        slope[place] = (distances[0] - distances[1]) / (2 * step)
    return slope


def _pairs(batches: bool) -> list[Case]:
    one = torch.tensor([[[[2.0]]]])
    cases = [
        Case((one, torch.tensor([[[3.0]]])), "one channel, one position"),
        Case((BY_HAND, torch.eye(2)[None]), "the two channels of the notebook"),
        Case((normal(1, 3, 2, 4), gram_of(normal(1, 3, 3, 3, seed=1))), "random maps"),
    ]
    if batches:
        cases.append(Case((normal(2, 3, 2, 2), gram_of(normal(2, 3, 3, 3, seed=1))), "a batch of two"))
    return cases


def _by_hand(f: Tensor, target: Tensor, factor: float = 4) -> Tensor:
    return (factor / f[0].numel() * (gram_of(f) - target) @ f.flatten(2)).view_as(f)


def _of_the_gradient(relative: bool) -> tuple[Mistake, ...]:
    def over(gradient: Tensor, a: Tensor) -> Tensor:
        return gradient / a.square().sum() if relative else gradient

    return (
        Mistake(
            "It is half of what it should be: G holds F twice, and both terms of the product rule count. "
            "The factor is 4, not 2.",
            lambda f, a: over(_by_hand(f, a, 2), a),
        ),
        Mistake(
            "One factor is missing: the 4 of the derivation.",
            lambda f, a: over(_by_hand(f, a, 1), a),
        ),
        Mistake(
            "C·H·W is missing: G was divided by it, so its derivative is too. The factor is 4 / (C·H·W).",
            lambda f, a: over(_by_hand(f, a) * f[0].numel(), a),
        ),
        Mistake(
            "It points the other way: G − A, not A − G. A gradient leads uphill, and the descent subtracts "
            "it.",
            lambda f, a: over(-_by_hand(f, a), a),
        ),
        Mistake(
            "G itself lacks its division by C·H·W; the target has it.",
            lambda f, a: over(
                (4 / f[0].numel() * (f.flatten(2) @ f.flatten(2).mT - a) @ f.flatten(2)).view_as(f), a
            ),
        ),
        Mistake(
            "The numbers are right, in the shape of F, (N, C, H·W). Bring them back to that of the "
            "features: `.view_as(features)`.",
            lambda f, a: over(_by_hand(f, a), a).flatten(2),
        ),
        Mistake(
            "The target is missing: (G − A) F, not G F.",
            lambda f, a: over(_by_hand(f, 0 * a), a),
        ),
    )


gram_gradient = checker(
    Exercise(
        name="gram_gradient",
        signature="gram_gradient(features, target)",
        task="The gradient of ‖G − A‖², the sum over all entries of each picture, with respect to the "
        "features, without backward().\n\n"
        "features: (N, C, H, W); G is their Gram matrix, divided by C·H·W. target: A, (N, C, C), divided "
        "likewise. Returns (N, C, H, W).",
        cases=lambda: _pairs(batches=True),
        by_hand=True,
        reference=_slope,
        tolerance=1e-3,
        mistakes=(
            *_of_the_gradient(relative=False),
            Mistake(
                "It is the gradient of a mean: divided by C² once more. ‖G − A‖² is the sum of the squares.",
                lambda f, a: _by_hand(f, a) / a[0].numel(),
            ),
            *(
                Mistake(
                    "It is divided by N·C·H·W: then a picture's gradient depends on how many others are in "
                    "the batch. `features[0].numel()` is C·H·W.",
                    imitation,
                )
                for imitation in (
                    lambda f, a: _by_hand(f, a) / len(f),
                    lambda f, a: _by_hand(f, a * len(f)) / len(f),
                    lambda f, a: _by_hand(f, a * len(f)) / len(f) ** 2,
                )
            ),
        ),
        praise="Right: the same as measuring the slope by small differences, on all four examples.",
    )
)


relative_gradient = checker(
    Exercise(
        name="relative_gradient",
        signature="relative_gradient(features, target)",
        task="The gradient of ‖G − A‖² / ‖A‖² with respect to the features of one picture, without "
        "backward().\n\n"
        "features: (1, C, H, W); G is their Gram matrix, divided by C·H·W. target: A, (1, C, C), divided "
        "likewise. Returns (1, C, H, W).",
        cases=lambda: _pairs(batches=False),
        by_hand=True,
        reference=lambda f, a: _slope(f, a, relative=True),
        tolerance=1e-3,
        mistakes=(
            *_of_the_gradient(relative=True),
            Mistake(
                "This is the gradient of ‖G − A‖². The relative loss is divided by ‖A‖², a constant, and so "
                "is its gradient.",
                _by_hand,
            ),
            Mistake(
                "It is divided by ‖A‖; the loss is divided by its square.",
                lambda f, a: _by_hand(f, a) / a.norm(),
            ),
        ),
    )
)
