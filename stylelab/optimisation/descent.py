"""How an image is changed so that a loss falls: L-BFGS and Adam, one evaluation a step, within [0, 1]."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from stylelab.optimisation.recipes import Recipe

SHORTEN = 0.3  # what is left of a step that made things worse
FIRST_MOVE = 0.02  # how far the mean pixel goes while nothing is known of curvature; from noise that may last


def minimise(
    losses_of: Callable[[Tensor], Tensor], start: Tensor, recipe: Recipe, steps: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Minimises the last of the losses over the image, yielding (image, its losses) for each evaluation.

    losses_of: from an image to a tensor of losses, the last of them the total, as an Objective is.
    start: (1, C, H, W), not changed.
    recipe: its optimiser, learning rate, history and bounds. The image yielded is the one evaluated, before
    the step from it; with bounds="project" it is the best so far, so the last one is the result.
    """
    if recipe.optimiser == "lbfgs" and recipe.bounds == "project":
        return _projected_lbfgs(losses_of, start, recipe, steps)
    return _with_torch(losses_of, start, recipe, steps)


def _projected_lbfgs(losses_of, start, recipe, steps) -> Iterator[tuple[Tensor, Tensor]]:
    """L-BFGS that knows the range: what it learns of curvature is what a step did after clamping, and pixels
    that press against 0 or 1 stay out of the next. A step that raises the loss is taken back and shortened.

    Source: Liu and Nocedal (1989) for the two loops, with s the step, y the gradient's change and sy = sᵀy;
    Bertsekas (1982) for the projection.
    """
    pairs: list[tuple[Tensor, Tensor, Tensor]] = []
    best = x = start.detach().clamp(0, 1).contiguous()
    best_losses: Tensor | None = None
    best_gradient = x
    scale = x.new_zeros(())  # of the inverse curvature; 0 while nothing is known
    for _ in range(steps):
        losses, gradient = _evaluate(losses_of, x)
        if best_losses is None:
            best_losses, best_gradient = losses, gradient
        # Choices are made where the numbers are: a host that read one would wait for the device each step.
        worse = losses[-1] > best_losses[-1]
        s = (x - best).flatten()
        y = torch.where(worse | (s == 0), 0, (gradient - best_gradient).flatten())
        sy = s.dot(y)
        learnt = sy > 1e-10 * s.norm() * y.norm()
        pairs = [*pairs, (s, y, torch.where(learnt, 1 / sy, 0))][-recipe.history :]
        scale = torch.where(learnt, sy / y.dot(y), scale)
        before = best
        best, best_losses, best_gradient = (
            torch.where(worse, old, new)
            for old, new in ((best, x), (best_losses, losses), (best_gradient, gradient))
        )
        yield best, best_losses
        onwards = _onwards(best, best_gradient, pairs, scale, recipe.learning_rate)
        x = torch.where(worse, before + SHORTEN * (x - before), onwards)
        del before, onwards, gradient  # the network needs the room


def _onwards(x: Tensor, gradient: Tensor, pairs: list, scale: Tensor, rate: float) -> Tensor:
    """Where a step from x leads, with what the pairs tell of curvature."""
    pressed = ((x <= 0) & (gradient > 0)) | ((x >= 1) & (gradient < 0))
    gradient = gradient.masked_fill(pressed, 0)
    first = FIRST_MOVE / gradient.abs().mean().clamp_min(torch.finfo(gradient.dtype).tiny)
    direction = _two_loops(gradient, pairs, torch.where(scale > 0, scale, first))
    return (x - rate * direction.masked_fill(pressed, 0)).clamp(0, 1)


def _two_loops(gradient: Tensor, pairs: list[tuple[Tensor, Tensor, Tensor]], scale: Tensor) -> Tensor:
    """The gradient times the inverse curvature told by pairs of (step, gradient's change, 1 / product).

    A pair whose last number is 0 tells nothing. scale: the inverse curvature of whatever no pair tells of.
    """
    q, shares = gradient.flatten(), []
    for s, y, inverse in reversed(pairs):
        shares.append(inverse * s.dot(q))
        q = torch.addcmul(q, y, -shares[-1])
    q = q * scale
    for (s, y, inverse), share in zip(pairs, reversed(shares), strict=True):
        q = torch.addcmul(q, s, share - inverse * y.dot(q))
    return q.view_as(gradient)


def _with_torch(losses_of, start, recipe, steps) -> Iterator[tuple[Tensor, Tensor]]:
    """torch's own optimisers, which know nothing of a range: Adam, and L-BFGS with another `bounds`.

    The published systems use these two; the recipes named after them run the projected one all the same,
    unless they say otherwise.
    """
    x = start.detach().clone().contiguous()
    if recipe.optimiser == "adam":
        optimiser: torch.optim.Optimizer = torch.optim.Adam([x], lr=recipe.learning_rate)
    else:
        # One iteration a call costs one evaluation and keeps the curvature history between calls.
        optimiser = torch.optim.LBFGS(
            [x],
            lr=recipe.learning_rate,
            max_iter=1,
            max_eval=1,
            history_size=recipe.history,
            tolerance_grad=0.0,
            tolerance_change=0.0,
        )
    drops = dict(recipe.learning_rate_drops)
    for index in range(1, steps + 1):
        if recipe.bounds in ("project", "clamp"):
            x.clamp_(0, 1)
        losses, x.grad = _evaluate(losses_of, x)
        yield x.clone(), losses
        for group in optimiser.param_groups:
            group["lr"] = drops.get(index, group["lr"])
        optimiser.step(_known(losses[-1]))


def _known(loss: Tensor) -> Callable[[], Any]:
    """What torch's optimisers call for the loss, which here is computed before."""
    return lambda: loss


def _evaluate(losses_of, x: Tensor) -> tuple[Tensor, Tensor]:
    variable = x.detach().requires_grad_()
    losses = losses_of(variable)
    # Autograd may hand back channels-last gradients, which torch's L-BFGS cannot flatten.
    return losses.detach(), torch.autograd.grad(losses[-1], variable)[0].contiguous()
