"""The exercises of notebook 03 on total variation: its value, its effect on an edge, its weight."""

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from stylelab.checks.drawing import uniform
from stylelab.checks.engine import checker
from stylelab.checks.exercise import Case, Exercise, Mistake


def _loops(image: np.ndarray) -> float:
    across, down = [], []
    for n, c, row, column in np.ndindex(image.shape):
        here = image[n, c, row, column]
        if column + 1 < image.shape[3]:
            across.append(abs(image[n, c, row, column + 1] - here))
        if row + 1 < image.shape[2]:
            down.append(abs(image[n, c, row + 1, column] - here))
    return float(np.mean(across) + np.mean(down))


def _pictures() -> list[Case]:
    climb = torch.tensor([[[[0.0, 0.5, 1.0], [0.0, 0.5, 1.0]]]])
    flat = torch.arange(3.0).view(1, 3, 1, 1).expand(1, 3, 2, 2).contiguous() / 2
    return [
        Case(
            (torch.full((1, 1, 2, 2), 0.5),),
            "a picture of one colour, whose total variation is 0",
            (0,),
            False,
        ),
        Case((climb,), "a climb to the right", (0,), False),
        Case((climb.mT.contiguous(),), "a climb downwards", (0,), False),
        Case((torch.tensor([[[[0.0, 1.0, 0.0], [0.0, 1.0, 0.0]]]]),), "a zigzag, up and down again"),
        Case((flat,), "three channels, each of one value"),
        Case((flat.transpose(0, 1).contiguous(),), "three pictures, each of one value"),
        Case((uniform(1, 3, 3, 5),), "a random picture, wider than high", (0,)),
        Case((uniform(2, 3, 5, 4),), "a batch of two"),
    ]


def _two(image: Tensor, form: Callable[[Tensor], Tensor], mean: Callable = torch.mean) -> Tensor:
    return mean(form(image.diff(dim=-1))) + mean(form(image.diff(dim=-2)))


def _around(image: Tensor) -> Tensor:
    return sum(((image.roll(-1, dim) - image).abs().mean() for dim in (-1, -2)), image.new_zeros(()))


def _along(*axes: int) -> Callable[[Tensor], Tensor]:
    return lambda image: torch.stack([image.diff(dim=axis).abs().mean() for axis in axes]).sum()


