"""The exercises of notebook 11: a style measured under a mask, and what masks make of a picture."""

from collections.abc import Callable, Sequence
from functools import reduce

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


def _laid(photograph: np.ndarray, painted: np.ndarray, masks: Sequence[np.ndarray]) -> np.ndarray:
    made = np.empty_like(photograph)
    for row, column in np.ndindex(photograph.shape[2:]):
        share = min(1.0, sum(mask[0, 0, row, column] for mask in masks))
        place = (0, slice(None), row, column)
        made[place] = (1 - share) * photograph[place] + share * painted[place]
    return made


def _sum(masks: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(masks)).sum(0)


def _largest(masks: Sequence[Tensor]) -> Tensor:
    return reduce(torch.maximum, masks)


def _lay(
    claim: Callable[[Sequence[Tensor]], Tensor] = lambda masks: _sum(masks).clamp(max=1),
    combine: Callable = lambda photograph, painted, share: photograph + share * (painted - photograph),
) -> Callable:
    """An imitation: the exercise's function, with one thing done otherwise."""
    return lambda photograph, painted, masks: combine(photograph, painted, claim(masks))


def _pixels(*rows: list[float]) -> tuple[Tensor, Tensor, list[Tensor]]:
    """The same pixel a few times, as photographed and as painted, and a mask of each row."""
    photograph, painted = (
        torch.tensor(colour).view(1, 3, 1, 1).repeat(1, 1, 1, len(rows[0]))
        for colour in ([0.2, 0.4, 0.6], [0.9, 0.1, 0.4])
    )
    return photograph, painted, [torch.tensor([[[row]]], dtype=torch.float32) for row in rows]


laid_on = checker(
    Exercise(
        name="laid_on",
        signature="laid_on(photograph, painted, masks)",
        task="The painted picture where the masks claim it, the photograph where none does, blended in "
        "between.\n\n"
        "photograph, painted: (1, 3, H, W) in [0, 1]. masks: a list of one or more, each (1, 1, H, W) in "
        "[0, 1]. A pixel is claimed by their sum, and by no more than 1 where they overlap. Returns "
        "(1, 3, H, W).",
        cases=lambda: [
            Case(_pixels([0.25]), "one pixel, of which a mask claims a quarter"),
            Case(_pixels([0.5], [0.75]), "one pixel and two masks that overlap, 0.5 and 0.75"),
            Case(_pixels([0.25], [0.5]), "one pixel and two faint masks, 0.25 and 0.5"),
            Case(_pixels([0, 1]), "two pixels: the mask holds in the second"),
            Case(_pixels([1, 0, 0], [0, 1, 0]), "three pixels, and two masks side by side"),
            Case(
                (
                    uniform(1, 3, 3, 4),
                    uniform(1, 3, 3, 4, seed=1),
                    [0.6 * uniform(1, 1, 3, 4, seed=seed) for seed in (2, 3, 4)],
                ),
                "three soft masks",
            ),
        ],
        reference=_laid,
        mistakes=(
            Mistake(
                "Where masks overlap their sum is above 1, and the painted picture is overdone: cut the sum "
                "with `clamp(max=1)`.",
                _lay(_sum),
            ),
            Mistake(
                "It is the finished picture that was cut to [0, 1]. Cut the sum of the masks, before "
                "anything is blended.",
                lambda photograph, painted, masks: _lay(_sum)(photograph, painted, masks).clamp(0, 1),
            ),
            Mistake(
                "The sum was divided by its largest value, so an overlap somewhere fades the paint "
                "everywhere. Cut it: `clamp(max=1)`.",
                _lay(lambda masks: _sum(masks) / _sum(masks).max().clamp_min(1)),
            ),
            Mistake(
                "The masks are multiplied: only where all of them hold is anything painted. Add them.",
                _lay(lambda masks: reduce(torch.mul, masks)),
            ),
            Mistake(
                "The mean of the masks: with two of them, a pixel that one claims wholly is only half "
                "painted. Add them, and cut at 1.",
                _lay(lambda masks: _sum(masks) / len(masks)),
            ),
            Mistake(
                "Only the first mask is used; each of them may claim a pixel.", _lay(lambda masks: masks[0])
            ),
            Mistake(
                "Only the last mask is used; each of them may claim a pixel.", _lay(lambda masks: masks[-1])
            ),
            Mistake(
                "The largest of the masks. Two that claim a quarter each claim a half together: add them.",
                _lay(_largest),
            ),
            Mistake(
                "Laid on mask by mask: the second gets its share of what the first has left, and two halves "
                "make three quarters. Add the masks first.",
                _lay(lambda masks: 1 - reduce(torch.mul, [1 - mask for mask in masks])),
            ),
            Mistake(
                "The roles are exchanged: the painted picture belongs where the masks claim it.",
                _lay(combine=lambda photograph, painted, share: painted + share * (photograph - painted)),
            ),
            *(
                Mistake(
                    "The edge is hard: each pixel is wholly the one or the other. Blend by what the masks "
                    "claim.",
                    _lay(claim),
                )
                for claim in (
                    lambda masks: _hard(_sum(masks)),
                    lambda masks: _hard(_largest(masks)),
                    lambda masks: _hard(_sum(masks), 0),
                )
            ),
            Mistake(
                "Only the painted picture, black where no mask claims it. The photograph belongs there.",
                _lay(combine=lambda photograph, painted, share: share * painted),
            ),
            Mistake(
                "The paint is added to the photograph, which stays in full below it. It keeps 1 − share.",
                _lay(combine=lambda photograph, painted, share: photograph + share * painted),
            ),
        ),
        praise="Right: where no mask holds, the photograph is itself.",
    )
)

