"""The statistics of a style: equal to loops, blind to positions, comparable, and what each of them sees."""

import math
from functools import partial
from itertools import product

import pytest
import torch

from stylelab import RECIPES, Recipe, transfer
from stylelab.errors import StylelabError
from stylelab.losses import (
    STATISTICS,
    Covariance,
    Gram,
    Histogram,
    Moments,
    Patches,
    Sliced,
    Wasserstein,
    at_layer,
)
from stylelab.losses import patches as patches_module
from stylelab.optimisation import settings
from stylelab.optimisation.settings import PATCH_LAYERS
from stylelab.optimisation.terms import recipe_terms

ALL = [make() for make in STATISTICS.values()]
SHUFFLED = [statistic for statistic in ALL if not isinstance(statistic, Patches)]
BLIND = [Gram(), Covariance(), Moments(), Wasserstein()]
SORTED = [Histogram(), Sliced()]
REDUCTIONS = ("mean", "sum", "relative")


def name(value):
    return type(value).__name__.lower() if hasattr(value, "measure") else None


def each(statistics):
    return pytest.mark.parametrize("statistic", statistics, ids=name)


def maps(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype) + 0.5


def left_half(height, width, dtype=torch.float64):
    mask = torch.zeros(1, 1, height, width, dtype=dtype)
    mask[..., : width // 2] = 1
    return mask


# --- what all have in common


@each(ALL)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_equal_maps_are_at_no_distance_and_others_are(statistic, reduction):
    found, other = maps(1, 5, 6, 8), maps(1, 5, 6, 8, seed=1)
    target = statistic.measure(found)
    assert 0 <= statistic.distance(found, target, reduction).item() < 1e-6
    assert statistic.distance(other, target, reduction).item() > 1e-3
    assert statistic.distance(other, target, reduction).shape == ()


@each(SHUFFLED)
@pytest.mark.parametrize("shape", [(6, 8), (2, 2)], ids=["many positions", "fewer than channels"])
def test_shuffled_positions_change_nothing(statistic, shape):
    found, target = maps(1, 5, *shape), statistic.measure(maps(1, 5, 6, 8, seed=1))
    order = torch.randperm(math.prod(shape), generator=torch.Generator().manual_seed(0))
    shuffled = found.flatten(2)[:, :, order].view_as(found)
    torch.testing.assert_close(statistic.measure(shuffled), statistic.measure(found))
    torch.testing.assert_close(statistic.distance(shuffled, target), statistic.distance(found, target))


@each(ALL)
def test_maps_of_zeros_are_at_relative_distance_one(statistic):
    """So that a weight means about the same with each."""
    target = statistic.measure(maps(1, 5, 6, 8))
    found = statistic.distance(torch.zeros(1, 5, 6, 8, dtype=torch.float64), target).item()
    if isinstance(statistic, Patches):  # of the patch that zeros find, whichever: on average it is 1
        assert 0.3 < found < 3
    else:
        assert found == pytest.approx(1)


@each(ALL)
def test_the_relative_distance_forgets_how_large_the_features_are(statistic):
    found, target = maps(1, 5, 6, 8), maps(1, 5, 6, 8, seed=1)
    expected = statistic.distance(found, statistic.measure(target))
    torch.testing.assert_close(statistic.distance(700 * found, statistic.measure(700 * target)), expected)


@each(ALL)
@pytest.mark.parametrize("shape", [(6, 8), (2, 2)], ids=["many positions", "fewer than channels"])
def test_a_mask_of_ones_changes_nothing(statistic, shape):
    found, painting, ones = maps(1, 5, *shape), maps(1, 5, 5, 7, seed=1), torch.ones(1, 1, 5, 7)
    target = statistic.measure(painting)
    alone = statistic.distance(found, target)
    torch.testing.assert_close(statistic.distance(found, statistic.measure(painting, ones)), alone)
    over_all = torch.ones(1, 1, *shape, dtype=torch.float64)
    for reduction in REDUCTIONS:
        expected = statistic.distance(found, target, reduction)
        torch.testing.assert_close(statistic.distance(found, target, reduction, over_all), expected)


@each(SHUFFLED)
@pytest.mark.parametrize("height", [6, 1], ids=["many positions", "fewer than channels"])
def test_half_a_mask_sees_that_half(statistic, height):
    found, target = maps(1, 9, height, 8), statistic.measure(maps(1, 9, 4, 7, seed=1))
    left = left_half(height, 8)
    torch.testing.assert_close(statistic.measure(found, left), statistic.measure(found[..., :4]))
    torch.testing.assert_close(
        statistic.distance(found, target, mask=left), statistic.distance(found[..., :4], target)
    )


@each(ALL)
@pytest.mark.parametrize("reduction", ["mean", "relative"])
def test_only_the_proportions_of_a_mask_count(statistic, reduction):
    found, target = maps(1, 5, 6, 8), statistic.measure(maps(1, 5, 4, 7, seed=1))
    mask = torch.rand(1, 1, 6, 8, generator=torch.Generator().manual_seed(2)).double()
    expected = statistic.distance(found, target, reduction, mask)
    torch.testing.assert_close(statistic.distance(found, target, reduction, 0.3 * mask), expected)


@each(SHUFFLED)
def test_a_position_of_weight_two_thirds_counts_twice_as_much_as_one_of_a_third(statistic):
    found, target = maps(1, 3, 20, 30), statistic.measure(1.5 * maps(1, 3, 20, 40, seed=1))
    twice = found.sum(1).flatten() > 1.5  # the high values, so that the weights change the distribution
    mask = (1 + twice.double()).view(1, 1, 20, 30) / 3
    repeated = found.flatten(2).repeat_interleave(1 + twice.long(), -1)[:, :, None]
    # Sorted, the two that are one have one rank between theirs.
    tolerance = {"rtol": 0.01, "atol": 0} if statistic in SORTED else {}
    torch.testing.assert_close(
        statistic.distance(found, target, mask=mask), statistic.distance(repeated, target), **tolerance
    )
    measures = statistic.measure(found, mask), statistic.measure(repeated)
    if statistic in SORTED:
        measures = measures[0], torch.nn.functional.interpolate(measures[1], 600, mode="nearest-exact")
        assert (measures[0] - measures[1]).abs().mean() < 0.01
    else:
        torch.testing.assert_close(*measures)


@each(ALL)
def test_a_mask_lets_no_gradient_out(statistic):
    found, target = maps(1, 5, 6, 8).requires_grad_(), statistic.measure(maps(1, 5, 6, 8, seed=1))
    statistic.distance(found, target, mask=left_half(6, 8)).backward()
    reach = 5 if isinstance(statistic, Patches) else 4  # a patch reaches one further than its centre
    assert found.grad[..., :4].abs().sum() > 0 and not found.grad[..., reach:].any()


@each(ALL)
@pytest.mark.parametrize("masked", [False, True])
def test_maps_of_bfloat16_are_compared_in_float32(statistic, masked):
    low = maps(1, 8, 12, 16).bfloat16().requires_grad_()
    painting = maps(1, 8, 10, 16, seed=1).bfloat16()
    masks = (left_half(12, 16), left_half(10, 16)) if masked else (None, None)
    measure = statistic.measure(painting, at_layer(masks[1], painting))
    found = statistic.distance(low, measure, mask=at_layer(masks[0], low))
    found.backward()
    target = statistic.measure(painting.double(), masks[1])
    expected = statistic.distance(low.detach().double(), target, mask=masks[0]).item()
    assert found.dtype == torch.float32 and low.grad.isfinite().all() and low.grad.any()
    # Gram and covariance multiply in bfloat16, which is what makes them quick.
    exact = not isinstance(statistic, Gram | Covariance)
    assert found.item() == pytest.approx(expected, rel=1e-4 if exact else 0.02)


@each(ALL)
def test_a_batch_is_its_pictures(statistic):
    found, target = maps(2, 3, 4, 5), statistic.measure(maps(1, 3, 4, 5, seed=1))
    for mask, reduction in product((None, left_half(4, 5)), REDUCTIONS):
        alone = [statistic.distance(one, target, reduction, mask) for one in found.split(1)]
        torch.testing.assert_close(
            statistic.distance(found, target, reduction, mask), torch.stack(alone).mean()
        )


@each(ALL)
def test_one_painting_mixed_is_that_painting(statistic):
    target, found = statistic.measure(maps(1, 4, 4, 5)), maps(1, 4, 6, 5, seed=1)
    again = statistic.mix([target, statistic.measure(maps(1, 4, 7, 7, seed=2))], [1.0, 0.0])
    tolerance = {"rtol": 0.1, "atol": 0} if statistic in SORTED else {}  # brought to more ranks and back
    torch.testing.assert_close(
        statistic.distance(found, again), statistic.distance(found, target), **tolerance
    )


@each(ALL)
def test_an_unknown_reduction_is_refused(statistic):
    found = maps(1, 3, 4, 4)
    with pytest.raises(StylelabError, match=r'reduction="median" is unknown; use "mean", "sum" or'):
        statistic.distance(found, statistic.measure(found), "median")


# --- gradients


@each([*BLIND[1:], *SORTED, Sliced(3, seed=5)])
@pytest.mark.parametrize("shape", [(3, 4), (2, 2)], ids=["many positions", "fewer than channels"])
@pytest.mark.parametrize("masked", [False, True])
def test_gradients_are_right(statistic, shape, masked):
    """Also of covariances without full rank: with four positions, five channels vary in three directions."""
    target = statistic.measure(maps(1, 5, 3, 3, seed=1))
    mask = torch.rand(1, 1, *shape, generator=torch.Generator().manual_seed(2)).double() if masked else None
    for reduction in REDUCTIONS:
        found = maps(2, 5, *shape).requires_grad_()
        distance = partial(statistic.distance, measure=target, reduction=reduction, mask=mask)
        assert torch.autograd.gradcheck(distance, found)


def test_gradients_of_wasserstein_are_right_towards_a_painting_without_full_rank():
    painting = maps(1, 5, 3, 3, seed=1)
    painting[:, 3], painting[:, 4] = 2 * painting[:, 0] - painting[:, 1], 0.7
    target = Wasserstein().measure(painting)
    assert torch.linalg.matrix_rank(target[0, :, 1:]) == 3
    for shape in ((3, 4), (2, 2)):
        found = maps(1, 5, *shape).requires_grad_()
        assert torch.autograd.gradcheck(lambda f: Wasserstein().distance(f, target), found)


@each(ALL)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(
    "kind", ["zeros", "constant", "some flat", "alike", "one position"], ids=lambda kind: kind
)
def test_gradients_are_finite_where_maps_are_flat_or_alike(statistic, dtype, kind):
    found = maps(1, 6, 8, 8, dtype=torch.float32)
    if kind == "zeros":
        found.zero_()
    elif kind == "constant":
        found[:] = found[..., :1, :1]
    elif kind == "some flat":
        found[:, 2:] = 0
    elif kind == "alike":
        found[:] = found[:, :1]
    else:
        found = found[..., :1, :1].clone()
    target = statistic.measure(maps(1, 6, 8, 8, seed=1, dtype=torch.float32))
    found = found.to(dtype).requires_grad_()
    loss = statistic.distance(found, target)
    loss.backward()
    assert loss.isfinite() and found.grad.isfinite().all()


def test_the_gradient_of_moments_is_right_away_from_flat_maps_and_nothing_on_them():
    flat = torch.full((1, 2, 3, 3), 0.5, dtype=torch.float64, requires_grad=True)
    target = Moments().measure(flat.detach()) + torch.tensor([[[0.0, 0.0], [1.0, 1.0]]])
    Moments().distance(flat, target).backward()
    assert not flat.grad.any()


# --- formulas, against loops and closed forms


def test_covariance_is_the_mean_product_of_what_is_beyond_the_means():
    found = maps(2, 3, 4, 5)
    expected = torch.stack([torch.cov(one.flatten(1), correction=0) for one in found])
    torch.testing.assert_close(Covariance().measure(found), expected)
    gram = Gram("hw").measure(found)
    mean = found.mean((2, 3))
    torch.testing.assert_close(Covariance().measure(found) + mean[:, :, None] * mean[:, None], gram)


def test_moments_are_those_of_each_map():
    found, other = maps(2, 3, 4, 5), maps(1, 3, 4, 4, seed=1)
    measure = Moments().measure(found)
    for picture, channel in product(range(2), range(3)):
        values = found[picture, channel].flatten().tolist()
        mean = sum(values) / 20
        deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / 20)
        assert measure[picture, :, channel].tolist() == pytest.approx([mean, deviation])
    gaps = (measure - Moments().measure(other)).square()
    assert Moments().distance(found, Moments().measure(other), "mean").item() == pytest.approx(
        gaps.sum().item() / 12
    )


