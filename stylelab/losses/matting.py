"""The matting Laplacian of a photograph: what no local affine change of its colours can explain.

In each 3×3 window the picture is fitted by an affine map of the photograph's colours, V ≈ a·I + b. What the
fit leaves, plus ε‖a‖², is the window's cost; over all windows that is the quadratic form Vᵀ M V. A line that
bends, or a stroke where the photograph has none, cannot be so explained; another light can.
"""

from dataclasses import dataclass
from itertools import combinations
from typing import ClassVar

import torch
from torch import Tensor

from stylelab.errors import StylelabError
from stylelab.losses.scene import Scene
from stylelab.losses.terms import Loss
from stylelab.networks.features import Features

WINDOW = tuple((row, column) for row in range(3) for column in range(3))
# From a pixel to the others that share a window with it, each pair once.
OFFSETS = tuple((0, right) for right in (1, 2)) + tuple(
    (below, right) for below in (1, 2) for right in range(-2, 3)
)


def matting_laplacian(photograph: Tensor, epsilon: float = 1e-5) -> Tensor:
    """The entries of the matting Laplacian M beside its diagonal, as one map for each of OFFSETS.

    photograph: (1, C, H, W) in [0, 1], at least 3 × 3. epsilon: of the square of a window's slopes; larger
    forbids amplifying what is faint in the photograph. By default a ninth of it is about the variance that
    rounding to 8 bits leaves; with the published 1e-7 the noise of a flat sky may be made anything.
    Returns (12, 1, H, W), float32: entry [o, 0, y, x] belongs to the pixels (y, x) and (y, x) + OFFSETS[o], 0
    where the second is outside. M is symmetric and its rows add up to 0, so this is all of it.
    Raises StylelabError for a picture without a window.
    Source: Levin, Lischinski and Weiss (2008), eq. 12.
    """
    height, width = photograph.shape[-2:]
    if min(height, width) < 3:
        raise StylelabError(
            f"a photograph of {width} × {height} pixels has no 3 × 3 window: use a larger one"
        )
    # In float64, which not every device has: the variances of a flat window are beyond float32.
    colours = photograph[0].detach().cpu().double().movedim(0, -1)
    rows, columns = height - 2, width - 2
    windows = torch.stack([colours[y : y + rows, x : x + columns] for y, x in WINDOW], dim=2)
    windows = windows - windows.mean(2, keepdim=True)
    covariance = windows.mT @ windows / 9 + epsilon / 9 * torch.eye(colours.shape[-1]).double()
    sloped = windows @ torch.linalg.inv(covariance)
    entries = colours.new_zeros(len(OFFSETS), 1, height, width)
    for first, second in combinations(range(9), 2):
        (y, x), (below, right) = WINDOW[first], WINDOW[second]
        explained = (1 + (sloped[:, :, first] * windows[:, :, second]).sum(-1)) / 9
        entries[OFFSETS.index((below - y, right - x)), 0, y : y + rows, x : x + columns] -= explained
    return entries.float().to(photograph.device)


def matting_loss(image: Tensor, entries: Tensor) -> Tensor:
    """How much of the image no local affine change of the photograph's colours explains: Vᵀ M V per pixel.

    image: (N, C, H, W), any range. entries: of matting_laplacian for a photograph of H × W.
    Returns a scalar, 0 for a constant image: the sum over the channels, divided by the number of pixels (so
    that a weight means the same at every size), the mean over the batch. Where rows of M add up to 0, Vᵀ M V
    is − Σ M_ij (V_i − V_j)² over the pairs, which loses nothing to rounding.
    Source: Luan, Paris, Shechtman and Bala (2017), eq. 2.
    """
    height, width = image.shape[-2:]
    if entries.shape[-2:] != (height, width):
        tall, wide = entries.shape[-2:]
        raise StylelabError(
            f"the image is {width}×{height} and the photograph of the Laplacian {wide}×{tall}: make it at "
            "the image's size"
        )
    total = image.new_zeros(())
    for (below, right), weights in zip(OFFSETS, entries, strict=True):
        left, end = max(0, -right), width - max(0, right)
        here = (..., slice(0, height - below), slice(left, end))
        there = (..., slice(below, height), slice(left + right, end + right))
        total = total - (weights[here] * (image[there] - image[here]).square()).sum()
    return total / (len(image) * height * width)


@dataclass(frozen=True)
class Photorealism:
    """The matting loss, by the Laplacian of the photograph. epsilon: see matting_laplacian."""

    weight: float = 1.0
    epsilon: float = 1e-5
    name: str = "matting"
    layers: ClassVar[tuple[str, ...]] = ()

    def prepare(self, scene: Scene, network: Features) -> Loss:
        """See Term."""
        entries = matting_laplacian(scene.content, self.epsilon)
        return lambda image, maps: matting_loss(image, entries)
