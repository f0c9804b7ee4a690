"""The exercises of notebook 02: content loss, PSNR, the taps of a network, and what deep layers see."""

import numpy as np
import torch
from torch import Tensor

from stylelab.checks.drawing import normal, uniform
from stylelab.checks.engine import checker
from stylelab.checks.exercise import Case, Exercise, Mistake


def _two_maps() -> list[Case]:
    here, there = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]]), torch.tensor([[[[1.0, 0.0], [3.0, 0.0]]]])
    return [
        Case((here, there), "one channel, two of four features differ", (0,)),
        Case((here, here), "features that are equal", (0,)),
        Case((normal(1, 3, 2, 4), normal(1, 3, 2, 4, seed=1)), "random maps", (0,)),
        Case((normal(2, 3, 4, 2), normal(2, 3, 4, 2, seed=1)), "a batch of two", (0,)),
    ]


content_loss = checker(
    Exercise(
        name="content_loss",
        signature="content_loss(features, target)",
        task="The mean of the squared differences of two feature maps.\n\n"
        "features, target: (N, C, H, W), alike. Returns a scalar tensor, from which a gradient flows back "
        "to the features; whether one reaches the target does not matter.",
        cases=_two_maps,
        reference=lambda f, p: float(np.mean([(a - b) ** 2 for a, b in zip(f.flat, p.flat, strict=True)])),
        mistakes=(
            Mistake(
                "This is the sum. The mean is asked for: a sum grows with the layer and the picture, and so "
                "would the weight that suits it.",
                lambda f, p: (f - p).square().sum(),
            ),
            Mistake(
                "This is half the sum, as in the paper; the mean is asked for here.",
                lambda f, p: (f - p).square().sum() / 2,
            ),
            Mistake(
                "Half of the mean: leave the ½ out.",
                lambda f, p: (f - p).square().mean() / 2,
            ),
            Mistake(
                "The sum was divided by the number of pictures only; the mean is over C, H and W too.",
                lambda f, p: (f - p).square().sum() / len(f),
            ),
            Mistake(
                "The sum was divided by the C·H·W of one picture; the mean is over the pictures of the batch "
                "too.",
                lambda f, p: (f - p).square().sum() / f[0].numel(),
            ),
            Mistake(
                "These are absolute differences; they are to be squared.",
                lambda f, p: (f - p).abs().mean(),
            ),
            Mistake(
                "The differences were averaged before they were squared: those above and those below "
                "cancel. Square first.",
                lambda f, p: (f - p).mean().square(),
            ),
            Mistake(
                "The differences are not squared, so those above and those below cancel.",
                lambda f, p: (f - p).mean(),
            ),
            Mistake(
                "The square root is too much: a mean of squares is asked for.",
                lambda f, p: (f - p).square().mean().sqrt(),
            ),
            Mistake(
                "This is one number for each picture. A loss is one number: take the mean over the batch "
                "too.",
                lambda f, p: (f - p).square().mean((1, 2, 3)),
            ),
            Mistake(
                "Nothing was averaged yet: this is the map of squared differences.",
                lambda f, p: (f - p).square(),
            ),
            Mistake(
                "The value is right, but the features are detached: nothing is left to learn from. If you "
                "detach, detach the target.",
                lambda f, p: (f.detach() - p).square().mean(),
            ),
        ),
    )
)


