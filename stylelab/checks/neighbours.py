"""The exercises of notebook 06: the difference map, the search, and what is made of what it finds."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from stylelab.checks.comparing import Shortfall, compare
from stylelab.checks.drawing import normal, uniform
from stylelab.checks.engine import checker
from stylelab.checks.exercise import Case, Exercise, Mistake

difference_map = checker(
    Exercise(
        name="difference_map",
        signature="difference_map(filtered, output)",
        task="What the net misses: what has to be added to its picture to make the filtered one.\n\n"
        "filtered, output: (N, C, H, W) in [0, 1], the true filter's picture and the net's. Returns (N, C, "
        "H, W) in [−1, 1].",
        cases=lambda: [
            Case(
                (torch.tensor([[[[1.0, 0.25]]]]), torch.tensor([[[[0.5, 0.75]]]])),
                "one pixel too dark, one too bright",
            ),
            Case((uniform(1, 3, 2, 3), uniform(1, 3, 2, 3, seed=1)), "three channels"),
            Case((uniform(2, 1, 3, 4), uniform(2, 1, 3, 4, seed=1)), "a batch of two"),
        ],
        reference=lambda f, o: np.array([a - b for a, b in zip(f.flat, o.flat, strict=True)]).reshape(
            f.shape
        ),
        mistakes=(
            Mistake(
                "It is turned round: added to the net's picture, it would double the mistake. Filtered "
                "minus output.",
                lambda f, o: o - f,
            ),
            Mistake(
                "The sign is lost with `abs()`: the net is too bright in some places and too dark in others.",
                lambda f, o: (f - o).abs(),
            ),
            Mistake(
                "It is squared: a difference is to be added back, as it is.",
                lambda f, o: (f - o).square(),
            ),
            Mistake(
                "It was clipped to [0, 1]: where the net is too bright, the difference is below 0.",
                lambda f, o: (f - o).clamp(0, 1),
            ),
            Mistake(
                "It was moved and squeezed so that it can be shown. Store it as it is, and show it another "
                "way.",
                lambda f, o: (f - o + 1) / 2,
            ),
            Mistake(
                "½ was added so that it can be shown. Store it as it is.",
                lambda f, o: f - o + 0.5,
            ),
            Mistake(
                "The channels were averaged: each has a difference of its own.",
                lambda f, o: (f - o).mean(1, keepdim=True),
            ),
            Mistake(
                "This is one number, how far the two are apart; asked for is the difference of every pixel.",
                lambda f, o: (f - o).square().mean(),
            ),
        ),
    )
)


def _nearest(queries: np.ndarray, keys: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    indices, distances = [], []
    for query in queries:
        far = [float(np.sqrt(sum((a - b) ** 2 for a, b in zip(query, key, strict=True)))) for key in keys]
        order = sorted(range(len(far)), key=far.__getitem__)[:k]
        indices.append(order)
        distances.append([far[place] for place in order])
    return np.array(indices), np.array(distances)


def _found(queries: Tensor, keys: Tensor, k: int, yours) -> Shortfall | None:
    """A query that is a key shows whether rounding was thought of: how it rounds is the machine's affair."""
    expected = _nearest(queries.double().numpy(), keys.double().numpy(), k)
    among = expected[1][:, 0] == 0
    # The root of a distance that rounding left of 0 is a few thousandths.
    found = compare(expected, yours, 1e-2 if among.any() else 1e-3)
    if not found or not among.any() or not isinstance(yours, tuple | list):
        return found
    if any(not isinstance(part, Tensor) or part.shape != (len(queries), k) for part in yours):
        return found
    itself, theirs = torch.from_numpy(expected[0])[:, 0], yours[0][:, 0]
    lost = int((itself != theirs).sum())
    if lost == 0 and not yours[1].isnan().any():
        return found
    return found._replace(
        sentence=(f"{lost} of {len(queries)} queries are keys, and do not find themselves. " if lost else "")
        + "Rounding makes some squared distances a little less than 0, their roots are NaN"
        + (", and NaN comes last in every order" if lost else "")
        + ": `clamp_min(0)` before the root."
    )


