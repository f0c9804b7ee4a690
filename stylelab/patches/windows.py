"""Images cut into overlapping patches, and put together from them."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from stylelab.colour.spaces import rgb_to_yuv
from stylelab.errors import ImageError, StylelabError
from stylelab.pictures.filters import reflect_pad


def extract_patches(image: Tensor, size: int, pixels: Tensor | None = None) -> Tensor:
    """The size × size neighbourhood of every pixel, or of some, the image's border mirrored.

    image: (N, C, H, W). size: odd. pixels: (n,) which ones, counted in reading order through all N images;
    only their patches are made. All of them together take size² times the image's memory.
    Returns (n, C·size²), n = N·H·W unless pixels are given; each patch channel by channel.
    """
    check_patch(size)
    padded = reflect_pad(image, size // 2)
    windows = padded.unfold(2, size, 1).unfold(3, size, 1).permute(0, 2, 3, 1, 4, 5)
    if pixels is not None:
        windows = windows[torch.unravel_index(pixels, windows.shape[:3])]
    return windows.reshape(-1, image.shape[1] * size**2)


def fold_patches(patches: Tensor, shape: tuple[int, int, int, int], step: int = 1) -> Tensor:
    """Overlapping patches put back at their pixels: each pixel is the mean of all that cover it.

    patches: (n, C·size²) in extract_patches's order, of every step-th row and column, from the first on.
    shape: (N, C, H, W) of the image, which is also what is returned. step: at most the size of a patch.
    """
    number, channels, height, width = shape
    size = math.isqrt(patches.shape[1] // channels)
    rows, columns = math.ceil(height / step), math.ceil(width / step)
    stacked = patches.view(number, rows * columns, -1).transpose(1, 2)
    whole = ((rows - 1) * step + size, (columns - 1) * step + size)
    total = F.fold(stacked, whole, size, stride=step)
    count = F.fold(torch.ones_like(stacked[:1, : size**2]), whole, size, stride=step)
    centre = slice(size // 2, size // 2 + height), slice(size // 2, size // 2 + width)
    return total[..., *centre] / count[..., *centre]


def as_channels(image: Tensor, channels: int) -> Tensor:
    """The image with 1 channel (its luminance) or 3 (a grey one three times): (N, channels, H, W)."""
    if image.ndim != 4 or image.shape[1] not in (1, 3):
        raise ImageError(
            f"expected an image (N, 1 or 3, H, W), got {tuple(image.shape)}; load_image makes one"
        )
    if image.shape[1] == channels:
        return image
    return rgb_to_yuv(image)[:, :1] if channels == 1 else image.expand(-1, 3, -1, -1)


def check_patch(size: int) -> None:
    """StylelabError for a side that is not an odd number of pixels."""
    if not isinstance(size, int) or size < 1 or size % 2 == 0:
        raise StylelabError(f"patch {size}: a patch has a centre, so its side is odd: 1, 3, 5, 7, ...")
