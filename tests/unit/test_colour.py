"""Colour: exact conversions, matched statistics and quantiles, and no picture that breaks any method."""

from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image

from stylelab.colour.distances import chroma_distance, clipped_share
from stylelab.colour.matching import (
    COLOUR_METHODS,
    TRANSFORMS,
    after_transfer,
    before_transfer,
    keep_colours,
    match_colours,
    match_luminance,
)
from stylelab.colour.spaces import rgb_to_yuv, yuv_to_rgb
from stylelab.errors import ImageError, RecipeError
from stylelab.pictures import load_image, sample_path

BEFORE = ("chroma-swap", "linear", "histogram")
EVERY_WAY = [*product(BEFORE[::2], TRANSFORMS[:1]), *product(["linear"], TRANSFORMS)]
CORNERS = torch.tensor(list(product((0.0, 1.0), repeat=3))).T.reshape(1, 3, 2, 4)
quick = settings(max_examples=40, deadline=None)


@st.composite
def images(draw, smallest=1, kinds=("noise", "flat", "grey", "one channel", "8-bit", "two colours", "wild")):
    """Random images 1×1 to 64×64, most of them degenerate in some way."""
    height, width = draw(st.integers(smallest, 64)), draw(st.integers(smallest, 64))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    kind = draw(st.sampled_from(kinds))
    noise = torch.rand(1, 3, height, width, generator=generator)
    corner = torch.tensor(draw(st.sampled_from(list(product((0.0, 0.5, 1.0), repeat=3))))).view(1, 3, 1, 1)
    return {
        "noise": lambda: noise,
        "flat": lambda: corner.expand_as(noise).clone(),
        "grey": lambda: noise[:, :1].expand(-1, 3, -1, -1).clone(),
        "one channel": lambda: noise[:, :1],
        "8-bit": lambda: (noise * 255).round() / 255,
        "two colours": lambda: torch.where(noise[:, :1] < 0.5, corner, 1 - corner),
        "wild": lambda: noise * 3 - 1,
    }[kind]()


def cloud(image):
    return image[0].double().flatten(1).numpy()


def coloured(seed, height=20, width=30):
    """A picture with correlated channels, well inside the cube."""
    generator = torch.Generator().manual_seed(seed)
    mix = torch.rand(3, 3, generator=generator) / 6 + torch.eye(3) / 4
    noise = torch.rand(1, 3, height, width, generator=generator)
    return 0.2 + torch.einsum("ij,njhw->nihw", mix, noise) / 2


# Conversions


@quick
@given(images())
def test_yuv_and_back_is_the_same_picture(image):
    assert torch.allclose(yuv_to_rgb(rgb_to_yuv(image)), image.expand(-1, 3, -1, -1), atol=1e-6, rtol=1e-6)


def test_double_precision_stays_double():
    image = coloured(0).double()
    back = yuv_to_rgb(rgb_to_yuv(image))
    assert back.dtype == torch.float64
    assert torch.allclose(back, image, atol=1e-14)


def test_known_colours():
    red, green, blue = torch.eye(3).view(3, 1, 3, 1, 1)
    assert rgb_to_yuv(red).flatten().tolist() == pytest.approx([0.299, -0.492 * 0.299, 0.877 * 0.701])
    assert rgb_to_yuv(green).flatten().tolist() == pytest.approx([0.587, -0.492 * 0.587, -0.877 * 0.587])
    assert rgb_to_yuv(blue).flatten().tolist() == pytest.approx([0.114, 0.492 * 0.886, -0.877 * 0.114])


def test_grey_has_no_chroma():
    yuv = rgb_to_yuv(torch.linspace(0, 1, 12).view(1, 1, 3, 4))
    assert yuv.shape == (1, 3, 3, 4)
    assert torch.allclose(yuv[:, 0].flatten(), torch.linspace(0, 1, 12), atol=1e-6)
    assert yuv[:, 1:].abs().max() < 1e-6


