"""The checks of notebooks 00 to 03: each accepts the solution, and names the mistake of each wrong answer."""

import numpy as np
import torch
import torch.nn.functional as F

from stylelab import RECIPES, load_image
from tests.unit.answers import Answers, verdict_on

answers = Answers()
DEFAULT = RECIPES["default"]

# 00

answers(
    "weighted_loss",
    lambda content, style, weight: content + weight * style,
    (lambda c, s, w: c * w + s, "not to the content"),
    (lambda c, s, w: (c + s) * w, "covers both"),
    (lambda c, s, w: c + s, "left out"),
    (lambda c, s, w: c * s * w, "add them"),
    (lambda c, s, w: c - s * w, "subtracted"),
    (lambda c, s, w: s * w, "content loss is missing"),
    (lambda c, s, w: c, "style loss is missing"),
    (lambda c, s, w: round(c + w * s, 2), "It is rounded"),
    (lambda c, s, w: c + abs(w) * s, "sign is lost"),
    (lambda c, s, w: print(c + w * s), "It prints, and returns nothing"),
    others=[lambda c, s, w: sum((c, s * w)), lambda c, s, w: np.dot([1, w], [c, s])],
)
answers(
    "larger_strokes",
    DEFAULT.replace(style_scale=1.5),
    (DEFAULT, "Nothing is changed"),
    (DEFAULT.replace(style_scale=0.5), "smaller than the photograph"),
    (DEFAULT.replace(style_weight=20), "You changed style_weight"),
    (DEFAULT.replace(style_scale=1.5, style_weight=20), "leave the rest (style_weight)"),
    (DEFAULT.replace(style_scale=9), "only a few strokes"),
    (1.5, "Hand in the recipe"),
    ("1.5", "yours is a str"),
    ({"style_scale": 1.5}, 'made with `stylelab.RECIPES["default"].replace(…)`; yours is a dict'),
    (RECIPES["quick"].replace(style_scale=1.5), "You started from the recipe `quick`"),
    (RECIPES["quick"], "You started from the recipe `quick`"),
    others=[DEFAULT.replace(style_scale=3), DEFAULT.replace(style_scale=2, name="mine")],
)
answers(
    "half_and_half",
    ["stained_glass", "starry_night"],
    ("stained_glass", "one painting"),
    (["stained_glass"], "stained_glass alone"),
    (["stained_glass", "brick"], "brick: not one of the two"),
    ({"stained_glass": 1, "starry_night": 3}, "has 25%"),
    (["stained_glass", "stained_glass", "starry_night"], "has 67%"),
    (load_image("starry_night", 64), "one painting"),
    (7, "yours is an int"),
    ({"stained_glass": -1, "starry_night": -1}, "refuses it: style weights [-1, -1]"),
    ({"stained_glass": 0, "starry_night": 0}, "not all of them 0"),
    ([0.5, 0.5], "0.5 is no painting"),
    ([["stained_glass", 0.5], ["starry_night", 0.5]], "['stained_glass', 0.5] is no painting"),
    ({"stained_glass": "1", "starry_night": "1"}, "use numbers from 0 upwards"),
    ([], "refuses it: no style"),
    others=[
        {"stained_glass": 0.5, "starry_night": 0.5},
        [("starry_night", 2), ("stained_glass", 2)],
        ("stained_glass", load_image("starry_night", 96)),
    ],
)

# 01


def gram_matrix(features):
    n, c, h, w = features.shape
    rows = features.reshape(n, c, h * w)
    return rows @ rows.transpose(1, 2) / (c * h * w)


def of_channels_last(features):
    n, c, h, w = features.shape
    rows = features.permute(0, 2, 3, 1).reshape(n, c, h * w)
    return rows @ rows.mT / (c * h * w)


def covariance(features):
    rows = features.flatten(2)
    rows = rows - rows.mean(2, keepdim=True)
    return torch.bmm(rows, rows.mT) / features[0].numel()


def overwritten(features):
    features.sub_(features.mean())
    return gram_matrix(features)


