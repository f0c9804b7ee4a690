"""The transfer: what it minimises, in which order, from where, until when, and what it hands back."""

import base64
import io
import math
import re
import signal
from itertools import pairwise

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils._python_dispatch import TorchDispatchMode

from stylelab import FeatureExtractor
from stylelab.colour.matching import match_colours
from stylelab.colour.spaces import rgb_to_yuv
from stylelab.errors import ImageError, LayerError, OptimisationError, RecipeError, StylelabError
from stylelab.losses import Objective, Scene
from stylelab.losses.gram import _Gram
from stylelab.losses.yardstick import relative_losses
from stylelab.networks.features import Features
from stylelab.optimisation import running
from stylelab.optimisation.descent import minimise
from stylelab.optimisation.published import RECIPES
from stylelab.optimisation.recipes import Recipe
from stylelab.optimisation.running import Result, Step, optimise, transfer
from stylelab.optimisation.terms import recipe_objective, recipe_terms
from stylelab.pictures.loading import load_image
from stylelab.pictures.resampling import quantise, resize
from stylelab.pictures.saving import read_settings, save_image

# Small and quick, and every setting that a test below relies on is said here.
SMALL = Recipe(
    scales=(0.5, 1.0),
    steps=(4, 5),
    style_factors=(0.5, 1.0),
    content_layers={"relu4_2": 1.0},
    style_weight=10.0,
    tv_weight=0.0,
    detail=0.0,
    style_scale=1.0,
    init="content",
    optimiser="lbfgs",
    bounds="project",
    precision="float32",
    size=48,
)
ONE_SIZE = SMALL.replace(scales=(1.0,), steps=(6,), style_factors=(1.0,))
COLOURS = ("luminance", "chroma-swap", "linear", "histogram")


@pytest.fixture(scope="module")
def steps(vgg, photo, painting):
    """Every step of one small transfer at two sizes."""
    return list(optimise(photo, painting, SMALL, vgg))


@pytest.fixture
def seen(vgg, monkeypatch):
    """The images that the network sees during a test, in order."""
    images, walk = [], vgg.walk

    def seen_first(image, layers):
        images.append(image.detach().clone())
        return walk(image, layers)

    monkeypatch.setattr(vgg, "walk", seen_first)
    return images


# --- steps


def test_there_are_as_many_steps_as_the_recipe_says_coarse_to_fine(steps):
    assert all(isinstance(step, Step) for step in steps)
    assert [step.index for step in steps] == list(range(1, 10))
    assert {step.steps for step in steps} == {9}
    assert [step.size for step in steps] == [24] * 4 + [48] * 5
    assert [step.image.shape for step in steps] == [(1, 3, 24, 24)] * 4 + [(1, 3, 48, 48)] * 5
    seconds = [step.seconds for step in steps]
    assert seconds == sorted(seconds) and seconds[0] > 0


def test_every_image_is_one_that_can_be_saved(steps):
    for step in steps:
        assert step.image.dtype == torch.float32 and not step.image.requires_grad
        assert step.image.min() >= 0 and step.image.max() <= 1


@pytest.mark.parametrize("bounds", ["project", "clamp"])
@pytest.mark.parametrize("optimiser", ["lbfgs", "adam"])
def test_a_steps_image_has_the_steps_losses(vgg, photo, painting, optimiser, bounds):
    """Also the first of a larger size, where the enlarged image overshoots the range."""
    recipe = SMALL.replace(
        optimiser=optimiser, bounds=bounds, learning_rate=1.0 if optimiser == "lbfgs" else 0.05
    )
    for step in optimise(photo, painting, recipe, vgg):
        target, factor = (
            resize(photo, step.image.shape[-2:]).clamp(0, 1),
            recipe.style_factors[step.size == 48],
        )
        scene = Scene(target, [(painting, 1.0)]).at(step.image.shape[-2:])
        terms = Objective(recipe_terms(recipe, factor), scene, Features(vgg))(step.image)
        assert list(step.losses) == ["content", "style", "tv", "total"]
        assert list(step.losses.values()) == pytest.approx(terms.tolist(), rel=1e-3, abs=1e-6)


@pytest.mark.parametrize(
    "name", ["default", "fine", "gatys", "colour-preserving", "modified-vgg19", "classic", "squeezenet"]
)
def test_every_recipe_hands_back_the_picture_it_optimised(name, vgg, squeezenet, photo, painting):
    """Shortened to twelve steps of one size; the last losses are those of the result, and below the first."""
    extractor = squeezenet if name == "squeezenet" else vgg
    recipe = RECIPES[name].replace(
        scales=(1.0,),
        steps=(12,),
        style_factors=(1.0,),
        learning_rate_drops=(),
        precision="float32",
        style_scale=1.0,
    )
    result = transfer(photo, painting, recipe, extractor, progress=False)
    style = painting if recipe.colours is None else match_colours(painting, photo, recipe.colours)
    terms = recipe_objective(photo, [(resize(style, 48).clamp(0, 1), 1.0)], recipe, extractor)(result.image)
    assert result.history[-1]["total"] == pytest.approx(terms[3].item(), rel=0.02)
    if name != "squeezenet":  # whose published step is as large as the image: twelve of them need not help
        assert result.history[-1]["total"] < 0.7 * result.history[0]["total"]


def test_the_objective_falls_at_every_size(steps):
    for part in (steps[:4], steps[4:]):
        totals = [step.losses["total"] for step in part]
        assert totals[-1] < 0.8 * totals[0]
        assert all(later <= earlier for earlier, later in pairwise(totals))


def test_adam_lowers_the_objective_too(vgg, photo, painting):
    recipe = ONE_SIZE.replace(optimiser="adam", learning_rate=0.02, steps=(8,))
    totals = [step.losses["total"] for step in optimise(photo, painting, recipe, vgg)]
    assert totals[-1] < 0.7 * totals[0]


def test_targets_are_computed_once_for_each_size(vgg, photo, painting, seen):
    list(optimise(photo, [(painting, 1.0), (painting.flip(-1), 2.0)], SMALL, vgg))
    targets_of_a_size = 1 + 2  # the photograph and two paintings
    assert len(seen) == sum(SMALL.steps) + len(SMALL.scales) * targets_of_a_size


