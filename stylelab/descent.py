"""How an image is changed so that a loss falls: L-BFGS and Adam, one evaluation a step, within [0, 1]."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from stylelab.recipes import Recipe

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

    Source: Liu and Nocedal (1989) for the two loops; Bertsekas (1982) for the projection.
    """
    pairs: list[tuple[Tensor, Tensor, Tensor]] = []
    x, accepted = start.detach().clamp(0, 1).contiguous(), None
    for _ in range(steps):
        terms, gradient = _evaluate(terms_of, x)
        if accepted and terms[-1] > accepted[1][-1]:
            yield accepted[0], accepted[1]
            x = accepted[0] + SHORTEN * (x - accepted[0])
            continue
        yield x, terms
        if accepted:
            moved = (x - accepted[0]).flatten()
            bent = torch.where(moved == 0, 0, (gradient - accepted[2]).flatten())
            agreement = moved.dot(bent)
            if agreement > 1e-10 * moved.norm() * bent.norm():
                pairs = [*pairs, (moved, bent, 1 / agreement)][-recipe.history :]
        accepted = x, terms, gradient
        pressed = ((x <= 0) & (gradient > 0)) | ((x >= 1) & (gradient < 0))
        direction = torch.where(pressed, 0, _two_loops(gradient.masked_fill(pressed, 0), pairs))
        x = (x - recipe.learning_rate * direction).clamp(0, 1)


def _two_loops(gradient: Tensor, pairs: list[tuple[Tensor, Tensor, Tensor]]) -> Tensor:
    """The gradient times the inverse curvature told by pairs of (step, gradient's change, 1 / product)."""
    if not pairs:
        return gradient * (FIRST_MOVE / gradient.abs().mean().clamp_min(torch.finfo(gradient.dtype).tiny))
    q, shares = gradient.flatten(), []
    for moved, bent, inverse in reversed(pairs):
        shares.append(inverse * moved.dot(q))
        q = torch.addcmul(q, bent, -shares[-1])
    _, bent, inverse = pairs[-1]
    q = q / (inverse * bent.dot(bent))
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
