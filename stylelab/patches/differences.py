"""Difference maps and the table that restores them: localisation.

What a patch net cannot learn is the difference between the filtered picture and the net's. The table keeps
the difference maps of the training pairs, cut into patches, each under a key: what the input and the net's
output look like there. For a new picture it looks up similar places and adds what was missing at them.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from stylelab.errors import StylelabError, unknown
from stylelab.patches.fitting import check_pairs
from stylelab.patches.neighbours import CHUNK, SEARCHES, Index, Trust, measure_trust, prefer_coherent
from stylelab.patches.net import PatchNet, with_chroma
from stylelab.patches.windows import as_channels, check_patch, extract_patches, fold_patches
from stylelab.pictures.filters import reflect_pad
from stylelab.pictures.loading import ImageLike, image_of

KEYS = ("output+input", "output", "input", "published")
DAMPING = 0.9  # of a patch's mean in its key, so that an edge is found again on a darker wall
STEP = 2  # a query at every second pixel: its patch of differences covers the others
TILE = 64  # pixels of the middle of each pair that is looked up among the others to measure trust


class Explanation(NamedTuple):
    """Why one pixel's difference is what it is: its query, and the entries nearest to it, nearest first.

    query_input, query_output: (C, p, p). sources: (pair, row, column) of each neighbour. distances: (k,), in
    the units of the key. inputs, outputs, differences: (k, C, p, p), at the sources. trust: the factor of
    the mean of the differences at this distance.
    """

    query_input: Tensor
    query_output: Tensor
    sources: list[tuple[int, int, int]]
    distances: Tensor
    inputs: Tensor
    outputs: Tensor
    differences: Tensor
    trust: float


class _Picture(NamedTuple):
    """A training pair with the net's output, at one scale, each (1, C, H, W)."""

    original: Tensor
    output: Tensor
    filtered: Tensor


@dataclass(frozen=True)
class _Stage:
    """One table: its index, its (entries, C·p²) values, and the (entries, 3) pair, row, column of each."""

    index: Index
    values: Tensor
    places: Tensor