def _search(
    measure: Callable[[Tensor, Tensor], Tensor] = torch.cdist, largest: bool = False, turn: bool = False
) -> Callable:
    def search(queries: Tensor, keys: Tensor, k: int) -> tuple[Tensor, Tensor]:
        values, indices = measure(queries, keys).topk(k, largest=largest)
        return (indices.flip(1), values.flip(1)) if turn else (indices, values)

    return search


def _unordered(queries: Tensor, keys: Tensor, k: int) -> tuple[Tensor, Tensor]:
    indices, _ = torch.cdist(queries, keys).topk(k, largest=False).indices.sort(1)
    return indices, torch.cdist(queries, keys).gather(1, indices)


def _rows(n: int, d: int, seed: int) -> Tensor:
    return normal(n, d, seed=seed)


nearest_patches = checker(
    Exercise(
        name="nearest_patches",
        signature="nearest_patches(queries, keys, k)",
        task="The k keys nearest to each query, nearest first, and their Euclidean distances.\n\n"
        "queries: (n, d). keys: (m, d). k: at most m. Returns two tensors: the numbers of the keys, (n, k), "
        "int64, and the distances, (n, k).",
        cases=lambda: [
            Case(
                (torch.tensor([[0.0]]), torch.tensor([[3.0], [-0.5], [1.0]]), 2),
                "one query on a line, three keys",
            ),
            Case(
                (torch.tensor([[2.0, 1.0]]), torch.tensor([[9.0, 9.0], [2.0, 3.0], [5.0, 5.0]]), 3),
                "all of three keys",
            ),
            Case((_rows(4, 3, 1), _rows(7, 3, 2) * 2 + 0.5, 1), "the one nearest to each of four queries"),
            Case((_rows(10, 6, 1), _rows(40, 6, 2) + 1, 5), "10 queries among 40 keys"),
            Case((_rows(60, 25, 1)[:40], _rows(60, 25, 1), 3), "40 queries that are keys themselves"),
        ],
        judge=_found,
        parts=("the indices", "the distances"),
        mistakes=(
            Mistake(
                "These are the farthest: `topk` takes the largest unless told `largest=False`.",
                _search(largest=True),
            ),
            Mistake(
                "The keys are right, the distances are squared: take the root at the end.",
                _search(lambda q, k: torch.cdist(q, k).square()),
            ),
            Mistake(
                "Indices and distances are exchanged: first which, then how far.",
                lambda q, k, n: tuple(reversed(_search()(q, k, n))),
            ),
            Mistake(
                "The right keys, farthest first: turn them round.",
                _search(turn=True),
            ),
            Mistake(
                "The right keys, ordered by their number; the nearest comes first.",
                _unordered,
            ),
            Mistake(
                "Near was taken as having a large product κ′ · κ. A long key has that without being near: "
                "the two squared lengths belong to it.",
                lambda q, k, n: (
                    i := (q @ k.T).topk(n).indices,
                    torch.cdist(q, k).gather(1, i),
                ),
            ),
            Mistake(
                "These are the largest products κ′ · κ. They are no distances, and a long key has a large "
                "one without being near: ‖κ′‖² − 2 κ′ · κ + ‖κ‖², and the root.",
                _search(lambda q, k: q @ k.T, largest=True),
            ),
            Mistake(
                "These are the smallest products κ′ · κ, which are no distances: ‖κ′‖² − 2 κ′ · κ + ‖κ‖², "
                "and the root.",
                _search(lambda q, k: q @ k.T),
            ),
            Mistake(
                "These are sums of absolute differences; Euclidean distances are roots of sums of squares.",
                _search(lambda q, k: (q[:, None] - k).abs().sum(2)),
            ),
            Mistake(
                "The squared lengths of the keys are left out, and they differ from key to key.",
                _search(lambda q, k: (q.square().sum(1, keepdim=True) - 2 * q @ k.T).clamp_min(0).sqrt()),
            ),
            Mistake(
                "Queries and keys are exchanged: each query looks among the keys.",
                lambda q, k, n: _search()(k, q, min(n, len(q))),
            ),
            Mistake(
                "The product of κ′ and κ has the wrong factor: ‖κ′‖² − 2 κ′ · κ + ‖κ‖².",
                _search(
                    lambda q, k: (
                        (q.square().sum(1, keepdim=True) - q @ k.T + k.square().sum(1)).clamp_min(0).sqrt()
                    )
                ),
            ),
            Mistake(
                "Only the indices came back; the distances are asked for too.",
                lambda q, k, n: torch.cdist(q, k).topk(n, largest=False).indices,
            ),
        ),
    )
)


