"""Rooms 1, 6, 8 and 9: loops. More than one loop is right, so what a mended one does is watched."""

import torch
from torch import Tensor

from stylelab.checks.comparing import Shortfall
from stylelab.checks.drawing import uniform
from stylelab.checks.exercise import Case, Exercise, Mistake
from stylelab.checks.loop import WatchedLoss, descended
from stylelab.checks.museum import broken, mended

STEPS = 20
LOOP = (
    "loss: a function from a picture to a scalar tensor. image: where to start, (N, 3, H, W) in [0, 1]; it "
    "stays as it is. steps: how many. Returns the picture, (N, 3, H, W) in [0, 1], detached."
)


def _beyond(strength: float = 1.0) -> WatchedLoss:
    """The loss whose least is outside [0, 1] for a quarter of the pixels."""
    goal = uniform(1, 3, 2, 4, seed=2)
    goal[:, :, 0, :2] = torch.tensor([-1.0, 2.0])
    return WatchedLoss(goal, strength)


# Room 1: the closure clamps what L-BFGS holds.


def _clamped_twice(loss, image, steps):
    return broken.descend(loss, image, steps).clamp(0, 1)


def _of_the_clamped(loss, image, steps):
    return mended.descend_in_one_call(lambda x: loss(x.clamp(0, 1)), image, steps)


clamped = Exercise(
    name="find_the_bug(1)",
    signature="descend(loss, image, steps)",
    task=f"The picture after some steps of L-BFGS, which made its loss small.\n\n{LOOP}",
    cases=lambda: [
        Case((WatchedLoss(uniform(1, 3, 2, 4, seed=1)), uniform(1, 3, 2, 4), STEPS), "a goal within [0, 1]"),
        Case((_beyond(), uniform(1, 3, 2, 4, seed=3), 10), "a goal partly beyond [0, 1]"),
    ],
    judge=descended,
    mistakes=(
        Mistake(
            "This is still the exhibit: the last thing that happens to x is a move of L-BFGS, out of [0, 1] "
            "again, after the last clamp. What you hand out is a picture whose loss nobody has computed.",
            broken.descend,
        ),
        Mistake(
            "Half mended: what you hand out can be shown now. But L-BFGS still takes the loss of the clamped "
            "picture for that of the place it chose. Clamp between its steps, or once at the end, and not in "
            "the closure.",
            _clamped_twice,
        ),
        Mistake(
            "`loss(x.clamp(0, 1))` is an honest loss, and a trap: a pixel that has left [0, 1] has gradient "
            "0, and never comes back. Clamp the picture, not the argument.",
            _of_the_clamped,
        ),
    ),
    praise="Right: the picture that is moved is the one whose loss was computed, and it can be shown.",
)


# Room 6: a target that hangs on the picture.


TOY = "network(x) = (2x − 0.5)², and the style is white"


def _network(image: Tensor) -> Tensor:
    return (2 * image - 0.5).square()


def _style(image: Tensor) -> Tensor:
    """Pulls every pixel to white."""
    return (1 - image).square().mean()


def _stylised(network, style_loss, photograph, steps) -> Tensor:
    start = torch.tensor(photograph, dtype=torch.float32)
    target, x = network(start), start.clone()
    m, v = torch.zeros_like(x), torch.zeros_like(x)
    for t in range(1, steps + 1):
        variable = x.clone().requires_grad_()
        loss = (network(variable) - target).square().mean() + style_loss(variable)
        (slope,) = torch.autograd.grad(loss, variable)
        m, v = 0.9 * m + 0.1 * slope, 0.999 * v + 0.001 * slope**2
        x = x - 0.03 * (m / (1 - 0.9**t)) / ((v / (1 - 0.999**t)).sqrt() + 1e-8)
    return x.clamp(0, 1)


def _held_by(pair, retain: bool = True):
    """The exhibit, but for the two that are compared: pair makes them of (network, x, target)."""

    def imitation(network, style_loss, photograph, steps):
        x = photograph.clone().requires_grad_()
        target = network(x)
        optimiser = torch.optim.Adam([x], lr=0.03)
        for _ in range(steps):
            optimiser.zero_grad()
            ours, theirs = pair(network, x, target)
            loss = (ours - theirs).square().mean() + style_loss(x)
            loss.backward(retain_graph=retain)
            optimiser.step()
        return x.detach().clamp(0, 1)

    return imitation


def _without_gradient(network, style_loss, photograph, steps):
    return mended.stylise(lambda image: network(image).detach(), style_loss, photograph, steps)


