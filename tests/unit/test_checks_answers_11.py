"""The checks of notebook 11: each accepts the solution, and names the mistake of each wrong answer."""

import numpy as np
import pytest
import torch

from stylelab import checks, gram_matrix
from stylelab.losses import Scene
from tests.unit.answers import Answers, verdict_on

answers = Answers()


def guided_gram(features, mask):
    rows = features.flatten(2)
    return (rows * mask.flatten(2)) @ rows.mT / mask.sum()


def by_einsum(features, mask):
    return torch.einsum("nchw,nihw,ndhw->ncd", features, mask, features) / mask.sum()


def by_roots(features, mask):
    """The mask on both sides, but its root."""
    rows = (features * mask.sqrt()).flatten(2)
    return rows @ rows.mT / mask.sum()


def with_shares(features, mask):
    """Divided first: the mask as shares of its sum."""
    columns = features[0].flatten(1)
    return (columns @ torch.diag((mask / mask.sum()).flatten()) @ columns.T)[None]


def by_loops(features, mask):
    total = features.new_zeros(1, features.shape[1], features.shape[1])
    for row in range(features.shape[2]):
        for column in range(features.shape[3]):
            vector = features[0, :, row, column]
            total = total + mask[0, 0, row, column] * torch.outer(vector, vector)
    return total / mask.sum()


def both_sides(features, mask):
    return (features * mask).flatten(2) @ (features * mask).flatten(2).mT


def over(divisor):
    """The right sum, divided by another number."""
    return lambda features, mask: guided_gram(features, mask) * mask.sum() / divisor(features, mask)


def of_chosen(chosen):
    """The Gram matrix of the places picked out, each in full."""

    def answer(features, mask):
        rows = features[0][:, chosen(mask[0, 0])]
        return (rows @ rows.T / rows.shape[1])[None]

    return answer


def less_its_mean(features, mask):
    rows, counts = features.flatten(2), mask.flatten(2)
    mean = (rows * counts).sum(2, keepdim=True) / counts.sum()
    return guided_gram(features, mask) - mean @ mean.mT


answers(
    "guided_gram",
    guided_gram,
    (lambda f, m: both_sides(f, m) / m.sum(), "a place that counts half counts a quarter"),
    (lambda f, m: both_sides(f, m) / m.pow(2).sum(), "divided by the sum of the squares"),
    (lambda f, m: gram_matrix(f * m), "Two things"),
    (lambda f, m: gram_matrix(f * m, "hw"), "Two things"),
    (both_sides, "Two things"),
    (over(lambda f, m: f.shape[2] * f.shape[3]), "Divided by H·W, as if all places counted"),
    (over(lambda f, m: f[0].numel()), "as in notebook 01"),
    (over(lambda f, m: (m > 0).sum()), "the number of places where the mask is not 0"),
    (lambda f, m: gram_matrix(f, "none", m), "Added up, but not divided"),
    (lambda f, m: gram_matrix(f, "chw", m), "It is divided by C too"),
    (lambda f, m: gram_matrix(f, "hw"), "The mask is not looked at"),
    (lambda f, m: gram_matrix(f, "none") / m.sum(), "all places are counted in full"),
    (lambda f, m: guided_gram(f, 1 - m), "the style of all the rest"),
    (of_chosen(lambda m: m > 0.5), "The soft edge is gone"),
    (of_chosen(lambda m: m > 0), "The soft edge is gone"),
    (lambda f, m: guided_gram(f - f.mean((2, 3), keepdim=True), m), "that is a covariance"),
    (less_its_mean, "that is a covariance"),
    (lambda f, m: guided_gram(f.detach(), m), "cut off from the features"),
    others=[
        lambda features, mask: gram_matrix(features, "hw", mask),
        by_einsum,
        by_roots,
        with_shares,
        by_loops,
    ],
)


def laid_on(photograph, painted, masks):
    share = sum(masks).clamp(max=1)
    return photograph + share * (painted - photograph)


def by_the_scene(photograph, painted, masks):
    return Scene(photograph, [(painted, 1.0)] * len(masks), [(mask, None) for mask in masks]).laid_on(painted)


def with_what_is_left(photograph, painted, masks):
    """Each mask takes from what no other has claimed."""
    left, made = torch.ones_like(masks[0]), torch.zeros_like(photograph)
    for mask in masks:
        taken = torch.minimum(mask, left)
        made, left = made + taken * painted, left - taken
    return made + left * photograph


def pixel_by_pixel(photograph, painted, masks):
    made = photograph.clone()
    for row in range(made.shape[2]):
        for column in range(made.shape[3]):
            share = min(1, sum(mask[0, 0, row, column].item() for mask in masks))
            made[..., row, column] *= 1 - share
            made[..., row, column] += share * painted[..., row, column]
    return made


def claimed(claim):
    """The right blend, by what `claim` makes of the masks, stacked."""
    return lambda photograph, painted, masks: laid_on(photograph, painted, [claim(torch.stack(masks))])


def one_after_the_other(photograph, painted, masks):
    for mask in masks:
        photograph = (1 - mask) * photograph + mask * painted
    return photograph


def not_cut(photograph, painted, masks):
    return torch.lerp(photograph, painted, sum(masks).expand_as(painted))


