"""The training of a fast network: what it asks for, that it learns, goes on, and adds without disturbing."""

import json

import numpy as np
import pytest
import torch

from stylelab import RECIPES, FastNetwork, fit_fast_network, load_image, optimise, save_image
from stylelab.errors import ImageError, OptimisationError, StylelabError, WeightsError
from stylelab.feedforward.goals import Goals
from stylelab.feedforward.settings import FastSettings
from stylelab.feedforward.training import fast_training
from stylelab.learning.batches import Batches, cut_out, training_photographs
from stylelab.losses import Content, Objective, Scene, Style, TotalVariation
from stylelab.networks.features import Features
from stylelab.networks.layers import RELU_1_TO_5

TINY = {"widths": (4, 6, 8), "blocks": 1, "size": 32, "batch": 2, "style_size": 48, "precision": "float32"}
STYLES = ["starry_night", "brick", "stained_glass"]


@pytest.fixture(scope="module")
def fit(vgg):
    """fit_fast_network with a tiny network and pictures, and no bar."""

    def fitted(styles=STYLES, **asked) -> FastNetwork:
        asked = TINY | {"photographs": ["cat"], "progress": False, "extractor": vgg} | asked
        return fit_fast_network(styles, **asked)

    return fitted


def same(one: FastNetwork, other: FastNetwork) -> bool:
    states = one.state_dict(), other.state_dict()
    return all(torch.equal(states[0][name], states[1][name]) for name in states[0])


# --- what is asked for -----------------------------------------------------------------------------------


def test_the_objective_is_the_foundations(vgg, random_image):
    """A batch's losses are the mean of those that a transfer of each picture would have, by its own terms."""
    settings = FastSettings(**TINY, tv_weight=0.2)
    paintings = {name: load_image(name, 48) for name in STYLES}
    goals = Goals(paintings, settings, Features(vgg))
    photographs, painted = random_image(1, 32, 32, count=2), random_image(2, 32, 32, count=2)
    found = goals.objective(photographs, [2, 0])(painted)
    each = []
    for number, style in enumerate((2, 0)):
        scene = Scene(photographs[[number]], [(paintings[STYLES[style]], 1.0)])
        layers = dict.fromkeys(RELU_1_TO_5, 1 / 5)
        terms = [Content({"relu4_2": 1.0}), Style(layers, 5.5), TotalVariation(0.2)]
        each.append(Objective(terms, scene, Features(vgg))(painted[[number]]))
    assert torch.allclose(found, torch.stack(each).mean(0), rtol=1e-4)


def test_each_style_may_have_its_weight(vgg, random_image):
    paintings = {name: load_image(name, 48) for name in STYLES}
    photographs, painted = random_image(1, 32, 32, count=2), random_image(2, 32, 32, count=2)

    def total(chosen, **weights):
        settings = FastSettings(**TINY, tv_weight=0.0, content_weight=0.0, style_weight=weights)
        return Goals(paintings, settings, Features(vgg)).objective(photographs, chosen)(painted)[-1].item()

    plain = total([0, 1])
    assert total([0, 1], starry_night=0, brick=0) == pytest.approx(0)
    alone = [total([0, 1], starry_night=0), total([0, 1], brick=0)]
    assert sum(alone) == pytest.approx(plain, rel=1e-4)
    assert total([0, 1], starry_night=11) == pytest.approx(plain + alone[1], rel=1e-4)
    assert total([0, 1], stained_glass=50) == pytest.approx(plain, rel=1e-4), "it is not in this batch"


# --- pictures to learn on --------------------------------------------------------------------------------


def test_batches_are_drawn_from_the_seed_and_the_step_alone():
    photographs = [load_image("cat", 100)]
    one, other = (Batches(photographs, 32, 4, 0.5, seed=3) for _ in range(2))
    later = [one.pictures(step) for step in range(1, 8)][-1]
    assert later.shape == (4, 3, 32, 32) and later.min() >= 0 and later.max() <= 1
    assert torch.equal(other.pictures(7), later)
    assert not torch.equal(Batches(photographs, 32, 4, 0.5, seed=4).pictures(7), later)
    assert not torch.equal(one.pictures(6), later)


@pytest.mark.parametrize("share, expected", [(0.0, 0), (0.25, 6), (0.5, 12), (1.0, 24)])
def test_so_many_are_leaves(share, expected):
    white = torch.ones(1, 3, 40, 40)
    batches = Batches([white], 32, 3, share, seed=0)
    pictures = torch.cat([batches.pictures(step) for step in range(1, 9)])
    assert sum(bool((picture < 0.999).any()) for picture in pictures) == expected