answers(
    "gram_matrix",
    gram_matrix,
    (lambda f: torch.einsum("nihw,njhw->nij", f, f), "without a division"),
    (lambda f: torch.einsum("nihw,njhw->nij", f, f) / (f.shape[2] * f.shape[3]), "H·W only"),
    (lambda f: gram_matrix(f) * f.shape[2] * f.shape[3], "C only"),
    (lambda f: gram_matrix(f) / len(f), "N·C·H·W"),
    (lambda f: f.flatten(2).mT @ f.flatten(2) / f[0].numel(), "compares positions"),
    (of_channels_last, "the axis of channels was moved last"),
    (
        lambda f: gram_matrix(f.reshape(len(f), -1, f.shape[1], 1).transpose(1, 2)),
        "only cuts the same numbers",
    ),
    (lambda f: torch.einsum("nihw,njhw->ij", f, f) / f[0].numel(), "mixed into one"),
    (lambda f: gram_matrix(f[0:1]), "Only the first picture"),
    (lambda f: gram_matrix(f)[0], "its axis is gone"),
    (lambda f: f.flatten(1) @ f.flatten(1).T / f[0].numel(), "one row of a whole picture"),
    (lambda f: f.flatten(1) @ f.flatten(1).T / f.numel(), "Keep the axis N"),
    (lambda f: gram_matrix(f.half().float()).half().float(), "nearly right"),
    (covariance, "covariance"),
    (lambda f: gram_matrix(f / f.flatten(2).norm(dim=2)[..., None, None]) * f[0].numel(), "correlation"),
    (lambda f: gram_matrix(f.data), "cut off"),
    (lambda f: gram_matrix(f).numpy(), "NumPy"),
    (lambda f: gram_matrix(f).double(), "float64"),
    (lambda f: gram_matrix(f).tolist(), "a list; expected a tensor"),
    (overwritten, "in place"),
    others=[
        lambda f: torch.einsum("nihw,njhw->nij", f, f) / f[0].numel(),
        lambda f: torch.stack([one.flatten(1) @ one.flatten(1).T / one.numel() for one in f]),
    ],
)


def gram_gradient(features, target):
    rows = features.flatten(2)
    m = features[0].numel()
    return (4 / m * (rows @ rows.mT / m - target) @ rows).view_as(features)


def squared_distance(features, target):
    return (gram_matrix(features) - target).square().sum()


def by_backward(loss):
    def gradient(features, target):
        x = features.clone().requires_grad_()
        loss(x, target).backward()
        return x.grad

    return gradient


def by_grad(loss):
    def gradient(features, target):
        x = features.clone().requires_grad_()
        return torch.autograd.grad(loss(x, target), x)[0]

    return gradient


answers(
    "gram_gradient",
    gram_gradient,
    (lambda f, a: gram_gradient(f, a) / 2, "4, not 2"),
    (lambda f, a: gram_gradient(f, a) / 4, "the 4 of the derivation"),
    (lambda f, a: gram_gradient(f, a) * f[0].numel(), "C·H·W is missing: G was divided"),
    (lambda f, a: -gram_gradient(f, a), "the other way"),
    (lambda f, a: gram_gradient(f, a) / len(f), "N·C·H·W"),
    (lambda f, a: gram_gradient(f, a * len(f)) / len(f) ** 2, "N·C·H·W"),
    (lambda f, a: gram_gradient(f, a).flatten(2), "in the shape of F"),
    (lambda f, a: gram_gradient(f, torch.zeros_like(a)), "target is missing"),
    (lambda f, a: gram_gradient(f, a) / a.shape[1] ** 2, "gradient of a mean"),
    (lambda f, a: gram_gradient(f, a / f[0].numel()) * f[0].numel(), "G itself lacks"),
    (by_backward(squared_distance), "Autograd finds this gradient for you"),
    (by_grad(squared_distance), "Autograd finds this gradient for you"),
    (lambda f, a: torch.func.grad(squared_distance)(f, a), "Autograd finds this gradient for you"),
    others=[lambda f, a: (4 / f[0].numel() * (gram_matrix(f) - a) @ f.flatten(2)).reshape(f.shape)],
)


def relative_gradient(features, target):
    F, m = features.flatten(2), features[0].numel()
    G = F @ F.mT / m
    return (4 / m * (G - target) @ F / target.square().sum()).view_as(features)