@pytest.mark.parametrize("colours", ["random", "corners"])
def test_agrees_with_pillow(colours):
    if colours == "random":
        pixels = np.random.default_rng(0).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    else:
        pixels = (CORNERS[0].permute(1, 2, 0).numpy() * 255).astype(np.uint8)
    theirs = np.asarray(Image.fromarray(pixels).convert("YCbCr")).astype(float)
    y, u, v = rgb_to_yuv(torch.from_numpy(pixels).permute(2, 0, 1)[None].double() / 255)[0].numpy()
    # Cb = (B − Y) / 1.772 and Cr = (R − Y) / 1.402, in 8 bits around 128
    ours = np.stack([255 * y, 128 + 255 * u / (0.492 * 1.772), 128 + 255 * v / (0.877 * 1.402)], axis=-1)
    excess = ours - theirs  # Pillow drops the fraction of its fixed-point numbers
    assert excess.min() > -0.05
    assert excess.max() < 1.05


def test_gradients_flow_through_the_conversion():
    image = coloured(1, 2, 2).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: yuv_to_rgb(rgb_to_yuv(x)).square(), image)


# Statistics


@settings(max_examples=80, deadline=None)
@given(images(), images(), st.sampled_from(TRANSFORMS))
def test_linear_reaches_the_statistics_wherever_the_covariance_allows(style, content, transform):
    matched = match_colours(style, content, "linear", clip=False, transform=transform)
    got, target = cloud(matched), cloud(content.expand(-1, 3, -1, -1))
    assert np.allclose(got.mean(1), target.mean(1), atol=1e-4)
    spread = np.linalg.eigvalsh(np.cov(cloud(style.expand(-1, 3, -1, -1)), bias=True))
    if spread[0] > 1.1e-5:  # the painting varies in every direction by more than 8-bit rounding
        assert np.allclose(np.cov(got, bias=True), np.cov(target, bias=True), atol=1e-4)


@quick
@given(images(kinds=("grey", "one channel"), smallest=4), images(kinds=("noise", "8-bit"), smallest=4))
def test_a_grey_painting_takes_the_line_that_predicts_colour_from_grey(style, content):
    matched = cloud(match_colours(style, content, "linear", clip=False))
    grey, colours = cloud(style)[0], cloud(content)
    slope = np.cov(colours, bias=True) @ np.ones(3)
    slope /= slope.mean()
    position = (grey - grey.mean()) / grey.std() * colours.mean(0).std()
    assert np.allclose(matched, colours.mean(1, keepdims=True) + np.outer(slope, position), atol=1e-4)


@quick
@given(images(kinds=("noise", "8-bit"), smallest=3), images(kinds=("noise", "8-bit"), smallest=3))
def test_monge_kantorovich_moves_the_colours_least(style, content):
    moved = {
        name: match_colours(style, content, "linear", clip=False, transform=name) - style
        for name in TRANSFORMS
    }
    least, other = (moved[name].square().mean().item() for name in TRANSFORMS)
    assert least <= other + 1e-6


def test_cholesky_depends_on_the_order_of_the_channels_and_monge_kantorovich_does_not():
    style, content = coloured(2), 1 - coloured(3)

    def reversed_order(transform):
        return match_colours(style.flip(1), content.flip(1), "linear", False, transform).flip(1)

    change = {
        name: (match_colours(style, content, "linear", False, name) - reversed_order(name)).abs().max().item()
        for name in TRANSFORMS
    }
    assert change["monge-kantorovich"] < 1e-6
    assert change["cholesky"] > 1e-3


@quick
@given(images(kinds=("noise",), smallest=4), images(kinds=("noise", "8-bit", "wild"), smallest=4))
def test_histogram_gives_the_targets_quantiles(style, content):
    target = cloud(content)
    variances, axes = np.linalg.eigh(np.cov(target, bias=True))
    assume(np.diff(variances).min() > 1e-4)  # equal variances have no axes of their own
    got = axes.T @ cloud(match_colours(style, content, "histogram", clip=False))
    levels = (np.arange(got.shape[1]) + 0.5) / got.shape[1]
    for row, wanted in zip(got, axes.T @ target, strict=True):
        assert np.allclose(np.sort(row), np.quantile(wanted, levels, method="hazen"), atol=1e-5)


