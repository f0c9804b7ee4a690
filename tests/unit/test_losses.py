"""Losses: equal to loops written out here, exact in their gradients, blind to what they should not see."""

import math
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from stylelab.errors import StylelabError
from stylelab.losses.distances import content_loss
from stylelab.losses.gram import gram_matrix, style_loss
from stylelab.losses.smoothness import tv_loss

NORMALISATIONS = ("chw", "hw", "none")
REDUCTIONS = ("mean", "sum", "relative")
quick = settings(max_examples=25, deadline=None)


def maps(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def gram_by_loops(features, normalise):
    n, channels, height, width = features.shape
    divisor = {"chw": channels * height * width, "hw": height * width, "none": 1}[normalise]
    gram = torch.zeros(n, channels, channels, dtype=torch.float64)
    for b, i, j in product(range(n), range(channels), range(channels)):
        for y, x in product(range(height), range(width)):
            gram[b, i, j] += features[b, i, y, x].item() * features[b, j, y, x].item()
    return gram / divisor


def distance_by_loops(value, target, reduction):
    """mean: over everything; sum and relative: of each batch element, then the mean over the batch."""
    squares, sizes = [0.0] * len(value), [0.0] * len(value)
    for b in range(len(value)):
        for v, t in zip(value[b].flatten().tolist(), target[b].flatten().tolist(), strict=True):
            squares[b] += (v - t) ** 2
            sizes[b] += t**2
    if reduction == "mean":
        return sum(squares) / value.numel()
    if reduction == "sum":
        return sum(squares) / len(value)
    return sum(square / size for square, size in zip(squares, sizes, strict=True)) / len(value)


def tv_by_loops(image, power, reduction):
    n, channels, height, width = image.shape
    across, down = [], []
    for b, c, y, x in product(range(n), range(channels), range(height), range(width)):
        here = image[b, c, y, x].item()
        if x + 1 < width:
            across.append(abs(image[b, c, y, x + 1].item() - here) ** power)
        if y + 1 < height:
            down.append(abs(image[b, c, y + 1, x].item() - here) ** power)
    if reduction == "sum":
        return (sum(across) + sum(down)) / n
    return (sum(across) / len(across) if across else 0.0) + (sum(down) / len(down) if down else 0.0)


# --- Gram matrix


@pytest.mark.parametrize("normalise", NORMALISATIONS)
@pytest.mark.parametrize("shape", [(1, 3, 4, 5), (2, 4, 3, 2), (1, 1, 1, 1), (3, 2, 1, 7)])
def test_gram_equals_loops(shape, normalise):
    features = maps(*shape)
    gram = gram_matrix(features, normalise)
    assert gram.shape == (shape[0], shape[1], shape[1])
    torch.testing.assert_close(gram, gram_by_loops(features, normalise))


def test_gram_of_one_small_case_by_hand():
    features = torch.tensor(
        [[[[1.0, 2.0, 3.0]], [[0.0, 1.0, -1.0]]]]
    )  # two channels, one row of three positions
    expected = torch.tensor([[[14.0, -1.0], [-1.0, 2.0]]])
    torch.testing.assert_close(gram_matrix(features, "none"), expected)
    torch.testing.assert_close(gram_matrix(features, "hw"), expected / 3)
    torch.testing.assert_close(gram_matrix(features), expected / 6)  # the default divides by C·H·W


@quick
@given(st.integers(0, 2**31), st.integers(1, 6), st.integers(1, 6), st.integers(1, 5))
def test_gram_is_unchanged_by_any_permutation_of_positions(seed, height, width, channels):
    features = maps(2, channels, height, width, seed=seed)
    order = torch.randperm(height * width, generator=torch.Generator().manual_seed(seed))
    shuffled = features.flatten(2)[:, :, order].view_as(features)
    torch.testing.assert_close(gram_matrix(shuffled), gram_matrix(features))
    torch.testing.assert_close(gram_matrix(features.mT), gram_matrix(features))


def test_gram_sees_which_position_goes_with_which():
    """Permuting the positions of one channel alone does change the matrix: co-occurrence is what it holds."""
    features = maps(1, 2, 4, 4)
    broken = features.clone()
    broken[:, 1] = features[:, 1].roll(1, dims=-1)
    assert (gram_matrix(broken) - gram_matrix(features)).abs().max() > 1e-3


@pytest.mark.parametrize("normalise", NORMALISATIONS)
def test_gram_is_symmetric_positive_and_quadratic(normalise):
    features = maps(2, 5, 4, 3)
    gram = gram_matrix(features, normalise)
    torch.testing.assert_close(gram, gram.mT)
    assert torch.linalg.eigvalsh(gram).min() > -1e-12 * gram.abs().max()
    torch.testing.assert_close(gram_matrix(3 * features, normalise), 9 * gram)


def test_gram_of_a_tiled_map_is_the_same_once_divided_by_its_size():
    features = maps(1, 3, 4, 4)
    tiled = features.tile(1, 1, 2, 3)
    for normalise in ("chw", "hw"):
        torch.testing.assert_close(gram_matrix(tiled, normalise), gram_matrix(features, normalise))
    torch.testing.assert_close(gram_matrix(tiled, "none"), 6 * gram_matrix(features, "none"))


@pytest.mark.parametrize("normalise", NORMALISATIONS)
def test_gram_passes_gradcheck(normalise):
    features = maps(2, 3, 2, 4).requires_grad_()
    assert torch.autograd.gradcheck(lambda f: gram_matrix(f, normalise), features)
    assert torch.autograd.gradgradcheck(lambda f: gram_matrix(f, normalise), features)


# --- content


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", [(1, 3, 4, 5), (2, 2, 3, 1)])
def test_content_loss_equals_loops(shape, reduction):
    features, target = maps(*shape, seed=1), maps(*shape, seed=2)
    loss = content_loss(features, target, reduction)
    assert loss.shape == ()
    assert loss.item() == pytest.approx(distance_by_loops(features, target, reduction))


def test_content_loss_takes_the_mean_unless_told():
    features, target = torch.full((1, 1, 2, 2), 3.0), torch.tensor([[[[3.0, 3.0], [3.0, 5.0]]]])
    assert content_loss(features, target).item() == 1.0
    assert content_loss(features, target, "sum").item() == 4.0
    assert content_loss(features, target, "relative").item() == pytest.approx(4 / 52)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_content_loss_is_zero_for_equals_and_exact_in_its_gradient(reduction):
    features, target = maps(2, 3, 2, 2, seed=1).requires_grad_(), maps(2, 3, 2, 2, seed=2)
    assert content_loss(target, target, reduction).item() == 0
    assert torch.autograd.gradcheck(lambda f: content_loss(f, target, reduction), features)


def test_relative_distance_forgets_the_scale_and_the_size_of_the_map():
    features, target = maps(1, 3, 4, 4, seed=1), maps(1, 3, 4, 4, seed=2)
    loss = content_loss(features, target, "relative")
    torch.testing.assert_close(content_loss(700 * features, 700 * target, "relative"), loss)
    torch.testing.assert_close(content_loss(features.tile(2, 2), target.tile(2, 2), "relative"), loss)
    assert content_loss(torch.zeros_like(target), target, "relative").item() == pytest.approx(1)


def test_relative_distance_of_nothing_from_nothing_is_zero_with_a_gradient():
    features = torch.zeros(1, 2, 3, 3, requires_grad=True)
    loss = content_loss(features, torch.zeros(1, 2, 3, 3), "relative")
    loss.backward()
    assert loss.item() == 0 and torch.equal(features.grad, torch.zeros_like(features))


# --- style

LAYERS = {"relu1_1": (3, 6, 5), "relu2_1": (4, 3, 4), "relu3_1": (2, 2, 2)}


def layered(batch, seed):
    return {name: maps(batch, *shape, seed=seed + i) for i, (name, shape) in enumerate(LAYERS.items())}


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("batch", [1, 2])
def test_style_loss_equals_loops(reduction, batch):
    features, painting = layered(batch, 0), layered(batch, 10)
    weights = {"relu1_1": 0.5, "relu3_1": 7.0}  # relu2_1 counts once
    expected = sum(
        weights.get(name, 1.0)
        * distance_by_loops(
            gram_by_loops(features[name], "chw"), gram_by_loops(painting[name], "chw"), reduction
        )
        for name in LAYERS
    )
    grams = {name: gram_matrix(values) for name, values in painting.items()}
    loss = style_loss(features, grams, weights, reduction)
    assert loss.shape == ()
    assert loss.item() == pytest.approx(expected)


def test_style_loss_sums_the_mean_of_each_layer_unless_told():
    features, painting = layered(1, 0), layered(1, 10)
    grams = {name: gram_matrix(values) for name, values in painting.items()}
    expected = sum((gram_matrix(features[name]) - grams[name]).square().mean().item() for name in LAYERS)
    assert style_loss(features, grams).item() == pytest.approx(expected)


def test_style_loss_pairs_layers_by_name_whatever_their_order():
    features, painting = layered(1, 0), layered(1, 10)
    grams = {name: gram_matrix(values) for name, values in painting.items()}
    backwards = dict(reversed(list(features.items()))), dict(sorted(grams.items(), reverse=True))
    weights = {"relu3_1": 3.0, "relu1_1": 2.0}
    torch.testing.assert_close(style_loss(*backwards, weights), style_loss(features, grams, weights))


def test_style_loss_ignores_maps_that_no_target_asks_for():
    features, painting = layered(1, 0), layered(1, 10)
    grams = {"relu2_1": gram_matrix(painting["relu2_1"])}
    only = style_loss({"relu2_1": features["relu2_1"]}, grams)
    assert torch.equal(style_loss(features, grams), only)


@pytest.mark.parametrize("normalise", NORMALISATIONS)
def test_style_loss_normalises_the_image_as_its_target(normalise):
    painting = layered(1, 10)
    grams = {name: gram_matrix(values, normalise) for name, values in painting.items()}
    assert style_loss(painting, grams, normalise=normalise).item() == 0
    shuffled = {name: values.flip(-1) for name, values in painting.items()}  # style forgets where
    assert style_loss(shuffled, grams, normalise=normalise).item() == pytest.approx(0, abs=1e-20)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_style_loss_passes_gradcheck(reduction):
    grams = {name: gram_matrix(values) for name, values in layered(1, 10).items()}
    inputs = [values.requires_grad_() for values in layered(1, 0).values()]
    weights = {"relu2_1": 0.3}
    assert torch.autograd.gradcheck(
        lambda *f: style_loss(dict(zip(LAYERS, f, strict=True)), grams, weights, reduction), inputs
    )


# --- total variation


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("shape", [(1, 3, 4, 5), (2, 1, 3, 3), (1, 2, 1, 6), (1, 2, 6, 1)])
def test_tv_equals_loops(shape, power, reduction):
    image = maps(*shape)
    loss = tv_loss(image, power, reduction)
    assert loss.shape == () and loss.dtype == image.dtype
    assert loss.item() == pytest.approx(tv_by_loops(image, power, reduction))


def test_tv_of_one_small_case_by_hand():
    image = torch.tensor([[[[0.0, 1.0, 3.0], [0.0, 0.0, 0.0]]]])
    # across: 1, 2, 0, 0; down: 0, 1, 3
    assert tv_loss(image).item() == pytest.approx(3 / 4 + 4 / 3)  # absolute and mean unless told
    assert tv_loss(image, 1, "sum").item() == 7
    assert tv_loss(image, 2, "mean").item() == pytest.approx(5 / 4 + 10 / 3)
    assert tv_loss(image, 2, "sum").item() == 15


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_tv_is_zero_on_a_constant_and_grows_with_contrast(power, reduction):
    assert tv_loss(torch.full((2, 3, 4, 5), 0.7), power, reduction).item() == 0
    assert tv_loss(torch.rand(1, 3, 1, 1), power, reduction).item() == 0
    image = maps(1, 3, 5, 4)
    loss = tv_loss(image, power, reduction)
    torch.testing.assert_close(tv_loss(3 * image, power, reduction), 3**power * loss)
    torch.testing.assert_close(tv_loss(-image, power, reduction), loss)
    torch.testing.assert_close(tv_loss(image + 5, power, reduction), loss)
    torch.testing.assert_close(tv_loss(image.mT, power, reduction), loss)
    torch.testing.assert_close(tv_loss(image.flip(-1, -2), power, reduction), loss)


def test_the_mean_tv_of_a_ramp_is_its_slope_at_every_size():
    for width in (4, 40):
        ramp = (0.01 * torch.arange(width, dtype=torch.float64)).expand(1, 3, 7, width)
        assert tv_loss(ramp).item() == pytest.approx(0.01)


def test_tv_does_not_wrap_around_nor_look_along_channels():
    image = torch.zeros(2, 3, 1, 5)
    image[..., :] = torch.arange(5.0)
    assert (
        tv_loss(image, 1, "sum").item() == 12
    )  # 3 channels of 4 unit steps; wrapping round would add 4 each
    channels = torch.arange(6.0).view(2, 3, 1, 1).expand(2, 3, 4, 4)
    assert tv_loss(channels, 1, "sum").item() == 0


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_tv_passes_gradcheck(power, reduction):
    # Random values are never equal: no difference sits in the kink of |x|.
    image = maps(2, 2, 3, 4).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: tv_loss(x, power, reduction), image)


