"""The exercises of notebook 10 on WCT: the covariance of the maps taken away, and a painting's laid on."""

from collections.abc import Callable, Iterator
from itertools import product

import numpy as np
import torch
from torch import Tensor

from stylelab.checks.comparing import Shortfall, alike, compare
from stylelab.checks.drawing import normal
from stylelab.checks.engine import checker
from stylelab.checks.exercise import Case, Exercise, Mistake

FLOOR = 1e-5  # of the largest variance
NEARLY = 1e-3
Matrix = Callable[[Tensor], Tensor]

TURNED = {
    "The last E is missing: Eᵀ turns to the axes of the covariance, and nothing turns back, so that no map "
    "is where it was. This is PCA.": lambda E, D: D @ E.T,
    "Eᵀ is missing on the right: the maps are not along the axes yet when they are multiplied by the power "
    "of D.": lambda E, D: E @ D,
    "E and Eᵀ are exchanged. The axes are the columns of E: Eᵀ x comes first, E last.": lambda E, D: (
        E.T @ D @ E
    ),
}


def _axes(maps: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Mean and centred rows of maps (1, C, H, W), and the variances and axes that are above the floor."""
    rows = maps[0].reshape(maps.shape[1], -1)
    mean = rows.mean(1, keepdims=True)
    variances, axes = np.linalg.eigh((rows - mean) @ (rows - mean).T / rows.shape[1])
    kept = variances > FLOOR * variances.max()
    return mean, rows - mean, variances[kept], axes[:, kept]


def _white(maps: np.ndarray) -> np.ndarray:
    _, centred, variances, axes = _axes(maps)
    return (axes / np.sqrt(variances) @ (axes.T @ centred)).reshape(maps.shape)


def _coloured(white: np.ndarray, style_maps: np.ndarray) -> np.ndarray:
    mean, _, variances, axes = _axes(style_maps)
    rows = white[0].reshape(white.shape[1], -1)
    return (axes * np.sqrt(variances) @ (axes.T @ rows) + mean).reshape(white.shape)


def _rows(maps: Tensor, centred: bool = True) -> Tensor:
    rows = maps.double().flatten(2)[0]
    return rows - rows.mean(1, keepdim=True) if centred else rows


def _covariance(rows: Tensor) -> Tensor:
    return rows @ rows.T / rows.shape[1]


def _eigen(matrix: Tensor, exponent: float, floor: float = FLOOR) -> tuple[Tensor, Tensor]:
    """The axes of a covariance, and the powers of its variances, 0 for those below the floor."""
    variances, axes = torch.linalg.eigh(matrix)
    powers = variances.clamp_min(torch.finfo(variances.dtype).tiny) ** exponent
    return axes, torch.where(variances > floor * variances[-1], powers, 0.0)


def _power(matrix: Tensor, exponent: float, floor: float = FLOOR) -> Tensor:
    axes, powers = _eigen(matrix, exponent, floor)
    return axes * powers @ axes.T


def _turned(covariance: Tensor, exponent: float) -> Iterator[tuple[str, Tensor]]:
    """What comes of E and D put together wrongly, for either order and sign of the axes.

    Of E D Eᵀ neither matters; of these products both do, and solvers differ in them.
    """
    axes, powers = _eigen(covariance, exponent)
    for flip, signs in product((False, True), product((1.0, -1.0), repeat=len(axes))):
        E, D = axes * torch.tensor(signs).to(axes), torch.diag(powers)
        E, D = (E.flip(1), D.flip(0, 1)) if flip else (E, D)
        for message, wrong in TURNED.items():
            yield message, wrong(E, D)


def _imitated(mistakes: tuple[Mistake, ...], inputs: tuple[Tensor, ...], yours: Tensor) -> str:
    """The mistake that gives these numbers for these inputs.

    Most first answers have no floor besides, and then agree with no imitation on every example.
    """
    for mistake in mistakes:
        try:
            same = alike(mistake.imitation(*inputs), yours, NEARLY)
        except RuntimeError:  # this one stops here
            same = False
        if same:
            return mistake.message
    return ""


def _whitened(
    matrix: Matrix = lambda rows: _power(_covariance(rows), -0.5),
    centred: bool = True,
    applied_to_centred: bool = True,
    back: bool = False,
    reshape: Callable[[Tensor, Tensor], Tensor] = lambda rows, maps: rows.view(maps.shape),
) -> Callable:
    """An imitation: the exercise's function, with one thing done otherwise."""

    def imitation(maps: Tensor) -> Tensor:
        made = matrix(_rows(maps, centred)) @ _rows(maps, applied_to_centred)
        made = made + _rows(maps, False).mean(1, keepdim=True) if back else made
        return reshape(made, maps).to(maps)

    return imitation


def _divided(by: Callable[[Tensor], float]) -> Matrix:
    return lambda rows: _power(rows @ rows.T / by(rows), -0.5)


def _each_by_itself(exponent: float) -> Matrix:
    return lambda rows: torch.diag(torch.diag(_power(torch.diag(torch.diag(_covariance(rows))), exponent)))


def _straight(rows: Tensor, maps: Tensor) -> Tensor:
    return rows.T.reshape(maps.shape)


WHITENED = (
    Mistake(
        "The mean is not subtracted, neither for the covariance nor from the maps: μ is taken for a "
        "direction that they vary in.",
        _whitened(centred=False, applied_to_centred=False),
    ),
    Mistake(
        "The covariance is right, but the matrix is applied to the maps with their mean still in them. "
        "Subtract it there too.",
        _whitened(applied_to_centred=False),
    ),
    Mistake(
        "The mean is not subtracted before the covariance is taken: a covariance is of what varies about it.",
        _whitened(centred=False),
    ),
    Mistake("The mean is added back at the end; white maps have mean 0.", _whitened(back=True)),
    Mistake(
        "To the power −1, variances v become 1 / v. It is spreads that are to become 1, so divide by the "
        "root of the variance: D^−½.",
        _whitened(lambda rows: _power(_covariance(rows), -1.0)),
    ),
    Mistake(
        "D^½ stretches what is large already. Divide by the root of the variance: D^−½.",
        _whitened(lambda rows: _power(_covariance(rows), 0.5)),
    ),
    Mistake(
        "Only the mean was subtracted: E Eᵀ is the identity. D^−½ belongs in between.",
        _whitened(lambda rows: _power(_covariance(rows), 0.0)),
    ),
    Mistake(
        "The covariance is divided by H·W − 1, as `torch.cov` does by itself. Here it is by the number of "
        "positions, H·W: `correction=0`.",
        _whitened(_divided(lambda rows: rows.shape[1] - 1)),
    ),
    Mistake(
        "The covariance is not divided by the number of positions: it is a sum, and grows with the picture.",
        _whitened(_divided(lambda rows: 1)),
    ),
    Mistake(
        "The covariance is divided by C·H·W, as a Gram matrix is. Here it is by the number of positions.",
        _whitened(_divided(lambda rows: rows.numel())),
    ),
    Mistake(
        "Each map was divided by its own deviation. That is the first half of AdaIN: the maps still rise and "
        "fall together. White maps have no covariance with one another.",
        _whitened(_each_by_itself(-0.5)),
    ),
    Mistake(
        "A small number was added to every variance. Directions without variance are to be left out, the "
        "others kept as they are: where maps are small, 1e-5 is no small number.",
        _whitened(lambda rows: _power(_covariance(rows) + 1e-5 * torch.eye(len(rows)), -0.5, 0.0)),
    ),
    Mistake(
        "Positions and maps are mixed up at the end: rows of positions, (H·W, C), must be transposed before "
        "they can be shaped like the maps.",
        _whitened(reshape=_straight),
    ),
)


def _white_told(maps: Tensor, yours) -> Shortfall | None:
    """What became of each direction of the maps says more than the numbers."""
    found = compare(_white(maps.double().numpy()), yours, 2 * NEARLY)
    if not found or not isinstance(yours, Tensor) or yours.shape != maps.shape:
        return found
    rows, mine = _rows(maps), yours.detach().double().flatten(2)[0]
    covariance = _covariance(rows)
    variances, axes = torch.linalg.eigh(covariance)
    kept = variances > FLOOR * variances[-1]
    if not mine.isfinite().all():
        if kept.all():
            return found
        return found._replace(
            sentence="There is a direction here in which nothing varies, and it was divided by the root of "
            "0. Leave out directions whose variance is below 1e-5 of the largest, before you divide."
        )
    if sentence := _imitated(WHITENED, (maps,), yours):
        return found._replace(sentence=sentence)
    for told, matrix in _turned(covariance, -0.5):
        if alike((matrix @ rows).view(maps.shape), yours, NEARLY):
            return found._replace(sentence=told)
    along = (axes.T @ mine).var(1, correction=0)
    for variance, became in zip(variances / variances[-1].clamp_min(1e-30), along, strict=True):
        if variance <= FLOOR and became > NEARLY:
            return found._replace(
                sentence=f"A direction with {max(variance.item(), 0):.0e} of the largest variance is "
                f"rounding, or nothing at all, and here it is blown up to a variance of {became:.2g}. Leave "
                "out what is below 1e-5 of the largest: to add a small number or to put one in its place is "
                "not enough."
            )
        if variance > FLOOR and became < NEARLY:
            return found._replace(
                sentence=f"A direction is left out that has {variance:.1g} of the largest variance. The "
                "floor is 1e-5 of the largest, not 1e-5 itself, and not more."
            )
    if kept.all() and alike(_covariance(mine - mine.mean(1, keepdim=True)), torch.eye(len(mine)), 1e-2):
        return found._replace(
            sentence="These maps are white, but turned: of all matrices that whiten, E D^−½ Eᵀ is the one "
            "that leaves every map nearest to where it was."
        )
    return found


def _hand_made() -> Tensor:
    """Variances 100 and 25, along (0.6, 0.8) and (−0.8, 0.6); means 3 and 1."""
    return torch.tensor([[[[5.0, -7.0, 13.0, 1.0]], [[12.0, -4.0, 6.0, -10.0]]]])


def _varying(*variances: float) -> Tensor:
    """Three maps of 2 × 4 places that vary by so much, along axes of no map."""
    signs = torch.tensor([[1, -1] * 4, [1, 1, -1, -1] * 2, [1] * 4 + [-1] * 4]).double()
    axes = torch.linalg.qr(normal(3, 3, seed=12).double()).Q
    made = axes * torch.tensor(variances).double().sqrt() @ signs + torch.tensor([[1.0], [-2.0], [0.5]])
    return made.float().view(1, 3, 2, 4)


def _two_equal() -> Tensor:
    maps = normal(1, 3, 2, 3, seed=13) + 1
    maps[:, 2] = maps[:, 0]
    return maps


whiten = checker(
    Exercise(
        name="whiten",
        signature="whiten(maps)",
        task="White maps: mean 0, and in all directions that the maps vary in variance 1, with no covariance "
        "between them: E D^−½ Eᵀ (x − μ), where Σ = E D Eᵀ is the covariance.\n\n"
        "maps: (1, C, H, W). Each position is a point, each map one of its C coordinates. Σ: (C, C), divided "
        "by the number of positions, H·W. Directions whose variance is below 1e-5 of the largest are left "
        "out: nothing of them is in the result, and where nothing varies it is 0. Returns (1, C, H, W), in "
        "float32 or float64.",
        cases=lambda: [
            Case((_hand_made(),), "two maps of four places"),
            Case((torch.tensor([0.5, -2.0]).view(1, 2, 1, 1).repeat(1, 1, 2, 4),), "two flat maps"),
            Case((_two_equal(),), "three maps, the first and the last equal"),
            Case((_varying(4.0, 1.0, 0.25),), "three maps", tolerance=NEARLY),
            Case((_varying(1.0, 0.25, 1e-6),), "three maps, in one direction only noise", tolerance=NEARLY),
            Case((_varying(1.0, 0.5, 0.02) / 100,), "three maps of small numbers", tolerance=NEARLY),
            Case((_varying(4.0, 1.0, 8e-4),), "three maps, in one direction faint", tolerance=1e-2),
            Case((2 * normal(1, 4, 5, 6, seed=14) - 1,), "four maps of thirty places"),
        ],
        judge=_white_told,
        mistakes=WHITENED,
        praise="Right: white, and no further from the maps than that takes.",
    )
)


def _in_colour(
    matrix: Callable[[Tensor, Tensor], Tensor] = lambda rows, white: _power(_covariance(rows), 0.5),
    centred: bool = True,
    combine: Callable[[Tensor, Tensor, Tensor], Tensor] = lambda root, white, mean: root @ white + mean,
    mean: Callable[[Tensor], Tensor] = lambda rows: rows.mean(1, keepdim=True),
    reshape: Callable[[Tensor, Tensor, Tensor], Tensor] = lambda rows, white, style: rows.view(white.shape),
) -> Callable:
    """An imitation: the exercise's function, with one thing done otherwise."""

    def imitation(white: Tensor, style_maps: Tensor) -> Tensor:
        rows = _rows(white, False)
        made = combine(matrix(_rows(style_maps, centred), rows), rows, mean(_rows(style_maps, False)))
        return reshape(made, white, style_maps).to(white)

    return imitation


def _style_divided(by: Callable[[Tensor, Tensor], float]) -> Callable:
    return lambda rows, white: _power(rows @ rows.T / by(rows, white), 0.5)


COLOURED = (
    Mistake(
        "The style's mean is not added: the maps have its covariance, about 0.",
        _in_colour(combine=lambda root, white, mean: root @ white),
    ),
    Mistake(
        "One mean of all the style's maps is added. Each map has its own.",
        _in_colour(mean=lambda rows: rows.mean()),
    ),
    Mistake(
        "The mean is added first, then all is multiplied: the mean is stretched too. Add it at the end.",
        _in_colour(combine=lambda root, white, mean: root @ (white + mean)),
    ),
    Mistake("The style's mean is subtracted; add it.", _in_colour(combine=lambda r, w, m: r @ w - m)),
    Mistake(
        "This is the covariance itself, D in place of D^½: variances come out squared. The matrix enters "
        "twice, so its root is needed.",
        _in_colour(lambda rows, white: _covariance(rows)),
    ),
    Mistake(
        "This whitens with the style's covariance, D^−½. To lay it on takes D^½.",
        _in_colour(lambda rows, white: _power(_covariance(rows), -0.5)),
    ),
    Mistake(
        "Each map was given its own deviation, and no more. That is the second half of AdaIN: how maps rise "
        "and fall together is lost.",
        _in_colour(lambda rows, white: _each_by_itself(0.5)(rows)),
    ),
    Mistake(
        "Only the style's mean is added: E Eᵀ is the identity. D^½ belongs in between.",
        _in_colour(lambda rows, white: torch.eye(len(rows)).to(rows)),
    ),
    Mistake(
        "The style's mean is not subtracted before its covariance is taken: a covariance is of what varies "
        "about it.",
        _in_colour(centred=False),
    ),
    Mistake(
        "The covariance is divided by h·w − 1, as `torch.cov` does by itself. Here it is by the number of "
        "the style's positions, h·w: `correction=0`.",
        _in_colour(_style_divided(lambda rows, white: rows.shape[1] - 1)),
    ),
    Mistake(
        "The covariance is not divided by the number of positions: it is a sum, and grows with the painting.",
        _in_colour(_style_divided(lambda rows, white: 1)),
    ),
    Mistake(
        "The covariance is divided by C·h·w, as a Gram matrix is. Here it is by the number of positions.",
        _in_colour(_style_divided(lambda rows, white: rows.numel())),
    ),
    Mistake(
        "The style's covariance is divided by the number of positions of the white maps. The painting has a "
        "size of its own.",
        _in_colour(_style_divided(lambda rows, white: white.shape[1])),
    ),
    Mistake(
        "The result is shaped like the style's maps. It has the white maps' height and width; the painting's "
        "are free.",
        _in_colour(reshape=lambda rows, white, style: rows.view(style.shape)),
    ),
    Mistake(
        "Positions and maps are mixed up at the end: rows of positions, (H·W, C), must be transposed before "
        "they can be shaped like the maps.",
        _in_colour(reshape=lambda rows, white, style: _straight(rows, white)),
    ),
    Mistake(
        "These are the style's maps themselves: nothing of the white maps is left in them.",
        lambda white, style_maps: style_maps.clone(),
    ),
)


def _colour_told(white: Tensor, style_maps: Tensor, yours) -> Shortfall | None:
    found = compare(_coloured(white.double().numpy(), style_maps.double().numpy()), yours, NEARLY)
    if not found or not isinstance(yours, Tensor):
        return found
    if not yours.isfinite().all():
        return found._replace(
            sentence="Some of the numbers are NaN or infinite: where a direction has no variance, rounding "
            "leaves one a little below 0, which has no root. Leave such directions out, or `clamp(min=0)` "
            "first."
        )
    sentence = _imitated(COLOURED, (white, style_maps), yours)
    if sentence or yours.shape != white.shape:
        return found._replace(sentence=sentence or found.sentence)
    rows, points = _rows(style_maps), _rows(white, False)
    covariance, mean = _covariance(rows), _rows(style_maps, False).mean(1, keepdim=True)
    for told, matrix in _turned(covariance, 0.5):
        if alike((matrix @ points + mean).view(white.shape), yours, NEARLY):
            return found._replace(sentence=told)
    mine = yours.detach().double().flatten(2)[0] - mean
    if alike(_covariance(mine), covariance, 1e-2):
        return found._replace(
            sentence="Mean and covariance are the style's, but the maps are turned: of all roots of the "
            "covariance, E D^½ Eᵀ is the symmetric one, which leaves every map nearest to where it was."
        )
    return found


def _drawn_white(channels: int, height: int, width: int, seed: int) -> Tensor:
    return torch.from_numpy(_white(normal(1, channels, height, width, seed=seed).double().numpy())).float()


def _patterns() -> Tensor:
    return torch.tensor([[[[1.0, -1.0, 1.0, -1.0]], [[1.0, 1.0, -1.0, -1.0]]]])


colour_in = checker(
    Exercise(
        name="colour_in",
        signature="colour_in(white, style_maps)",
        task="White maps with the mean and the covariance of a style's: E D^½ Eᵀ w + μ, where Σ = E D Eᵀ is "
        "the covariance of the style's maps and μ their mean.\n\n"
        "white: (1, C, H, W), of mean 0 and covariance 1. style_maps: (1, C, h, w), of another size. Each "
        "position is a point, each map one of its C coordinates. Σ: (C, C), divided by the number of the "
        "style's positions, h·w. Where the style has no variance, rounding may leave one below 0; it counts "
        "as 0. Returns (1, C, H, W), in float32 or float64.",
        cases=lambda: [
            Case((_patterns(), _hand_made().view(1, 2, 2, 2)), "two maps of four places, 1 × 4 and 2 × 2"),
            Case(
                (_drawn_white(2, 1, 5, 15), 2 * normal(1, 2, 2, 5, seed=16) + 1), "two maps, 5 and 10 places"
            ),
            Case(
                (_drawn_white(2, 2, 3, 17), torch.tensor([0.5, -2.0]).view(1, 2, 1, 1).repeat(1, 1, 2, 3)),
                "a style whose maps are flat",
            ),
            Case(
                (_drawn_white(3, 3, 4, 18), _varying(4.0, 1.0, 0.25)), "three maps, twelve places and eight"
            ),
            Case(
                (_drawn_white(6, 3, 4, 19), normal(1, 6, 1, 2, seed=20) + 1),
                "a style of two places: six maps, and one direction that they vary in",
            ),
        ],
        judge=_colour_told,
        mistakes=COLOURED,
        praise="Right: mean and covariance are the style's, whatever its size.",
    )
)
