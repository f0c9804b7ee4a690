"""How much of a photograph's drawing is left in a picture: its edges, and how its values go together."""

import torch
import torch.nn.functional as F
from torch import Tensor

from stylelab.errors import ImageError
from stylelab.pictures.filters import gaussian_blur
from stylelab.pictures.loading import LUMINANCE

SHARE = 0.06  # of the pixels: the strongest edges, which are compared
C3 = 0.03**2 / 2  # below this variance, in [0, 1], windows count as flat, as published


def edges(image: Tensor, share: float = SHARE) -> Tensor:
    """Where an image has its strongest edges, one pixel wide: (N, 1, H, W) of true and false.

    image: (N, 3 or 1, H, W) in [0, 1]. share: of all pixels, at most, that are called edges.
    Source: Canny (1986): blurred by σ = 1 pixel, the gradient's maxima across each edge; instead of his two
    thresholds one that keeps the strongest.
    """
    smooth = gaussian_blur(_grey(image), 1.0)
    padded = F.pad(smooth, (1, 1, 1, 1), mode="replicate")
    down = padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]
    across = padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]
    size = (down.square() + across.square()).sqrt()
    around = F.pad(size, (1, 1, 1, 1))
    height, width = size.shape[-2:]
    direction = (torch.atan2(down, across) / (torch.pi / 4)).round().long() % 4
    crest = torch.zeros_like(size, dtype=torch.bool)
    for number, (y, x) in enumerate(((0, 1), (1, 1), (1, 0), (1, -1))):
        ahead = around[..., 1 + y : 1 + y + height, 1 + x : 1 + x + width]
        behind = around[..., 1 - y : 1 - y + height, 1 - x : 1 - x + width]
        crest |= (direction == number) & (size >= ahead) & (size > behind)
    size = size * crest
    least = size.flatten(1).quantile(1 - share, 1).view(-1, 1, 1, 1)
    return size > least.clamp_min(1e-6)


def edges_kept(image: Tensor, photograph: Tensor) -> float:
    """The share of a photograph's strongest edges that an image has too, within a pixel: 0 to 1.

    image, photograph: (1, 3 or 1, H, W) in [0, 1], of one size. Raises ImageError where they are not.
    """
    _check(image, photograph)
    wanted, near = edges(photograph), F.max_pool2d(edges(image).float(), 3, 1, 1) > 0
    return ((wanted & near).sum() / wanted.sum().clamp_min(1)).item()


def structure_kept(image: Tensor, photograph: Tensor) -> float:
    """The mean correlation of an image's luminance with a photograph's in windows of σ = 1.5 pixels: −1 to 1.

    image, photograph: (1, 3 or 1, H, W) in [0, 1], of one size. 1 for the same drawing in any light.
    Raises ImageError where the sizes differ.
    Source: Wang, Bovik, Sheikh and Simoncelli (2004), "Image quality assessment", eq. 10: the third factor of
    SSIM, which leaves brightness and contrast out.
    """
    _check(image, photograph)
    a, b = _grey(image).double(), _grey(photograph).double()
    mean_a, mean_b = gaussian_blur(a, 1.5), gaussian_blur(b, 1.5)
    variance_a, variance_b = (
        (gaussian_blur(x * x, 1.5) - mean * mean).clamp_min(0) for x, mean in ((a, mean_a), (b, mean_b))
    )
    shared = gaussian_blur(a * b, 1.5) - mean_a * mean_b
    return ((shared + C3) / ((variance_a * variance_b).sqrt() + C3)).mean().item()


def _grey(image: Tensor) -> Tensor:
    if image.shape[1] == 1:
        return image
    return (image * image.new_tensor(LUMINANCE).view(1, 3, 1, 1)).sum(1, keepdim=True)


def _check(image: Tensor, photograph: Tensor) -> None:
    if image.shape[-2:] != photograph.shape[-2:]:
        (height, width), (tall, wide) = image.shape[-2:], photograph.shape[-2:]
        raise ImageError(
            f"the picture is {width}×{height} and the photograph {wide}×{tall}: give them at one size"
        )