# --- batches


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_a_batch_of_two_is_two_batches(reduction):
    features, target = maps(2, 3, 4, 4, seed=1), maps(2, 3, 4, 4, seed=2)
    torch.testing.assert_close(gram_matrix(features), torch.cat([gram_matrix(f[None]) for f in features]))

    alone = [content_loss(f[None], t[None], reduction) for f, t in zip(features, target, strict=True)]
    torch.testing.assert_close(content_loss(features, target, reduction), torch.stack(alone).mean())

    grams = {"a": gram_matrix(target)}
    alone = [
        style_loss({"a": f[None]}, {"a": g[None]}, None, reduction)
        for f, g in zip(features, grams["a"], strict=True)
    ]
    torch.testing.assert_close(style_loss({"a": features}, grams, None, reduction), torch.stack(alone).mean())

    if reduction != "relative":
        alone = [tv_loss(f[None], 1, reduction) for f in features]
        torch.testing.assert_close(tv_loss(features, 1, reduction), torch.stack(alone).mean())


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_one_target_serves_a_whole_batch(reduction):
    features, target = maps(3, 2, 4, 4, seed=1), maps(1, 2, 4, 4, seed=2)
    for_all = target.expand(3, -1, -1, -1)
    torch.testing.assert_close(
        content_loss(features, target, reduction), content_loss(features, for_all, reduction)
    )
    torch.testing.assert_close(
        style_loss({"a": features}, {"a": gram_matrix(target)}, None, reduction),
        style_loss({"a": features}, {"a": gram_matrix(for_all)}, None, reduction),
    )


