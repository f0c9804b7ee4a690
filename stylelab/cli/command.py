"""python -m stylelab CONTENT STYLE... -o OUT: a transfer from the command line."""

import argparse
import math
import os
import re
import sys
import time
from pathlib import Path

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
from stylelab.optimisation.published import CHOICES, RECIPES
from stylelab.optimisation.recipes import Recipe

# Settings of the recipe that are options: name, type, placeholder, and what it is.
SETTINGS = (
    ("size", int, "PIXELS", "longest side of the picture; a smaller photograph is not enlarged"),
    ("style_weight", float, "W", "weight of the style loss: more of the painting"),
    ("content_weight", float, "W", "weight of the content loss: more of the photograph"),
    ("tv_weight", float, "W", "weight of total variation: smoother, at last blurred"),
    ("steps", int, "N", "evaluations of the objective, over all scales"),
)

EPILOG = """\
examples:
  python -m stylelab astronaut starry_night -o out.png
  python -m stylelab me.jpg starry_night=2 stained_glass=1 -o both.png --size 512
  python -m stylelab cat hubble -o cat.png --recipe out.png --style-weight 20

The settings are kept in the picture: --recipe out.png works with the recipe and the seed that made out.png.
Of your own pictures it keeps the file names, without their folders.

exit codes: 0 written; 1 a picture or the weights cannot be used, or memory is too small; 2 bad arguments;
130 stopped with Ctrl-C, after writing the picture so far.
"""


def main(arguments: list[str] | None = None) -> int:
    """Makes the picture that the command line asks for; returns the exit code that --help explains.

    arguments: the words after `python -m stylelab`. Raises SystemExit after --help, --list and --check.
    """
    try:
        return _paint(_parser().parse_intermixed_args(arguments))
    except LayerError as error:
        too_small = "at least" in str(error)
        return _complain(f"{error}{'; use a larger --size or picture' if too_small else ''}", 1)
    except (ImageError, OptimisationError, TooLargeError, WeightsError) as error:
        return _complain(error, 1)
    except StylelabError as error:
        return _complain(error, 2)
    except KeyboardInterrupt:
        return _complain("stopped before the first step; nothing is written", 130)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:
        if "required" in message:
            message += f"; for example: {self.prog} astronaut starry_night -o out.png"
        raise StylelabError(f"{message} (--help explains)")


class _RunAndExit(argparse.Action):
    """An option that, like --help, replaces the run: calls `const` and exits with what it returns."""

    def __call__(self, parser, *_) -> None:
        parser.exit(self.const())


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m stylelab",
        description="Paints a photograph in the style of a painting.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("content", metavar="CONTENT", help="the photograph: a file, or the name of a sample")
    add(
        "style",
        metavar="STYLE",
        nargs="+",
        help="the painting, likewise; several are mixed, with weights if written NAME=WEIGHT",
    )
    add("-o", "--output", metavar="OUT", required=True, help="the picture to write: .png, .jpg or .webp")
    add("--recipe", metavar="R", default="default", help=f"{', '.join(RECIPES)}, or a picture made here")
    group = parser.add_argument_group('changes to the recipe (in brackets: what "default" says)')
    for name, kind, metavar, text in SETTINGS:
        value = getattr(RECIPES["default"], name)
        value = sum(value) if isinstance(value, tuple) else value
        group.add_argument(
            f"--{name.replace('_', '-')}", type=kind, metavar=metavar, help=f"{text} ({value:g})"
        )
    for name, text in (("colours", "keep the photograph's colours"), ("init", "start from")):
        choices = [_spoken(choice) for choice in CHOICES[name]]
        value = _spoken(getattr(RECIPES["default"], name))
        group.add_argument(
            f"--{name}", choices=choices, metavar="HOW", help=f"{text}: {', '.join(choices)} ({value})"
        )
    group = parser.add_argument_group("the run")
    add = group.add_argument
    add("--seed", type=int, metavar="N", help="of the noise that --init noise starts from (0)")
    add("--device", default="auto", metavar="D", help="cpu, cuda or mps (auto: cuda, then mps, then cpu)")
    add("--snapshots", metavar="DIR", help="write pictures of the progress too, and a GIF of them")
    add("--list", action=_RunAndExit, const=_list, nargs=0, help="list the sample pictures and the recipes")
    add("--check", action=_RunAndExit, const=_check, nargs=0, help="say whether everything is in place")
    return parser


def _spoken(choice: str | None) -> str:
    return "none" if choice is None else choice


