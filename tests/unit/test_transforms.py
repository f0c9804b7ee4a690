"""AdaIN and WCT: the statistics afterwards are the painting's; nothing that varies too little is blown up."""

import itertools

import numpy as np
import pytest
import torch

from stylelab.arbitrary import adain, colour, moments, transformed, wct, whiten
from stylelab.errors import StylelabError


def maps(channels=6, height=9, width=11, seed=0, count=1):
    random = torch.Generator().manual_seed(seed)
    mixed = torch.randn(channels, channels, generator=random)
    x = torch.randn(count, channels, height, width, generator=random)
    return torch.einsum("ij,njhw->nihw", mixed, x) + torch.randn(1, channels, 1, 1, generator=random)


def covariance(x):
    rows = x.double().flatten(2)[0]
    return torch.cov(rows, correction=0)


CONTENT, STYLE = maps(seed=1), maps(height=7, width=8, seed=2)
TRANSFORMS = {"adain": adain, "wct": wct}


def by_loops(content, style):
    """Huang and Belongie's eq. 8, number by number."""
    made = np.empty(content.shape)
    for n, c in np.ndindex(content.shape[:2]):
        x, y = content[n, c].double().numpy(), style[0, c].double().numpy()
        for place in np.ndindex(x.shape):
            made[n, c][place] = y.std() * (x[place] - x.mean()) / x.std() + y.mean()
    return torch.from_numpy(made)


def test_adain_is_its_formula():
    assert torch.allclose(adain(CONTENT, STYLE).double(), by_loops(CONTENT, STYLE), atol=1e-4)


def test_after_adain_mean_and_deviation_are_the_paintings():
    for made, wanted in zip(moments(adain(CONTENT, STYLE)), moments(STYLE), strict=True):
        assert torch.allclose(made, wanted, atol=1e-4)


def test_after_wct_mean_and_covariance_are_the_paintings():
    made = wct(CONTENT, STYLE)
    assert torch.allclose(covariance(made), covariance(STYLE), atol=1e-4)
    assert torch.allclose(made.mean((2, 3)), STYLE.mean((2, 3)), atol=1e-4)


def test_white_maps_have_covariance_1_and_take_any_colour():
    white = whiten(CONTENT)
    assert white.dtype == torch.float64
    assert torch.allclose(covariance(white), torch.eye(6, dtype=torch.float64), atol=1e-8)
    assert torch.allclose(colour(white, CONTENT).float(), CONTENT, atol=1e-4)


@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
def test_equal_maps_stay_as_they_are(transform):
    assert torch.allclose(transform(CONTENT, CONTENT), CONTENT, atol=1e-4)


@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
def test_a_batch_is_its_pictures(transform):
    batch, styles = maps(count=3, seed=3), maps(count=3, seed=4)
    one = torch.cat([transform(x, STYLE) for x in batch.split(1)])
    assert torch.allclose(transform(batch, STYLE), one, atol=1e-5)
    each = torch.cat([transform(x, y) for x, y in zip(batch.split(1), styles.split(1), strict=True)])
    assert torch.allclose(transform(batch, styles), each, atol=1e-5)


@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
def test_constant_pictures_and_single_pixels_become_the_paintings_mean(transform):
    mean = STYLE.mean((2, 3), keepdim=True)
    for flat in (torch.full((1, 6, 4, 5), 0.3), torch.randn(1, 6, 1, 1)):
        assert torch.allclose(transform(flat, STYLE), mean.expand(flat.shape), atol=1e-4)
        back = transform(CONTENT, flat)
        assert torch.allclose(back.mean((2, 3)), flat.mean((2, 3)), atol=1e-4)
        assert back.isfinite().all() and back.std((2, 3)).max() < 0.05


