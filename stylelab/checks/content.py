"""The exercises of notebook 02: content loss, PSNR, the taps of a network, and what deep layers see."""

from collections import OrderedDict
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylelab.checks.comparing import Shortfall
from stylelab.checks.drawing import normal, uniform
from stylelab.checks.engine import Case, Exercise, Mistake, checker
from stylelab.networks.extractor import shared_extractor
from stylelab.pictures.loading import load_image


def _two_maps() -> list[Case]:
    here, there = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]]), torch.tensor([[[[1.0, 0.0], [3.0, 0.0]]]])
    return [
        Case((here, there), "one channel, two of four features differ", (0,)),
        Case((here, here), "features that are equal", (0,)),
        Case((normal(1, 3, 2, 4), normal(1, 3, 2, 4, seed=1)), "random maps", (0,)),
        Case((normal(2, 3, 4, 2), normal(2, 3, 4, 2, seed=1)), "a batch of two", (0,)),
    ]


content_loss = checker(
    Exercise(
        name="content_loss",
        signature="content_loss(features, target)",
        task="The mean of the squared differences of two feature maps.\n\n"
        "features, target: (N, C, H, W), alike. Returns a scalar tensor, from which a gradient flows back "
        "to the features; whether one reaches the target does not matter.",
        cases=_two_maps,
        reference=lambda f, p: float(np.mean([(a - b) ** 2 for a, b in zip(f.flat, p.flat, strict=True)])),
        mistakes=(
            Mistake(
                "This is the sum. The mean is asked for: a sum grows with the layer and the picture, and so "
                "would the weight that suits it.",
                lambda f, p: (f - p).square().sum(),
            ),
            Mistake(
                "This is half the sum, as in the paper; the mean is asked for here.",
                lambda f, p: (f - p).square().sum() / 2,
            ),
            Mistake(
                "Half of the mean: leave the ½ out.",
                lambda f, p: (f - p).square().mean() / 2,
            ),
            Mistake(
                "The sum was divided by the number of pictures only; the mean is over C, H and W too.",
                lambda f, p: (f - p).square().sum() / len(f),
            ),
            Mistake(
                "These are absolute differences; they are to be squared.",
                lambda f, p: (f - p).abs().mean(),
            ),
            Mistake(
                "The differences were averaged before they were squared: those above and those below "
                "cancel. Square first.",
                lambda f, p: (f - p).mean().square(),
            ),
            Mistake(
                "The differences are not squared, so those above and those below cancel.",
                lambda f, p: (f - p).mean(),
            ),
            Mistake(
                "The square root is too much: a mean of squares is asked for.",
                lambda f, p: (f - p).square().mean().sqrt(),
            ),
            Mistake(
                "This is one number for each picture. A loss is one number: take the mean over the batch "
                "too.",
                lambda f, p: (f - p).square().mean((1, 2, 3)),
            ),
            Mistake(
                "Nothing was averaged yet: this is the map of squared differences.",
                lambda f, p: (f - p).square(),
            ),
            Mistake(
                "The value is right, but the features are detached: nothing is left to learn from. If you "
                "detach, detach the target.",
                lambda f, p: (f.detach() - p).square().mean(),
            ),
        ),
    )
)


