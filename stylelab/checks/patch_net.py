"""The exercises of notebook 05 on the net: its numbers, its gradient, its weights, and what it can be."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from stylelab.checks.comparing import Shortfall, named
from stylelab.checks.drawing import normal, uniform
from stylelab.checks.engine import checker
from stylelab.checks.exercise import Case, Exercise, Mistake
from stylelab.pictures.filters import FILTERS


def _counted(patch: int, channels: int, hidden: tuple[int, ...], biases: bool = True) -> int:
    total = 0
    for a, b in pairwise([channels * patch**2, *hidden, channels]):
        total += sum(1 for _ in range(a * b)) + (b if biases else 0)
    return total


how_many = checker(
    Exercise(
        name="how_many",
        signature="how_many(patch, channels, hidden)",
        task="How many weights and biases a patch net has.\n\n"
        "patch: its side in pixels. channels: of the picture, in and out. hidden: a tuple of the widths of "
        "its hidden layers. Returns a whole number.",
        cases=lambda: [
            Case((1, 1, ()), "one pixel in, one out, no hidden layer"),
            Case((7, 3, ()), "patch 7, three channels, no hidden layer"),
            Case((5, 1, (8,)), "patch 5, one hidden layer of 8"),
            Case((3, 1, (21, 17, 13, 9)), "patch 3, hidden layers of 21, 17, 13 and 9"),
            Case((3, 3, (12, 6)), "patch 3, three channels, hidden layers of 12 and 6"),
        ],
        reference=_counted,
        mistakes=(
            Mistake(
                "The biases are missing: each layer adds one number to everything that leaves it.",
                lambda p, c, h: _counted(p, c, h, False),
            ),
            Mistake(
                "Of three channels, all enter: a patch is channels · patch² numbers.",
                lambda p, c, h: sum(a * b + b for a, b in pairwise([p**2, *h, c])),
            ),
            Mistake(
                "As many channels leave the net as enter it: the last layer has `channels` outputs.",
                lambda p, c, h: sum(a * b + b for a, b in pairwise([c * p**2, *h, 1])),
            ),
            Mistake(
                "A patch has patch² numbers, not patch.",
                lambda p, c, h: sum(a * b + b for a, b in pairwise([c * p, *h, c])),
            ),
            Mistake(
                "The last layer is missing, from the last hidden one to the pixel.",
                lambda p, c, h: sum(a * b + b for a, b in pairwise([c * p**2, *h])),
            ),
            Mistake(
                "The layer from the patch to the first hidden one is missing.",
                lambda p, c, h: sum(a * b + b for a, b in pairwise([*h, c])),
            ),
            Mistake(
                "A layer has one bias for each number that leaves it, not for each that enters.",
                lambda p, c, h: sum(a * b + a for a, b in pairwise([c * p**2, *h, c])),
            ),
        ),
    )
)


def _measured(W: np.ndarray, V: np.ndarray, X: np.ndarray, y: np.ndarray) -> np.ndarray:
    slope, step = np.zeros_like(W), 1e-5
    for place in np.ndindex(W.shape):
        sides = []
        for side in (step, -step):
            moved = W.copy()
            moved[place] += side
            sides.append(((V @ np.tanh(moved @ X.T) - y) ** 2).sum() / len(X))
        slope[place] = (sides[0] - sides[1]) / (2 * step)
    return slope


def _through(
    W: Tensor, V: Tensor, X: Tensor, y: Tensor, bend: Callable[[Tensor], Tensor] = lambda T: 1 - T**2
) -> Tensor:
    T = (W @ X.T).tanh()
    return 2 / len(X) * (V.T @ (V @ T - y) * bend(T)) @ X


def _net(n: int, h: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    return normal(h, 9, seed=1) / 3, normal(1, h, seed=2), normal(n, 9, seed=3), normal(1, n, seed=4)


gradient_of_w = checker(
    Exercise(
        name="gradient_of_w",
        signature="gradient_of_w(W1, W2, X, z)",
        task="The gradient of L = ‖y − z‖² / N, y = W2 tanh(W1 Xᵀ), with respect to W1, without autograd.\n\n"
        "W1: (h, 9). W2: (1, h). X: the patches, (N, 9). z: what is wanted, (1, N). Returns (h, 9).",
        cases=lambda: [
            Case(_net(1, 1), "one patch, one hidden unit"),
            Case(_net(3, 2), "three patches, two hidden units"),
            Case(_net(20, 4), "20 patches, four hidden units"),
        ],
        reference=_measured,
        by_hand=True,
        tolerance=1e-3,
        mistakes=(
            Mistake("The factor 2 of the square is missing.", lambda *a: _through(*a) / 2),
            Mistake(
                "The division by N is missing: L is a mean over the patches.",
                lambda *a: _through(*a) * len(a[2]),
            ),
            Mistake(
                "The slope of tanh is missing: 1 − T², T = tanh(W1 Xᵀ).",
                lambda W, V, X, y: _through(W, V, X, y, bend=torch.ones_like),
            ),
            Mistake(
                "The slope of tanh was taken as 1 − T; it is 1 − T².",
                lambda W, V, X, y: _through(W, V, X, y, bend=lambda T: 1 - T),
            ),
            Mistake(
                "The slope of tanh was taken at its value: tanh′ is 1 − tanh², and T is the tanh already.",
                lambda W, V, X, y: _through(W, V, X, y, bend=lambda T: 1 - T.tanh() ** 2),
            ),
            Mistake("It points the other way: y − z, not z − y.", lambda *a: -_through(*a)),
            Mistake(
                "What is wanted, z, is left out: y − z, not y.",
                lambda W, V, X, y: _through(W, V, X, 0 * y),
            ),
            Mistake(
                "W2 is left out of the way back: each hidden unit counts for as much as it has a say in y.",
                lambda W, V, X, y: 2 / len(X) * ((V @ (T := (W @ X.T).tanh()) - y) * (1 - T**2)) @ X,
            ),
            Mistake("It is transposed: (h, 9) is asked for, the shape of W1.", lambda *a: _through(*a).T),
        ),
    )
)


def _cat() -> Tensor:
    """A picture with flat parts, edges and all brightnesses."""
    steps = (torch.arange(16).view(-1, 1) // 4 + torch.arange(16) // 5) % 3
    return (steps / 2 * 0.8 + 0.2 * uniform(16, 16)).view(1, 1, 16, 16)


def _edges(image: Tensor) -> np.ndarray:
    around = sum(_seen(image)[r : r + 16, c : c + 16] for r in range(3) for c in range(3))
    return np.clip(9 * image.numpy()[0, 0] - around, 0, 1)


def _seen(image: Tensor) -> np.ndarray:
    return np.pad(image.double().numpy()[0, 0], 1, mode="reflect")


def _is_edges(answer) -> Shortfall | None:
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        return Shortfall(f"Expected a kernel and a number; yours is {named(answer)}.")
    kernel = torch.as_tensor(answer[0], dtype=torch.float32).detach()
    if kernel.numel() != 9:
        return Shortfall(f"The kernel has the shape (3, 3); yours is {tuple(kernel.shape)}.")
    image = _cat()
    weights, seen = kernel.double().numpy().reshape(3, 3), 2 * _seen(image) - 1
    inside = sum(weights[r, c] * seen[r : r + 16, c : c + 16] for r in range(3) for c in range(3))
    raw, wanted = (inside + float(answer[1]) + 1) / 2, _edges(image)
    made = np.clip(raw, 0, 1)
    if np.abs(made - wanted).max() < 1e-4:
        return None
    hints = {
        "What leaves this layer is the answer v itself, and it is read as 2v − 1.": 2 * raw - 1,
        "Values leave the layer as 2v − 1. What must leave it where the answer is 0?": raw - 0.5,
        "The bias is too small by 1.": raw + 0.5,
        "The kernel has the wrong sign: bright in a dark neighbourhood is an edge.": -raw,
        "The weights are twice as large as they should be; 2v − 1 doubles both sides.": raw / 2,
        "The weights are half as large as they should be; 2v − 1 doubles both sides.": 2 * raw,
    }
    found = next(
        (hint for hint, other in hints.items() if np.abs(np.clip(other, 0, 1) - wanted).max() < 1e-4), ""
    )
    decibels = -10 * np.log10(np.square(made - wanted).mean())
    return Shortfall(found or f"{decibels:.1f} dB from the filter: not yet the same.", wanted, made)


weights_of_edges = checker(
    Exercise(
        name="weights_of_edges",
        signature="weights_of_edges()",
        task="The weights and the bias of a single linear layer that is the filter `edges`: 8 times a "
        "pixel, minus its eight neighbours, cut to [0, 1].\n\n"
        "The layer sees 2p − 1 for each value p, what it puts out is read as 2v − 1, and v is then cut to "
        "[0, 1]. Returns a tensor (3, 3) and a number.",
        judge=lambda answer: _is_edges(answer),
        praise="Right: to the last digit, with ten numbers.",
    )
)


REACH = {"median": 2, "oil": 3, "blur": 9, "sketch": 12, "unsharp": 24}  # pixels each way; others at most 1


def _nameless(known: Callable) -> Callable:
    """A filter that shows only what it does."""

    def a_filter(image: Tensor) -> Tensor:
        return known(image)

    return a_filter


CONCEALED = {name: _nameless(known) for name, known in FILTERS.items()}


def _told(filter_function: Callable, answer) -> Shortfall | None:
    name = next(name for name, known in CONCEALED.items() if known is filter_function)
    right = name not in ("halftone", "pixelate")
    if not isinstance(answer, bool | np.bool_ | Tensor) or (
        isinstance(answer, Tensor) and answer.numel() != 1
    ):
        return Shortfall(f"Expected True or False; yours is {named(answer)}.")
    if bool(answer) == right:
        return None
    because = (
        "it looks at a neighbourhood, wherever that is" if right else "it has a grid that stays where it is"
    )
    reach = REACH.get(name, 1)
    about = (
        f"It looks {reach} pixel{'s' if reach > 1 else ''} each way, and beyond the border sees what "
        "was made up: compare only pixels farther than that from it"
        if right
        else "Move the picture by one pixel, not by eight"
    )
    return Shortfall(f"{name}: {right}, since {because}. {about}.", str(right), str(bool(answer)))


is_function_of_a_patch = checker(
    Exercise(
        name="is_function_of_a_patch",
        signature="is_function_of_a_patch(filter_function)",
        task="Whether a filter can be a function of a patch, found out from what it does to a picture that "
        "was moved.\n\n"
        "filter_function: takes a picture (N, C, H, W) in [0, 1], returns one like it; none looks farther "
        "than 24 pixels each way. Returns True or False.",
        cases=lambda: [Case((concealed,), f"the filter {name}") for name, concealed in CONCEALED.items()],
        judge=_told,
        praise="Right, for all eleven filters.",
        mistakes=(
            Mistake("It says True to every filter.", lambda filter_function: True),
            Mistake("It says False to every filter.", lambda filter_function: False),
            Mistake(
                "The verdict is turned round: a filter that does the same to the moved picture is a "
                "function of a patch.",
                lambda filter_function: filter_function in (CONCEALED["halftone"], CONCEALED["pixelate"]),
            ),
        ),
    )
)
