"""How quick a fast network paints, beside the usual one: twice the maps, instance norm, plain convolutions.

Both are untrained: what they paint takes as long.
"""

import subprocess
import sys

import torch
from torch import Tensor, nn

from stylelab import FastNetwork, load_image
from stylelab.device import autocast, has_fast_bfloat16
from stylelab.pictures.resampling import resize
from tests.benchmarks.table import Row, peak, timed

GOALS = {(256, "bfloat16"): 30, (256, "float32"): 45, (512, "bfloat16"): 150, (512, "float32"): 150}  # ms
FASTER = 2  # times the usual network
MEMORY = 400  # MB beyond what the process held before
CPU = torch.device("cpu")


class Residual(nn.Module):
    """Two convolutions, added to what came in."""

    def __init__(self, maps: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            *convolved(maps, maps, 3), nn.ReLU(inplace=True), *convolved(maps, maps, 3)
        )

    def forward(self, maps: Tensor) -> Tensor:
        """maps: (N, C, H, W); so is the result."""
        return maps + self.inner(maps)


def convolved(before: int, after: int, side: int, step: int = 1) -> list[nn.Module]:
    """A convolution with mirrored borders, and instance norm."""
    convolution = nn.Conv2d(before, after, side, step, side // 2, padding_mode="reflect")
    return [convolution, nn.InstanceNorm2d(after, affine=True)]


def usual_network() -> nn.Sequential:
    """The network of Johnson, Alahi and Fei-Fei (2016) as it is usually built: 32, 64 and 128 maps."""
    relu = nn.ReLU(inplace=True)
    return nn.Sequential(
        *(*convolved(3, 32, 9), relu, *convolved(32, 64, 3, 2), relu, *convolved(64, 128, 3, 2), relu),
        *(Residual(128) for _ in range(5)),
        *(nn.Upsample(scale_factor=2), *convolved(128, 64, 3), relu),
        *(nn.Upsample(scale_factor=2), *convolved(64, 32, 3), relu),
        nn.Conv2d(32, 3, 9, padding=4, padding_mode="reflect"),
    ).eval()


def rows(sizes=(256, 512), repeat: int = 10):
    """A row for each size and precision: milliseconds a square picture; then one for the memory."""
    ours, usual = FastNetwork(("one", "two")), usual_network()
    for size in sizes:
        image = resize(load_image("pagoda"), (size, size)).clamp(0, 1)
        for precision in ("float32", "bfloat16") if has_fast_bfloat16(CPU) else ("float32",):

            @torch.no_grad()
            def painted(image: Tensor, precision=precision) -> Tensor:
                with autocast(precision, CPU):
                    return usual(image)

            painted(image), ours.stylise(image, "one", precision=precision)  # libraries load
            theirs = 1000 * timed(painted, image, repeat=repeat)[1]
            quick = 1000 * timed(ours.stylise, image, "one", precision=precision, repeat=repeat)[1]
            goal = GOALS.get((size, precision))
            yield Row(
                f"fast network, {size} px, {precision}",
                f"{quick:.0f} ms",
                f"{theirs:.0f} ms (32-64-128)",
                f"1/{theirs / quick:.1f}",
                f"{goal} ms, 1/{FASTER}" if goal else f"1/{FASTER}",
                theirs >= FASTER * quick and (goal is None or quick <= goal),
            )
    yield memory(max(sizes))


def one(size: int) -> float:
    """What the peak memory of this process grows by, in MB, when a picture is painted."""
    network, image = FastNetwork(("one",)), torch.rand(1, 3, size, size)
    before = peak()
    network.stylise(image)
    return (peak() - before) / 1e6


def memory(size: int) -> Row:
    """The row for the memory, of a process of its own."""
    code = f"from tests.benchmarks.fast import one; print(one({size}))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    megabytes = float(run.stdout)
    what = f"memory of a fast network, {size} px, beyond torch"
    return Row(what, f"{megabytes:.0f} MB", "", "", f"{MEMORY} MB", megabytes < MEMORY)
