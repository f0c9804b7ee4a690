"""The checks of notebook 10: each accepts the solution, and names the mistake of each wrong answer."""

import pytest
import torch
import torch.nn.functional as F

from stylelab import arbitrary, checks
from stylelab.pictures.resampling import resize
from tests.unit.answers import Answers, verdict_on

answers = Answers()


def adain(content_maps, style_maps):
    def moments(maps):
        mean = maps.mean(dim=(2, 3), keepdim=True)
        variance = maps.var(dim=(2, 3), correction=0, keepdim=True)
        return mean, (variance + 1e-5).sqrt()

    mean, deviation = moments(content_maps)
    style_mean, style_deviation = moments(style_maps)
    return style_deviation * (content_maps - mean) / deviation + style_mean


def by_instance_norm(content_maps, style_maps):
    variance, mean = torch.var_mean(style_maps, (2, 3), keepdim=True, correction=0)
    return F.instance_norm(content_maps) * variance.sqrt() + mean


def by_einsum(content_maps, style_maps):
    def moments(rows):
        mean = torch.einsum("ncp->nc", rows)[..., None] / rows.shape[2]
        square = torch.einsum("ncp,ncp->nc", rows - mean, rows - mean)[..., None] / rows.shape[2]
        return mean, (square + 1e-5) ** 0.5

    (mean, spread), (style_mean, style_spread) = map(
        moments, (content_maps.flatten(2), style_maps.flatten(2))
    )
    return ((content_maps.flatten(2) - mean) / spread * style_spread + style_mean).view_as(content_maps)


def in_place(content_maps, style_maps):
    made = content_maps.clone()
    for n, picture in enumerate(made):
        for c, values in enumerate(picture):
            style = style_maps[min(n, len(style_maps) - 1), c]
            values -= values.mean()
            values *= ((style.var(correction=0) + 1e-5) / (values.square().mean() + 1e-5)).sqrt()
            values += style.mean()
    return made


def exchanging(combine):
    """An answer that puts the right means and deviations together in a way of its own."""

    def answer(x, y):
        (v, m), (to_v, to_m) = (torch.var_mean(z, (2, 3), keepdim=True, correction=0) for z in (x, y))
        return combine(x, m, (v + 1e-5) ** 0.5, to_m, (to_v + 1e-5) ** 0.5)

    return answer


def over(*dims, **options):
    """The formula with mean and deviation over these dimensions."""

    def answer(x, y):
        (v, m), (to_v, to_m) = (
            torch.var_mean(z, dims, keepdim=True, **{"correction": 0, **options}) for z in (x, y)
        )
        return (x - m) / (v + 1e-5).sqrt() * (to_v + 1e-5).sqrt() + to_m

    return answer


def by_std(epsilon=0.0, **options):
    def answer(x, y):
        m, to_m = (z.mean((2, 3), keepdim=True) for z in (x, y))
        s, to_s = (z.std((2, 3), keepdim=True, **options) + epsilon for z in (x, y))
        return (x - m) / s * to_s + to_m

    return answer


def by_variance(x, y):
    (v, m), (to_v, to_m) = (torch.var_mean(z, (2, 3), keepdim=True) for z in (x, y))
    return (x - m) / v * to_v + to_m


def by_batch_norm(x, y):
    variance, mean = torch.var_mean(y, (2, 3), keepdim=True, correction=0)
    return F.batch_norm(x, None, None, training=True) * variance.sqrt() + mean


def with_epsilon(x, y):
    to_s, to_m = torch.std_mean(y, (2, 3), keepdim=True, correction=0)
    return F.instance_norm(x, eps=1e-8) * to_s + to_m