def with_moments(means, deviations, seed):
    """Maps (1, C, 8, 8) of channels that do not correlate, with exactly these means and deviations."""
    drawn = torch.randn(64, len(means), generator=torch.Generator().manual_seed(seed)).double()
    white = torch.linalg.qr(drawn - drawn.mean(0)).Q * 8
    found = white * torch.tensor(deviations) + torch.tensor(means)
    return found.T.reshape(1, -1, 8, 8)


@pytest.mark.parametrize("channels", [1, 3])
def test_wasserstein_of_covariances_with_the_same_axes_is_that_of_means_and_deviations(channels):
    mean_a, mean_b = [0.5, -1.0, 2.0][:channels], [1.5, 0.0, 2.5][:channels]
    deviation_a, deviation_b = [1.0, 0.3, 2.0][:channels], [0.2, 0.9, 2.0][:channels]
    found = with_moments(mean_a, deviation_a, seed=0)
    target = Wasserstein().measure(with_moments(mean_b, deviation_b, seed=1))
    pairs = [*zip(mean_a, mean_b, strict=True), *zip(deviation_a, deviation_b, strict=True)]
    squares = sum((a - b) ** 2 for a, b in pairs)
    size = sum(b**2 for _, b in pairs)
    for reduction, expected in (
        ("sum", squares),
        ("mean", squares / channels),
        ("relative", squares / size),
    ):
        assert Wasserstein().distance(found, target, reduction).item() == pytest.approx(expected)


