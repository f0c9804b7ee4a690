"""The pictures that networks learn from: cuts of photographs, and dead leaves.

Everything is drawn from the seed and the number of the step alone, so a training that goes on after a break
needs to remember nothing of it.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from stylelab.errors import ImageError
from stylelab.pictures.leaves import dead_leaves
from stylelab.pictures.loading import ImageLike, as_image
from stylelab.pictures.pairs import pictures_in
from stylelab.pictures.samples import sample_names

LARGEST = 640  # pixels of a photograph's longest side: what is larger only takes memory
ROOM = 1.25  # leaves are drawn so much larger than a training picture, which is then cut out of them
USES = 4  # of each drawing of leaves, in as many steps: drawing takes longer than painting
RECOLOURED = 0.5  # share of the pictures whose channels change places
EXPOSED = 0.5  # share of the pictures that are exposed anew
STOPS = 1.5  # powers of 2 by which their contrast grows, at most


def training_photographs(photographs: str | Path | Sequence[ImageLike] | None) -> list[Tensor]:
    """The photographs to train on, (1, 3, H, W) each, the longest side at most 640 pixels.

    photographs: a folder; a list of what load_image reads, perhaps empty; None for the sample photographs.
    Raises ImageError for a folder without pictures, and what load_image raises.
    """
    if photographs is None:
        photographs = sample_names("content")
    if isinstance(photographs, str | os.PathLike):
        photographs = pictures_in(photographs)
    if isinstance(photographs, Tensor):
        raise ImageError("photographs is one image; give a list of them, even of one")
    return [as_image(photograph, LARGEST) for photograph in photographs]


class Batches:
    """Batches of training pictures, by the number of the step.

    photographs: (1, 3, H, W) each; without any, all pictures are leaves. leaves: their share. seed: of all
    that is drawn.
    """

    def __init__(
        self, photographs: Sequence[Tensor], size: int, batch: int, leaves: float, seed: int
    ) -> None:
        self.photographs, self.size, self.batch, self.seed = photographs, size, batch, seed
        self.leaves = leaves if photographs else 1.0
        self._drawn: dict[int, Tensor] = {}

    def pictures(self, step: int) -> Tensor:
        """The pictures of a step, from 1 on: (batch, 3, size, size) in [0, 1]."""
        random = self._random(step, 0)
        made = []
        for place in range(self.batch):
            number = (step - 1) * self.batch + place
            # The whole parts of number · share grow by 1 as often as leaves are due, evenly spread.
            due = int((number + 1) * self.leaves) > int(number * self.leaves)
            source = (
                self._leaves((step - 1) // USES * self.batch + place)
                if due
                else self.photographs[int(random.integers(len(self.photographs)))]
            )
            made.append(cut_out(source, self.size, random))
        return torch.cat(made)

    def styles(self, step: int, number: int) -> list[int]:
        """Which of `number` styles each picture of the step has: all different, as far as they go."""
        random = self._random(step, 1)
        rounds = -(-self.batch // number)
        return [int(n) for _ in range(rounds) for n in random.permutation(number)][: self.batch]

    def _random(self, step: int, what: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, step, what])

    def _leaves(self, number: int) -> Tensor:
        if number not in self._drawn:
            while len(self._drawn) >= 2 * self.batch:
                del self._drawn[next(iter(self._drawn))]
            self._drawn[number] = dead_leaves(round(ROOM * self.size), self._random(number, 2))
        return self._drawn[number]


def cut_out(image: Tensor, size: int, random: np.random.Generator) -> Tensor:
    """A random square of an image, (1, 3, size, size), turned, mirrored, recoloured and exposed at random.

    image: (1, 3, H, W). The square's side is between `size` and the image's shorter side, small ones more
    often; an image that is smaller is enlarged.
    """
    height, width = image.shape[-2:]
    short = min(height, width)
    least = min(size, short)
    side = round(least * (short / least) ** random.random())
    top, left = random.integers(height - side + 1), random.integers(width - side + 1)
    square = image[..., top : top + side, left : left + side]
    if side != size:
        square = F.interpolate(square, (size, size), mode="bilinear", antialias=True).clamp(0, 1)
    if random.random() < 0.5:
        square = square.flip(-1)
    if random.random() < 0.5:
        square = square.mT
    if random.random() < RECOLOURED:
        square = square[:, random.permutation(3)]
    if random.random() < EXPOSED:
        # White skies and black shadows, cut off as a camera does it: without any in its training a network
        # makes of each a patch of a colour that no painting has.
        gain, pivot = 2 ** random.uniform(0, STOPS), random.random()
        square = (pivot + gain * (square - pivot)).clamp(0, 1)
    return square