answers(
    "relative_gradient",
    relative_gradient,
    (gram_gradient, "This is the gradient of ‖G − A‖²"),
    (lambda f, a: gram_gradient(f, a) / torch.linalg.norm(a), "divided by its square"),
    (by_grad(lambda f, a: squared_distance(f, a) / a.square().sum()), "Autograd finds"),
    (lambda f, a: 0.5 * relative_gradient(f, a), "4, not 2"),
    (lambda f, a: -relative_gradient(f, a), "the other way"),
    (lambda f, a: relative_gradient(f, a) * f[0].numel(), "C·H·W is missing: G was divided"),
    (lambda f, a: relative_gradient(f, a).flatten(2), "in the shape of F"),
)


def mean_share(features):
    return features.mean((2, 3)).square().sum() / features.square().mean((2, 3)).sum()


def share_of_each_channel(features):
    shares = [channel.mean() ** 2 / channel.square().mean() for channel in features[0]]
    return sum(shares) / len(shares)


answers(
    "mean_share",
    mean_share,
    (share_of_each_channel, "the mean of the channels' shares"),
    (lambda f: f.mean() ** 2 / (f**2).mean(), "one mean"),
    (lambda f: 1 - mean_share(f), "share of the covariance"),
    (lambda f: f.mean((2, 3)).sum() / (f**2).mean((2, 3)).sum(), "not squared"),
    (lambda f: mean_share(f) ** 0.5, "square root"),
    (lambda f: f.mean(1).square().sum() / f.square().mean(1).sum(), "mean was taken over the channels"),
    (lambda f: f.mean(1).square().sum() / f.square().mean((2, 3)).sum(), "over the channels"),
    (lambda f: f.mean((2, 3)).square().sum() / f.flatten(2).var(2).sum(), "even divided by H·W − 1"),
    (lambda f: mean_share(f) / (f.shape[2] * f.shape[3]), "a sum over positions"),
    others=[lambda f: (f.mean((2, 3)) ** 2).sum().item() / (f**2).mean((2, 3)).sum().item()],
)


def quarter_grams(features):
    quarters = [quarter for half in features.chunk(2, dim=2) for quarter in half.chunk(2, dim=3)]
    return torch.stack([gram_matrix(quarter) for quarter in quarters], dim=1)


def columns_first(features):
    quarters = [quarter for half in features.chunk(2, dim=3) for quarter in half.chunk(2, dim=2)]
    return torch.stack([gram_matrix(quarter) for quarter in quarters], dim=1)


