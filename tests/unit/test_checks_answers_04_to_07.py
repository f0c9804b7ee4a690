"""The checks of notebooks 04 to 07: each accepts the solution, and names the mistake of each wrong answer."""

from functools import partial
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F

from stylelab import FILTERS, RECIPES, Recipe
from stylelab.checks.patch_net import REACH
from stylelab.checks.recipes import BROKEN
from stylelab.colour import rgb_to_yuv, yuv_to_rgb
from stylelab.patches.windows import extract_patches, fold_patches
from stylelab.pictures import resize
from tests.unit.answers import Answers, verdict_on

answers = Answers()

# 04


def to_yuv(image, luma=(0.299, 0.587, 0.114), u=0.492, v=0.877):
    red, green, blue = image.unbind(1)
    y = luma[0] * red + luma[1] * green + luma[2] * blue
    return torch.stack([y, u * (blue - y), v * (red - y)], dim=1)


def times_the_transpose(image):
    matrix = torch.cat([to_yuv(unit.view(1, 3, 1, 1)).flatten()[None] for unit in torch.eye(3)])
    return torch.einsum("ij,njhw->nihw", matrix, image)


TABLE = torch.tensor([[0.299, 0.587, 0.114], [-0.14713, -0.28886, 0.436], [0.615, -0.51499, -0.10001]])


def crossed(image):
    """The differences of the wrong one of red and blue."""
    red, green, blue = image.unbind(1)
    y = 0.299 * red + 0.587 * green + 0.114 * blue
    return torch.stack([y, 0.492 * (red - y), 0.877 * (blue - y)], dim=1)


answers(
    "rgb_to_yuv",
    to_yuv,
    (lambda x: (x.movedim(1, -1) @ TABLE).movedim(-1, 1), "transposed"),
    (lambda x: (x.movedim(1, -1) @ TABLE.T).movedim(-1, 1), "rounded table"),
    (lambda x: torch.einsum("ij,njhw->nihw", (TABLE * 1000).round() / 1000, x), "rounded table"),
    (lambda x: to_yuv(x, (0.114, 0.587, 0.299)), "in reverse"),
    (crossed, "exchanged in the differences"),
    (times_the_transpose, "transposed"),
    (lambda x: to_yuv(x[:, [2, 1, 0]]), "Red and blue are exchanged"),
    (lambda x: to_yuv(x)[:, [0, 2, 1]], "U and V are exchanged"),
    (lambda x: to_yuv(x, u=1, v=1), "lack their factors"),
    (lambda x: to_yuv(x, u=0.877, v=0.492), "The factors of U and V"),
    (lambda x: to_yuv(x, (1 / 3, 1 / 3, 1 / 3)), "plain mean"),
    (lambda x: to_yuv(x, (0.2126, 0.7152, 0.0722)), "BT.709"),
    (lambda x: torch.cat([to_yuv(x)[:, :1], to_yuv(x)[:, 1:] + 0.5], 1), "moved by ½"),
    (lambda x: to_yuv(x).clamp(min=0, max=1), "clipped"),
    (lambda x: to_yuv(x, u=0.564, v=0.713), "YCbCr"),
    (lambda x: to_yuv(x).movedim(1, 0), "dim=1, behind the batch"),
    (lambda x: to_yuv(x).movedim(1, -1), "channels come last"),
    (lambda x: to_yuv(x, u=-0.492, v=-0.877), "wrong sign"),
)


def keep_luminance(stylised, content):
    content = resize(content, tuple(stylised.shape[-2:]))
    y, uv = rgb_to_yuv(stylised)[:, :1], rgb_to_yuv(content)[:, 1:]
    return yuv_to_rgb(torch.cat([y, uv], dim=1)).clamp(0, 1)


def of_clipped_chroma(stylised, content):
    content = resize(content, tuple(stylised.shape[-2:]))
    y, uv = rgb_to_yuv(stylised)[:, :1], rgb_to_yuv(content)[:, 1:].clamp(0, 1)
    return yuv_to_rgb(torch.cat([y, uv], dim=1)).clamp(0, 1)


def still_yuv(stylised, content):
    content = resize(content, tuple(stylised.shape[-2:]))
    return torch.cat([rgb_to_yuv(stylised)[:, :1], rgb_to_yuv(content)[:, 1:]], dim=1)


def cropped(stylised, content):
    height, width = stylised.shape[-2:]
    return keep_luminance(stylised, content[:, :, :height, :width])


