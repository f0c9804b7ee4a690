"""The exercises of notebook 04 on palettes: moved by a matrix, matched by rank, and a power that survives."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from stylelab.checks.comparing import Shortfall, compare, named
from stylelab.checks.drawing import normal, uniform
from stylelab.checks.engine import checker
from stylelab.checks.exercise import Case, Exercise, Mistake


def _moments(image: Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    pixels = image.detach().double().flatten(2)[0].numpy()
    return pixels, pixels.mean(1), np.cov(pixels, bias=True)


def _matched(style: Tensor, content: Tensor, yours) -> Shortfall | None:
    if not isinstance(yours, Tensor) or yours.shape != style.shape:
        kind = f"of shape {tuple(yours.shape)}" if isinstance(yours, Tensor) else f"{named(yours)}"
        return Shortfall(f"Expected a picture of the style's shape, {tuple(style.shape)}; yours is {kind}.")
    if not yours.isfinite().all():
        return Shortfall("Some of the numbers are NaN or infinite.", None, yours)
    (before, _, _), (_, mean, covariance), (pixels, found, spread) = map(_moments, (style, content, yours))
    if np.abs(found - mean).max() > 1e-3:
        return Shortfall("The mean of red, green and blue is not the photograph's.", mean, found, "mean")
    if np.abs(spread - covariance).max() > 1e-3 * np.abs(covariance).max():
        return Shortfall(
            "The covariance of the colours is not the photograph's.", covariance, spread, "covariance"
        )
    rows = np.vstack([before, np.ones(before.shape[1])]).T
    straight = rows @ np.linalg.lstsq(rows, pixels.T, rcond=None)[0]
    if np.abs(straight - pixels.T).max() > 1e-3:
        return Shortfall(
            "Colours that were on a line are no longer on one: every pixel takes the same matrix and shift."
        )
    return None


def _cov(x: Tensor, centred: bool = True) -> Tensor:
    x = x - x.mean(1, keepdim=True) if centred else x
    return x @ x.T / x.shape[1]


def _root(matrix: Tensor, exponent: float = 0.5) -> Tensor:
    variances, axes = torch.linalg.eigh(matrix)
    return axes @ torch.diag(variances**exponent) @ axes.T


def _move(
    matrix: Callable[[Tensor, Tensor], Tensor],
    centred: bool = True,
    shift: bool = True,
    swapped: bool = False,
    clip: bool = False,
) -> Callable[[Tensor, Tensor], Tensor]:
    """An imitation: x → Φ (x − μ) + μ′, with one thing done otherwise."""

    def move(style: Tensor, content: Tensor) -> Tensor:
        if swapped:
            style, content = content, style
        s, c = style.flatten(2)[0].double(), content.flatten(2)[0].double()
        moved = matrix(s, c) @ (s - s.mean(1, keepdim=True) if centred else s)
        moved = moved + c.mean(1, keepdim=True) if shift else moved
        return (moved.clamp(0, 1) if clip else moved).float().view(style.shape)

    return move


def _symmetric(s: Tensor, c: Tensor) -> Tensor:
    root, inverse = _root(_cov(s)), _root(_cov(s), -0.5)
    return inverse @ _root(root @ _cov(c) @ root) @ inverse


def _cholesky(s: Tensor, c: Tensor) -> Tensor:
    return torch.linalg.cholesky(_cov(c)) @ torch.linalg.cholesky(_cov(s)).inverse()


def _spreads(s: Tensor, c: Tensor) -> Tensor:
    return torch.diag(c.std(1) / s.std(1))


def _tinted(height: int, width: int, seed: int) -> Tensor:
    """A picture whose channels rise and fall together, more or less."""
    mix = torch.tensor([[0.2, 0.0, 0.0], [0.15, 0.08, 0.0], [0.1, -0.05, 0.06]]).roll(seed, dims=0)
    colours = mix @ normal(3, height * width, seed=seed) + torch.tensor([0.5, 0.4, 0.3]).roll(seed)[:, None]
    return colours.clamp(-1, 2).view(1, 3, height, width)


linear_match = checker(
    Exercise(
        name="linear_match",
        signature="linear_match(style, content)",
        task="The painting with the photograph's mean colour and covariance: c → Φ (c − μ_a) + μ_p, one "
        "Φ for all pixels, with Φ Σ_a Φᵀ = Σ_p.\n\n"
        "style: the painting a, content: the photograph p, both (1, 3, H, W), their sizes free. "
        "Returns (1, 3, H, W) of the style's size, not clipped. Any Φ with that property will do, the "
        "symmetric one of Monge and Kantorovich or "
        "Cholesky's.",
        # Equally many pixels: whether covariances are divided by n or by n − 1 then makes no difference.
        cases=lambda: [
            Case((_tinted(2, 3, 1), _tinted(2, 3, 2)), "six pixels each"),
            Case((_tinted(4, 6, 1), _tinted(8, 3, 0)), "24 pixels each, another shape"),
        ],
        judge=_matched,
        mistakes=(
            Mistake(
                "Only the mean was moved. The covariance needs the matrix Φ.",
                _move(lambda s, c: torch.eye(3, dtype=s.dtype)),
            ),
            Mistake(
                "Red, green and blue were stretched each by itself. Each spread is right, and how the "
                "channels go together is not: Φ is a full 3 × 3 matrix.",
                _move(_spreads),
            ),
            Mistake(
                "The mean of the photograph is not added at the end.",
                _move(_symmetric, shift=False),
            ),
            Mistake(
                "The mean of the photograph is not added at the end.",
                _move(_cholesky, shift=False),
            ),
            Mistake(
                "The style's mean is not subtracted before Φ is applied, so the palette ends up elsewhere.",
                _move(_symmetric, centred=False),
            ),
            Mistake(
                "The style's mean is not subtracted before Φ is applied, so the palette ends up elsewhere.",
                _move(_cholesky, centred=False),
            ),
            Mistake(
                "The roles are exchanged: this is the photograph in the painting's colours.",
                _move(_symmetric, swapped=True),
            ),
            Mistake(
                "The roles are exchanged: this is the photograph in the painting's colours.",
                _move(_cholesky, swapped=True),
            ),
            Mistake(
                "Φ is turned round: Γ_p Γ_a⁻¹ takes the covariance of the painting (a) away first, then "
                "gives that of the photograph (p).",
                _move(lambda s, c: torch.linalg.cholesky(_cov(s)).inverse() @ torch.linalg.cholesky(_cov(c))),
            ),
            Mistake(
                "Φ is transposed.",
                _move(lambda s, c: _cholesky(s, c).T),
            ),
            Mistake(
                "Φ is Σ_p Σ_a⁻¹ (p: the photograph, a: the painting); roots of the covariances are needed, "
                "since Φ enters twice.",
                _move(lambda s, c: _cov(c) @ _cov(s).inverse()),
            ),
            *(
                Mistake(
                    "The photograph's root is there, but the style's own covariance was not taken away: "
                    "Γ_a⁻¹ (a: the painting) is missing.",
                    imitation,
                )
                for imitation in (
                    _move(lambda s, c: torch.linalg.cholesky(c.cov(correction=0))),
                    _move(lambda s, c: torch.linalg.cholesky(c.cov(correction=1))),
                )
            ),
            Mistake(
                "The means were not subtracted before the covariances were taken: a covariance is of what "
                "varies about the mean.",
                _move(
                    lambda s, c: (
                        torch.linalg.cholesky(_cov(c, False))
                        @ torch.linalg.cholesky(_cov(s, False)).inverse()
                    )
                ),
            ),
            Mistake(
                "The values were clipped to [0, 1]; leave that to whoever saves the picture, so that it can "
                "be counted.",
                _move(_symmetric, clip=True),
            ),
            Mistake(
                "The values were clipped to [0, 1]; leave that to whoever saves the picture, so that it can "
                "be counted.",
                _move(_cholesky, clip=True),
            ),
        ),
        praise="Right: mean and covariance are the photograph's, and every pixel was moved alike.",
    )
)


def _ranked(style: np.ndarray, content: np.ndarray) -> np.ndarray:
    found = np.zeros_like(style)
    for channel in range(3):
        order = np.argsort(style[0, channel].ravel())
        found[0, channel].ravel()[order] = np.sort(content[0, channel].ravel())
    return found


def _ranks(values: Tensor, target: Tensor) -> Tensor:
    return target.flatten().sort().values[values.flatten().argsort().argsort()].view(values.shape)


def _channels(style: Tensor, content: Tensor, match: Callable[[Tensor, Tensor], Tensor] = _ranks) -> Tensor:
    return torch.stack([match(s, c) for s, c in zip(style[0], content[0], strict=True)])[None]


match_each_channel = checker(
    Exercise(
        name="match_each_channel",
        signature="match_each_channel(style, content)",
        task="The painting with the photograph's distribution of red, of green and of blue: each value is "
        "replaced by the photograph's value of the same rank.\n\n"
        "style, content: (1, 3, H, W), here with equally many pixels, no two alike. Returns the style's "
        "shape.",
        cases=lambda: [
            Case((uniform(1, 3, 1, 2), uniform(1, 3, 1, 2, seed=1)), "two pixels each"),
            Case((uniform(1, 3, 2, 3), uniform(1, 3, 3, 2, seed=1) ** 2), "six pixels, of another shape"),
            Case((uniform(1, 3, 6, 8), uniform(1, 3, 8, 6, seed=1) ** 3), "48 pixels"),
        ],
        reference=_ranked,
        mistakes=(
            Mistake(
                "All three channels were ranked together; each has a distribution of its own.",
                lambda s, c: _ranks(s, c),
            ),
            Mistake(
                "The roles are exchanged: this is the photograph with the painting's distributions.",
                lambda s, c: _channels(c, s),
            ),
            Mistake(
                "The roles are exchanged within the ranks: the order is to be the painting's, the values "
                "the photograph's.",
                lambda s, c: _channels(c, s).view(s.shape),
            ),
            Mistake(
                "The values are sorted, and stand in that order: each must go back to where its rank was. "
                "Sort, then index with the ranks.",
                lambda s, c: c.flatten(2).sort(2).values.view(s.shape),
            ),
            Mistake(
                "`argsort` once says which value comes first; the rank of each value takes `argsort` of "
                "that again.",
                lambda s, c: _channels(
                    s, c, lambda v, t: t.flatten().sort().values[v.flatten().argsort()].view(v.shape)
                ),
            ),
            Mistake(
                "The order is turned round: a brighter pixel gets a darker value.",
                lambda s, c: _channels(s, c, lambda v, t: _ranks(-v, t)),
            ),
            Mistake(
                "Only mean and spread of each channel were matched, not its whole distribution.",
                lambda s, c: _channels(s, c, lambda v, t: (v - v.mean()) / v.std() * t.std() + t.mean()),
            ),
            Mistake(
                "Red was matched for all three channels.",
                lambda s, c: _channels(s, c[:, :1].expand(-1, 3, -1, -1)),
            ),
        ),
        praise="Right: each channel has the photograph's distribution, in the painting's order.",
    )
)


FLOOR = 1e-5  # of variance: eight times what rounding to 8 bits leaves


def _survives(S: np.ndarray, exponent: float) -> np.ndarray:
    variances, axes = np.linalg.eigh(S)
    return sum(
        (v**exponent * np.outer(axis, axis) for v, axis in zip(variances, axes.T, strict=True) if v > FLOOR),
        np.zeros_like(S),
    )


def _power_told(S: Tensor, exponent: float, yours) -> Shortfall | None:
    """What became of each direction of S says more than the entries of its power."""
    found = compare(_survives(S.numpy(), exponent), yours, 1e-4, S)
    if not found or not isinstance(yours, Tensor) or yours.shape != S.shape or not yours.isfinite().all():
        return found
    variances, axes = (part.numpy() for part in torch.linalg.eigh(S))
    along = np.diag(axes.T @ yours.detach().numpy() @ axes)
    for variance, power in zip(variances, along, strict=True):
        if variance <= FLOOR and abs(power) > 1e-2:
            noise = variance > 1e-9 and abs(power / variance**exponent - 1) < 1e-3
            return found._replace(
                sentence="The floor is too low: to the power −½, what rounding left becomes the largest "
                f"number of all. It left {variances[0]:.2g} and {variances[1]:.2g} here, so take "
                "several times 1.3e-6, such as 1e-5."
                if noise
                else f"A direction without variance has the power {power:.2g}, and should have 0. Leave it "
                "out: to add a small number, to put one in its place or to replace what is "
                "infinite is not enough."
            )
        if variance > FLOOR and abs(power) < 1e-3 * variance**exponent:
            return found._replace(
                sentence=f"The floor is too high: a direction of variance {variance:.2g}, a spread of "
                f"{variance**0.5 * 255:.1f} of 255 levels, is a colour, if a faint one."
            )
    if (along > 0).all():
        added = along ** (1 / exponent) - variances
        if added.min() > 0 and added.max() < 1.1 * added.min():
            return found._replace(
                sentence=f"A small number was added to every variance, here {added.mean():.1g}: leave "
                "directions out instead, and the others as they are."
            )
    return found


def _masked(kept: Callable[[Tensor], Tensor], floor: float = 0.0) -> Callable[[Tensor, float], Tensor]:
    def power(S: Tensor, exponent: float) -> Tensor:
        variances, axes = torch.linalg.eigh(S)
        return (
            axes
            @ torch.diag(torch.where(kept(variances), variances.clamp_min(1e-30) ** exponent, floor))
            @ axes.T
        )

    return power


def _one_tint() -> Tensor:
    """The covariance of a picture of one tint, from dark to light, as it comes out of a file of bytes."""
    tint = torch.tensor([[0.9], [0.6], [0.3]], dtype=torch.float64)
    return ((tint * torch.linspace(0.1, 1, 6000, dtype=torch.float64) * 255).round() / 255).cov()


def _faint() -> Tensor:
    """Three directions, one of them with the spread of one and a half steps of 255."""
    axes = torch.linalg.qr(normal(3, 3).double()).Q
    return axes @ torch.diag(torch.tensor([0.05, 0.002, 3.5e-5], dtype=torch.float64)) @ axes.T


def _covariances() -> list[Case]:
    line = torch.full((3, 3), 0.02, dtype=torch.float64)
    full = uniform(3, 50).double().cov()
    return [
        Case(
            (torch.diag(torch.tensor([0.04, 0.01, 0.09], dtype=torch.float64)), 0.5),
            "three variances, to the power ½",
        ),
        Case((torch.zeros(3, 3, dtype=torch.float64), -0.5), "one colour, which has no variance"),
        Case((line, -0.5), "a grey picture: all its variance is along (1, 1, 1)"),
        Case((line, 0.5), "a grey picture, to the power ½"),
        Case((full, -0.5), "a picture with variance everywhere"),
        Case((_one_tint(), -0.5), "a picture of one tint, rounded to 8 bits"),
        Case((_faint(), -0.5), "a picture with one faint colour"),
    ]


safe_power = checker(
    Exercise(
        name="safe_power",
        signature="safe_power(S, exponent)",
        task="A power of a covariance matrix that survives any picture: directions with less variance than "
        "a floor count as having none, and their power is 0.\n\n"
        "S: (3, 3), symmetric, float64. exponent: ½ or −½. The floor: several times 1.3e-6, which "
        "rounding to 8 bits leaves, such as 1e-5. Returns (3, 3).",
        cases=_covariances,
        judge=_power_told,
        mistakes=(
            Mistake(
                "Directions without variance are raised to the power all the same: 0 to the power −½ is "
                "infinite.",
                lambda S, e: _root(S, e),
            ),
            Mistake(
                "Directions without variance get the power 1; they have to be left out, as 0.",
                _masked(lambda v: v > FLOOR, 1.0),
            ),
            Mistake(
                "NaN and infinite entries were replaced afterwards, in the finished matrix: the good "
                "directions go with them. Leave out directions before the power is taken.",
                lambda S, e: torch.nan_to_num(_root(S, e), 0, 0, 0),
            ),
            Mistake(
                "The power was taken of each entry of the matrix; it belongs to the variances along the "
                "axes.",
                lambda S, e: torch.where(S.abs() > FLOOR, S.abs() ** e, 0.0),
            ),
            Mistake(
                "The axes stand on one side only: axes · variances · axesᵀ.",
                lambda S, e: (
                    (p := torch.linalg.eigh(S)).eigenvectors
                    @ torch.diag(torch.where(p.eigenvalues > FLOOR, p.eigenvalues.clamp_min(1e-30) ** e, 0.0))
                ),
            ),
        ),
    )
)
