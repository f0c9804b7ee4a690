"""Every setting of a transfer as data: the course's default and the published systems it takes apart."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace

from stylelab.errors import RecipeError, unknown

RELU_1_TO_5 = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
CONV_1_TO_5 = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")
CHOICES = {
    "network": ("vgg19", "squeezenet1_1"),
    "weights": ("bundled", "imagenet", "random"),
    "pooling": ("max", "average"),
    "padding": ("zeros", "replicate"),
    "gram": ("chw", "hw", "none"),
    "content_reduction": ("mean", "sum", "relative"),
    "style_reduction": ("mean", "sum", "relative"),
    "tv_reduction": ("mean", "sum"),
    "tv_power": (1, 2),
    "init": ("content", "noise"),
    "optimiser": ("lbfgs", "adam"),
    "bounds": ("project", "penalty", "clamp", "none"),
    "colours": (None, "luminance", "chroma-swap", "linear", "histogram"),
    "precision": ("auto", "float32", "bfloat16"),
}

_FROM_ZERO = (
    *("content_layers", "style_layers", "content_weight", "style_weight", "tv_weight", "bounds_weight"),
    *("style_factors", "tv_scale", "detail"),
)
_ABOVE_ZERO = ("scales", "feature_scale", "learning_rate", "style_scale")


def _each(layers: tuple[str, ...], weight: float = 1.0) -> dict[str, float]:
    return dict.fromkeys(layers, weight)


@dataclass(frozen=True)
class Recipe:
    """All that decides a transfer but its pictures and the seed. Not to be changed; `replace` makes variants.

    The image that is optimised is RGB in [0, 1] in every recipe.

    network, weights, pooling, padding: see FeatureExtractor.
    content_layers, style_layers: the factor of each layer's loss, by layer name.
    gram: normalisation of the Gram matrices. *_reduction, tv_power: see stylelab.losses.
    content_weight, style_weight, tv_weight: the objective is their weighted sum.
    tv_scale: what the red, green and blue channels are multiplied by before total variation is taken, for
        recipes whose weight was published for another range than [0, 1].
    feature_scale: what feature maps of the bundled weights are multiplied by, for recipes published for
        torchvision's weights, whose features are some hundred times smaller. The values are ours.
    init: where the first size starts: "content" or "noise" (see also `optimise(init=)`).
    optimiser: "lbfgs" or "adam". learning_rate, of pixel values in [0, 1]; learning_rate_drops: (step, rate)
        pairs from which on another rate holds. history: how many steps L-BFGS remembers.
    size: longest side in pixels at which pictures are loaded from files; images given as tensors keep theirs.
    scales: the sizes to work at, coarse to fine, as fractions of the content's own; the last is 1.
    steps: evaluations of the objective, one a step, at each scale. style_factors: on style_weight, likewise.
    detail: how much of the photograph's fine detail, 0 to 1, is added each time a result that started from
        the content is enlarged.
    style_scale: longest side of the painting over that of the content; larger brings larger strokes.
    bounds: how the image stays in [0, 1]: "project" (L-BFGS knows the range; Adam is clamped), "clamp" (after
        each step, behind the optimiser's back), "penalty" (bounds_weight times the mean square of what is
        outside) or "none"; with the last two the image is clamped only where it is shown or saved.
    colours: None, or how the photograph's colours are kept; see stylelab.colour.
    precision: of the network: "float32", "bfloat16", or "auto": bfloat16 where the processor has it built in.

    Raises RecipeError for a value or a combination that makes no sense.
    """

    name: str = "default"
    about: str = "The course's own: relative losses, coarse to fine."
    network: str = "vgg19"
    weights: str = "bundled"
    pooling: str = "max"
    padding: str = "zeros"
    content_layers: Mapping[str, float] = field(default_factory=lambda: {"relu4_2": 1.0})
    style_layers: Mapping[str, float] = field(default_factory=lambda: _each(RELU_1_TO_5, 1 / 5))
    gram: str = "chw"
    content_reduction: str = "relative"
    style_reduction: str = "relative"
    content_weight: float = 1.0
    style_weight: float = 5.5
    tv_weight: float = 0.0
    tv_power: int = 1
    tv_reduction: str = "mean"
    tv_scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    feature_scale: float = 1.0
    init: str = "content"
    optimiser: str = "lbfgs"
    learning_rate: float = 1.0
    learning_rate_drops: tuple[tuple[int, float], ...] = ()
    history: int = 20
    size: int = 384
    scales: tuple[float, ...] = (0.25, 0.5, 1.0)
    steps: tuple[int, ...] = (40, 36, 16)
    style_factors: tuple[float, ...] = (0.25, 0.5, 1.0)
    detail: float = 1.0
    style_scale: float = 1.0
    bounds: str = "project"
    bounds_weight: float = 1000.0
    colours: str | None = None
    precision: str = "auto"

    def __post_init__(self) -> None:
        for name in ("scales", "steps", "style_factors", "tv_scale", "learning_rate_drops"):
            value = getattr(self, name)
            if not isinstance(value, list | tuple):
                raise RecipeError(f"{name}={value!r}: expected a list, even of one")
            object.__setattr__(self, name, tuple(tuple(v) if isinstance(v, list) else v for v in value))
        for name in ("content_layers", "style_layers"):
            layers = getattr(self, name)
            if not isinstance(layers, Mapping):
                raise RecipeError(f"{name}={layers!r}: give each layer a weight, as in {{'relu4_2': 1.0}}")
            object.__setattr__(self, name, dict(layers))  # its own: no variant shares it
        for name in (*_FROM_ZERO, *_ABOVE_ZERO):
            value = getattr(self, name)
            several = {dict: dict.values, tuple: tuple}.get(type(value), lambda one: (one,))
            above = name in _ABOVE_ZERO
            if not all(_is_number(n, above) for n in several(value)):
                raise RecipeError(f"{name}={value!r}: use numbers {'above' if above else 'from'} 0 upwards")
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise RecipeError(
                    unknown(name, getattr(self, name), choices, "stylelab.Recipe's documentation")
                )
        counts = [len(self.scales), len(self.steps), len(self.style_factors)]
        grow, drops = list(self.scales) == sorted(set(self.scales)), self.learning_rate_drops
        for sound, complaint in (
            (self.content_layers or self.style_layers, "no content, no style layers: nothing to minimise"),
            (len({*counts}) == 1, f"scales, steps and style_factors have {counts} entries; give one a scale"),
            (grow and self.scales[-1:] == (1,), f"scales={self.scales} must grow and end in 1"),
            (all(map(_is_whole, self.steps)), f"steps={self.steps} must be whole numbers from 1 upwards"),
            (_is_whole(self.size, 16), f"size={self.size} must be a whole number of pixels, 16 or more"),
            (_is_whole(self.history), f"history={self.history} must be a whole number from 1 upwards"),
            (self.detail <= 1, f"detail={self.detail} is a share of the photograph's detail; use 0 to 1"),
            (len(self.tv_scale) == 3, f"tv_scale={self.tv_scale} must have a factor for each of R, G and B"),
            (all(map(_is_drop, drops)), f"learning_rate_drops={drops} must be pairs (step, learning rate)"),
        ):
            if not sound:
                raise RecipeError(complaint)

    def replace(self, **changes) -> "Recipe":
        """A copy with some settings changed. Raises RecipeError for a setting that does not exist.

        `steps=N`, one number, is shared out over the scales as the recipe shares its own.
        """
        for name in changes:
            if name not in self.__dataclass_fields__:
                raise RecipeError(
                    unknown("setting", name, self.__dataclass_fields__, "stylelab.Recipe's documentation")
                )
        if isinstance(changes.get("steps"), int):
            changes["steps"] = _share(changes["steps"], self.steps)
        return replace(self, **changes)

    def to_dict(self) -> dict:
        """The settings as plain lists, numbers and strings, ready for JSON."""
        return json.loads(json.dumps(asdict(self)))

    @classmethod
    def from_dict(cls, settings: Mapping) -> "Recipe":
        """The recipe that `to_dict` described. Raises RecipeError for unknown settings."""
        return cls().replace(**settings)


def _is_number(value: object, above: bool) -> bool:
    """Whether it is a finite number from 0 upwards, or above 0."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and 0 <= value < math.inf and (value > 0 or not above)


