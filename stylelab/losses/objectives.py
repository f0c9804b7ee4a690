"""What is minimised: the objective of a recipe, and the yardstick by which pictures are compared."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext

import torch
from torch import Tensor

from stylelab.device import uses_bfloat16
from stylelab.errors import ImageError, StylelabError
from stylelab.losses.gram import content_loss, gram_matrix, style_loss, tv_loss
from stylelab.networks.extractor import FeatureExtractor, shared_extractor
from stylelab.optimisation.recipes import RELU_1_TO_5, Recipe, find_recipe
from stylelab.pictures.loading import load_image, quantise, resize, same_aspect

TERMS = ("content", "style", "tv", "total")

# What pictures are compared by must not move with the default recipe.
_YARDSTICK = Recipe(
    name="yardstick",
    content_layers={"relu4_2": 1.0},
    style_layers=dict.fromkeys(RELU_1_TO_5, 1 / 5),
    gram="chw",
    content_reduction="relative",
    style_reduction="relative",
    feature_scale=1.0,
    precision="float32",
)


def objective(
    content: Tensor,
    styles: Sequence[tuple[Tensor, float]],
    recipe: str | Recipe,
    extractor: FeatureExtractor,
    style_factor: float = 1.0,
) -> Callable[[Tensor], Tensor]:
    """What a recipe minimises: a function from an image to its (content, style, tv, total), a tensor of 4.

    content: (1, 3, H, W) at the size of the images to come. styles: (image, weight) pairs of any size; their
    Gram matrices are mixed in proportion to the weights. style_factor: on recipe.style_weight.
    The targets are computed here, once.
    """
    recipe = find_recipe(recipe)
    features = _features(recipe, extractor)
    style_layers, content_layers = dict(recipe.style_layers), dict(recipe.content_layers)
    with torch.no_grad():
        targets = {name: maps.float() for name, maps in features(content, content_layers)}
        total = sum(weight for _, weight in styles)
        grams = dict.fromkeys(style_layers, 0)
        for image, weight in styles:
            for name, maps in features(image, style_layers):
                grams[name] = grams[name] + weight / total * gram_matrix(maps, recipe.gram)
    tv_scale = content.new_tensor(recipe.tv_scale).view(1, 3, 1, 1)

    def terms_of(image: Tensor) -> Tensor:
        content_term = style_term = 0.0
        # Each loss before the next layer is computed: on the way back its gradient is then made when it is
        # its turn; made after all layers, those of all losses would wait in memory.
        for name, maps in features(image, [*style_layers, *content_layers]):
            if name in content_layers:
                distance = content_loss(maps, targets[name], recipe.content_reduction)
                content_term = content_term + content_layers[name] * distance
            if name in style_layers:
                style_term = style_term + style_layers[name] * style_loss(
                    {name: maps}, {name: grams[name]}, None, recipe.style_reduction, recipe.gram
                )
        tv_term = tv_loss(image * tv_scale, recipe.tv_power, recipe.tv_reduction) if recipe.tv_weight else 0.0
        total = (
            recipe.content_weight * content_term
            + style_factor * recipe.style_weight * style_term
            + recipe.tv_weight * tv_term
        )
        if recipe.bounds == "penalty":
            total = total + recipe.bounds_weight * (image - image.clamp(0, 1)).square().mean()
        return torch.stack([image.new_zeros(()) + t for t in (content_term, style_term, tv_term, total)])

    return terms_of


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
    content = as_image(content, max(image.shape[-2:])).to(extractor.device)
    (height, width), (tall, wide) = image.shape[-2:], content.shape[-2:]
    if not same_aspect((height, width), (tall, wide)):
        raise ImageError(
            f"the picture is {width}×{height} and the content {wide}×{tall}: give the photograph it was "
            "made from"
        )
    content = resize(content, image.shape[-2:]).clamp(0, 1)
    styles = at_size(
        [(as_image(s, max(image.shape[-2:])).to(extractor.device), w) for s, w in weighted_styles(style)],
        max(image.shape[-2:]),
    )
    with torch.no_grad():
        terms = objective(content, styles, _YARDSTICK, extractor)(image).tolist()
    return dict(zip(TERMS[:2], terms, strict=False))


def _features(
    recipe: Recipe, extractor: FeatureExtractor
) -> Callable[[Tensor, Iterable[str]], Iterator[tuple[str, Tensor]]]:
    """The extractor's walk at the recipe's precision and scale; the maps are what it computed in."""
    device = extractor.device
    low = uses_bfloat16(recipe.precision, device)
    scale = recipe.feature_scale if extractor.weights == "bundled" else 1.0

    def features(image: Tensor, layers: Iterable[str]) -> Iterator[tuple[str, Tensor]]:
        found = extractor.walk(image, layers)
        while True:
            # Entered only where wanted: not every torch has it for every device. Losses stay outside.
            with torch.autocast(device.type, torch.bfloat16) if low else nullcontext():
                name, maps = next(found, (None, None))
            if name is None:
                return
            yield name, maps * scale if scale != 1 else maps

    return features


def as_image(source, size: int | None = None) -> Tensor:
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


def weighted_styles(style) -> list[tuple]:
    """The list of (image, weight) that `style` means: itself, or one image with weight 1."""
    pairs = style if isinstance(style, list) else [(style, 1.0)]
    if not pairs or any(not isinstance(p, tuple) or len(p) != 2 for p in pairs):
        raise StylelabError("a list of styles holds (image, weight) pairs, at least one")
    weights = [w for _, w in pairs]
    if min(weights) < 0 or not 0 < sum(weights) < math.inf:
        raise StylelabError(f"style weights {weights}: use numbers from 0 upwards, not all of them 0")
    return pairs


def at_size(
    styles: Sequence[tuple[Tensor, float]], size: float, least: int = 1
) -> list[tuple[Tensor, float]]:
    """Each painting with `size` pixels on its longest side, and `least` on its shortest; never enlarged."""
    sized = []
    for painting, weight in styles:
        short, long = sorted(painting.shape[-2:])
        longest = min(long, max(round(size), math.ceil(least * long / short)))
        sized.append((resize(painting, longest).clamp(0, 1), weight))
    return sized
