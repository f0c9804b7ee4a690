"""A learner's function, run so that nothing it does can hurt: whatever happens comes back as one sentence.

The function gets copies of its inputs, a thread of its own and a time limit. What it prints is kept back, and
the random numbers it draws are the same each time and nobody else's.
"""

import ast
import contextlib
import ctypes
import inspect
import io
import linecache
import textwrap
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from stylelab.checks.inputs import copied, leaves, probe, untouched

SECONDS = 5.0  # for one case
LINES = 1000  # printed for one case
SHOWN = 5  # lines of what was printed that a verdict repeats
SEED = 20260  # of what the function draws; no case is drawn with it
BY_HAND = (
    "Autograd finds this gradient for you; here the formula itself is asked for, without backward() and "
    "autograd.grad()."
)
UNRETURNED = "It returns None: the last line computes something, but does not `return` it."
STACK = 64 << 20  # bytes: endless recursion through torch must meet Python's limit before the system's


class Stopped(BaseException):
    """Raised inside the learner's thread to end it; no Exception, so that `except Exception` lets it pass."""


@dataclass(frozen=True)
class Run:
    """What became of one call.

    kind: "returned", or why not: "unattempted", "raised", "endless", "printed" (too much), "changed" (an
    input was written to), "gradient" (it cannot be differentiated), "autograd" (it was asked, and must not
    be), "called" (wrongly). value: what was
    returned. gradients: of the inputs asked for, None where none arrived. sentence: what to tell, unless it
    returned. error: the name of the exception. printed: the first lines of what was printed.
    """

    kind: str = "returned"
    value: Any = None
    gradients: tuple[Tensor | None, ...] = ()
    sentence: str = ""
    error: str = ""
    printed: str = ""


def run(
    function: Callable,
    inputs: tuple,
    differentiate: tuple[int, ...] = (),
    seconds: float = SECONDS,
    by_hand: bool = False,
) -> Run:
    """One call of `function` on copies of `inputs`, as a Run; it never raises what the function raises.

    differentiate: the numbers of the inputs whose gradients are wanted, of the returned tensors' sum with
    the weights of `probe`. seconds: after that long the call is ended. by_hand: it is noticed whether
    autograd is asked for a gradient.
    """
    wrongly = _called_wrongly(function, inputs)
    if wrongly:
        return Run("called", sentence=wrongly)
    given = tuple(copied(value, number in differentiate) for number, value in enumerate(inputs))
    paper, box = _Paper(), []
    worker = threading.Thread(
        target=lambda: box.append(_call(function, given, differentiate, by_hand)),
        daemon=True,
        name="stylelab-check",
    )
    with contextlib.redirect_stdout(paper), contextlib.redirect_stderr(paper):
        before = threading.stack_size(STACK)
        try:
            worker.start()
        finally:
            threading.stack_size(before)
        try:
            worker.join(seconds)
        finally:  # also if the reader interrupts the cell
            ended = not worker.is_alive() or _stop(worker)
    printed = paper.head()
    if not box or box[0].kind == "stopped":
        sentence = (
            f"It had not finished after {seconds:g} seconds and was stopped: is there a loop that never ends?"
        )
        if not ended:
            sentence += (
                " It could not be ended and goes on in the background; restart the kernel to be rid of it."
            )
        return Run("endless", sentence=sentence, printed=printed)
    done = box[0]
    nothing = done.kind == "unattempted" or done.sentence == UNRETURNED
    if nothing and printed and _unreturned(function):
        sentence = "It prints, and returns nothing: hand the result back with `return`."
        return Run("raised", sentence=sentence, printed=printed)
    if done.kind == "returned":
        for number, (before_it, after) in enumerate(zip(inputs, given, strict=True)):
            if not untouched(before_it, after):
                name = _argument(function, number)
                sentence = (
                    f"It changes {name} itself, for everybody who uses it. Leave it as it is; where a layer "
                    "writes in place, keep a copy of its map (clone)."
                    if isinstance(after, nn.Module)
                    else f"It changes {name} in place: whoever passed it in would find other numbers in it. "
                    "Work on a copy (clone), or write the operation without the underscore; `*=` and `-=` "
                    "write in place too."
                )
                return Run("changed", done.value, sentence=sentence, printed=printed)
    return Run(done.kind, done.value, done.gradients, done.sentence, done.error, printed)