def _paint(arguments: argparse.Namespace) -> int:
    started = time.perf_counter()
    recipe, seed = _recipe(arguments.recipe)
    wanted = {name: getattr(arguments, name) for name in (*(s[0] for s in SETTINGS), "colours", "init")}
    changes = {name: value for name, value in wanted.items() if value is not None}
    if changes.get("colours") == "none":
        changes["colours"] = None
    recipe = recipe.replace(**changes)
    seed = seed if arguments.seed is None else _seed(arguments.seed)
    styles = [_weighted(text) for text in arguments.style]
    out = _output(arguments.output, [arguments.content, *(name for name, _ in styles)])

    from stylelab.cli.snapshots import Snapshots
    from stylelab.device import pick_device
    from stylelab.networks.extractor import shared_extractor
    from stylelab.optimisation.memory import memory_told
    from stylelab.optimisation.running import transfer
    from stylelab.pictures.loading import load_image
    from stylelab.pictures.saving import receipt, save_image

    content = load_image(arguments.content, recipe.size)
    shots = None
    if arguments.snapshots:
        shots = Snapshots(_made(arguments.snapshots), content.shape[-2:], sum(recipe.steps))
    device = str(pick_device(arguments.device))
    vgg = shared_extractor(recipe.network, recipe.weights, recipe.pooling, recipe.padding, device)
    paintings = [(load_image(name), weight) for name, weight in styles]
    shapes = [painting.shape[-2:] for painting, _ in paintings]
    print("transfer:", memory_told(content.shape[-2:], shapes, recipe, vgg), file=sys.stderr)
    try:
        result = transfer(content, paintings, recipe, vgg, callback=shots, seed=seed)
    except TooLargeError:
        raise
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not re.search(r"out of memory|allocate", str(error)):
            raise
        size = max(content.shape[-2:])
        raise OptimisationError(f"not enough memory for {size} pixels; try --size {size // 2}") from error
    done, steps = len(result.history), sum(recipe.steps)
    named = [(Path(name).name, weight) for name, weight in styles]
    settings = receipt(Path(arguments.content).name, named, recipe, seed)
    if result.interrupted:
        settings["stopped_after"] = done
    save_image(result.image, out, settings)
    if shots:
        shots.add(result.image, done)
        print(f"wrote {shots.animate()}, of {len(shots.frames)} pictures")
    stopped = f", stopped after {done} of {steps} steps" if result.interrupted else ""
    print(f"wrote {out} in {time.perf_counter() - started:.1f} s{stopped}")
    return 130 if result.interrupted else 0


def _complain(message: object, code: int) -> int:
    print("stylelab:", " ".join(str(message).splitlines()), file=sys.stderr)
    return code


def _recipe(text: str) -> tuple[Recipe, int]:
    """The recipe of that name and seed 0, or the recipe and seed that a picture was made with."""
    if text in RECIPES:
        return RECIPES[text], 0
    if not Path(text).suffix and not os.path.exists(os.path.expanduser(text)):
        raise RecipeError(unknown("recipe", text, RECIPES, "--list") + "; a picture made here will do too")
    from stylelab.pictures.saving import read_settings

    settings, name = read_settings(text), Path(text).name
    if "recipe" not in settings:
        raise ImageError(f"{name}: its settings hold no recipe; give a picture that python -m stylelab wrote")
    try:
        return Recipe.from_dict(settings["recipe"]), _seed(settings.get("seed", 0))
    except (AttributeError, TypeError, ValueError) as error:
        raise ImageError(f"{name}: its recipe cannot be used ({error}); give another picture") from error


def _seed(seed: int) -> int:
    if not isinstance(seed, int) or not 0 <= seed < 2**63:
        raise StylelabError(f"seed {seed}: use a whole number from 0 to {2**63 - 1}")
    return seed


def _weighted(text: str) -> tuple[str, float]:
    """The name and the weight in NAME=WEIGHT; the name of a file means the file, whatever it contains."""
    name, equals, weight = text.rpartition("=")
    if not equals or os.path.exists(os.path.expanduser(text)):
        return text, 1.0
    try:
        number = float(weight)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise StylelabError(
            f'"{text}" is no file, and "{weight}" no weight; write a number from 0 upwards, as in {name}=2'
        )
    return name, number


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


def _made(folder: str) -> Path:
    path = Path(os.path.expanduser(folder))
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StylelabError(
            f"{folder}: cannot be made a folder ({error.strerror}); choose another"
        ) from error
    return path


def _list() -> int:
    from stylelab.pictures.samples import KINDS, sample_names, sample_path

    for kind in KINDS:
        print(f"{kind}:")
        for name in sample_names(kind):
            print(f"  {name:20}{_caption(sample_path(name))}")
    print("recipes:")
    for name, recipe in RECIPES.items():
        print(f"  {name:20}{recipe.size} px, {sum(recipe.steps)} steps. {recipe.about}")
    return 0


def _caption(path: Path) -> str:
    """Title, author and year of a sample, from the table in the README beside the pictures."""
    for line in (path.parents[1] / "README.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if f"`{path.parent.name}/{path.name}`" in cells:
            return ", ".join(cell for cell in cells[2:5] if cell != "not stated")
    return ""


def _check() -> int:
    from stylelab.cli.installation import check_installation

    return 0 if check_installation() else 1


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="backslashreplace")  # a file name that the console cannot show is no error
    sys.exit(main())
