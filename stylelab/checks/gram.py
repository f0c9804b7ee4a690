"""The exercises of notebook 01: Gram matrices and their gradients."""

import numpy as np
import torch
from torch import Tensor

from stylelab.checks.comparing import Shortfall
from stylelab.checks.drawing import normal
from stylelab.checks.engine import Case, Exercise, Mistake, checker

BY_HAND = torch.tensor([[[[1.0, 2.0, 0.0]], [[3.0, 0.0, 1.0]]]])


def _gram(f: np.ndarray) -> np.ndarray:
    n, c, h, w = f.shape
    gram = np.zeros((n, c, c))
    for i in range(c):
        for j in range(c):
            gram[:, i, j] = (f[:, i] * f[:, j]).sum((1, 2))
    return gram / (c * h * w)


def _maps() -> list[Case]:
    return [
        Case((torch.tensor([[[[3.0]]]]),), "one channel, one position", (0,)),
        Case((BY_HAND,), "the two channels of the notebook", (0,)),
        Case((torch.eye(2).repeat(1, 2, 1, 1),), "two equal channels", (0,)),
        Case((torch.ones(1, 2, 2, 2),), "channels that are 1 everywhere"),
        Case((normal(1, 3, 2, 4),), "random maps, wider than high", (0,)),
        Case((normal(2, 3, 4, 2),), "a batch of two", (0,)),
        Case((normal(3, 4, 5, 6),), "a batch of three"),
    ]


def _flat(f: Tensor) -> Tensor:
    return f.flatten(2)


def _right(f: Tensor) -> Tensor:
    return _flat(f) @ _flat(f).mT / f[0].numel()


gram_matrix = checker(
    Exercise(
        name="gram_matrix",
        signature="gram_matrix(features)",
        task="The Gram matrix F Fᵀ of each picture's feature maps, divided by C·H·W.\n\n"
        "features: (N, C, H, W). Returns (N, C, C), in float32.",
        cases=_maps,
        reference=_gram,
        mistakes=(
            Mistake(
                "This is F Fᵀ without a division, so it grows with the picture: divide by C·H·W, and two "
                "pictures of different size can be compared.",
                lambda f: _flat(f) @ _flat(f).mT,
            ),
            Mistake(
                "It is divided by H·W only. Divide by C too: then layers with many channels do not count "
                "for more.",
                lambda f: _flat(f) @ _flat(f).mT / _flat(f).shape[2],
            ),
            Mistake(
                "It is divided by C only. The sum runs over positions, so H·W belongs into the divisor too.",
                lambda f: _flat(f) @ _flat(f).mT / f.shape[1],
            ),
            Mistake(
                "It is divided by N·C·H·W: then a picture's style depends on how many others are in the "
                "batch. `features[0].numel()` is C·H·W.",
                lambda f: _flat(f) @ _flat(f).mT / f.numel(),
            ),
            Mistake(
                "This is Fᵀ F: it compares positions, and is H·W × H·W. Channels are to be compared: F Fᵀ.",
                lambda f: _flat(f).mT @ _flat(f) / f[0].numel(),
            ),
            Mistake(
                "The rows mix channels and positions: the axis of channels was moved last, or cut off "
                "wrongly, before `reshape`. Flatten the last two axes as they are: `features.flatten(2)`.",
                lambda f: _right(f.permute(0, 2, 3, 1).reshape(f.shape)),
            ),
            Mistake(
                "The rows mix channels and positions: `reshape` to (N, H·W, C) only cuts the same numbers "
                "in other places, it moves no axis.",
                lambda f: (r := f.reshape(len(f), -1, f.shape[1])).mT @ r / f[0].numel(),
            ),
            Mistake(
                "The pictures of the batch are mixed into one matrix. Keep the batch axis: `flatten(2)`, "
                "and a batched product.",
                lambda f: (r := f.transpose(0, 1).flatten(1)) @ r.T / f[0].numel(),
            ),
            Mistake(
                "Only the first picture of the batch is used, and there may be several: keep the axis N.",
                lambda f: _right(f[:1]),
            ),
            Mistake(
                "The mean of each channel was subtracted: that is a covariance, and forgets how strong a "
                "feature is on the whole.",
                lambda f: _right(f - f.mean((2, 3), keepdim=True)),
            ),
            Mistake(
                "Each channel was divided by its length first: that is a correlation, 1 on the diagonal, "
                "and forgets which features are strong.",
                lambda f: (r := torch.nn.functional.normalize(_flat(f), dim=2)) @ r.mT,
            ),
            Mistake(
                "The values are right, but they are cut off from the features: without detach(), no_grad() "
                "or `.data` autograd can follow them back.",
                lambda f: _right(f.detach()),
            ),
        ),
    )
)


