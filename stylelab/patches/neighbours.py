"""Nearest neighbours among the keys of a table, exact or nearly so, and how far to trust what they say."""

from threading import Lock
from typing import NamedTuple

import numpy as np
import torch
from sklearn.cluster import MiniBatchKMeans
from sklearn.metrics import pairwise_distances_argmin
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from stylelab.progress import progress_bar

SEARCHES = ("exact", "approximate")
CHUNK = 8192  # queries handled at once: bounds the memory of a large picture
CELL, PROBES = 512, 16  # entries in a cell, about, and how many cells a query is compared with
# scikit-learn sets the number of BLAS threads for the whole process: two searches at once disturb each other.
_searching = Lock()
SWEEPS = 4  # of prefer_coherent; a preference spreads by one query a sweep


class Index:
    """The keys of a table, searched by scikit-learn.

    keys: for every picture its blocks [(n, d1), (n, d2), ...], all pixels in reading order. balance: bring
    each block to a total variance of 1, so that none drowns another. variance: the share that a PCA keeps
    of what is then there; None for no PCA. search: "exact" compares a query with every key, "approximate"
    with those of the nearest cells only.
    """

    def __init__(
        self,
        keys: list[list[Tensor]],
        variance: float | None = 0.99,
        balance: bool = True,
        search: str = "exact",
    ) -> None:
        widths = [block.shape[1] for block in keys[0]]
        self.turn = None
        if balance or variance is not None:
            mean, covariance = _moments(keys)
            totals = torch.stack([part.sum() for part in covariance.diagonal().split(widths)])
            scales = torch.where(totals > 1e-12, totals.clamp_min(1e-12).rsqrt(), 1.0)
            scales = scales if balance else torch.ones_like(scales)
            scale = scales.repeat_interleave(torch.tensor(widths))
            self.mean, self.turn = mean.float(), torch.diag(scale).float()
            if variance is not None:
                values, axes = torch.linalg.eigh(scale[:, None] * covariance * scale)
                kept = int((values.flip(0).cumsum(0) < variance * values.sum()).sum()) + 1
                self.turn = (scale[:, None] * axes.flip(1)[:, :kept]).float()
        self.keys = torch.cat([self.project(blocks) for blocks in keys])
        numpy_keys = self.keys.numpy()
        with _searching:
            self._all = _brute(numpy_keys) if search == "exact" else _Cells(numpy_keys)

    def project(self, blocks: list[Tensor]) -> Tensor:
        """Blocks [(n, d1), (n, d2), ...] as points (n, d) of the space that is searched."""
        joined = torch.cat(blocks, dim=1)
        return joined.contiguous() if self.turn is None else (joined - self.mean) @ self.turn

    def search(
        self, queries: Tensor, number: int, keep: Tensor | None = None, progress: bool = False
    ) -> tuple[Tensor, Tensor]:
        """The entries nearest to each query, (n, number), nearest first, and their Euclidean distances.

        queries: (n, d) from project. keep: (entries,) which of them may be found; all unless given.
        progress: a bar, after two seconds.
        """
        names = None if keep is None else keep.nonzero()[:, 0]
        entries = self._all if keep is None else _brute(self.keys[names].numpy())
        found, distances = [], []
        with progress_bar(len(queries), "nearest neighbours", "patch", progress) as bar:
            # Cells are visited once for each chunk, so with them chunks are large.
            for chunk in queries.split(CHUNK if isinstance(entries, NearestNeighbors) else 32 * CHUNK):
                with _searching:
                    near = entries.kneighbors(chunk.numpy(), number, return_distance=False)
                rows = torch.from_numpy(near)
                rows = rows if names is None else names[rows]
                # Measured again by subtraction: scikit-learn expands the square, and then 0 is not quite 0.
                nearest, order = self.distances(chunk, rows).sort(dim=1, stable=True)
                found.append(rows.gather(1, order))
                distances.append(nearest)
                bar.update(len(chunk))
        return torch.cat(found), torch.cat(distances)

    def distances(self, queries: Tensor, entries: Tensor) -> Tensor:
        """Distances (n, k) of queries (n, d) from entries (n, k), by subtraction: no square is expanded."""
        chunks = zip(queries.split(CHUNK), entries.split(CHUNK), strict=True)
        return torch.cat([torch.linalg.vector_norm(q[:, None] - self.keys[e], dim=2) for q, e in chunks])


def _brute(keys: np.ndarray) -> NearestNeighbors:
    return NearestNeighbors(algorithm="brute").fit(keys)


