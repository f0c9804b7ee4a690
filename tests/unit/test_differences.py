"""The table of differences: exact where published, better on pictures never seen, harmless far away."""

import functools

import pytest
import torch

from stylelab import pictures
from stylelab.colour.spaces import rgb_to_yuv
from stylelab.errors import ImageError, StylelabError
from stylelab.losses.distances import psnr
from stylelab.patches.differences import KEYS, DifferenceTable
from stylelab.patches.fitting import fit_patch_net
from stylelab.patches.neighbours import Index
from stylelab.patches.net import PatchNet
from stylelab.patches.windows import extract_patches
from stylelab.pictures.filters import apply_filter

TRAINING = ("astronaut", "rocket", "starry_night", "tissue")


def picture(name, size=64, grey=True):
    image = pictures.load_image(name, grey=grey)
    side = min(image.shape[2:])
    return pictures.resize(image[..., :side, :side], (size, size)).clamp(0, 1)


@functools.cache
def learnt(name, size=64, grey=True, sources=TRAINING):
    """A net fitted to a filter, and its pairs."""
    pairs = [(image, apply_filter(image, name)) for image in (picture(s, size, grey) for s in sources)]
    net = PatchNet(channels=1 if grey else 3)
    fit_patch_net(net, pairs, progress=False, steps=300)
    return net, pairs