def test_losses_stay_finite_in_float32_at_the_size_of_real_features():
    """Bundled VGG-19's conv4_2 is around 1,000 and up to some 10,000: squares of sums must fit."""
    features = 1e4 * maps(1, 512, 16, 16).float()
    target = 1e4 * maps(1, 512, 16, 16, seed=1).float()
    for reduction in REDUCTIONS:
        assert math.isfinite(content_loss(features, target, reduction).item())
        assert math.isfinite(style_loss({"a": features}, {"a": gram_matrix(target)}, None, reduction).item())


# --- complaints


def test_complaints_name_what_was_got_and_what_would_do():
    features = maps(1, 3, 4, 4)
    with pytest.raises(StylelabError, match=r'normalise="hwc" .*"chw", "hw" or "none"'):
        gram_matrix(features, "hwc")
    with pytest.raises(StylelabError, match=r"\(3, 4, 4\).*\(N, C, H, W\)"):
        gram_matrix(features[0])
    with pytest.raises(StylelabError, match=r'reduction="average" .*"mean", "sum" or "relative"'):
        content_loss(features, features, "average")
    with pytest.raises(StylelabError, match=r'reduction="relative" .*"mean" or "sum"'):
        tv_loss(features, reduction="relative")
    with pytest.raises(StylelabError, match=r"power=3 .*1 or 2"):
        tv_loss(features, power=3)


def test_shapes_that_do_not_fit_are_refused_rather_than_broadcast():
    features = maps(2, 3, 4, 4)
    for other in (maps(2, 3, 4, 5), maps(2, 1, 4, 4), maps(3, 3, 4, 4), maps(2, 3, 1, 4)):
        with pytest.raises(StylelabError, match=r"\(2, 3, 4, 4\).*one size") as caught:
            content_loss(features, other)
        assert str(tuple(other.shape)) in str(caught.value)
    with pytest.raises(StylelabError, match=r"\(2, 3, 3\).*\(1, 4, 4\)"):
        style_loss({"a": features}, {"a": gram_matrix(maps(1, 4, 4, 4))})


def test_layers_that_are_missing_or_unknown_are_named():
    features, grams = layered(1, 0), {name: gram_matrix(values) for name, values in layered(1, 10).items()}
    with pytest.raises(StylelabError, match=r"no feature map for relu3_1; got relu1_1, relu2_1"):
        style_loss({name: features[name] for name in ("relu1_1", "relu2_1")}, grams)
    with pytest.raises(StylelabError, match=r"layer_weights names relu9_1, but grams has relu1_1"):
        style_loss(features, grams, {"relu9_1": 1.0})