def test_directions_without_variance_are_left_out_of_wct():
    """Maps of rank 2 among 6, and rounding: nothing of it may be stretched to a colour."""
    flat = torch.einsum(
        "ij,njhw->nihw", torch.randn(6, 2, generator=torch.Generator().manual_seed(5)), maps(2)
    )
    noisy = flat + 1e-4 * torch.randn(flat.shape, generator=torch.Generator().manual_seed(6))
    calm, shaken = wct(flat, STYLE), wct(noisy, STYLE)
    assert torch.linalg.matrix_rank(covariance(calm), atol=1e-6) == 2
    assert torch.allclose(calm, shaken, atol=1e-2)
    assert torch.linalg.matrix_rank(covariance(wct(CONTENT, flat)), atol=1e-6) == 2


def test_wct_gives_the_contents_type_back_and_no_gradient():
    made = wct(CONTENT.clone().requires_grad_(), STYLE)
    assert made.dtype == torch.float32 and not made.requires_grad
    assert adain(CONTENT.clone().requires_grad_(), STYLE).requires_grad


@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
def test_strength_and_several_styles(transform):
    others = [maps(height=5, width=6, seed=seed) for seed in (7, 8, 9)]
    styles = list(zip(others, (1.0, 2.0, 0.5), strict=True))
    assert torch.equal(transformed(transform, CONTENT, styles, strength=0), CONTENT)
    assert torch.allclose(
        transformed(transform, CONTENT, styles[:1]), transform(CONTENT, others[0]), atol=1e-5
    )
    whole = transformed(transform, CONTENT, styles)
    for order in itertools.permutations(styles):
        assert torch.allclose(transformed(transform, CONTENT, order), whole, atol=1e-5)
    doubled = [(x, 2 * weight) for x, weight in styles]
    assert torch.allclose(transformed(transform, CONTENT, doubled), whole, atol=1e-5)
    half = transformed(transform, CONTENT, styles, strength=0.5)
    assert torch.allclose(half, (CONTENT + whole) / 2, atol=1e-5)
    left = torch.zeros(1, 1, 9, 11)
    left[..., :5] = 1
    mapped = transformed(transform, CONTENT, styles, strength=left)
    assert torch.allclose(mapped[..., :5], whole[..., :5], atol=1e-5)
    assert torch.equal(mapped[..., 5:], CONTENT[..., 5:])


@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
def test_masks_say_where_a_style_is_laid_on_and_where_it_is_taken_from(transform):
    left, top = torch.zeros(1, 1, 9, 11), torch.zeros(1, 1, 7, 8)
    left[..., :6], top[..., :4, :] = 1, 1
    made = transformed(transform, CONTENT, [(STYLE, 1.0)], masks=[(left, top)])
    assert torch.equal(made[..., 6:], CONTENT[..., 6:])
    alone = transform(CONTENT[..., :6], STYLE[..., :4, :])
    assert torch.allclose(made[..., :6], alone, atol=1e-4)
    both = transformed(transform, CONTENT, [(STYLE, 1), (STYLE, 1)], masks=[(left, top), (1 - left, None)])
    assert torch.allclose(both[..., :6], alone, atol=1e-4)
    assert torch.allclose(both[..., 6:], transform(CONTENT[..., 6:], STYLE), atol=1e-4)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: adain(CONTENT, maps(5)), "content has 6 maps and style 5"),
        (lambda: wct(CONTENT[0], STYLE), "a batch of feature maps"),
        (lambda: adain(CONTENT, maps(count=2)), "2 styles for 1 pictures"),
        (lambda: wct(CONTENT, STYLE, floor=1.5), "floor 1.5"),
        (lambda: adain(CONTENT, STYLE, torch.ones(1, 1, 3, 3)), "bring it to their size"),
        (lambda: wct(CONTENT, STYLE, content_mask=torch.zeros(1, 1, 9, 11)), "mask is empty"),
        (lambda: transformed(adain, CONTENT, [(STYLE, 0.0)]), "weight above 0"),
        (lambda: transformed(adain, CONTENT, []), "weight above 0"),
        (lambda: transformed(adain, CONTENT, [(STYLE, -1.0), (STYLE, 2.0)]), "none below"),
        (lambda: transformed(adain, CONTENT, [(STYLE, 1.0)], masks=[]), "one for each"),
    ],
)
def test_what_makes_no_sense_is_said(call, told):
    with pytest.raises(StylelabError, match=told):
        call()
