"""The exercise of notebook 11 on the style of a region: a Gram matrix under a mask."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from stylelab.checks.drawing import normal, uniform
from stylelab.checks.engine import checker
from stylelab.checks.exercise import Case, Exercise, Mistake


def _gram_by_places(features: np.ndarray, mask: np.ndarray) -> np.ndarray:
    gram = np.zeros((1, features.shape[1], features.shape[1]))
    for row, column in np.ndindex(features.shape[2:]):
        vector = features[0, :, row, column]
        gram[0] += mask[0, 0, row, column] * np.outer(vector, vector)
    return gram / mask.sum()


def _hard(mask: Tensor, above: float = 0.5) -> Tensor:
    return (mask > above).to(mask)


def _centred_under(features: Tensor, mask: Tensor) -> Tensor:
    return features - (features * mask).sum((2, 3), keepdim=True) / mask.sum()


def _guided(
    weigh: Callable[[Tensor], Tensor] = lambda mask: mask,
    divisor: Callable[[Tensor, Tensor], Tensor | int] = lambda mask, features: mask.sum(),
    change: Callable[[Tensor, Tensor], Tensor] = lambda features, mask: features,
) -> Callable:
    """An imitation: the exercise's function, with one thing done otherwise."""

    def imitation(features: Tensor, mask: Tensor) -> Tensor:
        rows = change(features, mask).flatten(2)
        return rows * weigh(mask).flatten(2) @ rows.mT / divisor(mask, features)

    return imitation


def _all_above(above: float) -> Callable:
    """An imitation: each place where the mask is above that counts in full."""
    return _guided(lambda mask: _hard(mask, above), lambda mask, features: _hard(mask, above).sum())


guided_gram = checker(
    Exercise(
        name="guided_gram",
        signature="guided_gram(features, mask)",
        task="The Gram matrix of a region: f fᵀ of each place, counted as the mask says, all added up and "
        "divided by the sum of the mask.\n\n"
        "features: (1, C, H, W), an f of C numbers at each place. mask: (1, 1, H, W) in [0, 1], not 0 "
        "everywhere: 1 counts in full, 0 not at all. Not divided by C. Returns (1, C, C).",
        cases=lambda: [
            Case(
                (torch.tensor([[[[2.0, 4.0]]]]), torch.tensor([[[[1.0, 0.5]]]])),
                "one map of two places, of which the second counts half",
                (0,),
            ),
            Case(
                (torch.tensor([[[[1.0, 2.0, 0.0]], [[3.0, 0.0, 1.0]]]]), torch.tensor([[[[1.0, 0.0, 1.0]]]])),
                "two maps of three places, of which the middle one does not count",
                (0,),
            ),
            Case((normal(1, 2, 2, 3), uniform(1, 1, 2, 3)), "a soft mask, wider than high", (0,)),
            Case((normal(1, 3, 3, 2, seed=1), _hard(uniform(1, 1, 3, 2, seed=1))), "a hard mask", (0,)),
            Case((normal(1, 2, 2, 3, seed=2), torch.ones(1, 1, 2, 3)), "a mask of ones", (0,)),
            Case((normal(1, 2, 1, 3, seed=3), uniform(1, 1, 1, 3, seed=3) / 10), "a faint mask"),
            Case((normal(1, 4, 5, 6, seed=4) + 1, uniform(1, 1, 5, 6, seed=4)), "four maps, a soft mask"),
        ],
        reference=_gram_by_places,
        mistakes=(
            Mistake(
                "The maps are multiplied with the mask on both sides, so a place that counts half counts a "
                "quarter. It shows at soft edges only. Multiply one of the two.",
                _guided(torch.square),
            ),
            Mistake(
                "Squares of the mask, divided by the sum of the squares: where it is hard that is the same, "
                "at soft edges a place counts for less than the mask says. Multiply one of the two sides.",
                _guided(torch.square, lambda mask, features: mask.square().sum()),
            ),
            *(
                Mistake(
                    "Two things: the mask stands on both sides, which squares it where it is soft, and the "
                    "divisor is not its sum, so a small region looks weak.",
                    _guided(torch.square, divisor),
                )
                for divisor in (
                    lambda mask, features: features[0].numel(),
                    lambda mask, features: features[0, 0].numel(),
                    lambda mask, features: len(features),
                )
            ),
            Mistake(
                "Divided by H·W, as if all places counted: the smaller the region, the weaker its style. "
                "Divide by the sum of the mask.",
                _guided(divisor=lambda mask, features: mask.numel()),
            ),
            Mistake(
                "Divided by C·H·W, as in notebook 01. Here it is the sum of the mask.",
                _guided(divisor=lambda mask, features: features[0].numel()),
            ),
            Mistake(
                "Divided by the number of places where the mask is not 0. One that counts half is half a "
                "place: divide by the sum of the mask.",
                _guided(divisor=lambda mask, features: mask.count_nonzero()),
            ),
            Mistake(
                "Added up, but not divided: a large region has large numbers, and no painting compares "
                "with it. Divide by the sum of the mask.",
                _guided(divisor=lambda mask, features: 1),
            ),
            Mistake(
                "It is divided by C too; here only by the sum of the mask.",
                _guided(divisor=lambda mask, features: features.shape[1] * mask.sum()),
            ),
            Mistake(
                "The mask is not looked at: this is the Gram matrix of the whole picture.",
                _guided(torch.ones_like, lambda mask, features: mask.numel()),
            ),
            Mistake(
                "The sum of the mask is in the divisor, but all places are counted in full. Multiply the "
                "maps with the mask, on one of the two sides.",
                _guided(torch.ones_like),
            ),
            Mistake(
                "The other way round: places count by 1 − mask, so this is the style of all the rest.",
                _guided(lambda mask: 1 - mask, lambda mask, features: (1 - mask).sum()),
            ),
            *(
                Mistake(
                    "The soft edge is gone: places count in full or not at all. Multiply with the mask as it "
                    "is, and divide by its sum.",
                    _all_above(above),
                )
                for above in (0.5, 0.0)
            ),
            *(
                Mistake(
                    "The mean of each map was subtracted first: that is a covariance, and forgets how strong "
                    "a feature is on the whole.",
                    _guided(change=change),
                )
                for change in (
                    lambda features, mask: features - features.mean((2, 3), keepdim=True),
                    _centred_under,
                )
            ),
            Mistake(
                "The values are right, but they are cut off from the features: without detach(), no_grad() "
                "or `.data` autograd can follow them back.",
                _guided(change=lambda features, mask: features.detach()),
            ),
        ),
        praise="Right, under hard masks and soft ones, and so is its gradient.",
    )
)