class _Cells:
    """Keys (n, d) in cells about the centres of a k-means; a query sees the cells nearest to its own.

    With cells of a fixed size a query costs the same however large the table is, but for finding its cell.
    Source: the inverted file of Sivic and Zisserman (2003).
    """

    def __init__(self, keys: np.ndarray) -> None:
        cells = max(1, len(keys) // CELL)
        some = np.random.default_rng(0).choice(len(keys), min(len(keys), 32 * cells), replace=False)
        means = MiniBatchKMeans(cells, random_state=0, batch_size=4096, n_init=1, init="random", max_iter=10)
        self.centres = means.fit(keys[some]).cluster_centers_.astype(keys.dtype)
        cell = pairwise_distances_argmin(keys, self.centres)
        ends = np.bincount(cell, minlength=cells).cumsum()
        self.members = np.split(cell.argsort(kind="stable"), ends[:-1])
        self.near = _brute(self.centres).kneighbors(self.centres, min(PROBES, cells), return_distance=False)
        self.keys = keys

    def kneighbors(self, queries: np.ndarray, number: int, return_distance: bool = False) -> np.ndarray:
        """Rows (n, number) of entries near to each query, like NearestNeighbors.kneighbors."""
        found = np.empty((len(queries), number), dtype=np.int64)
        cell = pairwise_distances_argmin(queries, self.centres)
        for home in np.unique(cell):
            rows = np.concatenate([self.members[near] for near in self.near[home]])
            if len(rows) < number:
                rows = np.arange(len(self.keys))
            mine = cell == home
            found[mine] = rows[
                _brute(self.keys[rows]).kneighbors(queries[mine], number, return_distance=False)
            ]
        return found


def _moments(keys: list[list[Tensor]]) -> tuple[Tensor, Tensor]:
    """Mean and covariance of all keys in float64, picture by picture."""
    count = sum(len(blocks[0]) for blocks in keys)
    mean = torch.as_tensor(sum(torch.cat(blocks, dim=1).double().sum(0) for blocks in keys) / count)
    centred = (torch.cat(blocks, dim=1).double() - mean for blocks in keys)
    return mean, torch.as_tensor(sum(part.T @ part for part in centred) / count)


def prefer_coherent(
    index: Index,
    queries: Tensor,
    found: Tensor,
    places: Tensor,
    grid: tuple[int, int, int],
    step: int,
    leniency: float,
    keep: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Exchange what was found for neighbours' neighbours, where those are nearly as near.

    queries: (n, d) of a grid (N, rows, columns) whose pixels lie `step` apart. found: (n, k). places:
    (entries, 3), the picture, row and column of each. An entry that lies beside that of an adjacent query,
    on the same side, is taken if its squared distance is at most `leniency` times that of the entry found.
    keep: as in Index.search.
    Returns found and distances, (n, k) each. Source: Ashikhmin (2001); κ is image analogies'.
    """
    picture, row, column = places.T
    heights, widths = (
        torch.zeros(int(picture[-1]) + 1, dtype=torch.long).scatter_reduce(0, picture, axis + 1, "amax")
        for axis in (row, column)
    )
    limit = leniency**0.5 * index.distances(queries, found)
    for _ in range(SWEEPS):
        coherent, distances = found, torch.full_like(limit, torch.inf)
        for down, right in [(d, r) for d in (-step, 0, step) for r in (-step, 0, step) if d or r]:
            theirs = found.view(*grid, -1).roll((down // step, right // step), dims=(1, 2)).flatten(0, 2)
            p, r, c = picture[theirs], row[theirs] + down, column[theirs] + right
            allowed = (r >= 0) & (r < heights[p]) & (c >= 0) & (c < widths[p])
            beside = torch.where(allowed, theirs + down * widths[p] + right, 0)
            if keep is not None:
                allowed &= keep[beside]
            theirs = index.distances(queries, beside).masked_fill(~allowed, torch.inf)
            coherent = torch.where(theirs < distances, beside, coherent)
            distances = torch.minimum(theirs, distances)
        found = torch.where(distances <= limit, coherent, found)
    return found, index.distances(queries, found)


class Trust(NamedTuple):
    """The factor to multiply a difference by that was found at a distance, between measured ones."""

    distances: np.ndarray
    factors: np.ndarray

    def at(self, distance: Tensor) -> Tensor:
        """Factors of the distance's shape; beyond the farthest measured one they fall with its square."""
        where = distance.clamp_min(1e-9).double().numpy()
        factors = np.interp(np.log(where), np.log(self.distances), self.factors)
        factors = factors * np.minimum(1, self.distances[-1] / where) ** 2
        return torch.from_numpy(factors).float()


def measure_trust(distance: Tensor, found: Tensor, true: Tensor, steps: int = 8) -> Trust:
    """By least squares, for `steps` ranges of distance: the factor that brings what was found to the truth.

    distance: (n,). found, true: (n, C). Factors from 0 (it misleads) to 2 (averaging has faded it).
    """
    order = distance.argsort()
    groups = [order[part] for part in torch.arange(len(order)).tensor_split(min(steps, len(order)))]
    agreement = [(found[g] * true[g]).sum() / found[g].square().sum().clamp_min(1e-12) for g in groups]
    middles = [max(distance[g].median().item(), 1e-9) for g in groups]
    return Trust(np.array(middles), np.array([a.clamp(0, 2).item() for a in agreement]))