def at_the_photographs_size(stylised, content):
    return keep_luminance(resize(stylised, tuple(content.shape[-2:])), content)


answers(
    "keep_luminance",
    keep_luminance,
    (lambda s, c: keep_luminance(resize(c, tuple(s.shape[-2:])), s), "Brightness and colours"),
    (lambda s, c: yuv_to_rgb(still_yuv(s, c)), "not clipped"),
    (of_clipped_chroma, "U and V were clipped"),
    (still_yuv, "This is still YUV: go back to RGB"),
    (lambda s, c: still_yuv(s, c).clamp(0, 1), "still YUV, clipped"),
    (cropped, "cropped"),
    (at_the_photographs_size, "to the photograph's size"),
    (
        lambda s, c: yuv_to_rgb(torch.cat([rgb_to_yuv(s)[:, :1], rgb_to_yuv(c)[:, 1:]], 1)).clamp(0, 1),
        "not brought to the result's size",
    ),
)


def power(S, exponent):
    variances, axes = torch.linalg.eigh(S)
    return axes @ torch.diag(variances**exponent) @ axes.T


def symmetric(S_s, S_c):
    root, inverse = power(S_s, 0.5), power(S_s, -0.5)
    return inverse @ power(root @ S_c @ root, 0.5) @ inverse


def triangular(S_s, S_c):
    return torch.linalg.cholesky(S_c) @ torch.linalg.cholesky(S_s).inverse()


def moved(matrix=symmetric, before=1, after=1, spread=torch.cov):
    """The painting's colours moved by a matrix of the two covariances; `before` and `after`: of the means."""

    def move(style, content):
        s, c = style.double().flatten(2)[0], content.double().flatten(2)[0]
        A = matrix(spread(s), spread(c))
        colours = A @ (s - before * s.mean(1, keepdim=True)) + after * c.mean(1, keepdim=True)
        return colours.float().view(style.shape)

    return move


def no_matrix(S_s, S_c):
    return torch.eye(3).double()


def each_channel(S_s, S_c):
    return torch.diag((S_c.diagonal() / S_s.diagonal()).sqrt())


def bent(style, content):
    """Mean and covariance are right, and colours that were on a line are not on one."""
    return moved()(style**3, content)


answers(
    "linear_match",
    moved(),
    (moved(no_matrix), "Only the mean"),
    (moved(each_channel), "each by itself"),
    (moved(after=0), "not added at the end"),
    (moved(triangular, after=0), "not added at the end"),
    (moved(before=0), "not subtracted"),
    (lambda s, c: moved()(c, s), "roles are exchanged"),
    (moved(lambda S_s, S_c: triangular(S_s, S_c).T), "Φ is transposed"),
    (moved(lambda S_s, S_c: S_c @ S_s.inverse()), "roots of the covariances"),
    (moved(lambda S_s, S_c: torch.linalg.cholesky(S_c)), "was not taken away"),
    (moved(triangular, spread=lambda x: x @ x.T / x.shape[1]), "means were not subtracted"),
    (lambda s, c: moved()(s, c).clamp(0, 1), "clipped"),
    (lambda s, c: moved()(s, c)[0], "style's shape"),
)


def match_ranks(values, target):
    rank = values.argsort().argsort()
    level = (rank + 0.5) / len(values)
    return target.sort().values[(level * len(target)).long()]


def match_each_channel(style, content, match=match_ranks):
    pairs = zip(style[0].flatten(1), content[0].flatten(1), strict=True)
    return torch.stack([match(values, target) for values, target in pairs]).view(style.shape)


answers(
    "match_each_channel",
    match_each_channel,
    (lambda s, c: match_ranks(s.flatten(), c.flatten()).view(s.shape), "ranked together"),
    (lambda s, c: match_each_channel(c, s), "photograph with the painting's"),
    (lambda s, c: match_each_channel(c, s).view(s.shape), "exchanged within"),
    (lambda s, c: match_each_channel(s, c, lambda v, t: t.sort().values), "stand in that order"),
    (lambda s, c: match_each_channel(s, c, lambda v, t: t.sort().values[v.argsort()]), "`argsort` once"),
    (lambda s, c: match_each_channel(-s, c), "turned round"),
    (
        lambda s, c: match_each_channel(s, c, lambda v, t: t.mean() + t.std() / v.std() * (v - v.mean())),
        "Only mean and spread",
    ),
)


