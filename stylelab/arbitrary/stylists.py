"""Any painting at once: encoded by VGG-19, its statistics exchanged on the way back to pixels."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from stylelab.arbitrary.decoders import LEVELS, PADDING, Decoders
from stylelab.arbitrary.transforms import Transform, adain, transformed, wct
from stylelab.device import autocast, pick_device
from stylelab.errors import ImageError, StylelabError, unknown
from stylelab.losses.scene import weighted_styles
from stylelab.networks.extractor import FeatureExtractor, shared_extractor
from stylelab.networks.features import Features
from stylelab.pictures.loading import ImageLike, as_image
from stylelab.pictures.masks import as_masks
from stylelab.pictures.resampling import resize

LEAST = 16  # pixels: below it the deepest maps are a single number


class AnyStyle:
    """Photographs in the style of any painting, by one transform of their feature maps.

    transform: `adain` or `wct`. levels: of LEVELS, where it is done, from deep to shallow in one pass; the
    deepest of them is what the photograph is encoded to. decoders: the course's by default; others are moved
    to where the extractor is. extractor: VGG-19 as the decoders undo it, the bundled one with replicated
    borders. precision: of convolutions, "float32", "bfloat16" or "auto".
    Raises StylelabError for levels that there are not, WeightsError where the decoders are missing.
    """

    def __init__(
        self,
        transform: Transform,
        levels: Sequence[str] = LEVELS,
        decoders: Decoders | None = None,
        extractor: FeatureExtractor | None = None,
        precision: str = "auto",
        device: str | torch.device = "auto",
    ) -> None:
        levels = (levels,) if isinstance(levels, str) else tuple(levels)
        for level in levels:
            if level not in LEVELS:
                raise StylelabError(unknown("level", level, LEVELS, "arbitrary.LEVELS"))
        if not levels:
            raise StylelabError(f"levels: give at least one of {', '.join(LEVELS)}")
        self.transform, self.levels, self.precision = transform, levels, precision
        self.extractor = extractor or shared_extractor(padding=PADDING, device=str(pick_device(device)))
        decoders = decoders or Decoders.load(device=self.extractor.device)
        self.decoders = decoders.to(self.extractor.device).requires_grad_(False)

    @torch.no_grad()
    def encode(self, image: ImageLike) -> dict[str, Tensor]:
        """The maps of an image at the levels, {level: (N, C, h, w)}, at the precision of the convolutions."""
        image = as_image(image).to(self.extractor.device)
        if min(image.shape[-2:]) < LEAST:
            raise ImageError(f"an image of {image.shape[-1]} × {image.shape[-2]} pixels: use {LEAST} or more")
        return Features(self.extractor, self.precision)(image, self.levels)

    @torch.no_grad()
    def stylise(
        self,
        image: ImageLike,
        style,
        strength: float | Tensor = 1.0,
        masks=None,
    ) -> Tensor:
        """The image in the style of a painting, or of several.

        image: (N, 3 or 1, H, W) in [0, 1], or what load_image reads. style: a painting likewise, a list of
        them, {name: weight}, or (painting, weight) pairs; each is brought to the image's longest side, never
        enlarged. strength: 0 gives what the decoders make of the photograph's own maps, 1 the painting's
        statistics; or (1, 1, H, W), one for each place. masks: for each painting (where it is laid on, where
        in it the style is taken from), as `transfer` takes them; where no painting is laid on, the photograph
        stays. Returns (N, 3, H, W) in [0, 1].
        """
        image = as_image(image).to(self.extractor.device)
        size = max(image.shape[-2:])
        weighted = [(as_image(painting), float(weight)) for painting, weight in weighted_styles(style)]
        styles = [(self.encode(_at_most(painting, size)), weight) for painting, weight in weighted]
        shape = (image.shape[-2], image.shape[-1])
        given = as_masks(masks, shape, [(p.shape[-2], p.shape[-1]) for p, _ in weighted]) or None
        return self.painted(self.encode(image), styles, shape, strength, given)

    @torch.no_grad()
    def painted(
        self,
        content: dict[str, Tensor],
        styles: Sequence[tuple[dict[str, Tensor], float]],
        size: tuple[int, int],
        strength: float | Tensor = 1.0,
        masks: Sequence[tuple[Tensor | None, Tensor | None]] | None = None,
    ) -> Tensor:
        """What `stylise` makes of encodings that were kept: a picture (N, 3, H, W) of `size`, in [0, 1]."""

        def change(level: str):
            """What is done to the photograph's maps when they come by a level."""
            painted = [(maps[level].float(), weight) for maps, weight in styles]

            def changed(maps: Tensor) -> Tensor:
                # In 16 bits a mean is rounded by more than a flat map varies.
                return transformed(self.transform, maps.float(), painted, strength, masks)

            return changed

        deepest = max(self.levels, key=LEVELS.index)
        with autocast(self.precision, self.extractor.device):
            image = self.decoders(
                content[deepest], deepest, size, {level: change(level) for level in self.levels}
            )
        return image.float().clamp(0, 1)

    def with_style(self, style, strength: float | Tensor = 1.0) -> "FixedStyle":
        """The method with its painting fixed: a Stylist. Takes what `stylise` takes."""
        return FixedStyle(self, style, strength)


@dataclass(frozen=True, eq=False)
class FixedStyle:
    """A method for any style with its painting fixed: a Stylist like any other."""

    method: AnyStyle
    style: object
    strength: float | Tensor = 1.0

    def stylise(self, image: ImageLike) -> Tensor:
        """The image (N, 3 or 1, H, W) in [0, 1] painted, (N, 3, H, W)."""
        return self.method.stylise(image, self.style, self.strength)


class AdaIN(AnyStyle):
    """Mean and deviation of each map exchanged for the painting's; see AnyStyle for the arguments.

    Source: Huang and Belongie (2017); at several levels in one pass, which is ours.
    """

    def __init__(self, levels: Sequence[str] = LEVELS, **options) -> None:
        super().__init__(adain, levels, **options)


class WCT(AnyStyle):
    """Mean and covariance of the maps exchanged for the painting's; see AnyStyle for the arguments.

    Source: Li et al. (2017); at several levels in one pass instead of one pass a level, which is ours.
    """

    def __init__(self, levels: Sequence[str] = LEVELS[:3], **options) -> None:
        super().__init__(wct, levels, **options)


def _at_most(image: Tensor, size: int) -> Tensor:
    return image if max(image.shape[-2:]) <= size else resize(image, size).clamp(0, 1)
