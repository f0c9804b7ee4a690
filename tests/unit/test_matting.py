"""The matting Laplacian against its definition, the guided filter, and a photograph that stays one."""

import itertools

import pytest
import torch

from stylelab import match_colours, relative_losses, transfer
from stylelab.errors import ImageError, StylelabError
from stylelab.losses import Objective, Photorealism, Scene, matting_laplacian, matting_loss
from stylelab.losses.matting import OFFSETS
from stylelab.networks.features import Features
from stylelab.optimisation.published import RECIPES
from stylelab.optimisation.running import optimise
from stylelab.optimisation.terms import recipe_terms
from stylelab.pictures import (
    at_dusk,
    edges_found,
    gaussian_blur,
    guided_filter,
    load_image,
    reflect_pad,
    resize,
    structural_similarity,
)


def dense(entries):
    """M as a matrix, (H W, H W): what matting_laplacian gives, and its diagonal so that rows add up to 0."""
    height, width = entries.shape[-2:]
    M = torch.zeros(height * width, height * width, dtype=torch.float64)
    for (below, right), weights in zip(OFFSETS, entries[:, 0], strict=True):
        for y, x in itertools.product(range(height), range(width)):
            if y + below < height and 0 <= x + right < width:
                i, j = y * width + x, (y + below) * width + x + right
                M[i, j] = M[j, i] = weights[y, x]
            else:
                assert weights[y, x] == 0
    return M - M.sum(1).diag()