def test_each_size_starts_from_the_last_result_enlarged(steps, photo):
    torch.testing.assert_close(steps[4].image, resize(steps[3].image, (48, 48)).clamp(0, 1))
    assert (steps[4].image - photo).abs().mean() > 0.01


def test_detail_brings_back_what_the_photograph_lost_when_it_was_shrunk(vgg, photo, painting, steps):
    with_detail = list(optimise(photo, painting, SMALL.replace(detail=1.0), vgg))
    assert torch.equal(with_detail[3].image, steps[3].image)
    lost = photo - resize(resize(photo, (24, 24)).clamp(0, 1), (48, 48))
    expected = (resize(steps[3].image, (48, 48)) + lost).clamp(0, 1)
    assert (with_detail[4].image - expected).abs().mean() < 0.005
    assert (steps[4].image - expected).abs().mean() > 0.02
    assert with_detail[4].losses["content"] < steps[4].losses["content"]


def test_the_style_factor_of_a_size_weighs_its_style(steps):
    for step, factor in ((steps[0], 0.5), (steps[4], 1.0)):
        losses = step.losses
        assert losses["total"] == pytest.approx(losses["content"] + factor * 10 * losses["style"], rel=1e-4)
        assert losses["tv"] == 0


# --- where it starts


def test_it_starts_from_the_content_unless_told(steps, photo):
    torch.testing.assert_close(steps[0].image, resize(photo, (24, 24)).clamp(0, 1))
    assert steps[0].losses["content"] == 0


def test_noise_is_the_seeds(vgg, photo, painting):
    recipe = ONE_SIZE.replace(init="noise", steps=(1,))
    first = {seed: next(optimise(photo, painting, recipe, vgg, seed=seed)).image for seed in (0, 1)}
    again = next(optimise(photo, painting, recipe, vgg, seed=0)).image
    assert torch.equal(first[0], again) and not torch.equal(first[0], first[1])
    assert first[0].shape == photo.shape and 0.25 < first[0].std() < 0.33  # uniform: 0.289
    assert next(optimise(photo, painting, recipe, vgg)).losses["content"] > 0.1


def test_it_starts_from_a_given_image(vgg, photo, painting, random_image):
    init = random_image(5, 48, 48)
    assert torch.equal(next(optimise(photo, painting, ONE_SIZE, vgg, init=init)).image, init)
    larger = random_image(5, 96, 96)
    expected = resize(larger, (48, 48)).clamp(0, 1)
    torch.testing.assert_close(next(optimise(photo, painting, ONE_SIZE, vgg, init=larger)).image, expected)


def test_a_start_of_another_shape_is_refused_rather_than_squashed(vgg, photo, painting, random_image):
    with pytest.raises(ImageError, match=r"init is 30×60 and the content 48×48"):
        optimise(photo, painting, ONE_SIZE, vgg, init=random_image(0, 60, 30))


def test_the_same_call_gives_the_same_bits(vgg, photo, painting, steps):
    result = transfer(photo, painting, SMALL, vgg, progress=False)
    assert torch.equal(result.image, steps[-1].image)
    assert result.history == [step.losses for step in steps]


def test_nothing_given_is_changed(vgg, random_image):
    content, painting, init = random_image(1, 32, 32), random_image(2, 40, 32), random_image(3, 32, 32)
    copies = [x.clone() for x in (content, painting, init)]
    before = torch.get_rng_state()
    transfer(content, painting, ONE_SIZE.replace(steps=3), vgg, progress=False, init=init)
    assert all(map(torch.equal, (content, painting, init), copies))
    assert torch.equal(torch.get_rng_state(), before)


# --- styles


def test_a_painting_keeps_its_shape_at_every_size(vgg, photo, painting, seen):
    assert painting.shape[-1] > 1.2 * painting.shape[-2] and photo.shape[-1] == photo.shape[-2]
    list(optimise(photo, painting, SMALL, vgg))
    for expected in (resize(painting, 24), resize(painting, 48)):
        assert expected.shape[-2] < expected.shape[-1]
        (found,) = (x for x in seen if x.shape == expected.shape)
        torch.testing.assert_close(found, expected.clamp(0, 1))


def test_style_scale_sets_the_paintings_size_but_never_enlarges_it(vgg, photo, painting, seen):
    small = resize(painting, 32).clamp(0, 1)
    for style, scale, longest in (
        (painting, 1.25, 60),
        (painting, 0.5, 24),
        (painting, 4.0, 64),
        (small, 2.0, 32),
    ):
        seen.clear()
        next(optimise(photo, style, ONE_SIZE.replace(style_scale=scale), vgg))
        assert [max(x.shape[-2:]) for x in seen[:2]] == [48, longest]


def style_targets(images, weights, recipe, extractor, image):
    """The style term by hand for several paintings: Gram matrices mixed in proportion to the weights."""
    grams = [
        {
            n: torch.einsum("ncyx,ndyx->ncd", f, f) / f[0].numel()
            for n, f in extractor(x, recipe.style_layers).items()
        }
        for x in images
    ]
    maps, loss = extractor(image, recipe.style_layers), 0.0
    for n, weight in recipe.style_layers.items():
        A = sum(w * g[n] for w, g in zip(weights, grams, strict=True)) / sum(weights)
        G = torch.einsum("ncyx,ndyx->ncd", maps[n], maps[n]) / maps[n][0].numel()
        loss += weight * ((G - A) ** 2).sum().item() / (A**2).sum().item()
    return loss


def test_several_styles_are_mixed_by_weight(vgg, random_image):
    image, a, b = random_image(1, 32, 32), random_image(2, 32, 40), random_image(3, 40, 32) ** 3
    losses = recipe_objective(image, [(a, 1.0), (b, 3.0)], ONE_SIZE, vgg)(image).tolist()
    assert losses[1] == pytest.approx(style_targets([a, b], [1, 3], ONE_SIZE, vgg, image), rel=1e-4)
    doubled = recipe_objective(image, [(a, 2.0), (b, 6.0)], ONE_SIZE, vgg)(image).tolist()
    assert doubled == pytest.approx(losses, rel=1e-5)


