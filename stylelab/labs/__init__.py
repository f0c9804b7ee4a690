"""The labs: one set of live controls for each notebook. Move a control and the picture answers.

`stylelab.labs.gram()` shows itself at the end of a cell. Each lab has `result` (what it made, for the
next cell), `last_error`, `wait(timeout)` and `close()`; its module says more. A lab is loaded on first use.
"""

from importlib import import_module

_HOME = {
    "first_picture": "first_picture_lab",
    "gram": "gram_lab",
    "content": "content_lab",
    "total_variation": "total_variation_lab",
    "colour": "colour_lab",
    "patches": "patches_lab",
    "differences": "differences_lab",
}

__all__ = list(_HOME)


def __getattr__(name: str):
    if name not in _HOME:
        raise AttributeError(f"module 'stylelab.labs' has no attribute {name!r}")
    value = getattr(import_module(f"stylelab.labs.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
