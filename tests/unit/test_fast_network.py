"""The fast network: any picture in, its styles and their mixtures out, and its file."""

import copy
import json

import pytest
import safetensors.torch
import torch
import torch.nn.functional as F

import stylelab
import stylelab.feedforward.network as net_module
from stylelab import FastNetwork
from stylelab.errors import ImageError, StylelabError, WeightsError
from stylelab.feedforward.convolutions import in_squares, upsampled
from stylelab.feedforward.network import EPSILON, NORMAL, normalised
from stylelab.learning.records import TrainingRecord
from stylelab.pictures import Stylist, load_image

NAMES = ("night", "brick", "glass")


def small(seed: int = 0, styles=NAMES) -> FastNetwork:
    """A tiny network whose styles differ; as a training would leave it, but drawn."""
    net = FastNetwork(styles, widths=(4, 6, 8), blocks=1, seed=seed)
    random = torch.Generator().manual_seed(seed + 1)
    with torch.no_grad():
        net.vectors.add_(torch.empty(net.vectors.shape).normal_(0, 0.5, generator=random))
    return net


@pytest.fixture(scope="module")
def net():
    return small()


@pytest.mark.parametrize("shape", [(32, 48), (33, 47), (1, 1), (1, 70), (5, 3), (130, 17)])
@pytest.mark.parametrize("channels", [1, 3])
def test_any_size_and_aspect_in_colour_or_grey(net, random_image, shape, channels):
    image = random_image(2, *shape, channels=channels)
    painted = net.stylise(image, "brick")
    assert painted.shape == (1, 3, *shape) and painted.dtype == torch.float32
    assert painted.isfinite().all() and painted.min() >= 0 and painted.max() <= 1
    if channels == 1:
        assert torch.equal(painted, net.stylise(image.expand(-1, 3, -1, -1), "brick"))


def test_a_batch_is_its_pictures_to_the_bit(net, random_image):
    images = random_image(5, 37, 50, count=3)
    together = net.stylise(images, "night")
    assert torch.equal(together, torch.cat([net.stylise(image[None], "night") for image in images]))


def test_what_leaves_the_forward_pass_has_each_picture_in_its_own_style(net, random_image):
    images = random_image(5, 32, 32, count=2)
    with torch.no_grad():
        both = net(images, net.vectors[[2, 0]])
    alone = torch.cat([net.stylise(images[:1], "glass", precision="float32")])
    assert torch.allclose(both[:1], alone, atol=1e-5)
    assert not torch.allclose(both[:1], net.stylise(images[:1], "night", precision="float32"), atol=1e-2)


# --- mixtures --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("weight", [1.0, 0.3, 7])
def test_at_a_corner_a_mixture_is_the_style_to_the_bit(net, random_image, name, weight):
    image = random_image(1, 24, 24)
    mixture = dict.fromkeys(NAMES, 0.0) | {name: weight}
    assert torch.equal(net.mix(mixture)[0], net.vectors[NAMES.index(name)])
    assert torch.equal(net.stylise(image, mixture), net.stylise(image, name))


def test_a_mixture_is_linear_in_the_vectors_and_counts_proportions(net):
    mixed = net.mix({"night": 1, "glass": 3})
    assert torch.allclose(mixed[0], 0.25 * net.vectors[0] + 0.75 * net.vectors[2])
    assert torch.equal(mixed, net.mix({"glass": 0.75, "night": 0.25})), "the order of names changes no bit"
    assert torch.equal(net.mix([("night", 1), ("glass", 3)]), mixed)
    scales = net.scales_and_shifts({"night": 1, "glass": 3})
    flat = torch.cat([part.flatten() for pair in scales for part in pair])
    assert torch.equal(flat, mixed[0]) and len(scales) == len(net.convolutions) - 1
    assert [scale.shape[1] for scale, _ in scales] == [4, 6, 8, 8, 8, 6, 4]


def test_vectors_of_ones_own_paint(net, random_image):
    image = random_image(1, 24, 24)
    assert torch.equal(net.stylise(image, net.vectors[1]), net.stylise(image, "brick"))
    with pytest.raises(StylelabError, match=r"a style is 88 numbers"):
        net.stylise(image, torch.zeros(5))


@pytest.mark.parametrize(
    "style, said",
    [
        ("nihgt", 'unknown style "nihgt"; did you mean night'),
        ({"brick": 1, "glas": 1}, "did you mean glass"),
        (None, "night, brick, glass"),
        ({"brick": -1}, "from 0 upwards"),
        ({"brick": 0}, "not all of them 0"),
        ({}, "no style"),
    ],
)
def test_a_style_that_is_none_is_named_with_near_matches(net, random_image, style, said):
    with pytest.raises(StylelabError, match=said):
        net.stylise(random_image(1, 16, 16), style)


def test_a_network_of_one_style_needs_no_name(random_image):
    net = small(styles="night")
    assert net.styles == ("night",)
    assert torch.equal(net.stylise(random_image(1, 16, 16)), net.stylise(random_image(1, 16, 16), "night"))


