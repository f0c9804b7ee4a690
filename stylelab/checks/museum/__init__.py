"""The bug museum of notebook 08: nine broken pieces of style transfer, and what is said to whoever mends one.

A room has one function, broken as people break it (`broken.py`) and sound (`mended.py`); what a mend is held
against stands in `descents.py` for the loops and in `parts.py` for the rest.
"""

import ast
import inspect
from collections.abc import Callable
from typing import Any

from stylelab.checks.engine import examine
from stylelab.checks.exercise import Exercise
from stylelab.checks.museum import broken, descents, mended, parts
from stylelab.checks.verdicts import Verdict, show
from stylelab.errors import StylelabError

EXHIBITS: dict[int, Exercise] = {
    1: descents.clamped,
    2: parts.paired,
    3: parts.blue_first,
    4: parts.bytes_in,
    5: parts.overwritten,
    6: descents.attached,
    7: parts.reshaped,
    8: descents.added_up,
    9: descents.unmoved,
}

AS_IT_HANGS = "Still as it hangs here: look at the evidence, then change one line."


def exhibit(number: int, mended: bool = False) -> Callable:
    """The broken function of a room of notebook 08, to be run.

    number: of the room, 1 to 9. mended: the sound one instead, which the notebook goes on with where the
    learner's own is still to come. Raises StylelabError for a room that is not there.
    """
    return getattr(_SOUND if mended else broken, _function(number))


def find_the_bug(number: int, mend: Any) -> bool:
    """Examine the mend of a room of notebook 08, and show a verdict: what is still wrong, and where to look.

    number: of the room, 1 to 9. mend: a function of the same name and arguments as the broken one. The
    exhibit as it hangs is not judged, so that whoever reads on may still solve the room; one that was changed
    and does the same is told its bug, a half-mend that the room knows what it lacks; any other is shown the
    smallest example where it goes wrong. Returns True if it is right, False if it is not, or not attempted.
    Raises StylelabError for a room that is not there.
    """
    name = _function(number)
    room = f"find_the_bug({number})"
    if mend is not None and not callable(mend):
        verdict = Verdict(
            room,
            False,
            f"Hand in the function itself, `checks.find_the_bug({number}, {name})`, no result of it.",
        )
    elif _as_it_hangs(mend, exhibit(number)):
        verdict = Verdict(room, None, AS_IT_HANGS)
    else:
        verdict = examine(EXHIBITS[number], mend)
    show(verdict)
    return verdict.passed


def _as_it_hangs(mend: Any, broken: Callable) -> bool:
    """Whether nobody changed the exhibit, which the notebook defines anew in a cell of its own."""
    return mend is broken or _written(mend) == _written(broken)


def _written(function: Any) -> str:
    """A function's code, without comments and line breaks; empty where nobody knows it."""
    try:
        return ast.dump(ast.parse(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):  # no file or cell, no function, a piece of a line
        return ""


def _function(number: int) -> str:
    if number not in EXHIBITS:
        raise StylelabError(f"room {number!r} of the museum: there are rooms 1 to {len(EXHIBITS)}")
    return EXHIBITS[number].signature.partition("(")[0]


_SOUND = mended  # exhibit's own argument bears the name of the module
