"""The exercise of notebook 10 on AdaIN: mean and deviation of the maps exchanged for a painting's."""

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from stylelab.checks.drawing import normal
from stylelab.checks.engine import checker
from stylelab.checks.exercise import Case, Exercise, Mistake

EPSILON = 1e-5  # as in most published code
Moments = Callable[[Tensor], tuple[Tensor, Tensor]]


def _exchanged(content_maps: np.ndarray, style_maps: np.ndarray) -> np.ndarray:
    made = np.empty_like(content_maps)
    for n, c in np.ndindex(content_maps.shape[:2]):
        x, y = content_maps[n, c], style_maps[n % len(style_maps), c]
        spread, wanted = (np.sqrt(np.square(z - z.mean()).mean() + EPSILON) for z in (x, y))
        made[n, c] = wanted * (x - x.mean()) / spread + y.mean()
    return made


def _moments(
    over: tuple[int, ...] = (2, 3), correction: int = 0, epsilon: float = EPSILON, outside: bool = False
) -> Moments:
    def moments(maps: Tensor) -> tuple[Tensor, Tensor]:
        variance = maps.var(over, correction=correction, keepdim=True)
        spread = variance.sqrt() + epsilon if outside else (variance + epsilon).sqrt()
        return maps.mean(over, keepdim=True), spread

    return moments


OF_EACH_MAP = _moments()


def _adain(
    combine: Callable = lambda x, mean, spread, style_mean, style_spread: (
        style_spread * (x - mean) / spread + style_mean
    ),
    moments: Moments = OF_EACH_MAP,
    of_style: Callable[[Tensor, Tensor], Tensor] = lambda style_maps, content_maps: style_maps,
    style_moments: Moments | None = None,
) -> Callable:
    """An imitation: the exercise's function, with one thing done otherwise."""

    def imitation(content_maps: Tensor, style_maps: Tensor) -> Tensor:
        of_style_maps = (style_moments or moments)(of_style(style_maps, content_maps))
        return combine(content_maps, *moments(content_maps), *of_style_maps)

    return imitation


def _at_size(mode: str) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda style_maps, content_maps: F.interpolate(style_maps, content_maps.shape[-2:], mode=mode)


def _one_flat() -> Tensor:
    maps = normal(1, 2, 2, 4, seed=6)
    maps[:, 1] = 0.5
    return maps


