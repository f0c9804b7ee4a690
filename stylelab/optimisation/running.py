"""The minimisation of a recipe's objective, as a generator of steps, and the whole transfer in one call."""

import math
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from tqdm import tqdm

from stylelab.colour.matching import after_transfer, before_transfer
from stylelab.device import pick_device
from stylelab.errors import ImageError, OptimisationError
from stylelab.losses.objectives import TERMS, as_image, at_size, objective, weighted_styles
from stylelab.networks.extractor import FeatureExtractor, shared_extractor
from stylelab.optimisation.descent import minimise
from stylelab.optimisation.memory import check_memory
from stylelab.optimisation.recipes import Recipe, find_recipe
from stylelab.pictures.loading import resize, same_aspect

# Steps between looks at whether the losses are still numbers: reading one makes the host wait for the device,
# which costs nothing where they are the same.
READ_EVERY = {"cpu": 1}


@dataclass(frozen=True)
class Step:
    """One evaluation of the objective.

    index: from 1 to steps, which counts all scales. size: longest side of the image in pixels at this scale.
    image: (1, 3, H, W) in [0, 1], the picture whose losses these are. terms: content, style, tv and total as
    a tensor of 4. seconds: since the start; on a GPU until the step was asked for, not until it was done.
    """

    index: int
    steps: int
    size: int
    image: Tensor
    terms: Tensor
    seconds: float

    @property
    def losses(self) -> dict[str, float]:
        """Content, style and tv, unweighted, and the minimised total. Reading them waits for the device."""
        return dict(zip(TERMS, self.terms.tolist(), strict=True))


@dataclass(frozen=True)
class Result:
    """What a transfer made.

    image: (1, 3, H, W) in [0, 1], on the CPU. history: each step's losses, in order. recipe: the settings.
    seconds: the whole time. interrupted: whether it was stopped before its last step.
    """

    image: Tensor
    history: list[dict[str, float]]
    recipe: Recipe
    seconds: float
    interrupted: bool


def transfer(
    content,
    style,
    recipe: str | Recipe = "default",
    extractor: FeatureExtractor | None = None,
    callback: Callable[[Step], None] | None = None,
    progress: bool = True,
    seed: int = 0,
    device: str | torch.device = "auto",
    init: Tensor | None = None,
) -> Result:
    """The photograph painted like the painting.

    content: (1, 3, H, W) or (1, 1, H, W) in [0, 1], which sets the result's size, or anything `load_image`
    reads, which is loaded at recipe.size.
    style: the same, of any shape, or a list of (image, weight). recipe: a name of RECIPES, or a Recipe.
    extractor: a network made elsewhere, used as it is. callback: called with each Step. progress: draw a bar.
    seed: of the noise that init="noise" starts from. device: "auto" (CUDA, then MPS, then CPU) or its name,
    unless an extractor is given. init: an image to start from instead of what the recipe says.

    Ctrl-C, or Stop in Jupyter, ends it early with the picture so far. Raises OptimisationError where a loss
    is no longer a number, TooLargeError where there is too little memory, and what the loading of images and
    weights raises.
    """
    recipe = find_recipe(recipe)
    started = time.perf_counter()
    content = as_image(content, recipe.size)
    steps = optimise(content, style, recipe, extractor, seed, device, init)
    history: list[Tensor] = []
    last, interrupted = None, False
    with _bar(sum(recipe.steps), progress) as bar:
        try:
            for last in steps:
                history.append(last.terms)
                bar.update()
                if progress and (last.index % 5 == 0 or last.index == last.steps):
                    bar.set_postfix_str(f"{last.size} px, loss {last.losses['total']:.4g}")
                if callback:
                    callback(last)
        except KeyboardInterrupt:
            if not history:
                raise
            interrupted = True
    losses = [dict(zip(TERMS, row, strict=True)) for row in torch.stack(history).tolist()]
    image = last.image.cpu()
    if image.shape[-2:] != content.shape[-2:]:  # stopped at a coarse scale
        image = resize(image, content.shape[-2:]).clamp(0, 1)
    return Result(image, losses, recipe, time.perf_counter() - started, interrupted)