def test_without_photographs_all_are_leaves():
    assert Batches([], 32, 2, 0.5, seed=0).pictures(1).std((1, 2, 3)).min() > 0


def test_every_picture_of_a_step_has_another_style_and_all_have_their_turn():
    batches = Batches([], 32, 4, 0.5, seed=0)
    drawn = [batches.styles(step, 13) for step in range(1, 40)]
    assert all(len(set(styles)) == 4 for styles in drawn)
    assert {style for styles in drawn for style in styles} == set(range(13))
    assert sorted(batches.styles(1, 2)) == [0, 0, 1, 1] and batches.styles(1, 1) == [0] * 4


@pytest.mark.parametrize("height, width", [(32, 32), (20, 300), (200, 90)])
def test_cuts_are_squares_of_the_picture(height, width, random_image):
    image = random_image(0, height, width)
    for seed in range(8):
        cut = cut_out(image, 32, np.random.default_rng(seed))
        assert cut.shape == (1, 3, 32, 32) and cut.min() >= 0 and cut.max() <= 1


def test_half_of_the_cuts_are_exposed_anew_and_some_have_white_skies():
    """Of a ramp from 0.1 to 0.9, which has neither black nor white of its own."""
    ramp = torch.linspace(0.1, 0.9, 48).expand(1, 3, 48, 48)
    cuts = [cut_out(ramp, 32, np.random.default_rng(seed)) for seed in range(200)]
    white, black = ([(cut == value).float().mean().item() for cut in cuts] for value in (1, 0))
    exposed = sum(a + b > 0 for a, b in zip(white, black, strict=True))
    assert 50 <= exposed <= 100, "the weakest exposures clip nothing of it"
    assert sum(share > 0.25 for share in white) > 10 and sum(share > 0.25 for share in black) > 10


def test_photographs_come_from_samples_a_folder_or_a_list(tmp_path):
    assert len(training_photographs(None)) == 6
    with pytest.raises(ImageError, match="no pictures"):
        training_photographs(tmp_path)
    save_image(load_image("cat", 24), tmp_path / "a.png")
    (found,) = training_photographs(tmp_path)
    assert torch.equal(found, load_image(tmp_path / "a.png"))
    assert training_photographs([]) == [] and len(training_photographs(["cat", found])) == 2
    with pytest.raises(ImageError, match="a list of them"):
        training_photographs(found)


# --- learning --------------------------------------------------------------------------------------------


def test_it_learns_and_keeps_a_record(fit):
    net = fit(["starry_night"], steps=40, learning_rate=1e-2, seed=1)
    record = net.record
    assert net.styles == ("starry_night",) and record.steps == 40 == len(record.history)
    losses = [row["style"] for row in record.history]
    assert sum(losses[-10:]) < 0.6 * sum(losses[:10])
    assert [row["step"] for row in record.history] == list(range(1, 41))
    assert set(record.history[0]) == {"step", "content", "style", "tv", "total"}
    steps = [step for step, _ in record.pictures]
    assert steps[0] == 0 and steps[-1] == 40 and len(steps) == 8 and steps == sorted(steps)
    assert record.settings["seed"] == 1 and record.settings["size"] == 32
    assert net.thumbnails["starry_night"][:2] == b"\xff\xd8", "a JPEG file"


def test_the_same_seed_gives_the_same_network(fit):
    assert same(fit(steps=3, seed=2), fit(steps=3, seed=2))
    assert not same(fit(steps=3, seed=2), fit(steps=3, seed=3))


def test_a_training_goes_on_to_the_bit(fit, tmp_path):
    whole = fit(steps=7)

    def stop(step):
        if step.index == 4:
            raise KeyboardInterrupt

    part = fit(steps=7, checkpoint=tmp_path / "run.safetensors", callback=stop)
    assert part.record.interrupted and part.record.steps == 4 and not same(part, whole)
    resumed = fit(steps=7, checkpoint=tmp_path / "run.safetensors")
    assert same(resumed, whole) and resumed.record.steps == 7 and not resumed.record.interrupted
    assert resumed.record.history == whole.record.history
    assert [step for step, _ in resumed.record.pictures] == [step for step, _ in whole.record.pictures]
    assert same(fit(steps=7, checkpoint=tmp_path / "run.safetensors"), whole), (
        "complete: nothing more is done"
    )
    assert fit(steps=9, checkpoint=tmp_path / "run.safetensors").record.steps == 9, "a later end may be given"


