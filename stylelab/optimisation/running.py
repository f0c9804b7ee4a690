"""The minimisation of a recipe's objective, as a generator of steps, and the whole transfer in one call."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor

from stylelab.colour.matching import after_transfer, before_transfer
from stylelab.colour.spaces import rgb_to_yuv
from stylelab.device import pick_device
from stylelab.errors import ImageError, LayerError, OptimisationError, RecipeError
from stylelab.losses.objective import Objective
from stylelab.losses.scene import Scene, weighted_styles
from stylelab.losses.terms import Style, Term
from stylelab.networks.extractor import FeatureExtractor, shared_extractor
from stylelab.optimisation.descent import minimise
from stylelab.optimisation.memory import require_memory
from stylelab.optimisation.published import find_recipe
from stylelab.optimisation.recipes import Recipe
from stylelab.optimisation.results import Result, Step, source_name
from stylelab.optimisation.starting import fast_start, recoloured_start
from stylelab.optimisation.terms import recipe_features, recipe_terms
from stylelab.pictures.loading import as_image
from stylelab.pictures.masks import Masks, as_masks
from stylelab.pictures.resampling import resize, same_aspect
from stylelab.progress import BY_WORK, progress_bar
from stylelab.seeds import noise, whole_seed

# A painting is first brought to twice the largest size it is looked at, or this: recolouring and shrinking
# twelve megapixels for each scale would cost gigabytes and seconds, and no picture is the better for it.
ENOUGH = 1024  # pixels
# Steps between looks at whether the losses are still numbers: reading one makes the host wait for the device,
# which costs nothing where they are the same.
READ_EVERY = {"cpu": 1}


def transfer(
    content,
    style,
    recipe="default",
    extractor: FeatureExtractor | None = None,
    callback: Callable[[Step], None] | None = None,
    progress: bool = True,
    seed: int = 0,
    device: str | torch.device = "auto",
    init: Tensor | str | None = None,
    masks=None,
    terms: Sequence[Term] = (),
    check_memory: bool = True,
    **settings,
) -> Result:
    """The photograph painted like the painting.

    content: (1, 3, H, W) or (1, 1, H, W) in [0, 1], which sets the result's size, or anything `load_image`
    reads, which is loaded at recipe.size.
    style: the same, of any shape; or several: [paintings], [(painting, weight), ...] or {name: weight}.
    recipe: a name of RECIPES, a Recipe, a dict of settings, or a picture that holds one, by its path.
    settings: changes to it, as style_weight=10, steps=60. extractor: a network made elsewhere, used as it
    is. callback: called with each Step. progress: draw a bar. seed: of the noise that init="noise" starts
    from. device: "auto" (CUDA, then MPS, then CPU) or its name, unless an extractor is given. init:
    "content", "noise", "fast", "recoloured", or an image to start from. masks: for each painting a pair
    (where in the photograph it is laid on, what of it counts), each (1, 1, H, W) in [0, 1] or a picture of
    it, white where it holds, or None for all of it; where no painting is laid on, the photograph stays.
    terms: more terms for the objective, see stylelab.losses.Term. check_memory: refuse what is estimated to
    need more memory than there is; False tries.

    Ctrl-C, or Stop in Jupyter, ends it early with the picture so far. Raises OptimisationError where a loss
    is no longer a number, TooLargeError where there is too little memory, RecipeError for settings that make
    no sense, and what the loading of images and weights raises.
    """
    if isinstance(init, str):
        settings["init"], init = init, None
    recipe = find_recipe(recipe, **settings)
    started = time.perf_counter()
    photograph, paintings = as_image(content, recipe.size), weighted_styles(style)
    given = content if isinstance(content, Tensor) else photograph
    steps = optimise(given, paintings, recipe, extractor, seed, device, init, masks, terms, check_memory)
    history: list[Tensor] = []
    last, interrupted = None, False
    work = recipe.work(max(photograph.shape))
    with progress_bar(sum(work), "transfer", "step", progress, delay=0, layout=BY_WORK) as bar:
        try:
            for last in steps:
                history.append(last.terms)
                bar.update(work[last.index - 1])
                if progress and (last.index % 5 == 0 or last.index == last.steps):
                    told = f"step {last.index} of {last.steps}, {last.size} px"
                    bar.set_postfix_str(f"{told}, loss {last.losses['total']:.4g}")
                if callback:
                    callback(last)
        except KeyboardInterrupt:
            if last is None:
                raise
            interrupted = True
    assert last is not None, "a recipe has at least one step"
    image = last.image.cpu()
    height, width = photograph.shape[-2:]
    if image.shape[-2:] != (height, width):  # stopped at a coarse scale
        image = resize(image, (height, width)).clamp(0, 1)
    return Result(
        image,
        [dict(zip(last.names, row, strict=True)) for row in torch.stack(history).tolist()],
        _of(extractor, recipe) if extractor else recipe,
        time.perf_counter() - started,
        interrupted,
        source_name(content),
        tuple((source_name(painting), float(weight)) for painting, weight in paintings),
        seed,
        start_given=init is not None,
        masked=masks is not None,
    )


def optimise(
    content,
    style,
    recipe="default",
    extractor: FeatureExtractor | None = None,
    seed: int = 0,
    device: str | torch.device = "auto",
    init: Tensor | str | None = None,
    masks=None,
    terms: Sequence[Term] = (),
    check_memory: bool = True,
    **settings,
) -> Iterator[Step]:
    """The transfer as a generator: a Step for each evaluation, so it can be watched, paused and stopped.

    Takes what `transfer` takes. Pictures and weights are loaded, and complained about, before the first step.
    """
    if isinstance(init, str):
        settings["init"], init = init, None
    recipe, seed = find_recipe(recipe, **settings), whole_seed(seed)
    all_terms = [*recipe_terms(recipe), *terms]
    if not any(term.weight for term in all_terms):
        raise RecipeError(
            f"there is nothing to do: the weights of {', '.join(term.name for term in all_terms)} are all 0"
        )
    extractor = extractor or shared_extractor(
        recipe.network, recipe.weights, recipe.pooling, recipe.padding, str(pick_device(device))
    )
    photograph = as_image(content, recipe.size).to(extractor.device)
    longest = round(max(2 * recipe.style_scale * max(photograph.shape[-2:]), ENOUGH))
    weighted = weighted_styles(style)
    given = [(_at_most(as_image(painting, longest), longest), weight) for painting, weight in weighted]
    names = [f"the painting {name}" for name in map(source_name, (painting for painting, _ in weighted))]
    height, width = photograph.shape[-2:]
    masks = as_masks(masks, (height, width), [(p.shape[-2], p.shape[-1]) for p, _ in given])
    _check_masks(masks, names, all_terms, extractor)
    _check_size("the photograph", photograph, all_terms, extractor)
    for name, (painting, _) in zip(names, given, strict=True):
        _check_size(name, painting, [t for t in all_terms if isinstance(t, Style)], extractor)
    if check_memory:
        require_memory((height, width), [(p.shape[-2], p.shape[-1]) for p, _ in given], recipe, extractor)
    # Where all pictures are grey tensors, so is the result: one number a pixel is optimised, not three alike.
    grey = all(isinstance(p, Tensor) and p.shape[1] == 1 for p in (content, *(p for p, _ in weighted)))
    styles, target = [], photograph
    for painting, weight in given:
        painting, target = before_transfer(painting.to(extractor.device), photograph, recipe.colours)
        styles.append((painting[:, :1] if grey else painting, weight))
    target = target[:, :1] if grey else target
    detail = 0.0
    if init is not None:
        start = as_image(init).to(extractor.device)
        tall, wide = start.shape[-2:]
        if not same_aspect((height, width), (tall, wide)):
            raise ImageError(
                f"init is {wide}×{tall} and the content {width}×{height}: give one of the content's shape"
            )
    elif recipe.init == "fast":
        start, detail = fast_start(photograph, weighted), recipe.detail
    elif recipe.init == "recoloured":
        start, detail = recoloured_start(photograph, styles), recipe.detail
    elif recipe.init == "noise":
        start = noise(target.shape, seed).to(extractor.device)
    else:
        start, detail = target, recipe.detail
    if start.shape[1] > target.shape[1]:
        start = rgb_to_yuv(start)[:, :1]
    masks = [tuple(None if mask is None else mask.to(extractor.device) for mask in pair) for pair in masks]
    return _coarse_to_fine(photograph, Scene(target, styles, masks), start, detail, recipe, extractor, terms)


def _check_size(name: str, image: Tensor, terms: Sequence[Term], extractor: FeatureExtractor) -> None:
    """Raises LayerError where an image is too small for a layer that a term looks at; name: of the image."""
    least = {layer: extractor.least_size(layer) for term in terms for layer in term.layers}
    height, width = image.shape[-2:]
    deepest = max(least, key=lambda layer: least[layer], default="")
    if least and min(height, width) < least[deepest]:
        raise LayerError(
            f"{deepest} needs at least {least[deepest]} x {least[deepest]} pixels, {name} has {width} x "
            f"{height}; use a larger picture, or layers less deep"
        )


def _check_masks(masks: Masks, names: Sequence[str], terms: Sequence[Term], extractor) -> None:
    """Raises ImageError for a mask that leaves less than one position of the deepest style layer."""
    least = {n: extractor.least_size(n) for term in terms if isinstance(term, Style) for n in term.layers}
    deepest = max(least, key=lambda layer: least[layer], default="")
    for name, pair in zip(names, masks, strict=False):
        for mask, picture in zip(pair, ("photograph", "painting"), strict=True):
            if deepest and mask is not None and mask.sum() < least[deepest] ** 2:
                side = least[deepest]
                raise ImageError(
                    f"{name}: its mask covers {mask.sum():.0f} pixels of the {picture}, one position of "
                    f"{deepest} {side**2} ({side} × {side}); paint a larger region"
                )


def _coarse_to_fine(photograph, scene: Scene, image, detail, recipe, extractor, added) -> Iterator[Step]:
    """photograph: in its own colours; the scene's content is what the content loss sees, perhaps grey."""
    started, index, last = time.perf_counter(), 0, 0
    whole = scene.content.shape[-2:]
    layers = {name for term in (*recipe_terms(recipe), *added) for name in term.layers}
    least = max(extractor.least_size(name) for name in layers)
    every = READ_EVERY.get(extractor.device.type, 8)
    unread: list[Tensor] = []
    network = recipe_features(recipe, extractor)
    scales = recipe.fractions(max(whole))
    for scale, steps, factor in zip(scales, recipe.steps, recipe.style_factors, strict=True):
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
            image = here.laid_on(evaluated)
            index += 1
            unread.append(losses)
            if index % every == 0 or index == last:
                _check_finite(unread, objective.names, index)
                unread.clear()
            shown = after_transfer(image.clamp(0, 1), coloured, recipe.colours).expand(-1, 3, -1, -1)
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


def _at_most(image: Tensor, size: int) -> Tensor:
    return resize(image, size).clamp(0, 1) if max(image.shape[-2:]) > size else image


def _check_finite(unread: list[Tensor], names: Sequence[str], index: int) -> None:
    """unread: the losses of some steps, of which `index` is the last."""
    for number, values in enumerate(torch.stack(unread).tolist(), index - len(unread) + 1):
        for name, value in zip(names, values, strict=True):
            if not math.isfinite(value):
                raise OptimisationError(
                    f"step {number}: the {name} loss is {value}; lower the learning rate or the weights"
                )
