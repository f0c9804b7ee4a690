"""Generalisation and localisation against the same algorithm as a loop over pixels, in one run.

    python -m tests.benchmarks.patches [--quick]

Prints one line a measurement; ratios compare within this run. --quick leaves out the 512×512 picture.
"""

import resource
import sys
import time

import numpy as np
import torch

from stylelab import FILTERS, DifferenceTable, PatchNet, fit_patch_net, load_image
from stylelab.images import resize
from stylelab.patches import extract_patches


def square(name: str, size: int) -> torch.Tensor:
    image = load_image(name, grey=True)
    side = min(image.shape[2:])
    return resize(image[..., :side, :side], (size, size)).clamp(0, 1)


def timed(function, *arguments, repeat=1, **options):
    """The function's result and the least seconds it took of `repeat` times."""
    best = float("inf")
    for _ in range(repeat):
        start = time.perf_counter()
        result = function(*arguments, **options)
        best = min(best, time.perf_counter() - start)
    return result, best


def net_by_loop(net: PatchNet, image: torch.Tensor) -> torch.Tensor:
    """The net asked for one pixel after the other."""
    result = torch.empty_like(image)
    patches = extract_patches(image, net.patch)
    with torch.no_grad():
        for pixel in range(len(patches)):
            result.view(-1)[pixel] = net(patches[pixel][None]).clamp(0, 1)
    return result


def differences_by_loop(output: torch.Tensor, difference: torch.Tensor, patch: int = 5) -> torch.Tensor:
    """The centre of the nearest difference patch, searched for one pixel after the other."""
    entries = extract_patches(difference, patch).numpy()
    queries = extract_patches(output, patch).numpy()
    found = np.empty(len(queries), dtype=np.float32)
    for pixel, query in enumerate(queries):
        offsets = entries - query
        nearest = np.einsum("ij,ij->i", offsets, offsets).argmin()
        found[pixel] = entries[nearest, patch**2 // 2]
    return torch.from_numpy(found).view_as(output)


def against_the_loop() -> None:
    original, content = square("astronaut", 128), square("coffee", 128)
    pairs = [(original, FILTERS["emboss"](original))]
    net = PatchNet()
    fit_patch_net(net, pairs, progress=False)
    table = DifferenceTable(net, pairs, patch=5, neighbours=1, key="published", variance=None)
    looped, loop_net = timed(net_by_loop, net, content)
    output, whole_net = timed(net.stylise, content, repeat=5)
    difference = pairs[0][1] - net.stylise(original)
    found, loop_table = timed(differences_by_loop, looped, difference)
    result, whole = timed(table.stylise, content, progress=False, repeat=5)
    assert torch.allclose(looped, output, atol=1e-5)
    # A tie between equally near entries may be settled otherwise here and there.
    same = ((output + found).clamp(0, 1) - result).abs().lt(1e-4).float().mean().item()
    print(f"128×128, 5×5, k = 1, published key; {same:.1%} of the pixels agree")
    rows = [("net", loop_net, whole_net, 100), ("net + k-NN", loop_net + loop_table, whole, 20)]
    for what, loop, ours, goal in rows:
        print(f"  {what:10s}  loop {loop:6.2f} s   ours {ours:7.4f} s   {loop / ours:5.0f} ×   goal {goal} ×")


def training() -> None:
    pictures = [square(name, 192) for name in ("astronaut", "rocket", "starry_night", "tissue", "gravel")]
    for name in ("emboss", "edges", "median"):
        pairs = [(picture, FILTERS[name](picture)) for picture in pictures]
        losses, seconds = timed(fit_patch_net, PatchNet(), pairs, progress=False)
        print(
            f"training the default net, {name:7s} {25 * len(losses):5d} steps   {seconds:5.1f} s   goal 5 s"
        )


def a_large_picture() -> None:
    pictures = [square(name, 250) for name in ("astronaut", "rocket", "starry_night", "tissue")]
    pairs = [(picture, FILTERS["median"](picture)) for picture in pictures]
    net = PatchNet()
    fit_patch_net(net, pairs, progress=False)
    table, filling = timed(DifferenceTable, net, pairs)
    _, seconds = timed(table.stylise, resize(square("coffee", 400), (512, 512)), progress=False)
    unit = 1 << (30 if sys.platform == "darwin" else 20)  # bytes there, kilobytes elsewhere
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    print(f"512×512 against 250,000 entries  {seconds:5.1f} s (table made in {filling:.1f} s)   goal 120 s")
    print(f"  peak memory of the process     {peak:5.2f} GiB   goal 2 GB")


if __name__ == "__main__":
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    against_the_loop()
    training()
    if "--quick" not in sys.argv:
        a_large_picture()
