"""The exercises of notebook 03 on the loss of Gatys: its style term, and the whole of it."""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor

from stylelab.checks.drawing import normal
from stylelab.checks.engine import checker
from stylelab.checks.exercise import Case, Exercise, Mistake

Maps = Mapping[str, Tensor]


def _gram(maps: Tensor, divide: bool = True) -> Tensor:
    rows = maps.flatten(2)
    return rows @ rows.mT / (maps[0].numel() if divide else 1)


def _gram_distance(f: np.ndarray, gram: np.ndarray) -> float:
    n, c, h, w = f.shape
    squares = [
        ((f[p, i] * f[p, j]).sum() / (c * h * w) - gram[min(p, len(gram) - 1), i, j]) ** 2
        for p, i, j in np.ndindex(n, c, c)
    ]
    return float(np.mean(squares))


def _style(features: Mapping, grams: Mapping) -> float:
    return sum(_gram_distance(features[name], gram) for name, gram in grams.items())


def _layers(batch: int = 1, seed: int = 0) -> dict[str, Tensor]:
    """Two style layers of one width and a content layer, with maps too few for a slow check."""
    return {
        "relu1_1": normal(batch, 2, 3, 2, seed=seed),
        "relu2_1": normal(batch, 2, 1, 3, seed=seed + 1) * 2,
        "relu4_2": normal(batch, 3, 1, 2, seed=seed + 2),
    }


def _targets(*names: str) -> dict[str, Tensor]:
    painted = _layers(seed=10)
    return {name: _gram(painted[name]) for name in names}


def _one() -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    return {"relu1_1": torch.tensor([[[[2.0]]]])}, {"relu1_1": torch.tensor([[[3.0]]])}


def _each(
    distance: Callable[[Tensor, Tensor], Tensor], together: Callable = torch.sum
) -> Callable[[Maps, Maps], Tensor]:
    """An imitation: a distance of the Gram matrices in each layer, put together."""
    return lambda maps, grams: together(
        torch.stack([distance(_gram(maps[n]), gram) for n, gram in grams.items()])
    )


def _square(g: Tensor, a: Tensor) -> Tensor:
    return (g - a).square().mean()


style_loss = checker(
    Exercise(
        name="style_loss",
        signature="style_loss(features, grams)",
        task="How far the styles are apart: in each layer the mean of the squared differences of the Gram "
        "matrices, summed over the layers of grams.\n\n"
        "features: {layer: maps (N, C, H, W)}, perhaps of more layers, in any order. grams: {layer: the "
        "painting's Gram matrix (1, C, C), divided by C·H·W}. Returns a scalar tensor.",
        cases=lambda: [
            Case(_one(), "one layer of one feature", (0,)),
            Case(
                (_layers(), _targets("relu2_1", "relu1_1")),
                "two layers, in another order than the maps",
                (0,),
            ),
            Case((_layers(), _targets("relu4_2")), "a layer that is the last of the maps", (0,)),
            Case((_layers(2), _targets("relu1_1", "relu2_1")), "a batch of two"),
            Case((_layers(), _targets("relu1_1", "relu4_2")), "layers of two and of three channels", (0,)),
        ],
        reference=_style,
        mistakes=(
            Mistake(
                "Maps and Gram matrices were paired by their place in the dict, so a layer meets another "
                "layer's target. Look each up by its name.",
                lambda maps, grams: torch.stack(
                    [_square(_gram(m), a) for m, a in zip(maps.values(), grams.values(), strict=False)]
                ).sum(),
            ),
            Mistake(
                "It goes through all the maps, but grams has only some of the layers (the content layer has "
                "none): go through grams.",
                lambda maps, grams: torch.stack([_square(_gram(m), grams[n]) for n, m in maps.items()]).sum(),
            ),
            Mistake(
                "This is the mean over the layers; their sum is asked for.",
                _each(_square, torch.mean),
            ),
            Mistake(
                "This is one mean over the entries of all layers together. Take each layer's own mean, and "
                "add these.",
                lambda maps, grams: torch.cat(
                    [(_gram(maps[n]) - a).square().flatten() for n, a in grams.items()]
                ).mean(),
            ),
            Mistake(
                "The square is missing: entries above the target and entries below it cancel.",
                _each(lambda g, a: (g - a).mean()),
            ),
            Mistake(
                "The square root is too much: each layer adds the mean of its squares as it is.",
                _each(lambda g, a: (g - a).square().mean().sqrt()),
            ),
            Mistake(
                "The square root of the sum is too much: add the means, and that is it.",
                _each(_square, lambda losses: losses.sum().sqrt()),
            ),
            Mistake(
                "The squares are added up within a layer; take their mean, then add the layers.",
                _each(lambda g, a: (g - a).square().sum()),
            ),
            Mistake(
                "Your Gram matrices are not divided by C·H·W, and the painting's are: the two cannot meet.",
                lambda maps, grams: torch.stack(
                    [_square(_gram(maps[n], divide=False), a) for n, a in grams.items()]
                ).sum(),
            ),
            Mistake(
                "Your Gram matrices are divided by H·W, the painting's by C·H·W: one and the same divisor "
                "on both sides.",
                lambda maps, grams: torch.stack(
                    [_square(_gram(maps[n]) * maps[n].shape[1], a) for n, a in grams.items()]
                ).sum(),
            ),
            Mistake(
                "Only the last layer counts: the sum is overwritten in each turn. `+=`, or a list and `sum`.",
                lambda maps, grams: [_square(_gram(maps[n]), a) for n, a in grams.items()][-1],
            ),
            Mistake(
                "Only the first layer counts: the `return` stands inside the loop.",
                lambda maps, grams: next(_square(_gram(maps[n]), a) for n, a in grams.items()),
            ),
            Mistake(
                "These are absolute differences; square them.",
                _each(lambda g, a: (g - a).abs().mean()),
            ),
            Mistake(
                "This is the relative loss, each layer divided by the size of its target; plain means are "
                "asked for.",
                _each(lambda g, a: (g - a).square().sum() / a.square().sum()),
            ),
            Mistake(
                "This is a list of losses, one for each layer. Add them up: one number can go down.",
                lambda maps, grams: [_square(_gram(maps[n]), a) for n, a in grams.items()],
            ),
            Mistake(
                "The value is right, but the maps were detached: no gradient flows back to the picture.",
                lambda maps, grams: torch.stack(
                    [_square(_gram(maps[n].detach()), a) for n, a in grams.items()]
                ).sum(),
            ),
        ),
    )
)