def test_the_published_search_is_brute_force_over_every_pixel():
    net, pairs = learnt("emboss", size=128, sources=("astronaut",))
    table = DifferenceTable(net, pairs, patch=5, neighbours=1, key="published", variance=None)
    original, filtered = pairs[0]
    difference = (filtered - net.stylise(original))[0, 0]
    entries = extract_patches(difference[None, None], 5)
    coffee = picture("coffee", 128)
    output = net.stylise(coffee)
    queries = extract_patches(output, 5)
    generalised, found, image = table.stylise(coffee, parts=True, progress=False)
    assert torch.equal(generalised, output)
    nearest = torch.stack([(entries - query).square().sum(dim=1).min() for query in queries[::5]]).sqrt()
    distances = Index([[entries]], None, balance=False).search(queries[::5], 1)[1][:, 0]
    assert torch.allclose(distances, nearest, rtol=1e-5, atol=0)
    for pixel in range(0, 128 * 128, 395):
        row, column = divmod(pixel, 128)
        why = table.explain(coffee, row, column)
        assert why.distances.item() == pytest.approx(nearest[pixel // 5].item(), rel=1e-5)
        assert why.differences[0, 0, 2, 2] == found[0, 0, row, column]
    assert torch.allclose(image, (output + found).clamp(0, 1))


def test_the_published_key_makes_the_picture_worse_and_the_default_better():
    net, pairs = learnt("blur")
    cat = picture("cat")
    truth = apply_filter(cat, "blur")
    alone = psnr(net.stylise(cat), truth)
    published = DifferenceTable(net, pairs, neighbours=1, key="published", variance=None)
    assert psnr(published.stylise(cat, progress=False), truth) < alone - 3
    assert psnr(DifferenceTable(net, pairs).stylise(cat, progress=False), truth) > alone + 2


@pytest.mark.parametrize("name", ["emboss", "sharpen", "edges", "median", "sketch", "unsharp"])
def test_pictures_never_seen_are_not_made_worse(name):
    net, pairs = learnt(name)
    table = DifferenceTable(net, pairs)
    for source in ("cat", "coffee"):
        image = picture(source)
        truth = apply_filter(image, name)
        assert psnr(table.stylise(image, progress=False), truth) > psnr(net.stylise(image), truth) - 0.1


def test_differences_that_nothing_predicts_are_left_out():
    net, pairs = learnt("emboss")
    generator = torch.Generator().manual_seed(0)
    noisy = [
        (a, (net.stylise(a) + 0.1 * torch.randn(a.shape, generator=generator)).clamp(0, 1)) for a, _ in pairs
    ]
    cat = picture("cat")
    difference = DifferenceTable(net, noisy).stylise(cat, parts=True, progress=False)[1]
    whole = DifferenceTable(net, noisy, calibrate=False).stylise(cat, parts=True, progress=False)[1]
    assert difference.square().mean() < 0.1 * whole.square().mean()


def test_far_from_the_training_pairs_the_net_is_left_alone():
    net, pairs = learnt("blur")
    calm = [(0.45 + 0.1 * a, 0.45 + 0.1 * b) for a, b in pairs]
    checks = ((torch.arange(48)[:, None] // 3 + torch.arange(48) // 3) % 2).float()[None, None]
    trusting = DifferenceTable(net, calm, calibrate=False).stylise(checks, parts=True, progress=False)[1]
    careful = DifferenceTable(net, calm).stylise(checks, parts=True, progress=False)[1]
    assert careful.abs().mean() < 0.1 * trusting.abs().mean()


def test_a_picture_of_the_table_finds_itself():
    net, pairs = learnt("median")
    table = DifferenceTable(net, pairs, neighbours=1, variance=None, calibrate=False)
    original, filtered = pairs[2]
    why = table.explain(original, 20, 31)
    assert why.sources == [(2, 20, 31)] and why.distances.tolist() == [0.0]
    assert psnr(table.stylise(original, progress=False), filtered) > 60  # never evaluate on a training pair


def test_an_explanation_shows_the_patches_at_its_sources():
    net, pairs = learnt("median")
    table = DifferenceTable(net, pairs, patch=3, neighbours=4)
    cat = picture("cat")
    why = table.explain(cat, 10, 12)
    assert torch.equal(why.query_input[0], cat[0, 0, 9:12, 11:14])
    assert torch.allclose(why.query_output[0], net.stylise(cat)[0, 0, 9:12, 11:14], atol=1e-6)
    assert (why.distances.diff() >= 0).all() and 0 <= why.trust <= 2
    for number, (pair, row, column) in enumerate(why.sources):
        original, filtered = pairs[pair]
        pixel = row * 64 + column
        output = net.stylise(original)
        expected = [
            extract_patches(part, 3)[pixel].view(1, 3, 3) for part in (original, output, filtered - output)
        ]
        shown = [part[number] for part in (why.inputs, why.outputs, why.differences)]
        assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(expected, shown, strict=True))


def test_parts_add_up_to_the_result():
    net, pairs = learnt("sketch")
    table = DifferenceTable(net, pairs)
    cat = picture("cat")
    generalised, difference, image = table.stylise(cat, parts=True, progress=False)
    assert torch.equal(generalised, net.stylise(cat))
    assert torch.allclose(image, (generalised + difference).clamp(0, 1), atol=1e-6)
    assert torch.equal(image, table.stylise(cat, progress=False))


@pytest.mark.parametrize("settings", [{"levels": 2}, {"levels": 3, "coherence": 1.0}, {"coherence": 0.5}, {}])
def test_rounds_pyramids_and_coherence_help_too(settings):
    net, pairs = learnt("blur")
    cat = picture("cat")[..., :61, :]
    truth = apply_filter(cat, "blur")
    table = DifferenceTable(net, pairs, **settings)
    result = table.stylise(cat, rounds=2, progress=False)
    assert result.shape == cat.shape
    assert psnr(result, truth) > psnr(net.stylise(cat), truth) + 1
    assert not torch.equal(result, table.stylise(cat, progress=False))


def test_an_approximate_search_costs_a_fifth_of_a_decibel_at_most():
    net, pairs = learnt("blur")
    cat = picture("cat")
    truth = apply_filter(cat, "blur")
    exact, near = (
        psnr(DifferenceTable(net, pairs, search=search).stylise(cat, progress=False), truth)
        for search in ("exact", "approximate")
    )
    assert near > exact - 0.2
    assert near > psnr(net.stylise(cat), truth) + 1


def test_one_pair_is_enough_and_measured_against_itself():
    net, _ = learnt("blur")
    cat = picture("cat", size=96)
    big = picture("astronaut", size=160)
    table = DifferenceTable(net, [(big, apply_filter(big, "blur"))])
    truth = apply_filter(cat, "blur")
    assert psnr(table.stylise(cat, progress=False), truth) > psnr(net.stylise(cat), truth) + 1


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (1, 1, 7, 3), (2, 1, 16, 9)])
def test_every_key_and_shape_gives_an_image(key, shape):
    net, pairs = learnt("sharpen")
    image = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    result = DifferenceTable(net, pairs[:2], key=key, neighbours=2).stylise(image, progress=False)
    assert result.shape == shape and result.min() >= 0 and result.max() <= 1


def test_a_batch_is_its_images_one_by_one():
    net, pairs = learnt("median")
    table = DifferenceTable(net, pairs)
    both = torch.cat([picture("cat"), picture("coffee")])
    together = table.stylise(both, progress=False)
    apart = torch.cat([table.stylise(image[None], progress=False) for image in both])
    assert torch.allclose(together, apart, atol=1e-5)


def test_colour_by_luminance_keeps_the_chroma():
    net, pairs = learnt("blur")
    table = DifferenceTable(net, pairs)
    coffee = picture("coffee", grey=False) * 0.5 + 0.2
    generalised, difference, result = table.stylise(coffee, parts=True, progress=False)
    assert generalised.shape == result.shape == coffee.shape and difference.shape == (1, 1, 64, 64)
    assert torch.allclose(rgb_to_yuv(result)[:, 1:], rgb_to_yuv(coffee)[:, 1:], atol=1e-4)
    assert torch.allclose(rgb_to_yuv(result)[:, :1], table.stylise(rgb_to_yuv(coffee)[:, :1]), atol=1e-4)


def test_three_channels_in_three_out():
    net, pairs = learnt("blur", grey=False)
    coffee = picture("coffee", grey=False)
    truth = apply_filter(coffee, "blur")
    table = DifferenceTable(net, pairs)
    assert psnr(table.stylise(coffee, progress=False), truth) > psnr(net.stylise(coffee), truth) + 1
    assert table.explain(coffee, 3, 4).differences.shape == (8, 3, 5, 5)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"patch": 4}, "patch 4"),
        ({"neighbours": 0}, "neighbours 0: give from 1 to the table's 16,384 entries"),
        ({"neighbours": 20_000}, "neighbours 20000"),
        ({"key": "outputs"}, 'unknown key "outputs"; did you mean output or'),
        ({"variance": 1.5}, r"variance 1\.5"),
        ({"variance": 0.0}, r"variance 0\.0"),
        ({"levels": 0}, "levels 0"),
        ({"coherence": -1.0}, r"coherence -1\.0"),
        ({"search": "fast"}, 'unknown search "fast"'),
    ],
)
def test_settings_that_make_no_table_are_refused(settings, complaint):
    net, pairs = learnt("sharpen")
    with pytest.raises(StylelabError, match=complaint):
        DifferenceTable(net, pairs, **settings)


def test_questions_that_have_no_answer_are_refused():
    net, pairs = learnt("sharpen")
    table = DifferenceTable(net, pairs)
    with pytest.raises(StylelabError, match="rounds 0"):
        table.stylise(picture("cat"), rounds=0)
    with pytest.raises(StylelabError, match=r"pixel \(64, 0\) is outside the image of 64 rows"):
        table.explain(picture("cat"), 64, 0)
    with pytest.raises(ImageError, match="no pairs"):
        DifferenceTable(net, [])
