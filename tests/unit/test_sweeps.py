"""Sweeps: what a grid means, what is kept and found again, and what one bad cell or one lost worker costs."""

import os
import re
import threading
import time
from itertools import pairwise

import joblib
import psutil
import pytest
import torch
from joblib.parallel import LokyBackend

from stylelab import StyleTransfer, sweep
from stylelab.errors import RecipeError, StylelabError
from stylelab.optimisation.recipes import Recipe
from stylelab.optimisation.running import transfer
from stylelab.pictures.loading import load_image
from stylelab.pictures.resampling import quantise
from stylelab.pictures.samples import sample_path
from stylelab.pictures.saving import read_settings
from stylelab.sweeps import sweeping as sweeps

# Random weights need no time to load, and a sweep does not ask whether its pictures are beautiful.
SMALL = Recipe(
    scales=(1.0,), steps=(2,), style_factors=(1.0,), size=32, weights="random", precision="float32"
)
QUIET = {"recipe": SMALL, "device": "cpu", "threads": 1, "progress": False}
WEIGHTS = {"style_weight": [2, 50]}
with pytest.raises(RecipeError) as refused:
    SMALL.replace(style_weight=-1)
NEGATIVE = str(refused.value)


@pytest.fixture
def painted(monkeypatch):
    """The style weight of each transfer that a test makes in this process."""
    weights = []

    def counted(content, style, recipe, **options):
        weights.append(recipe.style_weight)
        return transfer(content, style, recipe, **options)

    monkeypatch.setattr(sweeps, "transfer", counted)
    return weights


def assert_equal(one, other):
    assert list(one.cells) == list(other.cells)
    for name, cell in one.cells.items():
        assert torch.equal(cell.image, other.cells[name].image), name
        assert cell.settings["losses"] == other.cells[name].settings["losses"]


# --- what a grid means


def test_each_cell_is_the_transfer_with_its_settings():
    made = sweep(
        "astronaut", "gravel", {"style_weight": [2, 50], "style_layers": ["relu1_1", "relu2_1"]}, **QUIET
    )
    assert made.rows == ["style_weight 2", "style_weight 50"]
    assert made.columns == ["style_layers relu1_1", "style_layers relu2_1"]
    assert list(made.cells) == [f"{row}, {column}" for row in made.rows for column in made.columns]
    recipe = SMALL.replace(style_weight=50, style_layers={"relu2_1": 1.0})
    alone = transfer("astronaut", "gravel", recipe, progress=False, device="cpu")
    assert torch.equal(made.cells["style_weight 50, style_layers relu2_1"].image, quantise(alone.image))
    images = [cell.image for cell in made.cells.values()]
    assert not any(torch.equal(a, b) for a, b in pairwise(images))


def test_photographs_against_paintings():
    made = sweep(grid={"content": ["astronaut", "cat"], "style": ["gravel", "starry_night"]}, **QUIET)
    assert list(made.cells) == [
        "astronaut, gravel",
        "astronaut, starry_night",
        "cat, gravel",
        "cat, starry_night",
    ]
    alone = transfer("cat", "gravel", SMALL, progress=False, device="cpu")
    assert torch.equal(made.cells["cat, gravel"].image, quantise(alone.image))


def test_layers_by_name_share_a_weight_of_one(photo, painting):
    layers = ["relu1_1", ["relu1_1", "relu2_1"], {"relu1_1": 3.0}]
    labels = {"one": layers[0], "two": layers[1], "heavy": layers[2]}
    made = sweep(photo, painting, {"style_layers": labels}, **QUIET)
    used = [cell.settings["recipe"]["style_layers"] for cell in made.cells.values()]
    assert used == [{"relu1_1": 1.0}, {"relu1_1": 0.5, "relu2_1": 0.5}, {"relu1_1": 3.0}]
    assert made.columns == ["style_layers one", "style_layers two", "style_layers heavy"]