def test_a_style_of_weight_nought_is_as_if_absent(vgg, photo, painting):
    other = load_image("gravel", 48)
    alone = transfer(photo, painting, ONE_SIZE, vgg, progress=False).image
    mixed = transfer(photo, [(painting, 1.0), (other, 0.0)], ONE_SIZE, vgg, progress=False).image
    torch.testing.assert_close(mixed, alone, rtol=0, atol=1e-3)
    evenly = transfer(photo, [(painting, 1.0), (other, 1.0)], ONE_SIZE, vgg, progress=False).image
    assert (evenly - alone).abs().mean() > 1e-3


# --- what is taken


def test_pictures_come_by_name_by_path_or_as_tensors(vgg, photo, tmp_path):
    painting = load_image("starry_night")
    recipe = ONE_SIZE.replace(steps=2)
    by_tensor = transfer(photo, painting, recipe, vgg, progress=False)
    by_name = transfer("astronaut", "starry_night", recipe, vgg, progress=False)
    assert torch.equal(by_name.image, by_tensor.image)
    path = save_image(quantise(photo), tmp_path / "mine.png")
    by_path = transfer(path, [("starry_night", 2.0)], recipe, vgg, progress=False)
    by_tensor = transfer(quantise(photo), painting, recipe, vgg, progress=False)
    torch.testing.assert_close(by_path.image, by_tensor.image, rtol=0, atol=1e-3)


def test_a_recipe_comes_by_name(monkeypatch, photo, painting):
    """... and decides which network is loaded, unless one is given."""
    asked = []
    monkeypatch.setattr(running, "shared_extractor", lambda *a: asked.append(a) or pytest.skip.Exception)
    with pytest.raises(AttributeError):
        optimise(photo, painting, "squeezenet", device="cpu")
    assert asked == [("squeezenet1_1", "imagenet", "max", "zeros", "cpu")]


def test_grey_pictures_give_a_coloured_result(vgg, photo, painting):
    grey = photo.mean(1, keepdim=True)
    result = transfer(grey, painting, ONE_SIZE, vgg, progress=False)
    assert result.image.shape == (1, 3, 48, 48)
    as_rgb = transfer(grey.expand(-1, 3, -1, -1), painting, ONE_SIZE, vgg, progress=False)
    assert torch.equal(result.image, as_rgb.image)
    assert (
        transfer(photo, painting.mean(1, keepdim=True), ONE_SIZE, vgg, progress=False).image.isfinite().all()
    )


def test_odd_shapes_and_panoramas_go_through(vgg, random_image):
    content, panorama = random_image(1, 33, 57), random_image(2, 20, 120)
    result = transfer(content, panorama, SMALL, vgg, progress=False)
    assert result.image.shape == content.shape


def test_a_small_picture_starts_at_the_least_size_of_the_network(vgg, random_image, painting):
    sizes = [step.image.shape[-2:] for step in optimise(random_image(1, 20, 30), painting, SMALL, vgg)]
    assert sizes == [(16, 24)] * 4 + [(20, 30)] * 5


def test_a_scale_in_pixels_is_that_size_whatever_the_contents(random_vgg, random_image, painting):
    recipe = SMALL.replace(scales=(36, 1.0))
    for side in (48, 60, 30):
        steps = optimise(random_image(1, side - 12, side), painting, recipe, random_vgg)
        first = min(36, side)
        assert [step.size for step in steps] == [first] * 4 + [side] * 5


def test_a_picture_too_small_for_the_network_is_refused_with_the_least_size(vgg, random_image, painting):
    with pytest.raises(LayerError, match="relu5_1 needs at least 16 x 16 pixels, the photograph has 30 x 12"):
        list(optimise(random_image(1, 12, 30), painting, SMALL, vgg))


# --- results


def test_a_result_holds_the_picture_and_how_it_came_about(vgg, photo, painting):
    watched = []
    result = transfer(photo, painting, SMALL, vgg, callback=watched.append, progress=False)
    assert isinstance(result, Result) and result.recipe == SMALL and not result.interrupted
    assert [step.index for step in watched] == list(range(1, 10))
    assert result.history == [step.losses for step in watched]
    assert all(set(losses) == {"content", "style", "tv", "total"} for losses in result.history)
    assert torch.equal(result.image, watched[-1].image) and result.image.shape == photo.shape
    assert result.seconds >= watched[-1].seconds