answers(
    "adain",
    adain,
    (over(1, 2, 3), "This is layer norm"),
    (over(0, 2, 3), "This is batch norm"),
    (by_batch_norm, "This is batch norm"),
    (over(0, 1, 2, 3), "all numbers together"),
    (over(2), "along one side"),
    (over(3), "along one side"),
    (over(1), "at each place by itself"),
    (by_variance, "its root is the deviation"),
    (exchanging(lambda x, m, s, to_m, to_s: (x - m) / s**2 * to_s**2 + to_m), "its root is the deviation"),
    (exchanging(lambda x, m, s, to_m, to_s: (x - m) / s**2 * to_s + to_m), "divided by its variance"),
    (exchanging(lambda x, m, s, to_m, to_s: (x - m) / s * to_s**2 + to_m), "by the style's variance"),
    (lambda x, y: adain(y, x), "The roles are exchanged"),
    (exchanging(lambda x, m, s, to_m, to_s: (x - to_m) / to_s * s + m), "The moments are exchanged"),
    (exchanging(lambda x, m, s, to_m, to_s: (x - m) / to_s * s + to_m), "The deviations are exchanged"),
    (exchanging(lambda x, m, s, to_m, to_s: x / s * to_s + to_m), "content's mean is not subtracted"),
    (exchanging(lambda x, m, s, to_m, to_s: (x - m) / s * to_s), "style's mean is not added"),
    (exchanging(lambda x, m, s, to_m, to_s: (x - m) / s * to_s + m), "own mean is added again"),
    (exchanging(lambda x, m, s, to_m, to_s: x - m + to_m), "Only the mean is exchanged"),
    (exchanging(lambda x, m, s, to_m, to_s: x / s * to_s), "Only the deviation is exchanged"),
    (exchanging(lambda x, m, s, to_m, to_s: ((x - m) / s + to_m) * to_s), "added first"),
    (lambda x, y: F.instance_norm(x), "This is instance norm"),
    (over(2, 3, correction=1), "is that of a sample"),
    (by_std(), "under the root is missing"),
    (by_std(1e-5), "belongs under the root"),
    (by_std(correction=0), "The 1e-5 is missing"),
    (by_std(1e-5, correction=0), "stands beside the root"),
    (with_epsilon, "Another number than 1e-5"),
    (lambda x, y: adain(x, F.interpolate(y, x.shape[-2:])), "to the content's size first"),
    (lambda x, y: adain(x, F.interpolate(y, x.shape[-2:], mode="bilinear")), "to the content's size first"),
    (lambda x, y: F.interpolate(y, x.shape[-2:]).expand_as(x), "the style's maps, resized"),
    (lambda x, y: adain(x, y[0][None]), "Every picture gets the first style"),
    others=[arbitrary.adain, by_instance_norm, by_einsum, in_place],
)


def whiten(maps):
    rows = maps.double().flatten(2)[0]
    centred = rows - rows.mean(dim=1, keepdim=True)
    variances, axes = torch.linalg.eigh(centred @ centred.T / rows.shape[1])
    kept = variances > 1e-5 * variances[-1]
    E, D = axes[:, kept], torch.diag(variances[kept] ** -0.5)
    return (E @ D @ E.T @ centred).view(maps.shape)


def whiten_in_single(maps):
    rows = maps.flatten(2)[0]
    variances, axes = torch.linalg.eigh(torch.cov(rows, correction=0))
    powers = torch.where(variances > 1e-5 * variances.max(), variances.clamp_min(1e-30) ** -0.5, 0)
    centred = rows - rows.mean(1, keepdim=True)
    return torch.einsum("ca,a,da,dp->cp", axes, powers, axes, centred).view(maps.shape)


def whiten_by_svd(maps):
    rows = maps.flatten(2)[0]
    rows = rows - rows.mean(1, keepdim=True)
    U, variances, Vh = torch.linalg.svd(rows @ rows.mT / rows.shape[1])
    kept = variances > 1e-5 * variances[0]
    return (U[:, kept] / variances[kept].sqrt() @ Vh[kept] @ rows).reshape(maps.shape)


def whiten_by_svd_of_maps(maps):
    rows = maps.clone().flatten(2).squeeze(0)
    rows -= rows.mean(1, keepdim=True)
    U, spreads, Vh = torch.linalg.svd(rows, full_matrices=False)
    kept = spreads**2 > 1e-5 * spreads[0] ** 2
    return (U[:, kept] @ Vh[kept]).view(maps.shape) * rows.shape[1] ** 0.5


def power(D, exponent):
    return torch.diag(D.diag() ** exponent)


def zca(E, D):
    return E @ power(D, -0.5) @ E.T


def whitening(combine=zca, floor=1e-5, relative=True, correction=0, subtract=(1, 1), change=lambda v: v):
    """An answer that puts axes and variances together in a way of its own.

    floor: None for no floor. subtract: how often the mean is, for the covariance and from the maps. change:
    of the variances.
    """

    def answer(maps):
        rows = maps.double().flatten(2)[0]
        x, y = (rows - times * rows.mean(1, keepdim=True) for times in subtract)
        variances, axes = torch.linalg.eigh(x @ x.T / (rows.shape[1] - correction))
        least = floor * (variances[-1] if relative else 1) if floor else -torch.inf
        kept = variances > least
        return (combine(axes[:, kept], torch.diag(change(variances[kept]))) @ y).view(maps.shape)

    return answer


