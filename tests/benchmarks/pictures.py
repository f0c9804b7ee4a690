"""Seconds to a picture no worse than that of the loop which most published code and tutorials run."""

import time

import torch

from stylelab import RECIPES, FeatureExtractor, load_image, optimise, relative_losses
from stylelab.device import has_fast_bfloat16
from stylelab.recipes import RELU_1_TO_5
from tests.benchmarks.table import Row

PAIRS = (("astronaut", "starry_night"), ("cat", "stained_glass"), ("coffee", "marbled_paper"))
EVALUATIONS = 320
WEIGHTS = (20, 50)
TRIALS = 3  # style weights tried for each goal
STEPS = 64  # at full size, at most: the default recipe's own 16 stop before a picture is as good


def published_loop(content, style, weight: float, extractor, evaluations: int = EVALUATIONS):
    """One size, from the photograph, PyTorch's L-BFGS as it comes, float32, nothing that knows of [0, 1].

    Returns the picture and the seconds, targets included.
    """
    started = time.perf_counter()
    layers = [*RELU_1_TO_5, "relu4_2"]

    def gram(maps):
        rows = maps.flatten(2)
        return rows @ rows.mT / maps[0].numel()

    def distance(a, b):
        return (a - b).square().sum() / b.square().sum()

    with torch.no_grad():
        target = extractor(content, ["relu4_2"])["relu4_2"]
        grams = {name: gram(maps) for name, maps in extractor(style, RELU_1_TO_5).items()}
    image = content.clone().requires_grad_()
    optimiser, done = torch.optim.LBFGS([image]), 0

    def closure():
        nonlocal done
        done += 1
        optimiser.zero_grad()
        maps = extractor(image, layers)
        loss = distance(maps["relu4_2"], target)
        loss = loss + weight / 5 * sum(distance(gram(maps[name]), grams[name]) for name in RELU_1_TO_5)
        loss.backward()
        return loss

    while done < evaluations:
        optimiser.step(closure)
    return image.detach().clamp(0, 1), time.perf_counter() - started


def seconds_until(goal: dict, content, style, weight: float, extractor) -> tuple[float | None, dict]:
    """Seconds until the default recipe's saved picture is no worse in either loss; None where it never is.

    It goes on at full size for as long as it takes, up to STEPS. Looking at the picture does not count. Also
    returns the losses at that moment, or at the end.
    """
    default = RECIPES["default"]
    recipe = default.replace(style_weight=weight, steps=(*default.steps[:-1], STEPS))
    first = sum(recipe.steps[:-1])  # a smaller picture is no picture of this size
    steps, spent = optimise(content, style, recipe, extractor), 0.0
    found: dict[str, float] = {}
    while True:
        started = time.perf_counter()
        step = next(steps, None)
        spent += time.perf_counter() - started
        if step is None:
            return None, found
        if step.index > first + 7 and (step.index % 2 == 0 or step.index == step.steps):
            found = relative_losses(step.image, content, style, extractor)
            if all(found[term] <= goal[term] for term in goal):
                return spent, found


def least_seconds(goal: dict, content, style, extractor) -> tuple[float | None, float, dict]:
    """The shortest time to the goal over some style weights, the weight, and the losses reached."""
    low, high, weight, best = None, None, 2 * RECIPES["default"].style_weight, (None, 0.0, {})
    for _ in range(TRIALS):
        seconds, found = seconds_until(goal, content, style, weight, extractor)
        if seconds is not None and (best[0] is None or seconds < best[0]):
            best = seconds, weight, found
        if best[0] is None:
            best = None, weight, found
        # Room in content buys style, and style is what takes the steps.
        if found["style"] / goal["style"] > found["content"] / goal["content"]:
            low = weight
        else:
            high = weight
        weight = (low * high) ** 0.5 if low and high else weight * (1.6 if high is None else 1 / 1.6)
    return best


def rows(sizes=(256, 384), pairs=PAIRS[:1], weights=WEIGHTS, evaluations: int = EVALUATIONS):
    """One row for each size, pair and weight."""
    extractor = FeatureExtractor(device="cpu")
    factor = 12 if has_fast_bfloat16(extractor.device) else 6
    for size in sizes:
        for names in pairs:
            content, style = (load_image(name, size) for name in names)
            for weight in weights:
                image, reference = published_loop(content, style, weight, extractor, evaluations)
                goal = relative_losses(image, content, style, extractor)
                seconds, chosen, found = least_seconds(goal, content, style, extractor)
                ratio = reference / seconds if seconds else 0.0
                needed = factor if size > 256 else min(factor, 8)
                yield Row(
                    f"equal picture, {' + '.join(names)}, {size} px, w = {weight}",
                    (f"{seconds:.1f} s" if seconds else "never")
                    + f" (weight {chosen:.1f}: {found['content']:.3f}, {found['style']:.4f})",
                    f"{reference:.0f} s ({goal['content']:.3f}, {goal['style']:.4f})",
                    f"1/{ratio:.1f}" if seconds else "none",
                    f"1/{needed}",
                    ratio >= needed,
                )
