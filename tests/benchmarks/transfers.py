"""What a transfer takes: memory by the default recipe, and where there is a GPU seconds there and here."""

import subprocess
import sys

import torch

from stylelab import RECIPES, FeatureExtractor, load_image, transfer
from stylelab.device import has_fast_bfloat16, pick_device
from stylelab.errors import TooLargeError
from stylelab.optimisation.memory import memory_told
from stylelab.pictures.resampling import resize
from tests.benchmarks.table import Row, peak, timed

MOST = {512: 1.6, 1024: 4.5}  # GB: the goals
# Once L-BFGS remembers as many steps as it may, nothing grows any more.
SHORT = (2, 2, RECIPES["default"].history + 2)


def pair(size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The astronaut with `size` pixels a side, enlarged where the file has fewer, and The Starry Night."""
    return resize(load_image("astronaut"), (size, size)).clamp(0, 1), load_image("starry_night", size)


def one(size: int, precision: str) -> float:
    """The peak memory of this process, in GB, after one transfer on the CPU."""
    recipe = RECIPES["default"].replace(precision=precision, steps=SHORT)
    transfer(*pair(size), recipe, progress=False, device="cpu")
    return peak() / 1e9


def memory(sizes=(512,)):
    """A row for each size and precision: the peak of a process of its own, beside what it is told to be."""
    extractor = FeatureExtractor(device="cpu")
    for size in sizes:
        for precision in ("float32", "bfloat16") if has_fast_bfloat16(extractor.device) else ("float32",):
            code = f"from tests.benchmarks.transfers import one; print(one({size}, {precision!r}))"
            run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
            content, style = pair(size)
            recipe = RECIPES["default"].replace(precision=precision, steps=SHORT)
            told = memory_told(content.shape[-2:], [style.shape[-2:]], recipe, extractor).split(":")[1]
            gigabytes, most = float(run.stdout), MOST[size]
            yield Row(
                f"memory of a transfer, {size} px, {precision}",
                f"{gigabytes:.2f} GB",
                f"told:{told.removesuffix(' of memory')}",
                "",
                f"{most} GB",
                gigabytes < most,
            )


def devices(sizes=(512, 1024, 2048), device: str = "auto"):
    """A row for each size: seconds on the GPU and on the CPU; nothing where there is no GPU."""
    there = pick_device(device)
    if device == "auto" and there.type == "cpu":
        return
    extractors = [FeatureExtractor(device=str(d)) for d in (there, "cpu")]
    for extractor in extractors:  # libraries load, and pick their algorithms, at the first picture
        transfer(*pair(128), "quick", extractor, progress=False)
    for size in sizes:
        ours, cpu = (
            _seconds(size, extractor, repeat) for extractor, repeat in zip(extractors, (2, 1), strict=True)
        )
        yield Row(
            f"`quick`, {size} px, on {there.type}",
            f"{ours:.2f} s" if ours else "too large",
            f"{cpu:.1f} s (CPU)" if cpu else "too large (CPU)",
            f"1/{cpu / ours:.1f}" if ours and cpu else "",
            "",
            None,
        )


def _seconds(size: int, extractor: FeatureExtractor, repeat: int) -> float | None:
    try:
        return timed(transfer, *pair(size), "quick", extractor, progress=False, repeat=repeat)[1]
    except TooLargeError:
        return None