def _by_twos(image: Tensor) -> Tensor:
    height, width = (size // 2 * 2 for size in image.shape[-2:])
    across = image[..., 1::2] - image[..., :width:2]
    return across.abs().mean() + (image[..., 1::2, :] - image[..., :height:2, :]).abs().mean()


total_variation = checker(
    Exercise(
        name="total_variation",
        signature="total_variation(image)",
        task="How restless a picture is: the mean of the absolute differences of pixels side by side, plus "
        "the mean of those one below the other.\n\n"
        "image: (N, C, H, W), H and W at least 2. Returns a scalar tensor.",
        cases=_pictures,
        reference=_loops,
        mistakes=(
            Mistake(
                "The absolute value is missing: a step up and the step down after it cancel, so a zigzag "
                "counts as calm. Take `abs()` before the mean.",
                lambda x: _two(x, lambda d: d),
            ),
            Mistake(
                "The absolute value comes after the mean, when steps up and down have cancelled. First "
                "`abs()`, then `mean()`.",
                lambda x: x.diff(dim=-1).mean().abs() + x.diff(dim=-2).mean().abs(),
            ),
            Mistake(
                "The differences are squared. Absolute ones are asked for: a climb by 0.5 counts 0.5.",
                lambda x: _two(x, torch.square),
            ),
            Mistake(
                "Only pixels side by side are compared; those one below the other belong to it too.",
                lambda x: x.diff(dim=-1).abs().mean(),
            ),
            Mistake(
                "Only pixels one below the other are compared; those side by side belong to it too.",
                lambda x: x.diff(dim=-2).abs().mean(),
            ),
            Mistake(
                "The border is wrapped round: with `roll` the last column is compared with the first. It "
                "has no right neighbour.",
                _around,
            ),
            Mistake(
                "The channels are compared with each other. Red may be as far from green as it likes: only "
                "the last two axes are those of a picture.",
                lambda x: _two(x, torch.abs) + (x.diff(dim=1).abs().mean() if x.shape[1] > 1 else 0),
            ),
            Mistake(
                "The pictures of the batch are compared with each other. Only the last two axes are those "
                "of a picture.",
                lambda x: _two(x, torch.abs) + (x.diff(dim=0).abs().mean() if x.shape[0] > 1 else 0),
            ),
            *(
                Mistake(
                    "There are no differences along that axis, where a picture has one channel, or is one of "
                    "a batch of one; the mean of nothing is NaN. Height and width are the axes −2 and −1.",
                    _along(*axes),
                )
                for axes in ((1, 2), (1, 3), (0, 1), (0, 2), (0, 3), (1,), (0,))
            ),
            Mistake(
                "Pixels two apart are compared, and in a picture two pixels wide there are none: the mean of "
                "nothing is NaN. Compare neighbours, `image[..., 1:]` with `image[..., :-1]`.",
                lambda x: (
                    (x[..., 2:] - x[..., :-2]).abs().mean() + (x[..., 2:, :] - x[..., :-2, :]).abs().mean()
                ),
            ),
            Mistake(
                "Every second pixel is left out: of three in a row, the second and the third are neighbours "
                "too. `image[..., 1:]` with `image[..., :-1]`.",
                _by_twos,
            ),
            Mistake(
                "These are sums. Take means, and the number does not grow with the picture.",
                lambda x: _two(x, torch.abs, torch.sum),
            ),
            Mistake(
                "This is one mean over both kinds of difference. Each direction has a mean of its own; add "
                "the two.",
                lambda x: torch.cat([x.diff(dim=-1).flatten(), x.diff(dim=-2).flatten()]).abs().mean(),
            ),
            Mistake(
                "It is divided by the number of pixels. A row of W pixels has W − 1 differences: take the "
                "mean of these.",
                lambda x: _two(x, torch.abs, torch.sum) / x.numel(),
            ),
            Mistake(
                "It is half of what it should be: the mean across plus the mean down, not their mean.",
                lambda x: _two(x, torch.abs) / 2,
            ),
            Mistake(
                "The border was padded with zeros: there the picture is compared with black. Compare only "
                "pixels that exist.",
                lambda x: (
                    F.pad(x, (0, 1)).diff(dim=-1).abs().mean()
                    + F.pad(x, (0, 0, 0, 1)).diff(dim=-2).abs().mean()
                ),
            ),
            Mistake(
                "The value is right, but √(d²) has no slope at 0: its gradient there is NaN, and one NaN "
                "spoils the picture. Use `abs()`.",
                lambda x: _two(x, lambda d: d.square().sqrt()),
            ),
            Mistake(
                "This is √(dx² + dy²), the form of Rudin, Osher and Fatemi. Here the two directions are "
                "added as they are.",
                lambda x: (
                    (x.diff(dim=-1)[..., 1:, :].square() + x.diff(dim=-2)[..., 1:].square()).sqrt().mean()
                ),
            ),
            Mistake(
                "The value is right, but it is cut off from the picture: without detach(), item() or "
                "no_grad() a gradient can flow back.",
                lambda x: _two(x.detach(), torch.abs),
            ),
        ),
    )
)


def _searched(weight: float, pixels: int) -> float:
    """The best plateau, by golden section on the objective itself: no formula is used."""
    clean = (np.arange(pixels) >= pixels // 2).astype(float)

    def loss(shift: float) -> float:
        moved = clean + shift * (1 - 2 * clean)
        return float(((moved - clean) ** 2).mean() + weight * np.abs(np.diff(moved)).mean())

    low, high, golden = 0.0, 0.5, (5**0.5 - 1) / 2
    for _ in range(60):
        a, b = high - golden * (high - low), low + golden * (high - low)
        low, high = (low, b) if loss(a) < loss(b) else (a, high)
    return (low + high) / 2


plateau_shift = checker(
    Exercise(
        name="plateau_shift",
        signature="plateau_shift(weight, pixels)",
        task="How far the two plateaus of a step move towards each other, if it is denoised with absolute "
        "differences.\n\n"
        "weight: of total variation, beside the mean square. pixels: W, half of them 0 and half 1. Returns "
        "t, below ½: the plateaus end at t and 1 − t.",
        cases=lambda: [
            Case((0.5, 10), "weight 0.5, 10 pixels"),
            Case((0.5, 40), "weight 0.5, 40 pixels"),
            Case((2.0, 40), "weight 2, 40 pixels"),
            Case((0.25, 4), "weight 0.25, 4 pixels"),
        ],
        reference=_searched,
        tolerance=1e-4,
        mistakes=(
            Mistake(
                "Divided by W. A row of W pixels has W − 1 differences, and their mean is taken.",
                lambda w, n: w / n,
            ),
            Mistake(
                "Twice too much: the derivative of t² is 2t.",
                lambda w, n: 2 * w / (n - 1),
            ),
            Mistake(
                "Half of it. The step is 1 − 2t high, because both plateaus move: its slope is −2.",
                lambda w, n: w / (2 * (n - 1)),
            ),
            Mistake(
                "The sum of differences was taken, not their mean: divide the weight by W − 1.",
                lambda w, n: w,
            ),
            Mistake(
                "The sign: the plateaus move towards each other, so t is above 0.",
                lambda w, n: -w / (n - 1),
            ),
            Mistake(
                "This is the height that is left of the step, 1 − 2t; t is asked for.",
                lambda w, n: 1 - 2 * w / (n - 1),
            ),
            Mistake(
                "The mean of the squares is over W pixels, all of them off by t: it is t² itself, not t² / "
                "W.",
                lambda w, n: w * n / (n - 1),
            ),
        ),
        praise="Right: it agrees with a search for the best t.",
    )
)


def _ratio(weight: float, side: int) -> float:
    """Measured on a picture, whose sums and means of squares are taken apart."""
    picture = np.random.default_rng(side).random((3, side, side))
    sums, means = ([form(np.diff(picture, axis=axis) ** 2) for axis in (1, 2)] for form in (np.sum, np.mean))
    return float(weight * sum(sums) / sum(means))


weight_for_means = checker(
    Exercise(
        name="weight_for_means",
        signature="weight_for_means(weight_for_sums, side)",
        task="The weight that gives a term of mean squared differences the size of a published term of "
        "sums.\n\n"
        "weight_for_sums: the published weight. side: of a square picture of three channels, in pixels. "
        "Returns a number.",
        cases=lambda: [
            Case((1.0, 2), "weight 1, 2 × 2 pixels"),
            Case((0.05, 16), "weight 0.05, 16 × 16 pixels"),
            Case((0.05, 64), "weight 0.05, 64 × 64 pixels"),
        ],
        reference=_ratio,
        mistakes=(
            Mistake(
                "A row of side pixels has side − 1 differences, not side: 3 · side · (side − 1) in each "
                "direction.",
                lambda w, s: w * 3 * s * s,
            ),
            Mistake(
                "The three channels are forgotten: each has its own differences.",
                lambda w, s: w * s * (s - 1),
            ),
            Mistake(
                "The other way round: a mean is smaller than a sum, so its weight must be larger. Multiply.",
                lambda w, s: w / (3 * s * (s - 1)),
            ),
            Mistake(
                "Twice too much: across and down have a mean each, so the two directions do not add to the "
                "divisor.",
                lambda w, s: w * 6 * s * (s - 1),
            ),
            Mistake(
                "Both sides are one shorter now. Of the differences across, every row still has its own: "
                "side rows of side − 1.",
                lambda w, s: w * 3 * (s - 1) ** 2,
            ),
            Mistake(
                "The weight is unchanged; sum and mean differ by the number of differences.",
                lambda w, s: w,
            ),
        ),
        praise="Right, at all three sizes.",
    )
)
