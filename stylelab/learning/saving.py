"""The file of a trained network: safetensors, numbers in half precision, all else as JSON in its metadata."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from stylelab.errors import WeightsError
from stylelab.files import atomic_write, expanded
from stylelab.learning.records import TrainingRecord
from stylelab.pictures.samples import data_folder

FORMAT = 1
Made = TypeVar("Made")


def shipped(name: str, maker: str) -> Path:
    """The file of that name in data/networks, else WeightsError. maker: the function that would make one."""
    path = data_folder() / "networks" / name
    if not path.is_file():
        raise WeightsError(
            f"{path.name}: no trained network comes with this version; make one with {maker}, save it, and "
            "give its path"
        )
    return path


def write_trained(
    path: str | Path,
    kind: str,
    shape: Mapping,
    state: Mapping[str, Tensor],
    records: Sequence[TrainingRecord],
    more: Mapping[str, str] | None = None,
) -> None:
    """Write a network: the whole file, or none.

    kind: the name of its class. shape: what it is made from, by argument. state: its state dict. more: texts
    to keep beside these, by name. Raises WeightsError as atomic_write does, and for numbers that half
    precision cannot hold.
    """
    halves = {name: value.detach().cpu().half().contiguous() for name, value in state.items()}
    if bad := [name for name, value in halves.items() if not value.isfinite().all()]:
        raise WeightsError(f"{', '.join(bad)}: too large for half precision; lower the learning rate")
    metadata = {
        "format": str(FORMAT),
        "kind": f"stylelab {kind}",
        "shape": json.dumps(shape),
        "records": json.dumps([record.to_dict() for record in records]),
    }
    data = safetensors.torch.save(halves, metadata | dict(more or {}))
    with atomic_write(path, WeightsError) as part:
        part.write_bytes(data)


def read_trained(
    path: str | Path,
    kind: str,
    build: Callable[[dict, dict[str, Tensor], list[TrainingRecord], dict[str, str]], Made],
) -> Made:
    """What `build` makes of the shape, state, records and further texts that write_trained wrote.

    kind: the name of its class. Raises WeightsError for any other file, and where `build` fails. Nothing in
    the file is executed.
    """
    path = expanded(path)
    if not path.is_file():
        raise WeightsError(f"{path.name}: no such file in {path.parent.absolute()}; check the path")
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (safetensors.SafetensorError, OSError) as error:
        raise WeightsError(
            f"{path.name}: not a safetensors file, or damaged ({error}); give a file that {kind}.save wrote"
        ) from error
    if metadata.get("kind") != f"stylelab {kind}":
        raise WeightsError(f"{path.name}: holds tensors, but no {kind}; give a file that {kind}.save wrote")
    if metadata.get("format") != str(FORMAT):
        raise WeightsError(
            f"{path.name}: of format {metadata.get('format')}, this stylelab reads {FORMAT}; update stylelab"
        )
    try:
        records = [TrainingRecord.from_dict(told) for told in json.loads(metadata["records"])]
        checked = {name: _checked(value) for name, value in state.items()}
        return build(json.loads(metadata["shape"]), checked, records, metadata)
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:160]
        raise WeightsError(
            f"{path.name}: a {kind}'s file, but damaged ({reason}); save it again, or use another copy"
        ) from error


def _checked(value: Tensor) -> Tensor:
    if not value.isfinite().all():
        raise ValueError("it holds numbers that are not finite")
    return value.to(torch.float32)
