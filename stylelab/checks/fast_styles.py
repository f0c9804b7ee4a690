"""The exercises of notebook 09 on a network of many styles: two numbers a map, and mixtures of them."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from stylelab.checks.drawing import normal
from stylelab.checks.engine import checker
from stylelab.checks.exercise import Case, Exercise, Mistake

EPSILON = 1e-5  # as in most published code


def _normed(maps: np.ndarray, scales: np.ndarray, shifts: np.ndarray, chosen: Sequence[int]) -> np.ndarray:
    made = np.empty_like(maps)
    for n, c in np.ndindex(maps.shape[:2]):
        values = maps[n, c]
        spread = np.sqrt(np.square(values - values.mean()).mean() + EPSILON)
        made[n, c] = scales[chosen[n], c] * (values - values.mean()) / spread + shifts[chosen[n], c]
    return made


def _of_styles(numbers: Tensor, chosen: Sequence[int]) -> Tensor:
    return numbers[list(chosen)][:, :, None, None]


def _norm(
    over: tuple[int, ...] = (2, 3),
    correction: int = 0,
    epsilon: float = EPSILON,
    outside: bool = False,
    rooted: bool = True,
    combine: Callable = lambda x, scale, shift: x * scale + shift,
    pick: Callable[[Tensor, Sequence[int]], Tensor] = _of_styles,
    centred: bool = True,
) -> Callable:
    """An imitation: the exercise's function, with one thing done otherwise."""

    def imitation(maps: Tensor, scales: Tensor, shifts: Tensor, chosen: Sequence[int]) -> Tensor:
        mean = maps.mean(over, keepdim=True)
        variance = maps.var(over, correction=correction, keepdim=True)
        spread = variance.sqrt() + epsilon if outside else (variance + epsilon).sqrt()
        x = (maps - mean if centred else maps) / (spread if rooted else variance + epsilon)
        return combine(x, pick(scales, chosen), pick(shifts, chosen))

    return imitation


def _tables(styles: int, channels: int) -> tuple[Tensor, Tensor]:
    return normal(styles, channels, seed=3) + 2, 3 * normal(styles, channels, seed=4)


conditional_instance_norm = checker(
    Exercise(
        name="conditional_instance_norm",
        signature="conditional_instance_norm(maps, scales, shifts, chosen)",
        task="Every map of every picture brought to mean 0 and standard deviation 1 over its own places, "
        "then multiplied by its style's scale and moved by its style's shift.\n\n"
        "maps: (N, C, H, W). scales, shifts: (S, C), a row for each of S styles. chosen: a list of N whole "
        "numbers, the style of each picture. The standard deviation is the root of the mean square plus "
        "1e-5. Returns (N, C, H, W).",
        cases=lambda: [
            Case(
                (torch.tensor([[[[0.0, 2.0]]]]), torch.tensor([[3.0]]), torch.tensor([[5.0]]), [0]),
                "one map of two places",
                (0, 1, 2),
            ),
            Case((normal(1, 2, 2, 3) * 4 + 1, *_tables(1, 2), [0]), "two maps, of one style", (0, 1, 2)),
            Case((normal(1, 2, 2, 3, seed=1), *_tables(3, 2), [2]), "the third style of three", (0,)),
            Case((normal(2, 2, 2, 2, seed=2) + 1, *_tables(3, 2), [2, 0]), "two pictures, styles 2 and 0"),
            Case((normal(3, 3, 2, 3, seed=5) - 2, *_tables(2, 3), [1, 1, 0]), "three pictures of two styles"),
            Case((normal(1, 2, 2, 2, seed=6) / 500, *_tables(1, 2), [0]), "maps that are nearly flat"),
        ],
        reference=_normed,
        mistakes=(
            Mistake(
                "This is batch norm: mean and spread are taken over all pictures of the batch. Each picture "
                "is an instance of its own: `dim=(2, 3)`.",
                _norm((0, 2, 3)),
            ),
            Mistake(
                "This is layer norm: mean and spread are taken over all maps of a picture together. Each "
                "map has its own: `dim=(2, 3)`.",
                _norm((1, 2, 3)),
            ),
            Mistake("Mean and spread of each row; a map has two dimensions, `dim=(2, 3)`.", _norm((3,))),
            Mistake(
                "The spread is that of a sample, divided by H·W − 1, as `std` does by itself. Here it is the "
                "root of the mean square: `correction=0`.",
                _norm(correction=1),
            ),
            Mistake(
                "Two things: `std` divides by H·W − 1 unless told otherwise (`correction=0`), and the 1e-5 "
                "under the root is missing.",
                _norm(correction=1, epsilon=0.0),
            ),
            Mistake(
                "Two things: `std` divides by H·W − 1 unless told otherwise (`correction=0`), and the 1e-5 "
                "belongs under the root.",
                _norm(correction=1, outside=True),
            ),
            Mistake("The maps are divided by the variance; its root is the spread.", _norm(rooted=False)),
            Mistake("The 1e-5 stands beside the root; it belongs under it.", _norm(outside=True)),
            Mistake("The 1e-5 is missing: a flat map has no spread to be divided by.", _norm(epsilon=0.0)),
            Mistake("The mean is not taken away.", _norm(centred=False)),
            Mistake("The shift is missing.", _norm(combine=lambda x, scale, shift: x * scale)),
            Mistake("The scale is missing.", _norm(combine=lambda x, scale, shift: x + shift)),
            Mistake(
                "Moved first, then multiplied: the shift is stretched too. Multiply first.",
                _norm(combine=lambda x, scale, shift: (x + shift) * scale),
            ),
            Mistake(
                "Scale and shift are exchanged.", _norm(combine=lambda x, scale, shift: x * shift + scale)
            ),
            Mistake(
                "The maps are normalised, and that is all: no style has changed them.",
                _norm(combine=lambda x, scale, shift: x),
            ),
            Mistake(
                "Every picture gets the first style: look its row up by `chosen`.",
                _norm(pick=lambda numbers, chosen: _of_styles(numbers, [0] * len(chosen))),
            ),
            Mistake(
                "Every picture gets the style of the first one: `scales[chosen]` has a row for each.",
                _norm(pick=lambda numbers, chosen: _of_styles(numbers, [chosen[0]] * len(chosen))),
            ),
            Mistake(
                "The first picture gets the first style, the second the second: `chosen` is not looked at.",
                _norm(pick=lambda numbers, chosen: numbers[: len(chosen), :, None, None]),
            ),
        ),
    )
)


