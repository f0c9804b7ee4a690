"""The filters against Pillow, against their definitions, and at their edges."""

import math

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter

from stylelab.errors import ImageError, StylelabError
from stylelab.pictures import filters, load_image, sample_path
from stylelab.pictures.filters import FILTERS, apply_filter, gaussian_blur, reflect_pad

NAMES = {"emboss", "sharpen", "edges", "blur", "median", "oil", "sketch", "unsharp"}
NAMES |= {"halftone", "pixelate", "posterise"}


def picture(height=40, width=50, channels=1, seed=0):
    """A smooth picture with one sharp edge, of whole 8-bit values."""
    generator = torch.Generator().manual_seed(seed)
    image = gaussian_blur(torch.rand(1, channels, height, width, generator=generator), 1.5)
    image = (image - image.min()) / (image.max() - image.min())
    image[..., width // 2 :] *= 0.5
    return (image * 255).round() / 255


def eight_bit(image):
    return (image * 255).round()[0, 0].numpy()


@pytest.mark.parametrize(
    ("name", "pillow", "rim"),
    [
        ("emboss", ImageFilter.EMBOSS, 1),
        ("sharpen", ImageFilter.SHARPEN, 1),
        ("edges", ImageFilter.FIND_EDGES, 1),
        ("median", ImageFilter.MedianFilter(5), 2),
        ("oil", ImageFilter.ModeFilter(7), 3),
    ],
)
def test_agrees_with_pillow_away_from_the_border(name, pillow, rim):
    image = picture()
    theirs = Image.fromarray(eight_bit(image).astype(np.uint8)).filter(pillow)
    ours = eight_bit(apply_filter(image, name))
    inside = slice(rim, -rim), slice(rim, -rim)
    # Pillow cuts the fraction of a sharpened value where we round it.
    assert np.abs(ours - np.asarray(theirs, dtype=float))[inside].max() <= (1 if name == "sharpen" else 0)


def test_blur_is_the_gaussian_of_sigma_3():
    point = torch.zeros(1, 1, 41, 41)
    point[..., 20, 20] = 1
    spread = apply_filter(point, "blur")[0, 0]
    offsets = torch.arange(-20.0, 21.0)
    assert spread.sum() == pytest.approx(1, abs=1e-5)
    assert (spread.sum(0) * offsets**2).sum() == pytest.approx(9, rel=0.04)  # cut at 3 σ
    assert spread[20, 23] / spread[20, 20] == pytest.approx(math.exp(-0.5), rel=1e-4)


def test_sketch_is_a_colour_dodge_with_the_blurred_inverse():
    image = picture()
    dodged = image / (1 - gaussian_blur(1 - image, 4)).clamp_min(1 / 255)
    assert torch.allclose(apply_filter(image, "sketch"), dodged.clamp(0, 1), atol=1e-4)


def test_unsharp_adds_twice_what_the_blur_took():
    image = picture()
    expected = (3 * image - 2 * gaussian_blur(image, 8)).clamp(0, 1)
    assert torch.allclose(apply_filter(image, "unsharp"), expected, atol=1e-6)


def test_halftone_is_black_and_white_and_keeps_the_grey():
    for level in (0.0, 0.25, 0.5, 0.8, 1.0):
        dots = apply_filter(torch.full((1, 1, 36, 36), level), "halftone")
        assert set(dots.unique().tolist()) <= {0.0, 1.0}
        assert dots.mean() == pytest.approx(level, abs=1 / 72 + 1e-6)
        assert torch.equal(dots[..., :-6, :-6], dots[..., 6:, 6:])


def test_pixelate_makes_blocks_of_the_mean_and_smaller_ones_at_the_end():
    image = picture(20, 11)
    blocks = apply_filter(image, "pixelate")
    assert torch.allclose(blocks[..., :8, :8], image[..., :8, :8].mean().expand(8, 8), atol=1e-6)
    assert torch.allclose(blocks[..., 16:, 8:], image[..., 16:, 8:].mean().expand(4, 3), atol=1e-6)


def test_posterise_leaves_four_levels():
    ramp = torch.linspace(0, 1, 256).view(1, 1, 16, 16)
    levels, counts = apply_filter(ramp, "posterise").unique(return_counts=True)
    assert levels.tolist() == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert counts.tolist() == [64, 64, 64, 64]


def test_the_names_are_the_published_ones():
    assert set(FILTERS) == NAMES


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_filter_keeps_shape_range_and_its_input(name):
    for shape in [(1, 1, 1, 1), (2, 3, 5, 33), (1, 3, 40, 7)]:
        image = torch.rand(shape, generator=torch.Generator().manual_seed(1))
        before = image.clone()
        result = FILTERS[name](image)
        assert result.shape == image.shape and result.dtype == torch.float32
        assert result.min() >= 0 and result.max() <= 1
        assert torch.equal(image, before)
        assert torch.equal(result, FILTERS[name](image))


@pytest.mark.parametrize("name", sorted(NAMES))
def test_channels_are_filtered_alike(name):
    grey = picture()
    assert torch.allclose(FILTERS[name](grey.expand(-1, 3, -1, -1))[:, 2:], FILTERS[name](grey), atol=1e-5)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_strength_fades_a_filter_in(name):
    image = picture()
    full = FILTERS[name](image)
    assert torch.allclose(FILTERS[name](image, strength=0), image, atol=1e-6)
    assert torch.allclose(FILTERS[name](image, strength=0.5), (image + full) / 2, atol=1e-6)
    assert torch.equal(apply_filter(image, name, 1.0), full)


def test_padding_mirrors_like_numpy_however_far():
    image = torch.arange(12.0).view(1, 1, 3, 4)
    for radius in (0, 1, 2, 9):
        expected = np.pad(image[0, 0].numpy(), radius, mode="reflect")
        assert np.array_equal(reflect_pad(image, radius)[0, 0].numpy(), expected)
    assert reflect_pad(torch.ones(1, 1, 1, 1), 3).shape == (1, 1, 7, 7)


def test_an_unknown_filter_is_told_its_neighbour():
    with pytest.raises(StylelabError, match=r'filter "embos"; did you mean emboss.*stylelab\.FILTERS'):
        apply_filter(picture(), "embos")


@pytest.mark.parametrize("strength", [-0.1, math.nan, math.inf])
def test_a_strength_that_is_none_is_refused(strength):
    with pytest.raises(StylelabError, match="from 0"):
        apply_filter(picture(), "blur", strength)


def test_what_is_no_image_is_refused_with_its_shape():
    with pytest.raises(ImageError, match=r"\(3, 4\)"):
        filters.blur(torch.rand(3, 4))
    with pytest.raises(ImageError, match="a picture cannot be read from int"):
        filters.blur(3)


def test_a_name_or_a_path_is_an_image_too(tmp_path):
    gravel = load_image("gravel")
    assert torch.equal(apply_filter("gravel", "emboss"), apply_filter(gravel, "emboss"))
    assert torch.equal(apply_filter(sample_path("gravel"), "emboss"), apply_filter(gravel, "emboss"))


def test_swapped_arguments_are_named():
    said = r'apply_filter takes the image first .*: swap them, apply_filter\(image, "emboss"\)'
    with pytest.raises(StylelabError, match=said):
        apply_filter("emboss", picture())
