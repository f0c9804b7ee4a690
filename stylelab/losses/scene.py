"""What a transfer is of: the photograph, the paintings, and what else the terms of an objective look at."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
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
    """The list of (painting, weight) that `style` means; the paintings are left as they are.

    style: one painting; [paintings], each with weight 1; [(painting, weight), ...]; {name: weight}.
    Raises StylelabError for weights that are no numbers from 0 upwards, or all 0.
    """
    if isinstance(style, Mapping):
        pairs = list(style.items())
    elif isinstance(style, list | tuple) and not _is_pair(style):
        pairs = [tuple(entry) if _is_pair(entry) else (entry, 1.0) for entry in style]
    else:
        pairs = [tuple(style) if _is_pair(style) else (style, 1.0)]
    weights = [weight for _, weight in pairs]
    if not pairs:
        raise StylelabError("no style: give a painting, or a list of them")
    if not all(_is_weight(weight) for weight in weights) or not sum(weights) < math.inf:
        raise StylelabError(f"style weights {weights}: use numbers from 0 upwards")
    if not sum(weights):
        raise StylelabError(f"style weights {weights}: use numbers from 0 upwards, not all of them 0")
    return pairs


def _is_pair(entry) -> bool:
    """Whether it is (painting, weight)."""
    return isinstance(entry, tuple) and len(entry) == 2 and _is_number(entry[1])


def _is_weight(weight) -> bool:
    return _is_number(weight) and not isinstance(weight, bool) and bool(0 <= weight < math.inf)


def _is_number(value) -> bool:
    return isinstance(value, int | float | np.number)


def _never_enlarged(painting: Tensor, size: float, least: int) -> Tensor:
    short, long = sorted(painting.shape[-2:])
    return resize(painting, min(long, max(round(size), math.ceil(least * long / short)))).clamp(0, 1)
