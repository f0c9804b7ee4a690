"""Generalisation and localisation against the same algorithm as a loop over pixels, and how they grow."""

import math

import numpy as np
import torch

from stylelab import FILTERS, DifferenceTable, PatchNet, fit_patch_net, load_image
from stylelab.losses.distances import psnr
from stylelab.patches.windows import extract_patches
from stylelab.pictures.resampling import resize
from tests.benchmarks.table import Row, peak, timed

TRAINING = ("astronaut", "rocket", "starry_night", "tissue", "gravel")


def square(name: str, size: int) -> torch.Tensor:
    image = load_image(name, grey=True)
    side = min(image.shape[2:])
    return resize(image[..., :side, :side], (size, size)).clamp(0, 1)


def learnt(filter_name: str, size: int, names=TRAINING):
    """A net that was fitted to a filter, and its pairs."""
    pairs = [(image, FILTERS[filter_name](image)) for image in (square(name, size) for name in names)]
    net = PatchNet()
    fit_patch_net(net, pairs, progress=False)
    return net, pairs


def net_by_loop(net: PatchNet, image: torch.Tensor) -> torch.Tensor:
    """The net asked for one pixel after the other."""
    result = torch.empty_like(image)
    patches = extract_patches(image, net.patch)
    with torch.no_grad():
        for pixel in range(len(patches)):
            result.view(-1)[pixel] = net(patches[pixel][None]).clamp(0, 1)
    return result


def differences_by_loop(output: torch.Tensor, difference: torch.Tensor, patch: int = 5) -> torch.Tensor:
    """The centre of the nearest difference patch, searched for one pixel after the other.

    As one writes it. With einsum for the sum of squares it takes an eighth of the time, and is still a loop.
    """
    entries = extract_patches(difference, patch).numpy()
    queries = extract_patches(output, patch).numpy()
    found = np.empty(len(queries), dtype=np.float32)
    for pixel, query in enumerate(queries):
        nearest = ((entries - query) ** 2).sum(axis=1).argmin()
        found[pixel] = entries[nearest, patch**2 // 2]
    return torch.from_numpy(found).view_as(output)


def against_the_loop():
    """Net, and net with k-NN, at 128×128 with the published settings, beside loops over pixels."""
    net, pairs = learnt("emboss", 128, ("astronaut",))
    content = square("coffee", 128)
    table = DifferenceTable(net, pairs, patch=5, neighbours=1, key="published", variance=None)
    looped, loop_net = timed(net_by_loop, net, content)
    output, whole_net = timed(net.stylise, content, repeat=5)
    difference = pairs[0][1] - net.stylise(pairs[0][0])
    found, loop_search = timed(differences_by_loop, looped, difference)
    result, whole = timed(table.stylise, content, progress=False, repeat=5)
    assert torch.allclose(looped, output, atol=1e-5)
    # A tie between equally near entries may be settled otherwise here and there.
    assert ((output + found).clamp(0, 1) - result).abs().lt(1e-4).float().mean() > 0.999
    loop = loop_net + loop_search
    yield _faster("patch net, 128×128", whole_net, loop_net, 100)
    yield _faster("net + exact k-NN, 128×128, 16,384 entries", whole, loop, 20)


def _faster(what: str, ours: float, loop: float, goal: int) -> Row:
    ratio = loop / ours
    return Row(what, f"{ours:.4f} s", f"{loop:.2f} s (loop)", f"{ratio:.0f} ×", f"{goal} ×", ratio >= goal)


def training():
    """The default net on five pairs of 192×192."""
    for name in ("emboss", "edges", "median"):
        _, seconds = timed(learnt, name, 192)
        yield Row(f"training the default net, {name}", f"{seconds:.1f} s", "", "", "5 s", seconds < 5)


def growth(sizes=(128, 256, 512, 1024)):
    """The exponent of time against pixels: a fixed table of 100,000 entries, then one that grows along."""
    entries, seconds = 100_000, {}
    side = math.isqrt(entries // 4)
    net, pairs = learnt("median", side, TRAINING[:4])
    table = DifferenceTable(net, pairs, search="approximate")
    for size in sizes:
        content = resize(square("cat", 300), (size, size)).clamp(0, 1)
        _, seconds[size] = timed(table.stylise, content, progress=False, repeat=3 if size < 512 else 1)
    yield _exponent(f"growth, table of {4 * side**2:,} entries", seconds, 1.1)
    for size in sizes:
        content = resize(square("cat", 300), (size, size)).clamp(0, 1)
        net, pairs = learnt("median", size, TRAINING[:1])
        table, filling = timed(DifferenceTable, net, pairs, search="approximate")
        _, looking = timed(table.stylise, content, progress=False, repeat=3 if size < 512 else 1)
        seconds[size] = filling + looking
    yield _exponent("growth, table as large as the picture, made and used", seconds, 1.3)


def _exponent(what: str, seconds: dict, goal: float) -> Row:
    small, large = min(seconds), max(seconds)
    exponent = math.log(seconds[large] / seconds[small]) / (2 * math.log(large / small))
    times = ", ".join(f"{size}²: {value:.2f} s" for size, value in seconds.items())
    return Row(what, times, "", f"{exponent:.2f}", f"{goal}", exponent < goal)


def approximate(filters=("median", "blur", "sketch"), size: int = 192):
    """The approximate search beside the exact one: distances, and what the picture loses."""
    content = square("cat", size)
    for name in filters:
        net, pairs = learnt(name, size)
        truth, found = FILTERS[name](content), {}
        for search in ("exact", "approximate"):
            table = DifferenceTable(net, pairs, search=search)
            stage = table._stage(0, "first")
            blocks = table._blocks("first", (content, *[net.stylise(content)] * 2))
            distances = stage.index.search(stage.index.project(blocks), table.neighbours)[1]
            image, seconds = timed(table.stylise, content, progress=False)
            found[search] = distances.mean().item(), psnr(image, truth), seconds
        farther = found["approximate"][0] / found["exact"][0]
        lost = found["exact"][1] - found["approximate"][1]
        yield Row(
            f"approximate search, {name}, {size} px",
            f"{found['approximate'][1]:.2f} dB in {found['approximate'][2]:.2f} s",
            f"{found['exact'][1]:.2f} dB in {found['exact'][2]:.2f} s (exact)",
            f"distances × {farther:.3f}, {lost:+.2f} dB lost",
            "× 1.05, 0.2 dB",
            farther <= 1.05 and lost <= 0.2,
        )


def a_large_picture():
    """512×512 against 250,000 entries, searched exactly: seconds, and the memory of the process."""
    net, pairs = learnt("median", 250, TRAINING[:4])
    table = DifferenceTable(net, pairs)
    _, seconds = timed(table.stylise, resize(square("coffee", 400), (512, 512)).clamp(0, 1), progress=False)
    gigabytes = peak() / 1e9
    yield Row("512×512, exact, 250,000 entries", f"{seconds:.0f} s", "", "", "120 s", seconds < 120)
    yield Row("  memory of the whole process", f"{gigabytes:.2f} GB", "", "", "2 GB", gigabytes < 2)