class DifferenceTable:
    """A k-NN table of difference patches, under the neighbourhoods of the net's output and of the input.

    net: a fitted PatchNet. pairs: [(original, filtered), ...], as for fit_patch_net. patch: odd side of the
    patches, of keys and differences alike. neighbours: how many entries are averaged. key: one of KEYS;
    "published" searches patches of the output among patches of the difference and adds only the centre
    of what it finds. variance: the share of the keys' variance that a PCA keeps; None for no PCA.
    coherence: κ of image analogies: a neighbour's neighbour is taken where its squared distance is at most
    1 + κ times that of the best. levels: of a pyramid gone through from coarse to fine. calibrate: learn
    from the pairs, each looked up among the others, how far to trust a difference found at a given
    distance (and not at all very far from them all); False adds it whole. search: "exact", or "approximate",
    which finds neighbours about 1 % farther away and keeps its pace however large the table is.
    Raises StylelabError for settings that make no table, ImageError for images that make no pair.
    Source: Hertzmann et al. (2001), "Image analogies", whose B′ is here a difference map.
    """

    def __init__(
        self,
        net: PatchNet,
        pairs: list[tuple[Tensor, Tensor]],
        patch: int = 5,
        neighbours: int = 8,
        key: str = "output+input",
        variance: float | None = 0.99,
        coherence: float = 0.0,
        levels: int = 1,
        calibrate: bool = True,
        search: str = "exact",
    ) -> None:
        check_patch(patch)
        if search not in SEARCHES:
            raise StylelabError(unknown("search", search, SEARCHES, "neighbours.SEARCHES"))
        if key not in KEYS:
            raise StylelabError(unknown("key", key, KEYS, "differences.KEYS"))
        if variance is not None and not 0 < variance <= 1:
            raise StylelabError(f"variance {variance}: give the share to keep, above 0 and up to 1, or None")
        if levels < 1 or coherence < 0:
            raise StylelabError(f"levels {levels}, coherence {coherence}: at least 1 level, and κ from 0 up")
        pairs = [
            (a[i : i + 1], b[i : i + 1]) for a, b in check_pairs(pairs, net.channels) for i in range(len(a))
        ]
        entries = sum(original[0, 0].numel() for original, _ in pairs)
        entries >>= 2 * (levels - 1)  # of the coarsest level, about
        if not 1 <= neighbours <= entries:
            raise StylelabError(f"neighbours {neighbours}: give from 1 to the table's {entries:,} entries")
        self.net, self.patch, self.neighbours, self.key = net, patch, neighbours, key
        self.variance, self.coherence, self.levels, self.search = variance, coherence, levels, search
        self.step = 1 if key == "published" or patch == 1 else STEP
        self._scales = [[_Picture(a, net.stylise(a).cpu(), b) for a, b in pairs]]
        for _ in range(levels - 1):
            self._scales.append([_Picture(*map(_halve, picture)) for picture in self._scales[-1]])
        self._stages: dict[tuple[int, str], _Stage] = {}
        self._trust: list[Trust | None] = [None] * levels
        if calibrate and key != "published":
            self._trust = [self._calibrate(level) for level in range(levels)]

    def stylise(self, image: ImageLike, rounds: int = 1, parts: bool = False, progress: bool = True):
        """The net's picture of an image, plus the differences of similar places in the training pairs.

        image: (N, 3 or 1, H, W) in [0, 1]. rounds: each after the first searches again with the result so
        far in the key. parts: also what the result is made of. progress: a bar, after two seconds.
        Returns the image, like net.stylise, or with parts (generalised, difference, image), where
        difference is (N, C, H, W) in [−1, 1], C the net's channels.
        """
        if rounds < 1:
            raise StylelabError(f"rounds {rounds}: at least 1")
        image = image_of(image)
        original = as_channels(image.cpu(), self.net.channels)
        output = self.net.stylise(original)
        device, output = output.device, output.cpu()
        scales = [(original, output)]
        for _ in range(self.levels - 1):
            scales.append((_halve(scales[-1][0]), _halve(scales[-1][1])))
        passes = [(level, "finer") for level in reversed(range(self.levels))] + [(0, "again")] * (rounds - 1)
        passes[0] = (self.levels - 1, "first")
        result = scales[-1][1]  # which the first pass does not look at
        for level, kind in passes:
            if kind == "finer":
                result = _double(result, scales[level][0])
            difference = self._difference(level, kind, (*scales[level], result), progress)
            result = (scales[level][1] + difference).clamp(0, 1)
        made = with_chroma(result.to(device), image.to(device))
        return (
            (with_chroma(output.to(device), image.to(device)), difference.to(device), made) if parts else made
        )

    def explain(self, image: ImageLike, row: int, column: int) -> Explanation:
        """What the first search at the finest level finds for one pixel of an image (1, 3 or 1, H, W).

        Further rounds, coarser levels and coherence have no part in it. Raises StylelabError for a pixel
        outside the image.
        """
        image = image_of(image)
        height, width = image.shape[-2:]
        if not (0 <= row < height and 0 <= column < width):
            raise StylelabError(
                f"pixel ({row}, {column}) is outside the image of {height} rows, {width} columns"
            )
        stage = self._stage(0, "first")
        original = as_channels(image[:1].cpu(), self.net.channels)
        parts = original, self.net.stylise(original).cpu()
        blocks = [block[row * width + column][None] for block in self._blocks("first", (*parts, parts[1]))]
        found, distances = stage.index.search(stage.index.project(blocks), self.neighbours)
        sources = [tuple(place) for place in stage.places[found[0]].tolist()]
        inputs, outputs = (
            torch.stack([_cut(self._scales[0][pair][part], r, c, self.patch) for pair, r, c in sources])
            for part in (0, 1)
        )
        measured = self._trust[0]
        trust = measured.at(distances.mean(1)).item() if measured else 1.0
        query_input, query_output = (_cut(part, row, column, self.patch) for part in parts)
        differences = stage.values[found[0]].view(inputs.shape)
        return Explanation(
            query_input, query_output, sources, distances[0], inputs, outputs, differences, trust
        )

    def _blocks(self, kind: str, parts: tuple[Tensor, Tensor, Tensor]) -> list[Tensor]:
        """The key of every pixel, [(n, C·p²), ...]; parts: original, output, what is known of the result.

        Of the kind "first" the last of them is not looked at.
        """
        original, output, result = parts
        if self.key == "published":
            return [extract_patches(output, self.patch)]
        asked = {"output": output, "input": original}
        images = [asked[name] for name in self.key.split("+")] + ([] if kind == "first" else [result])
        patches = [extract_patches(image, self.patch).unflatten(1, (image.shape[1], -1)) for image in images]
        return [(p - DAMPING * p.mean(dim=2, keepdim=True)).flatten(1) for p in patches]

    def _stage(self, level: int, kind: str) -> _Stage:
        """A level's table, made when needed; "finer" knows the coarse results of its entries, "again" all."""
        if (level, kind) not in self._stages:
            pictures = self._scales[level]
            maps = [extract_patches(p.filtered - p.output, self.patch) for p in pictures]
            if self.key == "published":
                keys = [[m] for m in maps]
            else:
                known = [
                    _double(_halve(p.filtered), p.original) if kind == "finer" else p.filtered
                    for p in pictures
                ]
                keys = [
                    self._blocks(kind, (p.original, p.output, k))
                    for p, k in zip(pictures, known, strict=True)
                ]
            places = [
                F.pad(torch.cartesian_prod(*map(torch.arange, p.original.shape[2:])), (1, 0), value=number)
                for number, p in enumerate(pictures)
            ]
            index = Index(keys, self.variance, self.key != "published", self.search)
            self._stages[level, kind] = _Stage(index, torch.cat(maps), torch.cat(places))
        return self._stages[level, kind]

    def _difference(self, level: int, kind: str, parts: tuple, progress: bool) -> Tensor:
        """The (N, C, H, W) difference that a level's table finds for a picture, as far as it is trusted."""
        number, _, height, width = parts[0].shape
        grid = torch.arange(number * height * width).view(number, height, width)[
            :, :: self.step, :: self.step
        ]
        blocks = [block[grid.flatten()] for block in self._blocks(kind, parts)]
        found, distance = self._look_up(level, kind, blocks, parts[0].shape, progress=progress)
        trust = self._trust[level]
        return found * trust.at(distance) if trust else found

    def _look_up(self, level: int, kind: str, blocks: list[Tensor], shape, keep=None, progress=False):
        """The nearest entries' mean differences, overlaps averaged (N, C, H, W), and how far they were.

        blocks: the keys of every step-th row and column of an image of that shape. keep: as in Index.search.
        """
        stage, (number, channels, height, width) = self._stage(level, kind), shape
        queries = stage.index.project(blocks)
        found, distances = stage.index.search(queries, self.neighbours, keep, progress)
        if self.coherence:
            grid = number, -(-height // self.step), -(-width // self.step)
            leniency = 1 + self.coherence * 2.0**-level
            found, distances = prefer_coherent(
                stage.index, queries, found, stage.places, grid, self.step, leniency, keep
            )
        values = torch.cat([stage.values[entries].mean(dim=1) for entries in found.split(CHUNK)])
        if self.key == "published":
            values = values.unflatten(1, (channels, -1))[..., self.patch**2 // 2]
        far = distances.mean(dim=1, keepdim=True).expand(-1, values.shape[1] // channels)
        return fold_patches(values, shape, self.step), fold_patches(
            far, (number, 1, height, width), self.step
        )

    def _calibrate(self, level: int) -> Trust | None:
        """Look the middle of every pair up among the other pairs: what is found there, against the truth.

        Of a single pair, the middle is looked up among the rest of it.
        """
        stage, rim, samples = self._stage(level, "first"), self.patch // 2, []
        pictures = self._scales[level]
        for number, picture in enumerate(pictures):
            shape = picture.original.shape
            top, left = ((length - TILE) // 2 if length > TILE else 0 for length in shape[2:])
            tile = slice(top, top + TILE), slice(left, left + TILE)
            pixels = torch.arange(shape[2] * shape[3]).view(shape[2:])[tile]
            chosen = pixels[:: self.step, :: self.step].flatten()
            blocks = [
                block[chosen]
                for block in self._blocks("first", (picture.original, picture.output, picture.output))
            ]
            keep = stage.places[:, 0] != number
            if len(pictures) == 1:
                r, c = stage.places[:, 1], stage.places[:, 2]
                keep = (r < top - self.patch) | (r >= top + TILE + self.patch)
                keep |= (c < left - self.patch) | (c >= left + TILE + self.patch)
            if keep.sum() < self.neighbours:
                continue
            found, far = self._look_up(level, "first", blocks, (1, shape[1], *pixels.shape), keep)
            true = (picture.filtered - picture.output)[..., *tile]
            inner = slice(rim, -rim or None)
            samples.append([part[0, :, inner, inner].flatten(1).T for part in (far, found, true)])
        if not samples:
            return None
        far, found, true = (torch.cat(parts) for parts in zip(*samples, strict=True))
        return measure_trust(far[:, 0], found, true)


def _halve(image: Tensor) -> Tensor:
    """Half the size, each pixel the mean of four (fewer at an odd end)."""
    return F.avg_pool2d(image, 2, ceil_mode=True, count_include_pad=False)


def _double(image: Tensor, like: Tensor) -> Tensor:
    """Twice the size, bilinear, cut to the height and width of another image."""
    doubled = F.interpolate(image, scale_factor=2, mode="bilinear", align_corners=False)
    return doubled[..., : like.shape[2], : like.shape[3]]


def _cut(image: Tensor, row: int, column: int, size: int) -> Tensor:
    """The (C, size, size) neighbourhood of one pixel of (1, C, H, W)."""
    return reflect_pad(image, size // 2)[0, :, row : row + size, column : column + size]