def _call(function: Callable, inputs: tuple, differentiate: tuple[int, ...], by_hand: bool = False) -> Run:
    watch = _Autograd()
    try:
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(SEED)
            with watch if by_hand else contextlib.nullcontext():
                value = function(*inputs)
            if watch.asked:
                return Run("autograd", value, sentence=BY_HAND)
            if value is None or value is Ellipsis or value is NotImplemented:
                return _unwritten(function)
            if not differentiate:
                return Run(value=value)
            wanted = [leaf for number in differentiate for leaf in leaves(inputs[number])]
            flowing = [leaf for leaf in leaves(value) if leaf.requires_grad]
            if not flowing:
                return Run(value=value, gradients=(None,) * len(wanted))
            total = torch.stack([(leaf * probe(leaf)).sum() for leaf in flowing]).sum()
            return Run(value=value, gradients=torch.autograd.grad(total, wanted, allow_unused=True))
    except Stopped:
        return Run("stopped")
    except _TooMuch:
        return Run(
            "printed", sentence=f"It prints more than {LINES:,} lines: take the print out of the loop."
        )
    except NotImplementedError as error:
        return Run("unattempted") if not str(error) else _raised(function, error)
    except BaseException as error:  # sys.exit() and KeyboardInterrupt too: all of it is the learner's
        if "ellipsis" in str(error):
            return Run("unattempted")
        return _raised(function, error)


def _raised(function: Callable, error: BaseException) -> Run:
    kind, where = type(error).__name__, _line(function, error)
    if isinstance(error, SystemExit):
        sentence = f"It ends the program{where}; a function hands its result back with `return`."
    elif isinstance(error, RecursionError):
        sentence = f"It calls itself without end{where}."
    elif "NoneType" in str(error) and _last_file(error).endswith("lbfgs.py"):
        sentence = f"The closure returns None{where}, and L-BFGS wants the loss from it: `return value`."
    elif "leaf Variable that requires grad" in str(error) and "in-place" in str(error):
        sentence = f"It writes into its input{where}; autograd forbids that, so make a new tensor instead."
    else:
        text = " ".join(str(error).split())
        text = text if len(text) <= 200 else text[:199] + "…"
        sentence = f"It stopped{where}: {kind}{': ' + text.rstrip('.') if text else ''}."
    return Run("raised", sentence=sentence, error=kind)


def _line(function: Callable, error: BaseException) -> str:
    """Where in the learner's own code it happened, with that line of it."""
    file, trace, last = (
        getattr(getattr(function, "__code__", None), "co_filename", None),
        error.__traceback__,
        None,
    )
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            last = trace.tb_lineno
        trace = trace.tb_next
    if file is None or last is None:
        return ""
    text = linecache.getline(file, last).strip()
    return f" at line {last}" + (f", `{text}`" if text else "")


def _last_file(error: BaseException) -> str:
    """Where it was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    return frames[-1].filename if frames else ""


def _unwritten(function: Callable) -> Run:
    """None came back: nothing was written yet, or everything but the `return`."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return Run("unattempted")
    body = tree.body[0].body if isinstance(tree.body[0], ast.FunctionDef) else []
    written = [node for node in body if not isinstance(node, ast.Pass) and not _constant(node)]
    if not written or any(isinstance(node, ast.Return) for node in ast.walk(tree)):
        return Run("unattempted")
    return Run("raised", sentence=UNRETURNED)


def _unreturned(function: Callable) -> bool:
    """Whether there is no `return` in it, as far as its source can be had."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return True
    return not any(isinstance(node, ast.Return) for node in ast.walk(tree))


class _Autograd(TorchFunctionMode):
    """Notices, in its own thread, that autograd is asked for a gradient."""

    asked = False

    def __torch_function__(self, func, types, args=(), kwargs=None):
        self.asked = self.asked or getattr(func, "__name__", "") in ("backward", "grad", "_make_dual")
        return func(*args, **(kwargs or {}))


def _constant(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _called_wrongly(function: Callable, inputs: tuple) -> str:
    try:
        signature = inspect.signature(function)
        signature.bind(*inputs)
    except TypeError:
        return f"yours takes {signature}."
    except ValueError:  # a function of C has no signature to look at
        return ""
    return ""


def _argument(function: Callable, number: int) -> str:
    try:
        return list(inspect.signature(function).parameters)[number]
    except (ValueError, IndexError):
        return "its input"


def _stop(worker: threading.Thread) -> bool:
    """Raise Stopped in the thread until it ends, for a second; whether it did.

    PyThreadState_SetAsyncExc works wherever CPython does; signals do not, and not outside the main thread.
    A call that stays inside C (time.sleep, one huge product) hears of it only when it returns.
    """
    for _ in range(20):
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(worker.ident or 0), ctypes.py_object(Stopped)
        )
        worker.join(0.05)
        if not worker.is_alive():
            return True
    return False


class _TooMuch(BaseException):
    pass


class _Paper(io.TextIOBase):
    """Standard output with an end to it."""

    def __init__(self) -> None:
        self.text, self.lines = io.StringIO(), 0

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.lines += text.count("\n")
        if self.lines > LINES or self.text.tell() > 100 * LINES:
            if threading.current_thread().name == "stylelab-check":
                raise _TooMuch
        else:
            self.text.write(text)
        return len(text)

    def head(self) -> str:
        """The first lines, and how many more there are."""
        lines = self.text.getvalue().rstrip("\n").splitlines()
        more = [f"… and {len(lines) - SHOWN} more lines"] if len(lines) > SHOWN else []
        return "\n".join([line[:200] for line in lines[:SHOWN]] + more)
