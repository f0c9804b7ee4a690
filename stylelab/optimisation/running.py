"""The minimisation of a recipe's objective, as a generator of steps, and the whole transfer in one call."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from stylelab.colour.matching import after_transfer, before_transfer
from stylelab.colour.spaces import rgb_to_yuv
from stylelab.device import pick_device
from stylelab.errors import ImageError, OptimisationError
from stylelab.losses.objective import Objective
from stylelab.losses.scene import Scene, weighted_styles
from stylelab.losses.terms import Term
from stylelab.networks.extractor import FeatureExtractor, shared_extractor
from stylelab.optimisation.descent import minimise
from stylelab.optimisation.memory import require_memory
from stylelab.optimisation.published import find_recipe
from stylelab.optimisation.recipes import Recipe
from stylelab.optimisation.terms import recipe_features, recipe_terms
from stylelab.pictures.loading import as_image
from stylelab.pictures.resampling import resize, same_aspect
from stylelab.progress import progress_bar

# A painting is first brought to twice the largest size it is looked at, or this: recolouring and shrinking
# twelve megapixels for each scale would cost gigabytes and seconds, and no picture is the better for it.
ENOUGH = 1024  # pixels
# Steps between looks at whether the losses are still numbers: reading one makes the host wait for the device,
# which costs nothing where they are the same.
READ_EVERY = {"cpu": 1}


@dataclass(frozen=True)
class Step:
    """One evaluation of the objective.

    index: from 1 to steps, which counts all scales. size: longest side of the image in pixels at this scale.
    image: (1, 3, H, W) in [0, 1], the picture whose losses these are. terms: the loss of each term and the
    total, a tensor; names: what they are called. seconds: since the start; on a GPU until the step was asked
    for, not until it was done.
    """

    index: int
    steps: int
    size: int
    image: Tensor
    terms: Tensor
    names: tuple[str, ...]
    seconds: float

    @property
    def losses(self) -> dict[str, float]:
        """Content, style, tv and what was added, unweighted, and the minimised total.

        Reading them waits for the device.
        """
        return dict(zip(self.names, self.terms.tolist(), strict=True))


@dataclass(frozen=True)
class Result:
    """What a transfer made.

    image: (1, 3, H, W) in [0, 1], on the CPU. history: each step's losses, in order. recipe: the settings,
    with the network that was in fact used. seconds: the whole time. interrupted: whether it was stopped
    before its last step.
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
    terms: Sequence[Term] = (),
    check_memory: bool = True,
) -> Result:
    """The photograph painted like the painting.

    content: (1, 3, H, W) or (1, 1, H, W) in [0, 1], which sets the result's size, or anything `load_image`
    reads, which is loaded at recipe.size.
    style: the same, of any shape, or a list of (image, weight). recipe: a name of RECIPES, or a Recipe.
    extractor: a network made elsewhere, used as it is. callback: called with each Step. progress: draw a bar.
    seed: of the noise that init="noise" starts from. device: "auto" (CUDA, then MPS, then CPU) or its name,
    unless an extractor is given. init: an image to start from instead of what the recipe says.
    terms: more terms for the objective, see stylelab.losses.Term. check_memory: refuse what is estimated to
    need more memory than there is; False tries.

    Ctrl-C, or Stop in Jupyter, ends it early with the picture so far. Raises OptimisationError where a loss
    is no longer a number, TooLargeError where there is too little memory, and what the loading of images and
    weights raises.
    """
    recipe = find_recipe(recipe)
    started = time.perf_counter()
    content = as_image(content, recipe.size)
    steps = optimise(content, style, recipe, extractor, seed, device, init, terms, check_memory)
    history: list[Tensor] = []
    last, interrupted = None, False
    with progress_bar(sum(recipe.steps), "transfer", "step", progress, delay=0) as bar:
        try:
            for last in steps:
                history.append(last.terms)
                bar.update()
                if progress and (last.index % 5 == 0 or last.index == last.steps):
                    bar.set_postfix_str(f"{last.size} px, loss {last.losses['total']:.4g}")
                if callback:
                    callback(last)
        except KeyboardInterrupt:
            if last is None:
                raise
            interrupted = True
    assert last is not None, "a recipe has at least one step"
    losses = [dict(zip(last.names, row, strict=True)) for row in torch.stack(history).tolist()]
    image = last.image.cpu()
    if image.shape[-2:] != content.shape[-2:]:  # stopped at a coarse scale
        image = resize(image, content.shape[-2:]).clamp(0, 1)
    made_with = _of(extractor, recipe) if extractor else recipe
    return Result(image, losses, made_with, time.perf_counter() - started, interrupted)


