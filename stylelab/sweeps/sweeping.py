"""Grids of transfers: weights against layers, styles against photographs, on one machine or on many.

The cells run on joblib: `joblib.parallel_config` decides where, and the call stays as it is.
"""

import hashlib
import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import joblib
import torch
from joblib import Parallel, delayed, effective_n_jobs
from joblib.parallel import get_active_backend
from torch import Tensor

from stylelab import __version__
from stylelab.errors import ImageError, StylelabError
from stylelab.losses.scene import weighted_styles
from stylelab.optimisation.published import find_recipe
from stylelab.optimisation.recipes import Recipe
from stylelab.optimisation.results import source_name
from stylelab.optimisation.running import transfer
from stylelab.pictures.loading import as_image, load_image
from stylelab.pictures.resampling import quantise
from stylelab.pictures.saving import read_settings, receipt, save_image
from stylelab.pictures.stylist import Stylist
from stylelab.progress import progress_bar
from stylelab.sweeps.grids import PICTURES, grid_axes, label

FORMAT = 2  # of what is kept in a folder: under another number every cell is made anew


@dataclass(frozen=True)
class Cell:
    """One picture of a sweep.

    image: (1, 3, H, W) in [0, 1], rounded to 8 bits. settings: what made it ("content", "style", "recipe",
    "seed"), its last "losses" and the "seconds" it took.
    """

    image: Tensor
    settings: dict


@dataclass(frozen=True)
class Sweep:
    """What a sweep made; shows itself as its figure.

    rows, columns: the labels of the grid; a grid of one setting has columns only. cells, failures: each
    finished Cell and the complaint of each failed one, by name: "style_weight 12, style_layers relu1_1".
    """

    rows: list[str]
    columns: list[str]
    cells: dict[str, Cell]
    failures: dict[str, str]

    def figure(self, caption: str = ""):
        """The grid as a labelled figure with its caption; in the place of a failed cell stands the reason."""
        from stylelab.figures.plates import pictures

        names = [", ".join(labels) for labels in product(*filter(None, (self.rows, self.columns)))]
        images = [self.failures.get(name) or self.cells[name].image for name in names]
        titles = self.columns + [""] * (len(names) - len(self.columns))
        wide = len(self.columns) if self.rows else min(4, len(names))
        return pictures(images, titles, caption, wide, row_titles=self.rows)

    def _repr_mimebundle_(self, include=None, exclude=None) -> tuple[dict, dict]:
        return self.figure()._repr_mimebundle_()


class _Job(NamedTuple):
    """What makes a cell. style: (painting, weight) pairs, or a Stylist. settings: what the cell will say."""

    content: Tensor
    style: list[tuple[Tensor, float]] | Stylist
    recipe: Recipe
    seed: int
    settings: dict


def sweep(
    content=None,
    style=None,
    grid: Mapping | None = None,
    recipe: str | Recipe = "default",
    folder: str | Path | None = None,
    seed: int = 0,
    device: str = "auto",
    threads: int | None = None,
    progress: bool = True,
) -> Sweep:
    """A transfer for each combination of a grid's values, as a grid of pictures.

    grid: one or two settings, rows before columns, each with its values: a list, or {label: value}. A setting
        is one of the recipe's, or "content" or "style"; among styles any Stylist may stand, which makes the
        picture itself. Layers may be given by their names alone:
        {"style_weight": [4, 12, 36], "style_layers": ["relu1_1", "relu3_1", ["relu1_1", "relu5_1"]]}
        {"content": ["astronaut", "cat"], "style": {"night": "starry_night", "my net": net}}
    content, style: as for `transfer`, unless the grid lists them. recipe, seed, device: of every cell.
    folder: keeps each finished cell as a PNG under its name and the hash of all that decides it, so that a
        sweep that was stopped goes on where it was. Each is its own receipt (see --recipe).
    threads: of one cell. By default cells run one after the other on all cores; under
        `joblib.parallel_config(n_jobs=2)` joblib shares the cores out among its processes, and Dask gives
        each worker process one: no two cells fight for a core. Say more where your workers have more.
    progress: draw a bar, and name each failed cell at once.

    For a cluster: make a `dask.distributed.Client()`, then `with joblib.parallel_config("dask"):` (or "ray",
    after `ray.util.joblib.register_ray()`). Pictures are read and kept here, workers need only stylelab, and
    the cells of a worker that Dask loses are done by the others. A cell that fails costs only itself.
    Raises StylelabError for a grid that makes no sense, before anything is drawn.
    """
    given, recipe = {"content": content, "style": style}, find_recipe(recipe)
    axes = grid_axes(grid, given)
    assert grid is not None, "grid_axes has complained"
    points = dict(zip(map(", ".join, product(*axes)), product(*(a.values() for a in axes)), strict=True))
    cells: dict[str, Cell] = {}
    failures: dict[str, str] = {}
    files: dict[str, Path] = {}
    bar = progress_bar(len(points), "sweep", "picture", progress, delay=0)

    def settle(name: str, outcome: Cell | str) -> None:
        bar.update()
        if isinstance(outcome, Cell):
            cells[name] = outcome
            return
        failures[name] = outcome
        if progress:
            bar.write(f"{name}: {outcome}", file=bar.fp)

    def unfinished() -> Iterator:
        for name, values in points.items():
            try:
                job = _job(given | dict(zip(grid, values, strict=True)), recipe, seed)
                known: Cell | str | None = None
                if folder:
                    files[name] = _file(Path(folder).expanduser(), name, _digest(job))
                    known = _kept(files[name])
            except Exception as error:  # a picture that is missing, a value that makes no sense
                known = _complaint(error)
            if known:
                settle(name, known)
            else:
                yield delayed(_paint)(name, (job, device, threads))

    if folder:
        Path(folder).expanduser().mkdir(parents=True, exist_ok=True)
    with bar:
        for name, outcome in _spread(unfinished()):
            if folder and isinstance(outcome, Cell):
                save_image(outcome.image, files[name], outcome.settings)
            settle(name, outcome)
    rows, columns = ({}, *axes)[-2:]
    made = {name: cells[name] for name in points if name in cells}
    failed = {name: failures[name] for name in points if name in failures}
    return Sweep(list(rows), list(columns), made, failed)