def _mixed(vectors: Mapping[str, np.ndarray], weights: Mapping[str, float]) -> np.ndarray:
    parts = [weight / sum(weights.values()) * vectors[name] for name, weight in weights.items()]
    return np.sum(parts, axis=0)


def _three() -> dict[str, Tensor]:
    return {name: normal(4, seed=number) for number, name in enumerate(("brick", "gravel", "hubble"))}


def _summed(share: Callable[[Mapping[str, float]], Mapping[str, float]]) -> Callable:
    """An imitation: a sum in which each style has the share that `share` gives it."""
    return lambda vectors, weights: torch.stack(
        [part * vectors[name] for name, part in share(weights).items()]
    ).sum(0)


def _softmax(weights: Mapping[str, float]) -> dict[str, float]:
    total = sum(float(np.exp(weight)) for weight in weights.values())
    return {name: float(np.exp(weight)) / total for name, weight in weights.items()}


def _each_by(divisor: Callable[[Mapping[str, float]], float]) -> Callable:
    return lambda weights: {name: weight / divisor(weights) for name, weight in weights.items()}


mixture = checker(
    Exercise(
        name="mixture",
        signature="mixture(vectors, weights)",
        task="The vector of a mixture of styles: their weighted mean, so that only the proportions of the "
        "weights count.\n\n"
        "vectors: {name: (M,)}, of all styles. weights: {name: number}, of some of them, 0 or more, not all "
        "0. Returns (M,).",
        cases=lambda: [
            Case(({"brick": torch.tensor([2.0])}, {"brick": 3.0}), "one style, of weight 3", (0,)),
            Case(
                (
                    {"brick": torch.tensor([1.0, 0.0]), "gravel": torch.tensor([0.0, 1.0])},
                    {"brick": 1.0, "gravel": 1.0},
                ),
                "half and half",
                (0,),
            ),
            Case((_three(), {"hubble": 3.0, "brick": 1.0}), "two of three styles, 3 to 1", (0,)),
            Case((_three(), {"gravel": 0.2, "hubble": 0.0, "brick": 0.3}), "weights 0.2, 0 and 0.3"),
            Case((_three(), {"gravel": 0.6, "brick": 0.4}), "weights that add up to 1"),
        ],
        reference=_mixed,
        mistakes=(
            Mistake(
                "The weights are taken as they are: twice as much of everything would be another style. "
                "Divide by their sum.",
                _summed(dict),
            ),
            Mistake(
                "Divided by the number of styles. It is the sum of the weights that makes it a mean.",
                _summed(_each_by(len)),
            ),
            Mistake(
                "Divided by the largest weight; divide by their sum.",
                _summed(_each_by(lambda weights: max(weights.values()))),
            ),
            Mistake(
                "A plain mean: the weights are not looked at.",
                _summed(lambda weights: {name: 1 / len(weights) for name in weights}),
            ),
            Mistake(
                "A softmax of the weights: 3 to 1 becomes 7 to 1, and a style of weight 0 takes part.",
                _summed(_softmax),
            ),
            Mistake(
                "The heaviest style alone is not a mixture.",
                lambda vectors, weights: vectors[max(weights, key=lambda name: weights[name])] * 1.0,
            ),
            Mistake(
                "Weights and vectors were paired by their place in the dict. Look each up by its name.",
                lambda vectors, weights: (
                    torch.stack(
                        [v * w for v, w in zip(vectors.values(), weights.values(), strict=False)]
                    ).sum(0)
                    / sum(weights.values())
                ),
            ),
            Mistake(
                "Styles that were not asked for take part with weight 1: go through the weights.",
                lambda vectors, weights: (
                    torch.stack([v * weights.get(name, 1.0) for name, v in vectors.items()]).sum(0)
                    / sum(weights.get(name, 1.0) for name in vectors)
                ),
            ),
        ),
    )
)