def _gatys(maps, content_maps, grams, content_weight: float, style_weight: float) -> float:
    content = sum(float(((maps[name] - target) ** 2).mean()) for name, target in content_maps.items())
    return content_weight * content + style_weight * _style(maps, grams)


def _terms(maps: Maps, content_maps: Maps, grams: Maps) -> tuple[Tensor, Tensor]:
    content = torch.stack([(maps[n] - target).square().mean() for n, target in content_maps.items()]).sum()
    return content, torch.stack([_square(_gram(maps[n]), a) for n, a in grams.items()]).sum()


def _photograph(batch: int = 1) -> dict[str, Tensor]:
    return {"relu4_2": normal(batch, 3, 1, 2, seed=20)}


gatys_loss = checker(
    Exercise(
        name="gatys_loss",
        signature="gatys_loss(maps, content_maps, grams, content_weight, style_weight)",
        task="The whole loss: content_weight times the mean squared difference of the maps, plus "
        "style_weight times that of the Gram matrices.\n\n"
        "maps: of the picture, {layer: (N, C, H, W)}. content_maps: of the photograph, in the content "
        "layers. grams: of the painting, {layer: (1, C, C)}, divided by C·H·W, in the style layers. Each "
        "term is summed over its layers. Returns a scalar tensor.",
        cases=lambda: [
            Case(
                (*_one()[:1], {"relu1_1": torch.tensor([[[[1.0]]]])}, _one()[1], 1.0, 1.0),
                "one feature",
                (0,),
            ),
            Case(
                (_layers(), _photograph(), _targets("relu1_1", "relu2_1"), 1.0, 0.0), "style weight 0", (0,)
            ),
            Case((_layers(), _photograph(), _targets("relu2_1", "relu1_1"), 0.0, 1.0), "content weight 0"),
            Case(
                (_layers(), _photograph(), _targets("relu1_1", "relu2_1"), 2.0, 5.0), "weights 2 and 5", (0,)
            ),
            Case((_layers(2), _photograph(2), _targets("relu1_1", "relu2_1"), 0.5, 3.0), "a batch of two"),
            Case((_layers(), _layers(seed=20), _targets("relu2_1"), 2.0, 5.0), "three content layers", (0,)),
        ],
        reference=_gatys,
        mistakes=(
            Mistake(
                "The weights are exchanged: content_weight belongs to the maps, style_weight to the Gram "
                "matrices.",
                lambda m, p, a, wc, ws: (t := _terms(m, p, a))[0] * ws + t[1] * wc,
            ),
            Mistake(
                "The content term is missing.",
                lambda m, p, a, wc, ws: ws * _terms(m, p, a)[1],
            ),
            Mistake(
                "The style term is missing.",
                lambda m, p, a, wc, ws: wc * _terms(m, p, a)[0],
            ),
            Mistake(
                "The weights are left out: both terms count alike.",
                lambda m, p, a, wc, ws: sum(_terms(m, p, a)),
            ),
            Mistake(
                "The style weight is left out.",
                lambda m, p, a, wc, ws: wc * _terms(m, p, a)[0] + _terms(m, p, a)[1],
            ),
            Mistake(
                "The content weight is left out.",
                lambda m, p, a, wc, ws: _terms(m, p, a)[0] + ws * _terms(m, p, a)[1],
            ),
            Mistake(
                "The style weight covers both terms: check the brackets.",
                lambda m, p, a, wc, ws: ws * (wc * _terms(m, p, a)[0] + _terms(m, p, a)[1]),
            ),
            Mistake(
                "The content weight covers both terms: check the brackets.",
                lambda m, p, a, wc, ws: wc * (_terms(m, p, a)[0] + ws * _terms(m, p, a)[1]),
            ),
            Mistake(
                "The content term is halved, as in the paper; here the mean is taken as it is.",
                lambda m, p, a, wc, ws: wc * _terms(m, p, a)[0] / 2 + ws * _terms(m, p, a)[1],
            ),
            Mistake(
                "The content term is the mean over its layers; it is to be their sum.",
                lambda m, p, a, wc, ws: wc * _terms(m, p, a)[0] / len(p) + ws * _terms(m, p, a)[1],
            ),
            Mistake(
                "Only the first content layer counts, and there may be several: go through content_maps, "
                "and add.",
                lambda m, p, a, wc, ws: (
                    wc * _terms(m, dict([next(iter(p.items()))]), a)[0] + ws * _terms(m, p, a)[1]
                ),
            ),
            Mistake(
                "Only the last content layer counts: the sum is overwritten in each turn. `+=`, or `sum`.",
                lambda m, p, a, wc, ws: (
                    wc * _terms(m, dict([list(p.items())[-1]]), a)[0] + ws * _terms(m, p, a)[1]
                ),
            ),
            Mistake(
                "The style term is added once for each content layer: take it out of the loop.",
                lambda m, p, a, wc, ws: wc * _terms(m, p, a)[0] + ws * len(p) * _terms(m, p, a)[1],
            ),
            Mistake(
                "The terms are multiplied. Add them: then one can be small while the other is not.",
                lambda m, p, a, wc, ws: wc * _terms(m, p, a)[0] * ws * _terms(m, p, a)[1],
            ),
            Mistake(
                "The style term is subtracted: the descent would drive the picture away from the painting. "
                "Add it.",
                lambda m, p, a, wc, ws: wc * _terms(m, p, a)[0] - ws * _terms(m, p, a)[1],
            ),
            Mistake(
                "The content term is a sum of squares; take the mean.",
                lambda m, p, a, wc, ws: (
                    sum(wc * (m[n] - t).square().sum() for n, t in p.items()) + ws * _terms(m, p, a)[1]
                ),
            ),
            Mistake(
                "The style term is the mean over the layers; it is to be their sum.",
                lambda m, p, a, wc, ws: wc * _terms(m, p, a)[0] + ws * _terms(m, p, a)[1] / len(a),
            ),
            Mistake(
                "Your Gram matrices are not divided by C·H·W, and the painting's are.",
                lambda m, p, a, wc, ws: (
                    wc * _terms(m, p, a)[0] + ws * sum(_square(_gram(m[n], False), g) for n, g in a.items())
                ),
            ),
            Mistake(
                "The value is right, but cut off from the maps: no gradient flows back to the picture.",
                lambda m, p, a, wc, ws: (
                    (t := _terms({n: v.detach() for n, v in m.items()}, p, a))[0] * wc + t[1] * ws
                ),
            ),
        ),
    )
)