@pytest.fixture
def interruptible():
    """A shell that starts the tests in the background lets them ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize(("stop_at", "came_to"), [(2, 2), (7, 7), (1, 1)])
def test_an_interrupt_gives_the_picture_so_far_at_full_size(vgg, photo, painting, stop_at, came_to):
    pictures = []

    def callback(step):
        pictures.append(step.image)
        if step.index == stop_at:
            signal.raise_signal(signal.SIGINT)

    result = transfer(photo, painting, SMALL, vgg, callback=callback, progress=False)
    assert result.interrupted and len(result.history) == came_to
    assert result.image.shape == photo.shape
    torch.testing.assert_close(result.image, resize(pictures[-1], (48, 48)).clamp(0, 1))


def test_a_gradient_is_made_when_the_way_back_comes_to_its_layer(vgg, photo, painting, monkeypatch):
    """Those of all Gram matrices at once would be a tenth of all memory."""
    log, walk, backward = [], vgg.walk, _Gram.backward

    def walked(image, layers):
        for name, maps in walk(image, layers):
            if maps.requires_grad:
                maps.register_hook(lambda _, name=name: log.append(name))
            yield name, maps

    def undone(ctx, gradient):
        log.append(f"Gram matrix of {ctx.saved_tensors[0].shape[-1]} channels")
        return backward(ctx, gradient)

    monkeypatch.setattr(vgg, "walk", walked)
    monkeypatch.setattr(_Gram, "backward", staticmethod(undone))
    next(optimise(photo, painting, ONE_SIZE, vgg))
    grams = [entry for entry in log if entry.startswith("Gram")]
    assert [entry for entry in log if entry != "relu4_2"] == [
        entry
        for pair in zip(grams, sorted(ONE_SIZE.style_layers, reverse=True), strict=True)
        for entry in pair
    ]


def test_an_interrupt_inside_a_step_gives_the_step_before(vgg, photo, painting, steps):
    calls = []

    def stop(*_):
        calls.append(1)
        if len(calls) == 2 + 3:  # two targets, two steps, and in the midst of the third
            raise KeyboardInterrupt

    handle = vgg.get_submodule("_stages.conv1_1").register_forward_hook(stop)
    try:
        result = transfer(photo, painting, SMALL, vgg, progress=False)
    finally:
        handle.remove()
    assert result.interrupted and result.history == [step.losses for step in steps[:2]]
    torch.testing.assert_close(result.image, resize(steps[1].image, (48, 48)).clamp(0, 1))


def test_an_interrupt_before_there_is_a_picture_is_an_interrupt(vgg, photo, painting):
    def stop(*_):
        raise KeyboardInterrupt

    handle = vgg.get_submodule("_stages.conv1_1").register_forward_hook(stop)
    try:
        with pytest.raises(KeyboardInterrupt):
            transfer(photo, painting, SMALL, vgg, progress=False)
    finally:
        handle.remove()


def test_other_errors_of_a_callback_are_not_swallowed(vgg, photo, painting):
    def callback(step):
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        transfer(photo, painting, SMALL, vgg, callback=callback, progress=False)


def test_progress_shows_loss_and_time_on_stderr_and_only_when_asked(vgg, photo, painting, capsys):
    result = transfer(photo, painting, SMALL, vgg)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "step 9 of 9, " in captured.err and "48 px" in captured.err and "<" in captured.err
    assert f"{result.history[-1]['total']:.4g}" in captured.err
    transfer(photo, painting, SMALL, vgg, progress=False)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_progress_is_plain_text_in_the_output_of_a_notebooks_cell(vgg, photo, painting, monkeypatch, capsys):
    class OutStream(io.StringIO):
        """As a kernel's sys.stdout."""

    OutStream.__module__ = "ipykernel.iostream"
    cell = OutStream()
    monkeypatch.setattr("sys.stdout", cell)
    transfer(photo, painting, ONE_SIZE.replace(steps=1), vgg)
    assert "step 1 of 1, " in cell.getvalue() and capsys.readouterr().err == ""


# --- numbers that are none


@pytest.mark.parametrize(
    ("term", "settings"),
    [
        ("tv", {"tv_weight": 1.0, "tv_power": 2, "tv_scale": (1e30, 1e30, 1e30)}),
        ("style", {"feature_scale": 1e12, "style_reduction": "sum"}),
        ("content", {"feature_scale": 1e25, "content_reduction": "sum", "init": "noise"}),
        ("total", {"style_weight": 1e38, "style_reduction": "sum", "content_reduction": "sum"}),
    ],
)
def test_a_term_that_overflows_is_named(vgg, photo, painting, term, settings):
    with pytest.raises(
        OptimisationError, match=rf"step 1: the {term} loss is inf; lower the learning rate or the weights"
    ):
        transfer(photo, painting, ONE_SIZE.replace(**settings), vgg, progress=False)


class Fails:
    """A term that is no number at its third evaluation, and 0 at all others."""

    name, weight, layers = "mine", 1.0, ()

    def prepare(self, scene, network):
        calls = iter(range(1, 99))
        return lambda image, maps: image.mean() * (math.nan if next(calls) == 3 else 0.0)


def test_a_nan_that_appears_on_the_way_stops_the_transfer(vgg, photo, painting):
    with pytest.raises(OptimisationError, match=r"step 3: the mine loss is nan"):
        transfer(photo, painting, ONE_SIZE, vgg, progress=False, terms=[Fails()])


class Reads(TorchDispatchMode):
    """Counts what a host waits for a device for: numbers read as Python's, and tests of truth."""

    def __init__(self, monkeypatch):
        super().__init__()
        self.count, honest = 0, torch.Tensor.tolist

        def tolist(tensor):  # of a CPU's tensors does not pass here as an operation
            self.count += 1
            return honest(tensor)

        monkeypatch.setattr(torch.Tensor, "tolist", tolist)

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function.overloadpacket.__name__
        self.count += name in ("_local_scalar_dense", "item", "nonzero", "equal", "is_nonzero")
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("settings", [{}, {"tv_weight": 0.1}, {"colours": "luminance"}])
def test_a_step_reads_no_number_back(vgg, photo, painting, monkeypatch, settings):
    """As on a GPU, where losses are read when shown, and every eighth step for whether they are numbers."""
    monkeypatch.setattr(running, "READ_EVERY", {})
    with Reads(monkeypatch) as reads:
        steps = optimise(photo, painting, ONE_SIZE.replace(steps=(9,), **settings), vgg)
        first = next(steps)
        begun = reads.count  # pictures and targets are looked at before the first step
        assert [next(steps).index for _ in range(6)] == [2, 3, 4, 5, 6, 7]
        assert reads.count == begun
        assert first.losses["total"] > 0 and reads.count == begun + 1
        next(steps)
        assert reads.count == begun + 2


def test_a_nan_is_named_by_its_own_step_where_losses_are_read_seldom(vgg, photo, painting, monkeypatch):
    monkeypatch.setattr(running, "READ_EVERY", {})
    steps = optimise(photo, painting, ONE_SIZE, vgg, terms=[Fails()])
    assert [next(steps).index for _ in range(5)] == [1, 2, 3, 4, 5]
    with pytest.raises(OptimisationError, match=r"step 3: the mine loss is nan"):
        next(steps)


