"""The exercise of notebook 03 on the descent: the loop that changes a picture until its loss is small.

More than one loop is right, so what the learner's loop does is watched: where it asks for the loss, what its
gradients are, and which tensor its optimiser holds.
"""

import threading
import weakref

import torch
from torch import Tensor
from torch.optim.optimizer import (
    Optimizer,
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)
from torch.utils.hooks import RemovableHandle

from stylelab.checks.comparing import Shortfall, named
from stylelab.checks.drawing import uniform
from stylelab.checks.engine import checker
from stylelab.checks.exercise import Case, Exercise

ENOUGH = 20  # steps


class WatchedLoss:
    """The loss of a picture, the mean of cᵢ (xᵢ − goalᵢ)², that remembers how it was asked.

    goal: (N, C, H, W). The cᵢ run from 1 to 10 times `strength`, so that one length of step
    cannot suit all, and are 0 for the last quarter: nothing ever moves those pixels.
    """

    def __init__(self, goal: Tensor, strength: float = 1.0) -> None:
        self.goal = goal
        curvature = strength * torch.logspace(0, 1, goal.numel())
        curvature[-(goal.numel() // 4) :] = 0
        self.curvature = curvature.view(goal.shape)
        self.asked: list[Tensor] = []  # the pictures whose loss was wanted
        self.steps: list[int] = []  # how many of them there were at the end of each optimiser's step
        self.planned = 0  # steps of L-BFGS that the optimisers were allowed: one call may take max_iter
        self.optimisers: set[str] = set()  # their kinds
        self.made: list[Optimizer] = []
        self.stale = False  # a gradient was added to an older one
        self.arrived = False  # a gradient, at a variable
        self.elsewhere = False  # a step's first loss was not asked of the place where the step began
        self._variables: list[Tensor] = []
        self._held: set[int] = set()
        self._start: dict[int, Tensor] = {}  # what the step under way found in its variables
        self._hooks: list[RemovableHandle] = []

    def __call__(self, image: Tensor) -> Tensor:
        self.asked.append(image.detach().clone())
        self._watch(image)
        began = self._start.pop(id(image), None)
        self.elsewhere = self.elsewhere or (began is not None and not torch.equal(began, image))
        return self.of(image)

    def of(self, image: Tensor) -> Tensor:
        """The loss alone."""
        return (self.curvature * (image - self.goal).square()).mean()

    @property
    def apart(self) -> bool:
        """Whether losses were asked of variables, and the optimiser holds none of these."""
        return bool(self._variables) and not any(id(variable) in self._held for variable in self._variables)

    @property
    def most_in_a_step(self) -> int:
        """The most losses asked for in one step of an optimiser."""
        return max((b - a for a, b in zip([0, *self.steps], self.steps, strict=False)), default=0)

    def close(self) -> None:
        """Watch no longer."""
        _remove(self._hooks)

    def _watch(self, image: Tensor) -> None:
        # PyTorch keeps what is hooked, some of it for the whole program. Without a hold on the loss the hooks
        # go when it goes, also where a learner's loop broke off and nobody closed it.
        watched = weakref.ref(self)
        if not self._hooks:
            here = threading.get_ident()

            def stepping(optimiser, args, kwargs) -> None:
                if (loss := watched()) and threading.get_ident() == here:
                    loss._start = {id(values): values.detach().clone() for values in _held(optimiser)}

            def stepped(optimiser, args, kwargs) -> None:
                if (loss := watched()) and threading.get_ident() == here:
                    loss._stepped(optimiser)

            self._hooks += [
                register_optimizer_step_pre_hook(stepping),
                register_optimizer_step_post_hook(stepped),
            ]
            weakref.finalize(self, _remove, self._hooks)
        if not (image.is_leaf and image.requires_grad) or any(image is known for known in self._variables):
            return
        self._variables.append(image)
        older = False

        def arriving(gradient: Tensor) -> None:
            nonlocal older
            if loss := watched():
                loss.arrived = True
            older = image.grad is not None and bool(image.grad.any())

        def added(variable: Tensor) -> None:
            if loss := watched():
                loss.stale = loss.stale or older

        image.register_hook(arriving)
        image.register_post_accumulate_grad_hook(added)

    def _stepped(self, optimiser: Optimizer) -> None:
        self.optimisers.add(type(optimiser).__name__)
        if not any(optimiser is known for known in self.made):
            self.made.append(optimiser)
        self.steps.append(len(self.asked))
        self.planned += optimiser.param_groups[0].get("max_iter", 1)
        self._held |= {id(values) for values in _held(optimiser)}


def _remove(hooks: list[RemovableHandle]) -> None:
    for hook in hooks:
        hook.remove()


def _held(optimiser: Optimizer) -> list[Tensor]:
    return [values for group in optimiser.param_groups for values in group["params"]]


def descended(loss: WatchedLoss, image: Tensor, steps: int, found) -> Shortfall | None:
    """What is wrong with a descent by L-BFGS from `image` that returned `found`; None if nothing is."""
    loss.close()
    if not isinstance(found, Tensor) or found.shape != image.shape:
        what = f"of shape {tuple(found.shape)}" if isinstance(found, Tensor) else f"{named(found)}"
        return Shortfall(f"Expected the picture, of shape {tuple(image.shape)}; yours is {what}.")
    if not loss.asked:
        return Shortfall("It never asks for the loss of a picture: `value = loss(x)`, in the closure.")
    if not loss.steps:
        return Shortfall("No optimiser ever takes a step: `optimiser.step(closure)`, with L-BFGS.")
    if loss.apart:
        return Shortfall(
            "The optimiser holds another tensor than the one whose loss is asked for, so nothing moves. "
            "Make one x, hand [x] to the optimiser, and use x in the closure."
        )
    if "LBFGS" not in loss.optimisers:
        return Shortfall(f"This is {min(loss.optimisers)}; L-BFGS is asked for, `torch.optim.LBFGS`.")
    if len(loss.made) > 1:
        return Shortfall(
            "Every step makes an optimiser of its own, which knows nothing of the steps before it: L-BFGS "
            "guesses the curvature from these. Make one, before the loop."
        )
    if loss.stale:
        return Shortfall(
            "Each gradient is added to the ones before it. Begin the closure with `optimiser.zero_grad()`."
        )
    seen = torch.stack(loss.asked)
    within, beyond = seen.min() >= 0 and seen.max() <= 1, loss.goal.min() < 0
    inside = beyond and within and loss.most_in_a_step > 2 and len(seen.unique(dim=0)) > 1
    if inside or loss.elsewhere:
        return Shortfall(
            "The picture is clamped inside the closure: L-BFGS takes the loss to be that of the place it "
            "chose, and it is that of another. Clamp between its steps, or once at the end."
        )
    if not found.isfinite().all():
        return Shortfall("The picture holds NaN or infinite values.", None, found)
    if torch.equal(found.detach(), image):
        if not loss.arrived:
            return Shortfall(
                "No gradient ever arrives, so nothing moves: call `value.backward()` in the closure, before "
                "it returns the value."
            )
        return Shortfall("This is the start. Return the picture that was changed.", None, found)
    kept = loss.curvature == 0
    if (found.detach() - image)[kept].abs().max() > 1e-4:
        return Shortfall(
            "Pixels that the loss does not see are not those of the start: begin with a copy of image, and "
            "change nothing but what the gradient changes.",
            image,
            found,
        )
    if found.requires_grad:
        return Shortfall("The picture still asks for a gradient: hand out `x.detach()`.")
    if found.min() < 0 or found.max() > 1:
        low, high = found.min().item(), found.max().item()
        return Shortfall(
            f"Values from {low:.2f} to {high:.2f} cannot be shown: clamp to [0, 1], at the end at least."
        )
    if len(loss.asked) > 6 * steps:
        return Shortfall(
            f"It asks for the loss {len(loss.asked)} times in {steps} steps. One call of `step` takes up to "
            "max_iter steps, 20 unless you say otherwise: set max_iter=1, or max_iter=steps and call it "
            "once."
        )
    early = steps >= ENOUGH and loss.planned < steps  # it may stop where nothing is left to gain
    if steps not in (len(loss.steps), loss.planned) and not early:
        return Shortfall(
            f"It takes {loss.planned} steps of L-BFGS, where {steps} are asked for: `for _ in "
            "range(steps)`, with max_iter=1."
        )
    first, last = loss.of(image).item(), loss.of(found).item()
    least = loss.of(loss.goal.clamp(0, 1)).item()
    if last >= first:
        return Shortfall(f"The loss is {first:.3g} at the start and {last:.3g} at the end: it climbs.")
    if steps >= ENOUGH and last - least > 0.02 * (first - least):
        few = f", after asking {len(loss.asked)} times" if len(loss.asked) < steps else ""
        return Shortfall(
            f"After {steps} steps the loss is {last:.3g}{few}; it started at {first:.3g}, and can come to "
            f"{least:.3g}."
        )
    return None


def _beyond() -> Tensor:
    """A goal with one pixel darker than black and one brighter than white."""
    goal = uniform(1, 3, 2, 4, seed=2)
    goal[0, 0, 0, 0], goal[0, 1, 1, 2] = -2, 3
    return goal


descent = checker(
    Exercise(
        name="descent",
        signature="descent(loss, image, steps)",
        task="The picture after some steps of L-BFGS, which made its loss small.\n\n"
        "loss: a function from a picture to a scalar tensor. image: where to start, (N, 3, H, W) in [0, 1]; "
        "it stays as it is. steps: of L-BFGS, each with one evaluation of the loss, or a few. Returns the "
        "picture, (N, 3, H, W) in [0, 1], detached.",
        cases=lambda: [
            Case(
                (WatchedLoss(uniform(1, 3, 2, 4, seed=1)), uniform(1, 3, 2, 4), ENOUGH),
                "a goal that is a picture",
            ),
            Case(
                (WatchedLoss(_beyond()), uniform(1, 3, 2, 4, seed=3), 3),
                "a goal that is partly beyond [0, 1]",
            ),
        ],
        judge=descended,
        praise="Right: the loss goes down, and what comes out can be shown.",
    )
)
