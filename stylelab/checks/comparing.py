"""Is it what was expected? If not: one sentence on what is different in kind, or how the numbers differ."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

NEARLY = 2e-3  # of the largest number
EXACTLY = "Rounded constants or float16 may do that: compute from the formula, in float32."


class Shortfall(NamedTuple):
    """One thing that is wrong with an answer: a sentence, and the two values to be shown beside it.

    expected and yours: tensors, numbers or texts; None where there is nothing to show. what: they are of,
    if not of the answer itself: "gradient".
    """

    sentence: str
    expected: Any = None
    yours: Any = None
    what: str = ""


def compare(
    expected: Any,
    yours: Any,
    tolerance: float,
    like: Tensor | None = None,
    name: str = "",
    parts: tuple[str, ...] = (),
) -> Shortfall | None:
    """None if `yours` is `expected`; else the first thing that is different.

    expected: an array or tensor of float64 (any float type will do unless `like` is given), of integers or
    bools (then the same numbers), a number, a bool, a text, or a dict, tuple or list of such. tolerance: of
    numbers, relative to the largest expected one. like: the input whose type and device the answer keeps.
    name: what it is called within a larger answer: "value 2", "relu1_1". parts: what the values of a tuple or
    list are called, in place of their numbers.
    """
    it = name or "it"
    if isinstance(expected, Mapping):
        return _compare_mapping(expected, yours, tolerance, like)
    if isinstance(expected, tuple | list):
        return _compare_sequence(expected, yours, tolerance, like, parts)
    if isinstance(expected, np.ndarray):
        expected = torch.from_numpy(np.array(expected))
    if isinstance(expected, Tensor):
        return _compare_tensor(expected, yours, tolerance, like, it)
    if isinstance(expected, str):
        return None if yours == expected else Shortfall(f"Not the right {it}.", expected, yours)
    return _compare_number(expected, yours, tolerance, it)


def alike(a: Any, b: Any, tolerance: float = 1e-4) -> bool:
    """Whether two answers are the same in kind and, up to rounding, in numbers; NaN equals NaN."""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return set(a) == set(b) and all(alike(a[key], b[key], tolerance) for key in a)
    if isinstance(a, tuple | list) and isinstance(b, tuple | list):
        return len(a) == len(b) and all(alike(x, y, tolerance) for x, y in zip(a, b, strict=True))
    one, other = _number(a), _number(b)
    if one is not None and other is not None:
        if not (math.isfinite(one) and math.isfinite(other)):
            return str(one) == str(other)
        return abs(one - other) <= tolerance * max(1e-3, abs(one))
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        if a.shape != b.shape or a.device != b.device or a.device.type == "meta":
            return a.shape == b.shape and a.device == b.device
        a, b = a.detach().double(), b.detach().double()
        room = tolerance * max(1e-3, a.nan_to_num(0, 0, 0).abs().max().item() if a.numel() else 0.0)
        return torch.allclose(a, b, rtol=0, atol=room, equal_nan=True)
    return type(a) is type(b) and bool(a == b)


def _compare_tensor(
    expected: Tensor, yours: Any, tolerance: float, like: Tensor | None, it: str
) -> Shortfall | None:
    shape = tuple(expected.shape)
    if not isinstance(yours, Tensor):
        if isinstance(yours, np.ndarray):
            kind = "a NumPy array; stay with tensors: through NumPy no gradient flows"
        elif _number(yours) is not None:
            kind = "a Python number; return the tensor itself, without item() or float()"
        else:
            kind = f"{named(yours)}; expected a tensor of shape {shape}"
        return Shortfall(f"{it.capitalize()} returns {kind}." if it == "it" else f"{it} is {kind}.")
    if tuple(yours.shape) != shape:
        return Shortfall(
            f"The shape{'' if it == 'it' else ' of ' + it} should be {shape}, and yours is "
            f"{tuple(yours.shape)}.",
            expected,
            yours if yours.device.type != "meta" else None,
        )
    if like is not None and yours.device != like.device:
        return Shortfall(
            f"The answer is on the device {yours.device}, the input on {like.device}: make new tensors with "
            "the input's own methods, such as features.new_zeros(…)."
        )
    whole = not expected.is_floating_point()
    if whole != (not yours.is_floating_point()) or (
        like is not None and not whole and yours.dtype != like.dtype
    ):
        wanted = "whole numbers (int64)" if whole else str((like if like is not None else expected).dtype)
        return Shortfall(
            f"The numbers are {_dtype(yours)}, and should be {wanted.removeprefix('torch.')}, as the "
            f"{'positions of something' if whole else 'input'} {'are' if whole else 'is'}."
        )
    values, truth = yours.detach().cpu().double(), expected.double()
    if not values.isfinite().all():
        kind = "NaN (not a number)" if values.isnan().any() else "infinite"
        return Shortfall(f"Some of the numbers{_of(it)} are {kind}.", expected, yours)
    if not truth.numel() or (values - truth).abs().max() <= _room(truth, tolerance):
        return None
    return Shortfall((_pattern_of_whole if whole else _pattern)(truth, values, it), expected, yours)


def _compare_number(expected: Any, yours: Any, tolerance: float, it: str) -> Shortfall | None:
    value = _number(yours)
    if value is None:
        wanted = "True or False" if isinstance(expected, bool) else "one number"
        shape = f" of shape {tuple(yours.shape)}" if isinstance(yours, Tensor | np.ndarray) else ""
        return Shortfall(
            f"{'It returns' if it == 'it' else it + ' is'} {named(yours)}{shape}; expected {wanted}."
        )
    if isinstance(expected, bool):
        return None if bool(value) == expected else Shortfall("", str(expected), str(bool(value)))
    if not math.isfinite(value):
        kind = "NaN (not a number)" if math.isnan(value) else "infinite"
        return Shortfall(f"The number{_of(it)} is {kind}.", expected, value)
    if abs(value - expected) <= tolerance * abs(expected) + 1e-6:
        return None
    return Shortfall(_pattern(torch.tensor([float(expected)]), torch.tensor([value]), it), expected, value)


def _compare_mapping(
    expected: Mapping, yours: Any, tolerance: float, like: Tensor | None
) -> Shortfall | None:
    if not isinstance(yours, Mapping):
        return Shortfall(f"It returns {named(yours)}; expected a dict with the keys {_listed(expected)}.")
    if set(yours) != set(expected):
        return Shortfall(
            f"The dict should have the keys {_listed(expected)}, and yours has {_listed(yours)}."
        )
    for key, value in expected.items():
        found = compare(value, yours[key], tolerance, like, name=str(key))
        if found:
            return found
    return None


def _compare_sequence(
    expected, yours: Any, tolerance: float, like: Tensor | None, parts: tuple[str, ...]
) -> Shortfall | None:
    if not isinstance(yours, tuple | list):
        several = ", ".join(parts) or f"{len(expected)} values, in this order"
        return Shortfall(f"It returns {named(yours)}; expected {several}.")
    if len(yours) != len(expected):
        return Shortfall(f"It should return {len(expected)} values, and yours are {len(yours)}.")
    for place, (value, mine) in enumerate(zip(expected, yours, strict=True)):
        name = parts[place] if parts else f"value {place + 1}"
        found = compare(value, mine, tolerance, like, name=name)
        if found:
            return found
    return None


def _pattern_of_whole(expected: Tensor, yours: Tensor, it: str) -> str:
    """Of indices: their size says nothing, so a factor or an offset would be chance."""
    if expected.numel() > 1 and not yours.any():
        return f"All numbers{_of(it)} are 0."
    wrong = int((expected != yours).sum())
    of = f" of the {expected.numel()}" if expected.numel() > 1 else ""
    return (
        f"{wrong}{of} number{'s' if wrong > 1 or of else ''}{_of(it)} {'are' if wrong > 1 else 'is'} wrong."
    )


def _pattern(expected: Tensor, yours: Tensor, it: str) -> str:
    """What all wrong numbers have in common, if anything."""
    tail = _of(it)
    apart = (yours - expected).abs().max().item()
    nearly = 0 < apart <= NEARLY * expected.abs().max().item()
    if expected.numel() == 1:
        opposite = (yours + expected).abs().item() <= _room(expected, 1e-3)
        if nearly:
            return f"The number{tail} is nearly right, and off by {apart:.1g}. {EXACTLY}"
        return f"The number{tail} {'has the wrong sign' if opposite else 'is different'}."
    safe = expected.abs() > 1e-3 * expected.abs().max()
    if safe.sum() > 1:  # one number has a factor by chance
        ratio = (yours[safe] / expected[safe]).median()
        if (
            ratio != 0
            and f"{ratio.item():.4g}" != "1"
            and (yours - ratio * expected).abs().max() <= _room(ratio * expected, 1e-3)
        ):
            if abs(ratio + 1) < 1e-3:
                return f"Every number{tail} has the wrong sign."
            return f"Every number{tail} is {ratio.item():.4g} times what it should be."
    offset = (yours - expected).median()
    if (yours - expected - offset).abs().max() <= 1e-3 * offset.abs():
        return f"Every number{tail} is off by {offset.item():+.4g}."
    if nearly:
        return f"The numbers{tail} are nearly right, and off by up to {apart:.1g}. {EXACTLY}"
    square = expected.ndim > 1 and expected.shape[-1] == expected.shape[-2]
    if square and (yours.mT - expected).abs().max() <= _room(expected, 1e-3):
        return f"The numbers{tail} are right, but rows and columns are exchanged."
    if not yours.any():
        return f"All numbers{tail} are 0."
    if (yours - expected.clamp(0, 1)).abs().max() <= 1e-5:
        return f"The numbers{tail} were clipped to [0, 1]."
    return f"The numbers{tail} are different."


def _room(expected: Tensor, tolerance: float) -> float:
    return tolerance * expected.abs().max().item() + 1e-6


def _of(it: str) -> str:
    return "" if it == "it" else f" of {it}"


def _number(value: Any) -> float | None:
    if isinstance(value, Tensor | np.ndarray | np.generic):
        return float(value) if value.ndim == 0 and str(getattr(value, "device", "cpu")) != "meta" else None
    return float(value) if isinstance(value, int | float) else None


def named(value: Any) -> str:
    """What kind of thing it is: "a list", "an int"."""
    kind = type(value).__name__
    return f"{'an' if kind[:1].lower() in 'aeiou' else 'a'} {kind}"


def _dtype(value: Tensor) -> str:
    return str(value.dtype).removeprefix("torch.")


def _listed(keys) -> str:
    texts = [str(key) for key in keys]
    return (", ".join(texts[:6]) + (", …" if len(texts) > 6 else "")) or "no keys"
