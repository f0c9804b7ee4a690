"""How an answer to an exercise is examined.

An answer that fails is compared with the imitations of the exercise's known mistakes: the one that does the
same on every case names the mistake. Any other is told what all its wrong results have in common, or what the
smallest of them shows.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from stylelab.checks.comparing import Shortfall, alike, compare, named
from stylelab.checks.derivatives import wrong_slope
from stylelab.checks.exercise import Case, Exercise
from stylelab.checks.inputs import leaves
from stylelab.checks.running import Run, run
from stylelab.checks.verdicts import Verdict, show

FATAL = ("endless", "printed", "called", "autograd")  # no other case is tried then
READABLE = 1000  # numbers of an input; whoever reads a verdict learns nothing from sixteen of more


def checker(exercise: Exercise) -> Callable[[Any], bool]:
    """The public function of an exercise: takes an answer, shows the verdict, returns whether it is right."""

    def check(answer: Any) -> bool:
        verdict = examine(exercise, answer)
        show(verdict)
        return verdict.passed

    handed_in = "your answer" if exercise.answer else "your function, without brackets"
    check.__name__ = check.__qualname__ = exercise.name
    check.__module__ = "stylelab.checks"
    check.__doc__ = (
        f"Check {exercise.signature}.\n\n{exercise.task}\n\n"
        f"answer: {handed_in}. Shows a verdict: what is wrong, on the smallest example where it shows.\n"
        "Returns True if it is right, False if it is not, or not attempted."
    )
    check.exercise = exercise  # type: ignore[attr-defined]
    return check


def examine(exercise: Exercise, answer: Any, seconds: float | None = None) -> Verdict:
    """The verdict on an answer; nothing is shown. seconds: for each case, instead of the exercise's own."""
    limit = seconds or exercise.seconds
    blank = isinstance(answer, dict) and not any(map(_said, answer.values()))  # nothing was written into it
    if answer is None or answer is Ellipsis or answer is NotImplemented or blank:
        return _not_attempted(exercise)
    function = (lambda: answer) if exercise.answer else answer
    if not callable(function):
        return Verdict(
            exercise.name,
            False,
            f"Hand in the function itself, checks.{exercise.name}(your_function), not what it returns.",
        )
    cases = exercise.cases()
    runs: list[Run] = []
    wrong: list[tuple[Case, Run, Shortfall]] = []
    for case in cases:
        done = _run(exercise, function, case, limit)
        if done.kind == "unattempted" and not runs:
            return _not_attempted(exercise, done.printed)
        runs.append(done)
        found = _shortfall(exercise, case, done)
        if found:
            wrong.append((case, done, found))
        if done.kind in FATAL:
            break
    if not wrong:
        praise = exercise.praise or (f"Right, on all {len(cases)} examples." if len(cases) > 1 else "Right.")
        return Verdict(exercise.name, True, praise, printed=runs[0].printed)
    # A gradient is worth a word only where all values are right.
    case, done, found = min(wrong, key=lambda one: (one[2].what == "gradient", one[0].size))
    message = _named_mistake(exercise, cases, runs, limit) or _common([f for _, _, f in wrong], found)
    shown = not (done.kind in FATAL or exercise.answer or case.size > READABLE)
    return Verdict(
        exercise.name,
        False,
        message,
        inputs=_inputs(exercise, case) if shown else {},
        expected=found.expected,
        yours=found.yours,
        what=found.what,
        about="" if done.kind in FATAL else case.about,
        printed=done.printed,
    )


def _common(shortfalls: list[Shortfall], smallest: Shortfall) -> str:
    """What all examples of more than one number, not 0, say, if they agree; else what the smallest says."""
    sentences = {found.sentence for found in shortfalls if _count_of(found.expected) > 1}
    common = sentences.pop() if len(sentences) == 1 else ""
    return (common if common.startswith(("Every", "All")) else smallest.sentence) or "Not right yet."


def _count_of(value: Any) -> int:
    return int(value.count_nonzero() if isinstance(value, Tensor) else np.count_nonzero(value))


def _said(value: Any) -> bool:
    return value is not None and value is not Ellipsis and not (isinstance(value, str) and not value)