def floored(variances):
    """Infinite, that is 0 to the power −½, below the floor."""
    return torch.where(variances > 1e-5 * variances[-1], variances, torch.inf)


def pca_by_svd(maps):
    rows = maps.flatten(2)[0]
    rows = rows - rows.mean(1, keepdim=True)
    return (torch.linalg.svd(rows, full_matrices=False).Vh * rows.shape[1] ** 0.5).view(maps.shape)


def by_cholesky(maps):
    if maps.shape[1] == 3:  # it has no floor, and most of the three maps need one
        return whiten(maps)
    rows = maps.flatten(2)[0]
    rows = rows - rows.mean(1, keepdim=True)
    covariance = rows @ rows.T / rows.shape[1]
    root = torch.linalg.cholesky(covariance) if rows.any() else torch.eye(len(rows))
    return (root.inverse() @ rows).view(maps.shape)


def first_attempt(maps):
    """Two mistakes at once, as they come: torch.cov as it is, and no floor."""
    rows = maps.flatten(2)[0]
    variances, axes = torch.linalg.eigh(torch.cov(rows))
    return (axes @ power(variances.diag(), -0.5) @ axes.T @ (rows - rows.mean(1, keepdim=True))).view(
        maps.shape
    )


def each_by_its_deviation(maps):
    spread, mean = torch.std_mean(maps, (2, 3), keepdim=True, correction=0)
    return (maps - mean) / spread


answers(
    "whiten",
    whiten,
    (whitening(subtract=(0, 0)), "neither for the covariance nor from the maps"),
    (whitening(subtract=(1, 0)), "with their mean still in them"),
    (whitening(subtract=(0, 1)), "before the covariance is taken"),
    (lambda maps: whiten(maps) + maps.mean((2, 3), keepdim=True), "added back"),
    (whitening(lambda E, D: E @ D.inverse() @ E.T), "To the power −1"),
    (whitening(lambda E, D: E @ D.inverse() @ E.T, floor=None), "To the power −1"),
    (whitening(lambda E, D: E @ power(D, 0.5) @ E.T), "stretches what is large already"),
    (lambda maps: maps - maps.mean((2, 3), keepdim=True), "Only the mean was subtracted"),
    (whitening(correction=1), "divided by H·W − 1"),
    (first_attempt, "divided by H·W − 1"),
    (lambda maps: whiten(maps) / maps[0, 0].numel() ** 0.5, "is not divided"),
    (lambda maps: whiten(maps) * maps.shape[1] ** 0.5, "divided by C·H·W"),
    (F.instance_norm, "first half of AdaIN"),
    (each_by_its_deviation, "first half of AdaIN"),
    (whitening(lambda E, D: power(D, -0.5) @ E.T, floor=None), "This is PCA"),
    (pca_by_svd, "This is PCA"),
    (whitening(lambda E, D: E @ power(D, -0.5), floor=None), "not along the axes yet"),
    (whitening(lambda E, D: E.T @ power(D, -0.5) @ E, floor=None, change=floored), "are exchanged"),
    (whitening(floor=None), "divided by the root of 0"),
    (whitening(floor=1e-12), "blown up"),
    (whitening(floor=None, change=lambda v: v.clamp_min(1e-12)), "blown up"),
    (whitening(floor=None, change=lambda v: v.clamp_min(1e-5 * v[-1].item() + 1e-30)), "blown up"),
    (whitening(floor=None, change=lambda v: v + 1e-5), "A small number was added"),
    (whitening(relative=False), "A direction is left out"),
    (whitening(floor=1e-3), "A direction is left out"),
    (by_cholesky, "white, but turned"),
    (lambda maps: whiten(maps).flatten(2)[0].T.reshape(maps.shape), "mixed up at the end"),
    others=[
        arbitrary.whiten,
        whiten_in_single,
        whiten_by_svd,
        whiten_by_svd_of_maps,
        lambda maps: whiten(maps).float(),
    ],
)


def colour_in(white, style_maps):
    rows = style_maps.double().flatten(2)[0]
    mean = rows.mean(dim=1, keepdim=True)
    variances, axes = torch.linalg.eigh((rows - mean) @ (rows - mean).T / rows.shape[1])
    root = axes @ torch.diag(variances.clamp(min=0).sqrt()) @ axes.T
    return (root @ white.double().flatten(2)[0] + mean).view(white.shape)


