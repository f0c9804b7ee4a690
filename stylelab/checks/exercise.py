"""How an exercise is declared: its cases, what is right on each, and the mistakes that people make."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from stylelab.checks.comparing import Shortfall
from stylelab.checks.inputs import leaves
from stylelab.checks.running import SECONDS

SLOPES = 60  # entries of an input, at most, for which the gradient is measured by differences


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
    def differentiated(self) -> bool:
        """Whether its gradient is looked at: measuring it takes two calls of the reference an entry."""
        entries = sum(leaf.numel() for number in self.slopes for leaf in leaves(self.inputs[number]))
        return 0 < entries <= SLOPES

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
    or None if it is right. parts: the names of the values, where it returns several. keeps: the answer has
    the type and device of the first tensor that goes in. by_hand: autograd must not be asked for a gradient.
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
    parts: tuple[str, ...] = ()
    keeps: bool = True
    by_hand: bool = False
    answer: bool = False
    seconds: float = SECONDS
    praise: str = ""

    def expected(self, inputs: tuple) -> Any:
        """What is right for these inputs, by the reference."""
        if self.reference is None:
            raise TypeError(f"{self.name} has a judge, and no reference")
        return self.reference(*map(_array, inputs))


def _array(value: Any) -> Any:
    """Tensors as NumPy arrays, floats among them as float64; dicts, tuples and lists of them too."""
    if isinstance(value, Tensor):
        return value.detach().cpu().double().numpy() if value.is_floating_point() else value.numpy()
    if isinstance(value, dict):
        return {key: _array(part) for key, part in value.items()}
    return type(value)(map(_array, value)) if type(value) in (tuple, list) else value
