"""The file of a fast network: safetensors, numbers in half precision, all else as JSON in its metadata."""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from stylelab.errors import WeightsError
from stylelab.files import atomic_write, expanded
from stylelab.learning.records import TrainingRecord
from stylelab.pictures.samples import data_folder

FORMAT = 1
KIND = "stylelab FastNetwork"
SHIPPED = "networks/fast.safetensors"  # in data/


def shipped_network() -> Path:
    """The file of the network that comes with the course; WeightsError where it is missing."""
    path = data_folder() / SHIPPED
    if not path.is_file():
        raise WeightsError(
            f"{path.name}: no trained network comes with this version; make one with fit_fast_network, save "
            "it, and give its path"
        )
    return path


def write_network(
    path: str | Path,
    shape: Mapping[str, Any],
    state: Mapping[str, Tensor],
    thumbnails: Mapping[str, bytes],
    records: Sequence[TrainingRecord],
) -> None:
    """Write a network: the whole file, or none.

    shape: what FastNetwork is made from, by argument. state: its state dict. Raises WeightsError as
    atomic_write does, and for numbers that half precision cannot hold.
    """
    halves = {name: value.detach().cpu().half().contiguous() for name, value in state.items()}
    if bad := [name for name, value in halves.items() if not value.isfinite().all()]:
        raise WeightsError(f"{', '.join(bad)}: too large for half precision; lower the learning rate")
    small = {name: base64.b64encode(picture).decode("ascii") for name, picture in thumbnails.items()}
    metadata = {
        "format": str(FORMAT),
        "kind": KIND,
        "shape": json.dumps(shape),
        "thumbnails": json.dumps(small),
        "records": json.dumps([record.to_dict() for record in records]),
    }
    data = safetensors.torch.save(halves, metadata)
    with atomic_write(path, WeightsError) as part:
        part.write_bytes(data)


def read_network(path: str | Path, make: Callable) -> tuple[Any, dict[str, bytes], list[TrainingRecord]]:
    """The network, thumbnails and records that write_network wrote; WeightsError for any other file.

    make: FastNetwork, which is called with the shape and given the state.
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
            f"{path.name}: not a safetensors file, or damaged ({error}); give a file that net.save wrote"
        ) from error
    if metadata.get("kind") != KIND:
        raise WeightsError(
            f"{path.name}: holds tensors, but no FastNetwork; give a file that net.save wrote (notebook 09)"
        )
    if metadata.get("format") != str(FORMAT):
        raise WeightsError(
            f"{path.name}: of format {metadata.get('format')}, this stylelab reads {FORMAT}; update stylelab"
        )
    try:
        network = make(**json.loads(metadata["shape"]))
        network.load_state_dict({name: _checked(value) for name, value in state.items()})
        thumbnails = {n: base64.b64decode(t) for n, t in json.loads(metadata["thumbnails"]).items()}
        records = [TrainingRecord.from_dict(told) for told in json.loads(metadata["records"])]
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:160]
        raise WeightsError(
            f"{path.name}: a FastNetwork's file, but damaged ({reason}); save it again, or use another copy"
        ) from error
    return network, thumbnails, records


def _checked(value: Tensor) -> Tensor:
    if not value.isfinite().all():
        raise ValueError("it holds numbers that are not finite")
    return value.to(torch.float32)
