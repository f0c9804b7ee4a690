"""How much memory a transfer takes, and whether there is as much: told before it starts."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

import psutil
import torch
from torch import nn

from stylelab.device import uses_bfloat16
from stylelab.errors import TooLargeError
from stylelab.losses.patches import AT_ONCE
from stylelab.networks.extractor import FeatureExtractor
from stylelab.optimisation.recipes import Recipe
from stylelab.pictures.resampling import scaled_shape

STARTED = 750e6  # bytes: Python, PyTorch and VGG-19 before the first step, as measured on Linux
BUFFERS = {"cpu": 60e6, "cuda": 500e6}  # of the libraries, whatever the picture's size
IMAGES = 16  # of the result's size, beside the history: gradient, step, target, what is shown …
# Copies in float32 of the largest layer whose style is compared, held meanwhile; as measured on Linux.
COPIES = {
    "gram": 0,
    "covariance": 3,
    "moments": 3,
    "wasserstein": 3.5,
    "sliced": 6,
    "histogram": 6.5,
    "patches": 0,
    "of your own": 3,
}


def memory_needed(
    shape: tuple[int, int],
    style_shapes: Sequence[tuple[int, int]],
    recipe: Recipe,
    extractor: FeatureExtractor,
) -> float:
    """The most bytes that a transfer takes at once, beyond what the process holds before it.

    shape: the content's (height, width). style_shapes: those of the paintings. Made to agree with what was
    measured for VGG-19 on a CPU; an estimate elsewhere.
    """
    kept, waiting = _per_pixel(recipe, extractor)
    pairs = min(recipe.history, recipe.steps[-1]) if recipe.optimiser == "lbfgs" else 1
    height, width = shape
    longest = max(shape) * recipe.style_scale
    painted = [scaled_shape(*style, min(max(style), round(longest))) for style in style_shapes]
    # Paintings pass one by one and without gradients, so only a few layers are held at a time.
    largest = max((h * w for h, w in painted), default=0) * kept / 2
    fixed = BUFFERS.get(extractor.device.type, 0.0)
    if recipe.statistic == "patches":
        fixed += 3 * 4 * AT_ONCE  # its table of products, of which three are held, of 4 bytes a number
    return fixed + max(largest, height * width * (kept + waiting + 12 * (IMAGES + 2 * pairs)))


def _per_pixel(recipe: Recipe, extractor: FeatureExtractor) -> tuple[float, float]:
    """Bytes per pixel of the picture: what the forward pass keeps for the way back, and what waits there.

    Kept are the input, the result of every ReLU and pooling, the place of each maximum (8 bytes), once more
    what a loss looks at where it is scaled or comes before a ReLU, and in float32 the differences that
    content losses square and of which total variation, across and down, drops the signs. Each loss's own
    gradient is made when it is added to the network's; the largest counts, and what a statistic copies.
    content losses square and of which total variation, across and down, drops the signs; of the matting loss
    the differences in twelve directions and what they are multiplied by. Each loss's own gradient is made
    when it is added to the network's; the largest counts.
    """
    missing = {*recipe.style_layers, *recipe.content_layers}
    number = 2 if uses_bfloat16(recipe.precision, extractor.device) else 4
    scaled = recipe.feature_scale != 1 and extractor.weights == "bundled"
    kept, waiting, area, channels = 36.0 if recipe.tv_weight else 12.0, 0.0, 1.0, 3
    measured = 0.0
    kept += 12 * (12 + 4) if recipe.matting_weight else 0
    (stages,) = extractor.children()
    for name, stage in stages.named_children():
        for module in stage.modules():
            if isinstance(module, nn.Conv2d):
                channels = module.out_channels
                area /= module.stride[0] ** 2
            elif isinstance(module, nn.ReLU):
                kept += area * channels * number
            elif isinstance(module, nn.MaxPool2d | nn.AvgPool2d):
                area /= cast(int, module.stride) ** 2
                kept += area * channels * (number + 8 * isinstance(module, nn.MaxPool2d))
        if name.startswith("fire"):  # two halves side by side, then joined
            channels *= 2
            kept += area * channels * number
        if name in missing:
            kept += area * channels * number * (scaled or name.startswith("conv"))
            kept += area * channels * 4 * (name in recipe.content_layers)
            waiting = max(waiting, area * channels * number)
            measured = max(measured, area * channels * 4 * (name in recipe.style_layers))
        missing.discard(name)
        if not missing:
            break
    called = recipe.statistic if isinstance(recipe.statistic, str) else "of your own"
    return kept, waiting + COPIES[called] * measured


def _machine() -> float:
    return float(psutil.virtual_memory().available)


def _cgroups(own: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")) -> list[float]:
    """What is free in each control group of this process that has a limit; a file cache can be given up."""
    free = []
    for line in own.read_text().splitlines() if own.exists() else []:
        _, kinds, path = line.split(":", 2)
        if kinds not in ("", "memory"):
            continue
        limit, used, cache = (
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            if kinds
            else ("memory.max", "memory.current", "inactive_file")
        )
        group = root / kinds / path.lstrip("/")
        for folder in (group, *group.parents):  # a container may see its own group as the root
            try:
                most = int((folder / limit).read_text())
                taken = int((folder / used).read_text())
                stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
            except (OSError, ValueError):  # no such group, or "max": no limit
                continue
            free.append(float(max(0, most - taken + int(stat.get(cache, 0)))))
    return free


def memory_free(
    device: torch.device,
    machine: Callable[[], float] = _machine,
    groups: Callable[[], list[float]] = _cgroups,
) -> float:
    """The bytes that this process may still take: of CUDA's, or of the machine's within its cgroups' limits.

    machine, groups: what tells of them; psutil, which does not know of cgroups, and Linux's own files unless
    given. What PyTorch holds on CUDA for reuse counts as free.
    """
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return float(free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device))
    return min([machine(), *groups()])


def require_memory(
    shape: tuple[int, int],
    style_shapes: Sequence[tuple[int, int]],
    recipe: Recipe,
    extractor: FeatureExtractor,
    free: float | None = None,
) -> None:
    """Raises TooLargeError, naming the largest size that fits, where a transfer does not.

    Takes what memory_needed does. free: the bytes there are; memory_free tells unless given.
    """
    free = memory_free(extractor.device) if free is None else free
    needed = memory_needed(shape, style_shapes, recipe, extractor)
    if needed <= free:
        return

    def at(size: int) -> float:
        return memory_needed(scaled_shape(*shape, size), style_shapes, recipe, extractor)

    size = bisect_right(range(1, max(shape)), free, key=at)
    advice = f"the largest size that fits is {size} pixels" if size >= 16 else "close other programs"
    if extractor.device.type != "cpu":
        advice += ', or use device="cpu", which may have more'
    raise TooLargeError(
        f"{shape[1]} × {shape[0]} pixels need {needed / 1e9:.1f} GB of memory more, "
        f"and {free / 1e9:.1f} GB are free; {advice}"
    )


def memory_told(shape, style_shapes, recipe: Recipe, extractor: FeatureExtractor) -> str:
    """What a transfer of that size will need in all, as a line of text; takes the same."""
    total = memory_needed(shape, style_shapes, recipe, extractor)
    total += STARTED if extractor.device.type == "cpu" else 0
    return f"{shape[1]} × {shape[0]} pixels: about {total / 1e9:.1f} GB of memory"
