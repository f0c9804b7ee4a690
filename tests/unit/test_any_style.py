"""Decoders that undo VGG-19, and any painting at once: shapes, learning, going on, files, mixtures."""

import json
from types import SimpleNamespace

import pytest
import torch

import stylelab
from stylelab import content_loss, gram_matrix, load_image, style_loss
from stylelab.arbitrary import LEVELS, WCT, AdaIN, AnyStyle, Decoders, adain, fit_decoders, wct
from stylelab.arbitrary.decoders import MAPS, size_at
from stylelab.errors import ImageError, StylelabError, WeightsError
from stylelab.learning.batches import Batches, training_photographs
from stylelab.networks.layers import RELU_1_TO_5
from stylelab.pictures.stylist import Stylist

TINY = {"size": 32, "batch": 1, "painted": 0, "precision": "float32", "progress": False}


@pytest.fixture(scope="module")
def fit(vgg):
    """fit_decoders with small pictures and no bar."""
    return lambda **asked: fit_decoders(["cat"], extractor=vgg, **(TINY | asked))


@pytest.fixture(scope="module")
def fitted(fit):
    return fit(steps=12, learning_rate=3e-3, warm_up=1)


@pytest.fixture(scope="module")
def painters(fitted, vgg):
    options = {"decoders": fitted, "extractor": vgg, "precision": "float32"}
    return {"adain": AdaIN(**options), "wct": WCT(**options), "one level": WCT("relu2_1", **options)}


@pytest.mark.parametrize(("height", "width"), [(32, 32), (33, 47), (17, 64)])
def test_sizes_are_those_of_vgg(vgg, height, width, random_image):
    maps = vgg(random_image(0, height, width), LEVELS)
    for number, level in enumerate(LEVELS, 1):
        assert tuple(maps[level].shape[1:]) == (MAPS[number], *size_at((height, width), number))
    decoders = Decoders()
    for level in LEVELS:
        assert decoders(maps[level], level, (height, width)).shape == (1, 3, height, width)


def test_the_seed_decides_on_the_start():
    one, same, other = Decoders(seed=1), Decoders(seed=1), Decoders(seed=2)
    first = "blocks.0.convolutions.0.weight"
    assert torch.equal(one.state_dict()[first], same.state_dict()[first])
    assert not torch.equal(one.state_dict()[first], other.state_dict()[first])


def test_they_learn_to_undo_the_network(fitted, vgg):
    record = fitted.records[-1]
    assert record.steps == 12 == len(record.history)
    assert set(record.history[0]) == {"step", *LEVELS, "content", "style", "total"}
    for level in LEVELS:
        early, late = (sum(row[level] for row in rows) for rows in (record.history[:3], record.history[-3:]))
        assert late < early, level
    for row in record.history:
        assert row["total"] == pytest.approx(sum(row[level] for level in LEVELS))
    assert record.pictures[0][0] == 0 and record.strip().shape[1] == 3


def test_each_block_learns_from_the_truth_and_from_what_it_is_handed(fit, vgg):
    """The errors that the first step started from, reckoned here once more."""
    made = fit(steps=1, seed=5)
    first = made.records[-1].history[0]
    decoders = Decoders(made.scales.tolist(), seed=5)
    picture = Batches(training_photographs(["cat"]), 32, 1, 0.5, 5).pictures(1)
    maps = vgg(picture, LEVELS)
    truth = [picture, *(maps[level] for level in LEVELS)]
    handed = truth[4]
    with torch.no_grad():
        for level in (4, 3, 2, 1):
            size = tuple(truth[level - 1].shape[-2:])
            sources = [truth[level]] if level == 4 else [truth[level], handed]
            undone = [decoders.undo(x, level, size) for x in sources]
            errors = [(x - truth[level - 1]).square().mean() for x in undone]
            scale = 20 if level == 1 else 1 / truth[level - 1].square().mean()
            assert first[LEVELS[level - 1]] == pytest.approx((scale * sum(errors)).item(), rel=1e-3)
            handed = undone[-1]


def test_in_its_second_part_a_training_paints(fit, vgg):
    """The losses that its first painted step started from, reckoned here once more."""
    asked = {"batch": 2, "painted": 1, "paint_from": 0.5, "content_weight": 2, "style_weight": 3}
    made = fit(steps=2, seed=5, **asked)
    first, second = made.records[-1].history
    assert first["content"] == first["style"] == 0
    before = fit(steps=2, seed=5, callback=stop_after_one, **asked)
    pictures = Batches(training_photographs(["cat"]), 32, 2, 0.5, 5).pictures(2)
    photograph, painting = pictures.split(1)
    painter = AdaIN(decoders=before, extractor=vgg, precision="float32")
    found = relative_losses_of(painter.stylise(photograph, painting), painting, vgg)
    asked_for = adain(*(vgg(picture, "relu4_1")["relu4_1"] for picture in (photograph, painting)))
    content = content_loss(found["maps"]["relu4_1"], asked_for, "relative")
    assert second["content"] == pytest.approx(2 * content.item(), rel=1e-3)
    assert second["style"] == pytest.approx(3 * found["style"], rel=1e-3)


