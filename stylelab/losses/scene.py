"""What a transfer is of: the photograph, the paintings, and what else the terms of an objective look at."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from stylelab.errors import StylelabError
from stylelab.pictures.masks import Masks, at_size
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
    masks: Masks = ()
    previous: Tensor | None = None

    def at(self, shape: tuple[int, int], style_size: float | None = None, least: int = 1) -> "Scene":
        """The same pictures for a result of another size: (height, width).

        Pictures are resized as load_image does it; paintings to `style_size` pixels on the longest side (by
        default the result's), `least` on the shortest, and never enlarged; the content's masks by the mean of
        what each pixel covers. A painting's own mask stays: it is brought to each layer's size anyhow.
        """
        styles = [(_never_enlarged(p, style_size or max(shape), least), weight) for p, weight in self.styles]
        masks = [(None if where is None else at_size(where, shape), what) for where, what in self.masks]
        content = resize(self.content, shape).clamp(0, 1)
        previous = None if self.previous is None else resize(self.previous, shape).clamp(0, 1)
        return replace(self, content=content, styles=styles, masks=masks, previous=previous)

    @cached_property
    def painted(self) -> Tensor | None:
        """How much of each pixel the paintings claim, (1, 1, H, W) in [0, 1]; None where they claim all."""
        claims = [where for where, _ in self.masks if where is not None]
        if len(claims) < len(self.masks) or not claims:
            return None
        return torch.stack(claims).sum(0).clamp(max=1)

    def laid_on(self, image: Tensor) -> Tensor:
        """An image of the content's shape where the paintings claim it, and the photograph elsewhere."""
        return image if self.painted is None else torch.lerp(self.content, image, self.painted)

    @property
    def shares(self) -> list[float]:
        """Of each painting in the style loss: its weight over the sum of all.

        With masks, a painting counts by its weight times its area, so that each pixel feels its own painting
        as strongly as it would the only one; the sum is the area that is painted at all.
        """
        masks = self.masks or [(None, None)] * len(self.styles)
        parts = [
            weight * (1.0 if where is None else where.mean().item())
            for (_, weight), (where, _) in zip(self.styles, masks, strict=True)
        ]
        whole = 1.0 if self.painted is None else self.painted.mean().item()
        return [whole * part / sum(parts) for part in parts]


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