@pytest.mark.parametrize("shape", [(6, 8), (2, 2)], ids=["many positions", "fewer than channels"])
def test_wasserstein_equals_its_formula(shape):
    def root(matrix):
        values, axes = torch.linalg.eigh(matrix)
        return axes @ values.clamp_min(0).sqrt().diag() @ axes.T

    found, painting = maps(1, 5, *shape), maps(1, 5, 5, 7, seed=1)
    A, B = (torch.cov(one[0].flatten(1), correction=0) for one in (found, painting))
    shift = (found - painting.mean((2, 3), keepdim=True)).mean((2, 3)).square().sum()
    expected = shift + (A + B - 2 * root(root(B) @ A @ root(B))).trace()
    assert Wasserstein().distance(found, Wasserstein().measure(painting), "sum").item() == pytest.approx(
        expected.item(), rel=1e-6
    )


def test_several_paintings_meet_at_the_barycentre_where_their_axes_are_the_same():
    a = with_moments([0.0, 1.0], [1.0, 3.0], seed=0)
    b = with_moments([2.0, 1.0], [2.0, 0.5], seed=1)
    between = with_moments([1.5, 1.0], [1.75, 1.125], seed=2)
    for statistic in (Wasserstein(), Moments()):
        mixed = statistic.mix([statistic.measure(a), statistic.measure(b)], [0.25, 0.75])
        torch.testing.assert_close(mixed, statistic.measure(between))