def stop_after_one(step):
    raise KeyboardInterrupt


def relative_losses_of(image, painting, vgg):
    maps, grams = vgg(image, RELU_1_TO_5), {}
    for layer, found in vgg(painting, RELU_1_TO_5).items():
        grams[layer] = gram_matrix(found)
    return {"maps": maps, "style": style_loss(maps, grams, reduction="relative").item() / 5}


def test_the_same_steps_give_the_same_and_a_break_changes_nothing(fit, tmp_path):
    asked = {"steps": 4, "seed": 3, "painted": 1, "paint_from": 0.4}
    whole = fit(**asked)
    file = tmp_path / "decoders.pt"
    seen = []

    def stop(step):
        seen.append(step.index)
        if step.index == 3:  # the first of its kind
            raise KeyboardInterrupt

    part = fit(**asked, checkpoint=file, callback=stop)
    assert seen == [1, 2, 3] and part.records[-1].interrupted and part.records[-1].steps == 3
    resumed = fit(**asked, checkpoint=file)
    states = whole.state_dict(), resumed.state_dict()
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert resumed.records[-1].history == whole.records[-1].history
    with pytest.raises(WeightsError, match="seed"):
        fit(**asked | {"seed": 4}, checkpoint=file)


def test_a_file_keeps_them_and_others_are_refused(fitted, tmp_path, monkeypatch):
    path = tmp_path / "decoders.safetensors"
    fitted.save(path)
    assert path.stat().st_size < 8_000_000
    loaded = Decoders.load(path, device="cpu")
    for name, value in fitted.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value.half().float())
    assert loaded.records[-1].steps == 12 and not loaded.records[-1].interrupted
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(WeightsError, match="damaged"):
        Decoders.load(path)
    with pytest.raises(WeightsError, match="no such file"):
        Decoders.load(tmp_path / "none.safetensors")
    monkeypatch.setattr("stylelab.learning.saving.data_folder", lambda: tmp_path)
    with pytest.raises(WeightsError, match="fit_decoders"):
        Decoders.load()


@pytest.mark.parametrize("name", ["adain", "wct", "one level"])
def test_a_picture_of_any_size_in_any_style(painters, name, random_image):
    painter = painters[name]
    made = painter.stylise(random_image(0, 33, 50), "brick")
    assert made.shape == (1, 3, 33, 50) and made.min() >= 0 and made.max() <= 1
    fixed = painter.with_style("brick")
    assert isinstance(fixed, Stylist) and torch.equal(fixed.stylise(random_image(0, 33, 50)), made)


def test_strength_0_is_the_way_there_and_back(painters, random_image):
    image = random_image(1, 32, 64)
    painter = painters["wct"]
    back = painter.decoders(painter.encode(image)["relu3_1"], "relu3_1", (32, 64)).clamp(0, 1)
    assert torch.allclose(painter.stylise(image, "brick", strength=0), back, atol=1e-5)
    half = torch.zeros(1, 1, 32, 64)
    half[..., 32:] = 1
    mapped = painter.stylise(image, "brick", strength=half)
    whole = painter.stylise(image, "brick")
    assert (mapped - back)[..., :4].abs().max() < 1e-3 < (mapped - back)[..., -4:].abs().max()
    assert (mapped - whole).abs().mean() < (back - whole).abs().mean()


def test_a_painting_has_its_place_and_a_style_its_source(fitted, vgg, random_image):
    """The transform gets both masks, each at the size of its maps; elsewhere the photograph's maps stay."""
    seen = []

    def flat(content_maps, style_maps, content_mask=None, style_mask=None):
        for mask, maps in ((content_mask, content_maps), (style_mask, style_maps)):
            assert mask is None or mask.shape == (1, 1, *maps.shape[2:])
        seen.append((content_mask, style_mask))
        return torch.full_like(content_maps, 9.0)

    painter = AnyStyle(flat, decoders=fitted, extractor=vgg, precision="float32")
    image, painting = random_image(1, 32, 96), random_image(2, 48, 32)
    left, top = torch.zeros(1, 1, 32, 96), torch.zeros(1, 1, 48, 32)
    left[..., :48], top[..., :24, :] = 1, 1
    none = painter.stylise(image, painting, strength=0)
    half = painter.stylise(image, painting, masks=[(left, top)])
    assert torch.allclose(half[..., -4:], none[..., -4:], atol=1e-3)
    assert (half - none)[..., :32].abs().mean() > 20 * (half - none)[..., -32:].abs().mean()
    for where, source in seen[-len(LEVELS) :]:
        assert where[..., :2].min() > 0.9 and where[..., -2:].max() < 0.1
        assert source[..., :2, :].min() > 0.9 and source[..., -2:, :].max() < 0.1
    both = painter.stylise(image, [painting, painting], masks=[(left, None), (None, top)])
    assert torch.allclose(both, painter.stylise(image, painting), atol=1e-5)
    with pytest.raises(StylelabError, match="2 masks for 1 painting: give each painting one"):
        painter.stylise(image, painting, masks=[(left, None), (left, None)])