def _scaled(blocks: list[np.ndarray], unbiased: int = 1) -> list[np.ndarray]:
    return [block / np.sqrt(sum(column.var(ddof=unbiased) for column in block.T)) for block in blocks]


def _blocks(n: int, *widths: int) -> Case:
    sizes = [10.0**place for place in range(len(widths))]
    parts = [
        size * (torch.linspace(1, 3, width) * normal(n, width, seed=width) + 5)
        for size, width in zip(sizes, widths, strict=True)
    ]
    blocks = "1 block" if len(widths) == 1 else f"{len(widths)} blocks"
    return Case((parts,), f"{blocks}, {' and '.join(map(str, widths))} columns of {n} rows")


balanced = checker(
    Exercise(
        name="balanced",
        signature="balanced(blocks)",
        task="The blocks of a key, each multiplied by one number, so that its total variance, the sum of "
        "its columns' variances, is 1.\n\n"
        "blocks: a list of (n, d) tensors, d different for each. Returns a list of the same shapes.",
        cases=lambda: [_blocks(200, 2), _blocks(300, 3, 2), _blocks(400, 25, 9)],
        reference=_scaled,
        tolerance=6e-3,  # dividing variances by n or by n − 1 is the same to whoever searches
        mistakes=(
            *(
                Mistake(
                    "The variances were taken along the rows. A column is one number of all patches: "
                    "`var(dim=0)`.",
                    imitation,
                )
                for imitation in (
                    lambda blocks: [b / b.var(1).sum().sqrt() for b in blocks],
                    lambda blocks: [b / b.var(1).mean().sqrt() for b in blocks],
                    lambda blocks: [b / b.var(1).sum() for b in blocks],
                    lambda blocks: [b / b.std(1).sum() for b in blocks],
                    lambda blocks: [b / b.std(1, keepdim=True) for b in blocks],
                    lambda blocks: [b / b.var(1, keepdim=True) for b in blocks],
                )
            ),
            *(
                Mistake(
                    "`norm()` is the root of a sum of squares: it takes the mean in, and grows with how many "
                    "there are. A variance is a mean square, about the mean.",
                    imitation,
                )
                for imitation in (
                    lambda blocks: [b / b.norm() for b in blocks],
                    lambda blocks: [b / b.norm(dim=0) for b in blocks],
                    lambda blocks: [b / b.norm(dim=1, keepdim=True) for b in blocks],
                )
            ),
            Mistake(
                "The squares were added over the rows; a variance is their mean.",
                lambda blocks: [b / (b - b.mean(0)).norm() for b in blocks],
            ),
            Mistake(
                "Each column was scaled by itself. One number a block: what its columns say about each "
                "other is kept.",
                lambda blocks: [b / b.std(0) / b.shape[1] ** 0.5 for b in blocks],
            ),
            Mistake(
                "Each column has variance 1 now, so a block of 25 columns outweighs one of 9. The total is "
                "to be 1, by one number a block.",
                lambda blocks: [b / b.std(0) for b in blocks],
            ),
            Mistake(
                "The mean variance of the columns is 1 now; it is the total that counts, or wide blocks "
                "weigh more.",
                lambda blocks: [b / b.var(0).mean().sqrt() for b in blocks],
            ),
            Mistake(
                "It was divided by the total variance itself; s times a block has s² times its variance. "
                "Take the root.",
                lambda blocks: [b / b.var(0).sum() for b in blocks],
            ),
            Mistake(
                "The variance of all numbers together was taken: how far the columns' means are apart is in "
                "it. Column by column, then add.",
                lambda blocks: [b / b.var().sqrt() for b in blocks],
            ),
            Mistake(
                "Standard deviations were added; add variances, and take the root of the sum.",
                lambda blocks: [b / b.std(0).sum() for b in blocks],
            ),
            Mistake(
                "The means were taken away as well. Multiply, and nothing else.",
                lambda blocks: [(b - b.mean(0)) / b.var(0).sum().sqrt() for b in blocks],
            ),
            Mistake(
                "All blocks were multiplied by the same number, so one still drowns the other.",
                lambda blocks: [b / torch.cat(blocks, 1).var(0).sum().sqrt() for b in blocks],
            ),
            Mistake(
                "It was divided by the length of the block, mean and all; a variance is about the mean.",
                lambda blocks: [b / b.square().mean(0).sum().sqrt() for b in blocks],
            ),
        ),
        praise="Right: every block weighs the same.",
    )
)


