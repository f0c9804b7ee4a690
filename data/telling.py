"""What the scripts that train networks have in common: contact sheets, and the record beside a network."""

import json
import shlex
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from stylelab.learning.records import TrainingRecord, thinned
from stylelab.pictures.resampling import resize

PLACES = ("--checkpoint", "--every", "--output", "--sheet")  # options that decide nothing
TILE, GAP = 176, 6  # pixels of a picture's longest side on a contact sheet, and between two


def kill_like_ctrl_c() -> None:
    """Started in the background a script cannot be sent Ctrl-C; `kill` then does the same."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def write_record(
    path: Path, script: str, words: Sequence[str], record: TrainingRecord, told: Mapping
) -> None:
    """The JSON file of a training: its command, steps, seconds, settings and curve, and what else is told."""
    deciding = [
        word
        for number, word in enumerate(words)
        if word not in PLACES and (not number or words[number - 1] not in PLACES)
    ]
    known = {
        "command": shlex.join(["python", f"data/{script}", *deciding]),
        "steps": record.steps,
        "seconds": round(record.seconds),
        "settings": record.settings,
        **told,
        "curve": thinned(record.history, 100),
        "torch": torch.__version__,
    }
    path.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")


def contact_sheet(rows: Sequence[Sequence[Tensor | None]]) -> Tensor:
    """Images (1, 3, H, W) in rows, each in a square of its own, as one, (1, 3, H, W); None stays white."""
    return torch.cat([torch.cat([tile(image) for image in row], dim=3) for row in rows], dim=2)


def tile(image: Tensor | None) -> Tensor:
    """An image on a white square with a gap to the next, its longest side TILE pixels."""
    square = torch.ones(1, 3, TILE + GAP, TILE + GAP)
    if image is not None:
        image = resize(image, TILE).clamp(0, 1).cpu()
        height, width = image.shape[-2:]
        top, left = (TILE - height) // 2, (TILE - width) // 2
        square[..., top : top + height, left : left + width] = image
    return square
