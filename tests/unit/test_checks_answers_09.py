"""The checks of notebook 09: each accepts the solution, and names the mistake of each wrong answer."""

import pytest
import torch

from stylelab import FastNetwork
from stylelab.checks import fast_training
from stylelab.losses.gram import gram_matrix
from tests.unit.answers import Answers, verdict_on

answers = Answers()


def conditional_instance_norm(maps, scales, shifts, chosen):
    mean = maps.mean(dim=(2, 3), keepdim=True)
    spread = (maps.var(dim=(2, 3), correction=0, keepdim=True) + 1e-5).sqrt()
    scale, shift = (numbers[chosen][:, :, None, None] for numbers in (scales, shifts))
    return (maps - mean) / spread * scale + shift


def by_torch(maps, scales, shifts, chosen):
    painted = [
        torch.nn.functional.instance_norm(maps[n : n + 1], weight=scales[style], bias=shifts[style])
        for n, style in enumerate(chosen)
    ]
    return torch.cat(painted)


def by_std(maps, scales, shifts, chosen, **options):
    mean, spread = maps.mean((2, 3), keepdim=True), maps.std((2, 3), keepdim=True, **options)
    return (maps - mean) / spread * scales[chosen, :, None, None] + shifts[chosen, :, None, None]


def by_var(maps, scales, shifts, chosen, **options):
    x = maps - maps.mean((2, 3), keepdim=True)
    x = x / (maps.var((2, 3), keepdim=True, **options) + 1e-5).sqrt()
    return x * scales[chosen, :, None, None] + shifts[chosen, :, None, None]


def with_batch_norm(maps, scales, shifts, chosen):
    x = torch.nn.functional.batch_norm(maps, None, None, training=True)
    return x * scales[chosen, :, None, None] + shifts[chosen, :, None, None]


def with_group_norm(maps, scales, shifts, chosen):
    x = torch.nn.functional.group_norm(maps, 1)
    return x * scales[chosen, :, None, None] + shifts[chosen, :, None, None]


def one_after_another(maps, scales, shifts, chosen):
    return by_torch(maps, scales, shifts, list(range(len(maps))))


answers(
    "conditional_instance_norm",
    conditional_instance_norm,
    (by_std, "under the root is missing"),
    (lambda m, s, b, c: by_var(m, s, b, c, correction=1), "is that of a sample"),
    (lambda *a: by_std(*a, correction=0), "The 1e-5 is missing"),
    (with_batch_norm, "This is batch norm"),
    (with_group_norm, "This is layer norm"),
    (lambda m, s, b, c: by_torch(m, s, b, [0] * len(c)), "Every picture gets the first style"),
    (lambda m, s, b, c: by_torch(m, s, b, c[:1] * len(c)), "the style of the first one"),
    (lambda m, s, b, c: by_torch(m, b, s, c), "Scale and shift are exchanged"),
    (lambda m, s, b, c: by_torch(m, s, 0 * b, c), "The shift is missing"),
    (lambda m, s, b, c: by_torch(m, torch.ones_like(s), b, c), "The scale is missing"),
    (lambda m, s, b, c: by_torch(m, s, s * b, c), "Moved first"),
    (lambda m, s, b, c: torch.nn.functional.instance_norm(m), "no style has changed them"),
    others=[by_torch],
)


def mixture(vectors, weights):
    total = sum(weights.values())
    return sum(weight / total * vectors[name] for name, weight in weights.items())


def by_matmul(vectors, weights):
    shares = torch.tensor(list(weights.values()))
    return shares / shares.sum() @ torch.stack([vectors[name] for name in weights])


answers(
    "mixture",
    mixture,
    (lambda v, w: sum(w[name] * v[name] for name in w), "The weights are taken as they are"),
    (lambda v, w: sum(w[name] * v[name] for name in w) / len(w), "number of styles"),
    (lambda v, w: sum(w[n] * v[n] for n in w) / max(w.values()), "Divided by the largest weight"),
    (lambda v, w: torch.stack([v[name] for name in w]).mean(0), "A plain mean"),
    (
        lambda v, w: torch.tensor(list(w.values())).softmax(0) @ torch.stack([v[name] for name in w]),
        "A softmax",
    ),
    (lambda v, w: 1 * v[max(w, key=w.get)], "The heaviest style alone"),
    (
        lambda v, w: (
            torch.tensor(list(w.values())) / sum(w.values()) @ torch.stack(list(v.values()))[: len(w)]
        ),
        "paired by their place",
    ),
    others=[by_matmul],
)


def fast_loss(maps, content_maps, grams, chosen, style_weight):
    def relative(value, target):
        return (value - target).square().flatten(1).sum(1) / target.square().flatten(1).sum(1)

    content = sum(relative(maps[name], target) for name, target in content_maps.items())
    style = sum(relative(gram_matrix(maps[name]), gram[chosen]) for name, gram in grams.items()) / len(grams)
    return (content + style_weight * style).mean()


