"""RGB ↔ YUV: brightness apart from the two colour differences."""

import numpy as np
import torch
from torch import Tensor

from stylelab.errors import ImageError
from stylelab.pictures.loading import ImageLike, image_of


def rgb_to_yuv(image: ImageLike) -> Tensor:
    """Luminance Y and the two colour differences U and V of every pixel (BT.601).

    image: (N, 3, H, W), or one grey channel, which has U = V = 0; or what load_image reads.
    Returns (N, 3, H, W): for colours in [0, 1], Y in [0, 1], U in ±0.436, V in ±0.615.
    Raises ImageError for anything that is not an image.
    """
    red, green, blue = as_rgb(image).unbind(1)
    y = 0.299 * red + 0.587 * green + 0.114 * blue
    return torch.stack([y, 0.492 * (blue - y), 0.877 * (red - y)], dim=1)


def yuv_to_rgb(yuv: Tensor) -> Tensor:
    """The inverse of rgb_to_yuv, unclipped: not every (Y, U, V) is a colour a screen can show.

    yuv: (N, 3, H, W). Returns (N, 3, H, W). Raises ImageError for another shape.
    """
    y, u, v = as_rgb(yuv, channels=(3,)).unbind(1)
    red, blue = y + v / 0.877, y + u / 0.492
    green = (y - 0.299 * red - 0.114 * blue) / 0.587
    return torch.stack([red, green, blue], dim=1)


def as_rgb(image: ImageLike, channels: tuple[int, ...] = (1, 3)) -> Tensor:
    """(N, 3, H, W), a grey channel three times; ImageError for another shape and for what is no float."""
    image = image_of(image)
    if image.ndim != 4 or image.shape[1] not in channels or image.numel() == 0:
        wanted = " or ".join(map(str, channels))
        raise ImageError(
            f"expected an image of shape (N, {wanted}, H, W), got {tuple(image.shape)}; load_image makes one"
        )
    if not image.is_floating_point():
        raise ImageError(f"expected floats in [0, 1], got {image.dtype}; divide 8-bit values by 255")
    return image.expand(-1, 3, -1, -1)


def colours_of(image: Tensor) -> np.ndarray:
    """The (C, H·W) values of one image in float64: in float32 a near-grey covariance is mostly rounding."""
    pixels = image.detach().cpu().double().flatten(1).numpy()
    if not np.isfinite(pixels).all():
        raise ImageError("the image holds NaN or infinite values: no colour can be matched to them")
    return pixels
