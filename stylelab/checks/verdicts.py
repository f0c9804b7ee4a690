"""What a check says: a mark, one or two sentences, and the smallest example as a little table."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np
import torch
from torch import Tensor

MOST = 4  # rows and columns of numbers that are shown
MARKS = {True: "✓", False: "✗", None: "○"}
SPOKEN = {True: "right", False: "not right yet", None: "not attempted"}
Rows = list[list[str]]


@dataclass(frozen=True, repr=False)
class Verdict:
    """What was found. It displays itself, as HTML in a notebook and as text elsewhere.

    name: of the exercise. outcome: True, False, or None if not attempted. message: the mistake, and where to
    look. inputs: by name; expected, yours: at the smallest example where it shows. what: the two are of, if
    not of the answer itself: "gradient". about: that example in words. printed: by the learner's function.
    """

    name: str
    outcome: bool | None
    message: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    expected: Any = None
    yours: Any = None
    what: str = ""
    about: str = ""
    printed: str = ""

    @property
    def passed(self) -> bool:
        """Whether the answer is right."""
        return self.outcome is True

    def __repr__(self) -> str:
        lines = [f"{MARKS[self.outcome]} {self.name}: {self.message}"]
        width = max((len(label) for label, _, _ in self._table()), default=0)
        if self._table() and self.about:
            lines.append(f"    Example: {self.about}.")
        for label, kind, rows in self._table():
            head = f"    {label:{width}}  {kind}"
            if len(rows) == 1 or not kind:
                text = "  ".join(rows[0]) if rows else ""
                lines.append(f"{head}{': ' if kind and text else ''}{text}")
            else:
                lines += [head, *("      " + "  ".join(row) for row in rows)]
        if self.printed:
            lines += ["    it printed", *("      " + line for line in self.printed.splitlines())]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        mark = f'<span role="img" aria-label="{SPOKEN[self.outcome]}">{MARKS[self.outcome]}</span>'
        parts = [f"<p>{mark} <b>{escape(self.name)}</b> {_code(self.message)}</p>"]
        table = self._table()
        if table:
            top = ' style="text-align: left; vertical-align: top"'
            heads = "".join(
                f"<th{top}>{escape(label)}<br><small>{escape(kind)}</small></th>" for label, kind, _ in table
            )
            cells = "".join(f"<td{top}>{_grid(rows)}</td>" for _, _, rows in table)
            caption = f"<p>Example: {escape(self.about)}.</p>" if self.about else ""
            parts.append(f"{caption}<table><tr>{heads}</tr><tr>{cells}</tr></table>")
        if self.printed:
            wrapped = 'style="white-space: pre-wrap"'
            parts.append(f"<p>It printed:</p><pre {wrapped}>{escape(self.printed)}</pre>")
        return "".join(parts)

    def _table(self) -> list[tuple[str, str, Rows]]:
        """(label, kind and shape, rows of numbers) of the inputs, of what was expected, and of the answer."""
        if self.outcome is not False or (self.expected is None and self.yours is None and not self.inputs):
            return []
        rows = [(name, *_written(value, None)) for name, value in self.inputs.items()]
        worst = _worst(self.expected, self.yours)
        pair = ("expected", self.expected), ("your" if self.what else "yours", self.yours)
        # Three figures, unless the two would look the same.
        alike = _written(self.expected, worst) == _written(self.yours, worst)
        return rows + [
            (f"{label} {self.what}".strip(), *_written(value, worst, 7 if alike else 3))
            for label, value in pair
            if value is not None
        ]


def show(verdict: Verdict) -> None:
    """Display it in a notebook, print it elsewhere."""
    interactive = sys.modules.get("IPython")
    shell = interactive.get_ipython() if interactive else None
    if getattr(shell, "kernel", None):
        from IPython.display import display

        display(verdict)
    else:
        print(verdict)


def _written(value: Any, at: tuple[int, ...] | None, figures: int = 3) -> tuple[str, Rows]:
    """A value in brief: its kind and shape, and at most 4 × 4 of its numbers, those about `at` first."""
    if isinstance(value, np.ndarray):
        value = torch.from_numpy(value)
    if isinstance(value, Tensor):
        return _tensor(value, at, figures)
    if isinstance(value, Mapping):
        rows = [[f"{key}: {_brief(part)}"] for key, part in list(value.items())[:MOST]]
        return "dict", rows + ([["…"]] if len(value) > MOST else [])
    if isinstance(value, bool | str):
        return "", [[str(value)]]
    if isinstance(value, int | float | np.number):
        return "", [[_figures(float(value), figures)]]
    if isinstance(value, tuple | list | set):
        parts = list(value)
        return "", [[_brief(part) for part in parts[:MOST]] + (["…"] if len(parts) > MOST else [])]
    return "", [[_brief(value)]]


def _tensor(value: Tensor, at: tuple[int, ...] | None, figures: int) -> tuple[str, Rows]:
    kind = str(tuple(value.shape)).replace(",)", ")") if value.ndim else ""
    if value.dtype not in (torch.float32, torch.float64):
        kind += f" {str(value.dtype).removeprefix('torch.')}"
    if not value.numel():
        return kind, []
    numbers = value.detach().cpu().double()
    if numbers.ndim > 2 and numbers.numel() <= MOST**2 and numbers.shape[-1] <= MOST:
        numbers, at = numbers.reshape(-1, numbers.shape[-1]), None  # small enough to be shown whole
        return kind, [[_figures(entry, figures) for entry in row] for row in numbers.tolist()]
    at = at if at is not None and len(at) == numbers.ndim else (0,) * numbers.ndim
    lead = at[:-2]
    if lead:
        numbers = numbers[lead]
    if any(size > 1 for size in value.shape[:-2]):
        kind += f", at [{', '.join(map(str, lead))}]"
    while numbers.ndim < 2:
        numbers, at = numbers[None], (0, *at)
    starts = [
        min(max(0, place - MOST // 2), max(0, size - MOST))
        for place, size in zip(at[-2:], numbers.shape, strict=True)
    ]
    if any(starts):
        kind += f", from row {starts[0]}, column {starts[1]}"
    window = numbers[starts[0] : starts[0] + MOST, starts[1] : starts[1] + MOST]
    rows = [[_figures(entry, figures) for entry in row] for row in window.tolist()]
    if numbers.shape[1] > starts[1] + MOST:
        rows = [[*row, "…"] for row in rows]
    if numbers.shape[0] > starts[0] + MOST:
        rows.append(["…"])
    return kind, rows


def _worst(expected: Any, yours: Any) -> tuple[int, ...] | None:
    """Where two tensors of one shape differ most."""
    if isinstance(expected, np.ndarray):
        expected = torch.from_numpy(expected)
    if not (isinstance(expected, Tensor) and isinstance(yours, Tensor)) or expected.shape != yours.shape:
        return None
    if not expected.numel() or not expected.ndim:
        return None
    apart = (yours.detach().cpu().double() - expected.double()).abs().nan_to_num(torch.inf)
    return tuple(int(place) for place in np.unravel_index(int(apart.argmax()), tuple(expected.shape)))


def _figures(number: float, figures: int) -> str:
    return f"{int(number)}" if abs(number) < 1e15 and number == int(number) else f"{number:.{figures}g}"


def _brief(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"tensor {tuple(value.shape)}"
    if isinstance(value, torch.nn.Sequential):
        return " → ".join(type(layer).__name__ for layer in value)
    if callable(value):
        return getattr(value, "__name__", type(value).__name__)
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"


def _code(text: str) -> str:
    """Escaped, with what stands between backquotes as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts))


def _grid(rows: Rows) -> str:
    cell = ' style="text-align: right; padding: 1px 6px"'
    lines = ("".join(f"<td{cell}>{escape(text)}</td>" for text in row) for row in rows)
    return "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"
