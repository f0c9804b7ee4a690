"""The exercises of notebook 09 on training a network: its loss, its checkerboards, a style of one's own."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import torch
from torch import Tensor

from stylelab.checks.comparing import Shortfall, named
from stylelab.checks.drawing import normal
from stylelab.checks.engine import checker
from stylelab.checks.exercise import Case, Exercise, Mistake
from stylelab.errors import StylelabError
from stylelab.feedforward.network import FastNetwork
from stylelab.losses.yardstick import relative_losses
from stylelab.pictures.loading import as_image, load_image

Maps = Mapping[str, Tensor]


def _gram(maps: Tensor, divide: bool = True) -> Tensor:
    rows = maps.flatten(2)
    return rows @ rows.mT / (maps[0].numel() if divide else 1)


def _loss(maps, content_maps, grams, chosen: Sequence[int], style_weight: float) -> float:
    total = 0.0
    for n, style in enumerate(chosen):
        for name, target in content_maps.items():
            total += ((maps[name][n] - target[n]) ** 2).sum() / (target[n] ** 2).sum()
        for name, gram in grams.items():
            rows = maps[name][n].reshape(len(maps[name][n]), -1)
            apart = rows @ rows.T / rows.size - gram[style]
            total += style_weight / len(grams) * (apart**2).sum() / (gram[style] ** 2).sum()
    return float(total) / len(chosen)


def _apart(value: Tensor, target: Tensor) -> Tensor:
    """The relative distance of each of a batch, (N,)."""
    return (value - target).square().flatten(1).sum(1) / target.square().flatten(1).sum(1)


def _taken(
    distance: Callable[[Tensor, Tensor], Tensor] = _apart,
    rows: Callable[[Tensor, Sequence[int]], Tensor] = lambda gram, chosen: gram[list(chosen)],
    over_layers: Callable[[Tensor], Tensor] = lambda losses: losses.mean(0),
    over_pictures: Callable[[Tensor], Tensor] = torch.mean,
    together: Callable = lambda content, style, weight: content + weight * style,
    gram_of: Callable[[Tensor], Tensor] = _gram,
) -> Callable:
    """An imitation: the exercise's function, with one thing done otherwise."""

    def imitation(maps: Maps, content_maps: Maps, grams: Maps, chosen, style_weight: float) -> Tensor:
        content = torch.stack([distance(maps[name], target) for name, target in content_maps.items()]).sum(0)
        style = [distance(gram_of(maps[name]), rows(gram, chosen)) for name, gram in grams.items()]
        return over_pictures(together(content, over_layers(torch.stack(style)), style_weight))

    return imitation


def _batch(pictures: int, styles: int, seed: int = 0) -> tuple[dict, dict, dict]:
    """Maps of painted pictures, of photographs, and Gram matrices of paintings."""
    maps = {
        "relu1_1": normal(pictures, 2, 2, 3, seed=seed),
        "relu2_1": 2 * normal(pictures, 2, 1, 3, seed=seed + 1),
        "relu4_2": normal(pictures, 3, 1, 2, seed=seed + 2),
    }
    photographs = {"relu4_2": normal(pictures, 3, 1, 2, seed=seed + 3) + 1}
    grams = {
        "relu2_1": _gram(normal(styles, 2, 2, 2, seed=seed + 4) + 1),
        "relu1_1": _gram(normal(styles, 2, 2, 2, seed=seed + 5)),
    }
    return maps, photographs, grams


def _single() -> tuple[dict, dict, dict]:
    one = torch.tensor([[[[2.0]]]])
    return {"relu1_1": one}, {"relu1_1": one / 2}, {"relu1_1": torch.tensor([[[3.0]]])}