def test_checkpoints_are_written_on_the_way(fit, tmp_path):
    path, seen = tmp_path / "run.pt", []
    fit(steps=4, checkpoint=path, save_every=0.0, callback=lambda step: seen.append(path.exists()))
    assert seen == [False, True, True, True] and [file.name for file in tmp_path.iterdir()] == ["run.pt"]


def test_a_checkpoint_of_something_else_is_refused(fit, tmp_path):
    path = tmp_path / "run.pt"
    fit(steps=1, checkpoint=path)
    for changes, said in (
        ({"seed": 5}, "seed 0, not 5"),
        ({"style_weight": 3.0}, "style_weight 5.5, not 3.0"),
        ({"photographs": ["coffee"]}, "pictures"),
        ({"styles": STYLES[:2]}, "styles"),
    ):
        with pytest.raises(WeightsError, match=said):
            fit(steps=1, checkpoint=path, **changes)
    path.write_bytes(b"nonsense")
    with pytest.raises(WeightsError, match=r"run\.pt: not a checkpoint"):
        fit(steps=1, checkpoint=path)
    with pytest.raises(StylelabError, match="no folder"):
        fit(steps=1, checkpoint=tmp_path / "nowhere" / "run.pt")


def test_seconds_are_a_length_too(fit):
    net = fit(seconds=0.5)
    assert net.record.seconds >= 0.5 and net.record.steps >= 1
    assert net.record.pictures[-1][0] == net.record.steps


def test_the_generator_can_be_closed_and_the_network_used(vgg):
    steps = fast_training(STYLES, ["cat"], steps=10, extractor=vgg, **TINY)
    step = next(steps)
    assert step.index == 1 and step.share == pytest.approx(0.1) and step.losses["total"] > 0
    steps.close()
    assert step.network.stylise(load_image("cat", 20), "brick").shape[1] == 3


# --- one style more --------------------------------------------------------------------------------------


def test_an_added_style_leaves_the_others_alone(fit, tmp_path):
    net = fit(steps=2)
    image = load_image("coffee", 40)
    before = {name: net.stylise(image, name) for name in net.styles}
    state = {name: value.clone() for name, value in net.state_dict().items()}
    more = fit({"mine": load_image("pen_hatching", 48)}, steps=25, network=net)
    assert more.styles == (*STYLES, "mine") and net.styles == tuple(STYLES)
    assert all(torch.equal(value, state[name]) for name, value in net.state_dict().items())
    for name in STYLES:
        assert torch.equal(more.stylise(image, name), before[name])
    losses = [row["style"] for row in more.record.history]
    assert sum(losses[-5:]) < sum(losses[:5]), "it learns"
    assert len(more.records) == 2 and set(more.thumbnails) == {*STYLES, "mine"}
    more.save(tmp_path / "more.safetensors")
    assert FastNetwork.load(tmp_path / "more.safetensors").styles == more.styles
    with pytest.raises(StylelabError, match="knows brick already"):
        fit(["brick"], steps=1, network=net)


def test_the_trained_network_may_be_given_as_its_file(fit, tmp_path):
    fit(steps=1).save(tmp_path / "net.safetensors")
    loaded = FastNetwork.load(tmp_path / "net.safetensors")
    by_file = fit(["impasto"], steps=1, network=tmp_path / "net.safetensors")
    assert same(by_file, fit(["impasto"], steps=1, network=loaded))


def test_adding_goes_on_to_the_bit_too(fit, tmp_path):
    net = fit(steps=1)

    def stop(step):
        if step.index == 2:
            raise KeyboardInterrupt

    whole = fit(["impasto"], steps=4, network=net)
    fit(["impasto"], steps=4, network=net, checkpoint=tmp_path / "run.pt", callback=stop)
    assert same(fit(["impasto"], steps=4, network=net, checkpoint=tmp_path / "run.pt"), whole)
    with pytest.raises(WeightsError, match="pictures"):
        fit(["impasto"], steps=4, network=fit(steps=1, seed=9), checkpoint=tmp_path / "run.pt")


# --- as the start of an optimisation -----------------------------------------------------------------------


@pytest.fixture
def shipped(monkeypatch, tmp_path):
    """A tiny network in the place of the course's; an empty folder before it is saved there."""
    monkeypatch.setattr("stylelab.learning.saving.data_folder", lambda: tmp_path)
    (tmp_path / "networks").mkdir()
    return FastNetwork(("brick", "starry_night"), widths=(4, 4, 4), blocks=1, seed=5)


START = RECIPES["default"].replace(scales=(1,), steps=(1,), size=48, precision="float32", init="fast")