attached = Exercise(
    name="find_the_bug(6)",
    signature="stylise(network, style_loss, photograph, steps)",
    task="A picture that keeps the photograph's maps while its style loss falls, by steps of Adam.\n\n"
    "network: a function from a picture (1, 3, H, W) to its maps. style_loss: a function from a picture to a "
    "scalar tensor. photograph: (1, 3, H, W) in [0, 1]. steps: of Adam, with a rate of 0.03. Returns the "
    "picture, (1, 3, H, W) in [0, 1], detached.",
    cases=lambda: [
        Case((_network, _style, torch.full((1, 3, 1, 1), 0.4), 3), f"one grey pixel; {TOY}"),
        Case((_network, _style, uniform(1, 3, 2, 2, seed=5), 12), f"a random picture; {TOY}"),
    ],
    reference=_stylised,
    tolerance=2e-3,
    mistakes=(
        Mistake(
            "This is still the exhibit: the target was computed from x and moves with it as far as autograd "
            "can see, so the gradients of the two sides cancel. It has to be a number, not a function of x.",
            broken.stylise,
        ),
        Mistake(
            "Without `retain_graph` autograd refuses the second step, and rightly: every backward pass walks "
            "into the target too. That message was the clue. Cut the target off where it is made.",
            _held_by(lambda network, x, target: (network(x), target), retain=False),
        ),
        Mistake(
            "Now the content term has no gradient at all: a target computed anew at every step, or both "
            "sides cut off, leave nothing that holds. Make the target once, before the loop, and cut only "
            "that off.",
            _without_gradient,
        ),
        Mistake(
            "The wrong side is cut off: the gradient flows through the target only, and pushes the picture "
            "away from the photograph. Detach the target.",
            _held_by(lambda network, x, target: (network(x).detach(), target)),
        ),
    ),
    praise="Right: the target stays where the photograph was, and the content term holds on to it.",
)


# Room 8: gradients that are added up.


def _steadily(loss: WatchedLoss, image: Tensor, steps: int, found) -> Shortfall | None:
    loss.close()
    if not isinstance(found, Tensor) or found.shape != image.shape:
        return Shortfall(f"Expected the picture, of shape {tuple(image.shape)}.")
    if not loss.steps:
        return Shortfall("No optimiser ever takes a step.")
    if loss.stale:
        return Shortfall(
            "Each gradient is still added to the ones before it. `backward` adds to x.grad, and somebody "
            "has to empty it at every step: `optimiser.zero_grad()` before `backward`."
        )
    if torch.equal(found.detach(), image):
        return Shortfall(
            "Nothing moves. Does `zero_grad` stand between `backward` and `step`? There it throws the "
            "gradient away before anybody has used it."
        )
    if found.requires_grad or found.min() < 0 or found.max() > 1:
        return Shortfall("Hand out the picture detached and in [0, 1], as the exhibit does.", None, found)
    first, last = loss.of(image).item(), loss.of(found).item()
    least = loss.of(loss.goal.clamp(0, 1)).item()
    if last - least > 0.1 * (first - least):
        return Shortfall(
            f"Gradients are fresh now, but after {steps} steps the loss is {last:.3g}; it started at "
            f"{first:.3g}, and can come to {least:.3g}. Leave the rate as it was."
        )
    return None


def _never_set(loss, image, steps):
    x = image.clone().requires_grad_()
    x.grad.zero_()


added_up = Exercise(
    name="find_the_bug(8)",
    signature="descend_with_adam(loss, image, steps)",
    task=f"The picture after some steps of Adam, with a rate of 0.03, which made its loss small.\n\n{LOOP}",
    cases=lambda: [
        Case((_beyond(), uniform(1, 3, 2, 4, seed=3), 60), "a goal partly beyond [0, 1]"),
    ],
    judge=_steadily,
    mistakes=(
        Mistake(
            "This is still the exhibit: `backward` adds to x.grad, and nobody empties it, so every step "
            "follows the sum of all gradients so far. One line is missing in the loop. (Before the loop it "
            "empties what is empty.)",
            broken.descend_with_adam,
        ),
        Mistake(
            "Before the first `backward`, x.grad is None and has no `zero_`: `optimiser.zero_grad()` knows "
            "that.",
            _never_set,
        ),
    ),
    praise="Right: each step follows the gradient of the place where it stands.",
)


# Room 9: a loss so small that L-BFGS takes it for nothing.

FAINT = 1e-8


def _moved(loss: WatchedLoss, image: Tensor, steps: int, found) -> Shortfall | None:
    shortfall = descended(loss, image, steps, found)
    still = (
        isinstance(found, Tensor) and found.shape == image.shape and torch.allclose(found, image, atol=1e-3)
    )
    if not still or loss.optimisers != {"LBFGS"} or loss.apart:
        return shortfall
    if len(loss.asked) == 1:
        return Shortfall(
            "This is still the exhibit, in what it does: L-BFGS looks once, and two thresholds stop it "
            "before its first step, tolerance_grad (1e-7, for the largest entry of the gradient) and "
            "tolerance_change (1e-9, for what the step promises). Neither more steps nor another rate are "
            "looked at before that."
        )
    return Shortfall(
        "The thresholds are gone, and it still goes nowhere: a step is as long as the gradient, and from "
        "steps so short L-BFGS learns no scale (torch drops pairs whose s·y is below 1e-10). The loss "
        "itself has to be larger."
    )


unmoved = Exercise(
    name="find_the_bug(9)",
    signature="descend_in_one_call(loss, image, steps)",
    task=f"The picture after some steps of L-BFGS, however small the loss is in numbers.\n\n{LOOP}",
    cases=lambda: [
        Case(
            (WatchedLoss(uniform(1, 3, 2, 4, seed=1), FAINT), uniform(1, 3, 2, 4), STEPS),
            "a loss of about 1e-9, a gradient of less",
        ),
    ],
    judge=_moved,
    praise="Right: it is the scale of the loss that L-BFGS stumbles over, and a factor changes no minimum.",
)
