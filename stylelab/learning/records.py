"""What a training leaves behind: its settings, its losses, and pictures of its progress."""

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from stylelab.pictures.loading import load_image
from stylelab.pictures.saving import to_pil

KEPT = 200  # points of the loss curve in a file


@dataclass
class TrainingRecord:
    """What one training was, and how it went.

    styles: those it trained. settings: all that decided it, JSON-able. steps, seconds: done. history: the
    losses of a step, or the mean of some where a file keeps fewer: {"step", "content", "style", "tv",
    "total"}.
    pictures: (step, a photograph in up to four of the styles side by side, (1, 3, H, W)), the strip of its
    progress. interrupted: whether Ctrl-C ended it.
    """

    styles: tuple[str, ...]
    settings: dict
    steps: int = 0
    seconds: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)
    pictures: list[tuple[int, Tensor]] = field(default_factory=list)
    interrupted: bool = False

    def strip(self) -> Tensor | None:
        """The pictures of the progress below one another, (1, 3, H, W), the first on top; None of none."""
        return torch.cat([picture for _, picture in self.pictures], dim=2) if self.pictures else None

    def to_dict(self) -> dict:
        """All of it as plain lists, numbers and strings, ready for JSON; the curve in at most 200 points."""
        return {
            "styles": list(self.styles),
            "settings": self.settings,
            "steps": self.steps,
            "seconds": round(self.seconds, 1),
            "interrupted": self.interrupted,
            "history": thinned(self.history, KEPT),
            "pictures": [
                [step, base64.b64encode(jpeg(picture)).decode("ascii")] for step, picture in self.pictures
            ],
        }

    @classmethod
    def from_dict(cls, told: Mapping) -> "TrainingRecord":
        """The record that `to_dict` told of."""
        pictures = [(step, load_image(base64.b64decode(text))) for step, text in told["pictures"]]
        return cls(
            tuple(told["styles"]),
            dict(told["settings"]),
            int(told["steps"]),
            float(told["seconds"]),
            [dict(row) for row in told["history"]],
            pictures,
            bool(told["interrupted"]),
        )


def thinned(history: list[dict[str, float]], most: int) -> list[dict[str, float]]:
    """The curve in at most so many points, each the mean of as many rows; "step" is the last of them."""
    span = -(-len(history) // most) or 1
    parts = [history[start : start + span] for start in range(0, len(history), span)]
    return [
        {
            name: rows[-1][name] if name == "step" else round(sum(row[name] for row in rows) / len(rows), 5)
            for name in rows[0]
        }
        for rows in parts
    ]


def jpeg(image: Tensor, quality: int = 85) -> bytes:
    """An image (1, 3, H, W) in [0, 1] as the bytes of a JPEG file."""
    buffer = io.BytesIO()
    to_pil(image).save(buffer, format="JPEG", quality=quality)
    return buffer.getvalue()
