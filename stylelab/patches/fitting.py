"""How a patch net learns a filter from pairs of pictures."""

import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from stylelab.errors import ImageError, StylelabError, unknown
from stylelab.patches.net import ACTIVATIONS, PatchNet
from stylelab.patches.windows import as_channels, extract_patches
from stylelab.progress import progress_bar

OPTIMISERS = ("adam", "sgd")


MOST_SAMPLES = 500_000


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
    with progress_bar(steps, "patch net", "step", progress) as bar:
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
