"""Gradients that autograd finds, held against those measured on the reference by small differences."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from stylelab.checks.comparing import Shortfall
from stylelab.checks.exercise import Case, Exercise
from stylelab.checks.inputs import leaves, probe

STEP = 1e-5


def wrong_slope(exercise: Exercise, case: Case, gradients: tuple[Tensor | None, ...]) -> Shortfall | None:
    """What is wrong with the gradients of a case whose values are right, if anything.

    gradients: of the case's differentiated inputs, from the tensors' sum with the weights of `probe`.
    """
    if all(gradient is None for gradient in gradients):
        sentence = (
            "The values are right, but no gradient flows back to the input: is there a detach(), an item() "
        )
        return Shortfall(sentence + "or a no_grad() on the way?", what="gradient")
    many = sum(np.size(part) for part in _parts(exercise.expected(case.inputs))) > 1
    inputs = [leaf for number in case.slopes for leaf in leaves(case.inputs[number])]
    mine = [
        torch.zeros_like(leaf) if gradient is None else gradient
        for leaf, gradient in zip(inputs, gradients, strict=True)
    ]
    if not all(gradient.isfinite().all() for gradient in mine):
        worst = next(gradient for gradient in mine if not gradient.isfinite().all())
        return Shortfall(
            "The values are right, but the gradient is NaN or infinite here.", None, worst, "gradient"
        )
    if not case.smooth:
        return None
    for wanted, gradient in zip(_measured_slopes(exercise, case), mine, strict=True):
        if (gradient.double() - wanted).abs().max() > 1e-3 * wanted.abs().max() + 1e-5:
            sentence = "The values are right, the gradient that autograd finds is not."
            if many:
                sentence += " (Here of the answer's entries, taken 1, 2, 3, … times and added up.)"
            return Shortfall(sentence, wanted, gradient, "gradient")
    return None


def _measured_slopes(exercise: Exercise, case: Case) -> list[Tensor]:
    """The gradient of the reference by differences, a little up and a little down in each entry."""
    exact = [_double(value) for value in case.inputs]
    slopes = []
    for leaf in [leaf for number in case.slopes for leaf in leaves(exact[number])]:
        slope, entries = torch.zeros_like(leaf), leaf.view(-1)
        for place in range(leaf.numel()):
            sides = []
            for step in (STEP, -STEP):
                before = entries[place].item()
                entries[place] = before + step
                values = [_tensor(part) for part in _parts(exercise.expected(tuple(exact)))]
                sides.append(sum((value * probe(value)).sum().item() for value in values))
                entries[place] = before
            slope.view(-1)[place] = (sides[0] - sides[1]) / (2 * STEP)
        slopes.append(slope)
    return slopes


def _double(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.detach().double().clone().contiguous() if value.is_floating_point() else value
    if isinstance(value, dict):
        return {key: _double(part) for key, part in value.items()}
    return type(value)(map(_double, value)) if type(value) in (tuple, list) else value


def _parts(value: Any) -> list:
    if isinstance(value, dict):
        return [part for inner in value.values() for part in _parts(inner)]
    return [part for inner in value for part in _parts(inner)] if isinstance(value, tuple | list) else [value]


def _tensor(value: Any) -> Tensor:
    return torch.from_numpy(np.asarray(value, dtype=np.float64))