def by_loops(photograph, epsilon):
    """Levin, Lischinski and Weiss (2008), eq. 12, entry by entry."""
    channels, height, width = photograph.shape[1:]
    colours = photograph[0].double().flatten(1)
    M = torch.zeros(height * width, height * width, dtype=torch.float64)
    for y, x in itertools.product(range(1, height - 1), range(1, width - 1)):
        window = [(y + dy) * width + x + dx for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
        mean = colours[:, window].mean(1)
        covariance = torch.cov(colours[:, window], correction=0).view(channels, channels)
        inverse = (covariance + epsilon / 9 * torch.eye(channels)).inverse()
        for i, j in itertools.product(window, window):
            M[i, j] += float(i == j) - (1 + (colours[:, i] - mean) @ inverse @ (colours[:, j] - mean)) / 9
    return M


@pytest.fixture(scope="module")
def scenery():
    """A part of a photograph, 12 × 16 pixels, for what is compared pixel by pixel."""
    return load_image("coffee", 96)[..., 20:32, 30:46]


# --- the Laplacian


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("epsilon", [1e-5, 1e-1])
def test_the_laplacian_is_the_published_formula(channels, epsilon, random_image):
    photograph = random_image(1, 5, 7, channels=channels)
    M = dense(matting_laplacian(photograph, epsilon))
    torch.testing.assert_close(M, by_loops(photograph, epsilon), rtol=0, atol=1e-5)


def test_it_is_positive_semidefinite_and_has_a_constant_in_its_kernel(scenery):
    M = dense(matting_laplacian(scenery))
    values = torch.linalg.eigvalsh(M)
    assert values[0] > -1e-5 and values[-1] > 1
    assert M.sum(1).abs().max() < 1e-12 and torch.equal(M, M.T)


def test_the_loss_is_what_the_best_fits_in_all_windows_leave(scenery, random_image):
    """Each window fitted by least squares, by a solver that knows nothing of covariances."""
    image, epsilon = random_image(2, 12, 16), 1e-3
    left = 0.0
    for y, x in itertools.product(range(10), range(14)):
        colours, V = (p[0, :, y : y + 3, x : x + 3].flatten(1).T.double() for p in (scenery, image))
        ridge = torch.cat([epsilon**0.5 * torch.eye(3), torch.zeros(3, 1)], dim=1)
        A = torch.cat([torch.cat([colours, torch.ones(9, 1)], dim=1), ridge])
        B = torch.cat([V, torch.zeros(3, 3)])
        left += (A @ torch.linalg.lstsq(A, B).solution - B).square().sum().item()
    found = matting_loss(image, matting_laplacian(scenery, epsilon))
    assert found.item() == pytest.approx(left / (12 * 16), rel=1e-4)


def test_another_light_costs_nothing_and_a_stroke_costs_much(scenery):
    """What it is for: an affine map of the colours is free, even one that changes slowly over the picture."""
    entries = matting_laplacian(scenery, 1e-7)
    mixing = torch.tensor([[0.2, 0.5, 0.1], [0.4, -0.3, 0.2], [0.0, 0.1, 0.9]])
    dusk = torch.einsum("ij,njyx->niyx", mixing, scenery) + torch.tensor([0.1, 0.2, -0.1]).view(1, 3, 1, 1)
    falling = scenery * torch.linspace(1, 0.9, 12).view(1, 1, 12, 1)
    stroke = scenery.clone()
    stroke[..., 5, 3:12] += 0.3
    blurred, mirrored = gaussian_blur(scenery, 1), scenery.flip(-1)
    cost = {
        name: matting_loss(picture, entries).item()
        for name, picture in {"dusk": dusk, "falling": falling, "itself": scenery}.items()
    }
    least = min(matting_loss(picture, entries).item() for picture in (stroke, blurred, mirrored))
    assert cost["itself"] < 1e-6 and cost["dusk"] < 1e-6
    assert cost["falling"] < 0.02 * least


def test_a_flat_photograph_forbids_whatever_is_not_flat(random_image):
    entries = matting_laplacian(torch.full((1, 3, 9, 9), 0.4))
    assert matting_loss(torch.full((1, 3, 9, 9), 0.9), entries) == 0
    image = random_image(3, 9, 9)
    assert matting_loss(image, entries).item() > image.var().item()


def test_larger_epsilon_forbids_to_amplify_what_is_faint(scenery):
    faint = 0.5 + 0.01 * (scenery - 0.5)
    cost = [matting_loss(scenery, matting_laplacian(faint, epsilon)).item() for epsilon in (1e-7, 1e-5, 1e-3)]
    assert cost[0] < 0.2 * cost[1] < 0.2 * cost[2]


def test_the_loss_and_its_gradient(scenery):
    entries = matting_laplacian(scenery[..., :5, :6], 1e-3)
    image = torch.rand(2, 3, 5, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    image.requires_grad_()
    assert torch.autograd.gradcheck(lambda x: matting_loss(x, entries.double()), image)
    loss = matting_loss(image, entries.double())
    V = image.detach().flatten(2)
    M = dense(entries)
    assert loss.item() == pytest.approx(torch.einsum("ncp,pq,ncq->", V, M, V).item() / 30 / 2)
    expected = (2 * V @ M / 30 / 2).view_as(image)
    torch.testing.assert_close(torch.autograd.grad(loss, image)[0], expected)


def test_a_weight_means_the_same_at_every_size():
    """The same photograph under the same strokes, side by side twice: as much of them a pixel."""
    photograph, image = (load_image(name, 64)[..., :40, :40] for name in ("coffee", "starry_night"))
    one = matting_loss(image, matting_laplacian(photograph)).item()
    both = [torch.cat([p, p.flip(-1)], dim=-1) for p in (photograph, image)]
    assert matting_loss(both[1], matting_laplacian(both[0])).item() == pytest.approx(one, rel=0.1)


def test_what_has_no_window_or_another_size_is_refused(random_image):
    with pytest.raises(StylelabError, match="2 × 8 pixels has no 3 × 3 window"):
        matting_laplacian(random_image(1, 8, 2))
    with pytest.raises(StylelabError, match="the image is 6×8 and the photograph of the Laplacian 8×6"):
        matting_loss(random_image(1, 8, 6), matting_laplacian(random_image(1, 6, 8)))


def test_the_term_is_the_loss_by_the_scenes_photograph(random_vgg, random_image):
    content, image = random_image(1, 32, 32), random_image(2, 32, 32)
    terms = [Photorealism(3.0, epsilon=1e-4)]
    objective = Objective(terms, Scene(content), Features(random_vgg))
    matting, total = objective(image).tolist()
    assert objective.names == ("matting", "total") and total == pytest.approx(3 * matting)
    assert matting == pytest.approx(matting_loss(image, matting_laplacian(content, 1e-4)).item())


# --- the guided filter


def filtered_by_loops(image, guide, radius, epsilon):
    """He, Sun and Tang (2013), eq. 19 to 21, window by window."""
    channels, height, width = image.shape[1:]
    G, V = guide[0].double(), image[0].double()
    sums, counts = torch.zeros(channels, height, width).double(), torch.zeros(height, width)
    for y, x in itertools.product(range(height), range(width)):
        rows = slice(max(y - radius, 0), y + radius + 1)
        columns = slice(max(x - radius, 0), x + radius + 1)
        inside, values = G[:, rows, columns].flatten(1), V[:, rows, columns].flatten(1)
        mean_G, mean_V = inside.mean(1, keepdim=True), values.mean(1, keepdim=True)
        variance = (inside - mean_G) @ (inside - mean_G).T / inside.shape[1]
        covariance = (inside - mean_G) @ (values - mean_V).T / inside.shape[1]
        a = torch.linalg.inv(variance + epsilon * torch.eye(len(G))) @ covariance
        fit = a.T @ (inside - mean_G) + mean_V
        sums[:, rows, columns] += fit.view(sums[:, rows, columns].shape)
        counts[rows, columns] += 1
    return (sums / counts).clamp(0, 1)[None]


@pytest.mark.parametrize(("channels", "guiding"), [(3, 3), (3, 1), (1, 3), (1, 1)])
def test_the_guided_filter_is_the_published_formula(channels, guiding, random_image):
    image, guide = random_image(1, 7, 9, channels=channels), random_image(2, 7, 9, channels=guiding)
    for radius, epsilon in ((1, 0.1), (2, 1e-3), (20, 1e-2)):
        expected = filtered_by_loops(image, guide, radius, epsilon).float()
        torch.testing.assert_close(guided_filter(image, guide, radius, epsilon), expected, rtol=0, atol=1e-5)


def test_guided_by_itself_a_picture_keeps_its_edges_and_loses_what_is_fainter_than_epsilon(random_image):
    image = random_image(1, 20, 24)
    torch.testing.assert_close(guided_filter(image, image, 2, 1e-7), image, rtol=0, atol=1e-3)
    edge = torch.full((1, 1, 20, 24), 0.2)
    edge[..., 12:] = 0.8
    noisy = edge + 0.02 * (random_image(2, 20, 24, channels=1) - 0.5)
    smooth = guided_filter(noisy, noisy, 4, 1e-3)
    assert smooth[..., :6].std() < 0.3 * noisy[..., :6].std()
    assert (smooth[..., 12] - smooth[..., 11]).mean() > 0.57


def test_a_recoloured_photograph_passes_and_strokes_do_not(scenery):
    recoloured = 0.3 + 0.5 * scenery.flip(1)
    strokes = recoloured.clone()
    strokes[..., ::4, :] += 0.15
    torch.testing.assert_close(guided_filter(recoloured, scenery, 3, 1e-6), recoloured, rtol=0, atol=2e-3)
    drawn = guided_filter(strokes, scenery, 3, 1e-3) - guided_filter(recoloured, scenery, 3, 1e-3)
    assert drawn.std() < 0.25 * (strokes - recoloured).std()


def test_a_guide_of_another_size_is_brought_to_the_image_s_and_names_will_do(random_image):
    photograph = load_image("cat", 80)
    image = random_image(1, *photograph.shape[-2:])
    small = resize(photograph, 40).clamp(0, 1)
    found = guided_filter(image, small)
    expected = guided_filter(image, resize(small, image.shape[-2:]).clamp(0, 1))
    assert torch.equal(found, expected) and found.shape == image.shape and found.dtype == torch.float32
    assert guided_filter("cat", "cat").shape == load_image("cat").shape
    batch = torch.cat([image, 1 - image])
    torch.testing.assert_close(guided_filter(batch, photograph)[1:], guided_filter(1 - image, photograph))


def test_a_guided_filter_without_sense_is_refused(random_image):
    image = random_image(1, 20, 24)
    with pytest.raises(ImageError, match="the picture is 24×20 and its guide 20×20: give the photograph"):
        guided_filter(image, image[..., :20])
    for radius in (0, 1.5, float("nan")):
        with pytest.raises(StylelabError, match=f"radius={radius} must be a whole number of pixels"):
            guided_filter(image, image, radius)
    for epsilon in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(StylelabError, match=f"epsilon={epsilon}: use numbers above 0"):
            guided_filter(image, image, 2, epsilon)


# --- what is left of a photograph


def drawn(*columns):
    """A grey picture, 40 × 60, brighter right of each of some columns."""
    image = torch.full((1, 1, 40, 60), 0.2)
    for column in columns:
        image[..., column:] += 0.2
    return image


def test_edges_are_found_again_within_a_pixel_and_no_farther():
    photograph = drawn(20)
    assert [edges_found(drawn(20 + moved), photograph) for moved in (-2, -1, 0, 1, 2)] == [0, 1, 1, 1, 0]
    assert edges_found(1 - 0.3 * photograph, photograph) == 1, "in another light"
    assert edges_found(drawn(20, 40), drawn(20)) == 1 and edges_found(drawn(20), drawn(20, 40)) == 0.5
    assert edges_found(torch.full((1, 1, 40, 60), 0.5), photograph) == 0


def test_edges_everywhere_are_not_those_of_the_photograph(random_image):
    photograph = load_image("coffee", 128)
    shape = photograph.shape[-2:]
    noise, other = random_image(1, *shape), resize(load_image("rocket"), shape).clamp(0, 1)
    assert edges_found(photograph, photograph) == 1
    assert edges_found(noise, photograph) < 0.35 and edges_found(other, photograph) < 0.35


@pytest.mark.parametrize("light", [True, False])
def test_structural_similarity_is_the_published_formula(light, random_image):
    """Each window by itself, its deviations from its own mean squared one by one."""
    pictures = [random_image(seed, 6, 7, channels=1) for seed in (1, 2)]
    X, Y = (reflect_pad(picture, 5)[0, 0].double() for picture in pictures)
    bell = torch.exp(-(torch.arange(-5.0, 6.0) ** 2) / (2 * 1.5**2)).double()
    weights = bell[:, None] * bell / bell.sum() ** 2
    c1, c2, total = 0.01**2, 0.03**2, 0.0
    for row, column in itertools.product(range(6), range(7)):
        x, y = (P[row : row + 11, column : column + 11] for P in (X, Y))
        mean_x, mean_y = (weights * x).sum(), (weights * y).sum()
        s_x, s_y = ((weights * (v - m) ** 2).sum().sqrt() for v, m in ((x, mean_x), (y, mean_y)))
        structure = ((weights * (x - mean_x) * (y - mean_y)).sum() + c2 / 2) / (s_x * s_y + c2 / 2)
        brightness = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
        contrast = (2 * s_x * s_y + c2) / (s_x**2 + s_y**2 + c2)
        total += (brightness * contrast * structure if light else structure).item()
    assert structural_similarity(*pictures, light=light) == pytest.approx(total / 42, abs=1e-6)


def test_structure_alone_is_the_same_in_another_light():
    photograph = load_image("coffee", 128)
    dim = 0.1 + 0.5 * photograph
    assert structural_similarity(photograph, photograph) == pytest.approx(1)
    assert structural_similarity(dim, photograph, light=False) > 0.98 > structural_similarity(dim, photograph)
    assert structural_similarity(photograph.flip(-1), photograph, light=False) < 0.3


def test_pictures_of_two_shapes_are_not_compared():
    for measure in (edges_found, structural_similarity):
        with pytest.raises(ImageError, match="the picture is 60×40 and the photograph 30×40"):
            measure(drawn(20), drawn(20)[..., :30])


# --- dusk


def test_dusk_is_darker_bluer_in_the_shadows_warmer_in_the_lights_and_keeps_every_edge():
    photograph = load_image("coffee", 128)
    evening = at_dusk(photograph)
    assert evening.shape == photograph.shape and evening.min() >= 0 and evening.max() <= 1
    assert evening.mean() < 0.6 * photograph.mean()
    for grey, warm in ((0.1, False), (0.9, True)):
        red, _, blue = at_dusk(torch.full((1, 3, 8, 8), grey)).mean((0, 2, 3))
        assert (red > blue) == warm
    column = at_dusk(torch.full((1, 3, 8, 8), 0.5))[0, 0, :, 0]
    assert (column.diff() > 0).all() and column[0] / column[-1] == pytest.approx(0.6)
    assert structural_similarity(evening, photograph, light=False) > 0.95
    assert torch.equal(at_dusk("coffee"), at_dusk(load_image("coffee")))


# --- the recipe


def test_a_recipe_has_the_term_where_it_has_a_weight():
    names = [term.name for term in recipe_terms(RECIPES["quick"])]
    assert names == ["content", "style", "tv"]
    matting = recipe_terms(RECIPES["quick"].replace(matting_weight=7, bounds="penalty"))[3:]
    assert [(term.name, term.weight) for term in matting] == [("matting", 7), ("range", 1000)]


def test_a_recoloured_start_has_the_painting_s_colours_and_the_photograph_s_edges(random_vgg, photo):
    painting = load_image("rocket", 64)
    recipe = RECIPES["photorealistic"].replace(precision="float32", steps=1)
    first = next(optimise(photo, painting, recipe, random_vgg)).image
    torch.testing.assert_close(first, match_colours(photo, painting, "linear"))
    both = [(painting, 1.0), (1 - painting, 3.0)]
    mixed = next(optimise(photo, both, recipe, random_vgg)).image
    second = match_colours(photo, 1 - painting, "linear")
    torch.testing.assert_close(mixed, 0.25 * first + 0.75 * second)
    kept = next(optimise(photo, painting, recipe, random_vgg, colours="luminance"))
    assert kept.image.shape == photo.shape


def test_the_photorealistic_recipe_leaves_the_photograph_one_in_another_light(vgg):
    content, style = load_image("pagoda", 128), load_image("rocket", 128)
    found = {
        name: transfer(content, style, recipe, vgg, progress=False).image
        for name, recipe in {
            "quick": RECIPES["quick"],
            "photorealistic": RECIPES["photorealistic"].replace(steps=30),
        }.items()
    }
    edges = {name: edges_found(image, content) for name, image in found.items()}
    structure = {name: structural_similarity(image, content, light=False) for name, image in found.items()}
    assert edges["photorealistic"] > edges["quick"] + 0.1
    assert structure["photorealistic"] > 0.9 > structure["quick"]
    losses = [
        relative_losses(image, content, style, vgg)["style"]
        for image in (found["photorealistic"], match_colours(content, style, "linear"), content)
    ]
    assert losses[0] < losses[1] < losses[2]
