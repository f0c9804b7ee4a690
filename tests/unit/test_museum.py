"""The bug museum: mends pass, exhibits and half-mends are told what is wrong, and the symptoms are real."""

import inspect
import json
import linecache
import re
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from stylelab import checks
from stylelab.checks.engine import examine
from stylelab.checks.loop import WatchedLoss
from stylelab.checks.museum import AS_IT_HANGS, EXHIBITS, broken, mended
from stylelab.checks.museum.descents import FAINT, _beyond, _network, _style, _without_gradient
from stylelab.checks.museum.parts import BLOCK, _layers, _stages
from stylelab.errors import StylelabError

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "08_bug_museum.ipynb"
ROOMS = sorted(EXHIBITS)
RIGHT, WRONG = {}, {}


def mends(room, right, *wrong):
    """Other mends that are right, and wrong ones with a piece of what each must be told."""
    RIGHT[room] = right
    WRONG.update({f"{room}-{number}": (room, *pair) for number, pair in enumerate(wrong)})


def lbfgs(
    inside=None, after=None, end=lambda x: x.clamp(0, 1), scale=1, max_iter=None, held=None, **settings
):
    """Room 1 and 9, with one thing done otherwise."""

    def descent(loss, image, steps):
        x = image.clone().requires_grad_()
        optimiser = torch.optim.LBFGS([held(x) if held else x], max_iter=max_iter or steps, **settings)

        def closure():
            optimiser.zero_grad()
            if inside:
                inside(x.data)
            value = scale * loss(x)
            value.backward()
            return value

        for _ in range(steps if max_iter == 1 else 1):
            optimiser.step(closure)
            if after:
                after(x.data)
        return end(x.detach())

    return descent


def clamp_(x):
    return x.clamp_(0, 1)


SEARCH = {"line_search_fn": "strong_wolfe"}
mends(
    1,
    [lbfgs(**SEARCH), lbfgs(max_iter=1, after=clamp_, end=lambda x: x)],
    (lbfgs(inside=clamp_, **SEARCH), "Half mended"),
    (lbfgs(end=lambda x: x, **SEARCH), "cannot be shown"),
    (lbfgs(held=lambda x: x.detach().clone().requires_grad_()), "holds another tensor"),
    (lambda loss, image, steps: lbfgs(**SEARCH)(lambda x: loss(x.clamp(0, 1)), image, steps), "a trap"),
    (lambda loss, image, steps: image.clamp(0, 1), "never asks for the loss"),
)


def zipped(maps, order, grams):
    return mended.style_loss(maps, grams, list(order))


mends(
    2,
    [lambda m, g, n: mended.style_loss({name: m[name] for name in n}, g, n)],
    (lambda m, g, n: zipped(m, sorted(n), g), "sorting puts relu10_1 before"),
    (lambda m, g, n: zipped(m, reversed(m), g), "turned round now"),
    (lambda m, g, n: zipped(m, n[:1], g[:1]), "Only the first layer"),
    (lambda m, g, n: mended.style_loss(m, g, n) * len(n), "no longer divided"),
    (lambda m, g, n: mended.style_loss({k: f.detach() for k, f in m.items()}, g, n), "no gradient flows"),
    (lambda m, g, n: mended.style_loss(m, g[::-1], n), "different"),
)
mends(
    3,
    [lambda p: broken.read(p[..., ::-1].copy()), lambda p: broken.read(p)[:, [2, 1, 0]]],
    (lambda p: broken.read(p[::-1].copy()), "stands on its head"),
    (lambda p: broken.read(p).flip(3), "left and right"),
    (lambda p: broken.read(p).roll(1, 1), "green has to stay"),
    (lambda p: broken.read(p)[:, [1, 2, 0]], "green has to stay"),
    (lambda p: broken.read(p[..., ::-1]), "negative stride"),
    (lambda p: broken.read(p).flip(1).flip(1), "This is still the exhibit"),
    (lambda p: 255 * broken.read(p).flip(1), "255 times"),
    (lambda p: broken.read(p).flip(1)[0], "shape should be"),
)


def scaled(scale):
    return lambda p, network: network(scale(torch.from_numpy(p).permute(2, 0, 1)[None])).detach()


