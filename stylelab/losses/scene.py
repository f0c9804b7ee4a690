"""What a transfer is of: the photograph, the paintings, and what else the terms of an objective look at."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch.nn.functional as F
from torch import Tensor

from stylelab.errors import StylelabError
from stylelab.pictures.resampling import resize


@dataclass(frozen=True, eq=False)
class Scene:
    """The pictures of a transfer, at one size.

    content: (1, 3 or 1, H, W) in [0, 1]. styles: (painting, weight) pairs, paintings (1, 3 or 1, h, w).
    masks: none, or for each painting (where in the content it is to be seen, what of it counts), each
    (1, 1, H, W) in [0, 1], or None for all of it. previous: the frame before, of the content's shape.
    """

    content: Tensor
    styles: Sequence[tuple[Tensor, float]] = ()
    masks: Sequence[tuple[Tensor | None, Tensor | None]] = ()
    previous: Tensor | None = None

    def at(self, shape: tuple[int, int], style_size: float | None = None, least: int = 1) -> "Scene":
        """The same pictures for a result of another size: (height, width).

        Pictures are resized as load_image does it; paintings to `style_size` pixels on the longest side (by
        default the result's), `least` on the shortest, and never enlarged; the content's masks by the mean of
        what each pixel covers. A painting's own mask stays: it is brought to each layer's size anyhow.
        """
        styles = [(_never_enlarged(p, style_size or max(shape), least), weight) for p, weight in self.styles]
        masks = [
            (None if where is None else F.interpolate(where, shape, mode="area"), what)
            for where, what in self.masks
        ]
        content = resize(self.content, shape).clamp(0, 1)
        previous = None if self.previous is None else resize(self.previous, shape).clamp(0, 1)
        return replace(self, content=content, styles=styles, masks=masks, previous=previous)


def weighted_styles(style) -> list[tuple]:
    """The list of (image, weight) that `style` means: itself, or one image with weight 1."""
    pairs = style if isinstance(style, list) else [(style, 1.0)]
    if not pairs or any(not isinstance(p, tuple) or len(p) != 2 for p in pairs):
        raise StylelabError("a list of styles holds (image, weight) pairs, at least one")
    weights = [w for _, w in pairs]
    if min(weights) < 0 or not 0 < sum(weights) < math.inf:
        raise StylelabError(f"style weights {weights}: use numbers from 0 upwards, not all of them 0")
    return pairs


def _never_enlarged(painting: Tensor, size: float, least: int) -> Tensor:
    short, long = sorted(painting.shape[-2:])
    return resize(painting, min(long, max(round(size), math.ceil(least * long / short)))).clamp(0, 1)