def test_a_step_refused_for_an_infinite_loss_leaves_no_trace(random_image):
    """Infinite gradients, too: 0 × ∞ would poison every later step."""
    centre = torch.full((1, 3, 4, 4), 0.5)

    def terms_of(x):
        wall = torch.where(x > 0.52, math.inf, 0.0) * x
        return (((x - centre) ** 2).sum() + wall.sum()).expand(4)

    seen = descend(terms_of, torch.full((1, 3, 4, 4), 0.1), 40, bounds="project")
    assert all(image.isfinite().all() and terms.isfinite().all() for image, terms in seen)
    assert seen[-1][1][-1] < 0.01 * seen[0][1][-1]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("settings", [{}, {"optimiser": "adam", "learning_rate": 0.02}])
def test_a_gpu_makes_the_cpus_picture(photo, painting, settings):
    recipe = SMALL.replace(**settings)
    here = transfer(photo, painting, recipe, progress=False, device="cpu")
    there = transfer(photo, painting, recipe, progress=False, device="cuda")
    assert there.image.device.type == "cpu"
    assert (here.image - there.image).abs().mean() < 0.01
    for ours, theirs in zip(here.history, there.history, strict=True):
        assert theirs == pytest.approx(ours, rel=0.02, abs=1e-6)


# --- complaints


def test_pictures_are_complained_about_before_the_first_step(vgg, photo, painting, random_image):
    with pytest.raises(ImageError, match="holiday"):
        optimise("holiday.jpg", painting, SMALL, vgg)
    with pytest.raises(ImageError, match="did you mean starry_night"):
        optimise(photo, "stary_night", SMALL, vgg)
    with pytest.raises(StylelabError, match=r"\(1, 3, H, W\), got \(2, 3, 32, 32\); one picture at a time"):
        optimise(random_image(0, 32, 32, count=2), painting, SMALL, vgg)
    with pytest.raises(StylelabError, match=r"got \(3, 32, 32\)"):
        optimise(photo, random_image(0, 32, 32)[0], SMALL, vgg)
    with pytest.raises(
        StylelabError, match=r"floats in \[0, 1\], got torch.uint8.*divide 8-bit values by 255"
    ):
        optimise((photo * 255).to(torch.uint8), painting, SMALL, vgg)
    with pytest.raises(
        StylelabError, match=r"floats in \[0, 1\], got .* to 2\d\d.*divide 8-bit values by 255"
    ):
        optimise(photo, painting * 255, SMALL, vgg)
    with pytest.raises(StylelabError, match="nan"):
        optimise(photo.clone().fill_(math.nan), painting, SMALL, vgg)


def test_styles_that_make_no_sense_are_refused(vgg, photo, painting):
    for styles in ([], {}, ()):
        with pytest.raises(StylelabError, match="no style: give a painting, or a list of them"):
            optimise(photo, styles, SMALL, vgg)
    with pytest.raises(ImageError, match="a picture cannot be read from tuple"):
        optimise(photo, [(painting, 1.0, 2.0)], SMALL, vgg)
    with pytest.raises(StylelabError, match="style weights"):
        optimise(photo, {"gravel": "much"}, SMALL, vgg)
    for weights in ((0.0, 0.0), (1.0, -1.0), (math.inf, 1.0), (math.nan, 1.0)):
        with pytest.raises(StylelabError, match="style weights"):
            optimise(photo, [(painting, w) for w in weights], SMALL, vgg)


def test_recipes_and_layers_that_do_not_exist_are_refused(vgg, photo, painting):
    with pytest.raises(RecipeError, match="gatsy"):
        transfer(photo, painting, "gatsy", vgg)
    with pytest.raises(LayerError, match="relu4_9"):
        transfer(photo, painting, SMALL.replace(content_layers={"relu4_9": 1.0}), vgg, progress=False)
    with pytest.raises(LayerError, match=r'unknown layer "(fire|relu)'):
        transfer(photo, painting, "squeezenet", vgg, progress=False)


def test_a_device_that_is_not_there_is_refused_at_once(monkeypatch, photo, painting):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for call in (optimise, transfer):
        with pytest.raises(StylelabError, match='this machine has no device "cuda"'):
            call(photo, painting, SMALL, device="cuda")
        with pytest.raises(StylelabError, match='unknown device "gpu"'):
            call(photo, painting, SMALL, device="gpu")


# --- colours and precision


@pytest.mark.parametrize("method", COLOURS[1:])
def test_colours_before_the_transfer_are_those_of_match_colours(vgg, photo, painting, method):
    built_in = transfer(photo, painting, ONE_SIZE.replace(colours=method, steps=3), vgg, progress=False)
    recoloured = match_colours(painting, photo, method)
    by_hand = transfer(photo, recoloured, ONE_SIZE.replace(steps=3), vgg, progress=False)
    assert torch.equal(built_in.image, by_hand.image)


def test_luminance_keeps_the_photographs_chroma(vgg, photo, painting):
    result = transfer(photo, painting, SMALL.replace(colours="luminance"), vgg, progress=False)
    kept, original = rgb_to_yuv(result.image)[0], rgb_to_yuv(photo)[0]
    inside = ((result.image > 0) & (result.image < 1)).all(1)[
        0
    ]  # elsewhere a screen's range cut a channel off
    assert inside.float().mean() > 0.4
    torch.testing.assert_close(kept[1:, inside], original[1:, inside], rtol=0, atol=1e-5)
    assert (kept[0] - original[0]).abs().mean() > 0.02, "the luminance was not painted"
    assert result.history[-1]["total"] < result.history[0]["total"]


def test_an_interrupted_luminance_transfer_is_of_full_size_too(vgg, photo, painting):
    def callback(step):
        assert step.image.shape[1] == 3
        raise KeyboardInterrupt

    result = transfer(photo, painting, SMALL.replace(colours="luminance"), vgg, callback, progress=False)
    assert result.interrupted and result.image.shape == photo.shape


def test_bfloat16_gives_close_losses(vgg, photo, painting, steps):
    """Of the same images: two descents part ways, as any two that differ in their last digits."""
    photo, rough = resize(photo, 32).clamp(0, 1), ONE_SIZE.replace(precision="bfloat16", steps=3)
    by_precision = [
        recipe_objective(photo, [(resize(painting, 32).clamp(0, 1), 1.0)], r, vgg) for r in (ONE_SIZE, rough)
    ]
    for image in (photo, resize(steps[-1].image, 32).clamp(0, 1)):
        exact, low = (terms_of(image).tolist() for terms_of in by_precision)
        assert low == pytest.approx(exact, rel=0.1, abs=1e-3) and low != exact
    result = transfer(photo, painting, rough, vgg, progress=False)
    assert result.image.dtype == torch.float32
    assert result.history[-1]["total"] < result.history[0]["total"]


