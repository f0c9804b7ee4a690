"""How an exercise is declared, and how an answer to it is examined.

An exercise knows its cases, from tiny to random, what is right on each (a reference of its own, or a judge
where more than one answer is right), and the mistakes that people make, each with an imitation of it. An
answer that fails is compared with the imitations: the one that does the same on every case names the mistake.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from stylelab.checks.comparing import Shortfall, alike, compare
from stylelab.checks.running import SECONDS, Run, leaves, probe, run
from stylelab.checks.verdicts import Verdict, show

SLOPES = 60  # entries of an input, at most, for which the gradient is measured by differences
STEP = 1e-5
READABLE = 1000  # numbers of an input; whoever reads a verdict learns nothing from sixteen of more


@dataclass(frozen=True)
class Case:
    """One call: its inputs, what is special about it in a few words, and how it is compared.

    slopes: the numbers of the inputs whose gradient must be right. smooth: False where the answer has a
    kink at these inputs; then the gradient only has to be finite. tolerance: instead of the exercise's.
    """

    inputs: tuple
    about: str = ""
    slopes: tuple[int, ...] = ()
    smooth: bool = True
    tolerance: float | None = None

    @property
    def size(self) -> int:
        """How many numbers it takes to write the inputs down."""
        return sum(leaf.numel() for leaf in leaves(self.inputs))


@dataclass(frozen=True)
class Mistake:
    """What is told to whoever does as `imitation` does: what is wrong, and where to look."""

    message: str
    imitation: Callable


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """One thing to write, and all that is needed to tell whether it is right.

    name: of the check. signature: as the learner writes it. task: what goes in and what comes out, with
    shapes and units. cases: smallest first. reference: from the inputs, as NumPy arrays of float64, to what
    is right; written without the package. judge: in its place, from the inputs and the answer to a Shortfall,
    or None if it is right. keeps: the answer has the type and device of the first tensor that goes in.
    answer: what is handed in is no function but the answer itself, which cases never call. praise: what
    to say when it is right.
    """

    name: str
    signature: str
    task: str
    cases: Callable[[], list[Case]] = field(default=lambda: [Case(())])
    reference: Callable | None = None
    judge: Callable[..., Shortfall | None] | None = None
    mistakes: tuple[Mistake, ...] = ()
    tolerance: float = 1e-4
    keeps: bool = True
    answer: bool = False
    seconds: float = SECONDS
    praise: str = ""


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
    blank = isinstance(answer, dict) and not any(answer.values())  # a form that nothing was written into
    if answer is None or answer is Ellipsis or answer is NotImplemented or blank:
        return _not_attempted(exercise)
    function = (lambda: answer) if exercise.answer else answer
    if not callable(function):
        return Verdict(
            exercise.name,
            False,
            f"Hand in the function itself, checks.{exercise.name}(your_function), not what it returns.",
        )
    cases, runs, shortfalls = exercise.cases(), [], []
    for case in cases:
        done = _run(exercise, function, case, limit)
        if done.kind == "unattempted" and not runs:
            return _not_attempted(exercise, done.printed)
        runs.append(done)
        shortfalls.append(_shortfall(exercise, case, done))
        if done.kind in ("endless", "printed", "called"):
            break
    wrong = [number for number, found in enumerate(shortfalls) if found]
    if not wrong:
        return Verdict(exercise.name, True, exercise.praise or _count(cases), printed=runs[0].printed)
    smallest = min(wrong, key=lambda number: cases[number].size)
    case, found = cases[smallest], shortfalls[smallest]
    message = _named_mistake(exercise, cases, runs, limit) or _common([shortfalls[n] for n in wrong], found)
    broken = runs[smallest].kind in ("endless", "printed", "called")
    return Verdict(
        exercise.name,
        False,
        message,
        inputs={} if broken or exercise.answer or case.size > READABLE else _inputs(exercise, case),
        expected=found.expected,
        yours=found.yours,
        what=found.what,
        about="" if broken else case.about,
        printed=runs[smallest].printed,
    )


def _common(shortfalls: list[Shortfall], smallest: Shortfall) -> str:
    """What all examples of more than one number say, if they agree; else what the smallest says."""
    sentences = {found.sentence for found in shortfalls if _count_of(found.expected) > 1}
    common = sentences.pop() if len(sentences) == 1 else ""
    return (common if common.startswith(("Every", "All")) else smallest.sentence) or "Not right yet."


def _count_of(value: Any) -> int:
    return value.numel() if isinstance(value, Tensor) else int(np.size(value))


def _not_attempted(exercise: Exercise, printed: str = "") -> Verdict:
    first = exercise.task.partition("\n\n")[0]
    message = f"Not attempted yet. Still to be written: {first[0].lower() + first[1:]}"
    return Verdict(exercise.name, None, message, printed=printed)


def _count(cases: list[Case]) -> str:
    return f"Right, on all {len(cases)} examples." if len(cases) > 1 else "Right."


def _run(exercise: Exercise, function: Callable, case: Case, seconds: float) -> Run:
    """The values come from a call of their own, so that no input asks for a gradient there."""
    done = run(function, case.inputs, (), seconds)
    if done.kind != "returned" or not _slopes(case):
        return done
    sloped = run(function, case.inputs, case.slopes, seconds)
    if sloped.kind != "returned":
        if sloped.kind == "raised":
            sentence = f"The values come out, but not the gradient. {sloped.sentence}"
            return Run("gradient", done.value, (), sentence, sloped.error, done.printed)
        return sloped
    return Run(value=done.value, gradients=sloped.gradients, printed=done.printed)


def _slopes(case: Case) -> bool:
    return (
        bool(case.slopes)
        and sum(leaf.numel() for n in case.slopes for leaf in leaves(case.inputs[n])) <= SLOPES
    )


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
            f"A {type(done.value).__name__} came back that cannot be looked at: {error}.", None, None
        )


def _judged(exercise: Exercise, case: Case, done: Run) -> Shortfall | None:
    if exercise.judge:
        return exercise.judge(*case.inputs, done.value)
    expected = _expected(exercise, case.inputs)
    like = next(iter(leaves(case.inputs)), None) if exercise.keeps else None
    tolerance = case.tolerance or exercise.tolerance
    if _slopes(case) and isinstance(expected, float):
        expected = torch.tensor(expected, dtype=torch.float64)
    found = compare(expected, done.value, tolerance, like)
    if found or not _slopes(case):
        return found
    if done.kind == "gradient":
        return Shortfall(done.sentence)
    return _wrong_slope(exercise, case, done)


def _wrong_slope(exercise: Exercise, case: Case, done: Run) -> Shortfall | None:
    if all(gradient is None for gradient in done.gradients):
        return Shortfall(
            "The values are right, but no gradient flows back to the input: is there a detach(), an item() "
            "or a no_grad() on the way?"
        )
    inputs = [leaf for number in case.slopes for leaf in leaves(case.inputs[number])]
    mine = [
        torch.zeros_like(leaf) if gradient is None else gradient
        for leaf, gradient in zip(inputs, done.gradients, strict=True)
    ]
    if not all(gradient.isfinite().all() for gradient in mine):
        worst = next(gradient for gradient in mine if not gradient.isfinite().all())
        return Shortfall(
            "The values are right, but the gradient is NaN or infinite here.", None, worst, "gradient"
        )
    if not case.smooth:
        return None
    for wanted, gradient in zip(_measured_slopes(exercise, case), mine, strict=True):
        if (gradient.double() - wanted).abs().max() > 1e-3 * wanted.abs().max() + 1e-5:
            sentence = "The values are right, the gradient that autograd finds is not."
            return Shortfall(sentence, wanted, gradient, "gradient")
    return None


def _measured_slopes(exercise: Exercise, case: Case) -> list[Tensor]:
    """The gradient of the reference by differences, a little up and a little down in each entry."""
    exact = [_double(value) for value in case.inputs]
    slopes = []
    for leaf in [leaf for number in case.slopes for leaf in leaves(exact[number])]:
        slope, entries = torch.zeros_like(leaf), leaf.view(-1)
        for place in range(leaf.numel()):
            sides = []
            for step in (STEP, -STEP):
                before = entries[place].item()
                entries[place] = before + step
                values = [_tensor(part) for part in _parts(_expected(exercise, tuple(exact)))]
                sides.append(sum((value * probe(value)).sum().item() for value in values))
                entries[place] = before
            slope.view(-1)[place] = (sides[0] - sides[1]) / (2 * STEP)
        slopes.append(slope)
    return slopes


def _named_mistake(exercise: Exercise, cases: list[Case], runs: list[Run], seconds: float) -> str:
    if runs[-1].kind in ("endless", "printed", "called"):
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
    if all(x is None for x in a.gradients) != all(y is None for y in b.gradients):
        return False
    for x, y in zip(a.gradients, b.gradients, strict=True):  # of one input among several, None is 0
        some = y if x is None else x
        if some is not None and not alike(
            *(torch.zeros_like(some) if s is None else s for s in (x, y)), 1e-3
        ):
            return False
    return True


def _expected(exercise: Exercise, inputs: tuple) -> Any:
    assert exercise.reference, f"{exercise.name} has neither reference nor judge"
    return exercise.reference(*map(_array, inputs))


def _array(value: Any) -> Any:
    """Tensors as NumPy arrays, floats among them as float64; dicts, tuples and lists of them too."""
    if isinstance(value, Tensor):
        return value.detach().cpu().double().numpy() if value.is_floating_point() else value.numpy()
    if isinstance(value, dict):
        return {key: _array(part) for key, part in value.items()}
    return type(value)(map(_array, value)) if type(value) in (tuple, list) else value


def _double(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.detach().double().clone().contiguous() if value.is_floating_point() else value
    if isinstance(value, dict):
        return {key: _double(part) for key, part in value.items()}
    return type(value)(map(_double, value)) if type(value) in (tuple, list) else value


def _parts(value: Any) -> list:
    if isinstance(value, dict):
        return [part for inner in value.values() for part in _parts(inner)]
    return [part for inner in value for part in _parts(inner)] if isinstance(value, tuple | list) else [value]


def _tensor(value: Any) -> Tensor:
    return torch.from_numpy(np.asarray(value, dtype=np.float64))


def _inputs(exercise: Exercise, case: Case) -> dict[str, Any]:
    names = exercise.signature.partition("(")[2].rpartition(")")[0].split(", ")
    return dict(zip(names, case.inputs, strict=False))
