"""The named filters that the patch notebooks learn to imitate, as functions of an image.

Each takes an image (N, C, H, W) in [0, 1], grey or colour, and gives one of the same shape in [0, 1]. They
make training pairs of any size; what a small patch can and cannot know about them is the subject of
notebooks 05 and 06.
"""

import functools
import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from stylelab.errors import ImageError, StylelabError, unknown
from stylelab.pictures.loading import ImageLike, image_of

FILTERS: dict[str, Callable[..., Tensor]] = {}


def apply_filter(image: ImageLike, name: str, strength: float = 1.0) -> Tensor:
    """The image through one of FILTERS, by name.

    image: (N, C, H, W) in [0, 1], or what load_image reads. strength: 0 gives the image back, 1 the filter,
    more exaggerates it.
    Returns the same shape in [0, 1]. Raises StylelabError for a name that FILTERS lacks.
    """
    if not isinstance(name, str):
        hint = f': swap them, apply_filter(image, "{image}")' if isinstance(image, str) else ""
        raise StylelabError(f"apply_filter takes the image first and the filter's name second{hint}")
    if name not in FILTERS:
        raise StylelabError(unknown("filter", name, FILTERS, "stylelab.FILTERS"))
    return FILTERS[name](image, strength)


def reflect_pad(image: Tensor, radius: int) -> Tensor:
    """The image with `radius` more pixels on every side, mirrored about its outermost pixels.

    image: (N, C, H, W). Unlike torch's own padding the radius may exceed the image: the mirror repeats.
    Returns (N, C, H + 2 radius, W + 2 radius).
    """

    def mirrored(length: int) -> Tensor:
        period = max(2 * (length - 1), 1)
        index = torch.arange(-radius, length + radius, device=image.device) % period
        return torch.minimum(index, period - index) if length > 1 else torch.zeros_like(index)

    return image[..., mirrored(image.shape[-2]), :][..., mirrored(image.shape[-1])]


def gaussian_blur(image: Tensor, sigma: float) -> Tensor:
    """The image convolved with a Gaussian of `sigma` pixels, cut at 3 σ, its border mirrored; same shape."""
    radius = math.ceil(3 * sigma)
    offsets = torch.arange(-radius, radius + 1, device=image.device, dtype=image.dtype)
    bell = torch.exp(-0.5 * (offsets / sigma) ** 2)
    bell /= bell.sum()
    flat = reflect_pad(image, radius).flatten(0, 1)[:, None]
    blurred = F.conv2d(F.conv2d(flat, bell[None, None, :, None]), bell[None, None, None, :])
    return blurred.view(image.shape)


def _filter(function):
    """Put a filter into FILTERS, with a check of its image and a strength that fades it in."""

    @functools.wraps(function)
    def with_strength(image: ImageLike, strength: float = 1.0) -> Tensor:
        image = image_of(image)
        if image.ndim != 4 or 0 in image.shape:
            got = tuple(image.shape)
            raise ImageError(
                f"a filter takes an image (N, C, H, W), not {got}; stylelab.load_image makes one"
            )
        if not (math.isfinite(strength) and strength >= 0):
            raise StylelabError(
                f"strength {strength}: give a number from 0 (no effect) upwards; 1 is the filter"
            )
        return image.lerp(function(image), strength).clamp(0, 1)

    FILTERS[function.__name__] = with_strength
    return with_strength


def _convolve(image: Tensor, kernel: list[list[float]], offset: float = 0.0) -> Tensor:
    weights = torch.tensor(kernel, dtype=image.dtype, device=image.device)[None, None]
    flat = reflect_pad(image, 1).flatten(0, 1)[:, None]
    return (F.conv2d(flat, weights).view(image.shape) + offset).clamp(0, 1)


def _windows(image: Tensor, size: int) -> Tensor:
    """Every size × size neighbourhood: (N, C, H, W, size²)."""
    padded = reflect_pad(image, size // 2)
    return padded.unfold(2, size, 1).unfold(3, size, 1).flatten(4)


@_filter
def emboss(image: Tensor) -> Tensor:
    """Relief: the pixel minus its lower-left neighbour, plus 128/255 (Pillow's EMBOSS)."""
    return _convolve(image, [[0, 0, 0], [0, 1, 0], [-1, 0, 0]], offset=128 / 255)


@_filter
def sharpen(image: Tensor) -> Tensor:
    """Twice the pixel minus an eighth of each neighbour (Pillow's SHARPEN)."""
    return _convolve(image, [[-1 / 8] * 3, [-1 / 8, 2, -1 / 8], [-1 / 8] * 3])


@_filter
def edges(image: Tensor) -> Tensor:
    """Eight times the pixel minus its neighbours, negative values cut to 0 (Pillow's FIND_EDGES)."""
    return _convolve(image, [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]])


@_filter
def blur(image: Tensor) -> Tensor:
    """Gaussian blur, σ 3 pixels."""
    return gaussian_blur(image, 3)


@_filter
def median(image: Tensor) -> Tensor:
    """The middle one of the 25 values in each 5×5 neighbourhood."""
    return _windows(image, 5).median(dim=-1).values


@_filter
def oil(image: Tensor) -> Tensor:
    """The most frequent of 256 levels in a 7×7 neighbourhood, if it is there thrice (Pillow's ModeFilter)."""
    levels = (image * 255).round().to(torch.uint8)
    windows = _windows(levels, 7)
    mode = windows.mode(dim=-1).values
    frequent = (windows == mode[..., None]).sum(dim=-1) > 2
    return torch.where(frequent, mode, levels).to(image.dtype) / 255


@_filter
def sketch(image: Tensor) -> Tensor:
    """Pencil sketch: the image colour-dodged with its inverse blurred by σ 4: image / blurred image."""
    return (image / gaussian_blur(image, 4).clamp_min(1 / 255)).clamp(0, 1)


@_filter
def unsharp(image: Tensor) -> Tensor:
    """Unsharp mask: the image plus 200 % of its difference from itself blurred by σ 8."""
    return (image + 2 * (image - gaussian_blur(image, 8))).clamp(0, 1)


@_filter
def halftone(image: Tensor) -> Tensor:
    """Black and white dots: the image against a 6-pixel tile of 36 thresholds that hold two dots at 45°."""
    rows, columns = torch.meshgrid(torch.arange(6.0), torch.arange(6.0), indexing="ij")
    dots = torch.cos(math.pi / 3 * (rows + columns)) + torch.cos(math.pi / 3 * (rows - columns))
    # Ranks instead of heights: equal steps, so that a flat grey keeps its mean to within 1/72.
    thresholds = (dots.flatten().argsort(stable=True).argsort().view(6, 6) + 0.5) / 36
    height, width = image.shape[-2:]
    screen = thresholds.repeat(height // 6 + 1, width // 6 + 1)[:height, :width]
    return (image > screen.to(image)).to(image.dtype)


@_filter
def pixelate(image: Tensor) -> Tensor:
    """Every 8×8 block by its mean; what is left at the right and at the bottom makes smaller blocks."""
    means = F.avg_pool2d(image, 8, ceil_mode=True, count_include_pad=False)
    blocks = means.repeat_interleave(8, dim=-2).repeat_interleave(8, dim=-1)
    return blocks[..., : image.shape[-2], : image.shape[-1]]


@_filter
def posterise(image: Tensor) -> Tensor:
    """Four levels: the range in four equal parts, drawn as 0, 1/3, 2/3 and 1."""
    return (image * 4).floor().clamp_max(3) / 3