def optimise(
    content,
    style,
    recipe: str | Recipe = "default",
    extractor: FeatureExtractor | None = None,
    seed: int = 0,
    device: str | torch.device = "auto",
    init: Tensor | None = None,
) -> Iterator[Step]:
    """The transfer as a generator: a Step for each evaluation, so it can be watched, paused and stopped.

    Takes what `transfer` takes. Pictures and weights are loaded, and complained about, before the first step.
    """
    recipe = find_recipe(recipe)
    device = str(pick_device(device))
    extractor = extractor or shared_extractor(
        recipe.network, recipe.weights, recipe.pooling, recipe.padding, device
    )
    content = as_image(content, recipe.size).to(extractor.device)
    styles, target = [], content
    for painting, weight in weighted_styles(style):
        painting, target = before_transfer(as_image(painting).to(extractor.device), content, recipe.colours)
        styles.append((painting.expand(-1, 3, -1, -1), weight))
    target = target.expand(-1, 3, -1, -1)
    check_memory(content.shape[-2:], [p.shape[-2:] for p, _ in styles], recipe, extractor)
    detail = 0.0
    if init is not None:
        start = as_image(init).to(extractor.device)
        (height, width), (tall, wide) = content.shape[-2:], start.shape[-2:]
        if not same_aspect((height, width), (tall, wide)):
            raise ImageError(
                f"init is {wide}×{tall} and the content {width}×{height}: give one of the content's shape"
            )
    elif recipe.init == "noise":
        start = torch.rand(content.shape, generator=torch.Generator().manual_seed(seed)).to(extractor.device)
    else:
        start, detail = target, recipe.detail
    return _coarse_to_fine(content, target, styles, start, detail, recipe, extractor)


def _coarse_to_fine(photo, content, styles, start, detail, recipe, extractor) -> Iterator[Step]:
    """photo: in its own colours; content: what the content loss sees, grey for colours="luminance"."""
    started, index, image = time.perf_counter(), 0, start
    layers = [*recipe.style_layers, *recipe.content_layers]
    least = max(extractor.least_size(name) for name in layers)
    smallest = least / min(content.shape[-2:])
    every = READ_EVERY.get(extractor.device.type, 8)
    unread: list[Tensor] = []
    last = 0
    for scale, steps, factor in zip(recipe.scales, recipe.steps, recipe.style_factors, strict=True):
        # Below a certain size the deepest layer has no pixel left: small pictures start there instead.
        scale = min(1.0, max(scale, smallest))
        shape = tuple(round(side * scale) for side in content.shape[-2:])
        target = resize(content, shape).clamp(0, 1)
        coloured = resize(photo, shape).clamp(0, 1)
        if index and detail:
            image = resize(image, shape) + detail * (
                target - resize(resize(content, image.shape[-2:]), shape)
            )
        else:
            image = resize(image, shape)
        paintings = at_size(styles, max(shape) * recipe.style_scale, least)
        terms_of = objective(target, paintings, recipe, extractor, factor)
        last += steps
        for evaluated, terms in minimise(terms_of, image, recipe, steps):
            image = evaluated
            index += 1
            unread.append(terms)
            if index % every == 0 or index == last:
                _check_finite(unread, index)
                unread.clear()
            shown = after_transfer(image.clamp(0, 1), coloured, recipe.colours)
            yield Step(index, sum(recipe.steps), max(shape), shown, terms, time.perf_counter() - started)


def _check_finite(unread: list[Tensor], index: int) -> None:
    """unread: the terms of some steps, of which `index` is the last."""
    for number, values in enumerate(torch.stack(unread).tolist(), index - len(unread) + 1):
        for name, value in zip(TERMS, values, strict=True):
            if not math.isfinite(value):
                raise OptimisationError(
                    f"step {number}: the {name} loss is {value}; lower the learning rate or the weights"
                )


def _bar(total: int, progress: bool) -> tqdm:
    # As text in notebooks too: a stored widget is dead in every page viewer and reopened notebook.
    in_notebook = type(sys.stdout).__module__.startswith("ipykernel")
    stream = sys.stdout if in_notebook else sys.stderr
    return tqdm(total=total, disable=not progress, unit="step", desc="transfer", file=stream)