psnr = checker(
    Exercise(
        name="psnr",
        signature="psnr(a, b)",
        task="How near two pictures are: −10 log₁₀ of the mean squared difference.\n\n"
        "a, b: (N, C, H, W) in [0, 1], alike, not equal. Returns one number, in decibels.",
        cases=lambda: [
            Case(
                (torch.tensor([[[[0.5]]]]), torch.tensor([[[[0.4]]]])), "one pixel that is off by 0.1: 20 dB"
            ),
            Case(
                (torch.zeros(1, 1, 1, 2), torch.tensor([[[[1.0, 0.0]]]])),
                "one pixel of two as wrong as can be",
            ),
            Case((uniform(1, 3, 4, 5), uniform(1, 3, 4, 5, seed=1)), "random pictures"),
            Case((uniform(2, 3, 4, 5), uniform(2, 3, 4, 5, seed=1) * 0.5), "a batch of two"),
        ],
        reference=lambda a, b: float(-10 * np.log10(((a - b) ** 2).mean())),
        mistakes=(
            Mistake(
                "The sign: a mean square below 1 has a negative logarithm, and PSNR is higher for nearer "
                "pictures. −10, not 10.",
                lambda a, b: 10 * (a - b).square().mean().log10(),
            ),
            Mistake(
                "It is twice too large: 20 belongs to the root of the mean square, 10 to the mean square.",
                lambda a, b: -20 * (a - b).square().mean().log10(),
            ),
            Mistake(
                "It is half of what it should be: leave out the square root, or take 20 in place of 10.",
                lambda a, b: -10 * (a - b).square().mean().sqrt().log10(),
            ),
            Mistake(
                "This is the natural logarithm; decibels take the one to base 10, `log10`.",
                lambda a, b: -10 * (a - b).square().mean().log(),
            ),
            Mistake(
                "The squares were added, not averaged.",
                lambda a, b: -10 * (a - b).square().sum().log10(),
            ),
            Mistake(
                "This takes 255 as the largest value. These pictures are in [0, 1], so the peak is 1.",
                lambda a, b: 20 * np.log10(255) - 10 * (a - b).square().mean().log10(),
            ),
            Mistake(
                "These are absolute differences; square them.",
                lambda a, b: -10 * (a - b).abs().mean().log10(),
            ),
            Mistake(
                "The factor 10 is missing: deci-bel.",
                lambda a, b: -(a - b).square().mean().log10(),
            ),
            Mistake(
                "This is the mean square. PSNR is −10 times its logarithm.",
                lambda a, b: (a - b).square().mean(),
            ),
            Mistake(
                "This averages the decibels of each picture; take the mean square of all first.",
                lambda a, b: -10 * (a - b).square().mean((1, 2, 3)).log10().mean(),
            ),
        ),
    )
)

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


def _slope(x: np.ndarray, target: np.ndarray) -> np.ndarray:
    slope, step = np.zeros_like(x), 1e-6
    for place in np.ndindex(x.shape):
        sides = []
        for side in (step, -step):
            moved = x.copy()
            moved[place] += side
            sides.append(((np.maximum(moved, 0) - target) ** 2).mean())
        slope[place] = (sides[0] - sides[1]) / (2 * step)
    return slope


def _of_relu(x: Tensor, p: Tensor) -> Tensor:
    return 2 / x.numel() * (x - p) * (x > 0)


gradient_before_relu = checker(
    Exercise(
        name="gradient_before_relu",
        signature="gradient_before_relu(x, target)",
        task="The gradient of the mean of (F − P)², F = max(X, 0), with respect to X, without backward().\n\n"
        "x: X, (1, C, H, W), before the ReLU. target: P, of the same shape. Returns that shape.",
        cases=lambda: [
            Case(
                (torch.tensor([[[[2.0, -1.0]]]]), torch.tensor([[[[0.5, 3.0]]]])), "one feature on, one off"
            ),
            Case(
                (torch.tensor([[[[2.0, 1.0]]]]), torch.tensor([[[[0.0, 3.0]]]])),
                "a target that is 0 somewhere",
            ),
            Case((normal(1, 3, 4, 5), normal(1, 3, 4, 5, seed=1).clamp_min(0)), "random maps"),
        ],
        reference=_slope,
        mistakes=(
            Mistake(
                "Where x is negative, a small change of it changes nothing behind the ReLU: the gradient "
                "there is 0. Multiply by `(x > 0)`.",
                lambda x, p: 2 / x.numel() * (x.clamp_min(0) - p),
            ),
            Mistake(
                "This is the gradient of (X − P)²: the ReLU is left out altogether.",
                lambda x, p: 2 / x.numel() * (x - p),
            ),
            Mistake(
                "The factor 2 of the square is missing.",
                lambda x, p: _of_relu(x, p) / 2,
            ),
            Mistake(
                "The loss is a mean, so its gradient is divided by the number of entries too.",
                lambda x, p: _of_relu(x, p) * x.numel(),
            ),
            Mistake(
                "The factor 2 and the division by the number of entries are missing.",
                lambda x, p: _of_relu(x, p) * x.numel() / 2,
            ),
            Mistake(
                "It points the other way: F − P, not P − F.",
                lambda x, p: -_of_relu(x, p),
            ),
            Mistake(
                "It is 0 where the target is 0. The ReLU looks at x: `(x > 0)`.",
                lambda x, p: 2 / x.numel() * (x.clamp_min(0) - p) * (p > 0),
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
        shape = tuple(changed.shape) if isinstance(changed, Tensor) else type(changed).__name__
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
            sentence += " Noise alone does not reach that: what is rare in photographs and has a shape?"
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
