"""The exercises of notebook 02 on the network: its taps, and what its deep layers see."""

from collections import OrderedDict
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylelab.checks.comparing import Shortfall, named
from stylelab.checks.drawing import normal, uniform
from stylelab.checks.engine import checker
from stylelab.checks.exercise import Case, Exercise, Mistake
from stylelab.networks.extractor import shared_extractor
from stylelab.pictures.loading import load_image

MEAN, STD = (
    torch.tensor(values).view(1, 3, 1, 1) for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
)


def _network() -> nn.Sequential:
    """VGG's first layers in small, its ReLUs in place as they often come."""
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        conv1_1=nn.Conv2d(3, 4, 3, padding=1),
        relu1_1=nn.ReLU(inplace=True),
        pool1=nn.MaxPool2d(2),
        conv2_1=nn.Conv2d(4, 2, 3, padding=1),
        relu2_1=nn.ReLU(inplace=True),
    )
    network = nn.Sequential(layers).requires_grad_(False)
    for number, values in enumerate(network.parameters()):
        values.copy_(normal(*values.shape, seed=number) / 3)
    return network


def _true_taps(
    network: nn.Sequential, image: np.ndarray, wanted: list[str], mean, std
) -> dict[str, np.ndarray]:
    x, found = torch.from_numpy((image - mean) / std), {}
    for name, layer in network.named_children():
        if isinstance(layer, nn.Conv2d):
            x = F.conv2d(x, layer.weight.double(), layer.bias.double(), padding=1)  # type: ignore[union-attr]
        else:
            x = x * (x > 0) if isinstance(layer, nn.ReLU) else F.max_pool2d(x, 2)
        if name in wanted:
            found[name] = x.numpy()
    return found


def _taps(
    normalise: Callable[[Tensor, Tensor, Tensor], Tensor] = lambda image, mean, std: (image - mean) / std,
    keep: Callable[[Tensor], Tensor] = torch.clone,
    after: bool = True,
    everything: bool = False,
) -> Callable:
    """An imitation: the loop over the layers, with one thing done otherwise."""

    def taps(network: nn.Sequential, image: Tensor, wanted: list[str], mean: Tensor, std: Tensor):
        x, found = normalise(image, mean, std), {}
        for name, layer in network.named_children():
            entering = x
            x = layer(x if after else x.clone())
            if everything or name in wanted:
                found[name] = keep(x if after else entering)
        return found

    return taps


def _same(value: Tensor) -> Tensor:
    return value


taps = checker(
    Exercise(
        name="taps",
        signature="taps(network, image, wanted, mean, std)",
        task="The feature maps of some layers of a network: normalise the picture, send it through layer by "
        "layer, and keep what the wanted ones put out.\n\n"
        "network: an nn.Sequential of VGG-19's layers by name (`network.named_children()`), its ReLUs in "
        "place; it stays as it is. image: (N, 3, H, W) in [0, 1]. wanted: a list of names. mean, std: (1, "
        "3, 1, 1), of the pictures that the network was trained on: subtract the one, divide by the other. "
        "Returns {name: (N, C, h, w)}.",
        cases=lambda: [
            Case((_network(), uniform(1, 3, 2, 4), ["relu1_1"], MEAN, STD), "one layer, relu1_1", (1,)),
            Case(
                (_network(), uniform(1, 3, 4, 4), ["conv1_1", "conv2_1"], MEAN, STD),
                "two layers before their ReLUs",
                (1,),
            ),
            Case(
                (_network(), uniform(2, 3, 4, 6), ["relu2_1", "conv1_1", "pool1"], MEAN, STD),
                "three layers, a batch of two",
            ),
        ],
        reference=_true_taps,
        tolerance=1e-3,
        keeps=False,
        mistakes=(
            Mistake(
                "What is called conv1_1 here is relu1_1: the ReLU that follows works in place, and writes "
                "into the tensor you have kept. Keep a copy: `x.clone()`.",
                _taps(keep=_same),
            ),
            Mistake(
                "`detach()` shares the memory, so the in-place ReLU still writes into what you have kept, "
                "and the gradient is lost besides. `clone()` copies the numbers and keeps the gradient's "
                "path.",
                _taps(keep=torch.detach),
            ),
            Mistake(
                "The maps are right, but detached: no gradient can reach the picture any more. `clone()` "
                "alone.",
                _taps(keep=lambda x: x.detach().clone()),
            ),
            Mistake(
                "The picture goes in as it is. The network was trained on pictures whose mean was "
                "subtracted and that were divided by the standard deviation, channel by channel.",
                _taps(lambda image, mean, std: image),
            ),
            Mistake(
                "The mean is subtracted, but nothing is divided by the standard deviation.",
                _taps(lambda image, mean, std: image - mean),
            ),
            Mistake(
                "The picture is divided by the deviation first, and the mean subtracted afterwards. The "
                "other way round.",
                _taps(lambda image, mean, std: image / std - mean),
            ),
            Mistake(
                "It is multiplied by the standard deviation; divide.",
                _taps(lambda image, mean, std: (image - mean) * std),
            ),
            Mistake(
                "The mean is added; subtract it.",
                _taps(lambda image, mean, std: (image + mean) / std),
            ),
            Mistake(
                "The channels were turned round, to blue, green, red. These weights want red, green, blue.",
                _taps(lambda image, mean, std: (image.flip(1) - mean) / std),
            ),
            Mistake(
                "The picture was multiplied by 255; here it stays in [0, 1] before the mean is subtracted.",
                _taps(lambda image, mean, std: (255 * image - mean) / std),
            ),
            Mistake(
                "What is kept is what goes into each layer. Keep what comes out: first `x = layer(x)`, then "
                "look.",
                _taps(after=False),
            ),
            Mistake(
                "Every layer is kept. Only those in `wanted` are asked for; keeping all costs memory.",
                _taps(everything=True),
            ),
        ),
    )
)