def safe_power(S, exponent, floor=1e-5):
    variances, axes = torch.linalg.eigh(S)
    kept = variances > floor
    return (axes[:, kept] * variances[kept] ** exponent) @ axes[:, kept].T


def clamped_power(S, exponent, floor=1e-6):
    variances, axes = torch.linalg.eigh(S)
    return axes @ torch.diag(variances.clamp_min(floor) ** exponent) @ axes.T


def powers_of_one(S, exponent):
    variances, axes = torch.linalg.eigh(S)
    return (axes * torch.where(variances > 1e-5, variances.abs() ** exponent, 1)) @ axes.T


def one_sided(S, exponent):
    variances, axes = torch.linalg.eigh(S)
    return axes * torch.where(variances > 1e-5, variances.abs() ** exponent, 0)


def powers_made_finite(S, exponent):
    variances, axes = torch.linalg.eigh(S)
    return axes @ torch.diag((variances**exponent).nan_to_num()) @ axes.T


answers(
    "safe_power",
    safe_power,
    (power, "raised to the power all the same"),
    *((lambda S, e, floor=floor: safe_power(S, e, floor), "too low") for floor in (1e-12, 1e-6, 1.3e-6)),
    *((lambda S, e, floor=floor: safe_power(S, e, floor), "too high") for floor in (1e-4, 1 / 255)),
    *(
        (lambda S, e, f=f: clamped_power(S, e, f), "A direction without variance")
        for f in (1e-12, 1e-6, 1e-4)
    ),
    (lambda S, e: power(S + 1e-12 * torch.eye(3).double(), e), "A direction without variance"),
    (lambda S, e: power(S + 1e-4 * torch.eye(3).double(), e), "A small number was added"),
    (powers_made_finite, "A direction without variance"),
    (lambda S, e: safe_power(S, e).float(), "should be float64"),
    (lambda S, e: [safe_power(S, e)], "a list"),
    (powers_of_one, "get the power 1"),
    (one_sided, "one side only"),
    (lambda S, e: power(S, e).nan_to_num(0, 0, 0), "replaced afterwards"),
    (lambda S, e: torch.where(S.abs() > 1e-5, S.abs() ** e, 0), "each entry"),
)

# 05