# --- stylists, strength, precision -----------------------------------------------------------------------


def test_with_its_style_fixed_it_is_a_stylist(net, random_image):
    image = random_image(1, 20, 30)
    fixed = net.with_style({"night": 1, "brick": 1}, strength=0.5)
    assert isinstance(net, Stylist) and isinstance(fixed, Stylist)
    assert torch.equal(fixed.stylise(image), net.stylise(image, {"brick": 2, "night": 2}, strength=0.5))
    with pytest.raises(StylelabError, match="unknown style"):
        net.with_style("nigth")


def test_strength_goes_from_the_image_to_the_painted_one(net, random_image):
    image = random_image(1, 20, 30)
    painted = net.stylise(image, "night")
    assert torch.equal(net.stylise(image, "night", strength=0), image)
    assert torch.allclose(net.stylise(image, "night", strength=0.5), (image + painted) / 2)
    assert net.stylise(image, "night", strength=3).max() <= 1
    for wrong in (-0.1, float("nan"), float("inf"), "strong"):
        with pytest.raises(StylelabError, match="strength"):
            net.stylise(image, "night", strength=wrong)


def test_precision_is_a_choice_and_changes_little(net, random_image):
    image = random_image(1, 40, 40)
    exact, coarse = (net.stylise(image, "night", precision=p) for p in ("float32", "bfloat16"))
    assert not torch.equal(exact, coarse) and (exact - coarse).abs().mean() < 0.02
    with pytest.raises(StylelabError, match='precision="half"'):
        net.stylise(image, "night", precision="half")


@pytest.mark.parametrize("wrong", [torch.zeros(3, 8, 8), torch.zeros(1, 2, 8, 8), torch.zeros(1, 3, 0, 8)])
def test_what_is_no_image_is_refused(net, wrong):
    with pytest.raises(ImageError, match="expected an image"):
        net.stylise(wrong, "night")


@pytest.mark.parametrize(
    "wrong",
    [
        {"styles": ()},
        {"styles": ("a", "a")},
        {"styles": [3]},
        {"widths": (4, 8)},
        {"blocks": 0},
        {"seed": -1},
    ],
)
def test_what_makes_no_network_is_refused(wrong):
    with pytest.raises(StylelabError):
        FastNetwork(**({"styles": "night"} | wrong))


def test_the_start_is_the_seeds_and_nobody_elses():
    before = torch.get_rng_state()
    one, same, other = small(1), small(1), small(2)
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), same.parameters(), strict=True))
    assert not torch.equal(one.convolutions[0].weight, other.convolutions[0].weight)


# --- convolutions ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("height, width", [(4, 4), (5, 8)])
def test_convolutions_are_what_they_are_without_the_arrangement(random_image, height, width):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        three = torch.nn.Conv2d(5, 7, 3, bias=False)
        nine = torch.nn.Conv2d(5, 3, 9)
    maps = random_image(0, height, width, count=2, channels=5)
    doubled = F.pad(F.interpolate(maps, scale_factor=2.0, mode="nearest"), (1,) * 4, mode="reflect")
    assert torch.allclose(upsampled(three, maps), three(doubled), atol=1e-6)
    maps = random_image(0, 2 * height, 2 * width, count=2, channels=5)
    assert torch.allclose(in_squares(nine, maps), nine(F.pad(maps, (4,) * 4, mode="reflect")), atol=1e-6)


# --- normalisation ---------------------------------------------------------------------------------------


def test_maps_are_brought_to_mean_0_and_spread_1_then_scaled_and_moved(random_image):
    maps = 5 * random_image(1, 12, 9, count=2, channels=4) - 2
    scale, shift = (torch.arange(4.0).view(1, 4, 1, 1) + a for a in (1, -3))
    made = normalised(maps, scale, shift)
    for picture, result in zip(maps, made, strict=True):
        for channel in range(4):
            values = picture[channel]
            spread = NORMAL * (values - values.mean()).abs().mean()
            expected = (values - values.mean()) / (spread + EPSILON) * (channel + 1) + channel - 3
            assert torch.allclose(result[channel], expected, atol=1e-5)


