"""What the grid of a sweep means: the values of one or two settings, and what each is called."""

from collections.abc import Mapping
from pathlib import Path

from stylelab.errors import StylelabError, unknown
from stylelab.optimisation.recipes import Recipe
from stylelab.pictures.stylist import Stylist

PICTURES = ("content", "style")
SETTINGS = (*PICTURES, *(name for name in Recipe.__dataclass_fields__ if name not in ("name", "about")))


def grid_axes(grid, given: Mapping[str, object]) -> list[dict[str, object]]:
    """{label: value} for each setting of a grid as `sweep` takes it.

    given: the content and the style that the grid need not list, or None. Raises StylelabError for a grid of
    no or too many settings, an unknown one, one without values, and for pictures given twice or not at all.
    """
    if not isinstance(grid, Mapping) or len(grid) not in (1, 2):
        raise StylelabError(f"grid={grid!r}: give one or two settings, as {{'style_weight': [4, 12, 36]}}")
    for name in grid:
        if name not in SETTINGS:
            raise StylelabError(unknown("setting", name, SETTINGS, "stylelab.sweeps.grids.SETTINGS"))
    for name, picture in given.items():
        if (name in grid) == (picture is not None):
            raise StylelabError(f"give the {name} once: as an argument, or in the grid")
    return [_axis(name, values) for name, values in grid.items()]


def label(value, picture: bool = False) -> str:
    """What a value is called in a figure: a file by its name, layers by theirs, a number as it is.

    picture: the value is one, or several: what has no name is a "picture", or the kind of Stylist that it is.
    """
    if isinstance(value, Stylist):
        return type(value).__name__
    if isinstance(value, list | tuple | Mapping):
        return " + ".join(label(part[0] if isinstance(part, tuple) else part, picture) for part in value)
    if isinstance(value, str | Path):
        return Path(value).stem
    return "picture" if picture else str(value)


def _axis(setting: str, values) -> dict[str, object]:
    if not isinstance(values, Mapping | list | tuple) or not values:
        raise StylelabError(f"grid[{setting!r}]={values!r}: give a list of values, or {{label: value}}")
    if not isinstance(values, Mapping):
        named = {label(value, setting in PICTURES): value for value in values}
        if len(named) < len(values):
            raise StylelabError(f"grid[{setting!r}]: two values are called alike; give {{label: value}}")
        values = named
    if setting.endswith("_layers"):
        values = {name: _shared(layers) for name, layers in values.items()}
    return {name if setting in PICTURES else f"{setting} {name}": value for name, value in values.items()}


def _shared(layers):
    """Layers given by their names alone share a weight of 1."""
    names = [layers] if isinstance(layers, str) else layers
    return names if isinstance(names, Mapping) else dict.fromkeys(names, 1 / len(names))