def _middle(name: str) -> Tensor:
    image = load_image(name, 192)
    top, left = (image.shape[2] - 112) // 2, (image.shape[3] - 112) // 2
    return image[..., top : top + 112, left : left + 112]


def _minded(image: Tensor, changed: Tensor) -> tuple[float, float, float]:
    """PSNR of the change, and how far it is in pixels and at relu4_2; 1 is another photograph."""
    vgg = shared_extractor(device="cpu")
    with torch.no_grad():
        pictures = [image, changed, *map(_middle, ("cat", "coffee", "rocket"))]
        maps = vgg(torch.cat(pictures), "relu4_2")["relu4_2"]
        distances = [[(b - a[0]).square().mean().item() for b in a[1:]] for a in (torch.cat(pictures), maps)]
    pixels, deep = (3 * first / sum(others) for first, *others in distances)
    return -10 * float(np.log10(max(distances[0][0], 1e-12))), pixels, deep


def _is_picture(image: Tensor, changed) -> Shortfall | None:
    if not isinstance(changed, Tensor) or changed.shape != image.shape:
        shape = tuple(changed.shape) if isinstance(changed, Tensor) else named(changed)
        return Shortfall(f"Expected a picture of shape {tuple(image.shape)}; yours is {shape}.")
    if not changed.isfinite().all():
        return Shortfall("Some of the numbers are NaN or infinite.")
    low, high = changed.min().item(), changed.max().item()
    if low < 0 or high > 1:
        return Shortfall(
            f"Values from {low:.2f} to {high:.2f} cannot be shown: clamp to [0, 1], as the last step."
        )
    if torch.equal(changed, image):
        return Shortfall("This is the picture itself: nothing was changed.")
    return None


def _fools(image: Tensor, changed) -> Shortfall | None:
    wrong = _is_picture(image, changed)
    if wrong:
        return wrong
    decibels, pixels, deep = _minded(image, changed)
    if decibels < 30:
        return Shortfall(
            f"{decibels:.1f} dB: one sees that. Stay at 30 dB or above.", ">= 30 dB", f"{decibels:.1f} dB"
        )
    if deep < 10 * pixels:
        sentence = f"relu4_2 minds it {deep / pixels:.1f} times as much as pixels do; 10 times is asked for."
        if deep > 2 * pixels:
            sentence += (
                " What is rare in photographs, and so regular that a filter answers in full? Try sizes."
            )
        return Shortfall(sentence, "10 or more", f"{deep / pixels:.1f}")
    return None


def _overlooked(image: Tensor, changed) -> Shortfall | None:
    wrong = _is_picture(image, changed)
    if wrong:
        return wrong
    decibels, pixels, deep = _minded(image, changed)
    if decibels > 17:
        return Shortfall(
            f"{decibels:.1f} dB: hardly to be seen. Make it stronger, to 17 dB or below.",
            "<= 17 dB",
            f"{decibels:.1f} dB",
        )
    if deep > pixels / 4:
        return Shortfall(
            f"relu4_2 minds it {deep / pixels:.2f} times as much as pixels do; at most 0.25 is asked for.",
            "0.25 or less",
            f"{deep / pixels:.2f}",
        )
    return None


fooling_change = checker(
    Exercise(
        name="fooling_change",
        signature="fooling_change(image)",
        task="A change that is hardly seen, 30 dB or above, and that relu4_2 minds ten times as much as "
        "pixels do, where 1 is the distance to another photograph.\n\n"
        "image: (1, 3, 112, 112) in [0, 1]. Returns another image like it.",
        cases=lambda: [Case((_middle("astronaut"),), "the astronaut")],
        judge=_fools,
        seconds=30,
        praise="Fooled: hardly to be seen, and for relu4_2 more than ten times as much of a change as for "
        "pixels.",
    )
)


overlooked_change = checker(
    Exercise(
        name="overlooked_change",
        signature="overlooked_change(image)",
        task="A change that is seen at once, 17 dB or below, and that relu4_2 minds at most a quarter as "
        "much as pixels do, where 1 is the distance to another photograph.\n\n"
        "image: (1, 3, 112, 112) in [0, 1]. Returns another image like it.",
        cases=lambda: [Case((_middle("astronaut"),), "the astronaut")],
        judge=_overlooked,
        seconds=30,
        praise="Right: you see it at once, and relu4_2 takes it for nearly the same picture.",
    )
)
