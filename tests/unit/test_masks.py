"""Where each painting is laid on: masks, regions found in a photograph, and a transfer that keeps to them."""

import warnings

import numpy as np
import pytest
import torch

import stylelab
from stylelab import RECIPES, load_image, read_settings, save_image, segment, transfer
from stylelab.cli.command import main
from stylelab.errors import ImageError, StylelabError
from stylelab.losses import Objective, Scene, Style, gram_matrix
from stylelab.networks.features import Features
from stylelab.pictures.filters import gaussian_blur
from stylelab.pictures.guided import guided_filter
from stylelab.pictures.masks import as_mask, as_masks

QUICK = RECIPES["quick"].replace(precision="float32", scales=(0.5, 1), steps=(4, 8), style_factors=(1, 1))
SHAPE = (48, 64)


def half(height=48, width=64):
    """1 in the left half."""
    mask = torch.zeros(1, 1, height, width)
    mask[..., : width // 2] = 1
    return mask


# --- a mask from whatever holds one


def test_a_mask_is_taken_from_tensors_arrays_and_files(tmp_path):
    path = tmp_path / "left.png"
    save_image(half(), path)
    for source in (half(), half()[0], half()[0, 0], half().bool(), half()[0, 0].numpy(), path, str(path)):
        assert torch.equal(as_mask(source, SHAPE), half())


def test_a_mask_of_another_size_is_resized_softly_and_enlarged_with_a_word(tmp_path):
    large = torch.zeros(1, 1, 96, 128)
    large[..., :65] = 1
    save_image(large, tmp_path / "large.png")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        small = as_mask(large, SHAPE, "photograph")
        assert torch.equal(as_mask(tmp_path / "large.png", SHAPE), small)
    assert small.unique().tolist() == [0, 0.5, 1] and small.shape == (1, 1, 48, 64)
    with pytest.warns(
        UserWarning, match="photograph is 64×48, and enlarged to 128×96: its edges stay coarse"
    ):
        assert as_mask(small, (96, 128), "photograph").shape[-2:] == (96, 128)


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (torch.ones(1, 1, 48, 48), "the mask of the photograph is 48×48 and the photograph 64×48: give one"),
        (torch.ones(1, 3, 48, 64), r"is \(1, 3, 48, 64\); a mask is \(1, 1, H, W\)"),
        (torch.ones(64), r"is \(64,\); a mask is"),
        (255 * half(), "goes from 0 to 255: use 0 to 1; divide 8-bit values by 255"),
        (half() - 0.5, "goes from -0.5 to 0.5"),
        (half() * torch.nan, "goes from nan to nan"),
        (0 * half(), "is 0 everywhere: paint something, or leave the painting out"),
    ],
)
def test_what_is_no_mask_is_refused_in_a_sentence(mask, message):
    with pytest.raises(ImageError, match=message):
        as_mask(mask, SHAPE, "photograph")


def test_masks_go_with_paintings_one_by_one():
    made = as_masks([(half(), None), None], SHAPE, [(30, 40), (30, 40)])
    assert torch.equal(made[0][0], half()) and made[0][1] is None and made[1] == (None, None)
    (where, what), *_ = as_masks([half()], SHAPE, [(30, 40)])
    assert torch.equal(where, half()) and what is None
    assert torch.equal(as_masks(half(), SHAPE, [(30, 40)])[0][0], half()), "one mask for the one painting"
    ((where, what),) = as_masks([(None, half(30, 40))], SHAPE, [(30, 40)])
    assert where is None and what.shape[-2:] == (30, 40)
    for nothing in (None, [], [None, None], [(None, None), None]):
        assert as_masks(nothing, SHAPE, [(30, 40), (30, 40)]) == ()
    with pytest.raises(StylelabError, match="1 mask for 2 paintings: give each painting one"):
        as_masks([half()], SHAPE, [(30, 40), (30, 40)])
    with pytest.raises(StylelabError, match="masks of painting 1: give two"):
        as_masks([(half(), None, None)], SHAPE, [(30, 40)])


# --- what a scene makes of them


def test_each_pixel_feels_its_own_painting_as_it_would_the_only_one(random_image):
    image, quarter = random_image(1, 48, 64), torch.zeros(1, 1, 48, 64)
    quarter[..., :16] = 1
    paintings = [(image, 1.0), (image, 1.0)]
    assert Scene(image, paintings, [(quarter, None), (1 - quarter, None)]).shares == [0.25, 0.75]
    assert Scene(image, paintings).shares == [0.5, 0.5]
    assert Scene(image, [(image, 2.0)], [(quarter, None)]).shares == [0.25], "the rest stays as it is"
    assert Scene(image, [(image, 1.0), (image, 3.0)], [(None, None)] * 2).shares == [0.25, 0.75]