fast_loss = checker(
    Exercise(
        name="fast_loss",
        signature="fast_loss(maps, content_maps, grams, chosen, style_weight)",
        task="The loss of a batch of painted pictures, each in its own style: the mean over the pictures of "
        "content plus style_weight times style.\n\n"
        "maps: of the painted pictures, {layer: (N, C, H, W)}. content_maps: of their photographs, in the "
        "content layers, likewise. grams: of S paintings, {layer: (S, C, C)}, divided by C·H·W, in the style "
        "layers. chosen: a list of N whole numbers, the painting of each picture. Distances are relative: "
        "of a picture in a layer the squared distance over the target's own squared size. Content is the sum "
        "over its layers, style the mean over its layers. Returns a scalar tensor.",
        cases=lambda: [
            Case((*_single(), [0], 1.0), "one picture, one number a map", (0,)),
            Case((*_batch(1, 1), [0], 0.0), "style weight 0", (0,)),
            Case((*_batch(1, 2), [1], 5.0), "one picture, in the second style", (0,)),
            Case((*_batch(2, 3, seed=10), [2, 0], 3.0), "two pictures, styles 2 and 0"),
            Case((*_batch(3, 2, seed=20), [1, 1, 0], 0.5), "three pictures of two styles"),
        ],
        reference=_loss,
        mistakes=(
            Mistake(
                "Every picture is compared with the first painting: pick the row of each, `gram[chosen]`.",
                _taken(rows=lambda gram, chosen: gram[:1].expand(len(chosen), -1, -1)),
            ),
            Mistake(
                "The first picture is compared with the first painting, the second with the second: "
                "`chosen` is not looked at.",
                _taken(rows=lambda gram, chosen: gram[torch.arange(len(chosen)) % len(gram)]),
            ),
            Mistake(
                "Every picture is compared with the mean of all paintings. Each has a painting of its own.",
                _taken(rows=lambda gram, chosen: gram.mean(0, keepdim=True).expand(len(chosen), -1, -1)),
            ),
            Mistake(
                "The style is the sum over its layers; their mean is asked for.",
                _taken(over_layers=lambda losses: losses.sum(0)),
            ),
            Mistake(
                "This is the sum over the pictures; their mean is asked for, or a larger batch would be a "
                "larger loss.",
                _taken(over_pictures=torch.sum),
            ),
            Mistake(
                "These are plain means of squares; relative distances are asked for, each divided by the "
                "squared size of its own target.",
                _taken(lambda value, target: (value - target).square().flatten(1).mean(1)),
            ),
            Mistake(
                "These are plain sums of squares; divide each by the squared size of its own target.",
                _taken(lambda value, target: (value - target).square().flatten(1).sum(1)),
            ),
            Mistake(
                "The distance of the whole batch is divided by the size of all its targets together. Each "
                "picture has its own: sum over all dimensions but the first, divide, then take the mean.",
                _taken(
                    lambda value, target: ((value - target).square().sum() / target.square().sum()).expand(
                        len(value)
                    )
                ),
            ),
            Mistake(
                "Divided by the size of the picture's own maps; it is the target's that does not move.",
                _taken(lambda value, target: _apart(target, value)),
            ),
            Mistake(
                "The square root is too much: squared distance over squared size, as it is.",
                _taken(lambda value, target: _apart(value, target).sqrt()),
            ),
            Mistake(
                "The style weight is left out.",
                _taken(together=lambda content, style, weight: content + style),
            ),
            Mistake(
                "The style weight covers both terms.",
                _taken(together=lambda content, style, weight: weight * (content + style)),
            ),
            Mistake(
                "The style weight stands at the content.",
                _taken(together=lambda content, style, weight: weight * content + style),
            ),
            Mistake(
                "The content is missing: a network would paint every photograph alike.",
                _taken(together=lambda content, style, weight: weight * style),
            ),
            Mistake("The style is missing.", _taken(together=lambda content, style, weight: content)),
            Mistake(
                "Your Gram matrices are not divided by C·H·W, and the paintings' are.",
                _taken(gram_of=lambda maps: _gram(maps, divide=False)),
            ),
            Mistake(
                "One Gram matrix for the whole batch mixes the pictures' styles: each picture has its own.",
                _taken(gram_of=lambda maps: _gram(maps).mean(0, keepdim=True).expand(len(maps), -1, -1)),
            ),
            Mistake(
                "The value is right, but cut off from the maps: no gradient reaches the network's weights.",
                lambda maps, *others: _taken()({name: m.detach() for name, m in maps.items()}, *others),
            ),
        ),
    )
)


def _counted(kernel: int, stride: int, inputs: int) -> list[int]:
    counts = [0] * ((inputs - 1) * stride + kernel)
    for start in range(0, inputs * stride, stride):
        for tap in range(kernel):
            counts[start + tap] += 1
    return counts