def _is_whole(value: object, least: int = 1) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _is_drop(value: object) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and all(_is_number(n, above=True) for n in value)


def _share(total: int, like: tuple[int, ...]) -> tuple[int, ...]:
    """`total` steps in the proportions of `like`, at least one each."""
    if total < len(like):
        raise RecipeError(
            f"steps={total} is fewer than the recipe's {len(like)} scales; use {len(like)} or more"
        )
    shares = [max(1, round(total * n / sum(like))) for n in like]
    while excess := sum(shares) - total:
        shares[shares.index(max(shares))] -= 1 if excess > 0 else -1
    return tuple(shares)


def find_recipe(recipe: "str | Recipe") -> Recipe:
    """A recipe by its name, or the recipe itself. Raises RecipeError for an unknown name."""
    if isinstance(recipe, Recipe):
        return recipe
    if recipe not in RECIPES:
        raise RecipeError(unknown("recipe", recipe, RECIPES, "stylelab.RECIPES"))
    return RECIPES[recipe]


# Where torchvision-style systems optimise the normalised image, differences of it are 1/std times as large.
_PER_STD = (1 / 0.229, 1 / 0.224, 1 / 0.225)
_MEAN_STD = 0.226
_ONE_SCALE = {"scales": (1.0,), "style_factors": (1.0,)}

