"""What one evaluation of the objective costs beyond the network's own forward and backward pass."""

import itertools
import time

import torch

from stylelab import RECIPES, FeatureExtractor, load_image, optimise
from stylelab.device import has_fast_bfloat16
from tests.benchmarks.table import Row

GOAL = 1.08


def rows(sizes=(256, 384), rounds: int = 5):
    """A row for each size and precision: a step against the bare pass, in turns, the least of each."""
    extractor = FeatureExtractor(device="cpu")
    precisions = ("float32", "bfloat16") if has_fast_bfloat16(extractor.device) else ("float32",)
    for size, precision in itertools.product(sizes, precisions):
        content, style = load_image("astronaut", size), load_image("starry_night", size)
        one_size = RECIPES["default"].replace(
            scales=(1,), style_factors=(1,), steps=(rounds + 12,), precision=precision
        )
        steps = optimise(content, style, one_size, extractor)
        for _ in range(11):  # L-BFGS costs most once its history is long
            next(steps)
        ours = bare = float("inf")
        for _ in range(rounds):
            started = time.perf_counter()
            next(steps)
            between = time.perf_counter()
            image = content.clone().requires_grad_()
            with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
                last = extractor(image, ["relu5_1"])["relu5_1"]
            last.float().sum().backward()
            ours, bare = min(ours, between - started), min(bare, time.perf_counter() - between)
        yield Row(
            f"one evaluation, {size} px, {precision}",
            f"{ours:.3f} s",
            f"{bare:.3f} s (bare pass)",
            f"{ours / bare:.2f}",
            f"{GOAL}",
            ours <= GOAL * bare,
        )