def optimise(
    content,
    style,
    recipe: str | Recipe = "default",
    extractor: FeatureExtractor | None = None,
    seed: int = 0,
    device: str | torch.device = "auto",
    init: Tensor | None = None,
    terms: Sequence[Term] = (),
    check_memory: bool = True,
) -> Iterator[Step]:
    """The transfer as a generator: a Step for each evaluation, so it can be watched, paused and stopped.

    Takes what `transfer` takes. Pictures and weights are loaded, and complained about, before the first step.
    """
    recipe = find_recipe(recipe)
    extractor = extractor or shared_extractor(
        recipe.network, recipe.weights, recipe.pooling, recipe.padding, str(pick_device(device))
    )
    photograph = as_image(content, recipe.size).to(extractor.device)
    longest = max(2 * recipe.style_scale * max(photograph.shape[-2:]), ENOUGH)
    given = [(_at_most(as_image(p), longest), weight) for p, weight in weighted_styles(style)]
    height, width = photograph.shape[-2:]
    if check_memory:
        require_memory((height, width), [(p.shape[-2], p.shape[-1]) for p, _ in given], recipe, extractor)
    styles, target = [], photograph
    for painting, weight in given:
        painting, target = before_transfer(painting.to(extractor.device), photograph, recipe.colours)
        styles.append((painting, weight))
    detail = 0.0
    if init is not None:
        start = as_image(init).to(extractor.device)
        tall, wide = start.shape[-2:]
        if not same_aspect((height, width), (tall, wide)):
            raise ImageError(
                f"init is {wide}×{tall} and the content {width}×{height}: give one of the content's shape"
            )
        start = start if target.shape[1] == 3 else rgb_to_yuv(start)[:, :1]
    elif recipe.init == "noise":
        start = torch.rand(target.shape, generator=torch.Generator().manual_seed(seed)).to(extractor.device)
    else:
        start, detail = target, recipe.detail
    return _coarse_to_fine(photograph, Scene(target, styles), start, detail, recipe, extractor, terms)


def _coarse_to_fine(photograph, scene: Scene, image, detail, recipe, extractor, added) -> Iterator[Step]:
    """photograph: in its own colours; the scene's content is what the content loss sees, perhaps grey."""
    started, index, last = time.perf_counter(), 0, 0
    whole = scene.content.shape[-2:]
    layers = {name for term in (*recipe_terms(recipe), *added) for name in term.layers}
    least = max(extractor.least_size(name) for name in layers)
    every = READ_EVERY.get(extractor.device.type, 8)
    unread: list[Tensor] = []
    network = recipe_features(recipe, extractor)
    for scale, steps, factor in zip(recipe.scales, recipe.steps, recipe.style_factors, strict=True):
        # Below a certain size the deepest layer has no pixel left: small pictures start there instead.
        scale = min(1.0, max(scale, least / min(whole)))
        shape = tuple(round(side * scale) for side in whole)
        here = scene.at(shape, max(shape) * recipe.style_scale, least)
        coloured = resize(photograph, shape).clamp(0, 1)
        before, image = image.shape[-2:], resize(image, shape)
        if index and detail:
            image = image + detail * (here.content - resize(resize(scene.content, before), shape))
        objective = Objective([*recipe_terms(recipe, factor), *added], here, network)
        last += steps
        for evaluated, losses in minimise(objective, image, recipe, steps):
            image = evaluated
            index += 1
            unread.append(losses)
            if index % every == 0 or index == last:
                _check_finite(unread, objective.names, index)
                unread.clear()
            shown = after_transfer(image.clamp(0, 1), coloured, recipe.colours)
            seconds = time.perf_counter() - started
            yield Step(index, sum(recipe.steps), max(shape), shown, losses, objective.names, seconds)


def _of(extractor: FeatureExtractor, recipe: Recipe) -> Recipe:
    """The recipe with the network that was in fact used; of a file of weights its name only."""
    return recipe.replace(
        network=extractor.network,
        weights=Path(extractor.weights).name,
        pooling=extractor.pooling,
        padding=extractor.padding,
    )


def _at_most(image: Tensor, size: float) -> Tensor:
    return resize(image, round(size)).clamp(0, 1) if max(image.shape[-2:]) > size else image


def _check_finite(unread: list[Tensor], names: Sequence[str], index: int) -> None:
    """unread: the losses of some steps, of which `index` is the last."""
    for number, values in enumerate(torch.stack(unread).tolist(), index - len(unread) + 1):
        for name, value in zip(names, values, strict=True):
            if not math.isfinite(value):
                raise OptimisationError(
                    f"step {number}: the {name} loss is {value}; lower the learning rate or the weights"
                )