def _slope(f: np.ndarray, target: np.ndarray, relative: bool = False) -> np.ndarray:
    """∂‖G − A‖²/∂F by differences: the derivation of the notebook is not used."""
    slope, step = np.zeros_like(f), 1e-5
    for place in np.ndindex(f.shape):
        distances = []
        for side in (step, -step):
            moved = f.copy()
            moved[place] += side
            squares = (_gram(moved) - target) ** 2
            distances.append((squares.sum((1, 2)) / ((target**2).sum((1, 2)) if relative else 1)).sum())
        slope[place] = (distances[0] - distances[1]) / (2 * step)
    return slope


def _pairs(batches: bool) -> list[Case]:
    one = torch.tensor([[[[2.0]]]])
    cases = [
        Case((one, torch.tensor([[[3.0]]])), "one channel, one position"),
        Case((BY_HAND, torch.eye(2)[None]), "the two channels of the notebook"),
        Case((normal(1, 3, 2, 4), _right(normal(1, 3, 3, 3, seed=1))), "random maps"),
    ]
    if batches:
        cases.append(Case((normal(2, 3, 2, 2), _right(normal(2, 3, 3, 3, seed=1))), "a batch of two"))
    return cases


def _by_hand(f: Tensor, target: Tensor, factor: float = 4) -> Tensor:
    return (factor / f[0].numel() * (_right(f) - target) @ _flat(f)).view_as(f)


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
            "m = C·H·W is missing: G was divided by it, so its derivative is too. The factor is 4 / m.",
            lambda f, a: over(_by_hand(f, a) * f[0].numel(), a),
        ),
        Mistake(
            "It points the other way: G − A, not A − G. A gradient leads uphill, and the descent subtracts "
            "it.",
            lambda f, a: over(-_by_hand(f, a), a),
        ),
        Mistake(
            "G itself lacks its division by C·H·W; the target has it.",
            lambda f, a: over((4 / f[0].numel() * (_flat(f) @ _flat(f).mT - a) @ _flat(f)).view_as(f), a),
        ),
        Mistake(
            "The numbers are right, in the shape of F, (N, C, H·W). Bring them back to that of the "
            "features: `.view_as(features)`.",
            lambda f, a: _flat(over(_by_hand(f, a), a)),
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
        reference=_slope,
        tolerance=1e-3,
        mistakes=(
            *_of_the_gradient(relative=False),
            Mistake(
                "It is the gradient of a mean: divided by C² once more. ‖G − A‖² is the sum of the squares.",
                lambda f, a: _by_hand(f, a) / a[0].numel(),
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


def _mean_share(f: np.ndarray) -> float:
    means = sum(channel.mean() ** 2 for channel in f[0])
    return float(means / sum((channel**2).mean() for channel in f[0]))


mean_share = checker(
    Exercise(
        name="mean_share",
        signature="mean_share(features)",
        task="The share of the trace of G, for one picture, that comes from the channels' means alone: "
        "trace(μ μᵀ) / trace(F Fᵀ / HW).\n\n"
        "features: (1, C, H, W). Returns one number between 0 and 1.",
        cases=lambda: [
            Case((torch.ones(1, 3, 2, 1),), "a constant map, which is all mean"),
            Case((torch.tensor([1.0, -1.0, 1.0, -1.0]).view(1, 1, 2, 2),), "1, −1, 1, −1, which has no mean"),
            Case(
                (torch.tensor([[0.0, 2.0], [4.0, 4.0]]).view(1, 2, 1, 2),), "the channels (0, 2) and (4, 4)"
            ),
            Case((normal(1, 4, 5, 3) + 0.5,), "random maps"),
        ],
        reference=_mean_share,
        mistakes=(
            Mistake(
                "This is the mean of the channels' shares. The trace is a sum over channels, so add up "
                "first and divide once: a strong channel then counts for more.",
                lambda f: (f.mean((2, 3)).square() / f.square().mean((2, 3))).mean(),
            ),
            Mistake(
                "All channels were averaged into one mean. μ has one entry for each channel.",
                lambda f: f.mean().square() / f.square().mean(),
            ),
            Mistake(
                "This is the share of the covariance, what varies about the mean: 1 minus what was asked.",
                lambda f: 1 - f.mean((2, 3)).square().sum() / f.square().mean((2, 3)).sum(),
            ),
            Mistake(
                "The means were not squared: the trace of μ μᵀ is the sum of μ².",
                lambda f: f.mean((2, 3)).sum() / f.square().mean((2, 3)).sum(),
            ),
            Mistake(
                "The square root is too much: the trace is made of squares as it is.",
                lambda f: (f.mean((2, 3)).square().sum() / f.square().mean((2, 3)).sum()).sqrt(),
            ),
            Mistake(
                "The lower half is a sum over positions, the upper one a mean: divide F Fᵀ by H·W.",
                lambda f: f.mean((2, 3)).square().sum() / f.square().sum(),
            ),
            Mistake(
                "The lower half is the variance, what is left without the mean; the trace of F Fᵀ / HW "
                "holds both.",
                lambda f: f.mean((2, 3)).square().sum() / f.var((2, 3), correction=0).sum(),
            ),
        ),
    )
)


def _quarters(f: np.ndarray) -> np.ndarray:
    h, w = f.shape[2] // 2, f.shape[3] // 2
    parts = [f[:, :, top : top + h, left : left + w] for top in (0, h) for left in (0, w)]
    return np.stack([_gram(part) for part in parts], axis=1)


def _stacked(f: Tensor, dim: int = 1) -> Tensor:
    quarters = [quarter for half in f.chunk(2, 2) for quarter in half.chunk(2, 3)]
    return torch.stack([_right(quarter) for quarter in quarters], dim)


quarter_grams = checker(
    Exercise(
        name="quarter_grams",
        signature="quarter_grams(features)",
        task="Four Gram matrices, one for each quarter of the picture.\n\n"
        "features: (N, C, H, W), H and W even. Returns (N, 4, C, C): top left, top right, bottom left, "
        "bottom right, each divided by the quarter's own C·H·W.",
        cases=lambda: [
            Case((torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]]),), "one channel of four positions", (0,)),
            Case((normal(1, 2, 4, 6),), "maps that are wider than high", (0,)),
            Case((normal(2, 3, 4, 6),), "a batch of two"),
        ],
        reference=_quarters,
        mistakes=(
            Mistake(
                "The second and the third quarter are exchanged: top left, top right, then the bottom row.",
                lambda f: _stacked(f)[:, [0, 2, 1, 3]],
            ),
            Mistake(
                "Each is divided by the C·H·W of the whole picture; a quarter has a fourth of the positions.",
                lambda f: _stacked(f) / 4,
            ),
            Mistake(
                "The quarters come before the batch: stack along dim=1.",
                lambda f: _stacked(f, 0),
            ),
            Mistake(
                "This is the Gram matrix of the whole, four times over: cut the features first.",
                lambda f: _right(f)[:, None].expand(-1, 4, -1, -1),
            ),
            Mistake(
                "These are every second row and column, not quarters: half the height is `features[:, :, : "
                "H // 2]`.",
                lambda f: torch.stack([_right(f[:, :, r::2, c::2]) for r in (0, 1) for c in (0, 1)], 1),
            ),
            Mistake(
                "The picture was cut into four strips from left to right; cut the height in two, and the "
                "width.",
                lambda f: torch.stack([_right(strip) for strip in f.chunk(4, 3)], 1),
            ),
            Mistake(
                "The quarters are not divided by their C·H·W.",
                lambda f: _stacked(f) * (f[0].numel() / 4),
            ),
        ),
    )
)