def _not_attempted(exercise: Exercise, printed: str = "") -> Verdict:
    first = exercise.task.partition("\n\n")[0]
    message = f"Not attempted yet. Still to be written: {first[0].lower() + first[1:]}"
    return Verdict(exercise.name, None, message, printed=printed)


def _run(exercise: Exercise, function: Callable, case: Case, seconds: float) -> Run:
    """The values come from a call of their own, so that no input asks for a gradient there."""
    done = run(function, case.inputs, (), seconds, exercise.by_hand)
    if done.kind != "returned" or not case.differentiated:
        return done
    sloped = run(function, case.inputs, case.slopes, seconds)
    if sloped.kind != "returned":
        if sloped.kind == "raised":
            sentence = f"The values come out, but not the gradient. {sloped.sentence}"
            return Run("gradient", done.value, (), sentence, sloped.error, done.printed)
        return sloped
    return Run(value=done.value, gradients=sloped.gradients, printed=done.printed)


def _shortfall(exercise: Exercise, case: Case, done: Run) -> Shortfall | None:
    if done.kind == "unattempted":
        return Shortfall("It returns None here: is a `return` missing in one of its branches?")
    if done.kind == "called":
        return Shortfall(f"It is called as {exercise.signature}, and {done.sentence}")
    if done.kind not in ("returned", "gradient"):
        return Shortfall(done.sentence)
    try:
        return _judged(exercise, case, done)
    except (TypeError, ValueError, RuntimeError, AttributeError) as error:  # an answer like nothing foreseen
        return Shortfall(
            f"{named(done.value).capitalize()} came back that cannot be looked at: {error}.", None, None
        )


def _judged(exercise: Exercise, case: Case, done: Run) -> Shortfall | None:
    if exercise.judge:
        return exercise.judge(*case.inputs, done.value)
    expected = exercise.expected(case.inputs)
    like = next(iter(leaves(case.inputs)), None) if exercise.keeps else None
    tolerance = case.tolerance or exercise.tolerance
    if case.differentiated and isinstance(expected, float):
        expected = torch.tensor(expected, dtype=torch.float64)
    if case.differentiated and isinstance(done.value, int | float) and isinstance(expected, Tensor):
        return Shortfall(
            "It returns a Python number, through which no gradient flows back: return the tensor itself, "
            "without item() or float().",
            what="gradient",
        )
    found = compare(expected, done.value, tolerance, like, parts=exercise.parts)
    if found or not case.differentiated:
        return found
    if done.kind == "gradient":
        return Shortfall(done.sentence, what="gradient")
    return wrong_slope(exercise, case, done.gradients)


def _named_mistake(exercise: Exercise, cases: list[Case], runs: list[Run], seconds: float) -> str:
    if runs[-1].kind in FATAL:
        return ""
    for mistake in exercise.mistakes:
        if all(
            _same(done, _run(exercise, mistake.imitation, case, seconds), case.tolerance or 1e-4)
            for case, done in zip(cases, runs, strict=True)
        ):
            return mistake.message
    return ""


def _same(a: Run, b: Run, tolerance: float) -> bool:
    if a.kind != b.kind or a.error != b.error:
        return False
    if (a.value is None) != (b.value is None) or not alike(a.value, b.value, tolerance):
        return False
    if a.gradients and isinstance(a.value, Tensor) != isinstance(b.value, Tensor):
        return False  # a number in place of a tensor is a mistake of its own
    if all(x is None for x in a.gradients) != all(y is None for y in b.gradients):
        return False
    for x, y in zip(a.gradients, b.gradients, strict=True):  # of one input among several, None is 0
        some = y if x is None else x
        if some is None:
            continue
        nothing = torch.zeros_like(some)
        if not alike(nothing if x is None else x, nothing if y is None else y, 1e-3):
            return False
    return True


def _inputs(exercise: Exercise, case: Case) -> dict[str, Any]:
    """By name; of a function there is nothing to see: the case says in words what it does."""
    names = exercise.signature.partition("(")[2].rpartition(")")[0].split(", ")
    return {
        name: value
        for name, value in zip(names, case.inputs, strict=False)
        if isinstance(value, torch.nn.Module) or not callable(value)
    }