adain = checker(
    Exercise(
        name="adain",
        signature="adain(content_maps, style_maps)",
        task="Every map of the content with the mean and the standard deviation that this map has in the "
        "style: σ(y) (x − μ(x)) / σ(x) + μ(y).\n\n"
        "content_maps: (N, C, H, W). style_maps: (N, C, h, w), a style for each picture, or (1, C, h, w), "
        "one for all; of another size. Mean and deviation are those of a map over its own places. The "
        "deviation is the root of the mean square plus 1e-5. Returns (N, C, H, W).",
        cases=lambda: [
            Case(
                (torch.tensor([[[[1.0, 3.0]]]]), torch.tensor([[[[1.0, 9.0], [9.0, 1.0]]]])),
                "one map: mean 2 and deviation 1, in the style 5 and 4",
            ),
            Case((normal(1, 2, 2, 3) * 4 + 1, 2 * normal(1, 2, 3, 3, seed=1) - 3), "two maps"),
            Case(
                (normal(1, 3, 2, 2, seed=2) + 2, 3 * normal(1, 3, 2, 2, seed=3) + 1),
                "three maps, content and style of one size",
            ),
            Case((normal(2, 2, 2, 3, seed=4), 3 * normal(1, 2, 4, 3, seed=5) + 2), "two pictures, one style"),
            Case(
                (normal(2, 2, 3, 2, seed=7) - 1, 2 * normal(2, 2, 3, 2, seed=8) + 1),
                "two pictures, each with a style of its own",
            ),
            Case((_one_flat(), normal(1, 2, 3, 3, seed=9) + 1), "two maps, the second of them flat"),
            Case(
                (normal(1, 2, 3, 4, seed=10) / 500, normal(1, 2, 3, 3, seed=11)), "maps that are nearly flat"
            ),
        ],
        reference=_exchanged,
        mistakes=(
            Mistake(
                "This is layer norm: mean and deviation are taken over all maps of a picture together. Each "
                "map has its own: `dim=(2, 3)`.",
                _adain(moments=_moments((1, 2, 3))),
            ),
            *(
                Mistake(
                    "This is batch norm: mean and deviation are taken over all pictures of the batch. Each "
                    "picture has its own: `dim=(2, 3)`.",
                    _adain(moments=_moments((0, 2, 3)), style_moments=of_style),
                )
                for of_style in (None, OF_EACH_MAP)
            ),
            Mistake(
                "One mean and one deviation of all numbers together. Each map of each picture has its own: "
                "`dim=(2, 3)`.",
                _adain(moments=_moments((0, 1, 2, 3))),
            ),
            *(
                Mistake(
                    "Mean and deviation are taken along one side of the maps only; a map has two, "
                    "`dim=(2, 3)`.",
                    _adain(moments=_moments((dim,))),
                )
                for dim in (3, 2)
            ),
            Mistake(
                "Mean and deviation are taken over the maps, at each place by itself. They are to be "
                "those of each map, over its places: `dim=(2, 3)`.",
                _adain(moments=_moments((1,))),
            ),
            *(
                Mistake(
                    "Divided by the variance and multiplied by the variance; its root is the deviation.",
                    _adain(
                        lambda x, m, s, to_m, to_s: to_s**2 * (x - m) / s**2 + to_m,
                        _moments(correction=correction, epsilon=epsilon),
                    ),
                )
                for correction, epsilon in ((0, EPSILON), (0, 0.0), (1, EPSILON), (1, 0.0))
            ),
            Mistake(
                "The content is divided by its variance; the root of that is its deviation.",
                _adain(lambda x, m, s, to_m, to_s: to_s * (x - m) / s**2 + to_m),
            ),
            Mistake(
                "It is multiplied by the style's variance; the root of that is its deviation.",
                _adain(lambda x, m, s, to_m, to_s: to_s**2 * (x - m) / s + to_m),
            ),
            Mistake(
                "The roles are exchanged: these are the style's maps with the content's mean and deviation.",
                lambda content_maps, style_maps: _adain()(style_maps, content_maps),
            ),
            Mistake(
                "The moments are exchanged: the style's are taken away from the content's maps, and the "
                "content's own are laid on. The other way round.",
                _adain(lambda x, m, s, to_m, to_s: s * (x - to_m) / to_s + m),
            ),
            Mistake(
                "The deviations are exchanged: divide by the content's, multiply by the style's.",
                _adain(lambda x, m, s, to_m, to_s: s * (x - m) / to_s + to_m),
            ),
            Mistake(
                "The content's mean is not subtracted, so that it is stretched too and stays in the result.",
                _adain(lambda x, m, s, to_m, to_s: to_s * x / s + to_m),
            ),
            Mistake(
                "The style's mean is not added: every map ends up with mean 0.",
                _adain(lambda x, m, s, to_m, to_s: to_s * (x - m) / s),
            ),
            Mistake(
                "The content's own mean is added again. It is the style's that the maps are to have.",
                _adain(lambda x, m, s, to_m, to_s: to_s * (x - m) / s + m),
            ),
            Mistake(
                "Only the mean is exchanged; the maps still have the content's deviation.",
                _adain(lambda x, m, s, to_m, to_s: x - m + to_m),
            ),
            Mistake(
                "Only the deviation is exchanged: the maps are stretched about 0, and their means go along. "
                "Subtract the content's mean first, add the style's at the end.",
                _adain(lambda x, m, s, to_m, to_s: to_s * x / s),
            ),
            Mistake(
                "The style's mean is added first, then all is multiplied: the mean is stretched too. "
                "Multiply first.",
                _adain(lambda x, m, s, to_m, to_s: to_s * ((x - m) / s + to_m)),
            ),
            Mistake(
                "This is instance norm: the maps have mean 0 and deviation 1, and nothing of the style yet.",
                _adain(lambda x, m, s, to_m, to_s: (x - m) / s),
            ),
            Mistake(
                "The deviation is that of a sample, divided by H·W − 1, as `std` and `var` do by themselves. "
                "Here it is the root of the mean square: `correction=0`.",
                _adain(moments=_moments(correction=1)),
            ),
            Mistake(
                "Two things: `std` divides by H·W − 1 unless told otherwise (`correction=0`), and the 1e-5 "
                "under the root is missing.",
                _adain(moments=_moments(correction=1, epsilon=0.0)),
            ),
            Mistake(
                "Two things: `std` divides by H·W − 1 unless told otherwise (`correction=0`), and the 1e-5 "
                "belongs under the root.",
                _adain(moments=_moments(correction=1, outside=True)),
            ),
            Mistake(
                "The 1e-5 stands beside the root; it belongs under it.",
                _adain(moments=_moments(outside=True)),
            ),
            Mistake(
                "The 1e-5 is missing: a flat map has no deviation to be divided by, and 0 / 0 is no number.",
                _adain(moments=_moments(epsilon=0.0)),
            ),
            *(
                Mistake(
                    "Another number than 1e-5 stands under the root. It shows where maps are nearly flat.",
                    _adain(moments=_moments(epsilon=epsilon)),
                )
                for epsilon in (1e-8, 1e-7, 1e-6)
            ),
            *(
                Mistake(
                    "The style's maps were brought to the content's size first, and their deviation has "
                    "changed with it. Mean and deviation need no common size.",
                    _adain(of_style=_at_size(mode)),
                )
                for mode in ("nearest", "bilinear", "bicubic", "area")
            ),
            *(
                Mistake(
                    "These are the style's maps, resized: nothing of the content is left in them.",
                    lambda content_maps, style_maps, mode=mode: _at_size(mode)(
                        style_maps, content_maps
                    ).expand_as(content_maps),
                )
                for mode in ("nearest", "bilinear", "bicubic", "area")
            ),
            Mistake(
                "Every picture gets the first style. There may be one for each: let (N, C, 1, 1) meet "
                "(N or 1, C, 1, 1).",
                _adain(of_style=lambda style_maps, content_maps: style_maps[:1]),
            ),
        ),
    )
)
