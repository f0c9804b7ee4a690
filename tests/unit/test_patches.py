"""Patches, the net as a convolution, and what it learns."""

import errno
import math
from pathlib import Path

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from stylelab import pictures
from stylelab.colour.spaces import rgb_to_yuv
from stylelab.errors import ImageError, StylelabError, WeightsError
from stylelab.losses.distances import psnr
from stylelab.patches import fitting
from stylelab.patches.fitting import _places, fit_patch_net, least_squares_filter, training
from stylelab.patches.net import PatchNet
from stylelab.patches.windows import extract_patches, fold_patches
from stylelab.pictures.filters import apply_filter


def picture(name="astronaut", size=64, grey=True):
    image = pictures.load_image(name, size=size, grey=grey)
    side = min(image.shape[2:])
    return image[..., :side, :side]


def pairs(name, *sources, **options):
    return [(image, apply_filter(image, name)) for image in (picture(s, **options) for s in sources)]


def noise(*shape):
    return torch.rand(shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("size", [1, 3, 5, 9])
def test_patches_are_the_mirrored_neighbourhoods_in_reading_order(size):
    image = noise(2, 3, 4, 6)
    patches = extract_patches(image, size)
    assert patches.shape == (2 * 4 * 6, 3 * size**2)
    padded = torch.nn.functional.pad(image, [size // 2] * 4, mode="reflect") if size < 9 else None
    for number, row, column in [(0, 0, 0), (1, 2, 5), (1, 3, 3)]:
        patch = patches[(number * 4 + row) * 6 + column].view(3, size, size)
        assert torch.equal(patch[:, size // 2, size // 2], image[number, :, row, column])
        if padded is not None:
            assert torch.equal(patch, padded[number, :, row : row + size, column : column + size])


@pytest.mark.parametrize("shape", [(1, 1, 7, 5), (2, 3, 4, 6), (1, 1, 1, 1)])
@pytest.mark.parametrize(("size", "step"), [(1, 1), (3, 1), (5, 1), (3, 2), (5, 2), (5, 3)])
def test_folding_undoes_extracting(shape, size, step):
    image = noise(*shape)
    grid = torch.arange(shape[0] * shape[2] * shape[3]).view(shape[0], *shape[2:])[:, ::step, ::step]
    patches = extract_patches(image, size)[grid.flatten()]
    assert torch.allclose(fold_patches(patches, shape, step), image, atol=1e-6)


def test_folding_takes_the_mean_of_what_overlaps():
    patches = torch.zeros(9, 9)
    patches[4] = 1.0  # one of the nine patches that cover the middle pixel of a 3×3 image
    assert fold_patches(patches, (1, 1, 3, 3))[0, 0, 1, 1] == pytest.approx(1 / 9)
    assert fold_patches(patches, (1, 1, 3, 3))[0, 0, 0, 0] == pytest.approx(1 / 4)


def test_the_default_net_is_the_published_one():
    assert [tuple(layer.weight.shape) for layer in PatchNet().layers] == [
        (21, 9), (17, 21), (13, 17), (9, 13), (1, 9)
    ]  # fmt: skip


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_a_patch_net_is_a_convolution_followed_by_1x1_convolutions(channels, activation):
    net = PatchNet(patch=5, channels=channels, hidden=(8, 4), activation=activation)
    image = noise(2, channels, 9, 7)
    with torch.no_grad():
        values = net(extract_patches(image, 5)).clamp(0, 1)
    pixel_by_pixel = values.view(2, 9, 7, channels).permute(0, 3, 1, 2)
    assert torch.allclose(net.stylise(image), pixel_by_pixel, atol=1e-6)


def test_a_net_of_one_channel_changes_the_luminance_and_keeps_the_chroma():
    image = picture("coffee", grey=False) * 0.5 + 0.2
    net = PatchNet()
    fit_patch_net(net, pairs("blur", "astronaut"), progress=False, steps=50)
    result = net.stylise(image)
    before, after = rgb_to_yuv(image), rgb_to_yuv(result)
    assert torch.allclose(after[:, 1:], before[:, 1:], atol=1e-4)
    assert torch.allclose(after[:, :1], net.stylise(before[:, :1]), atol=1e-4)


def test_a_net_of_three_channels_learns_colour_and_takes_grey():
    net = PatchNet(channels=3)
    fit_patch_net(net, pairs("sharpen", "astronaut", grey=False), progress=False, steps=300)
    coffee = picture("coffee", grey=False)
    assert psnr(net.stylise(coffee), apply_filter(coffee, "sharpen")) > 40
    assert net.stylise(coffee[:, :1]).shape == coffee.shape


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_training_starts_from_the_least_squares_map(activation):
    examples = pairs("blur", "astronaut", "starry_night")
    rows = [torch.cat([extract_patches(a, 3), torch.ones(a.numel(), 1)], dim=1).double() for a, _ in examples]
    targets = torch.cat([filtered.flatten() for _, filtered in examples]).double()
    solution = torch.linalg.lstsq(torch.cat(rows), targets).solution
    net = PatchNet(activation=activation)
    fit_patch_net(net, examples, progress=False, steps=1)  # so short a glide changes next to nothing
    for (original, filtered), patches in zip(examples, rows, strict=True):
        linear = (patches @ solution).float().view_as(original).clamp(0, 1)
        # The map differs a little, for it is fitted to nine tenths of the pixels.
        assert psnr(net.stylise(original), linear) > psnr(linear, filtered) + 10


def weights(net):
    return torch.cat([p.detach().flatten() for p in net.parameters()])


def test_a_net_that_gained_nothing_is_its_start_again():
    unlearnable = [(noise(1, 1, 48, 48), noise(2, 1, 48, 48)[1:])]
    started, trained, watched = PatchNet(), PatchNet(), PatchNet()
    fit_patch_net(started, unlearnable, progress=False, steps=1)
    fit_patch_net(trained, unlearnable, progress=False, steps=300)
    assert torch.equal(weights(trained), weights(started))
    steps = training(watched, unlearnable)
    next(steps)
    assert not torch.equal(weights(watched), weights(started)), "while it trains it can be watched"
    steps.close()
    assert torch.equal(weights(watched), weights(started))


def test_a_net_that_gained_much_is_kept_even_when_it_is_stopped():
    net, steps = PatchNet(), None
    steps = training(net, pairs("edges", "astronaut"))
    for step, _, _ in steps:
        if step == 100:
            break
    before = weights(net)
    steps.close()
    assert torch.equal(weights(net), before)


def test_a_picture_unlike_those_learnt_from_is_no_worse_than_by_the_least_squares_map():
    # Of what is bright in noise the surroundings are darker: a net that learns so darkens a bright sky.
    learnt_from = [picture(name, 96) for name in ("astronaut", "coffee", "rocket")]
    examples = [(image, apply_filter(image, "blur")) for image in learnt_from]
    start, net = PatchNet(), PatchNet()
    fit_patch_net(start, examples, progress=False, steps=1)
    fit_patch_net(net, examples, progress=False)
    unlike = 1 - picture("rocket", 96)
    truth = apply_filter(unlike, "blur")
    assert psnr(net.stylise(unlike), truth) > psnr(start.stylise(unlike), truth) - 0.1


def test_the_published_optimiser_learns_from_every_pixel_and_keeps_what_it_has():
    unlearnable = [(noise(1, 1, 48, 48), noise(2, 1, 48, 48)[1:])]
    nets = [PatchNet(), PatchNet()]
    for net, steps in zip(nets, (25, 50), strict=True):
        fit_patch_net(net, unlearnable, "sgd", progress=False, steps=steps)
    assert not torch.equal(weights(nets[0]), weights(nets[1]))
    assert not _places(48, 48, 0.0, 3, torch.Generator()).any()


@pytest.mark.parametrize(
    ("height", "width", "patch"), [(64, 64, 3), (64, 64, 9), (192, 130, 5), (700, 90, 9)]
)
def test_no_patch_learnt_from_holds_a_pixel_judged_by(height, width, patch):
    places = _places(height, width, 0.1, patch, torch.Generator().manual_seed(5))
    judged, learnt = (places == 1).flatten(), (places == 0).flatten()
    seen = extract_patches((places == 1).float()[None, None], patch)[learnt]
    assert not seen.any()
    assert judged.sum() >= 256
    assert 0.05 < judged.float().mean() < 0.15
    assert learnt.float().mean() > 0.6


@pytest.mark.parametrize("patch", [1, 9, 33])
@pytest.mark.parametrize("shape", [(17, 17), (33, 33), (1, 100), (16, 70), (63, 65), (140, 133), (700, 30)])
def test_more_than_half_of_every_picture_is_learnt_from(shape, patch):
    for seed in range(5):
        places = _places(*shape, 0.1, patch, torch.Generator().manual_seed(seed))
        assert (places == 0).float().mean() > 0.5


def test_of_a_tiny_picture_everything_is_learnt_from():
    assert not _places(31, 31, 0.1, 3, torch.Generator()).any()
    fit_patch_net(PatchNet(), [(noise(1, 1, 1, 1),) * 2], progress=False, steps=2)


def test_only_the_patches_that_are_drawn_are_made(monkeypatch):
    class Largest(TorchDispatchMode):
        bytes = 0

        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            result = function(*args, **(kwargs or {}))
            if isinstance(result, torch.Tensor):
                self.bytes = max(self.bytes, result.untyped_storage().nbytes())
            return result

    monkeypatch.setattr(fitting, "MOST_SAMPLES", 2_000)
    image = noise(1, 3, 200, 200)
    with Largest() as largest:
        fit_patch_net(PatchNet(patch=9, channels=3), [(image, image)], progress=False, steps=1)
    every = 200 * 200 * 3 * 9**2 * 4
    drawn = 2_000 * 3 * 9**2 * 4
    assert drawn <= largest.bytes < 3 * drawn < every / 5


def test_some_patches_are_those_rows_of_all():
    image, pixels = noise(2, 3, 7, 5), torch.tensor([69, 0, 34, 35, 34])
    assert torch.equal(extract_patches(image, 3, pixels), extract_patches(image, 3)[pixels])


@pytest.mark.parametrize("steps", [0, -3])
def test_no_step_is_refused_and_costs_no_weights(steps):
    net, image = PatchNet(), noise(1, 1, 8, 8)
    before = weights(net)
    with pytest.raises(StylelabError, match=rf"^steps {steps}: a net learns from 1 step on"):
        fit_patch_net(net, [(image, image)], progress=False, steps=steps)
    assert torch.equal(weights(net), before)


def test_it_learns_an_unseen_emboss_and_what_no_linear_map_can():
    coffee = picture("coffee")
    for name, linear_limit in (("emboss", 45), ("edges", 30)):
        net = PatchNet()
        losses = fit_patch_net(net, pairs(name, "astronaut", "starry_night"), progress=False, steps=600)
        reached = psnr(net.stylise(coffee), apply_filter(coffee, name))
        assert reached > linear_limit
        assert losses[-1] < losses[0]


def test_the_published_optimiser_learns_too_but_slower():
    examples = pairs("emboss", "astronaut")
    published = fit_patch_net(PatchNet(), examples, optimiser="sgd", progress=False, steps=400)
    adam = fit_patch_net(PatchNet(), examples, progress=False, steps=400)
    assert adam[-1] < published[-1] < published[0]


def test_the_same_seed_gives_the_same_bits_and_another_does_not():
    examples = pairs("median", "astronaut")
    nets = [PatchNet() for _ in range(3)]
    losses = [
        fit_patch_net(net, examples, seed=seed, progress=False, steps=30)
        for net, seed in zip(nets, (1, 1, 2), strict=True)
    ]
    assert losses[0] == losses[1] != losses[2]
    assert torch.equal(nets[0].layers[0].weight, nets[1].layers[0].weight)


def test_training_ends_early_on_a_plateau():
    flat = torch.full((1, 1, 16, 16), 0.5)
    assert len(fit_patch_net(PatchNet(), [(flat, flat)], optimiser="sgd", progress=False, steps=5000)) < 150
    image = noise(1, 1, 48, 48)
    noisy = [(image, noise(2, 1, 48, 48)[1:])]
    assert len(fit_patch_net(PatchNet(), noisy, progress=False, steps=5000)) < 150


def test_a_saved_net_comes_back_with_its_shape(tmp_path):
    net = PatchNet(patch=5, channels=3, hidden=(7, 5), activation="relu")
    net.save(tmp_path / "net.pt")
    again = PatchNet.load(tmp_path / "net.pt")
    image = noise(1, 3, 8, 8)
    assert again.shape == net.shape
    assert torch.equal(again.stylise(image), net.stylise(image))


def test_a_net_is_saved_whole_or_not_at_all(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    net = PatchNet()
    net.save("~/net.pt")
    assert torch.equal(PatchNet.load("~/net.pt").layers[0].weight, net.layers[0].weight)
    before = (tmp_path / "net.pt").read_bytes()
    with pytest.raises(
        WeightsError, match=r"net\.pt: there is no folder .*nowhere to write it to; make it first"
    ):
        net.save(tmp_path / "nowhere" / "net.pt")

    def full_disk(path, data):
        path.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    with pytest.raises(WeightsError, match=r"net\.pt: cannot be written: No space left on device"):
        PatchNet(patch=5).save(tmp_path / "net.pt")
    assert [file.name for file in tmp_path.iterdir()] == ["net.pt"]
    assert (tmp_path / "net.pt").read_bytes() == before


def test_a_file_that_is_no_net_says_so(tmp_path):
    (tmp_path / "text.pt").write_text("hello")
    torch.save({"weights": torch.ones(3)}, tmp_path / "other.pt")
    for name in ("text.pt", "other.pt"):
        with pytest.raises(WeightsError, match=rf"{name}: not a PatchNet; give a file that net\.save wrote"):
            PatchNet.load(tmp_path / name)
    with pytest.raises(WeightsError, match=r"gone\.pt: no such file"):
        PatchNet.load(tmp_path / "gone.pt")


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"patch": 4}, "patch 4: a patch has a centre"),
        ({"channels": 2}, "channels 2"),
        ({"channels": 3, "hidden": (8, 2)}, "needs 3 or more units"),
        ({"activation": "tanhh"}, 'unknown activation "tanhh"; did you mean tanh'),
    ],
)
def test_settings_that_make_no_net_are_refused(settings, complaint):
    with pytest.raises(StylelabError, match=complaint):
        PatchNet(**settings)


def test_what_cannot_be_learnt_from_is_refused():
    image = noise(1, 1, 8, 8)
    with pytest.raises(ImageError, match="no pairs"):
        fit_patch_net(PatchNet(), [], progress=False)
    with pytest.raises(ImageError, match=r"pair 1: the original is \(1, 1, 8, 8\).*\(1, 1, 8, 7\)"):
        fit_patch_net(PatchNet(), [(image, image), (image, image[..., :7])], progress=False)
    with pytest.raises(ImageError, match=r"\(8, 8\)"):
        fit_patch_net(PatchNet(), [(image[0, 0], image[0, 0])], progress=False)
    with pytest.raises(StylelabError, match='unknown optimiser "lbfgs"'):
        fit_patch_net(PatchNet(), [(image, image)], optimiser="lbfgs", progress=False)


def test_psnr_is_the_mean_squared_error_in_decibels():
    assert psnr(torch.zeros(1, 1, 2, 2), torch.full((1, 1, 2, 2), 0.1)) == pytest.approx(20, abs=1e-4)
    assert math.isfinite(psnr(torch.zeros(1), torch.zeros(1)))


def test_a_net_stylises_a_picture_by_its_name():
    net = PatchNet(channels=3, hidden=())
    assert torch.equal(net.stylise("brick"), net.stylise(pictures.load_image("brick")))


def test_the_least_squares_filter_is_the_nearest_linear_map():
    patches, targets = noise(70_000, 4), noise(70_000, 2)
    rows = torch.cat([patches, torch.ones(70_000, 1)], dim=1).double()
    right = torch.linalg.lstsq(rows, targets.double()).solution
    found = least_squares_filter(patches, targets)
    assert found.dtype == torch.float64
    torch.testing.assert_close(found, right)
    torch.testing.assert_close(least_squares_filter(patches, targets[:, 0]), right[:, 0])


def test_of_equally_good_filters_the_shortest_is_taken():
    grey = torch.linspace(0, 1, 20)[:, None].expand(-1, 4)
    found = least_squares_filter(grey, 2 * grey[:, 0] + 1)
    torch.testing.assert_close(found, torch.tensor([0.5, 0.5, 0.5, 0.5, 1.0]).double())
