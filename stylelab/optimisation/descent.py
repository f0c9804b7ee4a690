"""How an image is changed so that a loss falls: L-BFGS and Adam, one evaluation a step, within [0, 1]."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from stylelab.optimisation.recipes import Recipe

SHORTEN = 0.3  # what is left of a step that made things worse
FIRST_MOVE = 0.02  # how far the mean pixel goes while nothing is known of curvature; from noise that may last


def minimise(
    terms_of: Callable[[Tensor], Tensor], start: Tensor, recipe: Recipe, steps: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Minimises the last of the terms over the image, yielding (image, its terms) for each evaluation.

    terms_of: from an image to a tensor of terms, as `objective` makes it. start: (1, C, H, W), not changed.
    recipe: its optimiser, learning rate, history and bounds. The image yielded is the one evaluated, before
    the step from it; with bounds="project" it is the best so far, so the last one is the result.
    """
    if recipe.optimiser == "lbfgs" and recipe.bounds == "project":
        return _projected_lbfgs(terms_of, start, recipe, steps)
    return _with_torch(terms_of, start, recipe, steps)


def _projected_lbfgs(terms_of, start, recipe, steps) -> Iterator[tuple[Tensor, Tensor]]:
    """L-BFGS that knows the range: what it learns of curvature is what a step did after clamping, and pixels
    that press against 0 or 1 stay out of the next. A step that raises the loss is taken back and shortened.

    Source: Liu and Nocedal (1989) for the two loops, whose s, y and sᵀy are here moved, bent and agreement;
    Bertsekas (1982) for the projection.
    """
    pairs: list[tuple[Tensor, Tensor, Tensor]] = []
    best = x = start.detach().clamp(0, 1).contiguous()
    best_terms = best_gradient = None
    scale = x.new_zeros(())  # of the inverse curvature; 0 while nothing is known
    for _ in range(steps):
        terms, gradient = _evaluate(terms_of, x)
        if best_terms is None:
            best_terms, best_gradient = terms, gradient
        # Choices are made where the numbers are: a host that read one would wait for the device each step.
        worse = terms[-1] > best_terms[-1]
        moved = (x - best).flatten()
        bent = torch.where(worse | (moved == 0), 0, (gradient - best_gradient).flatten())
        agreement = moved.dot(bent)
        learnt = agreement > 1e-10 * moved.norm() * bent.norm()
        pairs = [*pairs, (moved, bent, torch.where(learnt, 1 / agreement, 0))][-recipe.history :]
        scale = torch.where(learnt, agreement / bent.dot(bent), scale)
        before = best
        best, best_terms, best_gradient = (
            torch.where(worse, old, new)
            for old, new in ((best, x), (best_terms, terms), (best_gradient, gradient))
        )
        yield best, best_terms
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
    for moved, bent, inverse in reversed(pairs):
        shares.append(inverse * moved.dot(q))
        q = torch.addcmul(q, bent, -shares[-1])
    q = q * scale
    for (moved, bent, inverse), share in zip(pairs, reversed(shares), strict=True):
        q = torch.addcmul(q, moved, share - inverse * bent.dot(q))
    return q.view_as(gradient)


def _with_torch(terms_of, start, recipe, steps) -> Iterator[tuple[Tensor, Tensor]]:
    """torch's own optimisers, which know nothing of a range: the published systems, and Adam."""
    x = start.detach().clone().contiguous()
    if recipe.optimiser == "adam":
        optimiser = torch.optim.Adam([x], lr=recipe.learning_rate)
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
        terms, x.grad = _evaluate(terms_of, x)
        yield x.clone(), terms
        for group in optimiser.param_groups:
            group["lr"] = drops.get(index, group["lr"])
        optimiser.step(lambda loss=terms[-1]: loss)


def _evaluate(terms_of, x: Tensor) -> tuple[Tensor, Tensor]:
    variable = x.detach().requires_grad_()
    terms = terms_of(variable)
    # Autograd may hand back channels-last gradients, which torch's L-BFGS cannot flatten.
    return terms.detach(), torch.autograd.grad(terms[-1], variable)[0].contiguous()
