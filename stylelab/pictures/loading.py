"""Files to image tensors: whatever holds a picture, as float32 (N, C, H, W), RGB or grey, in [0, 1]."""

import os
import re
from difflib import get_close_matches
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

from stylelab.errors import ImageError, StylelabError
from stylelab.files import expanded
from stylelab.pictures.decoding import PictureSource, check_size, read_pixels
from stylelab.pictures.resampling import lanczos, scaled_shape
from stylelab.pictures.samples import KINDS, all_samples, sample_path

ImageLike: TypeAlias = Tensor | PictureSource
LUMINANCE = (0.299, 0.587, 0.114)


def load_image(
    source: PictureSource, size: int | None = None, grey: bool = False, enlarge: bool = False
) -> Tensor:
    """A picture as an image tensor: upright, in sRGB, on white where transparent, an animation's first frame.

    source: a sample's name ("astronaut"), a path, bytes, an open binary file, a PIL image, or a numpy
    array (H, W) or (H, W, C) of uint8, uint16 or floats in [0, 1]. Network addresses are not read.
    size: longest side in pixels, aspect kept, by Pillow's Lanczos; a smaller picture keeps its size
    unless `enlarge`. grey: one channel, the BT.601 luminance, instead of three.
    Returns (1, 3, H, W), or (1, 1, H, W) for grey; float32 in [0, 1].
    Raises ImageError, which says which picture and why it cannot be read.
    """
    pixels = read_pixels(picture_path(source) if isinstance(source, str | os.PathLike) else source)
    if size is not None:
        pixels = _resample(pixels, size, enlarge)
    if grey and pixels.shape[2] == 3:
        pixels = pixels @ np.array(LUMINANCE, dtype=np.float32)[:, None]
    elif not grey and pixels.shape[2] == 1:
        pixels = pixels.repeat(3, axis=2)
    return torch.from_numpy(np.ascontiguousarray(pixels.clip(0, 1).transpose(2, 0, 1)))[None]


def picture_path(source: str | os.PathLike) -> Path:
    """The existing file that a sample's name or a path means; ImageError with near matches otherwise."""
    if isinstance(source, str):
        if re.match(r"[a-z][a-z0-9+.-]+://|data:[a-z]+/", source, re.IGNORECASE):
            raise ImageError(f"{source[:60]}: an address, not a file; download the picture and give its path")
        if source in all_samples(*KINDS):
            return sample_path(source)
    path = expanded(source)
    try:
        path.stat()
    except FileNotFoundError:
        samples = list(all_samples(*KINDS))
        try:
            beside = [file.name for file in path.parent.iterdir()]
        except OSError:  # no such folder, or one that may not be listed: no name there to suggest
            beside = []
        near = get_close_matches(path.stem, samples, n=2) + get_close_matches(path.name, beside, n=2)
        hint = f"did you mean {' or '.join(near)}?" if near else "check the path."
        raise ImageError(
            f"{path.name}: no such file in {path.parent.absolute()}; {hint} "
            f'(sample_names("content") and sample_names("style") list the {len(samples)} samples)'
        ) from None
    except PermissionError as error:
        raise ImageError(f"{path.name}: cannot be opened ({error.strerror})") from error
    except (OSError, ValueError) as error:
        raise ImageError(
            f"{path.name!r}: not a path ({getattr(error, 'strerror', None) or error})"
        ) from error
    return path


def _resample(pixels: np.ndarray, size: int, enlarge: bool) -> np.ndarray:
    height, width = pixels.shape[:2]
    shape = scaled_shape(height, width, size)
    if shape == (height, width) or (size > max(height, width) and not enlarge):
        return pixels
    check_size("the enlarged picture", *shape)
    return lanczos(pixels.transpose(2, 0, 1), *shape).transpose(1, 2, 0)


def image_of(image: ImageLike) -> Tensor:
    """What is taken wherever an image is: a tensor as it is, and all that load_image reads, whole."""
    return image if isinstance(image, Tensor) else load_image(image)


def as_image(source: PictureSource | Tensor, size: int | None = None) -> Tensor:
    """One RGB image (1, 3, H, W): a tensor as it is (grey repeated), else by load_image at `size`."""
    image = source if isinstance(source, Tensor) else load_image(source, size)
    if image.ndim != 4 or image.shape[0] != 1 or image.shape[1] not in (1, 3) or image.numel() == 0:
        raise StylelabError(
            f"expected an image (1, 3, H, W), got {tuple(image.shape)}; one picture at a time"
        )
    if not image.is_floating_point() or not (image.min() > -1 and image.max() < 2):
        raise StylelabError(
            f"expected floats in [0, 1], got {image.dtype} from {image.min():.4g} to {image.max():.4g}; "
            "divide 8-bit values by 255"
        )
    return image.detach().float().expand(-1, 3, -1, -1)