def test_where_no_painting_is_laid_on_the_photograph_stays(random_image):
    image, other = random_image(1, 48, 64), random_image(2, 48, 64)
    scene = Scene(image, [(other, 1.0)], [(0.5 * half(), None)])
    made = scene.laid_on(other)
    torch.testing.assert_close(made[..., :32], 0.5 * (image + other)[..., :32])
    assert torch.equal(made[..., 32:], image[..., 32:])
    assert Scene(image, [(other, 1.0)]).laid_on(other) is other
    assert Scene(image, [(other, 1.0)] * 2, [(half(), None), (None, None)]).laid_on(other) is other


def test_the_gram_matrix_under_a_soft_mask_is_the_weighted_sum_and_so_is_its_gradient():
    maps = torch.rand(2, 3, 4, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    mask = torch.rand(1, 1, 4, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    expected = torch.zeros(2, 3, 3, dtype=torch.float64)
    for row in range(4):
        for column in range(5):
            vector = maps[:, :, row, column]
            expected += mask[0, 0, row, column] * vector[:, :, None] * vector[:, None]
    torch.testing.assert_close(gram_matrix(maps, "none", mask), expected)
    torch.testing.assert_close(gram_matrix(maps, "hw", mask), expected / mask.sum())
    assert torch.autograd.gradcheck(lambda x: gram_matrix(x, "chw", mask), maps.requires_grad_())


# --- a transfer


def test_a_transfer_keeps_each_painting_to_its_region(vgg, random_image):
    """Style falls under each mask towards its own painting; a mask for the painting picks a part of it."""
    content, bright, dark = random_image(1, 48, 64), random_image(2, 48, 64), 0.2 * random_image(3, 48, 64)
    recipe = QUICK.replace(content_weight=0, style_layers=["relu1_1"], scales=(1,), steps=(20,))

    def painted(paintings, masks):
        made = transfer(content, paintings, recipe, vgg, masks=masks, progress=False).image
        return made[..., :32].mean().item(), made[..., 32:].mean().item()

    left, right = painted([bright, dark], [(half(), None), (1 - half(), None)])
    assert left > 0.4 and right < 0.2, "bright to the left, dark to the right"
    both = torch.cat([bright[..., :32], dark[..., 32:]], 3)
    left, right = painted([both, both], [(half(), half()), (1 - half(), 1 - half())])
    assert left > 0.4 and right < 0.2, "of one painting, either half"


def test_outside_every_mask_the_photograph_stays_to_the_bit(random_vgg, random_image):
    content, painting = random_image(1, 48, 64), random_image(2, 40, 40)
    for settings in ({}, {"init": "noise"}, {"colours": "luminance"}):
        result = transfer(content, painting, QUICK, random_vgg, masks=half(), progress=False, **settings)
        moved = (result.image - content).abs()
        assert moved[..., :32].max() > 0.05
        assert moved[..., 32:].max() <= (1e-6 if settings.get("colours") else 0)


def test_masks_that_hold_everywhere_change_nothing(random_vgg, random_image):
    content, painting = random_image(1, 48, 64), random_image(2, 40, 40)
    plain = transfer(content, painting, QUICK, random_vgg, progress=False).image
    masked = transfer(content, painting, QUICK, random_vgg, masks=[(None, None)], progress=False).image
    assert torch.equal(plain, masked)
    ones = torch.ones(1, 1, 48, 64)
    whole = transfer(content, painting, QUICK, random_vgg, masks=ones, progress=False).image
    torch.testing.assert_close(whole, plain, atol=0.02, rtol=0)


def test_a_region_smaller_than_a_position_of_the_deepest_layer_is_refused(random_vgg, random_image):
    content, painting = random_image(1, 48, 64), random_image(2, 40, 40)
    speck = torch.zeros(1, 1, 48, 64)
    speck[..., :10, :10] = 1
    with pytest.raises(ImageError) as error:
        transfer(content, painting, QUICK, random_vgg, masks=speck, progress=False)
    assert str(error.value) == (
        "the painting picture: its mask covers 100 pixels of the photograph, one position of relu5_1 256 "
        "(16 × 16); paint a larger region"
    )
    shallow = QUICK.replace(style_layers=["relu1_1"])
    transfer(content, painting, shallow, random_vgg, masks=speck, progress=False)


def test_a_receipt_says_that_there_were_masks(random_vgg, random_image):
    content, painting = random_image(1, 48, 64), random_image(2, 40, 40)
    made = [transfer(content, painting, QUICK, random_vgg, masks=m, progress=False) for m in (None, half())]
    assert [result.settings().get("masked") for result in made] == [None, True]


def test_the_command_line_takes_a_mask_for_each_painting(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_image(half(44, 64), "left.png")
    save_image(1 - half(44, 64), "right.png")
    words = ["pagoda", "starry_night", "brick", "-o", "out.png", "--size", "64", "--recipe", "quick"]
    words += ["--steps", "3", "--masks", "left.png"]
    assert main(words) == 2
    assert "1 mask for 2 paintings: give each painting one" in capsys.readouterr().err
    assert main([*words, "right.png"]) == 0
    assert read_settings("out.png")["masked"]
    assert (
        main(["pagoda", "brick", "-o", "o.png", "--size", "64", "--steps", "3", "--masks", "left.png"]) == 0
    )
    kept = load_image("o.png") - load_image("pagoda", 64)
    assert kept[..., 32:].abs().max() < 1 / 255 and kept[..., :32].abs().max() > 0.05


def test_the_style_loss_under_a_mask_is_that_of_the_region_alone(random_vgg, random_image):
    image, painting = random_image(1, 32, 32), random_image(2, 32, 32)
    left = half(32, 32)
    found = Objective(
        [Style({"relu1_1": 1.0})], Scene(image, [(painting, 1.0)], [(left, None)]), Features(random_vgg)
    )
    maps = random_vgg(image, "relu1_1")["relu1_1"][..., :16]
    target = gram_matrix(random_vgg(painting, "relu1_1")["relu1_1"])
    expected = (gram_matrix(maps) - target).square().sum() / target.square().sum()
    assert found(image)[0].item() == pytest.approx(0.5 * expected.item(), rel=1e-4), "it is half the picture"


# --- regions found in a photograph


def test_the_regions_of_a_made_picture_are_found(vgg):
    """A flat sky over a checkered ground, and over a field of dots."""
    picture = torch.zeros(1, 3, 96, 128)
    picture[:, 2, :48] = 0.9
    rows, columns = torch.meshgrid(torch.arange(48), torch.arange(128), indexing="ij")
    picture[:, :, 48:] = ((rows // 4 + columns // 4) % 2).float()
    sky, ground = segment(picture, 2, extractor=vgg)
    truth = torch.zeros(1, 1, 96, 128)
    truth[..., :48, :] = 1
    assert ((sky > 0.5).float() - truth).abs().mean() < 0.03
    torch.testing.assert_close(sky + ground, torch.ones(1, 1, 96, 128))


def test_regions_share_every_pixel_from_high_to_low_and_by_seed(vgg, photo):
    first, again = (segment(photo, 4, seed=1, extractor=vgg) for _ in range(2))
    assert len(first) == 4 and all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    torch.testing.assert_close(sum(first), torch.ones(1, 1, 48, 48))
    assert all(part.min() >= 0 and part.max() <= 1 and part.mean() > 0.01 for part in first)
    rows = torch.arange(48.0).view(-1, 1)
    heights = [(part * rows).sum() / part.sum() for part in first]
    assert heights == sorted(heights)


@pytest.mark.parametrize("regions", [1, 13, 2.5, True, "four"])
def test_a_number_of_regions_that_makes_no_sense_is_refused(regions, photo):
    with pytest.raises(StylelabError, match="use a whole number from 2 to 12"):
        segment(photo, regions)


def test_regions_are_what_transfer_takes(random_vgg, photo, painting):
    parts = stylelab.segment(photo, 2, extractor=random_vgg)
    result = transfer(photo, [painting, painting], QUICK, random_vgg, masks=parts, progress=False)
    assert result.image.shape == photo.shape


# --- the guided filter


def test_the_guided_filter_is_the_least_squares_of_each_window(random_image):
    guide, image, epsilon = random_image(1, 6, 7).double(), random_image(2, 6, 7, 1, 1).double(), 0.01
    found = guided_filter(image, guide, 1, epsilon)
    slopes, offsets = np.zeros((6, 7, 3)), np.zeros((6, 7))
    for row in range(6):
        for column in range(7):
            window = np.s_[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2]
            colours = guide[0].permute(1, 2, 0).numpy()[window].reshape(-1, 3)
            values = image[0, 0].numpy()[window].reshape(-1)
            centred = colours - colours.mean(0)
            spread = centred.T @ centred / len(values) + epsilon * np.eye(3)
            slopes[row, column] = np.linalg.solve(spread, centred.T @ (values - values.mean()) / len(values))
            offsets[row, column] = values.mean() - slopes[row, column] @ colours.mean(0)
    expected = np.zeros((6, 7))
    for row in range(6):
        for column in range(7):
            window = np.s_[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2]
            mean = slopes[window].reshape(-1, 3).mean(0)
            expected[row, column] = mean @ guide[0, :, row, column].numpy() + offsets[window].mean()
    np.testing.assert_allclose(found[0, 0].numpy(), expected, atol=1e-10)


def test_the_guided_filter_puts_a_blurred_edge_back_where_the_guide_has_it():
    guide = torch.zeros(1, 3, 32, 32)
    guide[..., 16:] = 1
    blurred = gaussian_blur(guide[:, :1], 3.0)
    found = guided_filter(blurred, guide, 4)
    before, after = ((x[..., 16] - x[..., 15]).mean().item() for x in (blurred, found))
    assert before < 0.15 and after > 0.4
    assert torch.allclose(guided_filter(guide, guide, 4, 1e-6), guide, atol=1e-3)
