"""What the scripts that train networks have in common: options, contact sheets, records."""

import argparse
import json
import shlex
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from stylelab.learning.records import TrainingRecord, thinned
from stylelab.pictures.resampling import resize

NETWORKS = Path(__file__).parent / "networks"
PLACES = ("--checkpoint", "--every", "--output", "--sheet")  # options that decide nothing
TILE, GAP = 176, 6  # pixels of a picture's longest side on a contact sheet, and between two


def asked_for(parser: argparse.ArgumentParser, name: str, words: Sequence[str] | None) -> argparse.Namespace:
    """What the command asks for, with the options of every training added; the folders of its files are made.

    name: of the network's files. words: the command line's own where there are none.
    """
    add = parser.add_argument
    add("--seed", type=int, default=0)
    add("--checkpoint", type=Path, default=Path(f"build/{name}.pt"))
    add("--every", type=float, default=300.0, help="seconds between checkpoints")
    add("--output", type=Path, default=NETWORKS / f"{name}.safetensors")
    add("--sheet", type=Path, default=Path(f"build/{name}.jpg"))
    asked = parser.parse_args(words)
    for path in (asked.checkpoint, asked.output, asked.sheet):
        path.parent.mkdir(parents=True, exist_ok=True)
    return asked


def mean_losses(each: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of each loss over several pictures, to four decimals."""
    return {name: round(sum(losses[name] for losses in each) / len(each), 4) for name in each[0]}


def kill_like_ctrl_c() -> None:
    """Started in the background a script cannot be sent Ctrl-C; `kill` then does the same."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def write_record(
    path: Path, script: str, words: Sequence[str] | None, record: TrainingRecord, told: Mapping
) -> None:
    """The JSON file of a training: its command, steps, seconds, settings and curve, and what else is told.

    words: as for `asked_for`.
    """
    words = sys.argv[1:] if words is None else words
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