def wanted_by_loops(values, target):
    """Each value's partner: at its rank, or where there are fewer, at the same share of the ranks."""
    order = sorted(range(len(values)), key=lambda i: values[i])
    ranked, partner = sorted(target), [0.0] * len(values)
    for rank, place in enumerate(order):
        partner[place] = ranked[int((rank + 0.5) / len(values) * len(ranked))]
    return partner


@pytest.mark.parametrize("shape", [(4, 5), (3, 3), (5, 8)])
@each([Histogram(), Sliced(), Sliced(7, seed=3)])
def test_sorted_values_are_compared_rank_by_rank(statistic, shape):
    found, painting = maps(1, 3, 4, 5), maps(1, 3, *shape, seed=1)
    if isinstance(statistic, Sliced):
        along = statistic._along(torch.eye(3).double().view(1, 3, 1, 3))[0]
        seen = [(along @ one[0].flatten(1)).tolist() for one in (found, painting)]
    else:
        seen = [one[0].flatten(1).tolist() for one in (found, painting)]
    squares, size, count = 0.0, 0.0, 0
    for values, target in zip(*seen, strict=True):
        for value, partner in zip(values, wanted_by_loops(values, target), strict=True):
            squares, size, count = squares + (value - partner) ** 2, size + partner**2, count + 1
    measure = statistic.measure(painting)
    for reduction, expected in (
        ("sum", squares),
        ("mean", squares / count),
        ("relative", squares / size),
    ):
        assert statistic.distance(found, measure, reduction).item() == pytest.approx(expected)


def test_values_that_are_all_higher_by_one_number_are_that_far():
    found = maps(1, 4, 5, 6)
    shift = torch.tensor([0.5, -1.0, 2.0, 0.0]).double().view(1, 4, 1, 1)
    for statistic in SORTED:
        target = statistic.measure(found + shift)
        expected = shift.square().sum().item()
        # Directions at right angles: together they see the whole length of the shift.
        assert 4 * statistic.distance(found, target, "mean").item() == pytest.approx(expected)