def test_histogram_of_a_painting_with_as_many_pixels_is_a_permutation_along_each_axis():
    style, content = coloured(4), coloured(5)
    axes = np.linalg.eigh(np.cov(cloud(content), bias=True))[1]
    got = axes.T @ cloud(match_colours(style, content, "histogram", clip=False))
    assert np.allclose(np.sort(got), np.sort(axes.T @ cloud(content)), atol=1e-6)


@quick
@given(images(kinds=("two colours", "flat")), images())
def test_equal_colours_stay_equal(style, content):
    matched = cloud(match_colours(style, content, "histogram", clip=False))
    before = np.unique(cloud(style), axis=1).shape[1]
    assert np.unique(matched.round(6), axis=1).shape[1] <= before


@pytest.mark.parametrize("seed", range(6))
def test_colours_level_along_an_axis_stay_level(seed):
    generator = torch.Generator().manual_seed(seed)
    levels = torch.rand(3, 3, generator=generator)
    style = torch.tensor(list(product(*levels.tolist()))).T  # uncorrelated: nine colours share each red
    style = style[:, torch.randperm(27, generator=generator)].view(1, 3, 3, 9)
    sides = torch.rand(3, generator=generator).view(1, 3, 1, 1)
    matched = match_colours(style, CORNERS * sides, "histogram", clip=False)  # the axes are R, G and B
    # the lowest third goes to 0, the highest to the far side, the middle between the two
    expected = (style.unsqueeze(-1) > levels.view(1, 3, 1, 1, 3)).sum(-1) / 2 * sides
    assert torch.allclose(matched, expected, atol=1e-6)


@quick
@given(images(), images())
def test_luminance_gets_the_photographs_mean_and_spread(style, content):
    matched = match_luminance(style, content, clip=False)
    assert matched.shape == (1, 1, *style.shape[-2:])
    target = rgb_to_yuv(content)[:, 0]
    assert matched.mean().item() == pytest.approx(target.mean().item(), abs=1e-4)
    if rgb_to_yuv(style)[:, 0].var(correction=0) > 2e-6:
        assert matched.std(correction=0).item() == pytest.approx(target.std(correction=0).item(), abs=1e-4)


# Chroma


@quick
@given(images(), st.data())
def test_chroma_swap_takes_luminance_from_the_one_and_chroma_from_the_other(style, data):
    content = data.draw(images())
    content = content[..., : style.shape[-2], : style.shape[-1]]
    style = style[..., : content.shape[-2], : content.shape[-1]]
    yuv = rgb_to_yuv(match_colours(style, content, "chroma-swap", clip=False))
    assert torch.allclose(yuv[:, :1], rgb_to_yuv(style)[:, :1], atol=1e-5)
    assert torch.allclose(yuv[:, 1:], rgb_to_yuv(content)[:, 1:], atol=1e-5)


def test_only_chroma_swap_takes_the_contents_shape():
    style, content = coloured(6, 9, 14), coloured(7, 16, 8)
    assert match_colours(style, content, "chroma-swap").shape == (1, 3, 16, 8)
    assert match_colours(style, content, "linear").shape == (1, 3, 9, 14)
    assert match_colours(style, content, "histogram").shape == (1, 3, 9, 14)


def test_keep_colours_restores_the_photographs_chroma():
    result, photograph = coloured(8), coloured(9)
    kept = rgb_to_yuv(keep_colours(result, photograph, clip=False))
    assert torch.allclose(kept[:, :1], rgb_to_yuv(result)[:, :1], atol=1e-6)
    assert torch.allclose(kept[:, 1:], rgb_to_yuv(photograph)[:, 1:], atol=1e-6)
    assert torch.allclose(keep_colours(photograph, photograph), photograph, atol=1e-6)


def test_keep_colours_fits_a_photograph_of_another_resolution():
    photograph = coloured(10, 40, 61)
    assert keep_colours(coloured(11, 20, 30), photograph).shape == (1, 3, 20, 30)


def test_keep_colours_refuses_a_photograph_of_another_shape():
    with pytest.raises(ImageError, match=r"30×20 and the photograph 20×30: their pixels do not correspond"):
        keep_colours(coloured(0, 20, 30), coloured(1, 30, 20))