answers(
    "laid_on",
    laid_on,
    (not_cut, "cut the sum"),
    (lambda c, p, m: not_cut(c, p, m).clamp(0, 1), "the finished picture that was cut"),
    (claimed(lambda m: m.sum(0) / m.sum(0).max().clamp(min=1)), "divided by its largest value"),
    (claimed(lambda m: m.prod(0)), "The masks are multiplied"),
    (claimed(lambda m: m.mean(0)), "The mean of the masks"),
    (claimed(lambda m: m[0]), "Only the first mask"),
    (claimed(lambda m: m[-1]), "Only the last mask"),
    (claimed(lambda m: m.amax(0)), "The largest of the masks"),
    (one_after_the_other, "Laid on mask by mask"),
    (lambda c, p, m: laid_on(p, c, m), "The roles are exchanged"),
    (lambda c, p, m: torch.where(sum(m) > 0.5, p, c), "The edge is hard"),
    (lambda c, p, m: torch.where(sum(m) > 0, p, c), "The edge is hard"),
    (claimed(lambda m: (m > 0.5).float().amax(0)), "The edge is hard"),
    (lambda c, p, m: sum(m).clamp(0, 1) * p, "black where no mask claims it"),
    (lambda c, p, m: c + sum(m).clamp(0, 1) * p, "added to the photograph"),
    others=[
        by_the_scene,
        with_what_is_left,
        pixel_by_pixel,
        lambda photograph, painted, masks: torch.where(
            sum(masks) >= 1, painted, not_cut(photograph, painted, masks)
        ),
    ],
)


def shares(areas, weights):
    parts = [area * weight for area, weight in zip(areas, weights, strict=True)]
    return [sum(areas) * part / sum(parts) for part in parts]


def by_arrays(areas, weights):
    parts = np.multiply(areas, weights)
    return list(np.sum(areas) * parts / parts.sum())


def by_tensors(areas, weights):
    parts = torch.tensor(areas) * torch.tensor(weights)
    return (sum(areas) * parts / parts.sum()).tolist()


def by_mean_weight(areas, weights):
    """Each area, times how its weight compares with that of the mean place that is painted."""
    mean = sum(a * w for a, w in zip(areas, weights, strict=True)) / sum(areas)
    return tuple(area * (weight / mean) for area, weight in zip(areas, weights, strict=True))


def each(factor):
    """An answer from a painting's area and weight, and all of both."""
    return lambda areas, weights: [factor(a, w, areas, weights) for a, w in zip(areas, weights, strict=True)]


def to_one(areas, weights):
    parts = np.multiply(areas, weights)
    return (parts / parts.sum()).tolist()


answers(
    "shares",
    shares,
    (each(lambda a, w, areas, weights: w / sum(weights)), "The areas are not looked at"),
    (each(lambda a, w, areas, weights: w / sum(weights) * sum(areas)), "The areas are not looked at"),
    (lambda areas, weights: areas, "The weights are not looked at"),
    (each(lambda a, w, areas, weights: a / sum(areas)), "The weights are not looked at"),
    (to_one, "They add up to 1"),
    (each(lambda a, w, areas, weights: a * w / len(weights)), "the number of paintings"),
    (each(lambda a, w, areas, weights: a * w / len(weights) * sum(areas)), "the number of paintings"),
    (each(lambda a, w, areas, weights: a * w), "divided by no sum of them"),
    (each(lambda a, w, areas, weights: a * w * sum(areas)), "divided by no sum of them"),
    (each(lambda a, w, areas, weights: a * w / sum(weights)), "by sums of their own"),
    (each(lambda a, w, areas, weights: a / sum(areas) * w / sum(weights)), "by sums of their own"),
    (each(lambda a, w, areas, weights: a * w / np.mean(weights)), "by sums of their own"),
    others=[by_arrays, by_tensors, by_mean_weight],
)


TestAnswers = answers.tests()


def test_every_mistake_has_a_wrong_answer():
    told = {
        name: [piece for owner, _, piece in answers.wrong.values() if owner == name] for name in answers.right
    }
    for name, pieces in told.items():
        for mistake in getattr(checks, name).exercise.mistakes:
            assert any(piece in mistake.message for piece in pieces), mistake.message


def test_what_is_told_fits_one_mistake_only():
    for name, _, piece in answers.wrong.values():
        messages = {mistake.message for mistake in getattr(checks, name).exercise.mistakes}
        assert sum(piece in message for message in messages) == 1, piece


def test_a_mask_squared_is_found_by_soft_edges_alone():
    exercise = checks.guided_gram.exercise
    squared = answers.wrong["guided_gram-0"][1]
    hard = [case for case in exercise.cases() if set(case.inputs[1].unique().tolist()) <= {0, 1}]
    assert 2 <= len(hard) < len(exercise.cases())
    for case in hard:
        torch.testing.assert_close(squared(*case.inputs), guided_gram(*case.inputs))


@pytest.mark.parametrize("name", answers.right)
def test_an_answer_like_nothing_foreseen_is_shown_its_counterexample(name):
    def unforeseen(*inputs):
        right = answers.right[name](*inputs)
        return [part**3 for part in right] if isinstance(right, list) else right.sin()

    verdict = verdict_on(name, unforeseen)
    assert verdict.outcome is False and verdict.inputs and verdict.expected is not None
    assert verdict.message not in {mistake.message for mistake in getattr(checks, name).exercise.mistakes}
