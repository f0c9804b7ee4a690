"""Seconds to a picture no worse than that of the loop which most published code and tutorials run."""

import math
import time
from pathlib import Path
from typing import NamedTuple

import torch

from stylelab import RECIPES, FeatureExtractor, Recipe, figures, load_image, optimise, relative_losses
from stylelab.device import has_fast_bfloat16
from stylelab.networks.layers import RELU_1_TO_5
from tests.benchmarks.table import Row

PAIRS = (("astronaut", "starry_night"), ("cat", "stained_glass"), ("coffee", "marbled_paper"))
EVALUATIONS = 320
WEIGHTS = (20, 50)
TRIALS = 3  # style weights tried for each goal, the first being what did at a smaller size
STEPS = 64  # at full size, at most: the 16 of `quick` stop before a picture is as good
SETTLED = 7  # evaluations at full size before its picture is looked at
FROM_THE_NETWORK = 30  # times as quick as the loop, where the fast network's picture is half the start


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
        group = optimiser.param_groups[0]
        group["max_eval"] = min(group["max_eval"], evaluations - done)
        optimiser.step(closure)
    return image.detach().clamp(0, 1), time.perf_counter() - started


class Reached(NamedTuple):
    """Where a transfer came: seconds (None where it never was as good), style weight, losses, picture."""

    seconds: float | None
    weight: float
    losses: dict[str, float]
    image: torch.Tensor


def quickest(fast: bool) -> Recipe:
    """`quick`; or what is left of it where it starts from the fast network's picture: its full size."""
    quick = RECIPES["quick"]
    return (
        quick.replace(init="fast", scales=(1,), steps=quick.steps[-1:], style_factors=(1,)) if fast else quick
    )


def seconds_until(goal: dict, content, style, weight: float, extractor, fast: bool = False) -> Reached:
    """When the saved picture of `quickest(fast)` is no worse in either loss, and what it looks like then.

    It goes on at full size for as long as it takes, up to STEPS. Looking at the picture does not count.
    fast: style is a name that the fast network knows; loading it counts.
    """
    recipe = quickest(fast)
    recipe = recipe.replace(style_weight=weight, steps=(*recipe.steps[:-1], STEPS))
    first = sum(recipe.steps[:-1]) + (0 if fast else SETTLED)  # a smaller picture is no picture of this size
    steps, spent = optimise(content, style, recipe, extractor), 0.0
    reached = Reached(None, weight, {}, content)
    while True:
        started = time.perf_counter()
        step = next(steps, None)
        spent += time.perf_counter() - started
        if step is None:
            return reached
        if step.index > first and (step.index % 2 == 0 or step.index == step.steps):
            losses = relative_losses(step.image, content, style, extractor)
            good = all(losses[term] <= goal[term] for term in goal)
            reached = Reached(spent if good else None, weight, losses, step.image)
            if good:
                return reached


def soonest(goal: dict, content, style, extractor, weight: float, fast: bool = False) -> Reached:
    """The shortest way to the goal over some style weights, the first of them given."""
    low, high, best = None, None, None
    for _ in range(TRIALS):
        reached = seconds_until(goal, content, style, weight, extractor, fast)
        if best is None or (reached.seconds or math.inf) < (best.seconds or math.inf):
            best = reached
        # Room in one loss buys the other: the weight that leaves as little of both is the quickest.
        style_left, content_left = (reached.losses[term] / goal[term] for term in ("style", "content"))
        if style_left > content_left:
            low = weight
        else:
            high = weight
        weight *= style_left / content_left
        if low and high and not low < weight < high:
            weight = (low * high) ** 0.5
    return best


def rows(
    sizes=(256, 384),
    pairs=PAIRS[:1],
    weights=WEIGHTS,
    evaluations: int = EVALUATIONS,
    folder: Path | None = None,
    fast: bool = False,
):
    """One row for each size, pair and weight; in the folder, for each size a picture of what is compared.

    fast: begun from the fast network's picture.
    """
    extractor = FeatureExtractor(device="cpu")
    factor = 12 if has_fast_bfloat16(extractor.device) else 6
    nearby: dict[tuple, float] = {}
    for size in sizes:
        shown: dict[str, list] = {}
        for names in pairs:
            content, style = (load_image(name, size) for name in names)
            for weight in weights:
                image, reference = published_loop(content, style, weight, extractor, evaluations)
                goal = relative_losses(image, content, style, extractor)
                first = nearby.get((names, weight), 2 * RECIPES["quick"].style_weight)
                ours = soonest(goal, content, names[1] if fast else style, extractor, first, fast)
                nearby[names, weight] = ours.weight
                ratio = reference / ours.seconds if ours.seconds else 0.0
                if folder:
                    early: torch.Tensor | str = "ours was never as good"
                    if ratio:  # what the loop has after as many evaluations as fit into our seconds
                        done = max(1, round(evaluations / ratio))
                        early, _ = published_loop(content, style, weight, extractor, done)
                    shown[f"{' + '.join(names)}, w = {weight}"] = [image, ours.image, early]
                needed = FROM_THE_NETWORK if fast else factor if size > 256 else min(factor, 8)
                what = "equal picture" + " from the network" * fast
                yield Row(
                    f"{what}, {' + '.join(names)}, {size} px, w = {weight}",
                    (f"{ours.seconds:.1f} s" if ours.seconds else "never")
                    + f" (weight {ours.weight:.1f}: {_both(ours.losses)})",
                    f"{reference:.0f} s ({_both(goal)})",
                    f"1/{ratio:.1f}" if ratio else "none",
                    f"1/{needed}",
                    ratio >= needed,
                )
        if folder:
            side_by_side(shown, size).savefig(
                folder / f"equal{'_fast' * fast}_{size}.jpg", pil_kwargs={"quality": 85}
            )


def _both(losses: dict[str, float]) -> str:
    return f"{losses['content']:.3f}, {losses['style']:.4f}"


def side_by_side(shown: dict[str, list], size: int) -> figures.CourseFigure:
    """A row for each comparison: the loop's picture, ours once it is as good, the loop's at that moment."""
    titles = ["the loop, at its end", "ours, as good", "the loop, after the same seconds"]
    return figures.pictures(
        [image for row in shown.values() for image in row],
        titles + [""] * (3 * len(shown) - 3),
        f"At {size} pixels: the picture of the usual loop; ours, at the first moment when its saved file is "
        "no worse in content nor in style; and what the loop has by then.",
        columns=3,
        row_titles=list(shown),
    )
