"""The options of python -m stylelab; what the recipe decides, it says."""

import argparse
from collections.abc import Collection
from typing import NoReturn

from stylelab.cli.methods import METHODS
from stylelab.errors import StylelabError
from stylelab.optimisation.published import CHOICES, RECIPES

# Settings of the recipe that are options: name, type, placeholder, and what it is.
SETTINGS = (
    ("size", int, "PIXELS", "longest side of the picture; a smaller photograph is not enlarged"),
    ("style_weight", float, "W", "weight of the style loss: more of the painting"),
    ("content_weight", float, "W", "weight of the content loss: more of the photograph"),
    ("tv_weight", float, "W", "weight of total variation: smoother, at last blurred"),
    ("steps", int, "N", "evaluations of the objective, over all scales"),
)
RECIPE_OPTIONS = (*(name for name, *_ in SETTINGS), "colours", "init", "statistic")
# What another method has no use for.
OPTIMISE_OPTIONS = (
    *(name for name in RECIPE_OPTIONS if name != "size"),
    "recipe",
    "seed",
    "masks",
    "snapshots",
    "force",
)

EPILOG = """\
examples:
  python -m stylelab astronaut starry_night -o out.png
  python -m stylelab me.jpg starry_night=2 stained_glass=1 -o both.png --size 512
  python -m stylelab cat hubble -o cat.png --recipe out.png --style-weight 20
  python -m stylelab me.jpg starry_night brick -o parts.png --masks sky.png wall.png
  python -m stylelab me.jpg mine.safetensors starry_night=0.7 brick=0.3 -o at_once.png --method fast
  python -m stylelab me.jpg painting.jpg -o at_once.png --method wct --size 512
  python -m stylelab cat emboss.pt -o embossed.png --method patches

The settings are kept in the picture: --recipe out.png works with the recipe and the seed that made out.png.
Of your own pictures it keeps the file names, without their folders.

exit codes: 0 written; 1 a picture or the weights cannot be used, or memory is too small; 2 bad arguments;
130 stopped with Ctrl-C, after writing the picture so far.
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        if "required" in message:
            message += f"; for example: {self.prog} astronaut starry_night -o out.png"
        raise StylelabError(f"{message} (--help explains)")


class _RunAndExit(argparse.Action):
    """An option that, like --help, replaces the run: calls `const` and exits with what it returns."""

    def __call__(self, parser, *_) -> None:
        parser.exit(self.const())


def command_parser(methods: Collection[str] = METHODS) -> argparse.ArgumentParser:
    """The parser of the command line; its errors are StylelabErrors, and --list and --check exit.

    methods: the names that --method knows beside "optimise".
    """
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
    add(
        "--method",
        choices=("optimise", *methods),
        default="optimise",
        metavar="M",
        help="optimise (a transfer, the default); adain or wct: at once, in any painting's style; fast: at "
        "once, STYLE being a .safetensors file that FastNetwork.save wrote and styles that it knows; or "
        "patches: STYLE is one that PatchNet.save wrote",
    )
    add("--recipe", metavar="R", help=f"{', '.join(RECIPES)}, or a picture made here")
    group = parser.add_argument_group('changes to the recipe (in brackets: what "default" says)')
    for name, kind, metavar, text in SETTINGS:
        value = getattr(RECIPES["default"], name)
        value = sum(value) if isinstance(value, tuple) else value
        group.add_argument(
            f"--{name.replace('_', '-')}", type=kind, metavar=metavar, help=f"{text} ({value:g})"
        )
    for name, text in (
        ("colours", "keep the photograph's colours"),
        ("init", "start from"),
        ("statistic", "compare styles by"),
    ):
        choices = [_spoken(choice) for choice in CHOICES[name]]
        value = _spoken(getattr(RECIPES["default"], name))
        group.add_argument(
            f"--{name}", choices=choices, metavar="HOW", help=f"{text}: {', '.join(choices)} ({value})"
        )
    group = parser.add_argument_group("the run")
    add = group.add_argument
    add("--seed", type=int, metavar="N", help="of the noise that --init noise starts from (0)")
    add("--device", default="auto", metavar="D", help="cpu, cuda or mps (auto: cuda, then mps, then cpu)")
    add(
        "--masks",
        nargs="+",
        metavar="FILE",
        help="a picture for each STYLE, white where that painting goes; elsewhere the photograph stays",
    )
    add("--force", action="store_true", help="try even where there seems to be too little memory")
    add("--snapshots", metavar="DIR", help="write pictures of the progress too, and a GIF of them")
    add("--list", action=_RunAndExit, const=_list, nargs=0, help="list the sample pictures and the recipes")
    add("--check", action=_RunAndExit, const=_check, nargs=0, help="say whether everything is in place")
    return parser


def _spoken(choice: str | None) -> str:
    return "none" if choice is None else choice


def _list() -> int:
    from stylelab.cli.listing import list_all

    return list_all()


def _check() -> int:
    from stylelab.cli.installation import check_installation

    return 0 if check_installation() else 1
