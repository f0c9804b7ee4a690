"""The way back from feature maps to pixels: four small nets, each of which undoes a block of VGG-19."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylelab.device import pick_device
from stylelab.errors import StylelabError, unknown
from stylelab.learning.records import TrainingRecord
from stylelab.learning.saving import read_trained, shipped, write_trained
from stylelab.seeds import generator

SHIPPED = "decoders.safetensors"  # in data/networks
LEVELS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")  # from shallow to deep
MAPS = (3, 64, 128, 256, 512)  # of the pixels and of each level
PADDING = (
    "replicate"  # of VGG-19: zeros at the border are statistics of no picture, and would show as a frame
)
SLOPE = 0.1  # of the leaky ReLUs: plain ones died in training


class BlockDecoder(nn.Module):
    """Undoes one block of VGG-19: from the maps of a level to those of the level before it, or to pixels.

    level: 1 to 4, the number of the level in LEVELS that it starts from. Two convolutions where the maps are
    small and one where they are large, which is most of the time; the first level has only two in all.
    """

    def __init__(self, level: int) -> None:
        super().__init__()
        self.level, after = level, MAPS[level - 1]
        widths = (MAPS[1], MAPS[1] // 2, after) if level == 1 else (MAPS[level], after, after, after)
        with torch.device("meta"):  # else each layer would draw on torch's global state
            self.convolutions = nn.ModuleList(
                nn.Conv2d(a, b, 3, padding=1, padding_mode="replicate") for a, b in pairwise(widths)
            )

    def forward(self, maps: Tensor, size: tuple[int, int]) -> Tensor:
        """maps: (N, C, h, w), about 1 in size. size: (H, W) of what is returned, (N, C', H, W)."""
        *first, last = self.convolutions
        for convolution in first:
            maps = F.leaky_relu(convolution(maps), SLOPE)
        if self.level == 1:
            return last(maps) + 0.5
        return F.relu(last(F.interpolate(maps, size=size)))  # to nearest neighbours


class Decoders(nn.Module):
    """The four nets one after another: maps of any level back to a picture.

    scales: by what the maps of each level are divided on their way in, and what comes out is multiplied by:
    the root of their mean square, (4,). seed: of the random start.
    Source: the task is that of Li et al. (2017), who train a decoder for each level; ours share their ends.
    """

    scales: Tensor

    def __init__(self, scales: Sequence[float] = (1.0,) * len(LEVELS), seed: int = 0) -> None:
        super().__init__()
        self.records: list[TrainingRecord] = []
        self.blocks = nn.ModuleList(BlockDecoder(level) for level in range(1, len(MAPS)))
        random, state = generator(seed), {}
        for name, value in self.state_dict().items():
            state[name] = torch.zeros(value.shape)
            if value.ndim == 4:
                gain = 2 / (1 + SLOPE**2)
                state[name].normal_(0, (gain / value[0].numel()) ** 0.5, generator=random)
        self.load_state_dict(state, assign=True)
        self.register_buffer("scales", torch.tensor(scales, dtype=torch.float32))
        self.requires_grad_(True)
        self.to(memory_format=torch.channels_last)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.scales.device

    def undo(self, maps: Tensor, level: int, size: tuple[int, int]) -> Tensor:
        """Maps of a level (1 to 4) to those of the level before it, or to pixels, (N, C, H, W) of `size`."""
        made = self.blocks[level - 1](maps / self.scales[level - 1], size)
        return made * self.scales[level - 2] if level > 1 else made

    def forward(
        self,
        maps: Tensor,
        level: str,
        size: tuple[int, int],
        change: Mapping[str, Callable[[Tensor], Tensor]] | None = None,
    ) -> Tensor:
        """A picture (N, 3, H, W) from the maps of a level; not clamped.

        maps: (N, C, h, w) as VGG-19 gives them. level: one of LEVELS. size: (H, W) of the picture. change:
        what is done to the maps of some levels on the way, the one they start from among them.
        """
        if level not in LEVELS:
            raise StylelabError(unknown("level", level, LEVELS, "arbitrary.LEVELS"))
        for number in range(LEVELS.index(level) + 1, 0, -1):
            if change and LEVELS[number - 1] in change:
                maps = change[LEVELS[number - 1]](maps)
            maps = self.undo(maps, number, size_at(size, number - 1))
        return maps

    def save(self, path: str | Path) -> None:
        """Write the decoders to a safetensors file that Decoders.load reads, numbers in half precision.

        Raises WeightsError for a missing folder, a write-protected file or a disk that refuses.
        """
        write_trained(path, "Decoders", {}, self.state_dict(), self.records)

    @classmethod
    def load(cls, path: str | Path | None = None, device: str | torch.device = "auto") -> "Decoders":
        """The decoders that `save` wrote, computing in float32 again; without a path those of the course.

        Raises WeightsError for a file that is missing, damaged or something else. Nothing in it is executed.
        """
        chosen = pick_device(device)

        def build(shape, state, records, texts) -> "Decoders":
            decoders = cls(**shape)
            decoders.load_state_dict(state)
            decoders.records = records
            return decoders

        file = shipped(SHIPPED, "fit_decoders") if path is None else path
        return read_trained(file, "Decoders", build).to(chosen).to(memory_format=torch.channels_last)


def size_at(size: tuple[int, int], level: int) -> tuple[int, int]:
    """(H, W) of the maps of a level: of 0, the picture, and of 1 as the picture; each further halves it."""
    halvings = max(0, level - 1)
    return size[0] >> halvings, size[1] >> halvings
