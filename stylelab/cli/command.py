"""python -m stylelab CONTENT STYLE... -o OUT: a transfer from the command line."""

import argparse
import os
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from stylelab.cli.methods import METHODS
from stylelab.cli.parser import OPTIMISE_OPTIONS, RECIPE_OPTIONS, command_parser
from stylelab.cli.words import weighted
from stylelab.errors import (
    ImageError,
    LayerError,
    OptimisationError,
    RecipeError,
    StylelabError,
    TooLargeError,
    WeightsError,
    unknown,
)
from stylelab.files import unused
from stylelab.optimisation.published import RECIPES
from stylelab.optimisation.recipes import Recipe
from stylelab.seeds import whole_seed


def main(arguments: list[str] | None = None, methods: Mapping[str, Callable] = METHODS) -> int:
    """Makes the picture that the command line asks for; returns the exit code that --help explains.

    arguments: the words after `python -m stylelab`. methods: what --method knows beside "optimise": from the
    words given as STYLE, and --device, to a Stylist. Raises SystemExit after --help, --list and --check.
    """
    written: list[Path] = []
    try:
        given = command_parser(methods).parse_intermixed_args(arguments)
        if given.method == "optimise":
            return _optimise(given, written)
        return _stylise(given, methods[given.method], written)
    except (ImageError, LayerError, OptimisationError, TooLargeError, WeightsError) as error:
        return _complain(error, 1)
    except StylelabError as error:
        return _complain(error, 2)
    except KeyboardInterrupt:
        if written:
            return _complain(f"stopped; {written[0]} is complete, what was to follow it is not", 130)
        return _complain("stopped before the first step; nothing is written", 130)


def _optimise(arguments: argparse.Namespace, written: list[Path]) -> int:
    """A transfer. written: is told each file, as soon as it is complete."""
    started = time.perf_counter()
    recipe, seed = _recipe(arguments.recipe or "default")
    changes = _asked(arguments, RECIPE_OPTIONS)
    if changes.get("colours") == "none":
        changes["colours"] = None
    recipe = recipe.replace(**changes)
    seed = seed if arguments.seed is None else whole_seed(arguments.seed)
    styles = [weighted(text) for text in arguments.style]
    out = _output(arguments.output, [arguments.content, *(name for name, _ in styles)])

    from stylelab.cli.snapshots import Snapshots
    from stylelab.device import pick_device
    from stylelab.networks.extractor import shared_extractor
    from stylelab.optimisation.memory import memory_told
    from stylelab.optimisation.running import transfer
    from stylelab.pictures.loading import load_image

    content = load_image(arguments.content, recipe.size)
    shots = None
    if arguments.snapshots:
        shots = Snapshots(_own_folder(arguments.snapshots), content.shape[-2:], sum(recipe.steps))
    device = str(pick_device(arguments.device))
    vgg = shared_extractor(recipe.network, recipe.weights, recipe.pooling, recipe.padding, device)
    shapes = [load_image(name).shape[-2:] for name, _ in styles]
    print("transfer:", memory_told(content.shape[-2:], shapes, recipe, vgg), file=sys.stderr)
    try:
        result = transfer(
            arguments.content,
            styles,
            recipe,
            vgg,
            shots,
            seed=seed,
            masks=arguments.masks,
            check_memory=not arguments.force,
        )
    except TooLargeError as error:
        raise TooLargeError(f"{error}; --force tries all the same") from error
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not re.search(r"out of memory|allocate", str(error)):
            raise
        size = max(content.shape[-2:])
        raise OptimisationError(f"not enough memory for {size} pixels; try --size {size // 2}") from error
    done, steps = len(result.history), sum(recipe.steps)
    written.append(result.save(out))
    if shots:
        shots.add(result.image, done)
        print(f"wrote {shots.animate()}, of {len(shots.frames)} pictures")
    stopped = f", stopped after {done} of {steps} steps" if result.interrupted else ""
    print(f"wrote {out} in {time.perf_counter() - started:.1f} s{stopped}")
    return 130 if result.interrupted else 0


def _stylise(arguments: argparse.Namespace, stylist_of: Callable, written: list[Path]) -> int:
    """A picture by any other method: what `stylist_of` makes of the styles and the device, applied once."""
    started = time.perf_counter()
    if idle := sorted(_asked(arguments, OPTIMISE_OPTIONS)):
        option = idle[0].replace("_", "-")
        raise StylelabError(f"--{option} is for --method optimise; --method {arguments.method} knows none")
    out = _output(arguments.output, [arguments.content, *arguments.style])
    stylist = stylist_of(arguments.style, arguments.device)

    from stylelab import __version__
    from stylelab.pictures.loading import load_image
    from stylelab.pictures.saving import save_image

    image = stylist.stylise(load_image(arguments.content, arguments.size))
    made_of = {
        "content": Path(arguments.content).name,
        "style": [Path(name).name for name in arguments.style],
    }
    written.append(save_image(image, out, {"stylelab": __version__, "method": arguments.method, **made_of}))
    print(f"wrote {out} in {time.perf_counter() - started:.1f} s")
    return 0


def _asked(arguments: argparse.Namespace, options: Sequence[str]) -> dict:
    """Those of the options that were given."""
    given = {name: getattr(arguments, name) for name in options}
    return {name: value for name, value in given.items() if value is not None and value is not False}


# The package advises in Python; whoever types a command is told its options.
ADVICE = {
    "use a larger picture, or layers less deep": "use a larger --size or picture",
    'sample_names("content") and sample_names("style") list': "--list names",
    "stylelab.RECIPES lists": "--list names",
}


def _complain(message: object, code: int) -> int:
    said = " ".join(str(message).splitlines())
    for python, option in ADVICE.items():
        said = said.replace(python, option)
    print("stylelab:", said, file=sys.stderr)
    return code


def _recipe(text: str) -> tuple[Recipe, int]:
    """The recipe of that name and seed 0, or the recipe and seed that a picture was made with."""
    if text in RECIPES:
        return RECIPES[text], 0
    if not Path(text).suffix and not os.path.exists(os.path.expanduser(text)):
        raise RecipeError(unknown("recipe", text, RECIPES, "--list") + "; a picture made here will do too")
    from stylelab.pictures.saving import FORMAT, read_settings

    settings, name = read_settings(text), Path(text).name
    if "recipe" not in settings:
        raise ImageError(f"{name}: its settings hold no recipe; give a picture made by --method optimise")
    if (kind := settings.get("format", 1)) not in range(1, FORMAT + 1):
        raise ImageError(
            f"{name}: its settings are of format {kind}, this stylelab reads up to {FORMAT}; update stylelab"
        )
    try:
        return Recipe.from_dict(settings["recipe"]), whole_seed(settings.get("seed", 0))
    except (AttributeError, TypeError, ValueError) as error:
        raise ImageError(f"{name}: its recipe cannot be used ({error}); give another picture") from error


def _output(text: str, sources: list[str]) -> Path:
    from stylelab.pictures.saving import writable_path

    try:
        out = writable_path(text)
    except ImageError as error:
        raise StylelabError(str(error)) from error
    for source in map(os.path.expanduser, sources):
        if out.exists() and os.path.exists(source) and out.samefile(source):
            raise StylelabError(f"{out.name}: would replace the picture it is made from; choose another name")
    return out


def _own_folder(folder: str) -> Path:
    """The folder, made where it is missing; where an earlier run has left its pictures, one with a number."""
    path = unused(Path(os.path.expanduser(folder)), lambda path: any(path.glob("step_*.png")))
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StylelabError(
            f"{folder}: cannot be made a folder ({error.strerror}); choose another"
        ) from error
    return path