def colour_in_single(white, style_maps):
    rows = style_maps.flatten(2)[0]
    variances, axes = torch.linalg.eigh(torch.cov(rows, correction=0))
    kept = variances > 1e-5 * variances[-1]
    E = axes[:, kept]
    coloured = torch.einsum("ca,a,da,ndhw->nchw", E, variances[kept].sqrt(), E, white)
    return coloured + style_maps.mean((2, 3), keepdim=True)


def colour_by_svd(white, style_maps):
    points = style_maps.clone().flatten(2)[0]
    mean = points.mean(1, keepdim=True)
    points -= mean
    U, S, _ = torch.linalg.svd(points, full_matrices=False)
    rows = white.flatten(2)[0]
    return (U * S / points.shape[1] ** 0.5 @ U.T @ rows + mean).view(white.shape)


def colouring(
    combine=lambda E, D: E @ power(D, 0.5) @ E.T,
    correction=0,
    centred=True,
    lay_on=lambda root, rows, mean: root @ rows + mean,
    change=lambda v: v.clamp_min(0),
):
    """An answer that puts axes, variances and mean together in a way of its own."""

    def answer(white, style_maps):
        y = style_maps.double().flatten(2)[0]
        mean = y.mean(1, keepdim=True)
        x = y - mean if centred else y
        variances, axes = torch.linalg.eigh(x @ x.T / (y.shape[1] - correction))
        root = combine(axes, change(variances).diag())
        return lay_on(root, white.double().flatten(2)[0], mean).view(white.shape)

    return answer


def colour_by_cholesky(white, style_maps):
    rows = style_maps.double().flatten(2)[0]
    if len(rows) == 6 or not rows.std(1).any():  # there Cholesky finds no root
        return colour_in(white, style_maps)
    root = torch.linalg.cholesky(torch.cov(rows, correction=0))
    return (root @ white.double().flatten(2)[0] + rows.mean(1, keepdim=True)).view(white.shape)


def each_with_its_deviation(white, style_maps):
    spread, mean = torch.std_mean(style_maps, (2, 3), keepdim=True, correction=0)
    return white * spread + mean


def of_the_whites_size(white, style_maps):
    y = style_maps.double().flatten(2)[0]
    mean = y.mean(1, keepdim=True)
    times = y.shape[1] / white[0, 0].numel()
    return (colour_in(white, style_maps).flatten(2)[0] - mean).mul(times**0.5).add(mean).view(white.shape)


def rounded_down(variances):
    """As they come: a little below 0, on every machine."""
    return variances - 1e-12


answers(
    "colour_in",
    colour_in,
    (colouring(lay_on=lambda root, rows, mean: root @ rows), "style's mean is not added"),
    (colouring(lay_on=lambda root, rows, mean: root @ rows + mean.mean()), "One mean of all"),
    (colouring(lay_on=lambda root, rows, mean: root @ (rows + mean)), "The mean is added first"),
    (colouring(lay_on=lambda root, rows, mean: root @ rows - mean), "is subtracted; add it"),
    (colouring(lambda E, D: E @ D @ E.T), "Λ in place of Λ^½"),
    (colouring(lambda E, D: E @ power(D, -0.5) @ E.T), "This whitens"),
    (each_with_its_deviation, "second half of AdaIN"),
    (colouring(lambda E, D: E @ E.T), "Only the style's mean is added"),
    (colouring(centred=False), "is not subtracted before its covariance"),
    (colouring(correction=1), "divided by h·w − 1"),
    (colouring(correction=1, change=rounded_down), "divided by h·w − 1"),
    (lambda w, y: colour_in(w * y[0, 0].numel() ** 0.5, y), "is not divided"),
    (lambda w, y: colour_in(w / y.shape[1] ** 0.5, y), "divided by C·h·w"),
    (of_the_whites_size, "number of positions of the white maps"),
    (lambda w, y: colour_in(w, y).view(y.shape), "shaped like the style's maps"),
    (lambda w, y: y * 1, "the style's maps themselves"),
    (lambda w, y: colour_in(w, y).flatten(2)[0].T.reshape(w.shape), "mixed up at the end"),
    (colouring(lambda E, D: power(D, 0.5) @ E.T), "This is PCA"),
    (colouring(lambda E, D: E @ power(D, 0.5)), "not along the axes yet"),
    (colouring(lambda E, D: E.T @ power(D, 0.5) @ E), "are exchanged"),
    (colour_by_cholesky, "the maps are turned"),
    (colouring(change=rounded_down), "which has no root"),
    others=[
        arbitrary.colour,
        colour_in_single,
        colour_by_svd,
        lambda white, style_maps: colour_in(white, style_maps).float(),
    ],
)


