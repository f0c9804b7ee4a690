"""The benchmarks measure what they say: the parts of which no line of their table speaks."""

import json

import pytest
import torch
from PIL import Image
from torch import nn

from stylelab import FastNetwork, FeatureExtractor, load_image, relative_losses, tv_loss
from stylelab.arbitrary import Decoders
from stylelab.optimisation.published import RECIPES
from stylelab.pictures import at_dusk, edges_found, structural_similarity
from tests.benchmarks import (
    any_style,
    convergence,
    fast,
    painted,
    patches,
    photorealism,
    pictures,
    table,
    transfers,
)


@pytest.fixture(scope="module")
def small():
    extractor = FeatureExtractor(device="cpu")
    return load_image("astronaut", 64), load_image("starry_night", 64), extractor


def test_the_published_loop_goes_down_for_as_many_evaluations_as_asked(small, monkeypatch):
    content, style, extractor = small
    calls = []
    forward = FeatureExtractor.forward
    monkeypatch.setattr(
        FeatureExtractor, "forward", lambda self, *a: calls.append(a[0].requires_grad) or forward(self, *a)
    )
    image, seconds = pictures.published_loop(content, style, 50, extractor, evaluations=25)
    assert sum(calls) == 25
    monkeypatch.undo()
    before, after = (relative_losses(i, content, style, extractor)["style"] for i in (content, image))
    assert after < 0.5 * before
    assert image.min() >= 0 and image.max() <= 1 and seconds > 0


def test_the_clock_stops_at_the_first_picture_that_is_no_worse_in_either_loss(small, monkeypatch):
    content, style, extractor = small
    monkeypatch.setattr(pictures, "STEPS", 12)
    easy = {"content": 2.0, "style": 2.0}
    reached = pictures.seconds_until(easy, content, style, 5.5, extractor)
    assert reached.seconds > 0 and all(reached.losses[term] <= easy[term] for term in easy)
    assert relative_losses(reached.image, content, style, extractor) == reached.losses
    for impossible in ({"content": 0.0, "style": 2.0}, {"content": 2.0, "style": 0.0}):
        assert pictures.seconds_until(impossible, content, style, 5.5, extractor).seconds is None


def test_the_pictures_compared_are_kept(small, monkeypatch, tmp_path):
    monkeypatch.setattr(pictures, "TRIALS", 1)
    (row,) = pictures.rows((64,), weights=(50,), evaluations=2, folder=tmp_path)
    assert "astronaut + starry_night, 64 px, w = 50" in row.what
    with Image.open(tmp_path / "equal_64.jpg") as kept:
        assert kept.width > 800


def test_a_picture_may_be_begun_by_the_fast_network(small, monkeypatch):
    content, _, extractor = small
    monkeypatch.setattr(pictures, "STEPS", 4)
    reached = pictures.seconds_until(
        {"content": 2.0, "style": 2.0}, content, "starry_night", 5.5, extractor, fast=True
    )
    assert reached.seconds > 0 and pictures.quickest(fast=True).init == "fast"


@pytest.fixture
def short(monkeypatch):
    """The recipes, shortened to four steps."""
    for name in ("default", "quick"):
        monkeypatch.setitem(RECIPES, name, RECIPES[name].replace(steps=4))


def test_convergence_compares_with_four_times_the_evaluations_and_with_the_loop(short, tmp_path):
    pair = ("grace_hopper", "starry_night")
    options = {"size": 48, "folder": tmp_path, "evaluations": 3, "weights": (5,)}
    converged, quick, loop = convergence.rows([pair], **options)
    found = json.loads((tmp_path / "converged_grace_hopper_starry_night_48.json").read_text())
    counts = {name: of["evaluations"] for name, of in found.items()}
    assert counts == {"default": 4, "four times": 16, "quick": 4, "loop at 5": 3}
    image = load_image(tmp_path / "converged_grace_hopper_starry_night_48_default.png")
    losses = relative_losses(image, convergence.photograph(pair[0], 48), load_image(pair[1], 48))
    losses["tv"] = tv_loss(image).item()
    assert losses == pytest.approx({term: found["default"][term] for term in losses})
    weights = RECIPES["default"].style_weight, RECIPES["default"].tv_weight
    total = [of["content"] + weights[0] * of["style"] + weights[1] * of["tv"] for of in found.values()]
    assert float(converged.ratio) == pytest.approx(total[0] / total[1], abs=6e-4)
    assert converged.met == (total[0] <= 1.08 * total[1]) and quick.met is None
    assert loop.met == any(found["loop at 5"][t] >= found["default"][t] for t in ("content", "style"))