def picture_by_picture(maps, content_maps, grams, chosen, style_weight):
    losses = []
    for n, style in enumerate(chosen):
        one, photograph, gram = (
            {name: values[k : k + 1] for name, values in given.items()}
            for given, k in ((maps, n), (content_maps, n), (grams, style))
        )
        losses.append(fast_loss(one, photograph, gram, [0], style_weight))
    return torch.stack(losses).mean()


answers(
    "fast_loss",
    fast_loss,
    (lambda m, p, a, c, w: fast_loss(m, p, a, [0] * len(c), w), "compared with the first painting"),
    (
        lambda m, p, a, c, w: (
            fast_loss(m, p, a, [n % len(a["relu1_1"]) for n in range(len(c))], w)
            if "relu2_1" in a
            else fast_loss(m, p, a, c, w)
        ),
        "`chosen` is not looked at",
    ),
    (lambda m, p, a, c, w: fast_loss(m, p, a, c, w * len(a)), "sum over its layers"),
    (lambda m, p, a, c, w: fast_loss(m, p, a, c, w) * len(c), "sum over the pictures"),
    (lambda m, p, a, c, w: fast_loss(m, p, a, c, 1), "The style weight is left out"),
    (lambda m, p, a, c, w: w * fast_loss(m, p, a, c, 1), "covers both terms"),
    (lambda m, p, a, c, w: fast_loss(m, p, a, c, 0), "The style is missing"),
    (lambda m, p, a, c, w: fast_loss(m, p, a, c, w) - fast_loss(m, p, a, c, 0), "The content is missing"),
    (
        lambda m, p, a, c, w: fast_loss({n: v.detach() for n, v in m.items()}, p, a, c, w),
        "no gradient reaches",
    ),
    others=[picture_by_picture],
)


def coverage(kernel, stride, inputs):
    counts = [0] * ((inputs - 1) * stride + kernel)
    for i in range(inputs):
        for tap in range(kernel):
            counts[i * stride + tap] += 1
    return counts


def by_transposing(kernel, stride, inputs):
    ones = torch.ones(1, 1, inputs)
    made = torch.nn.functional.conv_transpose1d(ones, torch.ones(1, 1, kernel), stride=stride)
    return [int(count) for count in made.flatten()]


answers(
    "coverage",
    coverage,
    (lambda k, s, n: coverage(s, k, n), "Kernel and stride are exchanged"),
    (lambda k, s, n: coverage(k, 1, n), "Stride is not looked at"),
    (lambda k, s, n: [min(1, c) for c in coverage(k, s, n)], "covered or not"),
    (lambda k, s, n: coverage(k, s, n)[: n * s], "The end is missing"),
    (lambda k, s, n: [c / max(coverage(k, s, n)) for c in coverage(k, s, n)], "whole numbers"),
    others=[by_transposing],
)


TestAnswers = answers.tests()


# a style of one's own: the course's network is the learner's; that which it is added to knows one style less


def without(network, style):
    """The network, one of its styles forgotten."""
    kept = [name for name in network.styles if name != style]
    copy = FastNetwork(kept, network.widths, network.blocks)
    places = [network.styles.index(name) for name in kept]
    vectors = network.vectors.detach()[places]
    copy.load_state_dict(network.state_dict() | {"vectors": vectors}, assign=True)
    return copy


@pytest.fixture
def learnt(monkeypatch):
    """What a learner hands in who has added stained_glass to a network that did not know it."""
    trained = FastNetwork.load()
    known = without(trained, "stained_glass")
    monkeypatch.setattr(fast_training, "_course_network", lambda: known)
    added = known.extended(["mine"], trained.mix("stained_glass").detach())
    return known, {"network": added, "painting": "stained_glass"}


def test_a_style_of_ones_own_passes(learnt):
    assert verdict_on("own_style", learnt[1]).passed


def test_a_style_that_is_none_is_told_so(learnt):
    known, answer = learnt
    changed = known.extended(["mine"], known.mix("brick").detach())
    with torch.no_grad():
        changed.vectors[0] += 0.01
    for given, told in (
        ({"network": known}, "Hand in"),
        (answer | {"network": "fast.safetensors"}, "what fit_fast_network returns; yours is"),
        (answer | {"painting": "no such file.png"}, "cannot be read"),
        (answer | {"network": FastNetwork(["mine"])}, "of its own"),
        (answer | {"network": known}, "and no other"),
        (answer | {"network": changed}, "no longer paint as they did"),
        (answer | {"network": known.extended(["mine"], known.mix("brick").detach())}, "is no nearer"),
        (answer | {"painting": "pen_hatching"}, "is no nearer"),
    ):
        verdict = verdict_on("own_style", given)
        assert verdict.outcome is False and told in verdict.message, (told, verdict)


def test_a_style_of_ones_own_is_not_attempted_where_nothing_was_written():
    assert verdict_on("own_style", {"network": ..., "painting": ...}).outcome is None