psnr = checker(
    Exercise(
        name="psnr",
        signature="psnr(a, b)",
        task="How near two pictures are: −10 log₁₀ of the mean squared difference.\n\n"
        "a, b: (N, C, H, W) in [0, 1], alike, not equal. Returns one number, in decibels.",
        cases=lambda: [
            Case(
                (torch.tensor([[[[0.5]]]]), torch.tensor([[[[0.4]]]])), "one pixel that is off by 0.1: 20 dB"
            ),
            Case(
                (torch.zeros(1, 1, 1, 2), torch.tensor([[[[1.0, 0.0]]]])),
                "one pixel of two as wrong as can be",
            ),
            Case((uniform(1, 3, 4, 5), uniform(1, 3, 4, 5, seed=1)), "random pictures"),
            Case((uniform(2, 3, 4, 5), uniform(2, 3, 4, 5, seed=1) * 0.5), "a batch of two"),
        ],
        reference=lambda a, b: float(-10 * np.log10(((a - b) ** 2).mean())),
        mistakes=(
            Mistake(
                "The sign: a mean square below 1 has a negative logarithm, and PSNR is higher for nearer "
                "pictures. −10, not 10.",
                lambda a, b: 10 * (a - b).square().mean().log10(),
            ),
            Mistake(
                "It is twice too large: 20 belongs to the root of the mean square, 10 to the mean square.",
                lambda a, b: -20 * (a - b).square().mean().log10(),
            ),
            Mistake(
                "It is half of what it should be: leave out the square root, or take 20 in place of 10.",
                lambda a, b: -10 * (a - b).square().mean().sqrt().log10(),
            ),
            Mistake(
                "This is the natural logarithm; decibels take the one to base 10, `log10`.",
                lambda a, b: -10 * (a - b).square().mean().log(),
            ),
            Mistake(
                "The squares were added, not averaged.",
                lambda a, b: -10 * (a - b).square().sum().log10(),
            ),
            Mistake(
                "This takes 255 as the largest value. These pictures are in [0, 1], so the peak is 1.",
                lambda a, b: 20 * np.log10(255) - 10 * (a - b).square().mean().log10(),
            ),
            Mistake(
                "These are absolute differences; square them.",
                lambda a, b: -10 * (a - b).abs().mean().log10(),
            ),
            Mistake(
                "The differences are not squared, so those above and those below cancel.",
                lambda a, b: -10 * (a - b).mean().log10(),
            ),
            Mistake(
                "The square comes after the mean, when differences above and below have cancelled. Square "
                "first.",
                lambda a, b: -10 * (a - b).mean().square().log10(),
            ),
            Mistake(
                "The factor 10 is missing: deci-bel.",
                lambda a, b: -(a - b).square().mean().log10(),
            ),
            Mistake(
                "This is the mean square. PSNR is −10 times its logarithm.",
                lambda a, b: (a - b).square().mean(),
            ),
            Mistake(
                "This averages the decibels of each picture; take the mean square of all first.",
                lambda a, b: -10 * (a - b).square().mean((1, 2, 3)).log10().mean(),
            ),
        ),
    )
)


def _slope(x: np.ndarray, target: np.ndarray) -> np.ndarray:
    slope, step = np.zeros_like(x), 1e-6
    for place in np.ndindex(x.shape):
        sides = []
        for side in (step, -step):
            moved = x.copy()
            moved[place] += side
            sides.append(((np.maximum(moved, 0) - target) ** 2).mean())
        slope[place] = (sides[0] - sides[1]) / (2 * step)
    return slope * (x != 0)  # at the kink 0 by agreement, as autograd has it


def _of_relu(x: Tensor, p: Tensor) -> Tensor:
    return 2 / x.numel() * (x - p) * (x > 0)


gradient_before_relu = checker(
    Exercise(
        name="gradient_before_relu",
        signature="gradient_before_relu(x, target)",
        task="The gradient of the mean of (F − P)², F = max(X, 0), with respect to X, without backward().\n\n"
        "x: X, (1, C, H, W), before the ReLU. target: P, of the same shape. Returns that shape.",
        cases=lambda: [
            Case(
                (torch.tensor([[[[2.0, -1.0]]]]), torch.tensor([[[[0.5, 3.0]]]])), "one feature on, one off"
            ),
            Case(
                (torch.tensor([[[[2.0, 1.0]]]]), torch.tensor([[[[0.0, 3.0]]]])),
                "a target that is 0 somewhere",
            ),
            Case(
                (torch.tensor([[[[0.0, 1.0]]]]), torch.tensor([[[[2.0, 3.0]]]])),
                "an x that is 0, and so is F",
            ),
            Case((normal(1, 3, 4, 5), normal(1, 3, 4, 5, seed=1).clamp_min(0)), "random maps"),
        ],
        reference=_slope,
        by_hand=True,
        mistakes=(
            Mistake(
                "Where x is negative, a small change of it changes nothing behind the ReLU: the gradient "
                "there is 0. Multiply by `(x > 0)`.",
                lambda x, p: 2 / x.numel() * (x.clamp_min(0) - p),
            ),
            Mistake(
                "This is the gradient of (X − P)²: the ReLU is left out altogether.",
                lambda x, p: 2 / x.numel() * (x - p),
            ),
            Mistake(
                "The factor 2 of the square is missing.",
                lambda x, p: _of_relu(x, p) / 2,
            ),
            Mistake(
                "The loss is a mean, so its gradient is divided by the number of entries too.",
                lambda x, p: _of_relu(x, p) * x.numel(),
            ),
            Mistake(
                "The factor 2 and the division by the number of entries are missing.",
                lambda x, p: _of_relu(x, p) * x.numel() / 2,
            ),
            Mistake(
                "It points the other way: F − P, not P − F.",
                lambda x, p: -_of_relu(x, p),
            ),
            Mistake(
                "It is 0 where the target is 0. The ReLU looks at x: `(x > 0)`.",
                lambda x, p: 2 / x.numel() * (x.clamp_min(0) - p) * (p > 0),
            ),
            Mistake(
                "Where x is 0, F is 0, and the gradient there is 0 by agreement: `x > 0`, not `>=`.",
                lambda x, p: 2 / x.numel() * (x - p) * (x >= 0),
            ),
        ),
    )
)