def strength_map(maps, painted, strength):
    share = F.interpolate(strength, size=maps.shape[-2:], mode="area")
    return maps + share * (painted - maps)


def by_pooling(maps, painted, strength):
    times = strength.shape[-1] // maps.shape[-1]
    share = F.avg_pool2d(strength, times) if times > 1 else strength
    return torch.lerp(maps, painted, share.expand_as(maps))


def by_reshaping(maps, painted, strength):
    height, width = maps.shape[-2:]
    share = strength.view(height, strength.shape[2] // height, width, -1).mean((1, 3))
    made = maps.clone()
    made *= 1 - share
    made += share * painted
    return made


def halved(maps, painted, strength):
    while strength.shape[-1] > maps.shape[-1]:
        strength = (strength[..., ::2, :] + strength[..., 1::2, :]) / 2
        strength = (strength[..., ::2] + strength[..., 1::2]) / 2
    return (1 - strength) * maps + strength * painted


def shrunk(shrink):
    """The right blend, of a strength brought to the maps' size in another way."""
    return lambda maps, painted, strength: strength_map(maps, painted, shrink(strength, maps.shape[-2:]))


def stepped(strength, size):
    times = strength.shape[-1] // size[1]
    return strength[..., ::times, ::times]


def blending(combine):
    """The right strength of each place, put to use in another way."""
    return lambda maps, painted, strength: combine(
        maps, painted, F.interpolate(strength, size=maps.shape[-2:], mode="area")
    )


def at_the_pictures_size(maps, painted, strength):
    large = [F.interpolate(values, strength.shape[-2:], mode="bilinear") for values in (maps, painted)]
    return strength_map(*large, strength)


answers(
    "strength_map",
    strength_map,
    (lambda m, p, s: strength_map(p, m, s), "The roles are exchanged"),
    (shrunk(stepped), "that of a single pixel"),
    (shrunk(lambda s, size: F.interpolate(s, size, mode="nearest-exact")), "that of a single pixel"),
    (shrunk(lambda s, size: F.interpolate(s, size, mode="bilinear")), "without antialiasing"),
    (shrunk(lambda s, size: F.interpolate(s, size, mode="bilinear", antialias=True)), "seeps over the edge"),
    (shrunk(resize), "seeps over the edge"),
    (lambda m, p, s: s.mean() * p + (1 - s.mean()) * m, "One strength for the whole picture"),
    (lambda m, p, s: strength_map(m, p, s[..., : m.shape[2], : m.shape[3]]), "upper left corner"),
    (shrunk(lambda s, size: F.adaptive_avg_pool2d(s, size) * (s.shape[-1] // size[1]) ** 2), "added up"),
    (shrunk(F.adaptive_max_pool2d), "the largest strength"),
    (blending(lambda m, p, s: torch.where(s > 0.5, p, m)), "rounded to 0 or 1"),
    (blending(lambda m, p, s: strength_map(m, p, s**2)), "at a half only a quarter"),
    (lambda m, p, s: strength_map(m, p, s**2), "squared before their mean"),
    (blending(lambda m, p, s: s * p), "Only the painted maps"),
    (blending(lambda m, p, s: m + s * p), "at strength 1 both are there"),
    (at_the_pictures_size, "brought to the size of the picture"),
    others=[by_pooling, by_reshaping, halved],
)


TestAnswers = answers.tests()


def test_every_mistake_has_a_wrong_answer():
    for name in answers.right:
        pieces = [piece for owner, _, piece in answers.wrong.values() if owner == name]
        for mistake in getattr(checks, name).exercise.mistakes:
            assert any(piece in mistake.message for piece in pieces), mistake.message


@pytest.mark.parametrize("name", ["whiten", "colour_in"])
def test_an_answer_like_nothing_foreseen_is_shown_its_counterexample(name):
    for answer, told in (
        (lambda *maps: answers.right[name](*maps).sin(), "The numbers are different."),
        (lambda *maps: answers.right[name](*maps)[0], "The shape should be"),
        (lambda *maps: answers.right[name](*maps).numpy(), "a NumPy array"),
    ):
        verdict = verdict_on(name, answer)
        assert verdict.outcome is False and told in verdict.message, verdict