@pytest.mark.parametrize(
    ("precision", "fast", "expected"),
    [("auto", True, True), ("auto", False, False), ("float32", True, False), ("bfloat16", False, True)],
)
def test_auto_precision_is_decided_by_the_processor(
    vgg, photo, painting, monkeypatch, precision, fast, expected
):
    monkeypatch.setattr("stylelab.device.has_fast_bfloat16", lambda device: fast)
    lowered = []
    handle = vgg.get_submodule("_stages.conv1_1").register_forward_hook(
        lambda *_: lowered.append(torch.is_autocast_enabled("cpu"))
    )
    try:
        next(optimise(photo, painting, ONE_SIZE.replace(precision=precision), vgg))
    finally:
        handle.remove()
    assert set(lowered) == {expected}
    assert not torch.is_autocast_enabled("cpu")


# --- the yardstick


def yardstick(image, content, style, vgg):
    """By hand: bundled weights, relu4_2 for content, the mean over relu1_1 … relu5_1 for style."""
    image = (image * 255).round() / 255
    layers = ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"]
    F, P, S = vgg(image, [*layers, "relu4_2"]), vgg(content, ["relu4_2"]), vgg(style, layers)
    content_loss = ((F["relu4_2"] - P["relu4_2"]) ** 2).sum() / (P["relu4_2"] ** 2).sum()
    style_loss = 0.0
    for name in layers:
        G = torch.einsum("ncyx,ndyx->cd", F[name], F[name]) / F[name][0].numel()
        A = torch.einsum("ncyx,ndyx->cd", S[name], S[name]) / S[name][0].numel()
        style_loss += (((G - A) ** 2).sum() / (A**2).sum()).item() / 5
    return {"content": content_loss.item(), "style": style_loss}


def test_relative_losses_are_those_of_the_8_bit_picture(vgg, photo, painting, random_image):
    image = random_image(1, 48, 48)
    losses = relative_losses(image, photo, painting, vgg)
    assert losses == pytest.approx(yardstick(image, photo, resize(painting, 48).clamp(0, 1), vgg), rel=1e-3)
    assert relative_losses(quantise(image), photo, painting, vgg) == losses


def test_relative_losses_do_not_depend_on_the_default_recipe(vgg, photo, painting, random_image, monkeypatch):
    image = random_image(1, 48, 48)
    expected = relative_losses(image, photo, painting, vgg)
    other = RECIPES["classic"].replace(name="default")
    monkeypatch.setitem(RECIPES, "default", other)
    assert relative_losses(image, photo, painting, vgg) == expected


def test_relative_losses_load_pictures_at_the_results_size(vgg, random_image, tmp_path):
    image = random_image(1, 40, 40)
    path = save_image(image, tmp_path / "result.png")
    losses = relative_losses(path, "astronaut", "starry_night", vgg)
    content, style = load_image("astronaut", 40), load_image("starry_night", 40)
    assert losses == pytest.approx(yardstick(image, content, style, vgg), rel=1e-3)


def test_a_picture_is_no_distance_from_itself(vgg, photo):
    photo = quantise(photo)
    assert relative_losses(photo, photo, photo, vgg) == pytest.approx({"content": 0, "style": 0}, abs=1e-9)


def test_another_photograph_is_no_yardstick(vgg, random_image, painting):
    with pytest.raises(ImageError, match="the picture is 48×32 and the content 48×48: give the photograph"):
        relative_losses(random_image(1, 32, 48), random_image(2, 48, 48), painting, vgg)


# --- descent, on functions whose minimum is known


def bowl(centre, scale=1.0, stiffness=None):
    """½ Σ k (x − c)², with the pixels' stiffness k from 1 to 30; its terms as an objective's."""
    k = torch.linspace(1, 30, centre.numel()).view_as(centre) if stiffness is None else stiffness

    def terms_of(x):
        total = scale * (k * (x - centre) ** 2).sum() / 2
        return torch.stack([total, total, total, total])

    return terms_of


def descend(terms_of, start, steps=60, **settings):
    recipe = ONE_SIZE.replace(**settings)
    return list(minimise(terms_of, start, recipe, steps))


@pytest.mark.parametrize("bounds", ["project", "clamp", "none"])
def test_lbfgs_finds_the_bottom_of_a_bowl(random_image, bounds):
    centre = 0.2 + 0.6 * random_image(1, 8, 8)
    seen = descend(bowl(centre), random_image(2, 8, 8), bounds=bounds)
    assert len(seen) == 60
    torch.testing.assert_close(seen[-1][0], centre, rtol=0, atol=1e-3)


def test_projection_finds_the_nearest_picture_to_a_bottom_out_of_range(random_image):
    centre = 2 * random_image(1, 8, 8) - 0.5  # half of it outside
    seen = descend(bowl(centre), random_image(2, 8, 8), bounds="project")
    torch.testing.assert_close(seen[-1][0], centre.clamp(0, 1), rtol=0, atol=1e-3)
    totals = [terms[-1].item() for _, terms in seen]
    assert all(later <= earlier for earlier, later in pairwise(totals))
    assert all(image.min() >= 0 and image.max() <= 1 for image, _ in seen)


