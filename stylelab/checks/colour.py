"""The exercises of notebook 04: brightness and chroma apart, and palettes moved."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from stylelab.checks.comparing import Shortfall
from stylelab.checks.drawing import normal, uniform
from stylelab.checks.engine import Case, Exercise, Mistake, checker


def _pixel(red: float, green: float, blue: float) -> Tensor:
    return torch.tensor([red, green, blue], dtype=torch.float32).view(1, 3, 1, 1)


def _to_yuv(image: np.ndarray) -> np.ndarray:
    yuv = np.zeros_like(image)
    for n, row, column in np.ndindex(len(image), *image.shape[2:]):
        red, green, blue = image[n, :, row, column]
        y = 0.299 * red + 0.587 * green + 0.114 * blue
        yuv[n, :, row, column] = y, 0.492 * (blue - y), 0.877 * (red - y)
    return yuv


LUMA = torch.tensor([0.299, 0.587, 0.114])
FACTORS = (0.492, 0.877)


def _yuv(image: Tensor, luma: Tensor = LUMA, factors: tuple[float, float] = FACTORS) -> Tensor:
    red, green, blue = image.unbind(1)
    y = luma[0] * red + luma[1] * green + luma[2] * blue
    return torch.stack([y, factors[0] * (blue - y), factors[1] * (red - y)], dim=1)


def _rgb(yuv: Tensor) -> Tensor:
    y, u, v = yuv.unbind(1)
    red, blue = y + v / 0.877, y + u / 0.492
    return torch.stack([red, (y - 0.299 * red - 0.114 * blue) / 0.587, blue], dim=1)


def _matrix() -> Tensor:
    red, _, blue = torch.eye(3)
    return torch.stack([LUMA, 0.492 * (blue - LUMA), 0.877 * (red - LUMA)])


rgb_to_yuv = checker(
    Exercise(
        name="rgb_to_yuv",
        signature="rgb_to_yuv(image)",
        task="Brightness and the two colour differences of every pixel (BT.601): Y = 0.299 R + 0.587 G + "
        "0.114 B, U = 0.492 (B − Y), V = 0.877 (R − Y).\n\n"
        "image: (N, 3, H, W) in [0, 1]. Returns (N, 3, H, W): Y in [0, 1], U in ±0.436, V in ±0.615.",
        cases=lambda: [
            Case((_pixel(0.5, 0.5, 0.5),), "one grey pixel, which has no chroma"),
            Case((_pixel(1, 0, 0),), "one red pixel"),
            Case((_pixel(0, 0, 1),), "one blue pixel"),
            Case((uniform(1, 3, 2, 4),), "a random picture, wider than high"),
            Case((uniform(2, 3, 4, 5),), "a batch of two"),
        ],
        reference=_to_yuv,
        mistakes=(
            Mistake(
                "The matrix is transposed: each row holds what one of Y, U and V takes of red, green and "
                "blue.",
                lambda x: torch.einsum("ji,njhw->nihw", _matrix(), x),
            ),
            Mistake(
                "Red and blue are exchanged: channel 0 is red.",
                lambda x: _yuv(x.flip(1)),
            ),
            Mistake(
                "U and V are exchanged: U is the blue difference, V the red one.",
                lambda x: _yuv(x)[:, [0, 2, 1]],
            ),
            Mistake(
                "U and V lack their factors, 0.492 and 0.877.",
                lambda x: _yuv(x, factors=(1, 1)),
            ),
            Mistake(
                "The factors of U and V are exchanged: 0.492 belongs to B − Y, 0.877 to R − Y.",
                lambda x: _yuv(x, factors=(0.877, 0.492)),
            ),
            Mistake(
                "U and V have the wrong sign: B − Y and R − Y.",
                lambda x: _yuv(x, factors=(-0.492, -0.877)),
            ),
            Mistake(
                "Y is the plain mean of the three. To the eye green is the brightest and blue the darkest: "
                "0.299, 0.587, 0.114.",
                lambda x: _yuv(x, torch.full((3,), 1 / 3)),
            ),
            Mistake(
                "These are the weights of BT.709, for high definition; here they are those of BT.601.",
                lambda x: _yuv(x, torch.tensor([0.2126, 0.7152, 0.0722])),
            ),
            Mistake(
                "U and V were moved by ½, as in a file of bytes. Here they are 0 for grey, and below 0 for "
                "every other colour.",
                lambda x: _yuv(x) + torch.tensor([0, 0.5, 0.5]).view(3, 1, 1),
            ),
            Mistake(
                "U and V were clipped to [0, 1]; they are below 0 for every other colour.",
                lambda x: _yuv(x).clamp(0, 1),
            ),
            Mistake(
                "These are the factors of YCbCr, 0.564 and 0.713; YUV has 0.492 and 0.877.",
                lambda x: _yuv(x, factors=(0.564, 0.713)),
            ),
            Mistake(
                "The channels come first: stack along dim=1, behind the batch.",
                lambda x: _yuv(x).transpose(0, 1),
            ),
            Mistake(
                "The channels come last: stack along dim=1.",
                lambda x: _yuv(x).permute(0, 2, 3, 1),
            ),
        ),
    )
)


def _to_rgb(yuv: np.ndarray) -> np.ndarray:
    matrix = np.stack([_to_yuv(unit.reshape(1, 3, 1, 1)).ravel() for unit in np.eye(3)], axis=1)
    return np.einsum("ij,njhw->nihw", np.linalg.inv(matrix), yuv)


def _kept(stylised: np.ndarray, content: np.ndarray) -> np.ndarray:
    times = content.shape[2] // stylised.shape[2]
    height, width = stylised.shape[2:]
    small = content.reshape(*content.shape[:2], height, times, width, times).mean((3, 5))
    chroma = _to_yuv(small)[:, 1:]
    return np.clip(_to_rgb(np.concatenate([_to_yuv(stylised)[:, :1], chroma], axis=1)), 0, 1)


def _ramp(height: int, width: int) -> Tensor:
    """Red grows to the right, blue downwards, slowly: every good way of resizing makes the same of it."""
    down, right = torch.linspace(0.2, 0.8, height), torch.linspace(0.2, 0.8, width)
    return torch.stack(
        [right.expand(height, width), torch.full((height, width), 0.5), down[:, None].expand(height, width)]
    )[None]


def _like(content: Tensor, stylised: Tensor) -> Tensor:
    size = tuple(stylised.shape[-2:])
    return torch.nn.functional.interpolate(
        content, size, mode="bilinear", antialias=True, align_corners=False
    )


def _mixed(y: Tensor, uv: Tensor) -> Tensor:
    return _rgb(torch.cat([y[:, :1], uv[:, 1:]], dim=1))


keep_luminance = checker(
    Exercise(
        name="keep_luminance",
        signature="keep_luminance(stylised, content)",
        task="The picture with the result's brightness and the photograph's colours.\n\n"
        "stylised: the result of a transfer, (N, 3, H, W) in [0, 1]. content: the photograph, (N, 3, H′, "
        "W′), of the same aspect ratio and perhaps larger. Returns RGB of the result's size, (N, 3, H, W), "
        "in [0, 1].",
        cases=lambda: [
            Case((_pixel(0.5, 0.5, 0.5), _pixel(0.6, 0.4, 0.4)), "a grey pixel of paint on a reddish one"),
            Case((_pixel(0.9, 0.9, 0.9), _pixel(1, 0, 0)), "light grey on red, which leaves [0, 1]"),
            Case((uniform(1, 3, 2, 4), uniform(1, 3, 2, 4, seed=1)), "random pictures of one size"),
            Case((_ramp(6, 8).flip(2), _ramp(12, 16)), "a photograph twice as large", tolerance=0.04),
            Case((uniform(2, 3, 3, 3), uniform(2, 3, 3, 3, seed=1)), "a batch of two"),
        ],
        reference=_kept,
        mistakes=(
            Mistake(
                "Brightness and colours are exchanged: Y comes from the result, U and V from the photograph.",
                lambda s, c: _mixed(_yuv(_like(c, s)), _yuv(s)).clamp(0, 1),
            ),
            Mistake(
                "The values are not clipped: not every brightness goes with every chroma. `clamp(0, 1)`, as "
                "the last step.",
                lambda s, c: _mixed(_yuv(s), _yuv(_like(c, s))),
            ),
            Mistake(
                "U and V were clipped to [0, 1], and they are below 0 for every other colour. Clip once, at "
                "the end, in RGB.",
                lambda s, c: _mixed(_yuv(s), _yuv(_like(c, s)).clamp(0, 1)).clamp(0, 1),
            ),
            Mistake(
                "This is still YUV: go back to RGB.",
                lambda s, c: torch.cat([_yuv(s)[:, :1], _yuv(_like(c, s))[:, 1:]], 1),
            ),
            Mistake(
                "This is still YUV, clipped: go back to RGB, then clip.",
                lambda s, c: torch.cat([_yuv(s)[:, :1], _yuv(_like(c, s))[:, 1:]], 1).clamp(0, 1),
            ),
            Mistake(
                "The photograph was cropped: U and V belong to other places. Resize it to the result's size.",
                lambda s, c: _mixed(_yuv(s), _yuv(c[..., : s.shape[2], : s.shape[3]])).clamp(0, 1),
            ),
            Mistake(
                "The photograph is not brought to the result's size; it may be larger.",
                lambda s, c: _mixed(_yuv(s), _yuv(c)).clamp(0, 1),
            ),
            Mistake(
                "The result was brought to the photograph's size; the other way round.",
                lambda s, c: _mixed(_yuv(_like(s, c)), _yuv(c)).clamp(0, 1),
            ),
            Mistake(
                "Only one of the two chroma channels is the photograph's. Take U and V.",
                lambda s, c: _rgb(torch.cat([_yuv(s)[:, :2], _yuv(_like(c, s))[:, 2:]], 1)).clamp(0, 1),
            ),
        ),
    )
)


def _moments(image: Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    pixels = image.detach().double().flatten(2)[0].numpy()
    return pixels, pixels.mean(1), np.cov(pixels, bias=True)


def _matched(style: Tensor, content: Tensor, yours) -> Shortfall | None:
    if not isinstance(yours, Tensor) or yours.shape != style.shape:
        kind = f"of shape {tuple(yours.shape)}" if isinstance(yours, Tensor) else f"a {type(yours).__name__}"
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
    """An imitation: x → A (x − μ) + μ′, with one thing done otherwise."""

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
        task="The painting with the photograph's mean colour and covariance: x → A (x − μ_style) + "
        "μ_content, one A for all pixels, with A Σ_style Aᵀ = Σ_content.\n\n"
        "style, content: (1, 3, H, W), their sizes free. Returns (1, 3, H, W) of the style's size, not "
        "clipped. Any A with that property will do, the symmetric one of Monge and Kantorovich or "
        "Cholesky's.",
        # Equally many pixels: whether covariances are divided by n or by n − 1 then makes no difference.
        cases=lambda: [
            Case((_tinted(2, 3, 1), _tinted(2, 3, 2)), "six pixels each"),
            Case((_tinted(4, 6, 1), _tinted(8, 3, 0)), "24 pixels each, another shape"),
        ],
        judge=_matched,
        mistakes=(
            Mistake(
                "Only the mean was moved. The covariance needs the matrix A.",
                _move(lambda s, c: torch.eye(3, dtype=s.dtype)),
            ),
            Mistake(
                "Red, green and blue were stretched each by itself. Each spread is right, and how the "
                "channels go together is not: A is a full 3 × 3 matrix.",
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
                "The style's mean is not subtracted before A is applied, so the palette ends up elsewhere.",
                _move(_symmetric, centred=False),
            ),
            Mistake(
                "The style's mean is not subtracted before A is applied, so the palette ends up elsewhere.",
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
                "A is turned round: L_content L_style⁻¹ takes the style's covariance away first, then gives "
                "the photograph's.",
                _move(lambda s, c: torch.linalg.cholesky(_cov(s)).inverse() @ torch.linalg.cholesky(_cov(c))),
            ),
            Mistake(
                "A is transposed.",
                _move(lambda s, c: _cholesky(s, c).T),
            ),
            Mistake(
                "A is Σ_content Σ_style⁻¹; roots of the covariances are needed, since A enters twice.",
                _move(lambda s, c: _cov(c) @ _cov(s).inverse()),
            ),
            *(
                Mistake(
                    "The photograph's root is there, but the style's own covariance was not taken away: "
                    "L_style⁻¹ is missing.",
                    _move(lambda s, c, less=less: torch.linalg.cholesky(c.cov(correction=less))),
                )
                for less in (0, 1)
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


def _survives(S: np.ndarray, exponent: float) -> np.ndarray:
    variances, axes = np.linalg.eigh(S)
    return sum(
        (v**exponent * np.outer(axis, axis) for v, axis in zip(variances, axes.T, strict=True) if v > 1e-5),
        np.zeros_like(S),
    )


def _masked(kept: Callable[[Tensor], Tensor], floor: float = 0.0) -> Callable[[Tensor, float], Tensor]:
    def power(S: Tensor, exponent: float) -> Tensor:
        variances, axes = torch.linalg.eigh(S)
        return (
            axes
            @ torch.diag(torch.where(kept(variances), variances.clamp_min(1e-30) ** exponent, floor))
            @ axes.T
        )

    return power


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
    ]


safe_power = checker(
    Exercise(
        name="safe_power",
        signature="safe_power(S, exponent)",
        task="A power of a covariance matrix that survives any picture: directions with less variance than "
        "a floor count as having none, and their power is 0.\n\n"
        "S: (3, 3), symmetric, float64. exponent: ½ or −½. The floor: any from 2e-6, what rounding to 8 "
        "bits leaves, to 1e-5. Returns (3, 3).",
        cases=_covariances,
        reference=_survives,
        mistakes=(
            Mistake(
                "Directions without variance are raised to the power all the same: 0 to the power −½ is "
                "infinite.",
                lambda S, e: _root(S, e),
            ),
            Mistake(
                "A small number was put in the place of no variance, or added to all, and its power −½ is "
                "huge. Directions without variance have to be left out.",
                lambda S, e: (
                    (p := torch.linalg.eigh(S)).eigenvectors
                    @ torch.diag(p.eigenvalues.clamp_min(1e-6) ** e)
                    @ p.eigenvectors.T
                ),
            ),
            Mistake(
                "Directions without variance get the power 1; they have to be left out, as 0.",
                _masked(lambda v: v > 1e-6, 1.0),
            ),
            Mistake(
                "NaN and infinite entries were replaced afterwards, in the finished matrix: the good "
                "directions go with them. Leave out directions before the power is taken.",
                lambda S, e: torch.nan_to_num(_root(S, e), 0, 0, 0),
            ),
            Mistake(
                "The power was taken of each entry of the matrix; it belongs to the variances along the "
                "axes.",
                lambda S, e: torch.where(S.abs() > 1e-6, S.abs() ** e, 0.0),
            ),
            Mistake(
                "The axes stand on one side only: axes · variances · axesᵀ.",
                lambda S, e: (
                    (p := torch.linalg.eigh(S)).eigenvectors
                    @ torch.diag(torch.where(p.eigenvalues > 1e-6, p.eigenvalues.clamp_min(1e-30) ** e, 0.0))
                ),
            ),
        ),
    )
)