def test_what_convergence_has_measured_is_not_made_again(short, tmp_path, monkeypatch):
    options = {"size": 48, "folder": tmp_path, "evaluations": 1, "weights": ()}
    first = [str(row) for row in convergence.rows(convergence.PAIRS[:1], **options)]
    monkeypatch.setattr(convergence, "transfer", None)
    assert [str(row) for row in convergence.rows(convergence.PAIRS[:1], **options)] == first


def test_half_of_the_convergence_pairs_are_of_photographs_kept_aside():
    assert len(set(convergence.PAIRS)) == 10
    tuned = {content for content, _ in convergence.TUNED}
    for content, _ in convergence.KEPT_ASIDE:
        assert content not in tuned and convergence.photograph(content, 64).shape[1] == 3


def test_the_network_is_compared_with_the_default_and_that_is_measured_once(short, tmp_path, monkeypatch):
    network = FastNetwork(["brick", "starry_night"])
    options = {"photographs": ("cat", "pagoda"), "size": 72, "folder": tmp_path, "network": network}
    brick, starry, stable = painted.rows(network.styles, **options)
    kept = [
        json.loads((tmp_path / f"default_{name}_brick_72.json").read_text()) for name in ("cat", "pagoda")
    ]
    style = sum(losses["style"] for losses in kept) / 2
    assert brick.goal.endswith(f", {1.5 * style + 0.05:.3f}") and starry.goal.endswith(", 0.100")
    assert brick.met is False, "it has learnt nothing"
    monkeypatch.setattr(painted, "transfer", None)
    assert list(painted.rows(network.styles, **options)) == [brick, starry, stable]
    assert stable.what.endswith("the worst of 4") and float(stable.ours.removesuffix(" dB")) > 5


def test_photorealism_compares_four_methods_and_keeps_their_pictures(monkeypatch, tmp_path):
    for name in ("quick", "photorealistic"):
        monkeypatch.setitem(RECIPES, name, RECIPES[name].replace(steps=3))
    options = {"pairs": [("cat", "coffee")], "dusks": ["coffee"], "folder": tmp_path, "rounds": 1}
    *compared, cost = photorealism.rows(64, **options)
    assert len(compared) == 4 + 5 and len(list(tmp_path.glob("photorealism_*.png"))) == 4 + 4
    ours = next(row for row in compared if "photorealistic: edges" in row.what)
    image = load_image(tmp_path / "photorealism_cat_coffee_photorealistic.png")
    edges, structure, loss = map(float, ours.ours.split(" in ")[0].split(", "))
    content = load_image("cat", 64)
    assert edges == pytest.approx(edges_found(image, content), abs=0.02)
    assert structure == pytest.approx(structural_similarity(image, content, light=False), abs=0.02)
    assert loss == pytest.approx(relative_losses(image, content, "coffee")["style"], abs=1e-3)
    assert cost.reference.endswith("(without)") and float(cost.ratio) > 0.5


def test_the_halves_of_a_dusk_show_one_light_and_different_things():
    content, style, answer = photorealism.halves("coffee", 96)
    torch.testing.assert_close(at_dusk(content), answer)
    assert content.shape == style.shape == answer.shape
    assert not torch.allclose(style, answer, atol=0.1)


def test_memory_is_that_of_a_process_of_its_own(monkeypatch):
    monkeypatch.setattr(transfers, "MOST", {64: 0.1})
    much = torch.ones(250_000_000)  # this gigabyte is not held there
    for row in transfers.memory((64,)):
        gigabytes = float(row.ours.removesuffix(" GB"))
        assert 0.2 < gigabytes < 1 and row.met is False, "there is no torch in a tenth of a gigabyte"
        assert row.reference.startswith("told: about 0.")
    assert much[-1] == 1 and table.peak() > 1e9