def test_pictures_may_be_tensors_and_styles_mixtures(photo, painting):
    mixture = [("gravel", 1.0), (painting, 2.0)]
    made = sweep(grid={"content": [photo], "style": [painting, mixture]}, **QUIET)
    assert made.rows == ["picture"]
    assert made.columns == ["picture", "gravel + picture"]
    bytes_of = sample_path("cat").read_bytes()
    told = sweep(bytes_of, painting, {"style_weight": [2]}, **QUIET).cells["style_weight 2"].settings
    assert told["content"] == "picture"
    alone = transfer(photo, mixture, SMALL, progress=False, device="cpu")
    assert torch.equal(made.cells["picture, gravel + picture"].image, quantise(alone.image))


@pytest.mark.parametrize(
    ("content", "style", "grid", "message"),
    [
        ("cat", "gravel", None, "one or two settings"),
        ("cat", "gravel", {"size": [32], "steps": [2], "seed": [1]}, "one or two settings"),
        ("cat", "gravel", {"style_wieght": [1]}, "did you mean style_weight"),
        ("cat", "gravel", {"name": ["a"]}, 'unknown setting "name"'),
        ("cat", "gravel", {"style_weight": 5}, "give a list of values"),
        ("cat", "gravel", {"style_weight": []}, "give a list of values"),
        (None, "gravel", {"content": "cat"}, "give a list of values"),
        ("cat", "gravel", {"content": ["cat"]}, "give the content once"),
        ("cat", None, {"style_weight": [1]}, "give the style once"),
        ("cat", "gravel", {"style_weight": [1, 1]}, "two values are called alike"),
        (None, "gravel", {"content": [torch.zeros(1, 3, 8, 8), torch.ones(1, 3, 8, 8)]}, "called alike"),
    ],
)
def test_a_grid_that_makes_no_sense_is_refused_at_once(content, style, grid, message, painted):
    with pytest.raises(StylelabError, match=message):
        sweep(content, style, grid, **QUIET)
    assert not painted


# --- what is kept


def test_a_second_sweep_paints_only_what_is_new(photo, painting, tmp_path, painted):
    first = sweep(photo, painting, WEIGHTS, folder=tmp_path / "cells", **QUIET)
    wider = sweep(photo, painting, {"style_weight": [2, 10, 50]}, folder=tmp_path / "cells", **QUIET)
    assert painted == [2, 50, 10]
    assert list(wider.cells) == ["style_weight 2", "style_weight 10", "style_weight 50"]
    again = sweep(photo, painting, WEIGHTS, folder=tmp_path / "cells", **QUIET)
    assert_equal(first, again)
    assert len(painted) == 3


def test_a_stopped_sweep_goes_on_where_it_was(photo, painting, tmp_path, monkeypatch):
    seen = []

    def stopped(content, style, recipe, **options):
        seen.append(recipe.style_weight)
        if len(seen) == 2:
            raise KeyboardInterrupt
        return transfer(content, style, recipe, **options)

    monkeypatch.setattr(sweeps, "transfer", stopped)
    with pytest.raises(KeyboardInterrupt):
        sweep(photo, painting, WEIGHTS, folder=tmp_path, **QUIET)
    made = sweep(photo, painting, WEIGHTS, folder=tmp_path, **QUIET)
    assert seen == [2, 50, 50]
    assert_equal(made, sweep(photo, painting, WEIGHTS, **QUIET))


def test_ctrl_c_within_a_cell_keeps_no_half_made_picture(photo, painting, tmp_path, monkeypatch):
    def interrupted(*arguments, **options):
        def stop(step):
            raise KeyboardInterrupt

        return transfer(*arguments, callback=stop, **options)

    monkeypatch.setattr(sweeps, "transfer", interrupted)
    with pytest.raises(KeyboardInterrupt):
        sweep(photo, painting, WEIGHTS, folder=tmp_path, **QUIET)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("changed", ["seed", "content", "style", "weights", "setting", "format"])
