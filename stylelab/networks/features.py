"""A network as an objective uses it: at a precision, with its maps scaled."""

from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

from stylelab.device import uses_bfloat16
from stylelab.networks.extractor import FeatureExtractor


@dataclass(frozen=True)
class Features:
    """The feature maps of an extractor, computed at a precision and multiplied by a scale.

    precision: "float32", "bfloat16" or "auto", see stylelab.device. The maps are what it computed in.
    """

    extractor: FeatureExtractor
    precision: str = "float32"
    scale: float = 1.0

    def __call__(self, image: Tensor, layers: str | Iterable[str]) -> dict[str, Tensor]:
        """{name: (N, C, h, w)} for the layers, as FeatureExtractor returns it."""
        return dict(self.walk(image, layers))

    def walk(self, image: Tensor, layers: str | Iterable[str]) -> Iterator[tuple[str, Tensor]]:
        """The same as (name, maps), one after the other, each computed when it is asked for."""
        device = self.extractor.device
        low = uses_bfloat16(self.precision, device)
        found = self.extractor.walk(image, layers)
        while True:
            # Entered only where wanted: not every torch has it for every device. Losses stay outside.
            with torch.autocast(device.type, torch.bfloat16) if low else nullcontext():
                name, maps = next(found, ("", None))
            if maps is None:
                return
            yield name, maps * self.scale if self.scale != 1 else maps