def test_devices_are_compared_where_there_are_two(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert list(transfers.devices((64,))) == []
    (row,) = transfers.devices((64,), device="cpu")
    assert "64 px, on cpu" in row.what and row.met is None and str(row).endswith("|  |")


def test_the_loops_over_pixels_give_what_they_are_compared_with():
    net, pairs = patches.learnt("emboss", 24, ("astronaut",))
    content = patches.square("coffee", 24)
    assert torch.allclose(patches.net_by_loop(net, content), net.stylise(content), atol=1e-5)
    difference = pairs[0][1] - net.stylise(pairs[0][0])
    assert torch.equal(patches.differences_by_loop(difference, difference), difference)


def test_growth_is_the_exponent_of_seconds_against_pixels():
    linear = patches._exponent("", {10: 1.0, 20: 4.0}, 1.1)
    assert linear.ratio == "1.00" and linear.met
    assert not patches._exponent("", {10: 1.0, 20: 8.0}, 1.1).met


def test_a_row_is_a_line_of_the_table():
    row = table.Row("what", "1 s", "2 s", "2.0", "3", False)
    assert str(row) == "| what | 1 s | 2 s | 2.0 | 3 | **no** |"
    assert table.HEAD.split("\n")[0].count("|") == str(row).count("|")


def test_the_usual_network_is_the_one_that_is_said(random_image):
    usual, image = fast.usual_network(), random_image(1, 64, 48)
    numbers = sum(value.numel() for value in usual.parameters())
    assert numbers == pytest.approx(1.68e6, rel=0.01)
    assert usual(image).shape == image.shape


def test_a_fast_network_is_compared_at_both_precisions_and_its_memory_measured(monkeypatch):
    monkeypatch.setattr(fast, "has_fast_bfloat16", lambda device: True)
    *compared, memory = fast.rows(sizes=(32,), repeat=1)
    assert [row.what for row in compared] == [f"fast network, 32 px, {p}" for p in ("float32", "bfloat16")]
    assert all("32-64-128" in row.reference and row.ours.endswith(" ms") for row in compared)
    assert memory.ours.endswith(" MB") and memory.met is True


def test_any_style_is_compared_with_the_published_architectures(monkeypatch, tmp_path, vgg):
    decoders = Decoders()
    monkeypatch.setattr(Decoders, "load", lambda device: decoders)
    monkeypatch.setattr(any_style, "has_fast_bfloat16", lambda device: False)
    monkeypatch.setattr(any_style, "PAIRS", any_style.PAIRS[:1])
    monkeypatch.setattr(any_style, "PHOTOGRAPHS", ("cat",))
    monkeypatch.setattr(any_style, "of_the_default", lambda *_: {"content": 0.5, "style": 0.1})
    *back, adain, wct = any_style.quality(32)
    assert [row.goal for row in back] == ["32 dB", "27 dB", "23 dB", "20 dB"]
    assert all(float(row.ours.split()[0]) < 20 and not row.met for row in back)  # untrained
    assert adain.what == "adain, 32 px, mean of 1 pairs" and wct.reference == "0.50, 0.100 (default)"
    assert [row.what for row in any_style.speed(32, repeat=1)] == [
        f"{name}, 32 px, float32" for name in ("adain", "adain, painting kept", "wct", "wct, painting kept")
    ]


@pytest.mark.parametrize("block", [1, 2, 5])
def test_a_published_decoder_mirrors_vgg(block, vgg):
    """Each convolution of VGG-19 up to the block's first, the other way round."""
    shapes = [tuple(layer.weight.shape[:2]) for layer in any_style.mirror(block) if hasattr(layer, "weight")]
    theirs = [tuple(layer.weight.shape[:2]) for layer in vgg.modules() if isinstance(layer, nn.Conv2d)]
    assert [shape[::-1] for shape in reversed(shapes)] == theirs[: len(shapes)]
    maps = vgg(torch.rand(1, 3, 32, 48), f"relu{block}_1")[f"relu{block}_1"]
    assert any_style.mirror(block)(maps).shape == (1, 3, 32, 48)