def test_the_directions_of_sliced_are_bases_decided_by_the_seed():
    points = torch.eye(6).double().view(1, 6, 1, 6)
    along = Sliced(9)._along(points)[0]
    assert along.shape == (9, 6)
    torch.testing.assert_close(along[:6] @ along[:6].T, torch.eye(6).double(), atol=1e-5, rtol=0)
    torch.testing.assert_close(along[6:] @ along[6:].T, torch.eye(3).double(), atol=1e-5, rtol=0)
    assert torch.equal(Sliced(9)._along(points)[0], along)
    assert (Sliced(9, seed=1)._along(points)[0] - along).abs().max() > 0.1
    assert Sliced().measure(points).shape == (1, 6, 6)


@pytest.mark.parametrize("number", [0, -3, 2.5, True])
def test_a_number_of_projections_or_a_size_that_is_none_is_refused(number):
    with pytest.raises(StylelabError, match=r"projections=.*whole number from 1 upwards"):
        Sliced(number)
    with pytest.raises(StylelabError, match=r"size=.*whole number from 1 upwards"):
        Patches(number)


def test_a_seed_that_is_none_is_refused():
    with pytest.raises(StylelabError, match="seed -1"):
        Sliced(seed=-1)


def nearest_by_loops(found, paintings, size, weights, at_hand):
    """Sums of weighted squares, of weights, of squares of the patches at hand, and the number of these."""

    def patches(grid):
        rows, columns = (n - size + 1 for n in grid.shape[1:])
        return {(y, x): grid[:, y : y + size, x : x + size] for y, x in product(range(rows), range(columns))}

    middle = size // 2
    choice = [
        patch
        for painting, mask in zip(paintings, at_hand, strict=True)
        for (y, x), patch in patches(painting[0]).items()
        if mask[y + middle, x + middle]
    ]
    squares, total = 0.0, 0.0
    for (y, x), patch in patches(found[0]).items():
        scores = [((patch * other).sum() / other.square().sum().sqrt()).item() for other in choice]
        nearest = choice[scores.index(max(scores))]
        weight = weights[y + middle, x + middle].item()
        squares, total = squares + weight * (patch - nearest).square().sum().item(), total + weight
    return squares, total, sum(other.square().sum().item() for other in choice), len(choice)


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("count", [1, 2], ids=["one painting", "two"])
@pytest.mark.parametrize("at_once", [1, 700, 2**25])
def test_patches_equal_loops(size, masked, count, at_once, monkeypatch):
    monkeypatch.setattr(patches_module, "AT_ONCE", at_once)
    found = maps(1, 4, 6, 7)
    paintings = [maps(1, 4, 5, 6, seed=1), maps(1, 4, 6, 4, seed=2)][:count]
    weights = torch.rand(6, 7, generator=torch.Generator().manual_seed(3)).double()
    at_hand = [left_half(*one.shape[2:])[0, 0] for one in paintings]
    if not masked:
        weights, at_hand = torch.ones_like(weights), [torch.ones_like(mask) for mask in at_hand]
    statistic = Patches(size)
    measures = [
        statistic.measure(one, mask[None, None] if masked else None)
        for one, mask in zip(paintings, at_hand, strict=True)
    ]
    target = statistic.mix(measures, [1 / count] * count)
    squares, total, size_of_all, number = nearest_by_loops(found, paintings, size, weights, at_hand)
    mask = weights[None, None] if masked else None
    for reduction, expected in (
        ("sum", squares),
        ("mean", squares / (total * size**2 * 4)),
        ("relative", squares / (total * size_of_all / number)),
    ):
        assert statistic.distance(found, target, reduction, mask).item() == pytest.approx(expected)


def test_the_gradient_of_patches_is_right_while_the_choice_stays():
    target = Patches().measure(maps(1, 4, 5, 6, seed=1))
    weights = torch.rand(1, 1, 5, 5, generator=torch.Generator().manual_seed(3)).double()
    for mask in (None, weights):
        found = maps(2, 4, 5, 5).requires_grad_()
        assert torch.autograd.gradcheck(partial(Patches().distance, measure=target, mask=mask), found)