def test_projection_solves_a_bounded_problem_whose_pixels_depend_on_each_other():
    """Against many small projected gradient steps, which are slow and certain."""
    generator = torch.Generator().manual_seed(0)
    root = torch.randn(48, 48, generator=generator) / 7
    hessian, centre = root @ root.T + 0.05 * torch.eye(48), 1.5 * torch.randn(48, generator=generator) + 0.5

    def value(x):
        d = x.flatten() - centre
        return d @ hessian @ d / 2

    x, rate = torch.full((48,), 0.5), 1 / torch.linalg.eigvalsh(hessian)[-1]
    for _ in range(20_000):
        x = (x - rate * (hessian @ (x - centre))).clamp(0, 1)
    seen = descend(lambda image: value(image).expand(4), torch.full((1, 3, 4, 4), 0.5), 200, bounds="project")
    assert value(seen[-1][0]).item() == pytest.approx(value(x).item(), rel=1e-3)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_projected_lbfgs_moves_however_small_the_loss(random_image, scale):
    centre, start = 0.2 + 0.6 * random_image(1, 8, 8), random_image(2, 8, 8)
    seen = descend(bowl(centre, scale), start, bounds="project")
    assert seen[-1][1][-1] < 0.01 * seen[0][1][-1]


def test_projected_lbfgs_takes_back_a_step_that_went_too_far(random_image):
    """A loss with a wall: beyond it everything is worse, whatever the curvature promised."""
    centre = torch.full((1, 3, 4, 4), 0.8)

    def terms_of(x):
        total = ((x - centre) ** 2).sum() + 50 * (x - 0.6).clamp_min(0).sum()
        return total.expand(4)

    seen = descend(terms_of, torch.full((1, 3, 4, 4), 0.1), 40, bounds="project")
    for image, terms in seen:  # the image shown is always the one whose terms are shown
        torch.testing.assert_close(terms_of(image), terms)
    totals = [terms[-1].item() for _, terms in seen]
    assert all(later <= earlier for earlier, later in pairwise(totals))
    assert seen[-1][0].max() < 0.65 and totals[-1] < 0.5 * totals[0]


def test_a_start_that_is_already_the_bottom_stays(random_image):
    centre = random_image(1, 8, 8)
    for image, terms in descend(bowl(centre), centre, 5, bounds="project"):
        assert torch.equal(image, centre) and terms[-1] == 0


def test_one_evaluation_a_step(random_image):
    for settings in ({"optimiser": "adam"}, {"bounds": "project"}, {"bounds": "none"}):
        calls, terms_of = [], bowl(random_image(1, 8, 8))
        seen = descend(
            lambda x, calls=calls, terms_of=terms_of: calls.append(1) or terms_of(x),
            random_image(2, 8, 8),
            7,
            **settings,
        )
        assert len(calls) == len(seen) == 7


def test_adam_moves_by_its_learning_rate_and_drops_it_when_told():
    """Along a constant slope every step of Adam is the learning rate."""
    recipe = ONE_SIZE.replace(
        optimiser="adam", learning_rate=0.01, learning_rate_drops=((3, 0.001),), bounds="none"
    )
    seen = list(minimise(lambda x: x.sum().expand(4), torch.full((1, 3, 2, 2), 0.9), recipe, 6))
    values = [image[0, 0, 0, 0].item() for image, _ in seen]
    falls = [before - after for before, after in pairwise(values)]
    assert falls == pytest.approx([0.01, 0.01, 0.001, 0.001, 0.001], rel=1e-3)


def test_bounds_none_leaves_the_range_and_clamp_does_not(random_image):
    centre, start = torch.full((1, 3, 4, 4), 1.5), random_image(2, 4, 4)
    free = descend(bowl(centre), start, 30, bounds="none")
    held = descend(bowl(centre), start, 30, bounds="clamp")
    assert free[-1][0].max() > 1.4
    assert all(image.max() <= 1 for image, _ in held) and held[-1][0].min() > 0.95


# --- what people type


def last(*arguments, **options):
    return transfer(*arguments, progress=False, **options).image


def test_several_styles_can_be_written_as_a_list_or_with_their_weights(random_vgg, photo):
    one = last(photo, [("gravel", 2), ("brick", 1)], ONE_SIZE, random_vgg)
    assert torch.equal(last(photo, {"gravel": 2, "brick": 1}, ONE_SIZE, random_vgg), one)
    equal = last(photo, [("gravel", 1.0), ("brick", 1.0)], ONE_SIZE, random_vgg)
    for written in (["gravel", "brick"], ("gravel", "brick"), [("gravel", 3), ("brick", np.float32(3))]):
        assert torch.equal(last(photo, written, ONE_SIZE, random_vgg), equal)
    assert torch.equal(
        last(photo, ("gravel", 1), ONE_SIZE, random_vgg), last(photo, "gravel", ONE_SIZE, random_vgg)
    )


def test_any_setting_of_the_recipe_can_be_said_by_keyword(random_vgg, photo, painting):
    said = transfer(photo, painting, ONE_SIZE, random_vgg, progress=False, style_weight=10, steps=2)
    recipe = ONE_SIZE.replace(style_weight=10, steps=2)
    assert said.recipe.style_weight == 10 and len(said.history) == 2
    assert torch.equal(said.image, last(photo, painting, recipe, random_vgg))
    *_, step = optimise(photo, painting, ONE_SIZE, random_vgg, style_weight=10, steps=2)
    assert torch.equal(step.image, said.image)
    noise = ONE_SIZE.replace(init="noise")
    assert torch.equal(
        last(photo, painting, ONE_SIZE, random_vgg, init="noise"), last(photo, painting, noise, random_vgg)
    )
    with pytest.raises(RecipeError, match=r'unknown setting "style_wieght"; did you mean style_weight'):
        transfer(photo, painting, ONE_SIZE, random_vgg, style_wieght=3)
    with pytest.raises(RecipeError, match='unknown init "zeros"'):
        transfer(photo, painting, ONE_SIZE, random_vgg, init="zeros")


def test_a_dict_of_settings_is_a_recipe(random_vgg, photo, painting):
    settings = {"scales": [1.0], "steps": 3, "style_weight": 2, "precision": "float32"}
    made = transfer(photo, painting, settings, random_vgg, progress=False)
    assert made.recipe.style_weight == 2 and len(made.history) == 3
    again = transfer(photo, painting, made.recipe.to_dict(), random_vgg, progress=False)
    assert torch.equal(again.image, made.image)


