"""Images at other sizes, and as 8 bits hold them."""

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from stylelab.errors import ImageError
from stylelab.pictures.decoding import check_size


def quantise(image: Tensor) -> Tensor:
    """The image as a saved file holds it: clamped to [0, 1], rounded to 8 bits, still floating point."""
    return (image.clamp(0, 1) * 255).round() / 255


def scaled_shape(height: int, width: int, size: int) -> tuple[int, int]:
    """The (height, width) whose longest side is `size` pixels, aspect kept; no side under one pixel."""
    if size < 1:
        raise ImageError(f"size {size}: the longest side needs at least one pixel")
    longest = max(height, width)
    return max(1, round(height * size / longest)), max(1, round(width * size / longest))


def resize(image: Tensor, shape: int | tuple[int, int]) -> Tensor:
    """A tensor at another size, by load_image's Lanczos: an image resized is an image loaded at that size.

    image: (N, C, H, W), any range. shape: (height, width), or the longest side with the aspect kept.
    Returns (N, C, height, width), float32 on the image's device, outside autograd; not clamped, so it may
    overshoot at edges. An image that has this size already is returned itself.
    """
    if isinstance(shape, int):
        shape = scaled_shape(image.shape[2], image.shape[3], shape)
    if tuple(image.shape[2:]) == tuple(shape):
        return image
    check_size("the resized image", *shape)
    planes = image.detach().float().cpu().flatten(0, 1).numpy()
    resized = torch.from_numpy(lanczos(planes, *shape)).view(*image.shape[:2], *shape)
    return resized.to(image.device)


def same_aspect(shape: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two (height, width) can be one picture at two sizes, each side rounded to whole pixels."""
    (height, width), (tall, wide) = shape, other
    return min(abs(height - tall * width / wide), abs(width - wide * height / tall)) <= 1


def lanczos(planes: np.ndarray, height: int, width: int) -> np.ndarray:
    """planes: (P, H, W). One float plane at a time: Pillow then rounds nothing between its two passes."""
    resized = [Image.fromarray(plane).resize((width, height), Image.Resampling.LANCZOS) for plane in planes]
    return np.stack([np.asarray(plane) for plane in resized])