def test_patches_find_a_piece_of_the_painting_wherever_it_is():
    painting = maps(1, 4, 9, 9)
    target = Patches().measure(painting)
    assert Patches().distance(painting[..., 2:7, 3:8], target).item() == pytest.approx(0, abs=1e-12)
    assert Patches().distance(painting.flip(-1), target).item() > 0.1, "but not turned round"
    assert Patches().distance(1.5 * painting, target, "relative").item() == pytest.approx(0.25, rel=0.05)


def test_maps_smaller_than_a_patch_are_compared_in_patches_as_small_as_they():
    target = Patches().measure(maps(1, 4, 6, 6, seed=1))
    for shape in ((2, 5), (1, 1)):
        found = maps(1, 4, *shape)
        small = Patches(min(shape)).distance(found, target)
        torch.testing.assert_close(Patches().distance(found, target), small)


def test_a_mask_that_leaves_no_patch_of_a_painting_is_refused():
    corner = torch.zeros(1, 1, 6, 8)
    corner[..., 0, 0] = 1
    target = Patches().measure(maps(1, 4, 6, 8), corner)
    with pytest.raises(StylelabError, match="mask leaves no centre of a patch at maps of 8 × 6: make it"):
        Patches().distance(maps(1, 4, 6, 8), target)


# --- what the Gram matrix does not see


def points(*columns):
    """Maps (1, C, 1, P), the values off centre, as those of a network are."""
    return torch.tensor(columns).double().T[None, :, None] + 3


CORNERS = points((1, 1), (1, -1), (-1, 1), (-1, -1))
DIAMOND = points((2**0.5, 0), (-(2**0.5), 0), (0, 2**0.5), (0, -(2**0.5)))
# Every channel and every two of them alike; but in the second cloud the third is the product of the others.
CUBE = points(*product((-1.0, 1.0), repeat=3))
TETRAHEDRON = points(*[(x, y, x * y) for x, y in product((-1.0, 1.0), repeat=2)] * 2)


@each(ALL)
@pytest.mark.parametrize(
    ("a", "b", "seen_by"),
    [
        pytest.param(CORNERS, DIAMOND, {"histogram", "sliced", "patches"}, id="square"),
        pytest.param(CUBE, TETRAHEDRON, {"sliced", "patches"}, id="cube"),
    ],
)
def test_two_clouds_of_points_with_one_gram_matrix_are_told_apart_by_some(statistic, a, b, seen_by):
    torch.testing.assert_close(Gram().measure(a), Gram().measure(b))
    found = statistic.distance(a, statistic.measure(b)).item()
    if name(statistic) in seen_by:
        assert found > 1e-3
    else:
        assert found == pytest.approx(0, abs=1e-12)


# --- in a recipe


def test_a_recipe_knows_the_statistics_by_their_names():
    assert tuple(STATISTICS) == settings.STATISTICS
    for called, make in STATISTICS.items():
        recipe = RECIPES["quick"].replace(statistic=called)
        (style,) = (term for term in recipe_terms(recipe) if term.name == "style")
        assert style.statistic == make() and called == name(make())
        assert recipe.to_dict()["statistic"] == called
        assert Recipe.from_dict(recipe.to_dict()) == recipe == Recipe(**recipe.to_dict())


def test_patches_bring_their_layers_unless_others_are_asked_for():
    for recipe in (Recipe(statistic="patches"), RECIPES["gatys"].replace(statistic="patches")):
        assert recipe.style_layers == PATCH_LAYERS == {"relu3_1": 0.5, "relu4_1": 0.5}
        assert Recipe.from_dict(recipe.to_dict()) == recipe
    for recipe in (
        Recipe(statistic="patches", style_layers="relu2_1"),
        Recipe().replace(statistic="patches", style_layers="relu2_1"),
        Recipe(statistic="patches").replace(style_layers="relu2_1"),
    ):
        assert recipe.style_layers == {"relu2_1": 1.0}
    assert Recipe(statistic="sliced").style_layers == Recipe().style_layers


@pytest.mark.parametrize("called", STATISTICS)
def test_a_transfer_lessens_its_own_loss(called, random_vgg, random_image):
    content, painting = random_image(1, 48, 48), 0.3 * random_image(2, 40, 56)
    recipe = RECIPES["quick"].replace(
        statistic=called, precision="float32", scales=(1,), steps=(20,), style_factors=(1,), content_weight=0
    )
    result = transfer(content, painting, recipe, random_vgg, progress=False)
    losses = [step["style"] for step in result.history]
    assert len(losses) == 20 and losses[-1] < 0.5 * losses[0]
