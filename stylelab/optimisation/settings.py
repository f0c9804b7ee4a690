"""The settings of a recipe, in five groups; each says what its fields mean, and which values make sense."""

import math
import numbers
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from stylelab.errors import RecipeError, unknown
from stylelab.networks.layers import RELU_1_TO_5

STATISTICS = ("gram", "covariance", "moments", "wasserstein", "sliced", "histogram", "patches")
WEIGHTS = ("bundled", "imagenet", "random")


class Layers(Mapping[str, float]):
    """The factor of each layer's loss by its name: a dict that cannot be changed, and can be hashed."""

    def __init__(self, factors: Mapping[str, float]) -> None:
        self._factors = dict(factors)

    def __getitem__(self, layer: str) -> float:
        return self._factors[layer]

    def __iter__(self) -> Iterator[str]:
        return iter(self._factors)

    def __len__(self) -> int:
        return len(self._factors)

    def __hash__(self) -> int:
        return hash(frozenset(self._factors.items()))

    def __repr__(self) -> str:
        return repr(self._factors)


PATCH_LAYERS = Layers({"relu3_1": 0.5, "relu4_1": 0.5})  # of statistic="patches", where no others are named


# A field's rule: from its name and a value to the value as it is kept, or RecipeError.


def _setting(default: Any, rule: Callable[[str, Any], Any], **known: Any) -> Any:
    return field(default=default, metadata={"rule": rule, **known})


def _choice(default: Any, *others: Any) -> Any:
    choices = (default, *others)

    def rule(name: str, value: Any) -> Any:
        value = _plain(value)
        if isinstance(value, list | dict) or value not in choices:
            raise RecipeError(unknown(name, value, choices, "stylelab.Recipe's documentation"))
        return value

    return _setting(default, rule, choices=choices)


def _plain(value: Any) -> Any:
    """NumPy's numbers as Python's."""
    if isinstance(value, bool):
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    return float(value) if isinstance(value, numbers.Real) else value


def _is_number(value: Any, above: bool) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and 0 <= value < math.inf
        and (value > 0 or not above)
    )


def _is_whole(value: Any, least: int = 1) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _number(default: float, above: bool = False) -> Any:
    def rule(name: str, value: Any) -> Any:
        value = _plain(value)
        if not _is_number(value, above):
            raise RecipeError(f"{name}={value!r}: use numbers {'above 0' if above else 'from 0 upwards'}")
        return value

    return _setting(default, rule)


def _whole(default: int, least: int = 1, unit: str = "") -> Any:
    def rule(name: str, value: Any) -> int:
        value = _plain(value)
        if not _is_whole(value, least):
            limit = f"of {unit}, {least} or more" if unit else f"from {least} upwards"
            raise RecipeError(f"{name}={value!r} must be a whole number {limit}")
        return value

    return _setting(default, rule)


def _entries(name: str, value: Any) -> tuple:
    if not isinstance(value, list | tuple):
        raise RecipeError(f"{name}={value!r}: expected a list, even of one")
    return tuple(value)


def _numbers(default: tuple, above: bool = False) -> Any:
    def rule(name: str, value: Any) -> tuple:
        value = tuple(map(_plain, _entries(name, value)))
        if not all(_is_number(n, above) for n in value):
            raise RecipeError(f"{name}={value!r}: use numbers {'above 0' if above else 'from 0 upwards'}")
        return value

    return _setting(default, rule)


def _steps(name: str, value: Any) -> tuple[int, ...]:
    value = tuple(map(_plain, _entries(name, value)))
    if not all(map(_is_whole, value)):
        raise RecipeError(f"{name}={value} must be whole numbers from 1 upwards")
    return value


def _drops(name: str, value: Any) -> tuple[tuple[int, float], ...]:
    pairs = [tuple(map(_plain, v)) if isinstance(v, list | tuple) else v for v in _entries(name, value)]
    if not all(isinstance(p, tuple) and len(p) == 2 and all(_is_number(n, True) for n in p) for p in pairs):
        raise RecipeError(f"{name}={tuple(pairs)} must be pairs (step, learning rate)")
    return tuple(pairs)


def _layers(name: str, value: Any) -> Layers:
    if isinstance(value, str):
        value = {value: 1.0}
    elif isinstance(value, list | tuple) and all(isinstance(layer, str) for layer in value):
        value = {layer: 1 / len(value) for layer in value}
    if not isinstance(value, Mapping):
        raise RecipeError(f"{name}={value!r}: give layers by name, or each a weight: {{'relu4_2': 1.0}}")
    value = {layer: _plain(factor) for layer, factor in value.items()}
    if not all(_is_number(factor, above=False) for factor in value.values()):
        raise RecipeError(f"{name}={value!r}: use numbers from 0 upwards")
    return Layers(value)


def text(default: str) -> Any:
    """A field of a recipe that holds words."""

    def rule(name: str, value: Any) -> str:
        if not isinstance(value, str):
            raise RecipeError(f"{name}={value!r}: expected a text")
        return value

    return _setting(default, rule)


def _weights(name: str, value: Any) -> str:
    if str(value) not in WEIGHTS and not Path(value).suffix:  # a file of weights has one
        raise RecipeError(unknown(name, value, WEIGHTS, "stylelab.Recipe's documentation"))
    return str(value)


def _statistic(default: str) -> Any:
    def rule(name: str, value: Any) -> Any:
        if not hasattr(value, "measure") and value not in STATISTICS:
            raise RecipeError(unknown(name, value, STATISTICS, "stylelab.Recipe's documentation"))
        return value

    return _setting(default, rule, choices=STATISTICS)