# Nothing breaks


@settings(max_examples=100, deadline=None)
@given(images(), images(), st.sampled_from(EVERY_WAY))
def test_any_pair_gives_a_picture(style, content, way):
    method, transform = way
    matched = match_colours(style, content, method, transform=transform)
    assert torch.isfinite(matched).all()
    assert matched.min() >= 0
    assert matched.max() <= 1
    assert (matched.shape[1], matched.dtype) == (3, torch.float32)


@quick
@given(images(), images(kinds=("grey", "one channel", "flat")))
def test_keeping_the_colours_of_any_photograph_gives_a_picture(result, photograph):
    photograph = photograph[..., :1, :1].expand(-1, -1, *result.shape[-2:])
    kept = keep_colours(result, photograph)
    assert torch.isfinite(kept).all()
    assert kept.min() >= 0
    assert kept.max() <= 1


@pytest.mark.parametrize("method", ["linear", "histogram"])
def test_a_grey_photograph_makes_a_grey_painting(method):
    matched = match_colours(coloured(12), coloured(13)[:, :1], method, clip=False)
    assert (matched - matched.mean(1, keepdim=True)).abs().max() < 1e-5
    assert matched.std() > 0.01


@pytest.mark.parametrize("method", ["linear", "histogram"])
def test_rounding_errors_of_a_grey_painting_are_not_stretched_into_colours(method):
    grey, content = coloured(34)[:, :1], coloured(35)
    nearly = grey + torch.randn(1, 3, 20, 30, generator=torch.Generator().manual_seed(0)) * 2e-4
    matched = (match_colours(style, content, method, clip=False) for style in (grey, nearly))
    assert torch.allclose(*matched, atol=0.01)


@pytest.mark.parametrize("tint", [(0.9, 0.6, 0.3), (0.8, 0.75, 0.3)])
def test_8_bit_rounding_of_a_painting_of_one_tint_is_not_stretched_into_colours(tint):
    """Along an axis of colour space rounding may leave more than the (1/255)²/12 of a channel."""
    exact = torch.tensor(tint).view(1, 3, 1, 1) * torch.linspace(0.1, 1, 6000).view(1, 1, 60, 100)
    matched = match_colours((exact * 255).round() / 255, coloured(35), "linear", clip=False)
    assert np.linalg.eigvalsh(np.cov(cloud(matched)))[1] < 1e-9


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("noise", [0, 2e-4])
def test_colours_that_vary_where_the_photograph_does_not_take_its_mean(transform, noise):
    generator = torch.Generator().manual_seed(0)
    style = torch.tensor([0.0, 0.5, 1.0]).view(1, 3, 1, 1).repeat(1, 1, 20, 30)
    style[..., 1::2] = style[..., 1::2].flip(1)  # from blue to orange, all of one R + G + B
    style += noise * torch.randn(style.shape, generator=generator)
    matched = match_colours(style, coloured(36)[:, :1], "linear", clip=False, transform=transform)
    assert torch.isfinite(matched).all()
    assert matched.mean().item() == pytest.approx(coloured(36)[:, :1].mean().item(), abs=1e-5)
    assert matched.std() <= coloured(36)[:, :1].std() * 1.01


@pytest.mark.parametrize(("method", "transform"), EVERY_WAY)
def test_a_one_colour_painting_becomes_the_photographs_mean_colour(method, transform):
    flat, content = torch.full((1, 3, 20, 30), 0.7), coloured(14)
    matched = match_colours(flat, content, method, transform=transform)
    if method == "chroma-swap":
        assert torch.allclose(rgb_to_yuv(matched)[:, 0], torch.tensor(0.7), atol=1e-5)
    else:
        assert torch.allclose(matched, content.mean((2, 3), keepdim=True).expand_as(matched), atol=1e-5)


def test_a_photograph_matched_to_itself_stays_itself():
    photograph = coloured(15)
    for method, transform in EVERY_WAY:
        matched = match_colours(photograph, photograph, method, transform=transform)
        assert torch.allclose(matched, photograph, atol=1e-5), method


