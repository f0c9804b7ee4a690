"""What a learner's function is given: copies, so that it cannot change what is not its own."""

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


def probe(value: Tensor) -> Tensor:
    """The weights 1, 2, 3, … of the entries: the gradient of the weighted sum stands for all gradients."""
    return torch.arange(1.0, value.numel() + 1).view(value.shape).to(value)


def leaves(value: Any) -> list[Tensor]:
    """The tensors in a value, in order: itself, or those of a dict, tuple or list."""
    if isinstance(value, Tensor):
        return [value]
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, tuple | list) else ()
    return [leaf for part in parts for leaf in leaves(part)]


def copied(value: Any, differentiate: bool) -> Any:
    """A copy, of tensors within dicts, tuples and lists too; they ask for a gradient if `differentiate`."""
    if isinstance(value, Tensor):
        return value.detach().clone().requires_grad_(differentiate)
    if isinstance(value, Mapping):
        return {key: copied(part, differentiate) for key, part in value.items()}
    if type(value) in (tuple, list):
        return type(value)(copied(part, differentiate) for part in value)
    return copy.deepcopy(value) if isinstance(value, nn.Module | set | np.ndarray) else value


def untouched(before: Any, after: Any) -> bool:
    """Whether an input is, to the last bit, what it was before the call."""
    if isinstance(before, Tensor):
        return before.shape == after.shape and torch.equal(before.detach(), after.detach())
    if isinstance(before, Mapping):
        return list(before) == list(after) and all(untouched(before[key], after[key]) for key in before)
    if type(before) in (tuple, list):
        return len(before) == len(after) and all(map(untouched, before, after))
    if isinstance(before, nn.Module):
        same = repr(before) == repr(after) and before.training == after.training
        return same and untouched(before.state_dict(), after.state_dict())
    if isinstance(before, np.ndarray):
        return bool(np.array_equal(before, after))
    return not isinstance(before, set) or before == after
