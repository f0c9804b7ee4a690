"""How a patch net learns a filter from pairs of pictures."""

import copy
import math
from collections.abc import Generator
from typing import TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

from stylelab.errors import ImageError, StylelabError, unknown
from stylelab.patches.net import ACTIVATIONS, PatchNet
from stylelab.patches.windows import as_channels, extract_patches
from stylelab.progress import progress_bar
from stylelab.seeds import generator

OPTIMISERS = ("adam", "sgd")
MOST_SAMPLES = 500_000  # patches, of all pairs together
HELD_OUT, BLOCK = 0.1, 16  # share of the pixels not learnt from, to judge by; least side of a block of them
# A trained net stays where its error is below this share of its start's. A linear map errs on any picture as
# on those it learnt from. What a net adds may fail there: where all that was bright was small, skies go dark.
WORTH = 7 / 8

Pairs: TypeAlias = list[tuple[Tensor, Tensor]]


def fit_patch_net(
    net: PatchNet,
    pairs: Pairs,
    optimiser: str = "adam",
    seed: int = 0,
    progress: bool = True,
    steps: int = 1500,
) -> list[float]:
    """Teach the net, from the start, the filter that turns each pair's first image into its second.

    pairs: [(original, filtered), ...], images (N, 1 or 3, H, W) in [0, 1]. optimiser: "adam" starts from the
    least-squares linear map, takes batches of 1,024 patches and glides to rest once the loss no longer
    falls; where that has not lowered the error, of a tenth of the pixels kept apart, by an eighth, the
    net is its start again. "sgd" is the published one: a random start, all pixels, batches of 256, learning
    rate 0.01 to the end. seed: of the start, the pixels kept apart and the batches. progress: show a bar.
    steps: at most so many batches, from 1 on.
    Returns the mean squared error of every 25 steps, of values in [0, 1], clamped as a picture's are.
    Raises StylelabError for an unknown optimiser or no step, and ImageError for images that make no pair.
    """
    losses = []
    with progress_bar(steps, "patch net", "step", progress) as bar:
        for step, _, loss in training(net, pairs, optimiser, seed, steps):
            losses.append(loss)
            bar.update(step - bar.n)
            bar.set_postfix_str(f"{-10 * math.log10(max(loss, 1e-12)):.1f} dB")
    return losses


def training(
    net: PatchNet, pairs: Pairs, optimiser: str = "adam", seed: int = 0, steps: int = 1500
) -> Generator[tuple[int, int, float], None, None]:
    """What fit_patch_net does, as a generator that can be watched, paused and stopped.

    Yields, every 25 steps: the step, the last step as far as is known, and the mean squared error of the 25.
    Meanwhile the net is the trained one; when the generator ends or is closed, it is that or its start again.
    """
    if optimiser not in OPTIMISERS:
        raise StylelabError(unknown("optimiser", optimiser, OPTIMISERS, "patches.OPTIMISERS"))
    if steps < 1:
        raise StylelabError(f"steps {steps}: a net learns from 1 step on; 1500 is the default")
    random = generator(seed)
    learnt, judged = _samples(net, pairs, random, HELD_OUT if optimiser == "adam" else 0.0)
    net.start(random)
    device = net.layers[0].weight.device
    if optimiser == "adam":
        _start_linear(net, *learnt)
        fused = device.type in ("cpu", "cuda")
        batch, rate, glide = 1024, 5e-3, 400
        method: torch.optim.Optimizer = torch.optim.Adam(net.parameters(), fused=fused)
    else:
        batch, rate, glide = 256, 0.01, 1
        method = torch.optim.SGD(net.parameters())
    patches, values = (part.to(device) for part in learnt)
    start, start_error = copy.deepcopy(net.state_dict()), _error(net, *judged)
    losses, recent, end = [], [], steps
    try:
        for step in range(1, steps + 1):
            chosen = torch.randint(len(patches), (batch,), generator=random).to(device)
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
    finally:
        if _error(net, *judged) > WORTH * start_error:
            net.load_state_dict(start)


def _is_level(losses: list[float], span: int = 8) -> bool:
    """Whether the last `span` losses are together less than 1 % below the `span` before them."""
    return len(losses) >= 2 * span and sum(losses[-span:]) >= 0.99 * sum(losses[-2 * span : -span])


