"""Photographs that stay photographs: the matting Laplacian, its loss, and the recipe made of it."""

import numpy as np
import pytest
import torch

from stylelab import RECIPES, load_image, match_colours, transfer
from stylelab.errors import ImageError, StylelabError
from stylelab.losses import Objective, Photorealism, Scene
from stylelab.losses.matting import OFFSETS, matting_laplacian, matting_loss
from stylelab.losses.structure import edges, edges_kept, structure_kept
from stylelab.networks.features import Features
from stylelab.optimisation.starting import recoloured_start

TINY = RECIPES["photorealistic"].replace(precision="float32", steps=(6, 10))


def by_loops(photograph, epsilon):
    """The whole matrix (H·W, H·W), window by window, as Levin, Lischinski and Weiss (2008) write it."""
    colours = photograph[0].permute(1, 2, 0).double().numpy()
    height, width, channels = colours.shape
    matrix = np.zeros((height * width, height * width))
    for y in range(1, height - 1):
        for x in range(1, width - 1):
            places = [(y + dy) * width + x + dx for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
            window = colours.reshape(-1, channels)[places]
            centred = window - window.mean(0)
            spread = centred.T @ centred / 9 + epsilon / 9 * np.eye(channels)
            explained = (1 + centred @ np.linalg.inv(spread) @ centred.T) / 9
            matrix[np.ix_(places, places)] += np.eye(9) - explained
    return matrix


@pytest.mark.parametrize(("channels", "epsilon"), [(3, 1e-7), (3, 1e-2), (1, 1e-4)])
def test_the_loss_is_the_quadratic_form_of_the_published_matrix(channels, epsilon, random_image):
    photograph = random_image(1, 5, 6, 1, channels)
    image = random_image(2, 5, 6, 2)
    matrix = by_loops(photograph, epsilon)
    flat = image.flatten(2).double().numpy()
    expected = np.einsum("ncp,pq,ncq->", flat, matrix, flat) / (2 * 30)
    found = matting_loss(image, matting_laplacian(photograph, epsilon)).item()
    assert found == pytest.approx(expected, rel=1e-4)


def test_each_entry_belongs_to_two_pixels_of_a_window(random_image):
    photograph = random_image(1, 4, 5)
    matrix, entries = by_loops(photograph, 1e-4), matting_laplacian(photograph, 1e-4)
    for (below, right), of_offset in zip(OFFSETS, entries[:, 0], strict=True):
        for y in range(4 - below):
            for x in range(max(0, -right), 5 - max(0, right)):
                expected = matrix[y * 5 + x, (y + below) * 5 + x + right]
                assert of_offset[y, x].item() == pytest.approx(expected, abs=1e-5)


def test_another_light_costs_next_to_nothing_and_another_picture_much(photo, random_image):
    """What is affine in the photograph's colours is free, channel by channel and all channels alike."""
    entries = matting_laplacian(photo)
    turned = torch.einsum("dc,nchw->ndhw", torch.tensor([[0.2, 0.5, 0], [0, 0.9, 0.1], [0.7, 0, 0.1]]), photo)
    lights = [0.5 * photo + 0.2, 1 - photo, turned, torch.full_like(photo, 0.3)]
    stranger = matting_loss(random_image(1, 48, 48), entries).item()
    assert all(abs(matting_loss(light, entries).item()) < 1e-4 * stranger for light in lights)
    # Light may change from place to place, if slowly.
    shaded = photo * torch.linspace(0.4, 1, 48)
    assert 0 < matting_loss(shaded, entries).item() < 0.01 * stranger


def test_no_picture_costs_less_than_nothing(random_image):
    for seed in range(20):
        entries = matting_laplacian(random_image(seed, 6, 7), 1e-4)
        assert matting_loss(random_image(100 + seed, 6, 7), entries).item() > 0


def test_the_gradient_is_right(random_image):
    entries = matting_laplacian(random_image(1, 4, 5), 1e-3).double()
    image = random_image(2, 4, 5).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: matting_loss(x, entries), image)