Numbers = Sequence[float]


def _times(numbers: Numbers, factor: float) -> list[float]:
    return [factor * number for number in numbers]


def _products(areas: Numbers, weights: Numbers) -> list[float]:
    return [area * weight for area, weight in zip(areas, weights, strict=True)]


def _fair(areas: Numbers, weights: Numbers) -> list[float]:
    parts = _products(areas, weights)
    return _times(parts, sum(areas) / sum(parts))


shares = checker(
    Exercise(
        name="shares",
        signature="shares(areas, weights)",
        task="How much each painting's style loss counts: in proportion to its area times its weight, and "
        "all together as much as the area that is painted.\n\n"
        "areas: a list, of each painting's mask the share of the picture that it covers; the masks do not "
        "overlap. weights: a list of as many numbers from 0 upwards, not all 0. Returns a list of as many "
        "numbers.",
        cases=lambda: [
            Case(([0.5], [2.0]), "one painting, on half of the picture"),
            Case(([0.25, 0.75], [1.0, 1.0]), "two paintings that cover the picture"),
            Case(([0.3, 0.3], [1.0, 3.0]), "two areas alike, weights 1 and 3"),
            Case(([0.1, 0.4], [4.0, 1.0]), "a small area of weight 4"),
            Case(([0.2, 0.3, 0.1], [1.0, 0.5, 2.0]), "three paintings, and four tenths left as they are"),
            Case(([0.4, 0.6], [1.0, 0.0]), "a painting of weight 0"),
        ],
        reference=_fair,
        mistakes=(
            *(
                Mistake(
                    "The areas are not looked at: a small region counts as much as a large one, so each of "
                    "its places counts for more. Multiply each weight by its area.",
                    imitation,
                )
                for imitation in (
                    lambda areas, weights: _times(weights, 1 / sum(weights)),
                    lambda areas, weights: _times(weights, sum(areas) / sum(weights)),
                )
            ),
            *(
                Mistake("The weights are not looked at. Multiply each area by its own.", imitation)
                for imitation in (
                    lambda areas, weights: _times(areas, 1),
                    lambda areas, weights: _times(areas, 1 / sum(areas)),
                )
            ),
            Mistake(
                "They add up to 1, also where a part of the picture stays a photograph: the less is painted, "
                "the more strongly. Multiply by the sum of the areas.",
                lambda areas, weights: _times(_products(areas, weights), 1 / sum(_products(areas, weights))),
            ),
            *(
                Mistake(
                    "Divided by the number of paintings, so twice the weights would be twice the style. "
                    "The divisor is the sum of all area · weight.",
                    imitation,
                )
                for imitation in (
                    lambda areas, weights: _times(_products(areas, weights), 1 / len(areas)),
                    lambda areas, weights: _times(_products(areas, weights), sum(areas) / len(areas)),
                )
            ),
            *(
                Mistake(
                    "Area times weight, divided by no sum of them: only the proportions of the weights are "
                    "to count.",
                    imitation,
                )
                for imitation in (
                    _products,
                    lambda areas, weights: _times(_products(areas, weights), sum(areas)),
                )
            ),
            *(
                Mistake(
                    "Areas and weights are divided by sums of their own. Multiply first; the divisor is the "
                    "sum of the products.",
                    imitation,
                )
                for imitation in (
                    lambda areas, weights: _times(_products(areas, weights), 1 / sum(weights)),
                    lambda areas, weights: _times(_products(areas, weights), 1 / sum(weights) / sum(areas)),
                    lambda areas, weights: _times(_products(areas, weights), len(areas) / sum(weights)),
                )
            ),
        ),
        praise="Right: each place feels its painting as it would the only one.",
    )
)