def _best(found: np.ndarray, true: np.ndarray) -> float:
    """By search on the error itself: no formula is used."""
    low, high, golden = -20.0, 20.0, (5**0.5 - 1) / 2
    for _ in range(80):
        a, b = high - golden * (high - low), low + golden * (high - low)
        low, high = (
            (low, b) if ((a * found - true) ** 2).sum() < ((b * found - true) ** 2).sum() else (a, high)
        )
    return (low + high) / 2


def _true(n: int, noise: float, about: str) -> Case:
    true = normal(n, seed=7)
    return Case((0.8 * true + noise * normal(n, seed=8), true), about)


trust = checker(
    Exercise(
        name="trust",
        signature="trust(found, true)",
        task="The factor t that brings the differences that were found nearest to the true ones: ‖t · found "
        "− true‖² is least.\n\n"
        "found, true: (n,). Returns one number.",
        cases=lambda: [
            Case((torch.tensor([2.0]), torch.tensor([1.0])), "one difference, found twice too large"),
            Case(
                (torch.tensor([1.0, 2.0]), torch.tensor([2.0, -1.0])),
                "differences that have nothing to do with the truth",
            ),
            _true(100, 0.0, "differences that are all a little small"),
            _true(100, 1.0, "differences with noise on them"),
            _true(100, 4.0, "differences that are mostly noise"),
        ],
        reference=_best,
        tolerance=1e-3,
        mistakes=(
            Mistake(
                "Divided by the wrong square: t stands beside what was found, so found · found is below.",
                lambda d, e: (d @ e) / (e @ e),
            ),
            Mistake(
                "It is turned upside down: found · true above, found · found below.",
                lambda d, e: (d @ d) / (d @ e),
            ),
            Mistake(
                "This is the correlation, divided by the lengths of both. The factor also mends the size: "
                "divide by found · found.",
                lambda d, e: (d @ e) / (d.norm() * e.norm()),
            ),
            Mistake(
                "This compares the lengths only: unrelated differences are as long, and would be trusted.",
                lambda d, e: e.norm() / d.norm(),
            ),
            Mistake(
                "This is the mean of the ratios: wherever next to nothing was found, the ratio is huge.",
                lambda d, e: (e / d).mean(),
            ),
            Mistake(
                "It is not divided by found · found yet.",
                lambda d, e: d @ e,
            ),
            Mistake("It has the wrong sign.", lambda d, e: -(d @ e) / (d @ d)),
            Mistake(
                "The 2 of the derivative cancels: this is twice too much.", lambda d, e: 2 * (d @ e) / (d @ d)
            ),
        ),
        praise="Right: no other factor brings them nearer.",
    )
)