LETTERS = {
    "a": "positions are multiplied, not channels",
    "b": "rows mix channels and positions",
    "c": "pictures of the batch are mixed",
    "d": "not divided by the number of channels",
    "e": "the mean of each channel is subtracted",
}
LOOK = {
    "positions are multiplied, not channels": "which shape comes out for maps of 3 × 3 positions",
    "rows mix channels and positions": "what two equal channels give: all four entries should be the same",
    "pictures of the batch are mixed": "how many axes the result has for a batch of three",
    "not divided by the number of channels": "what four channels give that are 1 everywhere",
    "the mean of each channel is subtracted": "what channels give that are 1 everywhere",
}


def _described(verdicts) -> Shortfall | None:
    if not isinstance(verdicts, dict):
        return Shortfall("Expected a dict with a description beside each letter.")
    for letter, right in LETTERS.items():
        said = verdicts.get(letter) or ""
        if said and said not in LOOK:
            return Shortfall(
                f"{letter}: copy one of the five descriptions, letter by letter.", None, str(said)
            )
        if said and said != right:
            return Shortfall(f"{letter}: no. Try on small tensors {LOOK[said]}.", None, said)
    missing = [letter for letter in LETTERS if not verdicts.get(letter)]
    if missing:
        return Shortfall(f"Right so far; still to be found: {', '.join(missing)}.")
    return None


wrong_grams = checker(
    Exercise(
        name="wrong_grams",
        signature="wrong_grams",
        task="What each of the five wrong Gram matrices of notebook 01 does wrong.\n\n"
        "A dict {letter: description} for the letters a to e.",
        answer=True,
        judge=lambda verdicts: _described(verdicts),
        praise="Right, all five.",
    )
)