coverage = checker(
    Exercise(
        name="coverage",
        signature="coverage(kernel, stride, inputs)",
        task="How many pixels of a small picture contribute to each pixel of the large one that a transposed "
        "convolution makes of it, along one side.\n\n"
        "Pixel i of the `inputs` pixels is added, times the kernel's weights, to the pixels from i · stride "
        "on, `kernel` of them. Returns a list of (inputs − 1) · stride + kernel whole numbers.",
        cases=lambda: [
            Case((1, 1, 3), "kernel 1, stride 1, three pixels"),
            Case((2, 2, 3), "kernel 2, stride 2, three pixels"),
            Case((3, 2, 4), "kernel 3, stride 2, four pixels"),
            Case((4, 2, 4), "kernel 4, stride 2, four pixels"),
            Case((2, 3, 3), "kernel 2, stride 3, three pixels"),
            Case((5, 3, 5), "kernel 5, stride 3, five pixels"),
        ],
        reference=_counted,
        mistakes=(
            Mistake(
                "Stride is not looked at: this is a convolution that moves on by one pixel.",
                lambda k, s, n: _counted(k, 1, n),
            ),
            Mistake("Kernel and stride are exchanged.", lambda k, s, n: _counted(s, k, n)),
            Mistake(
                "Each pixel is counted as covered or not; some are covered more than once, and that is what "
                "shows.",
                lambda k, s, n: [min(1, count) for count in _counted(k, s, n)],
            ),
            Mistake(
                "The end is missing: the last pixel reaches kernel pixels far, not stride.",
                lambda k, s, n: _counted(k, s, n)[: n * s],
            ),
            Mistake(
                "The kernel is one too short: `range(kernel)` has all its taps.",
                lambda k, s, n: [*_counted(k - 1, s, n), 0],
            ),
            Mistake(
                "These are the numbers of the middle, everywhere; at both ends fewer pixels contribute.",
                lambda k, s, n: _counted(k, s, n + 2 * k)[k * s : (k + n - 1) * s + k],
            ),
            Mistake(
                "These are shares; whole numbers are asked for.",
                lambda k, s, n: [count / max(_counted(k, s, n)) for count in _counted(k, s, n)],
            ),
        ),
        praise="Where the kernel is no multiple of the stride, the middle goes up and down: a checkerboard.",
    )
)

SHOWN, SIZE = "cat", 192  # the photograph by which a style is judged, and its pixels
NEARER = 0.9  # times the style loss of the nearest style that the network knew before


@lru_cache(maxsize=1)
def _course_network() -> FastNetwork:
    return FastNetwork.load()


def _style_loss(network: FastNetwork, style: str, painting: Tensor) -> float:
    photograph = load_image(SHOWN, SIZE)
    painted = network.stylise(photograph, style, precision="float32")
    return relative_losses(painted, photograph, painting)["style"]


def _learnt(answer) -> Shortfall | None:
    if not isinstance(answer, dict) or set(answer) != {"network", "painting"}:
        return Shortfall('Hand in {"network": …, "painting": …}: what was trained, and what it learnt.')
    network, known = answer["network"], _course_network()
    if not isinstance(network, FastNetwork):
        return Shortfall(f"The network should be what fit_fast_network returns; yours is {named(network)}.")
    try:
        painting = as_image(answer["painting"])
    except StylelabError as error:
        return Shortfall(f"The painting cannot be read: {error}.")
    if missing := [name for name in known.styles if name not in network.styles]:
        return Shortfall(
            f"It has lost {len(missing)} of the course's styles, {missing[0]} among them: this is a network "
            "of its own. `network=network` adds a style to the trained one."
        )
    added = [name for name in network.styles if name not in known.styles]
    if not added:
        return Shortfall("It knows the course's styles, and no other: add yours.")
    places = [network.styles.index(name) for name in known.styles]
    before, after = known.state_dict(), network.state_dict()
    after["vectors"] = after["vectors"][places]
    if not all(torch.equal(after[name].cpu(), values.cpu()) for name, values in before.items()):
        return Shortfall(
            "The course's own styles no longer paint as they did: its weights were changed. Only the new "
            "style's two numbers a map are to be trained."
        )
    mine = _style_loss(network, added[-1], painting)
    other, nearest = min((_style_loss(known, name, painting), name) for name in known.styles)
    if mine > NEARER * other:
        return Shortfall(
            f"The {SHOWN} in {added[-1]} is no nearer to that painting than in {nearest}, which the network "
            "knew before: train longer, or look whether this is the painting it was trained on.",
            f"style loss below {NEARER * other:.3f}",
            f"{mine:.3f}",
        )
    return None


own_style = checker(
    Exercise(
        name="own_style",
        signature="own_style",
        task="The course's network with a style of yours added, its other styles as they were.\n\n"
        'A dict {"network": what fit_fast_network returned, "painting": what it learnt, as load_image reads '
        "it}.",
        answer=True,
        seconds=60.0,
        judge=lambda answer: _learnt(answer),
    )
)