def test_where_all_weights_are_0_there_is_nothing_to_do(random_vgg, photo, painting):
    nothing = r"there is nothing to do: the weights of content, style, tv are all 0"
    with pytest.raises(RecipeError, match=nothing):
        transfer(photo, painting, ONE_SIZE, random_vgg, content_weight=0, style_weight=0)


@pytest.mark.parametrize("seed", [1.5, "1", None, -1, True, 2**63])
def test_a_seed_is_a_whole_number(random_vgg, photo, painting, seed):
    with pytest.raises(StylelabError, match=r"seed .*: use a whole number from 0 to 9223372036854775807"):
        transfer(photo, painting, ONE_SIZE, random_vgg, seed=seed)


def test_a_picture_that_is_too_small_is_named(random_vgg, photo, tmp_path):
    save_image(torch.rand(1, 3, 9, 40), tmp_path / "thin.png")
    with pytest.raises(
        LayerError, match=r"needs at least 16 x 16 pixels, the painting thin\.png has 40 x 9; "
    ):
        transfer(photo, ["gravel", tmp_path / "thin.png"], ONE_SIZE, random_vgg)


# --- what a result can do


def test_a_saved_result_is_its_own_receipt(random_vgg, painting, tmp_path):
    made = transfer("cat", {"gravel": 2}, ONE_SIZE, random_vgg, progress=False, size=48, seed=3)
    settings = read_settings(made.save(tmp_path / "mine.png"))
    assert torch.equal(load_image(tmp_path / "mine.png"), quantise(made.image))
    assert (settings["content"], settings["style"], settings["seed"]) == ("cat", [["gravel", 2.0]], 3)
    assert Recipe.from_dict(settings["recipe"]) == made.recipe and "stopped_after" not in settings
    given = transfer(load_image("cat", 48), painting, ONE_SIZE, random_vgg, progress=False, init=made.image)
    settings = given.settings()
    assert (settings["content"], settings["style"]) == ("picture", [["picture", 1.0]])
    assert {"init", "detail"} <= set(settings["without_effect"])


def test_a_result_and_a_step_show_themselves_with_one_line(random_vgg, photo, painting):
    made = transfer(photo, painting, ONE_SIZE, random_vgg, progress=False)
    step = next(optimise(photo, painting, ONE_SIZE, random_vgg))
    for shown, begins in (
        (made, f"{photo.shape[-1]} × {photo.shape[-2]} px, 6 steps in "),
        (step, "Step 1 of 6, "),
    ):
        bundle = shown._repr_mimebundle_()
        assert repr(shown).startswith(begins) and "\n" not in repr(shown)
        assert "style " in repr(shown) and bundle["text/plain"] == repr(shown)
        (data,) = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', bundle["text/html"])
        assert Image.open(io.BytesIO(base64.b64decode(data))).size == (photo.shape[-1], photo.shape[-2])
        assert f"<em>{shown!r}</em>" in bundle["text/html"]


# --- what is optimised, and what is recorded


def test_one_channel_is_optimised_where_only_one_is_kept(random_vgg, photo, painting):
    seen = []

    class Shape:
        name, weight, layers = "shape", 0.0, ()

        def prepare(self, scene, network):
            return lambda image, maps: (seen.append(image.shape[1]), image.mean())[1]

    for init in ("content", "noise"):
        recipe = ONE_SIZE.replace(colours="luminance", init=init)
        result = transfer(photo, painting, recipe, random_vgg, progress=False, terms=[Shape()])
        assert set(seen) == {1} and result.image.shape == photo.shape
        seen.clear()
    started = transfer(photo, painting, recipe, random_vgg, progress=False, init=photo, terms=[Shape()])
    assert set(seen) == {1} and started.image.shape == photo.shape
    seen.clear()
    grey = transfer(photo[:, :1], painting[:, :1], ONE_SIZE, random_vgg, progress=False, terms=[Shape()])
    assert set(seen) == {1} and torch.equal(grey.image, grey.image[:, :1].expand(-1, 3, -1, -1))
    seen.clear()
    transfer(photo[:, :1], painting, ONE_SIZE, random_vgg, progress=False, terms=[Shape()])
    assert set(seen) == {3}, "a painting in colour brings its colours along"


@pytest.mark.parametrize("colours", [None, "linear"])
def test_a_huge_painting_is_reduced_before_anything_else(random_vgg, photo, colours, monkeypatch):
    """Twelve megapixels recoloured in float64, or shrunk again for each scale, would cost gigabytes."""
    huge = torch.rand(1, 3, 60, 3000, generator=torch.Generator().manual_seed(0))
    sizes, honest = [], running.before_transfer

    def noted(style, *rest):
        sizes.append(max(style.shape))
        return honest(style, *rest)

    monkeypatch.setattr(running, "before_transfer", noted)
    transfer(photo, huge, ONE_SIZE.replace(colours=colours), random_vgg, progress=False)
    assert sizes == [running.ENOUGH]


def test_the_result_names_the_network_that_was_used(photo, painting):
    average = FeatureExtractor(weights="random", pooling="average", padding="replicate", device="cpu")
    result = transfer(photo, painting, ONE_SIZE, average, progress=False)
    used = result.recipe
    assert (used.weights, used.pooling, used.padding) == ("random", "average", "replicate")
    assert used == ONE_SIZE.replace(weights="random", pooling="average", padding="replicate")


def test_of_a_file_of_weights_the_name_is_recorded_and_not_its_folder(photo, painting, random_vgg, tmp_path):
    torch.save({f"features.{k}": v for k, v in flat_weights(random_vgg).items()}, tmp_path / "mine.pth")
    mine = FeatureExtractor(weights=tmp_path / "mine.pth", device="cpu")
    assert transfer(photo, painting, ONE_SIZE, mine, progress=False).recipe.weights == "mine.pth"


def flat_weights(extractor):
    """Its weights by the numbers of the layers, as torchvision's state dicts have them."""
    numbers = {name: number for number, name in enumerate(extractor.layers)}
    state = {k: v for k, v in extractor.state_dict().items() if k.startswith("_stages.")}
    return {f"{numbers[k.split('.')[1]]}.{k.split('.')[2]}": v for k, v in state.items()}