mends(
    4,
    [scaled(lambda x: x / 255), scaled(lambda x: x.double() / 255.0)],
    (scaled(lambda x: x / 256), "the largest is 255"),
    (lambda p, network: broken.content_target(p, network) / 255, "You divided the maps"),
    (scaled(lambda x: x.float().clamp(0, 1)), "cut off there"),
    (scaled(lambda x: x / x.max()), "this picture's largest"),
    (scaled(lambda x: x / 127.5 - 1), "−1 to 1"),
    (scaled(lambda x: (x // 255).float()), "all but white is black"),
    (scaled(lambda x: x.double()), "This is still the exhibit"),
)


def kept(keep, relu=None):
    def maps_of(stages, image, layers):
        maps, x = {}, image
        for name, stage in stages.items():
            x = relu(x) if relu and isinstance(stage, nn.ReLU) else stage(x)
            if name in layers:
                maps[name] = keep(x)
        return maps

    return maps_of


def switched_off(stages, image, layers):
    for stage in stages.values():
        stage.inplace = False
    return broken.maps_of(stages, image, layers)


mends(
    5,
    [kept(lambda x: x * 1), kept(lambda x: x, relu=F.relu)],
    (kept(lambda x: x.detach()), "copies nothing"),
    (kept(lambda x: x.data.clone()), "the gradient is gone"),
    (lambda s, i, n: {k: v.clone() for k, v in broken.maps_of(s, i, n).items()}, "This is still the exhibit"),
    (kept(lambda x: x.clone().clamp(min=0)), "This is still the exhibit"),
    (switched_off, "It changes stages in place"),
    (lambda s, i, n: list(mended.maps_of(s, i, n).values()), "expected a dict"),
)


def once(network, style_loss, photograph, steps):
    with torch.no_grad():
        target = network(photograph)
    calls = iter([target])
    return mended.stylise(
        lambda x: next(calls, None) if x is None else network(x), style_loss, photograph, steps
    )


def paired(pair, retain=True):
    def stylise(network, style_loss, photograph, steps):
        x = photograph.clone().requires_grad_()
        target, optimiser = network(x), torch.optim.Adam([x], lr=0.03)
        for _ in range(steps):
            optimiser.zero_grad()
            ((pair(network, x, target)).square().mean() + style_loss(x)).backward(retain_graph=retain)
            optimiser.step()
        return x.detach().clamp(0, 1)

    return stylise


mends(
    6,
    [
        once,
        paired(lambda network, x, target: network(x) - target.detach()),
        paired(lambda network, x, target: network(x) - target.data),
    ],
    (paired(lambda network, x, target: network(x) - target.clone()), "This is still the exhibit"),
    (paired(lambda network, x, target: network(x) - target, retain=False), "That message was the clue"),
    (paired(lambda network, x, target: network(x) - network(x).detach()), "no gradient at all"),
    (_without_gradient, "no gradient at all"),
    (paired(lambda network, x, target: target - network(x).detach()), "The wrong side"),
)
mends(
    7,
    [
        lambda m: torch.einsum("nhwi,nhwj->nij", m, m) / m[0].numel(),
        lambda m: mended.gram_matrix(m.transpose(1, 2)),
        lambda m: broken.gram_matrix(m.permute(0, 3, 1, 2).reshape(m.shape)),
    ],
    (lambda m: m.flatten(1, 2) @ m.flatten(1, 2).mT / m[0].numel(), "places with places"),
    (lambda m: torch.einsum("nhwi,nhwj->nij", m, m), "without the division"),
    (lambda m: mended.gram_matrix(m) * m.shape[3], "not by C"),
    (lambda m: torch.einsum("nhwi,nhwj->ij", m, m)[None] / m[0].numel(), "keep N apart"),
    (lambda m: broken.gram_matrix(m.contiguous()), "This is still the exhibit"),
    (lambda m: broken.gram_matrix(m.transpose(1, 2).reshape(m.shape)), "Rows and columns of the picture"),
)


def adam(place=None, rate=0.03, end=lambda x: x.detach().clamp(0, 1)):
    """Room 8. place: where zero_grad stands."""

    def descent(loss, image, steps):
        x = image.clone().requires_grad_()
        optimiser = torch.optim.Adam([x], lr=rate)
        for step in range(steps):
            if place == "first" or (place == "once" and not step):
                optimiser.zero_grad()
            value = loss(x)
            value.backward()
            if place == "between":
                optimiser.zero_grad()
            optimiser.step()
            if place == "last":
                x.grad = None
        return end(x)

    return descent


mends(
    8,
    [adam("first"), adam("last")],
    (adam("between"), "stand between"),
    (adam("once"), "This is still the exhibit"),
    (adam(rate=0.003), "still added to the ones before"),
    (adam("first", rate=1e-4), "Leave the rate"),
    (adam("first", end=torch.Tensor.detach), "in [0, 1], as the exhibit does"),
    (lambda loss, image, steps: image + 0 * loss(image), "No optimiser ever"),
)
ZERO = {"tolerance_grad": 0, "tolerance_change": 0}


def relative(loss, image, steps):
    start = loss(image).detach()
    return lbfgs(**SEARCH)(lambda x: loss(x) / start, image, steps)


mends(
    9,
    [lbfgs(scale=1e8, **SEARCH), relative],
    (lbfgs(tolerance_grad=0, **SEARCH), "tolerance_change (1e-9"),
    (lbfgs(**ZERO, **SEARCH), "learns no scale"),
    (lbfgs(**ZERO), "learns no scale"),
    (lbfgs(lr=1000, **SEARCH), "This is still the exhibit"),
    (lambda loss, image, steps: lbfgs()(loss, image, 10 * steps), "This is still the exhibit"),
    (lbfgs(scale=1e8, held=lambda x: x.detach().clone().requires_grad_()), "holds another tensor"),
    (adam("first"), "This is Adam"),
)


@pytest.mark.parametrize("room", ROOMS)
def test_the_mend_passes_and_so_do_others_that_are_right(room):
    name = checks.exhibit(room).__name__
    for mend in (checks.exhibit(room, mended=True), *RIGHT[room]):
        verdict = examine(EXHIBITS[room], mend)
        assert verdict.passed, verdict
    assert checks.exhibit(room, mended=True).__name__ == name
    assert EXHIBITS[room].signature == f"{name}{inspect.signature(checks.exhibit(room))}"


def defined(source):
    """The function of a cell, whose source Python knows as it knows that of a notebook's cell."""
    name, here = f"<cell {hash(source)}>", {"torch": torch}
    linecache.cache[name] = len(source), None, source.splitlines(keepends=True), name
    exec(compile(source, name, "exec"), here)
    return next(value for value in here.values() if inspect.isfunction(value))


@pytest.mark.parametrize("room", ROOMS)
def test_the_exhibit_as_it_hangs_is_not_given_away(room, capsys):
    source = "# as in the cell\n\n" + inspect.getsource(checks.exhibit(room))
    for untouched in (checks.exhibit(room), defined(source)):
        assert checks.find_the_bug(room, untouched) is False
        assert capsys.readouterr().out == f"○ find_the_bug({room}): {AS_IT_HANGS}\n"


@pytest.mark.parametrize("room", ROOMS)
def test_an_exhibit_that_was_changed_and_does_the_same_is_told_its_bug(room, capsys):
    def changed(*arguments):
        return checks.exhibit(room)(*arguments)

    assert checks.find_the_bug(room, changed) is False
    assert f"✗ find_the_bug({room}): This is still the exhibit" in capsys.readouterr().out


def test_a_change_of_one_number_is_a_change(capsys):
    changed = inspect.getsource(broken.descend_with_adam).replace("lr=0.03", "lr=0.003")
    checks.find_the_bug(8, defined(changed))
    assert "✗ find_the_bug(8)" in capsys.readouterr().out


@pytest.mark.parametrize("room", [1, 4, 6, 8, 9])
def test_an_example_shows_no_name_of_a_function(room):
    verdict = examine(EXHIBITS[room], checks.exhibit(room))
    assert not {"loss", "network", "style_loss"} & set(verdict.inputs) and verdict.about
    assert (
        "WatchedLoss" not in str(verdict) and "_network" not in str(verdict) and "_style" not in str(verdict)
    )


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_mend_is_told_its_mistake(case):
    room, mend, told = WRONG[case]
    verdict = examine(EXHIBITS[room], mend)
    assert verdict.outcome is False
    assert told in verdict.message, verdict


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_has_three_wrong_mends_and_names_each_by_what_it_does(room):
    assert sum(owner == room for owner, _, _ in WRONG.values()) >= 3
    for mistake in EXHIBITS[room].mistakes:
        assert examine(EXHIBITS[room], mistake.imitation).message == mistake.message


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("mend", [lambda *a: 7.25, lambda *a: torch.zeros(1), lambda *a: a[:1]])
def test_nonsense_mends_nothing(room, mend):
    assert not examine(EXHIBITS[room], mend).passed


def test_what_is_not_attempted_or_no_function_is_said_kindly(capsys):
    assert checks.find_the_bug(3, None) is False
    assert "Not attempted yet" in capsys.readouterr().out
    assert checks.find_the_bug(3, lambda pixels: ...) is False
    assert "Not attempted yet" in capsys.readouterr().out
    assert checks.find_the_bug(3, torch.zeros(3)) is False
    assert "checks.find_the_bug(3, read)" in capsys.readouterr().out


def test_a_room_that_is_not_there_is_an_error():
    for call in (lambda: checks.exhibit(10), lambda: checks.find_the_bug("3", broken.read)):
        with pytest.raises(StylelabError, match="rooms 1 to 9"):
            call()


def test_an_array_that_is_written_to_is_noticed():
    def read(pixels):
        pixels[:] = pixels[..., ::-1].copy()
        return broken.read(pixels)

    assert "It changes pixels in place" in examine(EXHIBITS[3], read).message


# the symptoms


def test_room_1_hands_out_a_picture_whose_loss_nobody_computed():
    image = torch.full((1, 3, 2, 4), 0.5)
    handed_out = {}
    for name, descend in {"broken": broken.descend, "mended": mended.descend}.items():
        asked, loss = [], _beyond()
        found = descend(lambda x, to=asked, f=loss: [f.of(x), to.append(x.detach().clone())][0], image, 20)
        handed_out[name] = found
        assert (found.min() < 0) == (name == "broken")
        assert (min(x.min() for x in asked) >= 0) == (name == "broken") or name == "mended"
    assert ((handed_out["broken"] < 0) | (handed_out["broken"] > 1)).float().mean() > 0.05


def test_room_2_lowers_a_loss_that_is_not_the_painting_s():
    maps, grams, listed = _layers(BLOCK[:2], BLOCK[1::-1])
    in_order = _layers(BLOCK[:2], BLOCK[:2])[1]
    truth = mended.style_loss(maps, in_order, BLOCK[:2])
    assert torch.isclose(mended.style_loss(maps, grams, listed), truth)
    assert not torch.isclose(broken.style_loss(maps, grams, listed), truth, rtol=0.2)


def test_room_3_turns_red_into_blue():
    red = np.array([[[0, 0, 255]]], dtype=np.uint8)
    assert broken.read(red).flatten().tolist() == [0, 0, 1] and mended.read(red).flatten().tolist() == [
        1,
        0,
        0,
    ]


def test_room_4_makes_a_target_about_255_times_too_large():
    pixels = np.full((2, 2, 3), 200, dtype=np.uint8)
    sizes = [part.content_target(pixels, lambda x: x).mean().item() for part in (broken, mended)]
    assert sizes[0] == pytest.approx(255 * sizes[1])


def test_room_5_loses_every_negative_number_of_a_convolution():
    image = torch.rand(1, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    found = [part.maps_of(_stages(), image, ["conv1_2"])["conv1_2"] for part in (broken, mended)]
    assert found[0].min() >= 0 > found[1].min()
    assert torch.equal(found[0], found[1].relu())


def test_room_6_lets_go_of_the_photograph():
    photograph = torch.full((1, 3, 2, 2), 0.4)
    target = _network(photograph)
    left = [
        (_network(part.stylise(_network, _style, photograph, 60)) - target).square().mean().item()
        for part in (broken, mended)
    ]
    assert left[0] > 2 * left[1]


def test_room_7_remembers_where_things_were():
    maps = torch.randn(1, 4, 4, 3, generator=torch.Generator().manual_seed(0))
    shuffled = maps.flatten(1, 2)[:, torch.randperm(16)].view_as(maps)
    moved = [
        (part.gram_matrix(maps) - part.gram_matrix(shuffled)).abs().max().item() for part in (broken, mended)
    ]
    assert moved[0] > 0.05 and moved[1] < 1e-6


def test_room_8_swings_where_the_mended_loop_settles():
    loss, image = WatchedLoss(torch.full((1, 3, 2, 4), 0.3)), torch.full((1, 3, 2, 4), 0.8)
    ends = [loss.of(part.descend_with_adam(loss.of, image, 40)).item() for part in (broken, mended)]
    assert ends[0] > 5 * ends[1]


def test_room_9_never_moves():
    loss, image = WatchedLoss(torch.full((1, 3, 2, 4), 0.3), FAINT), torch.full((1, 3, 2, 4), 0.8)
    asked = []
    found = broken.descend_in_one_call(lambda x: [loss.of(x), asked.append(1)][0], image, 20)
    assert torch.equal(found, image) and len(asked) == 1
    assert loss.of(mended.descend_in_one_call(loss.of, image, 20)) < 0.01 * loss.of(image)


# the notebook


def test_the_notebook_shows_the_exhibits_and_folds_a_mend_that_passes():
    cells = {cell["id"]: "".join(cell["source"]) for cell in json.loads(NOTEBOOK.read_text("utf-8"))["cells"]}
    for room in ROOMS:
        assert cells[f"write-{room}"] == inspect.getsource(checks.exhibit(room)).rstrip()
        (solution,) = re.findall(r"```python\n(.*?)```", cells[f"write-{room}-solution"], re.S)
        assert solution == inspect.getsource(checks.exhibit(room, mended=True))
