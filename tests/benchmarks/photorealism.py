"""How much of a photograph is left where another photograph is the style, and how near a known dusk comes.

The recipe's settings were found on pagoda + rocket, coffee + dahlia and the dahlia at dusk: no pair among
these, though some of the photographs are.
"""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

from torch import Tensor

from stylelab import (
    RECIPES,
    FeatureExtractor,
    load_image,
    match_colours,
    optimise,
    relative_losses,
    save_image,
    transfer,
)
from stylelab.losses.distances import psnr
from stylelab.pictures import at_dusk, edges_found, guided_filter, structural_similarity
from tests.benchmarks.table import Row, timed

PAIRS = (("rocket", "pagoda"), ("cat", "coffee"), ("astronaut", "rocket"))
DUSKS = ("pagoda", "coffee")
DEARER = 1.2  # times an evaluation without the matting term, at most
Method = Callable[[Tensor, Tensor], Tensor]


def methods(extractor: FeatureExtractor) -> dict[str, Method]:
    """From (photograph, style) to a picture, by name."""

    def by(recipe: str) -> Method:
        return lambda content, style: transfer(content, style, recipe, extractor, progress=False).image

    return {
        "colours alone": lambda content, style: match_colours(content, style, "linear"),
        "quick": by("quick"),
        "quick, guided filter": lambda content, style: guided_filter(by("quick")(content, style), content),
        "photorealistic": by("photorealistic"),
    }


def of_pairs(size: int, pairs, extractor: FeatureExtractor, folder: Path | None) -> Iterator[Row]:
    """For each pair and method a row: edges found again, structure, style loss, seconds."""
    for content_name, style_name in pairs:
        content, style = load_image(content_name, size), load_image(style_name, size)
        found = {}
        for name, method in methods(extractor).items():
            image, seconds = timed(method, content, style)
            loss = relative_losses(image, content, style, extractor)["style"]
            structure = structural_similarity(image, content, light=False)
            found[name] = edges_found(image, content), structure, loss, seconds
            _keep(image, folder, f"{content_name}_{style_name}_{name}")
        for name, (edges, structure, loss, seconds) in found.items():
            met = None
            if name == "photorealistic":
                met = edges > found["quick"][0] and loss < found["colours alone"][2]
            yield Row(
                f"{content_name} + {style_name}, {size} px, {name}: edges found, structure, style loss",
                f"{edges:.2f}, {structure:.2f}, {loss:.3f} in {seconds:.1f} s",
                "{:.2f}, {:.2f}, {:.3f} in {:.1f} s (quick)".format(*found["quick"]),
                f"{seconds / found['quick'][3]:.2f}",
                "more edges than quick, less style loss than colours alone" if met is not None else "",
                met,
            )


def halves(name: str, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """(left half of a photograph, right half at dusk, left half at dusk), the longest side of all `size`.

    The style shows the same light as the answer, and nothing of what the photograph shows.
    """
    whole = load_image(name, size)
    half = whole.shape[-1] // 2
    evening = at_dusk(whole)
    return whole[..., :half], evening[..., -half:], evening[..., :half]


def of_dusks(size: int, names, extractor: FeatureExtractor, folder: Path | None) -> Iterator[Row]:
    """For each photograph and method a row: how near the known dusk it comes."""
    for name in names:
        content, style, answer = halves(name, size)
        near = {"as it is": (psnr(content, answer), structural_similarity(content, answer))}
        for method_name, method in methods(extractor).items():
            image = method(content, style)
            near[method_name] = psnr(image, answer), structural_similarity(image, answer)
            _keep(image, folder, f"dusk_{name}_{method_name}")
        for method_name, (decibels, alike) in near.items():
            best = max(other for key, (other, _) in near.items() if key != "photorealistic")
            ours = method_name == "photorealistic"
            yield Row(
                f"{name} at dusk, {size} px, {method_name}: PSNR, SSIM with the answer",
                f"{decibels:.1f} dB, {alike:.2f}",
                "{:.1f} dB, {:.2f} (as it is)".format(*near["as it is"]),
                "",
                "nearer than all others" if ours else "",
                decibels > best if ours else None,
            )


def cost(size: int, extractor: FeatureExtractor, rounds: int = 5) -> Row:
    """The row for an evaluation with the matting term beside one without, in turns, the least of each."""
    content, style = load_image("pagoda", size), load_image("rocket", size)
    recipe = RECIPES["photorealistic"].replace(steps=rounds + 12)
    runs = [optimise(content, style, recipe.replace(matting_weight=w), extractor) for w in (1e4, 0)]
    for steps in runs:
        for _ in range(11):  # L-BFGS costs most once its history is long
            next(steps)
    seconds = [float("inf")] * 2
    for _, (number, steps) in itertools.product(range(rounds), enumerate(runs)):
        seconds[number] = min(seconds[number], timed(next, steps)[1])
    ratio = seconds[0] / seconds[1]
    return Row(
        f"one evaluation with the matting term, {size} px",
        f"{seconds[0]:.3f} s",
        f"{seconds[1]:.3f} s (without)",
        f"{ratio:.2f}",
        f"{DEARER}",
        ratio <= DEARER,
    )


def _keep(image: Tensor, folder: Path | None, name: str) -> None:
    if folder:
        save_image(image, folder / f"photorealism_{name.replace(', ', '_').replace(' ', '_')}.png")


def rows(
    size: int = 384, pairs=PAIRS, dusks=DUSKS, folder: Path | None = None, rounds: int = 5
) -> Iterator[Row]:
    """All of them. folder: where the pictures are kept."""
    extractor = FeatureExtractor(device="cpu")
    yield from of_pairs(size, pairs, extractor, folder)
    yield from of_dusks(size, dusks, extractor, folder)
    yield cost(size, extractor, rounds)