def test_an_optimisation_may_start_from_half_the_networks_picture(shipped, tmp_path, vgg):
    shipped.save(tmp_path / "networks" / "fast.safetensors")
    net, photo = FastNetwork.load(device="cpu"), load_image("cat", 48)
    style = {"brick": 1, "starry_night": 2}
    (step,) = optimise("cat", style, START, vgg)
    assert torch.allclose(step.image, (photo + net.stylise(photo, style)) / 2, atol=1e-6)
    grey = next(optimise(photo.mean(1, keepdim=True), "brick", START, vgg, colours="luminance"))
    assert grey.image.shape == photo.shape


@pytest.mark.parametrize("style", ["impasto", {"brick": 1, "impasto": 1}, [load_image("brick", 48)]])
def test_for_other_paintings_it_starts_from_the_photograph_and_says_so(shipped, tmp_path, vgg, style):
    shipped.save(tmp_path / "networks" / "fast.safetensors")
    with pytest.warns(UserWarning, match="does not know (impasto|a picture), only brick, starry_night"):
        (step,) = optimise("cat", style, START, vgg)
    assert torch.equal(step.image, load_image("cat", 48))


def test_where_the_network_is_missing_it_starts_from_the_photograph_and_says_so(shipped, vgg):
    with pytest.warns(UserWarning, match="no trained network"):
        (step,) = optimise("cat", "brick", START, vgg)
    assert torch.equal(step.image, load_image("cat", 48))


# --- the command that trains the network of the course --------------------------------------------------


def test_the_script_trains_measures_and_goes_on(script, tmp_path, capsys):
    (tmp_path / "held_out").mkdir()
    save_image(load_image("cat", 40), tmp_path / "held_out" / "small.png")
    words = ["--styles", "brick", "starry_night", "--weight", "brick=2", "--widths", "4", "6", "8"]
    words += ["--size", "32", "--batch", "2", "--style-size", "48"]
    words += ["--held-out", tmp_path / "held_out", "--checkpoint", tmp_path / "run.pt"]
    words += ["--output", tmp_path / "new" / "fast.safetensors", "--sheet", tmp_path / "sheet.jpg"]
    for steps in (2, 3):
        script("train_fast").main([str(word) for word in [*words, "--steps", steps]])
    net = FastNetwork.load(tmp_path / "new" / "fast.safetensors")
    assert net.styles == ("brick", "starry_night") and net.record.steps == 3
    told = json.loads((tmp_path / "new" / "fast.json").read_text(encoding="utf-8"))
    assert told["command"].startswith("python data/train_fast.py --styles brick") and told["steps"] == 3
    assert told["settings"]["style_weight"] == {"brick": 2.0, "starry_night": 5.5}
    assert told["held_out"]["photographs"] == ["small"] and len(told["curve"]) == 3
    assert set(told["held_out"]["losses"]["brick"]) == {"content", "style"}
    assert load_image(tmp_path / "sheet.jpg").shape == (1, 3, 2 * 182, 3 * 182)
    assert "after 3 steps" in capsys.readouterr().out


# --- what makes no sense ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "asked, said",
    [
        ({}, "steps= or by seconds="),
        ({"steps": 1, "seconds": 1}, "one of the two"),
        ({"steps": 0}, "steps 0"),
        ({"seconds": -1}, "seconds -1"),
        ({"steps": 1, "styles": {}}, "no style"),
        ({"steps": 1, "styles": ["brick", "brick"]}, "another name"),
        ({"steps": 1, "styles": [torch.zeros(1, 3, 8, 8)]}, "asked for by name"),
        ({"steps": 1, "size": 33}, "multiple of 4"),
        ({"steps": 1, "batch": 0}, "batch=0"),
        ({"steps": 1, "learning_rate": 0}, "above 0"),
        ({"steps": 1, "leaves": 2}, "leaves=2"),
        ({"steps": 1, "precision": "half"}, "precision"),
        ({"steps": 1, "widht": (3, 4, 5)}, "did you mean widths"),
        ({"steps": 1, "style_weight": {"brik": 3}}, "style_weight names brik"),
        ({"steps": 1, "seed": -3}, "seed -3"),
    ],
)
def test_arguments_that_make_no_sense_are_said(fit, asked, said):
    with pytest.raises(StylelabError, match=said):
        fit(**asked)


def test_a_loss_that_is_no_number_ends_it(fit):
    with pytest.raises(OptimisationError, match="lower the learning rate"):
        fit(steps=8, style_weight=3e38, content_weight=3e38)