@dataclass(frozen=True, kw_only=True)
class _Group:
    def __post_init__(self) -> None:
        for setting in fields(self):
            value = setting.metadata["rule"](setting.name, getattr(self, setting.name))
            object.__setattr__(self, setting.name, value)


@dataclass(frozen=True, kw_only=True)
class NetworkSettings(_Group):
    """The network.

    network, weights, pooling, padding: see FeatureExtractor; one that is given to `transfer` decides them.
    feature_scale: what feature maps of the bundled weights are multiplied by, for recipes published for
        torchvision's weights, whose features are some hundred times smaller. The values are ours.
    precision: of the network: "float32", "bfloat16", or "auto": bfloat16 where the processor has it built in.
    """

    network: str = _choice("vgg19", "squeezenet1_1")
    weights: str = _setting("bundled", _weights)
    pooling: str = _choice("max", "average")
    padding: str = _choice("zeros", "replicate")
    feature_scale: float = _number(1.0, above=True)
    precision: str = _choice("auto", "float32", "bfloat16")


@dataclass(frozen=True, kw_only=True)
class TermSettings(_Group):
    """The terms of the objective, which is their weighted sum.

    content_layers, style_layers: the factor of each layer's loss, by layer name.
    content_weight, style_weight, tv_weight: of the terms.
    content_reduction, style_reduction, tv_reduction, tv_power: see stylelab.losses.
    statistic: what of the maps a style is compared by: "gram", "covariance", "moments", "wasserstein",
        "sliced", "histogram" or "patches", see stylelab.losses; or a Statistic of your own. Where "patches"
        is asked for and no style_layers are, they are relu3_1 and relu4_1: its costs grow with the square
        of the area.
    gram: normalisation of the Gram matrices.
    tv_scale: what the red, green and blue channels are multiplied by before total variation is taken, for
        recipes whose weight was published for another range than [0, 1].
    matting_weight: of the term that keeps a photograph one, see stylelab.losses.matting.
    colours: None, or how the photograph's colours are kept; see stylelab.colour.
    """

    content_layers: Mapping[str, float] = _setting(Layers({"relu3_1": 0.5, "relu4_2": 0.5}), _layers)
    content_weight: float = _number(1.0)
    content_reduction: str = _choice("relative", "mean", "sum")
    style_layers: Mapping[str, float] = _setting(Layers(dict.fromkeys(RELU_1_TO_5, 1 / 5)), _layers)
    style_weight: float = _number(12.0)
    style_reduction: str = _choice("relative", "mean", "sum")
    statistic: Any = _statistic("gram")
    gram: str = _choice("chw", "hw", "none")
    tv_weight: float = _number(0.3)
    tv_power: int = _choice(1, 2)
    tv_reduction: str = _choice("mean", "sum")
    tv_scale: tuple[float, float, float] = _numbers((1.0, 1.0, 1.0))
    matting_weight: float = _number(0.0)
    colours: str | None = _choice(None, "luminance", "chroma-swap", "linear", "histogram")


@dataclass(frozen=True, kw_only=True)
class ScheduleSettings(_Group):
    """The schedule: where it starts, at which sizes, for how long.

    size: longest side in pixels at which pictures are loaded from files; tensors keep theirs.
    init: where the first size starts: "content", "noise", "fast": half the photograph, half the picture of
        the fast network, for paintings that it knows; or "recoloured": the photograph in the paintings'
        colours. The last two go with scales=(1,) (see also `optimise(init=)`).
    scales: the sizes to work at, coarse to fine: first those in pixels of the longest side, numbers above 1,
        then those as fractions of the content's own; the last is 1. One that is larger than the next, or than
        the content, is brought down to it.
    steps: evaluations of the objective, one a step, at each scale. style_factors: on style_weight, likewise.
    detail: how much of the photograph's fine detail, 0 to 1, is added each time a result that started from
        the content is enlarged.
    style_scale: longest side of the painting over that of the content; larger brings larger strokes.
    """

    size: int = _whole(384, 16, "pixels")
    init: str = _choice("content", "noise", "fast", "recoloured")
    scales: tuple[float, ...] = _numbers((0.25, 0.5, 1.0), above=True)
    steps: tuple[int, ...] = _setting((40, 60, 80), _steps)
    style_factors: tuple[float, ...] = _numbers((0.25, 0.5, 1.0))
    detail: float = _number(1.0)
    style_scale: float = _number(1.0, above=True)


@dataclass(frozen=True, kw_only=True)
class OptimiserSettings(_Group):
    """The optimiser.

    optimiser: "lbfgs" or "adam". learning_rate: of pixel values in [0, 1].
    learning_rate_drops: (step, rate) pairs from which on another rate holds.
    history: how many steps L-BFGS remembers.
    """

    optimiser: str = _choice("lbfgs", "adam")
    learning_rate: float = _number(1.0, above=True)
    learning_rate_drops: tuple[tuple[int, float], ...] = _setting((), _drops)
    history: int = _whole(20)


@dataclass(frozen=True, kw_only=True)
class RangeSettings(_Group):
    """The range [0, 1], and how the image stays in it.

    bounds: "project" (L-BFGS knows the range; Adam is clamped), "clamp" (after each step, behind the
        optimiser's back), "penalty" (bounds_weight times the mean square of what is outside) or "none"; with
        the last two the image is clamped only where it is shown or saved.
    """

    bounds: str = _choice("project", "penalty", "clamp", "none")
    bounds_weight: float = _number(1000.0)
