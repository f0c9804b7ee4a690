"""Masks: where in a picture something holds, as (1, 1, H, W) in [0, 1], 0 nowhere, 1 wholly."""

import warnings
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from stylelab.errors import ImageError, StylelabError
from stylelab.pictures.loading import load_image
from stylelab.pictures.resampling import same_aspect

Masks = Sequence[tuple[Tensor | None, Tensor | None]]


def at_size(mask: Tensor, shape: tuple[int, int]) -> Tensor:
    """A mask (1, 1, H, W) at another (height, width): each pixel takes the mean of what it covers."""
    return mask if mask.shape[-2:] == tuple(shape) else F.interpolate(mask, tuple(shape), mode="area")


def as_mask(source, shape: tuple[int, int], of: str = "picture") -> Tensor:
    """A mask for a picture of that (height, width): (1, 1, height, width), float32 in [0, 1].

    source: a tensor (1, 1, H, W), (H, W) or between, of numbers or of true and false; an array likewise; or a
    picture that load_image reads, white where the mask holds. of: what it is a mask of, for complaints.
    A mask of another size is resized, with a warning where that enlarges it.
    Raises ImageError for another shape or aspect, for values outside [0, 1] or that are none, and for a mask
    that is 0 everywhere.
    """
    if isinstance(source, np.ndarray):
        source = torch.from_numpy(source)
    mask = source.detach().float() if isinstance(source, Tensor) else load_image(source, grey=True)
    while mask.ndim in (2, 3):
        mask = mask[None]
    if mask.ndim != 4 or tuple(mask.shape[:2]) != (1, 1) or mask.numel() == 0:
        raise ImageError(f"the mask of the {of} is {tuple(source.shape)}; a mask is (1, 1, H, W)")
    (height, width), (tall, wide) = shape, mask.shape[-2:]
    if not same_aspect((height, width), (tall, wide)):
        raise ImageError(
            f"the mask of the {of} is {wide}×{tall} and the {of} {width}×{height}: give one of its shape"
        )
    if not (mask.min() >= 0 and mask.max() <= 1):
        raise ImageError(
            f"the mask of the {of} goes from {mask.min():.4g} to {mask.max():.4g}: use 0 to 1; "
            "divide 8-bit values by 255"
        )
    if not mask.any():
        raise ImageError(f"the mask of the {of} is 0 everywhere: paint something, or leave the painting out")
    if height > tall or width > wide:
        warnings.warn(
            f"the mask of the {of} is {wide}×{tall}, and enlarged to {width}×{height}: its edges stay coarse",
            stacklevel=2,
        )
    return at_size(mask, (height, width))


def as_masks(masks, content: tuple[int, int], paintings: Sequence[tuple[int, int]]) -> Masks:
    """The masks of a picture with several paintings: for each (where it is laid on, what of it counts).

    masks: for each painting a pair of what as_mask takes, or None for all of it; or the first of the two
    alone. content, paintings: (height, width) of each. Returns pairs of masks or None; none at all where
    every entry is. Raises StylelabError where their number is not the paintings', and what as_mask raises.
    """
    masks = [masks] if masks is not None and not isinstance(masks, list | tuple) else (masks or ())
    if masks and len(masks) != len(paintings):
        count = f"{len(paintings)} painting{'s' * (len(paintings) != 1)}"
        raise StylelabError(f"{len(masks)} mask{'s' * (len(masks) != 1)} for {count}: give each painting one")
    made = []
    for number, (entry, shape) in enumerate(zip(masks, paintings, strict=False), 1):
        pair = tuple(entry) if isinstance(entry, list | tuple) else (entry, None)
        if len(pair) != 2:
            raise StylelabError(f"masks of painting {number}: give two, (in the photograph, in the painting)")
        where = None if pair[0] is None else as_mask(pair[0], content, "photograph")
        what = None if pair[1] is None else as_mask(pair[1], shape, f"painting {number}")
        made.append((where, what))
    return made if any(mask is not None for pair in made for mask in pair) else ()
