"""The exercises of notebook 04: brightness and chroma apart, and palettes moved."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from stylelab.checks.drawing import uniform
from stylelab.checks.engine import checker
from stylelab.checks.exercise import Case, Exercise, Mistake


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


def _tables() -> tuple[Tensor, Tensor]:
    """The matrix as reference works print it, with five digits and with three."""
    chroma = [-0.14713, -0.28886, 0.436], [0.615, -0.51499, -0.10001]
    return torch.tensor([LUMA.tolist(), *chroma]), torch.tensor([LUMA.tolist(), *chroma]).mul(
        1e3
    ).round() / 1e3


def _times(rows: str, matrix: Callable[[], Tensor]) -> Callable[[Tensor], Tensor]:
    return lambda image: torch.einsum(f"{rows},njhw->nihw", matrix(), image)


def _crossed(image: Tensor) -> Tensor:
    """Brightness as it should be, and U and V of the wrong one of red and blue."""
    red, _, blue = image.unbind(1)
    y = _yuv(image)[:, 0]
    return torch.stack([y, FACTORS[0] * (red - y), FACTORS[1] * (blue - y)], dim=1)


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
            *(
                Mistake(
                    "The matrix is transposed: each row holds what one of Y, U and V takes of red, green "
                    "and blue.",
                    _times("ji", matrix),
                )
                for matrix in (_matrix, lambda: _tables()[0], lambda: _tables()[1])
            ),
            *(
                Mistake(
                    "Nearly: these are the entries of a rounded table. Compute U and V from Y, with 0.492 "
                    "and 0.877.",
                    _times("ij", table),
                )
                for table in (lambda: _tables()[0], lambda: _tables()[1])
            ),
            Mistake(
                "In Y the weights are in reverse: 0.299 is red's and 0.114 blue's.",
                lambda x: _yuv(x, LUMA.flip(0)),
            ),
            Mistake(
                "Red and blue are exchanged in the differences: U is of B − Y, V of R − Y.",
                _crossed,
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
                "U and V were clipped to [0, 1]; they are below 0 for half of all colours.",
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
                "U and V were clipped to [0, 1], and they are below 0 for half of all colours. Clip once, at "
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