def test_a_spike_cannot_hide_how_strong_a_map_is(random_image):
    """A thousand times the rest in one place: instance norm would shrink all else to nothing."""
    maps = torch.randn(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    spiked = maps.clone()
    spiked[0, 0, 0, 0] = 1000
    one, zero = torch.ones(1, 1, 1, 1), torch.zeros(1, 1, 1, 1)
    rest = (slice(None), slice(None), slice(1, None))
    kept = normalised(spiked, one, zero)[rest].std() / normalised(maps, one, zero)[rest].std()
    instance = torch.nn.functional.instance_norm
    lost = instance(spiked)[rest].std() / instance(maps)[rest].std()
    assert kept > 0.6 and lost < 0.1


def test_no_patch_grows_from_block_to_block(random_image):
    """Scales of 100 in every style: what reaches the upsampling is bounded all the same."""
    net = FastNetwork(("night",), widths=(4, 4, 4), blocks=3)
    with torch.no_grad():
        net.vectors.mul_(100)
    seen = []
    upsampled = net_module.upsampled

    def watched(convolution, maps):
        seen.append(maps)
        return upsampled(convolution, maps)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(net_module, "upsampled", watched)
        net.stylise(random_image(1, 32, 32))
    assert 6 < seen[0].abs().max() <= 6 + 3 * net.blocks


def test_a_flat_picture_stays_flat(net):
    painted = net.stylise(torch.full((1, 3, 48, 48), 0.4), "night", precision="float32")
    assert painted.std((2, 3)).max() < 1e-3


# --- files -----------------------------------------------------------------------------------------------


def test_a_file_holds_the_network_its_names_thumbnails_and_records(net, tmp_path, random_image):
    net = copy.deepcopy(net)
    net.thumbnails = {"night": b"jpeg", "brick": b"\x00\xff", "glass": b""}
    rows = [{"step": n, "content": 1.0, "style": 2.0 / n, "tv": 0.1, "total": 3.0} for n in range(1, 1001)]
    picture = load_image("cat", 16)
    net.records = [TrainingRecord(NAMES, {"seed": 4}, 1000, 12.5, rows, [(0, picture), (7, picture)], True)]
    net.save(tmp_path / "net.safetensors")
    back = FastNetwork.load(tmp_path / "net.safetensors", device="cpu")
    assert (back.styles, back.widths, back.blocks) == (net.styles, net.widths, net.blocks)
    assert back.thumbnails == net.thumbnails
    assert (back.record.steps, back.record.settings, back.record.interrupted) == (1000, {"seed": 4}, True)
    assert 100 <= len(back.record.history) <= 200 and back.record.history[-1]["step"] == 1000
    assert back.record.strip().shape == (1, 3, 2 * picture.shape[2], picture.shape[3])
    for mine, its in zip(net.parameters(), back.parameters(), strict=True):
        assert its.dtype == torch.float32 and torch.equal(its, mine.half().float())
    image = random_image(3, 30, 40)
    assert (back.stylise(image, "glass") - net.stylise(image, "glass")).abs().max() < 0.05
    back.save(tmp_path / "again.safetensors")
    again = FastNetwork.load(tmp_path / "again.safetensors", device="cpu")
    assert torch.equal(again.stylise(image, "glass"), back.stylise(image, "glass")), (
        "halves lose nothing more"
    )


def test_damaged_and_foreign_files_are_refused(net, tmp_path):
    net.save(whole := tmp_path / "net.safetensors")
    data = whole.read_bytes()
    state = {name: value.contiguous() for name, value in net.state_dict().items()}
    with safetensors.safe_open(whole, framework="pt") as file:
        metadata = file.metadata()
    shape = json.loads(metadata["shape"])

    def written(name, tensors=state, **changes) -> str:
        kept = {key: value for key, value in (metadata | changes).items() if value is not None}
        (tmp_path / name).write_bytes(safetensors.torch.save(dict(tensors), kept))
        return name

    (tmp_path / "cut.safetensors").write_bytes(data[: len(data) // 2])
    (tmp_path / "text.safetensors").write_text("no network at all")
    (tmp_path / "empty.safetensors").write_bytes(b"")
    (tmp_path / "folder.safetensors").mkdir()
    broken = state | {"vectors": torch.full_like(state["vectors"], torch.nan)}
    for name in (
        "missing.safetensors",
        "cut.safetensors",
        "text.safetensors",
        "empty.safetensors",
        "folder.safetensors",
        written("other.safetensors", kind="somebody else's"),
        written("newer.safetensors", format="2"),
        written("nan.safetensors", broken),
        written("short.safetensors", {"vectors": state["vectors"]}),
        written("shape.safetensors", shape=json.dumps(shape | {"widths": [4, 6, 16]})),
        written("giant.safetensors", shape=json.dumps(shape | {"widths": [10**9] * 3})),
        written("unknown.safetensors", shape=json.dumps(shape | {"depth": 3})),
        written("json.safetensors", shape="{"),
        written("none.safetensors", shape=None),
        written("records.safetensors", records='[{"steps": 3}]'),
    ):
        with pytest.raises(WeightsError, match=name.split(".")[0]) as caught:
            FastNetwork.load(tmp_path / name)
        assert len(str(caught.value)) < 400


def test_numbers_too_large_for_the_file_are_not_written(tmp_path):
    net = small()
    with torch.no_grad():
        net.vectors[0, 0] = 1e6
    with pytest.raises(WeightsError, match="vectors: too large"):
        net.save(tmp_path / "net.safetensors")
    assert not list(tmp_path.iterdir())


def test_where_the_shipped_network_is_missing_it_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr("stylelab.learning.saving.data_folder", lambda: tmp_path)
    with pytest.raises(WeightsError, match="fit_fast_network"):
        FastNetwork.load()
    (tmp_path / "networks").mkdir()
    small().save(tmp_path / "networks" / "fast.safetensors")
    assert FastNetwork.load().styles == NAMES
    assert stylelab.FastNetwork is FastNetwork
