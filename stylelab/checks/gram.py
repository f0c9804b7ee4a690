"""The exercises of notebook 01: Gram matrices and their gradients."""

import numpy as np
import torch
from torch import Tensor

from stylelab.checks.comparing import Shortfall
from stylelab.checks.drawing import normal
from stylelab.checks.engine import checker
from stylelab.checks.exercise import Case, Exercise, Mistake

BY_HAND = torch.tensor([[[[1.0, 2.0, 0.0]], [[3.0, 0.0, 1.0]]]])


def gram_by_loops(f: np.ndarray) -> np.ndarray:
    """The reference: (N, C, H, W) to (N, C, C), one entry after the other."""
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


def gram_of(f: Tensor) -> Tensor:
    """What imitations start from: (N, C, H, W) to (N, C, C), as it should be."""
    return _flat(f) @ _flat(f).mT / f[0].numel()


gram_matrix = checker(
    Exercise(
        name="gram_matrix",
        signature="gram_matrix(features)",
        task="The Gram matrix F Fᵀ of each picture's feature maps, divided by C·H·W.\n\n"
        "features: (N, C, H, W). Returns (N, C, C), in float32.",
        cases=_maps,
        reference=gram_by_loops,
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
                "It is divided by C only. The sum runs over positions, so H·W belongs in the divisor too.",
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
                lambda f: gram_of(f.permute(0, 2, 3, 1).reshape(f.shape)),
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
                lambda f: gram_of(f[:1]),
            ),
            *(
                Mistake(
                    "`flatten(1)` makes one row of a whole picture, so pictures are compared. Keep the axis "
                    "N, and that of the channels: `flatten(2)`.",
                    lambda f, of=divisor: (r := f.flatten(1)) @ r.T / of(f),
                )
                for divisor in (lambda f: f[0].numel(), lambda f: f.numel(), lambda f: 1)
            ),
            Mistake(
                "Only the first picture is used, and its axis is gone. Keep the axis N: (N, C, C), also "
                "where N is 1.",
                lambda f: gram_of(f[:1])[0],
            ),
            Mistake(
                "The mean of each channel was subtracted: that is a covariance, and forgets how strong a "
                "feature is on the whole.",
                lambda f: gram_of(f - f.mean((2, 3), keepdim=True)),
            ),
            Mistake(
                "Each channel was divided by its length first: that is a correlation, 1 on the diagonal, "
                "and forgets which features are strong.",
                lambda f: (r := torch.nn.functional.normalize(_flat(f), dim=2)) @ r.mT,
            ),
            Mistake(
                "The values are right, but they are cut off from the features: without detach(), no_grad() "
                "or `.data` autograd can follow them back.",
                lambda f: gram_of(f.detach()),
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
            Mistake(
                "The lower half is the covariance, what varies about the mean, even divided by H·W − 1; the "
                "trace of F Fᵀ / HW holds the mean too.",
                lambda f: f.mean((2, 3)).square().sum() / f.var((2, 3)).sum(),
            ),
            *(
                Mistake(
                    "The mean was taken over the channels. μ has one entry for each channel, its mean over "
                    "positions: `features.mean((2, 3))`.",
                    imitation,
                )
                for imitation in (
                    lambda f: f.mean(1).square().sum() / f.square().mean(1).sum(),
                    lambda f: f.mean(1).square().sum() / f.square().mean((2, 3)).sum(),
                    lambda f: f.mean(1).square().sum() / f.square().sum(),
                )
            ),
        ),
    )
)


def _quarters(f: np.ndarray) -> np.ndarray:
    h, w = f.shape[2] // 2, f.shape[3] // 2
    parts = [f[:, :, top : top + h, left : left + w] for top in (0, h) for left in (0, w)]
    return np.stack([gram_by_loops(part) for part in parts], axis=1)


def _stacked(f: Tensor, dim: int = 1) -> Tensor:
    quarters = [quarter for half in f.chunk(2, 2) for quarter in half.chunk(2, 3)]
    return torch.stack([gram_of(quarter) for quarter in quarters], dim)


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
                lambda f: gram_of(f)[:, None].expand(-1, 4, -1, -1),
            ),
            Mistake(
                "These are every second row and column, not quarters: half the height is `features[:, :, : "
                "H // 2]`.",
                lambda f: torch.stack([gram_of(f[:, :, r::2, c::2]) for r in (0, 1) for c in (0, 1)], 1),
            ),
            Mistake(
                "The picture was cut into four strips from left to right; cut the height in two, and the "
                "width.",
                lambda f: torch.stack([gram_of(strip) for strip in f.chunk(4, 3)], 1),
            ),
            Mistake(
                "`reshape` to (4N, C, H/2, W/2) cuts the numbers in reading order, across channels and rows: "
                "no quarter comes out of it. Cut with `chunk`, or with slices.",
                lambda f: gram_of(
                    f.reshape(4 * len(f), f.shape[1], f.shape[2] // 2, f.shape[3] // 2)
                ).unflatten(0, (len(f), 4)),
            ),
            Mistake(
                "`cat` puts all top left quarters first, then all top right ones, so a batch is cut wrongly "
                "afterwards. Stack the four along dim=1.",
                lambda f: _stacked(f, 0).flatten(0, 1).unflatten(0, (len(f), 4)),
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