def test_a_weight_means_the_same_at_every_size():
    photograph, image = (load_image(name, 128) for name in ("coffee", "pagoda"))
    image = torch.nn.functional.interpolate(image, photograph.shape[-2:])
    once = matting_loss(image, matting_laplacian(photograph, 1e-3)).item()
    tiled, twice = (torch.cat([x, x.flip(3)], 3) for x in (photograph, image))
    assert matting_loss(twice, matting_laplacian(tiled, 1e-3)).item() == pytest.approx(once, rel=0.05)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: matting_laplacian(torch.rand(1, 3, 2, 9)), "9 × 2 pixels has no 3 × 3 window: use a larger"),
        (
            lambda: matting_loss(torch.rand(1, 3, 8, 9), matting_laplacian(torch.rand(1, 3, 9, 8))),
            "the image is 9×8 and the photograph of the Laplacian 8×9: make it at the image's size",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(call, message):
    with pytest.raises(StylelabError, match=message):
        call()


# --- as a term, and the recipe


def test_the_term_is_made_of_the_scenes_photograph(random_vgg, random_image):
    photograph, image = random_image(1, 24, 32), random_image(2, 24, 32)
    objective = Objective([Photorealism(5.0, 1e-3)], Scene(photograph), Features(random_vgg))
    loss, total = objective(image).tolist()
    assert loss == pytest.approx(matting_loss(image, matting_laplacian(photograph, 1e-3)).item())
    assert total == pytest.approx(5 * loss) and objective.names == ("matting", "total")


def test_the_start_has_the_paintings_colours(photo, painting):
    start = recoloured_start(photo, [(painting, 2.0)])
    torch.testing.assert_close(start, match_colours(photo, painting, "linear"))
    means = start.mean((0, 2, 3)) - painting.mean((0, 2, 3))
    assert means.abs().max() < 0.03
    both = recoloured_start(photo, [(painting, 1.0), (photo, 3.0)])
    torch.testing.assert_close(both, 0.25 * start + 0.75 * match_colours(photo, photo, "linear"))
    assert recoloured_start(photo[:, :1], [(painting[:, :1], 1.0)]).shape[1] == 1


def test_the_recipe_keeps_the_photographs_structure(vgg):
    """Less of what no light explains than the same transfer without the term, and style all the same."""
    photograph, painting = load_image("coffee", 96), load_image("starry_night", 96)
    entries = matting_laplacian(photograph)
    kept, lost = (
        transfer(photograph, painting, TINY, vgg, matting_weight=weight, progress=False)
        for weight in (TINY.matting_weight, 0.0)
    )
    assert matting_loss(kept.image, entries) < 0.3 * matting_loss(lost.image, entries)
    assert kept.history[-1]["style"] < kept.history[0]["style"] and "matting" in kept.history[0]
    assert "matting" not in lost.history[0]


# --- what is left of the drawing


def test_an_edge_is_one_pixel_wide_and_where_the_step_is():
    image = torch.zeros(1, 1, 20, 30)
    image[..., 12:] = 1
    found = edges(image)
    assert found[..., 11:13].any(3).all() and found.sum() == 20
    assert not edges(torch.full((1, 3, 20, 30), 0.4)).any()


def test_edges_are_found_again_within_a_pixel_and_in_another_light(photo):
    darker = 0.3 * photo + 0.1
    assert edges_kept(photo, photo) == edges_kept(darker, photo) == 1
    shifted = [edges_kept(photo.roll(pixels, 3), photo) for pixels in (1, 8)]
    assert shifted[0] > 0.9 and shifted[1] < 0.6


def test_structure_is_the_published_factor_and_knows_no_light(photo, random_image):
    assert structure_kept(photo, photo) == pytest.approx(1)
    assert structure_kept(0.4 * photo + 0.3, photo) > 0.95
    assert abs(structure_kept(random_image(1, 48, 48), photo)) < 0.3
    noise, other = random_image(2, 25, 25, 1, 1), random_image(3, 25, 25, 1, 1)
    offsets = np.arange(-5, 6)  # 3 σ, rounded up
    bell = np.exp(-0.5 * (offsets / 1.5) ** 2)
    weights = np.outer(bell, bell) / bell.sum() ** 2
    values = []
    for y in range(5, 20):
        for x in range(5, 20):
            a, b = (z[0, 0, y - 5 : y + 6, x - 5 : x + 6].double().numpy() for z in (noise, other))
            mean_a, mean_b = (weights * a).sum(), (weights * b).sum()
            shared = (weights * a * b).sum() - mean_a * mean_b
            spread = ((weights * a * a).sum() - mean_a**2) * ((weights * b * b).sum() - mean_b**2)
            values.append((shared + 0.00045) / (spread**0.5 + 0.00045))
    inner = (..., slice(5, 20), slice(5, 20))
    # The border is mirrored; the middle alone is what the loops have.
    whole = structure_kept(noise, other)
    assert abs(whole - np.mean(values)) < 0.05 and noise[inner].shape[-1] == 15


def test_pictures_of_two_sizes_are_refused(photo):
    for measure in (edges_kept, structure_kept):
        with pytest.raises(
            ImageError, match="the picture is 40×48 and the photograph 48×48: give them at one"
        ):
            measure(photo[..., :40], photo)
