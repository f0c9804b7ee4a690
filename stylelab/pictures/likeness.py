"""How much of a photograph is still there in a picture made from it: its edges, its structure."""

import torch
import torch.nn.functional as F
from torch import Tensor

from stylelab.errors import ImageError
from stylelab.pictures.filters import gaussian_blur, reflect_pad
from stylelab.pictures.loading import ImageLike, image_of

LUMINANCE = (0.299, 0.587, 0.114)
STRONGEST = 0.05  # of a picture's pixels are its edges


def edges_found(image: ImageLike, photograph: ImageLike) -> float:
    """The share of the photograph's edges that the picture has within a pixel.

    image, photograph: (1, 3 or 1, H, W) in [0, 1], of one shape, or what load_image reads. Both have as many
    edge pixels, the strongest twentieth: to draw edges everywhere does not help.
    Returns 0 to 1: 1 for the photograph itself, about 0.3 for pictures that have nothing to do with it.
    Raises ImageError for pictures of two shapes.
    """
    drawn, wanted = map(_edges, _two_greys(image, photograph))
    near = F.max_pool2d(drawn.float(), 3, 1, 1) > 0
    return (wanted & near).sum().item() / wanted.sum().clamp_min(1).item()


def structural_similarity(image: ImageLike, photograph: ImageLike, light: bool = True) -> float:
    """SSIM: how alike two pictures are in the brightness, contrast and structure of each window.

    image, photograph: as for edges_found. light: False leaves brightness and contrast out, so that only
    structure counts: the correlation of the two in each window.
    Returns the mean over all windows (Gaussian, σ 1.5 pixels) of the luminance: 1 for equal pictures, little
    where they have nothing to do with each other. Raises ImageError likewise.
    Source: Wang, Bovik, Sheikh and Simoncelli (2004), eq. 13; structure alone is eq. 10.
    """
    x, y = (grey.double() for grey in _two_greys(image, photograph))

    def mean(values: Tensor) -> Tensor:
        return gaussian_blur(values, 1.5)

    mean_x, mean_y = mean(x), mean(y)
    variance_x, variance_y = ((mean(v * v) - m * m).clamp_min(0) for v, m in ((x, mean_x), (y, mean_y)))
    covariance = mean(x * y) - mean_x * mean_y
    c1, c2 = 0.01**2, 0.03**2
    if not light:
        return ((covariance + c2 / 2) / ((variance_x * variance_y).sqrt() + c2 / 2)).mean().item()
    alike = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    return (alike / ((mean_x**2 + mean_y**2 + c1) * (variance_x + variance_y + c2))).mean().item()


def _two_greys(image: ImageLike, photograph: ImageLike) -> list[Tensor]:
    """The luminance of both, (1, 1, H, W)."""
    pair = [image_of(picture).detach().cpu() for picture in (image, photograph)]
    (height, width), (tall, wide) = (picture.shape[-2:] for picture in pair)
    if (height, width) != (tall, wide):
        raise ImageError(
            f"the picture is {width}×{height} and the photograph {wide}×{tall}: load both at one size"
        )
    weights = torch.tensor(LUMINANCE).view(1, 3, 1, 1)
    return [(picture.expand(-1, 3, -1, -1) * weights).sum(1, keepdim=True) for picture in pair]


def _edges(grey: Tensor) -> Tensor:
    """Where a smoothed picture is steepest along its own slope, (1, 1, H, W) of booleans.

    Source: Canny (1986), without the tracing of weak edges.
    """
    height, width = grey.shape[-2:]
    padded = reflect_pad(gaussian_blur(grey, 1), 1)
    across = (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]) / 2
    down = (padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]) / 2
    steepness = torch.hypot(across, down)
    eighth = (torch.atan2(down, across) / (torch.pi / 4)).round().long() % 4
    around = F.pad(steepness, (1, 1, 1, 1))
    ridge = torch.zeros_like(steepness)
    for number, (y, x) in enumerate(((0, 1), (1, 1), (1, 0), (1, -1))):
        ahead = around[..., 1 + y : 1 + y + height, 1 + x : 1 + x + width]
        behind = around[..., 1 - y : 1 - y + height, 1 - x : 1 - x + width]
        highest = (eighth == number) & (steepness >= ahead) & (steepness > behind)
        ridge = torch.where(highest, steepness, ridge)
    weakest = ridge.flatten().topk(max(1, round(STRONGEST * ridge.numel()))).values[-1]
    return ridge >= weakest.clamp_min(1e-6)