@pytest.mark.parametrize("method", BEFORE)
def test_batches_give_what_single_images_give(method):
    styles, contents = torch.cat([coloured(16), coloured(17)]), torch.cat([coloured(18), coloured(19)])
    together = match_colours(styles, contents, method)
    assert torch.equal(together[1:], match_colours(styles[1:], contents[1:], method))
    assert match_colours(styles[:1], contents, method).shape == (2, 3, 20, 30)
    with pytest.raises(ImageError, match="batches of 2 and 3 images; give as many of both, or one of either"):
        match_colours(styles, contents[:1].repeat(3, 1, 1, 1), method)


@pytest.mark.parametrize("method", BEFORE)
def test_dtype_and_inputs_are_left_alone(method):
    style, content = coloured(20).double(), coloured(21)
    copies = style.clone(), content.clone()
    assert match_colours(style, content, method).dtype == torch.float64
    assert torch.equal(style, copies[0])
    assert torch.equal(content, copies[1])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize(("method", "transform"), EVERY_WAY)
def test_a_gpu_gives_what_the_processor_gives(method, transform):
    style, content = coloured(22), coloured(23)
    there = match_colours(style.cuda(), content.cuda(), method, transform=transform)
    assert there.is_cuda
    assert torch.allclose(there.cpu(), match_colours(style, content, method, transform=transform), atol=1e-5)
    kept = keep_colours(style.cuda(), content.cuda())
    assert torch.allclose(kept.cpu(), keep_colours(style, content), atol=1e-5)
    assert torch.allclose(yuv_to_rgb(rgb_to_yuv(style.cuda())).cpu(), style, atol=1e-6)
    assert chroma_distance(style.cuda(), content) == pytest.approx(chroma_distance(style, content), abs=1e-6)


# What a recipe asks for


def test_no_method_changes_nothing():
    style, content = coloured(24), coloured(25)
    before = before_transfer(style, content, None)
    assert before[0] is style
    assert before[1] is content
    assert after_transfer(style, content, None) is style


def test_luminance_transfers_in_grey_and_brings_the_colours_back():
    style, content = coloured(26, 12, 10), coloured(27)
    grey_style, grey_content = before_transfer(style, content, "luminance")
    assert grey_style.shape == (1, 1, 12, 10)
    assert grey_content.shape == (1, 1, 20, 30)
    assert grey_style.mean().item() == pytest.approx(grey_content.mean().item(), abs=1e-3)
    assert torch.allclose(after_transfer(grey_content, content, "luminance"), content, atol=1e-6)


@pytest.mark.parametrize("method", BEFORE)
def test_the_other_methods_recolour_the_style_alone(method):
    style, content = coloured(28), coloured(29)
    matched, same = before_transfer(style, content, method)
    assert same is content
    assert torch.equal(matched, match_colours(style, content, method))
    assert after_transfer(style, content, method) is style


def test_every_method_gives_a_picture_in_range():
    style, content = coloured(30), coloured(31) * 1.5
    for method in COLOUR_METHODS:
        start, _ = before_transfer(style, content.clamp(0, 1), method)
        result = after_transfer(start, content.clamp(0, 1), method)
        assert result.shape == (1, 3, 20, 30)
        assert result.min() >= 0
        assert result.max() <= 1


# Measures


def test_clipped_share_counts_pixels_not_values():
    image = torch.full((1, 3, 2, 5), 0.5)
    image[0, 0, 0, 0] = 1.2
    image[0, :, 1, 1] = -0.1
    image[0, 2, 1, 3] = 1 + 1e-7
    assert clipped_share(image) == pytest.approx(2 / 10)
    assert clipped_share(image.clamp(0, 1)) == 0


def test_conversion_alone_clips_nothing():
    assert clipped_share(yuv_to_rgb(rgb_to_yuv(CORNERS))) == 0


def test_clipping_is_measured_not_hidden():
    swapped = match_colours(1 - CORNERS, CORNERS, "chroma-swap", clip=False)
    assert clipped_share(swapped) == pytest.approx(6 / 8)  # all but black and white, which have no chroma
    assert torch.equal(match_colours(1 - CORNERS, CORNERS, "chroma-swap"), swapped.clamp(0, 1))


