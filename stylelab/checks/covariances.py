"""What the exercises on whitening and on colouring share: maps, their covariance, its axes and its powers."""

from collections.abc import Iterator
from itertools import product

import numpy as np
import torch
from torch import Tensor

from stylelab.checks.comparing import alike
from stylelab.checks.drawing import normal
from stylelab.checks.exercise import Mistake

FLOOR = 1e-5  # of the largest variance
NEARLY = 1e-3
MIXED_UP = (
    "Positions and maps are mixed up at the end: rows of positions, (H·W, C), must be transposed before they "
    "can be shaped like the maps."
)
TURNED = {  # P is the power of Λ
    "The last E is missing: Eᵀ turns to the axes of the covariance, and nothing turns back, so that no map "
    "is where it was. This is PCA.": lambda E, P: P @ E.T,
    "Eᵀ is missing on the right: the maps are not along the axes yet when they are multiplied by the power "
    "of Λ.": lambda E, P: E @ P,
    "E and Eᵀ are exchanged. The axes are the columns of E: Eᵀ x comes first, E last.": lambda E, P: (
        E.T @ P @ E
    ),
}


def axes_of(maps: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Mean and centred rows of maps (1, C, H, W), and the variances and axes that are above the floor."""
    rows = maps[0].reshape(maps.shape[1], -1)
    mean = rows.mean(1, keepdims=True)
    variances, axes = np.linalg.eigh((rows - mean) @ (rows - mean).T / rows.shape[1])
    kept = variances > FLOOR * variances.max()
    return mean, rows - mean, variances[kept], axes[:, kept]


def whitened(maps: np.ndarray) -> np.ndarray:
    """White maps (1, C, H, W), with nothing of the directions below the floor."""
    _, centred, variances, axes = axes_of(maps)
    return (axes / np.sqrt(variances) @ (axes.T @ centred)).reshape(maps.shape)


def rows_of(maps: Tensor, centred: bool = True) -> Tensor:
    """Maps (1, C, H, W) as (C, H·W), each about its own mean, or as it is."""
    rows = maps.double().flatten(2)[0]
    return rows - rows.mean(1, keepdim=True) if centred else rows


def covariance_of(rows: Tensor) -> Tensor:
    """(C, C), of rows (C, H·W) about 0, divided by their length."""
    return rows @ rows.T / rows.shape[1]


def _eigen(matrix: Tensor, exponent: float, floor: float = FLOOR) -> tuple[Tensor, Tensor]:
    """The axes of a covariance, and the powers of its variances, 0 for those below the floor."""
    variances, axes = torch.linalg.eigh(matrix)
    powers = variances.clamp_min(torch.finfo(variances.dtype).tiny) ** exponent
    return axes, torch.where(variances > floor * variances[-1], powers, 0.0)


def power(matrix: Tensor, exponent: float, floor: float = FLOOR) -> Tensor:
    """The power of a covariance, (C, C), without the directions below the floor."""
    axes, powers = _eigen(matrix, exponent, floor)
    return axes * powers @ axes.T


def each_by_itself(rows: Tensor, exponent: float) -> Tensor:
    """The power, (C, C), where each map has a variance of its own, and none a covariance with another."""
    return power(covariance_of(rows).diag().diag(), exponent)


def straight(rows: Tensor, maps: Tensor) -> Tensor:
    """Rows (C, H·W) shaped like the maps by who has positions as rows, and forgets to transpose them."""
    return rows.T.reshape(maps.shape)


def turned(covariance: Tensor, exponent: float) -> Iterator[tuple[str, Tensor]]:
    """What comes of E and a power of Λ put together wrongly, for either order and sign of the axes.

    Of E Λ Eᵀ neither matters; of these products both do, and solvers differ in them.
    """
    axes, powers = _eigen(covariance, exponent)
    for flip, signs in product((False, True), product((1.0, -1.0), repeat=len(axes))):
        E, P = axes * torch.tensor(signs).to(axes), torch.diag(powers)
        E, P = (E.flip(1), P.flip(0, 1)) if flip else (E, P)
        for message, wrong in TURNED.items():
            yield message, wrong(E, P)


def imitated(mistakes: tuple[Mistake, ...], inputs: tuple[Tensor, ...], yours: Tensor) -> str:
    """The mistake that gives these numbers for these inputs.

    Most first answers have no floor besides, and then agree with no imitation on every example.
    """
    for mistake in mistakes:
        try:
            same = alike(mistake.imitation(*inputs), yours, NEARLY)
        except RuntimeError:  # this one stops here
            same = False
        if same:
            return mistake.message
    return ""


def hand_made() -> Tensor:
    """Variances 100 and 25, along (0.6, 0.8) and (−0.8, 0.6); means 3 and 1."""
    return torch.tensor([[[[5.0, -7.0, 13.0, 1.0]], [[12.0, -4.0, 6.0, -10.0]]]])


def varying(*variances: float) -> Tensor:
    """Three maps of 2 × 4 places that vary by so much, along axes of no map."""
    signs = torch.tensor([[1, -1] * 4, [1, 1, -1, -1] * 2, [1] * 4 + [-1] * 4]).double()
    axes = torch.linalg.qr(normal(3, 3, seed=12).double()).Q
    made = axes * torch.tensor(variances).double().sqrt() @ signs + torch.tensor([[1.0], [-2.0], [0.5]])
    return made.float().view(1, 3, 2, 4)