def patches(image, size, mode="reflect"):
    padded = F.pad(image, [size // 2] * 4, mode=mode)
    height, width = image.shape[-2:]
    slid = [padded[..., r : r + height, c : c + width] for r in range(size) for c in range(size)]
    return torch.stack(slid, dim=-1).permute(0, 2, 3, 1, 4).reshape(-1, image.shape[1] * size**2)


def as_unfolded(image, size):
    padded = F.pad(image, [size // 2] * 4, mode="reflect")
    return F.unfold(padded, size).transpose(1, 2)


answers(
    "extract_patches",
    patches,
    (lambda x, s: patches(x, s, "constant"), "zeros"),
    (lambda x, s: patches(x, s, "replicate"), "repeated"),
    (lambda x, s: patches(x, s, "circular"), "wrapped"),
    (lambda x, s: F.unfold(x, s).transpose(1, 2).reshape(-1, x.shape[1] * s * s), "outermost"),
    (
        lambda x, s: patches(x, s).view(-1, x.shape[1], s, s).mT.reshape(-1, x.shape[1] * s**2),
        "within a patch are exchanged",
    ),
    (lambda x, s: patches(x, s).view(-1, x.shape[1], s**2).mT.flatten(1), "position by position"),
    (as_unfolded, "batch as an axis"),
    (lambda x, s: patches(x, s).T, "in the columns"),
    (lambda x, s: as_unfolded(x, s).mT, "`unfold` puts the patches in columns"),
    (
        lambda x, s: as_unfolded(x, s).mT.reshape(-1, x.shape[1] * s * s),
        "`unfold` puts the patches in columns",
    ),
    others=[extract_patches],
)


def least_squares(rows, targets, ones=True):
    X = F.pad(rows, (0, 1), value=1.0).double() if ones else rows.double()
    return torch.linalg.solve(X.T @ X, X.T @ targets.double())


def ridge(rows, targets):
    X = F.pad(rows, (0, 1), value=1.0).double()
    return torch.linalg.inv(X.T @ X + torch.eye(X.shape[1]).double()) @ X.T @ targets.double()


def in_single_precision(rows, targets, inverse=False):
    X = F.pad(rows, (0, 1), value=1.0)
    if inverse:
        return (X.T @ X).inverse() @ X.T @ targets
    return torch.linalg.solve(X.T @ X, X.T @ targets)


def double_too_late(rows, targets):
    X = F.pad(rows, (0, 1), value=1.0)
    return torch.linalg.solve((X.T @ X).double(), (X.T @ targets).double())


def pseudo_inverse(rows, targets):
    return torch.linalg.pinv(F.pad(rows, (0, 1), value=1.0).double()) @ targets.double()


def by_lstsq(rows, targets):
    X = F.pad(rows, (0, 1), value=1.0).double()
    return torch.linalg.lstsq(X, targets.double()[:, None]).solution[:, 0].float()


answers(
    "least_squares_filter",
    least_squares,
    (in_single_precision, "float32 has too few digits"),
    (lambda p, y: in_single_precision(p, y, inverse=True), "float32 has too few digits"),
    (double_too_late, "float32 has too few digits"),
    (lambda p, y: least_squares(p, y, ones=False), "column of ones is missing: without"),
    (lambda p, y: F.pad(least_squares(p, y, ones=False), (0, 1)), "The constant is 0"),
    (lambda p, y: least_squares(p, y).roll(1), "comes first"),
    (ridge, "diagonal"),
    (lambda p, y: F.pad(p, (0, 1), value=1.0).T @ y, "This is Xᵀz"),
    (lambda p, y: least_squares(p, y)[:-1], "constant was left out"),
    (lambda p, y: least_squares(p, y[:, None]), "(s² + 1, 1)"),
    (lambda p, y: F.pad(p, (0, 1), value=1.0).double() @ least_squares(p, y), "answer to each patch"),
    others=[pseudo_inverse, by_lstsq],
)


def how_many(patch, channels, hidden):
    return sum(a * b + b for a, b in pairwise([channels * patch**2, *hidden, channels]))


answers(
    "how_many",
    how_many,
    (lambda p, c, h: how_many(p, c, h) - sum(h) - c, "biases are missing"),
    (lambda p, c, h: sum((a + 1) * b for a, b in pairwise([p * p, *h, c])), "all enter"),
    (lambda p, c, h: sum((a + 1) * b for a, b in pairwise([c * p * p, *h, 1])), "leave the net"),
    (lambda p, c, h: sum((a + 1) * b for a, b in pairwise([c * p, *h, c])), "patch² numbers"),
    (lambda p, c, h: sum((a + 1) * b for a, b in pairwise([c * p * p, *h])), "last layer is missing"),
    (lambda p, c, h: sum((b + 1) * a for a, b in pairwise([c * p * p, *h, c])), "one bias for each"),
)


def gradient_of_w(W, V, X, y):
    T = (W @ X.T).tanh()
    return 2 / len(X) * (V.T @ (V @ T - y) * (1 - T**2)) @ X


def without_slope(W, V, X, y):
    return 2 / len(X) * (V.T @ (V @ (W @ X.T).tanh() - y)) @ X


def bent_twice(W, V, X, y):
    T = (W @ X.T).tanh()
    return 2 / len(X) * (V.T @ (V @ T - y) * (1 - T.tanh() ** 2)) @ X


def by_autograd(W, V, X, y):
    W = W.clone().requires_grad_()
    return torch.autograd.grad((V @ torch.tanh(W @ X.T) - y).square().sum() / len(X), W)[0]


answers(
    "gradient_of_w",
    gradient_of_w,
    (by_autograd, "Autograd finds this gradient for you"),
    (lambda *a: gradient_of_w(*a) / 2, "factor 2"),
    (lambda W, V, X, y: gradient_of_w(W, V, X, y) * len(X), "division by N"),
    (without_slope, "slope of tanh is missing"),
    (bent_twice, "at its value"),
    (lambda W, V, X, y: -gradient_of_w(W, V, X, y), "the other way"),
    (lambda W, V, X, y: gradient_of_w(W, V, X, 0 * y), "left out: y − z"),
    (lambda *a: gradient_of_w(*a).T, "transposed"),
)


def edges(weight=8.0, around=-1.0):
    kernel = torch.full((3, 3), around)
    kernel[1, 1] = weight
    return kernel


answers(
    "weights_of_edges",
    lambda: (edges(), -1),
    (lambda: (edges(), 0), "What must leave it"),
    (lambda: (edges() / 2, 0), "the answer v itself"),
    (lambda: (-edges(), -1), "wrong sign"),
    (lambda: (2 * edges(), -1), "twice as large"),
    (lambda: (edges(9, -1), -1), "not yet the same"),
    (lambda: edges(), "a kernel and a number"),
    (lambda: (torch.ones(5, 5), -1), "shape (3, 3)"),
)


def is_function_of_a_patch(filter_function, by=1, rim=32, side=96):
    image = torch.rand(1, 1, side, side, generator=torch.Generator().manual_seed(0))
    moved_first = filter_function(image.roll((by, by), dims=(-2, -1)))
    moved_after = filter_function(image).roll((by, by), dims=(-2, -1))
    inside = slice(rim, side - rim)
    return torch.allclose(moved_first[..., inside, inside], moved_after[..., inside, inside], atol=1e-4)


answers(
    "is_function_of_a_patch",
    is_function_of_a_patch,
    (lambda f: True, "True to every"),
    (lambda f: False, "False to every"),
    (lambda f: not is_function_of_a_patch(f), "turned round"),
    (lambda f: is_function_of_a_patch(f, by=8), "not by eight"),
    (lambda f: is_function_of_a_patch(f, rim=0), "It looks 1 pixel each way"),
    (
        lambda f: is_function_of_a_patch(f, rim=16, side=64),
        "unsharp: True, since it looks at a neighbourhood",
    ),
    (lambda f: is_function_of_a_patch(f, rim=16, side=64), "It looks 24 pixels each way"),
    (lambda f: f.__name__ not in ("halftone", "pixelate"), "True to every"),
    (lambda f: f not in (FILTERS["halftone"], FILTERS["pixelate"]), "True to every"),
    (lambda f: "yes", "yours is a str"),
)

# 06

answers(
    "difference_map",
    lambda filtered, output: filtered - output,
    (lambda f, o: o - f, "turned round"),
    (lambda f, o: abs(f - o), "sign is lost"),
    (lambda f, o: (f - o) ** 2, "squared"),
    (lambda f, o: torch.relu(f - o), "clipped"),
    (lambda f, o: 0.5 + (f - o) / 2, "moved and squeezed"),
    (lambda f, o: 0.5 + f - o, "½ was added"),
    (lambda f, o: (f - o).mean(1, True), "channels were averaged"),
    (F.mse_loss, "one number"),
)


def nearest(queries, keys, k):
    squares = queries.square().sum(1, keepdim=True) - 2 * queries @ keys.T + keys.square().sum(1)
    values, indices = squares.topk(k, largest=False)
    return indices, values.clamp_min(0).sqrt()


def farthest(queries, keys, k):
    values, indices = torch.cdist(queries, keys).topk(k)
    return indices, values


def without_clamp(queries, keys, k):
    squares = queries.square().sum(1, keepdim=True) - 2 * queries @ keys.T + keys.square().sum(1)
    values, indices = squares.sqrt().topk(k, largest=False)
    return indices, values


def clamp_forgotten(queries, keys, k):
    squares = queries.square().sum(1, keepdim=True) - 2 * queries @ keys.T + keys.square().sum(1)
    values, indices = squares.topk(k, largest=False)
    return indices, values.sqrt()


def by_cdist(queries, keys, k):
    return tuple(reversed(torch.cdist(queries, keys).topk(k, largest=False)))


def by_differences(queries, keys, k):
    distances = (queries[:, None] - keys).square().sum(2).sqrt()
    indices = distances.argsort(1)[:, :k]
    return indices, distances.gather(1, indices)


def clamped_first(queries, keys, k):
    squares = queries.square().sum(1)[:, None] + keys.square().sum(1) - 2 * queries @ keys.T
    return tuple(reversed(squares.clamp_min(0).sqrt().topk(k, largest=False)))


def by_blocks(queries, keys, k):
    found = (queries[:, None] - keys).abs().sum(2).sort(1)
    return found.indices[:, :k], found.values[:, :k]


def by_product(queries, keys, k):
    indices = (queries @ keys.T).argsort(descending=True)[:, :k]
    return indices, torch.cdist(queries, keys).gather(1, indices)


answers(
    "nearest_patches",
    nearest,
    (farthest, "farthest: `topk`"),
    (lambda q, k, n: (nearest(q, k, n)[0], nearest(q, k, n)[1] ** 2), "squared: take the root"),
    (lambda q, k, n: nearest(q, k, n)[::-1], "exchanged: first which"),
    (lambda q, k, n: tuple(part.flip(1) for part in nearest(q, k, n)), "farthest first"),
    (by_product, "large product"),
    (lambda q, k, n: nearest(q, k, n)[0], "Only the indices"),
    (by_blocks, "absolute differences"),
    (lambda q, k, n: tuple(reversed((q @ k.T).topk(n))), "largest products"),
    (lambda q, k, n: tuple(reversed((q @ k.T).topk(n, largest=False))), "smallest products"),
    (without_clamp, "do not find themselves"),
    (without_clamp, "`clamp_min(0)` before the root"),
    (clamp_forgotten, "their roots are NaN: `clamp_min(0)`"),
    (lambda q, k, n: (nearest(q, k, n)[0].float(), nearest(q, k, n)[1]), "whole numbers"),
    (lambda q, k, n: [part.flatten() for part in nearest(q, k, n)], "The shape of value 1"),
    others=[by_cdist, by_differences, clamped_first],
)


def fold_average(rows, shape, size):
    return fold_patches(rows, shape)


def folded_sum(rows, shape, size):
    stacked = rows.view(shape[0], shape[2] * shape[3], -1).mT
    return F.fold(stacked, shape[2:], size, padding=size // 2)


def viewed_for_fold(rows, shape, size):
    stacked = rows.view(shape[0], -1, shape[2] * shape[3])
    total, count = (F.fold(part, shape[2:], size, padding=size // 2) for part in (stacked, stacked * 0 + 1))
    return total / count


def unswapped_for_fold(rows, shape, size):
    stacked = rows.view(shape[0], shape[2] * shape[3], -1)
    total, count = (F.fold(part, shape[2:], size, padding=size // 2) for part in (stacked, stacked * 0 + 1))
    return total / count


def centres_of(rows, shape, size):
    windows = rows.view(shape[0], shape[2], shape[3], shape[1], size, size)
    return windows[..., size // 2, size // 2].permute(0, 3, 1, 2)


answers(
    "fold_average",
    fold_average,
    (folded_sum, "added, not averaged"),
    (lambda p, shape, s: folded_sum(p, shape, s) / s**2, "divided by size²"),
    (centres_of, "Only the middle"),
    (viewed_for_fold, "`fold` takes the patches in columns"),
    (unswapped_for_fold, "`fold` takes the patches in columns"),
    (
        lambda p, shape, s: fold_patches(p.view(-1, shape[1], s, s).mT.flatten(1), shape),
        "within the patches are exchanged",
    ),
    (
        lambda p, shape, s: p.view(shape[0], shape[2], shape[3], shape[1], -1).mean(-1).permute(0, 3, 1, 2),
        "cut down to its mean",
    ),
    (
        lambda p, shape, s: p.view(shape[0], shape[2], shape[3], shape[1], -1)[..., 0].permute(0, 3, 1, 2),
        "Only the first number",
    ),
)
answers(
    "centres",
    lambda patches, height, width: patches[:, 12].view(1, 1, height, width),
    (lambda p, h, w: p[:, 0].view(1, 1, h, w), "first number"),
    (lambda p, h, w: p[:, 13].view(1, 1, h, w), "One too far"),
    (lambda p, h, w: p[:, 11].view(1, 1, h, w), "One short"),
    (lambda p, h, w: p.mean(dim=1).view(1, 1, h, w), "mean"),
    (lambda p, h, w: p[:, 12].reshape(h, w), "two leading axes"),
    (lambda p, h, w: p[:, 12], "still in one row"),
)
answers(
    "balanced",
    lambda blocks: [block * block.var(dim=0).sum().rsqrt() for block in blocks],
    (lambda blocks: [b / b.std(dim=0) for b in blocks], "variance 1 now"),
    (lambda blocks: [b / b.var(dim=0).mean() ** 0.5 for b in blocks], "mean variance"),
    (lambda blocks: [b / b.var(dim=0).sum() for b in blocks], "Take the root"),
    (lambda blocks: [b / b.std() for b in blocks], "all numbers together"),
    (lambda blocks: [b / b.std(dim=0).sum() for b in blocks], "Standard deviations"),
    (lambda blocks: [b / (b**2).mean(dim=0).sum() ** 0.5 for b in blocks], "length of the block"),
    (lambda blocks: torch.cat(blocks, dim=1), "a Tensor; expected"),
    (lambda blocks: [b / b.var(1).sum() ** 0.5 for b in blocks], "along the rows"),
    (lambda blocks: [b / b.std(dim=1, keepdim=True) for b in blocks], "along the rows"),
    (lambda blocks: [b / b.norm() for b in blocks], "`norm()`"),
    (lambda blocks: [b / b.norm(dim=0) for b in blocks], "`norm()`"),
    (lambda blocks: [b / (b - b.mean(dim=0)).norm() for b in blocks], "a variance is their mean"),
)
answers(
    "trust",
    lambda found, true: (found @ true) / (found @ found),
    (lambda d, e: (d @ e) / (e @ e), "wrong square"),
    (lambda d, e: (d @ d) / (d @ e), "upside down"),
    (lambda d, e: (d @ e) / (d.norm() * e.norm()), "correlation"),
    (lambda d, e: (e @ e).sqrt() / (d @ d).sqrt(), "lengths only"),
    (lambda d, e: torch.mean(e / d), "mean of the ratios"),
    (lambda d, e: torch.dot(d, e), "not divided"),
)

# 07

answers(
    "cost",
    lambda recipe: sum(n * scale**2 for n, scale in zip(recipe.steps, recipe.scales, strict=True)),
    (lambda r: sum(n * s for n, s in zip(r.steps, r.scales, strict=True)), "two sides"),
    (lambda r: sum(r.steps), "count alike"),
    (lambda r: sum(n * s**3 for n, s in zip(r.steps, r.scales, strict=True)), "cube"),
    (lambda r: sum(n / s**2 for n, s in zip(r.steps, r.scales, strict=True)), "Turned round"),
    (lambda r: r.steps[-1], "Only the last size"),
)


def penalty(image):
    return (image - image.clamp(0, 1)).square().mean()


def penalty_gradient(image):
    return 2 * (image - image.clamp(0, 1)) / image.numel()


def outside(image):
    return image - image.clamp(0, 1)


answers(
    "penalty",
    penalty,
    (lambda x: outside(x).square().sum(), "This is the sum"),
    (lambda x: outside(x).abs().mean(), "absolute"),
    (lambda x: torch.relu(x - 1).square().mean(), "Nothing below 0"),
    (lambda x: torch.relu(-x).square().mean(), "Nothing above 1"),
    (lambda x: x.clamp(0, 1).square().mean(), "inside [0, 1]"),
    (lambda x: outside(x).square(), "Not averaged"),
    (lambda x: penalty(x).detach(), "cut off"),
)


def penalty_by_backward(image):
    image = image.clone().requires_grad_()
    outside(image).square().mean().backward()
    return image.grad


answers(
    "penalty_gradient",
    penalty_gradient,
    (penalty_by_backward, "Autograd finds this gradient for you"),
    (lambda x: outside(x) / x.numel(), "The factor 2 of the square is missing"),
    (lambda x: 2 * outside(x), "divide by the number"),
    (lambda x: outside(x), "The factor 2 and the division"),
    (lambda x: -penalty_gradient(x), "wrong sign"),
    (lambda x: penalty_gradient(x).abs(), "sign is lost"),
    (lambda x: 2 * torch.sign(outside(x)) / x.numel(), "pulled alike"),
)


def adam_step(x, g, m, v, t, rate):
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g**2
    x = x - rate * (m / (1 - 0.9**t)) / ((v / (1 - 0.999**t)).sqrt() + 1e-8)
    return x, m, v


def uncorrected(x, g, m, v, t, rate):
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    return x - rate * m / (v**0.5 + 1e-8), m, v


def rootless(x, g, m, v, t, rate):
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    return x - rate * m / (1 - 0.9**t) / (v / (1 - 0.999**t) + 1e-8), m, v


def adam_with(x, g, m, v, t, rate, epsilon=1e-8, inside=0.0, power=pow):
    m, v = torch.lerp(g, m, 0.9), torch.lerp(g**2, v, 0.999)
    step = m / (1 - power(0.9, t)) / ((v / (1 - power(0.999, t)) + inside).sqrt() + epsilon)
    return x - rate * step, m, v


def in_the_papers_order(x, g, m, v, t, rate):
    """Kingma and Ba's faster order: the corrections in the rate, and ε before them."""
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
    return x - rate * (1 - 0.999**t) ** 0.5 / (1 - 0.9**t) * m / (v.sqrt() + 1e-8), m, v


def by_torch(x, g, m, v, t, rate):
    x = x.clone().requires_grad_()
    x.grad = g
    adam = torch.optim.Adam([x], lr=rate)
    adam.state[x] = {"step": torch.tensor(t - 1.0), "exp_avg": m.clone(), "exp_avg_sq": v.clone()}
    adam.step()
    return x.detach(), adam.state[x]["exp_avg"], adam.state[x]["exp_avg_sq"]


def of_the_old(x, g, m, v, t, rate):
    x = x - rate * (m / (1 - 0.9**t)) / ((v / (1 - 0.999**t)).sqrt() + 1e-8)
    return x, 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2


answers(
    "adam_step",
    adam_step,
    (uncorrected, "not corrected"),
    (rootless, "root of v"),
    (of_the_old, "old m and v; compute"),
    (lambda x, g, m, v, t, rate: adam_step(x, g, m, v, t, -rate), "climbs"),
    (lambda x, g, m, v, t, rate: adam_step(x, g, m, v, t + 1, rate), "one too large"),
    (lambda *a: adam_step(*a)[0], "Only x came back"),
    (lambda x, g, m, v, t, rate: (adam_step(x, g, m, v, t, rate)[0], m, v), "the old ones"),
    (lambda *a: adam_with(*a, epsilon=0), "ε is missing"),
    (lambda *a: adam_with(*a, epsilon=0, inside=1e-8), "ε stands under the root"),
    (lambda *a: (adam_step(*a)[0].clamp(0, 1), *adam_step(*a)[1:]), "kept in [0, 1]"),
    (lambda *a: (torch.relu(adam_step(*a)[0]), *adam_step(*a)[1:]), "kept above 0"),
    (lambda *a: adam_with(*a, power=lambda beta, t: beta), "β stands for βᵗ"),
    (lambda *a: tuple(adam_step(*a)[place] for place in (0, 2, 1)), "wrong order: x, m, v"),
    others=[adam_with, in_the_papers_order, by_torch],
)
answers(
    "mended_recipe",
    BROKEN.replace(init="content", style_weight=3),
    (RECIPES["default"], "6 settings are changed"),
    (BROKEN, "Nothing is changed"),
    (BROKEN.replace(init="content"), "content is lost"),
    (BROKEN.replace(style_weight=3), "Too restless"),
    (BROKEN.replace(init="content", steps=(5000,)), "patience"),
    ({"init": "content"}, "yours is a dict"),
    (Recipe, "Expected a Recipe"),
)


TestAnswers = answers.tests()


def test_linear_match_accepts_every_matrix_that_will_do():
    """Cholesky's as well as the symmetric one, with covariances divided by n or by n − 1."""
    for matrix in (symmetric, triangular):
        for spread in (torch.cov, lambda x: torch.cov(x, correction=0)):
            assert verdict_on("linear_match", moved(matrix, spread=spread)).passed


@pytest.mark.parametrize("floor", [2e-6, 5e-6, 2e-5])
def test_safe_power_accepts_every_floor_between_rounding_and_a_faint_colour(floor):
    assert verdict_on("safe_power", lambda S, e: safe_power(S, e, floor)).passed


def test_linear_match_refuses_what_is_no_line():
    verdict = verdict_on("linear_match", bent)
    assert verdict.outcome is False and "no longer on one" in verdict.message


def test_the_cost_of_a_recipe_is_asked_for_with_its_schedule_in_sight():
    verdict = verdict_on("cost", lambda recipe: 7)
    assert "steps=(8, 3), scales=(0.5, 1.0)" in repr(verdict)


@pytest.mark.parametrize(("side", "rim"), [(64, 25), (64, 24), (128, 40)])
def test_every_margin_that_a_filter_does_not_reach_over_will_do(side, rim):
    answer = partial(is_function_of_a_patch, side=side, rim=rim)
    assert verdict_on("is_function_of_a_patch", answer).passed


def test_how_far_each_filter_looks_is_what_the_verdict_says():
    generator = torch.Generator().manual_seed(0)
    for name in set(FILTERS) - {"halftone", "pixelate"}:
        image = torch.rand(1, 1, 101, 101, generator=generator) / 2 + 0.25
        changed = image.clone()
        changed[..., 50, 50] = 1
        rows = (FILTERS[name](image) != FILTERS[name](changed))[0, 0].any(dim=1).nonzero()
        assert all(abs(row - 50) <= REACH.get(name, 1) for row in rows.flatten().tolist()), name