def _job(point: dict, recipe: Recipe, seed: int) -> _Job:
    settings = {name: value for name, value in point.items() if name not in PICTURES}
    content, style = point["content"], point["style"]
    if isinstance(style, Stylist):
        if settings:
            raise StylelabError(f"{', '.join(settings)}: settings of a recipe do nothing to a Stylist")
        named = {"stylelab": __version__, "method": label(style), "content": source_name(content)}
        return _Job(as_image(content, recipe.size).cpu(), style, recipe, seed, named)
    recipe, paintings = recipe.replace(**settings), weighted_styles(style)
    names = [(source_name(painting), float(weight)) for painting, weight in paintings]
    # Workers of a cluster need not have the device on which a picture was made.
    styles = [(as_image(painting).cpu(), weight) for painting, weight in paintings]
    photograph = as_image(content, recipe.size).cpu()
    kept = receipt(source_name(content), names, recipe.of_size(*photograph.shape[-2:]), seed)
    return _Job(photograph, styles, recipe, seed, kept)


def _digest(job: _Job) -> str:
    """The hash of all that decides a picture; names decide nothing."""
    settings = job.recipe.replace(name="", about="").to_dict()
    if isinstance(job.style, list):
        styles, images = [weight for _, weight in job.style], [painting for painting, _ in job.style]
    else:
        styles, images = joblib.hash(job.style), []
    deciding = [FORMAT, __version__, job.seed, settings, styles]
    digest = hashlib.sha256(json.dumps(deciding, sort_keys=True).encode())
    for image in (job.content, *images):
        digest.update(str(image.shape).encode() + image.contiguous().cpu().numpy().tobytes())
    return digest.hexdigest()[:24]


def _file(folder: Path, name: str, digest: str) -> Path:
    """Where a cell is kept: under its hash, after its name for the reader; a known one where it is."""
    readable = re.sub(r"[^\w.=+-]+", "_", name)[:80]
    return next(folder.glob(f"*-{digest}.png"), folder / f"{readable}-{digest}.png")


def _kept(path: Path) -> Cell | None:
    """The cell that an earlier sweep left in a file; None where there is none, or a damaged one."""
    try:
        return Cell(load_image(path), read_settings(path))
    except ImageError:
        return None


def _paint(name: str, order: tuple[_Job, str, int | None]) -> tuple[str, Cell | str]:
    """A cell, or why there is none. One argument holds all: Dask scatters large ones, and may lose them."""
    job, device, threads = order
    started = time.perf_counter()
    try:
        with _threads(threads):
            image, losses = _made(job, device)
    except Exception as error:
        return name, _complaint(error)
    made = {**losses, "seconds": round(time.perf_counter() - started, 2)}
    return name, Cell(quantise(image), job.settings | made)


def _made(job: _Job, device: str) -> tuple[Tensor, dict]:
    """The picture of a job, and its losses where it has any."""
    if isinstance(job.style, Stylist):
        return job.style.stylise(job.content).cpu(), {}
    result = transfer(job.content, job.style, job.recipe, progress=False, seed=job.seed, device=device)
    if result.interrupted:
        raise KeyboardInterrupt
    return result.image, {"losses": result.history[-1]}


_limit = Lock()
_limited: list[int] = []  # for each cell that is being made under a limit, the number of threads before it


@contextmanager
def _threads(number: int | None) -> Iterator[None]:
    """Computes with so many threads. Cells that share a process restore it when the last is done."""
    if number is None:
        yield
        return
    with _limit:
        _limited.append(_limited[0] if _limited else torch.get_num_threads())
        torch.set_num_threads(number)
    try:
        yield
    finally:
        with _limit:
            before = _limited.pop()
            if not _limited:
                torch.set_num_threads(before)


def _complaint(error: Exception) -> str:
    return str(error) if isinstance(error, StylelabError) else f"{type(error).__name__}: {error}"


def _spread(jobs: Iterator) -> Iterator[tuple[str, Cell | str]]:
    """What becomes of the jobs, each as soon as it is known."""
    try:
        each = Parallel(return_as="generator_unordered", batch_size=1)
    except ValueError:  # Ray only hands back whole lists: a round for each, so that little is lost
        number = get_active_backend()[1] or -1  # joblib takes one worker where Ray is not told how many
        with Parallel(number, batch_size=1) as together:
            while batch := list(islice(jobs, effective_n_jobs(number))):
                yield from together(batch)
    else:
        yield from each(jobs)
