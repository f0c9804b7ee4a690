"""The labs: one set of live controls for each notebook. Move a control and the picture answers.

`stylelab.labs.gram()` shows itself at the end of a cell. Each lab has `result` (what it made, for the
next cell), `last_error`, `wait(timeout)` and `close()`; its module says more. A lab is loaded on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # for editors, which complete and jump by these; at run time _HOME serves
    from stylelab.labs.any_style_lab import any_style
    from stylelab.labs.colour_lab import colour
    from stylelab.labs.content_lab import content
    from stylelab.labs.control_lab import control
    from stylelab.labs.differences_lab import differences
    from stylelab.labs.fast_lab import fast
    from stylelab.labs.first_picture_lab import first_picture
    from stylelab.labs.gram_lab import gram
    from stylelab.labs.patches_lab import patches
    from stylelab.labs.total_variation_lab import total_variation

_HOME = {
    "first_picture": "first_picture_lab",
    "gram": "gram_lab",
    "content": "content_lab",
    "total_variation": "total_variation_lab",
    "colour": "colour_lab",
    "patches": "patches_lab",
    "differences": "differences_lab",
    "fast": "fast_lab",
    "any_style": "any_style_lab",
    "control": "control_lab",
}

__all__ = [
    "any_style",
    "colour",
    "content",
    "control",
    "differences",
    "fast",
    "first_picture",
    "gram",
    "patches",
    "total_variation",
]


def __getattr__(name: str):
    if name not in _HOME:
        raise AttributeError(f"module 'stylelab.labs' has no attribute {name!r}")
    value = getattr(import_module(f"stylelab.labs.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
