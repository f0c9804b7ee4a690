"""The exercise of notebook 11 on laying a painted picture on a photograph through masks."""

from collections.abc import Callable, Sequence
from functools import reduce

import numpy as np
import torch
from torch import Tensor

from stylelab.checks.drawing import uniform
from stylelab.checks.engine import checker
from stylelab.checks.exercise import Case, Exercise, Mistake


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
                    lambda masks: (_sum(masks) > 0.5).float(),
                    lambda masks: (_largest(masks) > 0.5).float(),
                    lambda masks: (_sum(masks) > 0).float(),
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