def test_whatever_decides_a_picture_makes_it_anew(changed, photo, painting, tmp_path, painted, monkeypatch):
    grid = {"style_weight": [2]}
    sweep(photo, [(painting, 1.0), ("gravel", 1.0)], grid, folder=tmp_path, **QUIET)
    options = {**QUIET, "seed": 1 if changed == "seed" else 0}
    if changed == "setting":
        options["recipe"] = SMALL.replace(tv_weight=1.0)
    if changed == "format":
        monkeypatch.setattr(sweeps, "FORMAT", sweeps.FORMAT + 1)
    content = photo.flip(3) if changed == "content" else photo
    style = [
        (painting.flip(2) if changed == "style" else painting, 1.0),
        ("gravel", 1.0 + (changed == "weights")),
    ]
    sweep(content, style, grid, folder=tmp_path, **options)
    assert len(painted) == 2
    assert len(list(tmp_path.iterdir())) == 2


def test_names_decide_nothing(photo, painting, tmp_path, painted):
    sweep(photo, painting, {"style_weight": [2]}, folder=tmp_path, **QUIET)
    renamed = {**QUIET, "recipe": SMALL.replace(name="mine", about="The same.")}
    sweep(
        None, painting, {"content": {"me": photo}, "style_weight": {"little": 2}}, folder=tmp_path, **renamed
    )
    assert len(painted) == 1


def test_a_damaged_file_is_made_anew(photo, painting, tmp_path, painted):
    first = sweep(photo, painting, WEIGHTS, folder=tmp_path, **QUIET)
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes()[:200])
    assert_equal(first, sweep(photo, painting, WEIGHTS, folder=tmp_path, **QUIET))
    assert len(painted) == 4


def test_a_kept_cell_is_its_own_receipt(tmp_path):
    made = sweep("astronaut", "gravel", {"style_weight": [2]}, folder=tmp_path, **QUIET, seed=7)
    (path,) = tmp_path.iterdir()
    settings = read_settings(path)
    assert settings == made.cells["style_weight 2"].settings
    assert Recipe.from_dict(settings["recipe"]) == SMALL.replace(style_weight=2)
    assert (settings["seed"], settings["content"], settings["style"]) == (7, "astronaut", [["gravel", 1.0]])
    assert torch.equal(load_image(path), made.cells["style_weight 2"].image)


# --- what fails


def test_a_failed_cell_costs_only_itself(tmp_path, capsys):
    grid = {"content": ["astronaut", "nobody"], "style_weight": [2, -1]}
    made = sweep(None, "gravel", grid, folder=tmp_path, **{**QUIET, "progress": True})
    assert list(made.cells) == ["astronaut, style_weight 2"]
    assert list(made.failures) == [
        "astronaut, style_weight -1",
        "nobody, style_weight 2",
        "nobody, style_weight -1",
    ]
    assert made.failures["astronaut, style_weight -1"] == NEGATIVE
    assert made.failures["nobody, style_weight 2"].startswith("nobody: no such file")
    shown = capsys.readouterr().err
    assert f"astronaut, style_weight -1: {NEGATIVE}" in shown
    assert "4/4" in shown


def test_an_error_that_is_not_ours_is_named(photo, painting, monkeypatch):
    def broken(content, style, recipe, **options):
        if recipe.style_weight == 2:
            raise RuntimeError("shapes do not match")
        return transfer(content, style, recipe, **options)

    monkeypatch.setattr(sweeps, "transfer", broken)
    made = sweep(photo, painting, WEIGHTS, **QUIET)
    assert made.failures == {"style_weight 2": "RuntimeError: shapes do not match"}
    assert list(made.cells) == ["style_weight 50"]


def test_without_progress_nothing_is_printed(photo, painting, capsys):
    sweep(photo, painting, {"style_weight": [2, -1]}, **QUIET)
    assert capsys.readouterr() == ("", "")


