"""The exercises of notebook 07 on the way down: staying in [0, 1], and one step of Adam."""

import numpy as np
import torch
from torch import Tensor

from stylelab.checks.drawing import normal
from stylelab.checks.engine import checker
from stylelab.checks.exercise import Case, Exercise, Mistake


def _fence(image: np.ndarray) -> float:
    return sum((value - min(max(value, 0.0), 1.0)) ** 2 for value in image.flat) / image.size


def _strays() -> list[Case]:
    return [
        Case((torch.tensor([[[[-0.5]]]]),), "one pixel below 0", (0,)),
        Case((torch.tensor([[[[0.3, 0.9]]]]),), "a picture inside [0, 1]", (0,)),
        Case((torch.tensor([[[[-0.5, 0.1, 0.3], [0.8, 1.2, 0.9]]]]),), "one pixel below, one above", (0,)),
        Case((normal(1, 3, 2, 3),), "three channels", (0,)),
        Case((normal(2, 3, 4, 5),), "a batch of two"),
    ]


def _outside(x: Tensor) -> Tensor:
    return x - x.clamp(0, 1)


penalty = checker(
    Exercise(
        name="penalty",
        signature="penalty(image)",
        task="The mean square of what is outside [0, 1].\n\n"
        "image: (N, C, H, W). Returns a scalar tensor, from which a gradient flows back to the image.",
        cases=_strays,
        reference=_fence,
        mistakes=(
            Mistake(
                "This is the sum; the mean over all values is asked for.",
                lambda x: _outside(x).square().sum(),
            ),
            Mistake(
                "The mean is over those outside only. Over all values: then it grows with their number.",
                lambda x: _outside(x).square().sum() / max(1, int((_outside(x) != 0).sum())),
            ),
            Mistake("These are absolute values; square them.", lambda x: _outside(x).abs().mean()),
            Mistake("Nothing below 0 is counted.", lambda x: (x - x.clamp_max(1)).square().mean()),
            Mistake("Nothing above 1 is counted.", lambda x: (x - x.clamp_min(0)).square().mean()),
            Mistake(
                "This is the mean square of the picture inside [0, 1]; what is outside is `image - "
                "image.clamp(0, 1)`.",
                lambda x: x.clamp(0, 1).square().mean(),
            ),
            Mistake("Half of it: leave the ½ out.", lambda x: _outside(x).square().mean() / 2),
            Mistake("Not averaged yet: one number is asked for.", lambda x: _outside(x).square()),
            Mistake(
                "The value is right, but cut off from the image: no gradient flows back.",
                lambda x: _outside(x.detach()).square().mean(),
            ),
        ),
    )
)


def _fence_slope(image: np.ndarray) -> np.ndarray:
    slope, step = np.zeros_like(image), 1e-6
    for place in np.ndindex(image.shape):
        sides = []
        for side in (step, -step):
            moved = image.copy()
            moved[place] += side
            sides.append(_fence(moved))
        slope[place] = (sides[0] - sides[1]) / (2 * step)
    return slope


penalty_gradient = checker(
    Exercise(
        name="penalty_gradient",
        signature="penalty_gradient(image)",
        task="The gradient of the mean square of what is outside [0, 1], with respect to the image, without "
        "autograd.\n\n"
        "image: (N, C, H, W). Returns the same shape.",
        cases=lambda: [Case(case.inputs, case.about) for case in _strays()],
        reference=_fence_slope,
        by_hand=True,
        mistakes=(
            Mistake("The factor 2 of the square is missing.", lambda x: _outside(x) / x.numel()),
            Mistake("The penalty is a mean: divide by the number of values.", lambda x: 2 * _outside(x)),
            Mistake(
                "The factor 2 and the division by the number of values are missing.", lambda x: _outside(x)
            ),
            Mistake(
                "It has the wrong sign. A gradient points uphill, away from [0, 1]; the descent subtracts "
                "it.",
                lambda x: -2 * _outside(x) / x.numel(),
            ),
            Mistake(
                "The sign is lost: below 0 the gradient is negative.",
                lambda x: 2 * _outside(x).abs() / x.numel(),
            ),
            Mistake(
                "Every pixel outside is pulled alike; the pull grows with how far it strayed.",
                lambda x: 2 * _outside(x).sign() / x.numel(),
            ),
            Mistake(
                "This is 2x where x is outside; what counts is how far outside: x − 1 above, x below.",
                lambda x: 2 * x * (_outside(x) != 0) / x.numel(),
            ),
            Mistake(
                "Divided by the number of values outside; the mean is over all of them.",
                lambda x: 2 * _outside(x) / max(1, int((_outside(x) != 0).sum())),
            ),
        ),
    )
)


def _adam(x, g, m, v, t, rate, b1=0.9, b2=0.999) -> tuple:
    m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
    return x - rate * (m / (1 - b1**t)) / ((v / (1 - b2**t)) ** 0.5 + 1e-8), m, v


def _step(t: int, about: str, size: int = 3) -> Case:
    x, g, m = (normal(size, seed=seed) for seed in (1, 2, 3))
    v = normal(size, seed=4).square()
    if t == 1:
        m, v = torch.zeros(size), torch.zeros(size)
    return Case((x, g, m, v, t, 0.1), about)