_ALL = (
    Recipe(),
    Recipe(
        name="gatys",
        about="Gatys, Ecker and Bethge (2016) with the settings of their own notebook, on their own weights.",
        # 1000 / C² for layers of 64, 128, 256, 512 and 512 channels
        style_layers={n: 1000 / c**2 for n, c in zip(RELU_1_TO_5, (64, 128, 256, 512, 512), strict=True)},
        gram="hw",
        content_reduction="mean",
        style_reduction="mean",
        style_weight=1.0,
        history=100,
        size=800,
        scales=(0.64, 1.0),
        steps=(500, 200),
        style_factors=(1.0, 1.0),
        detail=0.0,
    ),
    Recipe(
        name="colour-preserving",
        about="The painting takes the photograph's chroma first; then a long L-BFGS with total variation.",
        content_reduction="mean",
        content_weight=1e5,
        style_reduction="sum",
        style_weight=3e4,
        tv_reduction="sum",
        tv_weight=1.0,
        tv_scale=(255.0, 255.0, 255.0),  # published for an image of bytes
        feature_scale=1 / 40,
        history=100,
        size=400,
        steps=(1000,),
        **_ONE_SCALE,
        colours="chroma-swap",
    ),
    Recipe(
        name="modified-vgg19",
        about="Layers before their ReLU, no total variation: the recipe of the best-known tutorials.",
        content_layers={"conv4_2": 1.0},
        style_layers=_each(CONV_1_TO_5),
        content_reduction="mean",
        style_reduction="mean",
        style_weight=1e6,
        feature_scale=1 / 250,
        history=100,
        size=512,
        steps=(320,),
        **_ONE_SCALE,
    ),
    Recipe(
        name="classic",
        about="As modified-vgg19, with the mean over layers, a touch of total variation and 600 evaluations.",
        content_layers={"conv4_2": 1.0},
        style_layers=_each(CONV_1_TO_5, 1 / 5),
        content_reduction="mean",
        style_reduction="mean",
        style_weight=1e6,
        tv_weight=1e-6,
        tv_scale=_PER_STD,  # published for an ImageNet-normalised image
        feature_scale=1 / 120,
        history=100,
        size=512,
        steps=(600,),
        **_ONE_SCALE,
    ),
    Recipe(
        name="squeezenet",
        about="SqueezeNet 1.1 and Adam with a very large step: small, quick and rough.",
        network="squeezenet1_1",
        weights="imagenet",
        content_layers={"fire2": 1.0},
        style_layers={"relu1": 20000.0, "fire3": 500.0, "fire4": 12.0, "fire5": 1.0},
        content_reduction="sum",
        content_weight=5e-2,
        style_reduction="sum",
        style_weight=1.0,
        tv_power=2,
        tv_reduction="sum",
        tv_weight=5e-2,
        tv_scale=_PER_STD,
        optimiser="adam",
        # published as 3.0 and 0.1 for the normalised image
        learning_rate=3.0 * _MEAN_STD,
        learning_rate_drops=((180, 0.1 * _MEAN_STD),),
        size=192,
        steps=(200,),
        **_ONE_SCALE,
        style_scale=512 / 192,
        bounds="clamp",
    ),
)

RECIPES: Mapping[str, Recipe] = {recipe.name: recipe for recipe in _ALL}