class Meeting:
    """A Stylist that waits for a second one to begin, and where it is the last, for the other to be done."""

    def __init__(self, begun, done, last):
        self.begun, self.done, self.last = begun, done, last

    def stylise(self, image):
        self.begun.wait(20)
        if self.last:
            assert self.done.wait(20)
        return image


class First(Meeting):
    def stylise(self, image):
        made = super().stylise(image)
        threading.Timer(0.3, self.done.set).start()
        return made


def test_cells_that_share_a_process_give_its_threads_back(photo):
    begun, done, before = threading.Barrier(2), threading.Event(), torch.get_num_threads()
    cells = {"first": First(begun, done, last=False), "last": Meeting(begun, done, last=True)}
    try:
        torch.set_num_threads(3)
        with joblib.parallel_config("threading", n_jobs=2):
            made = sweep(photo, None, {"style": cells}, **QUIET)
        assert not made.failures
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_a_kept_cell_can_be_told_by_its_name_and_made_again_from_its_receipt(photo, tmp_path):
    made = sweep(photo, sample_path("gravel"), {"style_weight": [2, 50]}, folder=tmp_path, **QUIET)
    files = sorted(tmp_path.iterdir())
    assert [re.fullmatch(r"(.*)-[0-9a-f]{24}\.png", file.name)[1] for file in files] == [
        "style_weight_2",
        "style_weight_50",
    ]
    settings = read_settings(files[1])
    assert (settings["content"], settings["style"]) == ("picture", [["gravel.jpg", 1.0]])
    assert settings["recipe"]["size"] == max(photo.shape) != SMALL.replace(size=100).size
    recipe = Recipe.from_dict(settings["recipe"])
    again = transfer(photo, "gravel", recipe, progress=False, device="cpu")
    assert torch.equal(quantise(again.image), made.cells["style_weight 50"].image)


class Negative:
    calls = 0

    def stylise(self, image):
        Negative.calls += 1
        return 1 - image


def test_any_stylist_takes_part(photo, painting, tmp_path):
    styles = {
        "negative": Negative(),
        "painted": painting,
        "fixed": StyleTransfer(painting, SMALL, device="cpu"),
    }
    for _ in range(2):
        made = sweep(photo, None, {"style": styles}, folder=tmp_path, **QUIET)
        assert not made.failures and made.columns == ["negative", "painted", "fixed"]
    assert Negative.calls == 1, "the second time it was found in the folder"
    assert torch.equal(made.cells["negative"].image, quantise(1 - photo))
    assert torch.equal(made.cells["painted"].image, made.cells["fixed"].image)
    refused = sweep(photo, None, {"style": {"negative": Negative()}, "style_weight": [2, 3]}, **QUIET)
    assert set(refused.failures.values()) == {"style_weight: settings of a recipe do nothing to a Stylist"}


def test_the_threads_of_a_cell_are_bounded_and_given_back(photo, painting, monkeypatch):
    used, before = [], torch.get_num_threads()

    def counted(*arguments, **options):
        used.append(torch.get_num_threads())
        return transfer(*arguments, **options)

    monkeypatch.setattr(sweeps, "transfer", counted)
    try:
        torch.set_num_threads(3)
        sweep(photo, painting, {"style_weight": [2]}, **QUIET)
        sweep(photo, painting, {"style_weight": [2]}, **{**QUIET, "threads": None})
        assert (used, torch.get_num_threads()) == ([1, 3], 3)
    finally:
        torch.set_num_threads(before)


# --- what it shows