def _samples(net: PatchNet, pairs: Pairs, generator: torch.Generator, share: float) -> list[list[Tensor]]:
    """The samples to learn from and those to judge by, each (n, C·p²) patches and (n, C) values.

    Positions are drawn first, a random part where there are too many, and only their patches are cut: all
    patches of a photograph of 12 megapixels would take gigabytes. share: of the pixels, to judge by.
    """
    pairs = check_pairs(pairs, net.channels)
    most = MOST_SAMPLES // len(pairs)
    learnt: list[tuple[Tensor, Tensor]] = []
    judged: list[tuple[Tensor, Tensor]] = []
    for original, filtered in pairs:
        height, width = original.shape[2:]
        apart = _places(height, width, share, net.patch, generator)
        for kind, samples, limit in ((0, learnt, most), (1, judged, most // 10)):
            places = (apart == kind).expand(len(original), -1, -1).flatten().nonzero()[:, 0]
            chosen = places[torch.randperm(len(places), generator=generator)[:limit]]
            values = filtered.permute(0, 2, 3, 1)[torch.unravel_index(chosen, (len(original), height, width))]
            samples.append((extract_patches(original, net.patch, chosen), values))
    return [[torch.cat(part) for part in zip(*samples, strict=True)] for samples in (learnt, judged)]


def _places(height: int, width: int, share: float, patch: int, generator: torch.Generator) -> Tensor:
    """What each pixel (H, W) is for: 0 to learn from, 1 to judge by, 2 neither.

    Judged by are whole blocks, drawn at random: single pixels would have their neighbours among those learnt
    from. About each block lies a rim so wide that no patch learnt from holds a pixel of the block. Of a
    picture of fewer than four blocks, everything is learnt from.
    """
    rim, side = patch // 2, max(BLOCK, 2 * patch, max(height, width) // 12)
    rows, columns = max(1, height // side), max(1, width // side)
    if not share or rows * columns < 4:
        return torch.zeros(height, width)
    blocks = torch.zeros(rows * columns)
    number = max(1, round(share * rows * columns))
    blocks[torch.randperm(rows * columns, generator=generator)[:number]] = 1.0
    tall, wide = math.ceil(height / rows), math.ceil(width / columns)
    whole = blocks.view(1, 1, rows, columns).repeat_interleave(tall, 2).repeat_interleave(wide, 3)
    judged = whole[..., :height, :width]
    return (2 * F.max_pool2d(judged, 2 * rim + 1, 1, rim) - judged)[0, 0]


@torch.no_grad()
def _error(net: PatchNet, patches: Tensor, values: Tensor) -> float:
    """The mean squared error of the net's picture, clamped; 0 where there is nothing to judge by."""
    device = net.layers[0].weight.device
    chunks = zip(patches.split(65_536), values.split(65_536), strict=True)
    errors = [(net(p.to(device)).clamp(0, 1) - v.to(device)).square().sum().item() for p, v in chunks]
    return sum(errors) / max(1, values.numel())


@torch.no_grad()
def least_squares_filter(patches: Tensor, targets: Tensor) -> Tensor:
    """The weighted sum of a patch, plus a constant, that is nearest to the filtered values: no net yet.

    patches: (n, C·p²), one a row. targets: (n,) or (n, C), the filtered values. Returns float64,
    (C·p² + 1,) or (C·p² + 1, C): the weights, and the constant last; of several as good, the shortest.
    """
    squares, products = _normal_equations(patches, targets)
    return torch.linalg.pinv(squares, hermitian=True) @ products


def _normal_equations(
    patches: Tensor, targets: Tensor, gain: float = 1.0, offset: float = 0.0
) -> tuple[Tensor, Tensor]:
    """XᵀX and Xᵀz of patches X, with a column of ones, and targets z, all as gain · v + offset."""
    # Summed in parts: in double precision all patches at once would take twice their memory again.
    squares = products = torch.zeros(())
    for part, wanted in zip(patches.split(65_536), targets.split(65_536), strict=True):
        rows = F.pad(gain * part + offset, (0, 1), value=1.0).double()
        squares = squares + rows.T @ rows
        products = products + rows.T @ (gain * wanted + offset).double()
    return squares, products


def check_pairs(pairs: Pairs, channels: int) -> Pairs:
    """The pairs on the CPU with 1 or 3 channels; ImageError where there are none or shapes differ."""
    pairs = [(as_channels(a.cpu(), channels), as_channels(b.cpu(), channels)) for a, b in pairs]
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
def _start_linear(net: PatchNet, patches: Tensor, values: Tensor) -> None:
    """Make the net the least-squares map: one unit a layer and channel carries it, on its straight stretch.

    The other units stay random and unheard until the last layer learns to listen to them.
    """
    _, gain, offset = ACTIVATIONS[net.activation]
    squares, products = _normal_equations(patches, values, gain=2.0, offset=-1.0)
    solution = (torch.linalg.pinv(squares, hermitian=True) @ products).T.float()
    carriers, first, last = slice(0, net.channels), net.layers[0], net.layers[-1]
    if first is last:
        gain, offset = 1.0, 0.0
    first.weight[carriers] = gain * solution[:, :-1].to(first.weight)
    first.bias[carriers] = gain * solution[:, -1].to(first.bias) + offset
    for layer in net.layers[1:]:
        layer.weight[carriers] = torch.eye(net.channels, layer.in_features).to(layer.weight)
        layer.bias[carriers] = 0.0
    if first is not last:
        last.weight.div_(gain)
        last.bias.sub_(offset / gain)
