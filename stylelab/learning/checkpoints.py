"""A training's state in a file, from which it goes on as if it had never stopped."""

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from stylelab.errors import WeightsError
from stylelab.files import atomic_write, expanded
from stylelab.learning.records import TrainingRecord

KIND = "stylelab training"
FORMAT = 1


@dataclass
class Checkpoint:
    """All that a training is after some steps, but what its arguments say.

    told: those arguments, to be sure that they are the same again. weights: of the network. optimiser: its
    state dict. losses: their names; history: their values, one row a step. pictures: of the progress.
    """

    told: dict[str, Any]
    step: int
    seconds: float
    weights: dict[str, Tensor]
    optimiser: dict[str, Any]
    losses: list[str]
    history: list[list[float]]
    pictures: list[tuple[int, Tensor]]

    @classmethod
    def of(
        cls, record: TrainingRecord, told: dict, weights: dict[str, Tensor], optimiser: torch.optim.Optimizer
    ) -> "Checkpoint":
        """What a training is now. told: what it was told. weights: of the network."""
        return cls(
            told=told,
            step=record.steps,
            seconds=record.seconds,
            weights=weights,
            optimiser=optimiser.state_dict(),
            losses=list(record.history[0]),
            history=[list(row.values()) for row in record.history],
            pictures=record.pictures,
        )

    def restore(self, record: TrainingRecord, optimiser: torch.optim.Optimizer) -> None:
        """Brings a record and an optimiser to where they were; the weights are for the learner to take."""
        optimiser.load_state_dict(self.optimiser)
        record.history = [dict(zip(self.losses, row, strict=True)) for row in self.history]
        record.steps, record.seconds = self.step, self.seconds
        record.pictures = list(self.pictures)

    def write(self, path: str | Path) -> None:
        """Into a file, the whole of it or nothing; WeightsError where that cannot be written."""
        # By way of memory: where the disk is full, torch's own writer ends in a bare RuntimeError.
        torch.save({"kind": KIND, "format": FORMAT, **vars(self)}, buffer := io.BytesIO())
        with atomic_write(path, WeightsError) as part:
            part.write_bytes(buffer.getbuffer())


def read_checkpoint(path: str | Path, told: dict[str, Any]) -> Checkpoint | None:
    """The checkpoint in a file, None where there is none; nothing in it is executed.

    told: what the training to go on with is told. Raises WeightsError for another file, and for the
    checkpoint of another training, naming what differs.
    """
    path = expanded(path)
    if not os.path.exists(path):
        return None
    try:
        # From its bytes: by the name, torch would take one that ends in .safetensors for such a file.
        saved = torch.load(io.BytesIO(path.read_bytes()), map_location="cpu", weights_only=True)
        if (saved.pop("kind"), saved.pop("format")) != (KIND, FORMAT):
            raise ValueError("of another kind or format")
        found = Checkpoint(**saved)
    except Exception as error:  # torch raises a dozen kinds for files that are not its own
        raise WeightsError(
            f"{path.name}: not a checkpoint of a training, or damaged; give another name, or remove it"
        ) from error
    differing = [name for name in told if told[name] != found.told.get(name)]
    if differing:
        name = differing[0]
        raise WeightsError(
            f"{path.name}: of a training with {name} {found.told.get(name)!r}, not {told[name]!r}; go on "
            "with the same settings, or give another name"
        )
    return found