@pytest.mark.parametrize("method", [AdaIN, WCT])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_flat_photograph_becomes_one_tint_of_the_painting(method, precision):
    """Its maps have no deviation to be divided by, and 16 bits would round their means."""
    painting = load_image("starry_night", 64)
    made = method(precision=precision, device="cpu").stylise(torch.full((1, 3, 48, 64), 0.5), painting)
    assert (made.amax((2, 3)) - made.amin((2, 3))).max() < 0.1
    assert (made.mean((2, 3)) - painting.mean((2, 3))).abs().max() < 0.25


def test_decoders_are_moved_to_where_the_maps_are():
    elsewhere = SimpleNamespace(device=torch.device("meta"))
    painter = AdaIN(decoders=Decoders(), extractor=elsewhere)
    assert {parameter.device.type for parameter in painter.decoders.parameters()} == {"meta"}
    assert painter.decoders.device == elsewhere.device


def test_the_order_of_styles_does_not_matter(painters, random_image):
    image = random_image(2, 32, 32)
    one = painters["adain"].stylise(image, {"brick": 2, "hubble": 1})
    other = painters["adain"].stylise(image, {"hubble": 0.5, "brick": 1})
    assert torch.allclose(one, other, atol=1e-5)


def test_encodings_may_be_kept(painters):
    painter, image = painters["wct"], load_image("cat", 48)
    style = painter.encode(load_image("brick", 48))
    made = painter.painted(painter.encode(image), [(style, 1.0)], tuple(image.shape[-2:]))
    assert torch.allclose(made, painter.stylise(image, load_image("brick", 48)), atol=1e-6)
    assert painter.transform is wct and set(style) == set(LEVELS[:3])


@pytest.mark.parametrize(
    ("call", "error", "told"),
    [
        (lambda p, f: AdaIN(levels=["relu5_1"], decoders=p.decoders), StylelabError, "relu5_1"),
        (lambda p, f: AdaIN(levels=[], decoders=p.decoders), StylelabError, "at least one"),
        (lambda p, f: p.stylise(torch.rand(1, 3, 8, 40), "brick"), ImageError, "16 or more"),
        (lambda p, f: p.decoders(torch.rand(1, 64, 8, 8), "conv1_1", (8, 8)), StylelabError, "unknown level"),
        (lambda p, f: f(steps=1, colour=2), StylelabError, "colour"),
        (lambda p, f: f(), StylelabError, "how long"),
        (lambda p, f: f(steps=1, size=8), StylelabError, "size=8"),
        (lambda p, f: f(steps=1, leaves=2.0), StylelabError, "leaves=2.0"),
        (lambda p, f: f(steps=1, learning_rate=0), StylelabError, "above 0"),
    ],
)
def test_what_makes_no_sense_is_said(painters, fit, call, error, told):
    with pytest.raises(error, match=told):
        call(painters["adain"], fit)


# --- the command that trains the decoders of the course --------------------------------------------------


def test_the_script_trains_measures_and_goes_on(script, tmp_path, monkeypatch, capsys):
    trainer = script("train_decoders")
    monkeypatch.setattr(trainer, "MEASURED", 32)
    monkeypatch.setattr(trainer, "LEARNT", stylelab.sample_names("style")[1:])
    words = ["--held-out", "cat", "--size", "32", "--batch", "2", "--checkpoint", tmp_path / "run.pt"]
    words += ["--output", tmp_path / "new" / "decoders.safetensors", "--sheet", tmp_path / "sheet.jpg"]
    for steps in (1, 2):
        trainer.main([str(word) for word in [*words, "--steps", steps]])
    assert Decoders.load(tmp_path / "new" / "decoders.safetensors").records[-1].steps == 2
    told = json.loads((tmp_path / "new" / "decoders.json").read_text(encoding="utf-8"))
    assert told["command"] == ("python data/train_decoders.py --held-out cat --size 32 --batch 2 --steps 2")
    held_out = told["held_out"]
    assert held_out["photographs"] == ["cat"] and held_out["paintings"] == stylelab.sample_names("style")[:1]
    assert set(held_out["psnr"]) == set(LEVELS)
    assert all(set(held_out["losses"][name]) == {"content", "style"} for name in ("adain", "wct"))
    for name in ("adain", "wct"):
        assert load_image(tmp_path / f"sheet_{name}.jpg").shape == (1, 3, 2 * 182, 2 * 182)
    assert "after 2 steps" in capsys.readouterr().out