@quick
@given(images(), images())
def test_chroma_distance_is_a_distance(a, b):
    there = chroma_distance(a, b, directions=4)
    assert there >= 0
    assert there == pytest.approx(chroma_distance(b, a, directions=4), abs=1e-12)
    assert chroma_distance(a, a.flip(3).transpose(2, 3), directions=4) == pytest.approx(0, abs=1e-12)
    assert chroma_distance(a, a.repeat(1, 1, 2, 3), directions=4) == pytest.approx(0, abs=1e-12)


def test_chroma_distance_of_a_shift_is_two_over_pi_of_it():
    photograph = coloured(32)
    yuv = rgb_to_yuv(photograph)
    yuv[:, 1:] += torch.tensor([0.03, -0.04]).view(1, 2, 1, 1)
    assert chroma_distance(photograph, yuv_to_rgb(yuv)) == pytest.approx(0.05 * 2 / np.pi, rel=1e-3)


def test_chroma_distance_of_two_sizes_is_exact():
    # V of grey is 0: one image all red, the other a third red
    red, third = torch.zeros(1, 3, 1, 2), torch.zeros(1, 3, 1, 3)
    red[:, 0] = 1
    third[..., 0] = red[..., 0]
    shift = np.hypot(0.492 * 0.299, 0.877 * 0.701)
    assert chroma_distance(red, third, 256) == pytest.approx(2 / 3 * shift * 2 / np.pi, rel=1e-3)


def test_chroma_distance_ignores_luminance():
    photograph = coloured(33)
    assert chroma_distance(photograph, photograph * 0.5 + 0.1) > 1e-3
    assert chroma_distance(photograph, photograph + 0.1) == pytest.approx(0, abs=1e-6)


# Errors


def test_unknown_names_are_answered_with_the_known_ones():
    image = coloured(0)
    with pytest.raises(RecipeError, match='unknown colour method "histgram"; did you mean histogram'):
        match_colours(image, image, "histgram")
    with pytest.raises(RecipeError, match='unknown transform "choleski"; did you mean cholesky'):
        match_colours(image, image, "linear", transform="choleski")
    with pytest.raises(RecipeError, match="unknown colour method"):
        before_transfer(image, image, "sepia")


def test_a_method_of_the_other_side_names_its_function():
    image = coloured(0)
    with pytest.raises(RecipeError, match="call match_luminance before it and keep_colours after it"):
        match_colours(image, image, "luminance")
    with pytest.raises(
        RecipeError, match=r'keep_colours knows only "luminance", got "linear".*match_colours'
    ):
        keep_colours(image, image, "linear")


@pytest.mark.parametrize("shape", [(3, 8, 8), (1, 2, 8, 8), (1, 4, 8, 8), (1, 3, 0, 8), (0, 3, 8, 8)])
def test_what_is_no_image_is_refused(shape):
    for function in (rgb_to_yuv, clipped_share, lambda x: keep_colours(x, x)):
        with pytest.raises(ImageError, match=r"expected an image of shape \(N, 1 or 3, H, W\), got \("):
            function(torch.zeros(shape))


def test_other_complaints():
    image = coloured(0)
    with pytest.raises(ImageError, match=r"expected an image of shape \(N, 3, H, W\)"):
        yuv_to_rgb(image[:, :1])
    with pytest.raises(ImageError, match=r"expected floats in \[0, 1\], got torch.uint8; divide"):
        rgb_to_yuv((image * 255).byte())
    with pytest.raises(ImageError, match="NaN or infinite"):
        match_colours(image, image * float("nan"), "linear")
    with pytest.raises(ImageError, match="compares two images, got batches of 2 and 1"):
        chroma_distance(image.repeat(2, 1, 1, 1), image)


def test_names_and_paths_are_images_too():
    cat, brick = load_image("cat"), load_image("brick")
    assert torch.equal(
        match_colours("brick", sample_path("cat"), "linear"), match_colours(brick, cat, "linear")
    )
    assert torch.equal(keep_colours(cat, "cat"), keep_colours(cat, cat))
    assert chroma_distance("cat", "cat") == 0 and clipped_share("cat") == 0