def reshaped_quarters(features):
    n, c, h, w = features.shape
    return gram_matrix(features.reshape(n * 4, c, h // 2, w // 2)).reshape(n, 4, c, c)


answers(
    "quarter_grams",
    quarter_grams,
    (columns_first, "second and the third"),
    (lambda f: quarter_grams(f) / 4, "of the whole picture"),
    (lambda f: quarter_grams(f).transpose(0, 1), "before the batch"),
    (reshaped_quarters, "`reshape` to (4N, C, H/2, W/2)"),
    (
        lambda f: torch.cat(list(quarter_grams(f).unbind(1))).reshape(len(f), 4, *gram_matrix(f).shape[1:]),
        "`cat`",
    ),
    (lambda f: torch.stack([gram_matrix(f)] * 4, 1), "four times over"),
    (lambda f: quarter_grams(f) * f[0, :, ::2, ::2].numel(), "not divided"),
    (
        lambda f: torch.stack([gram_matrix(f[..., i::2, j::2]) for i in (0, 1) for j in (0, 1)], 1),
        "every second row",
    ),
    others=[
        lambda f: torch.cat(
            [gram_matrix(half)[:, None] for rows in f.chunk(2, 2) for half in rows.chunk(2, 3)], 1
        ),
    ],
)
FIVE = {
    "a": "positions are multiplied, not channels",
    "b": "rows mix channels and positions",
    "c": "pictures of the batch are mixed",
    "d": "not divided by the number of channels",
    "e": "the mean of each channel is subtracted",
}
answers(
    "wrong_grams",
    FIVE,
    (FIVE | {"a": FIVE["b"]}, "a: no. Try on small tensors what two equal"),
    (FIVE | {"c": FIVE["d"]}, "c: no. Try on small tensors what four"),
    (FIVE | {"e": "it is a covariance"}, "e: copy one"),
    ({"a": FIVE["a"]}, "still to be found: b, c, d, e"),
    (["a"], "Expected a dict"),
)

# 02


def content_loss(features, target):
    return (features - target.detach()).square().mean()


answers(
    "content_loss",
    content_loss,
    (lambda f, p: F.mse_loss(f, p, reduction="sum"), "This is the sum"),
    (lambda f, p: ((f - p) ** 2).sum() / 2, "half the sum"),
    (lambda f, p: 0.5 * F.mse_loss(f, p), "Half of the mean"),
    (lambda f, p: ((f - p) ** 2).sum() / f.shape[0], "number of pictures only"),
    (lambda f, p: ((f - p) ** 2).sum() / f[0].numel(), "C·H·W of one picture"),
    (F.l1_loss, "absolute"),
    (lambda f, p: (f.mean() - p.mean()) ** 2, "averaged before"),
    (lambda f, p: torch.mean(f - p), "not squared"),
    (lambda f, p: F.mse_loss(f, p) ** 0.5, "square root"),
    (lambda f, p: ((f - p) ** 2).flatten(1).mean(1), "for each picture"),
    (lambda f, p: (f - p) ** 2, "Nothing was averaged"),
    (lambda f, p: F.mse_loss(f.detach(), p), "detached"),
    (lambda f, p: F.mse_loss(f, p).item(), "return the tensor itself"),
    others=[F.mse_loss, lambda f, p: ((f - p) ** 2).sum() / f.numel()],
)
answers(
    "psnr",
    lambda a, b: -10 * (a - b).square().mean().log10().item(),
    (lambda a, b: 10 * torch.log10(F.mse_loss(a, b)), "The sign"),
    (lambda a, b: -20 * torch.log10(F.mse_loss(a, b)), "twice too large"),
    (lambda a, b: -5 * torch.log10(F.mse_loss(a, b)), "half"),
    (lambda a, b: -10 * torch.log(F.mse_loss(a, b)), "natural logarithm"),
    (lambda a, b: -10 * torch.log10(((a - b) ** 2).sum()), "added, not averaged"),
    (lambda a, b: 10 * torch.log10(255**2 / F.mse_loss(a, b)), "255"),
    (lambda a, b: -10 * torch.log10((a - b).abs().mean()), "absolute"),
    (lambda a, b: F.mse_loss(a, b).item(), "This is the mean square"),
    (lambda a, b: -10 * torch.log10((a - b).mean()), "are not squared"),
    (lambda a, b: -10 * torch.log10((a - b).mean() ** 2), "comes after the mean"),
    others=[lambda a, b: 10 * torch.log10(1 / F.mse_loss(a, b))],
)


def taps(network, image, wanted, mean, std):
    outputs = {}
    x = (image - mean) / std
    for name, layer in network.named_children():
        x = layer(x)
        if name in wanted:
            outputs[name] = x.clone()
    return outputs


def taps_uncloned(network, image, wanted, mean, std):
    x, outputs = (image - mean) / std, {}
    for name, layer in network.named_children():
        x = layer(x)
        if name in wanted:
            outputs[name] = x
    return outputs


def taps_shared(network, image, wanted, mean, std):
    x, outputs = (image - mean) / std, {}
    for name, layer in network.named_children():
        x = layer(x)
        if name in wanted:
            outputs[name] = x.detach()
    return outputs


def taps_before(network, image, wanted, mean, std):
    x, outputs = (image - mean) / std, {}
    for name, layer in network.named_children():
        if name in wanted:
            outputs[name] = x.clone()
        x = layer(x)
    return outputs


def taps_mending_the_network(network, image, wanted, mean, std):
    for layer in network:
        if isinstance(layer, torch.nn.ReLU):
            layer.inplace = False
    return taps_uncloned(network, image, wanted, mean, std)


def taps_without_gradient(network, image, wanted, mean, std):
    with torch.no_grad():
        return taps(network, image, wanted, mean, std)


answers(
    "taps",
    taps,
    (taps_uncloned, "What is called conv1_1 here is relu1_1"),
    (taps_shared, "shares the memory"),
    (taps_without_gradient, "detached"),
    (lambda n, x, w, mean, std: taps(n, x, w, 0, 1), "goes in as it is"),
    (lambda n, x, w, mean, std: taps(n, x, w, mean, 1), "nothing is divided"),
    (lambda n, x, w, mean, std: taps(n, x / std, w, mean, 1), "divided by the deviation first"),
    (lambda n, x, w, mean, std: taps(n, x, w, mean, 1 / std), "multiplied by the standard deviation"),
    (lambda n, x, w, mean, std: taps(n, x, w, -mean, std), "mean is added"),
    (lambda n, x, w, mean, std: taps(n, x[:, [2, 1, 0]], w, mean, std), "turned round, to blue"),
    (lambda n, x, w, mean, std: taps(n, 255 * x, w, mean, std), "multiplied by 255"),
    (taps_before, "goes into each layer"),
    (
        lambda n, x, w, mean, std: taps(n, x, [name for name, _ in n.named_children()], mean, std),
        "Every layer",
    ),
    (taps_mending_the_network, "It changes network itself, for everybody who uses it"),
    (lambda n, x, w, mean, std: list(taps(n, x, w, mean, std).values()), "a list; expected a dict"),
)


def gradient_before_relu(x, target):
    f = x.clamp_min(0)
    return 2 / x.numel() * (f - target) * (x > 0)


answers(
    "gradient_before_relu",
    gradient_before_relu,
    (lambda x, p: 2 * (torch.relu(x) - p) / x.numel(), "behind the ReLU"),
    (lambda x, p: 2 * (x - p) / x.numel(), "left out altogether"),
    (lambda x, p: 0.5 * gradient_before_relu(x, p), "The factor 2 of the square is missing"),
    (lambda x, p: gradient_before_relu(x, p) * x.numel(), "The loss is a mean"),
    (lambda x, p: -gradient_before_relu(x, p), "the other way"),
    (lambda x, p: 2 * (x - p) / x.numel() * (x >= 0), "`x > 0`, not `>=`"),
    (lambda x, p: 2 * (x.relu() - p) / x.numel() * (x >= 0), "Where x is 0, F is 0"),
    (by_backward(lambda x, p: F.mse_loss(x.relu(), p)), "Autograd finds"),
    (lambda x, p: 2 * (torch.relu(x) - p) / x.numel() * (p > 0), "0 where the target is 0"),
    others=[
        lambda x, p: torch.where(x > 0, 2 * (x - p) / x.numel(), torch.zeros(())),
        lambda x, p: 2 * (x.relu() - p) / x.numel() * x.relu().sign(),
    ],
)


def chequer(side, strength):
    row, column = torch.arange(112)[:, None] // side, torch.arange(112) // side
    return lambda image: (image + strength * (1 - 2 * ((row + column) % 2))).clamp(0, 1)


def noise(strength):
    generator = torch.Generator().manual_seed(1)
    return lambda image: (image + strength * torch.randn(image.shape, generator=generator)).clamp(0, 1)


answers(
    "fooling_change",
    chequer(4, 0.03),
    (noise(0.05), "one sees that"),
    (noise(0.03), "What is rare in photographs"),
    (chequer(2, 0.03), "Try sizes"),
    (lambda image: image.clone(), "nothing was changed"),
    (lambda image: image + 0.03, "cannot be shown"),
    (lambda image: image[..., :100], "Expected a picture of shape (1, 3, 112, 112)"),
    (chequer(1, 0.03), "10 times is asked for"),
)
answers(
    "overlooked_change",
    lambda image: (image + 0.15).clamp(0, 1),
    (lambda image: (image + 0.05).clamp(0, 1), "hardly to be seen"),
    (lambda image: (0.5 + 0.4 * (image - 0.5)).clamp(0, 1), "at most 0.25"),
    (lambda image: image.flip(3), "at most 0.25"),
    (lambda image: image, "nothing was changed"),
    (lambda image: 2 * image, "cannot be shown"),
)

# 03


def total_variation(image):
    right = (image[..., 1:] - image[..., :-1]).abs().mean()
    below = (image[..., 1:, :] - image[..., :-1, :]).abs().mean()
    return right + below


def wrapped(image):
    return (image - image.roll(1, -1)).abs().mean() + (image - image.roll(1, -2)).abs().mean()


def without_abs(image):
    right = (image[..., 1:] - image[..., :-1]).mean()
    below = (image[..., 1:, :] - image[..., :-1, :]).mean()
    return right + below


def by_twos(image):
    across, down = image.unfold(3, 2, 2), image.unfold(2, 2, 2)
    return (across[..., 1] - across[..., 0]).abs().mean() + (down[..., 1] - down[..., 0]).abs().mean()


answers(
    "total_variation",
    total_variation,
    (without_abs, "The absolute value is missing"),
    (lambda x: torch.diff(x).mean().abs() + torch.diff(x, dim=2).mean().abs(), "comes after the mean"),
    (lambda x: (torch.diff(x) ** 2).mean() + (torch.diff(x, dim=2) ** 2).mean(), "squared"),
    (lambda x: torch.diff(x).abs().mean(), "Only pixels side by side"),
    (lambda x: torch.diff(x, dim=2).abs().mean(), "Only pixels one below the other"),
    (wrapped, "wrapped round"),
    (lambda x: torch.diff(x).abs().sum() + torch.diff(x, dim=2).abs().sum(), "These are sums"),
    (
        lambda x: (torch.diff(x).abs().sum() + torch.diff(x, dim=2).abs().sum()) / x.numel(),
        "number of pixels",
    ),
    (lambda x: total_variation(x) / 2, "half"),
    (lambda x: ((torch.diff(x) ** 2) ** 0.5).mean() + ((torch.diff(x, dim=2) ** 2) ** 0.5).mean(), "NaN"),
    (lambda x: total_variation(x).detach(), "cut off"),
    (lambda x: total_variation(x).item(), "return the tensor itself"),
    (lambda x: torch.diff(x, dim=1).abs().mean() + torch.diff(x, dim=2).abs().mean(), "no differences along"),
    (lambda x: torch.diff(x, dim=1).abs().mean() + torch.diff(x).abs().mean(), "the axes −2 and −1"),
    (
        lambda x: (x[..., 2:] - x[..., :-2]).abs().mean() + (x[..., 2:, :] - x[..., :-2, :]).abs().mean(),
        "Pixels two apart",
    ),
    (by_twos, "Every second pixel is left out"),
    (
        lambda x: total_variation(x) + torch.diff(x, dim=1).abs().sum() / max(1, x.diff(dim=1).numel()),
        "channels",
    ),
    others=[lambda x: F.l1_loss(x[..., 1:], x[..., :-1]) + torch.diff(x, dim=2).abs().mean()],
)
answers(
    "plateau_shift",
    lambda weight, pixels: weight / (pixels - 1),
    (lambda w, n: w / n, "W − 1 differences"),
    (lambda w, n: 2 * w / (n - 1), "Twice"),
    (lambda w, n: 0.5 * w / (n - 1), "Half"),
    (lambda w, n: w, "The sum of differences"),
    (lambda w, n: -w / (n - 1), "The sign"),
    (lambda w, n: 1 - 2 * w / (n - 1), "left of the step"),
)
answers(
    "weight_for_means",
    lambda weight_for_sums, side: weight_for_sums * 3 * side * (side - 1),
    (lambda w, s: 3 * w * s**2, "side − 1 differences"),
    (lambda w, s: w * s * (s - 1), "three channels"),
    (lambda w, s: w / (3 * s * (s - 1)), "other way round"),
    (lambda w, s: 2 * w * 3 * s * (s - 1), "Twice"),
    (lambda w, s: w, "unchanged"),
    (lambda w, s: 3 * w * (s - 1) ** 2, "Both sides"),
)


def style_loss(features, grams):
    total = 0
    for name, target in grams.items():
        total = total + (gram_matrix(features[name]) - target).square().mean()
    return total


def overwritten_sum(features, grams):
    for name, target in grams.items():
        total = (gram_matrix(features[name]) - target).square().mean()
    return total


def returned_inside(features, grams):
    total = 0
    for name, target in grams.items():
        total = total + (gram_matrix(features[name]) - target).square().mean()
        return total


def by_place(features, grams):
    pairs = zip(features.values(), grams.values())  # noqa: B905
    return sum((gram_matrix(maps) - target).square().mean() for maps, target in pairs)


def all_entries_together(features, grams):
    squares = [(gram_matrix(features[name]) - target) ** 2 for name, target in grams.items()]
    return torch.cat([square.flatten() for square in squares]).mean()


answers(
    "style_loss",
    style_loss,
    (by_place, "paired by their place"),
    (
        lambda f, g: sum((gram_matrix(m) - g[n]).square().mean() for n, m in f.items()),
        "goes through all the maps",
    ),
    (lambda f, g: style_loss(f, g) / len(g), "mean over the layers"),
    (
        lambda f, g: sum((gram_matrix(f[n]) - a).square().sum() for n, a in g.items()),
        "added up within a layer",
    ),
    (
        lambda f, g: sum(
            (torch.einsum("nihw,njhw->nij", f[n], f[n]) - a).square().mean() for n, a in g.items()
        ),
        "not divided by C·H·W",
    ),
    (overwritten_sum, "Only the last layer"),
    (returned_inside, "Only the first layer"),
    (lambda f, g: sum((gram_matrix(f[n]) - a).abs().mean() for n, a in g.items()), "absolute"),
    (lambda f, g: style_loss({n: m.detach() for n, m in f.items()}, g), "detached"),
    (all_entries_together, "entries of all layers together"),
    (lambda f, g: sum((gram_matrix(f[n]) - a).mean() for n, a in g.items()), "The square is missing"),
    (lambda f, g: sum(style_loss(f, {n: a}) ** 0.5 for n, a in g.items()), "root is too much"),
    (lambda f, g: style_loss(f, g).sqrt(), "root of the sum"),
    (lambda f, g: sum((gram_matrix(f[n]) - a).norm() for n, a in g.items()), "is different"),
    others=[
        lambda f, g: sum(F.mse_loss(gram_matrix(f[n]), a.expand(len(f[n]), -1, -1)) for n, a in g.items())
    ],
)


def gatys_loss(maps, content_maps, grams, content_weight, style_weight):
    content = sum((maps[name] - target).square().mean() for name, target in content_maps.items())
    return content_weight * content + style_weight * style_loss(maps, grams)


def some(maps, place):
    name = list(maps)[place]
    return {name: maps[name]}


def style_in_the_loop(maps, content_maps, grams, content_weight, style_weight):
    return sum(
        gatys_loss(maps, some(content_maps, i), grams, content_weight, style_weight)
        for i in range(len(content_maps))
    )


def gatys_by_loops(maps, content_maps, grams, content_weight, style_weight):
    loss = torch.zeros(())
    for name in content_maps:
        loss = loss + content_weight * F.mse_loss(maps[name], content_maps[name])
    for name in grams:
        loss = loss + style_weight * (gram_matrix(maps[name]) - grams[name]).pow(2).mean()
    return loss


def one_content_layer(maps, content_maps, grams, content_weight, style_weight):
    [(name, target)] = content_maps.items()
    return content_weight * content_loss(maps[name], target) + style_weight * style_loss(maps, grams)


answers(
    "gatys_loss",
    gatys_loss,
    (lambda m, p, a, wc, ws: gatys_loss(m, p, a, ws, wc), "weights are exchanged"),
    (lambda m, p, a, wc, ws: ws * style_loss(m, a), "content term is missing"),
    (lambda m, p, a, wc, ws: wc * content_loss(m["relu4_2"], p["relu4_2"]), "KeyError"),
    (lambda m, p, a, wc, ws: gatys_loss(m, p, a, wc, 0), "style term is missing"),
    (lambda m, p, a, wc, ws: gatys_loss(m, p, a, 1, 1), "weights are left out"),
    (lambda m, p, a, wc, ws: gatys_loss(m, p, a, wc, 1), "style weight is left out"),
    (lambda m, p, a, wc, ws: gatys_loss(m, p, a, wc, -ws), "subtracted"),
    (lambda m, p, a, wc, ws: gatys_loss(m, p, a, wc, ws / len(a)), "mean over the layers"),
    (lambda m, p, a, wc, ws: ws * gatys_loss(m, p, a, wc, 1), "The style weight covers both"),
    (lambda m, p, a, wc, ws: wc * gatys_loss(m, p, a, 1, ws), "The content weight covers both"),
    (lambda m, p, a, wc, ws: gatys_loss(m, p, a, wc / 2, ws), "content term is halved"),
    (lambda m, p, a, wc, ws: gatys_loss(m, p, a, wc / len(p), ws), "mean over its layers"),
    (lambda m, p, a, wc, ws: gatys_loss(m, some(p, 0), a, wc, ws), "Only the first content layer"),
    (lambda m, p, a, wc, ws: gatys_loss(m, some(p, -1), a, wc, ws), "Only the last content layer"),
    (style_in_the_loop, "once for each content layer"),
    (one_content_layer, "ValueError: too many values to unpack"),
    others=[gatys_by_loops],
)


def descent_with(
    start=torch.clone,
    zero=True,
    inside=False,
    backward=True,
    hands_back=True,
    anew=False,
    more=0,
    clamp=True,
    end=torch.Tensor.detach,
    held=None,
    **settings,
):
    """The loop of the notebook, with one thing done otherwise."""
    make = settings.pop("optimiser", torch.optim.LBFGS)

    def descent(loss, image, steps):
        x = start(image).requires_grad_()
        options = (
            {"max_iter": 1, "history_size": 20} | settings if make is torch.optim.LBFGS else {"lr": 0.05}
        )
        if options.get("max_iter") == "steps":
            options["max_iter"] = steps
        optimiser = make([held(x) if held else x], **options)

        def closure():
            if zero:
                optimiser.zero_grad()
            if inside:
                x.data.clamp_(0, 1)
            value = loss(x)
            if backward:
                value.backward()
            return value if hands_back else None

        for _ in range(1 if options.get("max_iter") == steps else steps + more):
            if anew:
                optimiser = make([x], **options)
            optimiser.step(closure)
            if clamp is True:
                x.data.clamp_(0, 1)
        return end(x).clamp(0, 1) if clamp == "end" else end(x)

    return descent


def climbing(loss, image, steps):
    return descent_with()(lambda x: -loss(x), image, steps)


def of_plain_steps(loss, image, steps):
    x = image.clone()
    for _ in range(steps):
        x.requires_grad_()
        (gradient,) = torch.autograd.grad(loss(x), x)
        x = (x - gradient).detach().clamp(0, 1)
    return x


answers(
    "descent",
    descent_with(),
    (descent_with(zero=False), "added to the ones before"),
    (descent_with(inside=True, max_iter="steps"), "clamped inside the closure"),
    (descent_with(clamp=False), "cannot be shown"),
    (descent_with(end=lambda x: x), "still asks for a gradient"),
    (descent_with(held=lambda x: x.detach().clone().requires_grad_()), "holds another tensor"),
    (descent_with(start=lambda image: image), "changes image in place"),
    (descent_with(start=torch.rand_like), "not those of the start"),
    (descent_with(optimiser=torch.optim.Adam), "This is Adam"),
    (descent_with(max_iter=20), "max_iter=1, or max_iter=steps"),
    (lambda loss, image, steps: image.clone(), "never asks for the loss"),
    (lambda loss, image, steps: [descent_with()(loss, image, steps), image][1].clone(), "This is the start"),
    (climbing, "it climbs"),
    (of_plain_steps, "No optimiser ever takes a step"),
    (descent_with(anew=True), "an optimiser of its own"),
    (descent_with(inside=True, clamp="end"), "clamped inside the closure"),
    (descent_with(inside=True, clamp="end", max_iter="steps"), "clamped inside the closure"),
    (descent_with(more=1), "It takes 21 steps of L-BFGS, where 20 are asked for"),
    (descent_with(more=-1), "It takes 2 steps of L-BFGS, where 3 are asked for"),
    (descent_with(backward=False), "No gradient ever arrives"),
    (descent_with(hands_back=False), "The closure returns None at line"),
)


TestAnswers = answers.tests()


def test_descent_accepts_the_other_usual_ways():
    """One call of step for all steps, with and without a line search, or one clamp at the end."""
    for settings in (
        {"max_iter": "steps"},
        {"max_iter": "steps", "line_search_fn": "strong_wolfe"},
        {"line_search_fn": "strong_wolfe"},
        {"max_iter": 2},
        {"clamp": "end"},
        {"clamp": "end", "max_iter": "steps"},
        {"inside": True},  # changes nothing, clamped as it is between the steps
    ):
        assert verdict_on("descent", descent_with(**settings)).passed
