"""The exercise of notebook 11 on how much each region's style loss counts."""

from collections.abc import Sequence

from stylelab.checks.engine import checker
from stylelab.checks.exercise import Case, Exercise, Mistake

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
