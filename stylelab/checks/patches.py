"""The exercises of notebook 05: patches, least squares, and what a small net is."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from stylelab.checks.drawing import normal, uniform
from stylelab.checks.engine import checker
from stylelab.checks.exercise import Case, Exercise, Mistake


def _mirrored(place: int, length: int) -> int:
    place = abs(place)
    return 2 * (length - 1) - place if place >= length else place


def _windows(image: np.ndarray, size: int) -> np.ndarray:
    number, channels, height, width = image.shape
    rows, reach = [], size // 2
    for n, row, column in np.ndindex(number, height, width):
        rows.append(
            [
                image[n, c, _mirrored(row + r, height), _mirrored(column + s, width)]
                for c in range(channels)
                for r in range(-reach, reach + 1)
                for s in range(-reach, reach + 1)
            ]
        )
    return np.array(rows)


def _cut(image: Tensor, size: int, mode: str = "reflect", layout: str = "nhwcrs") -> Tensor:
    """An imitation: the patches with another border, or their axes in another order."""
    if mode != "none":
        image = F.pad(image, [size // 2] * 4, mode=mode)
    windows = image.unfold(2, size, 1).unfold(3, size, 1)  # n c h w r s
    return windows.permute(*("nchwrs".index(axis) for axis in layout)).reshape(-1, image.shape[1] * size**2)


def _unfolded(image: Tensor, size: int) -> Tensor:
    return F.unfold(F.pad(image, [size // 2] * 4, mode="reflect"), size)


extract_patches = checker(
    Exercise(
        name="extract_patches",
        signature="extract_patches(image, size)",
        task="The size × size neighbourhood of every pixel, one a row, the picture's border mirrored.\n\n"
        "image: (N, C, H, W). size: odd, in pixels. Returns (N·H·W, C·size²): the pixels in reading order, "
        "and each patch in reading order too, channel by channel.",
        cases=lambda: [
            Case((torch.arange(4.0).view(1, 1, 2, 2), 1), "patches of one pixel"),
            Case((torch.arange(9.0).view(1, 1, 3, 3), 3), "a picture of 3 × 3 pixels"),
            Case((torch.arange(12.0).view(1, 1, 3, 4), 5), "patches of 5 × 5 of a picture of 3 × 4"),
            Case((uniform(1, 3, 4, 5), 3), "three channels"),
            Case((uniform(2, 3, 4, 5), 3), "a batch of two"),
        ],
        reference=_windows,
        mistakes=(
            Mistake(
                "The border is padded with zeros: patches there are darker than the picture. Mirror it, "
                '`mode="reflect"`.',
                lambda x, s: _cut(x, s, "constant"),
            ),
            Mistake(
                "The border pixels are repeated. Mirror the picture, without doubling its rim: "
                '`mode="reflect"`.',
                lambda x, s: _cut(x, s, "replicate"),
            ),
            Mistake(
                "The picture is wrapped round: beyond the right border comes the left one. Mirror it, "
                '`mode="reflect"`.',
                lambda x, s: _cut(x, s, "circular"),
            ),
            Mistake(
                "The outermost pixels have no patch: the picture has to be mirrored about its border first.",
                lambda x, s: _cut(x, s, "none"),
            ),
            Mistake(
                "Rows and columns within a patch are exchanged: its numbers run across first, then down.",
                lambda x, s: _cut(x, s, layout="nhwcsr"),
            ),
            Mistake(
                "The patches are in the wrong order: column by column. Pixels are read across, then down.",
                lambda x, s: _cut(x, s, layout="nwhcrs"),
            ),
            Mistake(
                "Each patch goes position by position, with the channels inside. Channel by channel: all of "
                "red, then green.",
                lambda x, s: _cut(x, s, layout="nhwrsc"),
            ),
            Mistake(
                "The axis of channels was left in front of the pixels, so a row mixes the patches of "
                "several places.",
                lambda x, s: _cut(x, s, layout="nchwrs"),
            ),
            Mistake(
                "Patches are in the columns; one patch a row is asked for. `unfold` gives (N, C·size², "
                "pixels): transpose.",
                lambda x, s: _cut(x, s).T,
            ),
            *(
                Mistake(
                    "`unfold` puts the patches in columns, (N, C·size², pixels): exchange the last two axes, "
                    "`transpose(1, 2)`, before you reshape.",
                    imitation,
                )
                for imitation in (
                    lambda x, s: _unfolded(x, s),
                    lambda x, s: _unfolded(x, s).reshape(-1, x.shape[1] * s**2),
                )
            ),
            Mistake(
                "The patches are right, with the batch as an axis of its own: (N, H·W, C·size²). Put the "
                "pixels of all pictures below each other.",
                lambda x, s: _cut(x, s).view(len(x), -1, x.shape[1] * s**2),
            ),
        ),
    )
)


def _solved(patches: np.ndarray, targets: np.ndarray) -> np.ndarray:
    rows = np.hstack([patches, np.ones((len(patches), 1))])
    return np.linalg.lstsq(rows, targets, rcond=None)[0]


def _fit(rows: Tensor, targets: Tensor) -> Tensor:
    rows, targets = rows.double(), targets.double()
    return torch.linalg.solve(rows.T @ rows, rows.T @ targets).float()


def _ones(patches: Tensor, first: bool = False) -> Tensor:
    return F.pad(patches, (1, 0) if first else (0, 1), value=1.0)


def _ridge(patches: Tensor, targets: Tensor) -> Tensor:
    X = _ones(patches).double()
    return torch.linalg.solve(X.T @ X + torch.eye(X.shape[1]).double(), X.T @ targets.double()).float()


def _nearly_alike() -> tuple[Tensor, Tensor]:
    """Patches of a smooth picture: the solution is harmless, the way to it takes sixteen digits."""
    patches = uniform(60, 1, seed=3) + 1e-3 * uniform(60, 3, seed=4)
    return patches, patches @ torch.tensor([1.0, -2.0, 3.0]) + 0.5


def _solve(patches: Tensor, targets: Tensor) -> Tensor:
    X = _ones(patches)
    return torch.linalg.solve(X.T @ X, X.T @ targets)


def _invert(patches: Tensor, targets: Tensor) -> Tensor:
    X = _ones(patches)
    return torch.linalg.inv(X.T @ X) @ X.T @ targets


def _invert_last(patches: Tensor, targets: Tensor) -> Tensor:
    X = _ones(patches)
    return torch.linalg.inv(X.T @ X) @ (X.T @ targets)


def _double_late(patches: Tensor, targets: Tensor) -> Tensor:
    X = _ones(patches)
    return torch.linalg.solve((X.T @ X).double(), (X.T @ targets).double())


def _noisy(n: int, width: int, seed: int) -> tuple[Tensor, Tensor]:
    """Patches and answers that no weighted sum meets."""
    patches = uniform(n, width, seed=seed)
    return patches, (patches - 0.3).clamp_min(0).sum(1) + 0.1 * normal(n, seed=seed + 1)


least_squares_filter = checker(
    Exercise(
        name="least_squares_filter",
        signature="least_squares_filter(patches, targets)",
        task="The weighted sum of a patch, plus a constant, that comes nearest to the filtered pixels, in "
        "the mean square.\n\n"
        "patches: (n, s²), one a row. targets: (n,), the filtered values. Returns (s² + 1,): the weights, "
        "and the constant last; in float32 or float64.",
        cases=lambda: [
            Case(
                (torch.tensor([[0.0], [1.0], [2.0]]), torch.tensor([1.0, 3.0, 5.0])),
                "twice the pixel, plus 1",
            ),
            Case(
                (torch.tensor([[0.0], [1.0], [2.0]]), torch.tensor([0.0, 0.0, 3.0])),
                "three points on no line",
            ),
            Case(_noisy(12, 3, 1), "12 patches of 3 numbers"),
            Case(_noisy(60, 9, 2), "60 patches of 3 × 3"),
            Case(
                _nearly_alike(),
                "neighbours so alike that XᵀX is nearly singular, too nearly for float32",
            ),
        ],
        reference=_solved,
        tolerance=1e-3,
        keeps=False,
        mistakes=(
            Mistake(
                "The column of ones is missing: without a constant, black can only become black.",
                lambda p, y: _fit(p, y),
            ),
            Mistake(
                "The constant is 0 whatever the examples: the column of ones is missing in the fit.",
                lambda p, y: F.pad(_fit(p, y), (0, 1)),
            ),
            *(
                Mistake(
                    "The equations are right, and float32 has too few digits for them: neighbours are so "
                    "alike that XᵀX is nearly singular. Compute with `.double()`, from the patches on.",
                    imitation,
                )
                for imitation in (_solve, _invert, _invert_last, _double_late)
            ),
            Mistake(
                "The constant comes first; it is asked for last. Append the ones on the right.",
                lambda p, y: _fit(_ones(p, first=True), y),
            ),
            Mistake(
                "Something was added to the diagonal of XᵀX: that pulls the weights towards 0, and there is "
                "a better filter.",
                _ridge,
            ),
            Mistake(
                "This is Xᵀz. The weights also take the inverse of XᵀX: solve XᵀX θ = Xᵀz.",
                lambda p, y: _ones(p).T @ y,
            ),
            Mistake(
                "The mean of the answers stands for the constant. It is their mean less what the weights "
                "make of the mean patch.",
                lambda p, y: torch.cat([_fit(_ones(p), y)[:-1], y.mean()[None]]),
            ),
            Mistake(
                "The means were subtracted, the weights are right, and the constant was left out.",
                lambda p, y: _fit(_ones(p), y)[:-1],
            ),
            Mistake(
                "This is the filter's answer to each patch; asked for are its weights.",
                lambda p, y: _ones(p) @ _fit(_ones(p), y),
            ),
            Mistake(
                "The gradient is not zero yet: this is one step of descent from 0. There is a solution at "
                "once.",
                lambda p, y: 2 / len(y) * _ones(p).T @ y,
            ),
            Mistake(
                "The weights have the shape (s² + 1, 1); hand out a vector, (s² + 1,).",
                lambda p, y: _fit(_ones(p), y)[:, None],
            ),
        ),
        praise="Right: no other weighted sum is nearer.",
    )
)
