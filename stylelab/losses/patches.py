"""Nearest neural patches: the style as a heap of small pieces, each of which may be used again."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import torch
import torch.nn.functional as F
from torch import Tensor

from stylelab.errors import StylelabError
from stylelab.losses.distances import reduced
from stylelab.losses.statistic import Statistic, in_full

AT_ONCE = 2**24  # products of positions that are held at a time, 4 bytes each


@dataclass(frozen=True)
class Patches(Statistic):
    """Σ_i |p_i − q_n(i)|², n(i) = argmax_j p_i·q_j / |q_j|: each patch, and the painting's nearest to it.

    p_i: the picture's patches of size × size positions and all C channels, q_j the painting's, both wholly
    inside their maps; the nearest has the greatest normalised cross-correlation, and is found anew each time,
    without a gradient. With a mask, of the picture each patch counts as its centre does, and of the painting
    those are at hand whose centre does at least by half.
    Reductions: "sum" as above; "mean" over patches and their size² · C entries; "relative": the sum over
    that of as many patches of the painting's mean |q|². Where maps are smaller than a patch, it is as small
    as they. This statistic alone does not forget where things are within a patch.
    Several paintings: the patches of all that have a weight above 0, whatever it is; each place then takes
    from where it finds the nearest.
    All pairs are compared, so costs grow with the square of both areas: look at deep layers, as by default
    `recipe.replace(statistic="patches")` does, at relu3_1 and relu4_1.
    Source: Li and Wand (2016), "Combining Markov random fields and convolutional neural networks for image
    synthesis", eq. 2 and 3.
    """

    size: int = 3

    def __post_init__(self) -> None:
        if isinstance(self.size, bool) or not isinstance(self.size, int) or self.size < 1:
            raise StylelabError(f"size={self.size!r} of a patch: use a whole number from 1 upwards")

    def measure(self, maps: Tensor, mask: Tensor | None = None) -> tuple[tuple[Tensor, Tensor], ...]:
        """Pairs of maps (C, H, W) and which of their positions are at hand, (H, W); here one pair.

        maps: (1, C, H, W), of one painting.
        """
        if len(maps) != 1:
            raise StylelabError(
                f"got {len(maps)} paintings at once; measure one after the other, and mix them"
            )
        inside = torch.ones_like(maps[0, 0]) if mask is None else mask[0, 0].to(maps)
        return ((in_full(maps)[0], inside >= 0.5),)

    def mix(self, measures: Sequence, weights: Sequence[float]) -> tuple[tuple[Tensor, Tensor], ...]:
        """All pairs together, see the head of this class."""
        return tuple(
            pair for measure, weight in zip(measures, weights, strict=True) if weight for pair in measure
        )

    def distance(
        self, maps: Tensor, measure: Sequence, reduction: str = "relative", mask: Tensor | None = None
    ) -> Tensor:
        """See Statistic and the head of this class."""
        maps = in_full(maps)
        size = min(
            self.size, *(n for grid in (*maps, *(grid for grid, _ in measure)) for n in grid.shape[1:])
        )
        weights = _centres(torch.ones_like(maps[0, 0]) if mask is None else mask[0, 0].to(maps), size)
        sources = [_Source(grid, _centres(inside, size), size) for grid, inside in measure]
        total = sum(source.at_hand.sum() for source in sources)
        if not total:
            raise StylelabError(
                f"a painting's mask leaves no centre of a patch at maps of {measure[0][0].shape[2]} × "
                f"{measure[0][0].shape[1]}: make it wider, or look at layers less deep"
            )
        mean = sum((source.squares * source.at_hand).sum() for source in sources) / total
        squares = torch.stack([_squares(grid, sources, weights, size) for grid in maps])
        entries = weights.sum() * size**2 * maps.shape[1]
        return reduced(squares, (mean * weights.sum())[None], entries, reduction)


class _Source:
    """A painting's maps (C, H, W): the |q_j|² of its patches, and which are at hand, (H − size + 1, …)."""

    def __init__(self, grid: Tensor, at_hand: Tensor, size: int) -> None:
        self.grid, self.at_hand = grid, at_hand
        self.squares = F.avg_pool2d(grid.square().sum(0)[None], size, 1)[0] * size**2

    def best(self, picture: Tensor, size: int) -> tuple[Tensor, Tensor]:
        """For each patch of the picture max_j p·q_j / |q_j| over those at hand, and the number of that j."""
        height = picture.shape[1] - size + 1
        rows = max(1, AT_ONCE // (picture.shape[2] * self.grid[0].numel()) - size + 1)
        barred = torch.zeros_like(self.squares).masked_fill(~self.at_hand, -torch.inf)
        scale = self.squares.clamp_min(torch.finfo(self.grid.dtype).tiny).rsqrt()
        found = []
        for top in range(0, height, rows):
            strip = picture[:, top : top + rows + size - 1]
            products = (strip.flatten(1).T @ self.grid.flatten(1)).view(
                *strip.shape[1:], *self.grid.shape[1:]
            )
            # A patch's product is the sum of its positions'; summed along one side, then along the other.
            for side in (1, 0):
                long, other = products.shape[side] - size + 1, products.shape[side + 2] - size + 1
                shifted = [products.narrow(side, n, long).narrow(side + 2, n, other) for n in range(size)]
                products = sum(shifted[1:], shifted[0])
            found.append((products * scale + barred).flatten(2).max(-1))
        values, numbers = (torch.cat(parts) for parts in zip(*found, strict=True))
        return values, numbers


def _centres(positions: Tensor, size: int) -> Tensor:
    """Of values (H, W) those where a patch has its centre: (H − size + 1, W − size + 1)."""
    height, width = (n - size + 1 for n in positions.shape)
    return positions[size // 2 :, size // 2 :][:height, :width]


def _squares(picture: Tensor, sources: Sequence[_Source], weights: Tensor, size: int) -> Tensor:
    """Σ_i w_i |p_i − q_n(i)|² of a picture's maps (C, H, W).

    At a position many patches overlap: their squares are those to the mean of what they want there, as many
    times, and a rest that does not depend on the picture.
    """
    with torch.no_grad():
        scores, numbers = (
            torch.stack(part) for part in zip(*(s.best(picture, size) for s in sources), strict=True)
        )
        wanted, counts = torch.zeros_like(picture), torch.zeros_like(picture[0])
        rest = picture.new_zeros(())
        height, width = weights.shape
        for index, source in enumerate(sources):
            chosen = weights * (scores.argmax(0) == index)
            across = source.squares.shape[1]
            row, column = numbers[index] // across, numbers[index] % across
            rest = rest + (chosen * source.squares[row, column]).sum()
            for down, right in product(range(size), repeat=2):
                place = (..., slice(down, down + height), slice(right, right + width))
                wanted[place] += chosen * source.grid[:, row + down, column + right]
                counts[place] += chosen
        mean = wanted / counts.clamp_min(torch.finfo(counts.dtype).tiny)
        rest = (rest - (counts * mean.square()).sum()).clamp_min(0)
    return (counts * (picture - mean).square()).sum() + rest