def _few(x: list[float], g: list[float], t: int, about: str, tolerance: float | None = None) -> Case:
    """Chosen values; so far the gradient was 0."""
    none = torch.zeros(len(x))
    return Case((torch.tensor(x), torch.tensor(g), none, none, t, 0.1), about, tolerance=tolerance)


def _variant(
    new_m: bool = True,
    correct: bool = True,
    root: bool = True,
    t_from: int = 0,
    swap: bool = False,
    up: int = -1,
    powers: bool = True,
    epsilon: str = "beside",
):
    """An imitation: one step of Adam with one thing done otherwise."""

    def step(
        x: Tensor, g: Tensor, m: Tensor, v: Tensor, t: int, rate: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        b1, b2 = (0.999, 0.9) if swap else (0.9, 0.999)
        m1, v1 = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
        m2, v2 = (m1, v1) if new_m else (m, v)
        if correct:
            since = t - t_from if powers else 1
            m2, v2 = m2 / (1 - b1**since), v2 / (1 - b2**since)
        if epsilon == "inside":
            return x + up * rate * m2 / (v2 + 1e-8).sqrt(), m1, v1
        below = v2.sqrt() if root else v2
        return x + up * rate * m2 / (below + 1e-8 if epsilon == "beside" else below), m1, v1

    return step


adam_step = checker(
    Exercise(
        name="adam_step",
        signature="adam_step(x, g, m, v, t, rate)",
        task="One step of Adam, with β₁ = 0.9, β₂ = 0.999 and ε = 1e-8.\n\n"
        "x: the values. g: their gradient. m, v: the running means of g and g². t: the number of this step, "
        "from 1. rate: η. All but the last two of one shape. Returns the new x, m and v.",
        cases=lambda: [
            _step(1, "the first step, one value", 1),
            _step(1, "the first step, three values"),
            _step(2, "the second step"),
            _step(10, "the tenth step"),
            _few([0.5, 0.25], [0.0, 1.0], 1, "a value whose gradient is 0"),
            _few([1.5, -0.75], [-1.0, 2.0], 1, "values outside [0, 1]"),
            # Its tolerance leaves open whether ε is added before or after the correction.
            _few([0.5, 0.25], [1e-4, -1e-4], 1, "very small gradients", 5e-3),
        ],
        reference=_adam,
        parts=("the new x", "the new m", "the new v"),
        mistakes=(
            Mistake(
                "m and v are not corrected for their start at 0: divide by 1 − β₁ᵗ and 1 − β₂ᵗ.",
                _variant(correct=False),
            ),
            Mistake(
                "β stands for βᵗ in the correction: divide by 1 − β₁ᵗ and 1 − β₂ᵗ, which grow towards 1.",
                _variant(powers=False),
            ),
            Mistake(
                "ε is missing: where the gradient has always been 0, the step is 0 / 0, not a number. Add it "
                "to the root.",
                _variant(epsilon="none"),
            ),
            Mistake(
                "ε stands under the root, where it is 1e-4: small gradients then make smaller steps than the "
                "rate. Add it to the root.",
                _variant(epsilon="inside"),
            ),
            *(
                Mistake(
                    f"x was kept {where}: a step of Adam lets it land anywhere. How a picture stays in "
                    "[0, 1] is another setting.",
                    lambda *a, low=low, high=high: ((new := _adam(*a))[0].clamp(low, high), *new[1:]),
                )
                for where, low, high in (("in [0, 1]", 0, 1), ("above 0", 0, None), ("below 1", None, 1))
            ),
            Mistake(
                "m and v came back in the wrong order: x, m, v.",
                lambda *a: ((new := _adam(*a))[0], new[2], new[1]),
            ),
            Mistake("The step uses the old m and v; compute the new ones first.", _variant(new_m=False)),
            Mistake("The root of v is missing: v is a mean of squares.", _variant(root=False)),
            Mistake(
                "β₁ and β₂ are exchanged: m forgets fast, 0.9, and v slowly, 0.999.", _variant(swap=True)
            ),
            Mistake("It climbs: the step is subtracted from x.", _variant(up=1)),
            Mistake("t counts from 1: here it is one too small.", _variant(t_from=1)),
            Mistake("t is one too large: at the first step it is 1 already.", _variant(t_from=-1)),
            Mistake(
                "The corrected m and v were handed back; the next step needs them as they are, before the "
                "correction.",
                lambda x, g, m, v, t, rate: (
                    (new := _adam(x, g, m, v, t, rate))[0],
                    new[1] / (1 - 0.9**t),
                    new[2] / (1 - 0.999**t),
                ),
            ),
            Mistake(
                "Only x came back; the next step needs the new m and v as well.",
                lambda *a: _adam(*a)[0],
            ),
            Mistake(
                "x is new, but the m and v handed back are the old ones.",
                lambda x, g, m, v, t, rate: (_adam(x, g, m, v, t, rate)[0], m, v),
            ),
        ),
    )
)
