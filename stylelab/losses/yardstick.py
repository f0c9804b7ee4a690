"""The yardstick by which pictures are compared, whatever made them."""

import torch

from stylelab.errors import ImageError
from stylelab.losses.objective import Objective
from stylelab.losses.scene import Scene, weighted_styles
from stylelab.losses.terms import Content, Style
from stylelab.networks.extractor import FeatureExtractor, shared_extractor
from stylelab.networks.features import Features
from stylelab.networks.layers import RELU_1_TO_5
from stylelab.pictures.loading import as_image
from stylelab.pictures.resampling import quantise, same_aspect

# What pictures are compared by must not move with the default recipe.
_TERMS = (Content({"relu4_2": 1.0}), Style(dict.fromkeys(RELU_1_TO_5, 1 / 5)))


def relative_losses(image, content, style, extractor: FeatureExtractor | None = None) -> dict[str, float]:
    """The yardstick of the course: how far a picture, as its 8-bit file, is from content and style.

    image: (1, 3, H, W) in [0, 1], or what `load_image` reads; it is rounded to 8 bits first. content, style:
    likewise; the content is brought to the image's size, the style to its longest side (never enlarged).
    extractor: the bundled VGG-19 by default.
    Returns {"content": ‖F − P‖² / ‖P‖² at relu4_2, "style": mean over relu1_1 … relu5_1 of ‖G − A‖² / ‖A‖²},
    in float32 (of convolutions on a GPU TF32, unless torch is told otherwise): 0 is equal.
    Raises ImageError for a content of another shape.
    """
    extractor = extractor or shared_extractor()
    image = quantise(as_image(image)).to(extractor.device)
    size = max(image.shape[-2:])
    photograph = as_image(content, size).to(extractor.device)
    (height, width), (tall, wide) = image.shape[-2:], photograph.shape[-2:]
    if not same_aspect((height, width), (tall, wide)):
        raise ImageError(
            f"the picture is {width}×{height} and the content {wide}×{tall}: give the photograph it was "
            "made from"
        )
    styles = [(as_image(s, size).to(extractor.device), weight) for s, weight in weighted_styles(style)]
    scene = Scene(photograph, styles).at((height, width))
    with torch.no_grad():
        found = Objective(_TERMS, scene, Features(extractor))(image).tolist()
    return dict(zip(("content", "style"), found, strict=False))
