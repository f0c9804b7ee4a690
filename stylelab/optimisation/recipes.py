"""Every setting of a transfer as data."""

import numbers
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, fields
from inspect import cleandoc

from stylelab.errors import RecipeError, unknown
from stylelab.optimisation.settings import (
    PATCH_LAYERS,
    NetworkSettings,
    OptimiserSettings,
    RangeSettings,
    ScheduleSettings,
    TermSettings,
    text,
)

DOWNLOADS = {"vgg19": "548 MB", "squeezenet1_1": "5 MB"}


@dataclass(frozen=True, kw_only=True)
class Recipe(RangeSettings, OptimiserSettings, ScheduleSettings, TermSettings, NetworkSettings):
    """All that decides a transfer but its pictures and the seed. Not to be changed; `replace` makes variants.

    The image that is optimised is RGB in [0, 1] in every recipe, or its luminance. The settings stand in five
    groups, which stylelab.optimisation.settings defines; here are only `name` and a line `about` it.

    Raises RecipeError for a value or a combination that makes no sense, and for a setting that another one
    leaves without effect, as a learning rate's drops beside an optimiser that looks for its own steps.
    """

    name: str = text("default")
    about: str = text("The course's own: relative losses, coarse to fine, until little changes any more.")

    def __post_init__(self) -> None:
        super().__post_init__()
        asked = {setting.name for setting in fields(self) if getattr(self, setting.name) != setting.default}
        if self.statistic == "patches" and "style_layers" not in asked:
            object.__setattr__(self, "style_layers", PATCH_LAYERS)
        self._check(asked)

    def _check(self, asked: set[str]) -> None:
        """asked: the settings that somebody chose, which therefore must have an effect."""
        counts = [len(self.scales), len(self.steps), len(self.style_factors)]
        ranked = [(scale <= 1, scale) for scale in self.scales]  # pixels before fractions
        grow = ranked == sorted(set(ranked))
        layers = self.content_layers or self.style_layers
        for sound, complaint in (
            (layers, "no content, no style layers: nothing to minimise"),
            (len({*counts}) == 1, f"scales, steps and style_factors have {counts} entries; give one a scale"),
            (
                grow and self.scales[-1:] == (1,),
                f"scales={self.scales} must grow and end in 1, with those in pixels first",
            ),
            (self.detail <= 1, f"detail={self.detail} is a share of the photograph's detail; use 0 to 1"),
            (len(self.tv_scale) == 3, f"tv_scale={self.tv_scale} must have a factor for each of R, G and B"),
        ):
            if not sound:
                raise RecipeError(complaint)
        default = {setting.name: setting.default for setting in fields(self)}
        for name, because in self.idle.items():
            # Nothing is lost where the value is the default, or says "none" itself.
            if name in asked and getattr(self, name) and getattr(self, name) != default[name]:
                raise RecipeError(f"{name}={getattr(self, name)!r} has no effect {because}; leave it out")

    @property
    def idle(self) -> dict[str, str]:
        """The settings that others leave without effect, and why; receipts name them."""
        lbfgs = self.optimiser == "lbfgs"
        reasons = (
            ("history", not lbfgs, 'with optimiser="adam", which remembers no steps'),
            (
                "learning_rate_drops",
                lbfgs and self.bounds == "project",
                'with optimiser="lbfgs", which finds the length of its steps itself',
            ),
            ("bounds_weight", self.bounds != "penalty", f'with bounds="{self.bounds}": it is the penalty\'s'),
            (
                "detail",
                self.init == "noise",
                'with init="noise": it is for results that start from the content',
            ),
            (
                "feature_scale",
                self.weights != "bundled",
                f'with weights="{self.weights}": it is for the bundled ones',
            ),
            ("gram", self.statistic != "gram", 'with another statistic than "gram"'),
        )
        return {name: because for name, idle, because in reasons if idle}

    def replace(self, **changes) -> "Recipe":
        """A copy with some settings changed. Raises RecipeError as Recipe does, and for an unknown setting.

        `steps=N`, one number, is shared out over the scales as the recipe shares its own. Of other `scales`,
        the finest have the steps and style factors that the recipe's finest have, unless they are given too;
        and `statistic="patches"` brings its own style_layers.
        """
        return self._with(changes, asked=set(changes))

    def _with(self, changes: Mapping, asked: set[str]) -> "Recipe":
        rules = {setting.name: setting.metadata["rule"] for setting in fields(self)}
        made = copy(self)
        if changes.get("statistic") == "patches":
            changes = {"style_layers": PATCH_LAYERS} | dict(changes)
        for name in changes:
            if name not in rules:
                raise RecipeError(unknown("setting", name, rules, "stylelab.Recipe's documentation"))
        if "scales" in changes and isinstance(changes["scales"], list | tuple):
            number = len(changes["scales"])
            same = {
                "steps": _finest(self.steps, number),
                "style_factors": _finest(self.style_factors, number),
            }
            changes = same | dict(changes)
            shares = same["steps"]
        else:
            shares = self.steps
        for name, value in changes.items():
            if name == "steps" and not isinstance(value, list | tuple):
                value = _share(value, shares)
            object.__setattr__(made, name, rules[name](name, value))
        made._check(asked)
        return made

    def fractions(self, longest: int) -> tuple[float, ...]:
        """The scales as fractions of a content of so many pixels on the longest side; none above the next."""
        found: list[float] = []
        for scale in reversed(self.scales):
            found.append(min(scale / longest if scale > 1 else scale, *found[-1:], 1.0))
        return tuple(reversed(found))

    def work(self, longest: int) -> list[float]:
        """What each step costs, in evaluations at full size: a step at half the size is a quarter."""
        return [
            scale**2 for scale, n in zip(self.fractions(longest), self.steps, strict=True) for _ in range(n)
        ]

    @property
    def download(self) -> str:
        """How much is downloaded for its network, once, as "5 MB"; empty where nothing is."""
        return DOWNLOADS[self.network] if self.weights == "imagenet" else ""

    def of_size(self, height: int, width: int) -> "Recipe":
        """The recipe with the size of a picture that was made with it."""
        return self.replace(size=max(height, width, 16))

    def scale_for(self, weights: str) -> float:
        """What the feature maps of a network with these weights are multiplied by."""
        return self.feature_scale if weights == "bundled" else 1.0

    def to_dict(self) -> dict:
        """The settings as plain lists, numbers and strings, ready for JSON.

        A statistic of your own is named after its class, and no longer found when the settings are read.
        """
        return {setting.name: _json(getattr(self, setting.name)) for setting in fields(self)}

    @classmethod
    def from_dict(cls, settings: Mapping) -> "Recipe":
        """The recipe that `to_dict` described, now or in an older version; else RecipeError."""
        return cls()._with(settings, asked=set())


# So that `Recipe?` in a notebook lists the settings.
Recipe.__doc__ = "\n\n".join(cleandoc(kind.__doc__ or "") for kind in (Recipe, *reversed(Recipe.__bases__)))


def _json(value):
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, tuple):
        return [_json(entry) for entry in value]
    return value if value is None or isinstance(value, str | int | float) else type(value).__name__


def _finest(values: tuple, number: int) -> tuple:
    """The last `number` values, the first of them repeated where there are too few."""
    return (values[:1] * number + values)[-number:] if number else values


def _share(total: int, like: tuple[int, ...]) -> tuple[int, ...]:
    """`total` steps in the proportions of `like`, at least one each."""
    if isinstance(total, bool) or not isinstance(total, numbers.Integral):
        raise RecipeError(f"steps={total!r} must be whole numbers from 1 upwards")
    if total < len(like):
        raise RecipeError(
            f"steps={total} is fewer than the recipe's {len(like)} scales; use {len(like)} or more"
        )
    shares = [max(1, round(total * n / sum(like))) for n in like]
    while excess := sum(shares) - total:
        shares[shares.index(max(shares))] -= 1 if excess > 0 else -1
    return tuple(shares)
