"""The exercise of notebook 10 on a strength for each place of the picture."""

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from stylelab.checks.drawing import normal, uniform
from stylelab.checks.engine import checker
from stylelab.checks.exercise import Case, Exercise, Mistake
from stylelab.pictures.resampling import resize


def _blended(maps: np.ndarray, painted: np.ndarray, strength: np.ndarray) -> np.ndarray:
    height, width = maps.shape[2:]
    tall, wide = strength.shape[2] // height, strength.shape[3] // width
    made = np.empty_like(maps)
    for row, column in np.ndindex(height, width):
        pixels = strength[0, 0, row * tall : (row + 1) * tall, column * wide : (column + 1) * wide]
        share, place = pixels.mean(), (0, slice(None), row, column)
        made[place] = (1 - share) * maps[place] + share * painted[place]
    return made


def _area(strength: Tensor, maps: Tensor) -> Tensor:
    return F.interpolate(strength, maps.shape[-2:], mode="area")


def _by(**options) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda strength, maps: F.interpolate(strength, maps.shape[-2:], **options)


def _blend(
    shrink: Callable[[Tensor, Tensor], Tensor] = _area,
    combine: Callable = lambda maps, painted, share: (1 - share) * maps + share * painted,
) -> Callable:
    """An imitation: the exercise's function, with one thing done otherwise."""
    return lambda maps, painted, strength: combine(maps, painted, shrink(strength, maps))


def _enlarged(mode: str) -> Callable:
    def imitation(maps: Tensor, painted: Tensor, strength: Tensor) -> Tensor:
        large = (F.interpolate(values, strength.shape[-2:], mode=mode) for values in (maps, painted))
        return _blend()(*large, strength)

    return imitation


def _of_places(channels: int, height: int, width: int, times: int, seed: int) -> tuple[Tensor, ...]:
    """Maps, painted maps, and a strength of `times` their size."""
    return (
        normal(1, channels, height, width, seed=seed),
        normal(1, channels, height, width, seed=seed + 1) + 2,
        uniform(1, 1, times * height, times * width, seed=seed + 2),
    )


strength_map = checker(
    Exercise(
        name="strength_map",
        signature="strength_map(maps, painted, strength)",
        task="Maps and painted maps blended, with a strength for each place: the maps where it is 0, the "
        "painted ones where it is 1, and between the two in between.\n\n"
        "maps, painted: (1, C, h, w). strength: (1, 1, H, W) in [0, 1], at the size of the picture, each "
        "side 1, 2, 4 or 8 times that of the maps. A place of the maps stands for several pixels; its "
        "strength is their mean. Returns (1, C, h, w).",
        cases=lambda: [
            Case(
                (
                    torch.tensor([[[[4.0, 0.0, 8.0]]]]),
                    torch.tensor([[[[0.0, 2.0, 4.0]]]]),
                    torch.tensor([[[[0.0, 1.0, 0.25]]]]),
                ),
                "maps of the picture's size: strength 0, 1 and a quarter",
            ),
            Case(
                (
                    torch.tensor([[[[4.0]]]]),
                    torch.tensor([[[[12.0]]]]),
                    torch.tensor([[[[0.0, 1.0], [1.0, 1.0]]]]),
                ),
                "one place, which stands for four pixels, three of them at 1",
            ),
            Case(_of_places(2, 2, 3, 2, seed=0), "two maps, half the picture's size"),
            Case(_of_places(1, 3, 2, 4, seed=10), "a map of a quarter of the picture's size"),
            Case(_of_places(2, 2, 3, 8, seed=20), "two maps of an eighth of the picture's size"),
        ],
        reference=_blended,
        mistakes=(
            Mistake(
                "The roles are exchanged: the painted maps are to be where the strength is 1.",
                _blend(combine=lambda maps, painted, share: share * maps + (1 - share) * painted),
            ),
            *(
                Mistake(
                    "The strength of each place is that of a single pixel, and the others that it stands for "
                    "are skipped: a thin line may be lost. Take their mean.",
                    _blend(_by(mode=mode)),
                )
                for mode in ("nearest", "nearest-exact")
            ),
            *(
                Mistake(
                    "Bilinear without antialiasing looks at four pixels of each place and skips all others. "
                    'Take the mean of all: `mode="area"`.',
                    _blend(_by(mode="bilinear", align_corners=corners)),
                )
                for corners in (False, True)
            ),
            *(
                Mistake(
                    "The pixels are weighed, and those of the neighbouring places among them: strength seeps "
                    'over the edge. The plain mean of its own pixels is asked for: `mode="area"`.',
                    _blend(shrink),
                )
                for shrink in (
                    _by(mode="bilinear", antialias=True),
                    _by(mode="bicubic", antialias=True),
                    _by(mode="bicubic"),
                    lambda strength, maps: resize(strength, (maps.shape[-2], maps.shape[-1])),
                    lambda strength, maps: resize(strength, (maps.shape[-2], maps.shape[-1])).clamp(0, 1),
                )
            ),
            Mistake(
                "One strength for the whole picture, the mean of all. Each place has its own.",
                _blend(lambda strength, maps: strength.mean()),
            ),
            Mistake(
                "The upper left corner of the strength was cut out; all of it is to be made smaller.",
                _blend(lambda strength, maps: strength[..., : maps.shape[-2], : maps.shape[-1]]),
            ),
            Mistake(
                "The strengths of the pixels are added up; their mean is asked for.",
                _blend(
                    lambda strength, maps: _area(strength, maps) * (strength.numel() // maps[0, 0].numel())
                ),
            ),
            Mistake(
                "Each place has the largest strength of its pixels; their mean is asked for.",
                _blend(lambda strength, maps: F.adaptive_max_pool2d(strength, maps.shape[-2:])),
            ),
            Mistake(
                "The strength is rounded to 0 or 1; what is in between is blended.",
                _blend(lambda strength, maps: (_area(strength, maps) > 0.5).to(maps)),
            ),
            Mistake(
                "The strength is squared: at a half only a quarter would be painted. Take it as it is.",
                _blend(lambda strength, maps: _area(strength, maps).square()),
            ),
            Mistake(
                "The strengths are squared before their mean is taken. Take them as they are.",
                _blend(lambda strength, maps: _area(strength.square(), maps)),
            ),
            Mistake(
                "Only the painted maps, made weaker: where the strength is 0, the maps themselves are asked "
                "for.",
                _blend(combine=lambda maps, painted, share: share * painted),
            ),
            Mistake(
                "The painted maps are added to the maps, which stay in full: at strength 1 both are there. "
                "The maps have the share 1 − strength.",
                _blend(combine=lambda maps, painted, share: maps + share * painted),
            ),
            *(
                Mistake(
                    "The maps were brought to the size of the picture. The decoders want them as large as "
                    "they were: make the strength smaller.",
                    _enlarged(mode),
                )
                for mode in ("nearest", "bilinear")
            ),
        ),
    )
)