def test_the_figure_has_labels_and_the_reasons_of_failures(photo, painting):
    made = sweep(photo, painting, {"style_weight": [2, -1], "style_layers": ["relu1_1", "relu2_1"]}, **QUIET)
    figure = made.figure("Two that failed.")
    assert [axis.get_title() for axis in figure.axes] == [
        "style_layers relu1_1",
        "style_layers relu2_1",
        "",
        "",
    ]
    texts = [" ".join(" ".join(t.get_text() for t in axis.texts).split()) for axis in figure.axes]
    complaint = NEGATIVE
    assert texts == ["style_weight 2", "", f"{complaint} style_weight -1", complaint]
    assert figure.caption == "Two that failed."
    assert "image/jpeg" in made._repr_mimebundle_()[0]


def test_a_grid_of_one_setting_is_a_row(photo, painting):
    made = sweep(photo, painting, WEIGHTS, **QUIET)
    assert (made.rows, made.columns) == ([], ["style_weight 2", "style_weight 50"])
    assert [axis.get_title() for axis in made.figure().axes] == made.columns


# --- more than one process


class _Rounds(LokyBackend):
    """Hands back whole lists only, and takes one worker unless it is told how many, as Ray's does."""

    supports_return_generator = False


joblib.register_parallel_backend("rounds", _Rounds)


@pytest.mark.parametrize("backend", ["loky", "rounds"])
def test_processes_make_the_same_pictures(backend, photo, painting):
    grid = {"style_weight": [2, 10, 50]}
    alone = sweep(photo, painting, grid, **QUIET)
    with joblib.parallel_config(backend, n_jobs=2):
        assert_equal(alone, sweep(photo, painting, grid, **QUIET))


def test_a_backend_that_is_not_told_how_many_takes_all_its_workers(photo, painting, painted):
    with joblib.parallel_config("rounds"):
        made = sweep(photo, painting, {"style_weight": [2, 10, 50]}, **QUIET)
    assert len(made.cells) == 3
    assert painted == [], "nothing is painted in this process"


@pytest.mark.usefixtures("environment")
def test_ray(photo, painting, painted):
    ray = pytest.importorskip("ray", reason="Ray is not installed")
    from ray.util.joblib import register_ray

    ray.init(num_cpus=2, include_dashboard=False, logging_level="ERROR")
    register_ray()
    try:
        with joblib.parallel_config("ray"):
            made = sweep(photo, painting, {"style_weight": [2, 10, 50]}, **QUIET)
        assert painted == []
        assert_equal(sweep(photo, painting, {"style_weight": [2, 10, 50]}, **QUIET), made)
    finally:
        ray.shutdown()


@pytest.fixture
def environment():
    """Dask leaves OMP_NUM_THREADS=1 behind, with which the notebooks of the same run take twice as long."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.mark.usefixtures("environment")
def test_a_worker_of_a_dask_cluster_is_killed_and_every_cell_is_there(tmp_path, photo, painting):
    distributed = pytest.importorskip("distributed")
    grid = {"style_weight": [1, 2, 4, 8], "style_layers": ["relu1_1", "relu2_1"]}
    options = {**QUIET, "recipe": SMALL.replace(steps=(12,))}
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
    )
    with cluster, distributed.Client(cluster) as client:
        pids = set(client.run(os.getpid).values())
        assert len(pids) == 2
        assert os.getpid() not in pids
        killed = []

        def kill_one_half_way():
            while len(list(tmp_path.glob("*.png"))) < 3:
                time.sleep(0.01)
            killed.append((max(pids), len(list(tmp_path.glob("*.png")))))
            psutil.Process(max(pids)).kill()  # at once, on Windows too

        killer = threading.Thread(target=kill_one_half_way, daemon=True)
        killer.start()
        with joblib.parallel_config("dask"):
            made = sweep(photo, painting, grid, folder=tmp_path, **options)
        killer.join(10)
        assert killed
        assert killed[0][1] < 8, "the worker must be killed before the work is done"
        assert max(pids) not in set(client.run(os.getpid).values())
    assert not made.failures
    assert len(list(tmp_path.iterdir())) == 8
    assert_equal(made, sweep(photo, painting, grid, **options))
