"""Patches of images, and a small feed-forward net that learns a filter from them: generalisation.

A filter that looks at a p×p neighbourhood is a function of p² numbers, and every pixel of an example pair is
one sample of it. A net fitted to those samples is itself a convolution: its first layer reads a patch at
every pixel, the others are 1×1 convolutions on what the first one found.
"""

import itertools
import math
from collections.abc import Iterator
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm.auto import tqdm

from stylelab.colour.matching import rgb_to_yuv, yuv_to_rgb
from stylelab.errors import ImageError, StylelabError, WeightsError, unknown
from stylelab.pictures.filters import reflect_pad

# Each activation with a stretch on which it is straight: (gain, offset) bring an image's values there.
ACTIVATIONS = {"tanh": (torch.tanh, 0.1, 0.0), "relu": (torch.relu, 1.0, 8.0)}
OPTIMISERS = ("adam", "sgd")
MOST_SAMPLES = 500_000


def extract_patches(image: Tensor, size: int) -> Tensor:
    """The size × size neighbourhood of every pixel, the image's border mirrored.

    image: (N, C, H, W). size: odd. Returns (N·H·W, C·size²), pixels in reading order, channel by channel.
    """
    check_patch(size)
    padded = reflect_pad(image, size // 2)
    windows = padded.unfold(2, size, 1).unfold(3, size, 1)
    return windows.permute(0, 2, 3, 1, 4, 5).reshape(-1, image.shape[1] * size**2)


def fold_patches(patches: Tensor, shape: tuple[int, int, int, int], step: int = 1) -> Tensor:
    """Overlapping patches put back at their pixels: each pixel is the mean of all that cover it.

    patches: (n, C·size²) in extract_patches's order, of every step-th row and column, from the first on.
    shape: (N, C, H, W) of the image, which is also what is returned. step: at most the size of a patch.
    """
    number, channels, height, width = shape
    size = math.isqrt(patches.shape[1] // channels)
    rows, columns = math.ceil(height / step), math.ceil(width / step)
    stacked = patches.view(number, rows * columns, -1).transpose(1, 2)
    whole = ((rows - 1) * step + size, (columns - 1) * step + size)
    total = F.fold(stacked, whole, size, stride=step)
    count = F.fold(torch.ones_like(stacked[:1, : size**2]), whole, size, stride=step)
    centre = slice(size // 2, size // 2 + height), slice(size // 2, size // 2 + width)
    return total[..., *centre] / count[..., *centre]


def psnr(image: Tensor, truth: Tensor) -> float:
    """Peak signal-to-noise ratio in dB: −10 log10 of the mean squared difference of two images in [0, 1]."""
    return -10 * math.log10(max((image - truth.to(image)).square().mean().item(), 1e-12))


def as_channels(image: Tensor, channels: int) -> Tensor:
    """The image with 1 channel (its luminance) or 3 (a grey one three times): (N, channels, H, W)."""
    if image.ndim != 4 or image.shape[1] not in (1, 3):
        raise ImageError(
            f"expected an image (N, 1 or 3, H, W), got {tuple(image.shape)}; load_image makes one"
        )
    if image.shape[1] == channels:
        return image
    return rgb_to_yuv(image)[:, :1] if channels == 1 else image.expand(-1, 3, -1, -1)


class PatchNet(nn.Module):
    """A net from a patch to the filtered value of its centre, as published 9-21-17-13-9-1 with tanh.

    patch: odd side in pixels. channels: 1 (luminance) or 3, in and out. hidden: units of each hidden
    layer; () is a linear map. activation: "tanh" or "relu", of the hidden layers. Values enter and leave
    as 2 v − 1. The last layer is linear, and the picture clamped: the published net's last tanh cannot
    reach black or white.
    """

    def __init__(self, patch=3, channels=1, hidden=(21, 17, 13, 9), activation="tanh") -> None:
        super().__init__()
        check_patch(patch)
        if channels not in (1, 3):
            raise StylelabError(f"channels {channels}: a net takes 1 (luminance) or 3 (colour)")
        if any(units < channels for units in hidden):
            raise StylelabError(f"hidden {tuple(hidden)}: each layer needs {channels} or more units")
        if activation not in ACTIVATIONS:
            raise StylelabError(unknown("activation", activation, ACTIVATIONS, "patches.ACTIVATIONS"))
        self.shape = {"patch": patch, "channels": channels, "hidden": tuple(hidden), "activation": activation}
        self.patch, self.channels, self.activation = patch, channels, activation
        sizes = [channels * patch**2, *hidden, channels]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(sizes))

    def forward(self, patches: Tensor) -> Tensor:
        """Patches (n, channels · patch²) in [0, 1] → values (n, channels), not clamped."""
        return self._through(2 * patches - 1, F.linear, [layer.weight for layer in self.layers])

    @torch.no_grad()
    def stylise(self, image: Tensor) -> Tensor:
        """The whole image at once, as one p×p convolution and 1×1 convolutions after it.

        image: (N, 3 or 1, H, W) in [0, 1]. A net of one channel changes the luminance and keeps the chroma
        of a colour image; a net of three sees a grey image as three equal channels. Returns the image's
        shape (three channels from a net of three) on the net's device, in [0, 1].
        """
        image = image.to(self.layers[0].weight.device)
        padded = reflect_pad(as_channels(image, self.channels), self.patch // 2)
        kernels = [layer.weight[:, :, None, None] for layer in self.layers]
        kernels[0] = self.layers[0].weight.view(-1, self.channels, self.patch, self.patch)
        result = self._through(2 * padded - 1, F.conv2d, kernels).clamp(0, 1)
        return with_chroma(result, image)

    def _through(self, values: Tensor, apply, kernels: list[Tensor]) -> Tensor:
        activate = ACTIVATIONS[self.activation][0]
        for layer, kernel in zip(self.layers, kernels, strict=True):
            values = apply(values if layer is self.layers[0] else activate(values), kernel, layer.bias)
        return (values + 1) / 2

    def save(self, path: str | Path) -> None:
        """Write the net's weights and shape to a file that PatchNet.load reads."""
        torch.save({"stylelab PatchNet": self.shape, "weights": self.state_dict()}, path)

    @classmethod
    def load(cls, path: str | Path) -> "PatchNet":
        """The net that `save` wrote; WeightsError for any other file. Nothing in the file is executed."""
        path = Path(path)
        try:
            saved = torch.load(path, map_location="cpu", weights_only=True)
            net = cls(**saved["stylelab PatchNet"])
            net.load_state_dict(saved["weights"])
        except FileNotFoundError:
            raise WeightsError(
                f"{path.name}: no such file in {path.parent.absolute()}; check the path"
            ) from None
        except Exception as error:  # torch raises a dozen kinds for files that are not its own
            raise WeightsError(f"{path.name}: not a PatchNet; give a file that net.save wrote") from error
        return net


def with_chroma(result: Tensor, image: Tensor) -> Tensor:
    """A result of one channel as the luminance of the colour image it was made from; others unchanged."""
    if result.shape[1] == 3 or image.shape[1] == 1:
        return result
    return yuv_to_rgb(torch.cat([result, rgb_to_yuv(image)[:, 1:].to(result)], dim=1)).clamp(0, 1)


def fit_patch_net(
    net: PatchNet,
    pairs: list[tuple[Tensor, Tensor]],
    optimiser: str = "adam",
    seed: int = 0,
    progress: bool = True,
    steps: int = 1500,
) -> list[float]:
    """Teach the net, from the start, the filter that turns each pair's first image into its second.

    pairs: [(original, filtered), ...], images (N, 1 or 3, H, W) in [0, 1]. optimiser: "adam" starts from the
    least-squares linear map, takes batches of 1,024 patches and glides to rest once the loss no longer
    falls; "sgd" is the published one: a random start, batches of 256, learning rate 0.01 to the end.
    seed: of the start and of the batches. progress: show a bar. steps: at most so many batches.
    Returns the mean squared error of every 25 steps, of values in [0, 1], clamped as a picture's are.
    Raises StylelabError for an unknown optimiser and ImageError for images that make no pair.
    """
    losses = []
    with tqdm(total=steps, disable=not progress, desc="patch net") as bar:
        for step, _, loss in training(net, pairs, optimiser, seed, steps):
            losses.append(loss)
            bar.update(step - bar.n)
            bar.set_postfix_str(f"{-10 * math.log10(max(loss, 1e-12)):.1f} dB")
    return losses


def training(
    net: PatchNet, pairs, optimiser: str = "adam", seed: int = 0, steps: int = 1500
) -> Iterator[tuple[int, int, float]]:
    """What fit_patch_net does, as a generator that can be watched, paused and stopped.

    Yields, every 25 steps: the step, the last step as far as is known, and the mean squared error of the 25.
    """
    if optimiser not in OPTIMISERS:
        raise StylelabError(unknown("optimiser", optimiser, OPTIMISERS, "patches.OPTIMISERS"))
    generator = torch.Generator().manual_seed(seed)
    patches, values = _samples(net, pairs, generator)
    _start_random(net, generator)
    device = net.layers[0].weight.device
    if optimiser == "adam":
        _start_linear(net, patches, values)
        fused = device.type in ("cpu", "cuda")
        batch, rate, glide, method = 1024, 5e-3, 400, torch.optim.Adam(net.parameters(), fused=fused)
    else:
        batch, rate, glide, method = 256, 0.01, 1, torch.optim.SGD(net.parameters())
    patches, values = patches.to(device), values.to(device)
    losses, recent, end = [], [], steps
    for step in range(1, steps + 1):
        chosen = torch.randint(len(patches), (batch,), generator=generator).to(device)
        output = net(patches[chosen])
        # Clamped as the picture is; but the gradient passes, to call back what strays too far.
        output = output + (output.clamp(0, 1) - output).detach()
        loss = (output - values[chosen]).square().mean()
        method.zero_grad()
        (4 * loss).backward()  # in the net's own units, −1 to 1, as the published learning rate has it
        for group in method.param_groups:
            group["lr"] = rate * min(1, (end - step + 1) / glide)
        method.step()
        recent.append(loss.detach())
        if step % 25 == 0 or step == end:
            losses.append(torch.stack(recent).mean().item())
            recent = []
            yield step, end, losses[-1]
        if step == end:
            break
        if end == steps and step % 25 == 0 and _is_level(losses):
            end = min(steps, step + glide)


def _is_level(losses: list[float], span: int = 8) -> bool:
    """Whether the last `span` losses are together less than 1 % below the `span` before them."""
    return len(losses) >= 2 * span and sum(losses[-span:]) >= 0.99 * sum(losses[-2 * span : -span])


def _samples(net: PatchNet, pairs, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """The (n, C·p²) patches and (n, C) values of all pairs, a random part where there are too many."""
    pairs = check_pairs(pairs, net.channels)
    most = MOST_SAMPLES // len(pairs)
    patches, values = [], []
    for original, filtered in pairs:
        rows = extract_patches(original, net.patch)
        chosen = torch.randperm(len(rows), generator=generator)[:most]
        patches.append(rows[chosen])
        values.append(filtered.permute(0, 2, 3, 1).reshape(-1, net.channels)[chosen])
    return torch.cat(patches), torch.cat(values)


def check_pairs(pairs, channels: int) -> list[tuple[Tensor, Tensor]]:
    """The pairs on the CPU with 1 or 3 channels; ImageError where there are none or shapes differ."""
    pairs = [tuple(as_channels(image.cpu(), channels) for image in pair) for pair in pairs]
    if not pairs:
        raise ImageError("no pairs to learn from; give [(original, filtered), ...]")
    for number, (original, filtered) in enumerate(pairs):
        if original.shape != filtered.shape:
            raise ImageError(
                f"pair {number}: the original is {tuple(original.shape)}, the filtered image "
                f"{tuple(filtered.shape)}; a filter keeps the shape"
            )
    return pairs


@torch.no_grad()
def _start_random(net: PatchNet, generator: torch.Generator) -> None:
    for layer in net.layers:
        bound = layer.in_features**-0.5
        for values in (layer.weight, layer.bias):
            values.copy_(torch.empty(values.shape).uniform_(-bound, bound, generator=generator))


@torch.no_grad()
def _start_linear(net: PatchNet, patches: Tensor, values: Tensor) -> None:
    """Make the net the least-squares map: one unit a layer and channel carries it, on its straight stretch.

    The other units stay random and unheard until the last layer learns to listen to them.
    """
    _, gain, offset = ACTIVATIONS[net.activation]
    inputs = F.pad(2 * patches - 1, (0, 1), value=1.0).double()
    normal = torch.linalg.pinv(inputs.T @ inputs, hermitian=True)
    solution = (normal @ (inputs.T @ (2 * values - 1).double())).T.float()
    carriers, first, last = slice(0, net.channels), net.layers[0], net.layers[-1]
    if first is last:
        gain, offset = 1.0, 0.0
    first.weight[carriers] = gain * solution[:, :-1].to(first.weight)
    first.bias[carriers] = gain * solution[:, -1].to(first.bias) + offset
    for layer in net.layers[1:]:
        layer.weight[carriers] = torch.eye(net.channels, layer.in_features).to(layer.weight)
        layer.bias[carriers] = 0.0
    if first is not last:
        last.weight /= gain
        last.bias -= offset / gain


def check_patch(size: int) -> None:
    """StylelabError for a side that is not an odd number of pixels."""
    if not isinstance(size, int) or size < 1 or size % 2 == 0:
        raise StylelabError(f"patch {size}: a patch has a centre, so its side is odd: 1, 3, 5, 7, ...")
