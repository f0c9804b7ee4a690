"""Colour: RGB ↔ YUV, and four ways to give a painting's strokes the photograph's colours."""

from math import pi

import numpy as np
import torch
from torch import Tensor

from stylelab.errors import ImageError, RecipeError, unknown
from stylelab.pictures.loading import resize, same_aspect

COLOUR_METHODS = ("luminance", "chroma-swap", "linear", "histogram")
TRANSFORMS = ("monge-kantorovich", "cholesky")

# The variance that rounding to 8 bits leaves in a channel; a direction of colour space with less than
# this holds no colour, and stretching it would only make the rounding visible.
ROUNDING = (1 / 255) ** 2 / 12


def rgb_to_yuv(image: Tensor) -> Tensor:
    """Luminance Y and the two colour differences U and V of every pixel (BT.601).

    image: (N, 3, H, W), or one grey channel, which has U = V = 0.
    Returns (N, 3, H, W): for colours in [0, 1], Y in [0, 1], U in ±0.436, V in ±0.615.
    Raises ImageError for anything that is not an image.
    """
    red, green, blue = _as_rgb(image).unbind(1)
    y = 0.299 * red + 0.587 * green + 0.114 * blue
    return torch.stack([y, 0.492 * (blue - y), 0.877 * (red - y)], dim=1)


def yuv_to_rgb(yuv: Tensor) -> Tensor:
    """The inverse of rgb_to_yuv, unclipped: not every (Y, U, V) is a colour a screen can show.

    yuv: (N, 3, H, W). Returns (N, 3, H, W). Raises ImageError for another shape.
    """
    y, u, v = _as_rgb(yuv, channels=(3,)).unbind(1)
    red, blue = y + v / 0.877, y + u / 0.492
    green = (y - 0.299 * red - 0.114 * blue) / 0.587
    return torch.stack([red, green, blue], dim=1)


def match_colours(
    style: Tensor, content: Tensor, method: str, clip: bool = True, transform: str = "monge-kantorovich"
) -> Tensor:
    """The painting in the photograph's colours, to be used as the style of a transfer.

    style, content: (N, 3 or 1, H, W) in [0, 1], sizes free; the one with N = 1 serves all of the other.
    method: "chroma-swap" takes U and V from the content pixel by pixel (the style is resized to the
    content's shape, and the content's edges come along); "linear" moves the mean and covariance of the
    style's colours to the content's; "histogram" does that, then matches the whole distribution along
    each principal axis of the content's colours, where the channels are uncorrelated.
    transform: the matrix of "linear". "monge-kantorovich" is the symmetric one, which moves the colours
    as little as possible; "cholesky" depends on the order of the channels.
    clip: False keeps values outside [0, 1]; clipped_share counts them.
    Returns (N, 3, H, W), of the content's size for "chroma-swap" and the style's otherwise. A spread
    below that of 8-bit rounding counts as none, so a grey or one-colour image of any size is welcome.
    Raises RecipeError for an unknown method or transform, ImageError for images that do not go together.
    Source: Gatys, Bethge, Hertzmann and Shechtman (2016), "Preserving color in neural artistic style
    transfer"; the symmetric matrix is Pitié and Kokaram (2007).
    """
    if method not in COLOUR_METHODS:
        raise RecipeError(unknown("colour method", method, COLOUR_METHODS, "stylelab.colour.COLOUR_METHODS"))
    if method == "luminance":
        raise RecipeError(
            '"luminance" takes the colours from the photograph after the transfer: call match_luminance '
            "before it and keep_colours after it"
        )
    if transform not in TRANSFORMS:
        raise RecipeError(unknown("transform", transform, TRANSFORMS, "stylelab.colour.TRANSFORMS"))
    style, content = _pair(_as_rgb(style), _as_rgb(content))
    if method == "chroma-swap":
        return _clip(_swap_chroma(resize(style, tuple(content.shape[-2:])), content), clip)
    if method == "linear":
        return _clip(_each(lambda s, c: _move_statistics(s, c, transform), style, content), clip)
    return _clip(_each(_match_distribution, style, content), clip)


def match_luminance(style: Tensor, content: Tensor, clip: bool = True) -> Tensor:
    """The luminance of the painting with the photograph's mean and spread: the style of a grey transfer.

    style, content: as for match_colours. Returns (N, 1, H, W) of the style's size; constant where the
    style's luminance is. Raises ImageError for images that do not go together.
    Source: Gatys et al. (2016), "Luminance-only transfer".
    """
    style, content = _pair(rgb_to_yuv(style)[:, :1], rgb_to_yuv(content)[:, :1])
    return _clip(_each(_move_statistics, style, content), clip)


def keep_colours(stylised: Tensor, content: Tensor, method: str = "luminance", clip: bool = True) -> Tensor:
    """The result of a transfer in the photograph's colours: Y of the one, U and V of the other.

    stylised, content: (N, 3 or 1, H, W) in [0, 1] and of one aspect ratio; the content is resized to
    the result. method: "luminance", the only one that works after a transfer.
    clip: False keeps values outside [0, 1]. Returns (N, 3, H, W), of the result's size.
    Raises RecipeError for another method, ImageError for images that do not go together.
    Source: Gatys et al. (2016), "Luminance-only transfer".
    """
    if method != "luminance":
        raise RecipeError(
            f'keep_colours knows only "luminance", got "{method}"; chroma-swap, linear and histogram '
            "change the painting before the transfer: use match_colours"
        )
    stylised, content = _pair(_as_rgb(stylised), _as_rgb(content))
    (height, width), (tall, wide) = stylised.shape[-2:], content.shape[-2:]
    if not same_aspect((height, width), (tall, wide)):
        raise ImageError(
            f"the result is {width}×{height} and the photograph {wide}×{tall}: their pixels do not "
            "correspond; give the photograph that the transfer started from"
        )
    return _clip(_swap_chroma(stylised, resize(content, (height, width))), clip)


def before_transfer(style: Tensor, content: Tensor, method: str | None) -> tuple[Tensor, Tensor]:
    """The (style, content) that a transfer with Recipe.colours = method works on.

    style, content: as for match_colours. method: None changes nothing; "luminance" makes both grey,
    (N, 1, H, W); the others recolour the style. Raises as match_colours does.
    """
    if method is None:
        return style, content
    if method == "luminance":
        return match_luminance(style, content), rgb_to_yuv(content)[:, :1].clamp(0, 1)
    return match_colours(style, content, method), content


def after_transfer(result: Tensor, content: Tensor, method: str | None) -> Tensor:
    """The picture to show for the image that was optimised: its colours restored where method asks for it.

    result, content: as for keep_colours, the content in its own colours. method: None or one of
    COLOUR_METHODS; all but "luminance" return the result as it is.
    """
    return keep_colours(result, content) if method == "luminance" else result


def clipped_share(image: Tensor) -> float:
    """The share of pixels, 0 to 1, with a channel outside [0, 1] by more than float32 rounding (1e-5).

    image: (N, 3 or 1, H, W), as returned with clip=False. Raises ImageError for anything else.
    """
    image = _as_rgb(image)
    return ((image < -1e-5) | (image > 1 + 1e-5)).any(dim=1).float().mean().item()


def chroma_distance(a: Tensor, b: Tensor, directions: int = 32) -> float:
    """How far apart the colours of two images are: sliced Wasserstein-1 distance of their (U, V) clouds.

    a, b: (1, 3 or 1, H, W), sizes free. directions: lines through the (U, V) plane, evenly turned, on
    which the clouds are projected; on each the distance is exact, for any two numbers of pixels.
    Returns units of chroma: 0 for the same colours in any order, 2/π of the shift for shifted ones.
    Raises ImageError for a batch. Source: Rabin, Peyré, Delon and Bernot (2011).
    """
    if len(a) != 1 or len(b) != 1:
        raise ImageError(f"chroma_distance compares two images, got batches of {len(a)} and {len(b)}")
    a, b = (_pixels(rgb_to_yuv(image)[0])[1:] for image in (a, b))
    n, m = a.shape[1], b.shape[1]
    jumps = np.union1d(np.arange(n + 1) * m, np.arange(m + 1) * n)  # of either quantile function, in 1 / nm
    in_a, in_b, widths = jumps[:-1] // m, jumps[:-1] // n, np.diff(jumps) / (n * m)
    total = 0.0
    for angle in np.arange(directions) * pi / directions:
        line = np.array([np.cos(angle), np.sin(angle)])
        total += np.abs(np.sort(line @ a)[in_a] - np.sort(line @ b)[in_b]) @ widths
    return float(total / directions)


def _as_rgb(image: Tensor, channels: tuple[int, ...] = (1, 3)) -> Tensor:
    if image.ndim != 4 or image.shape[1] not in channels or image.numel() == 0:
        wanted = " or ".join(map(str, channels))
        raise ImageError(
            f"expected an image of shape (N, {wanted}, H, W), got {tuple(image.shape)}; load_image makes one"
        )
    if not image.is_floating_point():
        raise ImageError(f"expected floats in [0, 1], got {image.dtype}; divide 8-bit values by 255")
    return image.expand(-1, 3, -1, -1)


def _pair(image: Tensor, content: Tensor) -> tuple[Tensor, Tensor]:
    count = max(len(image), len(content))
    if not {len(image), len(content)} <= {1, count}:
        raise ImageError(
            f"got batches of {len(image)} and {len(content)} images; give as many of both, or one of either"
        )
    return image.expand(count, -1, -1, -1), content.to(image).expand(count, -1, -1, -1)


def _swap_chroma(image: Tensor, content: Tensor) -> Tensor:
    return yuv_to_rgb(torch.cat([rgb_to_yuv(image)[:, :1], rgb_to_yuv(content)[:, 1:]], dim=1))


def _clip(image: Tensor, clip: bool) -> Tensor:
    return image.clamp(0, 1) if clip else image


def _pixels(image: Tensor) -> np.ndarray:
    """The (C, H·W) values of one image in float64: in float32 a near-grey covariance is mostly rounding."""
    pixels = image.detach().cpu().double().flatten(1).numpy()
    if not np.isfinite(pixels).all():
        raise ImageError("the image holds NaN or infinite values: no colour can be matched to them")
    return pixels


def _each(recolour, style: Tensor, content: Tensor) -> Tensor:
    recoloured = [recolour(_pixels(s), _pixels(c)) for s, c in zip(style, content, strict=True)]
    return torch.from_numpy(np.stack(recoloured)).to(style.dtype).to(style.device).view(style.shape)


def _covariance(pixels: np.ndarray) -> np.ndarray:
    return np.atleast_2d(np.cov(pixels, bias=True))


def _power(matrix: np.ndarray, exponent: float, floor: float = 0.0) -> np.ndarray:
    """A power of a covariance matrix on the directions with more variance than `floor`; 0 on the others."""
    variances, axes = np.linalg.eigh(matrix)
    kept = variances > max(floor, 1e-13 * variances[-1])
    return (axes[:, kept] * variances[kept] ** exponent) @ axes[:, kept].T


def _move_statistics(style: np.ndarray, content: np.ndarray, transform: str = TRANSFORMS[0]) -> np.ndarray:
    """(C, P) colours of the style, moved by x → A (x − μ_style) + μ_content with A Σ_style Aᵀ = Σ_content."""
    has, wants = _covariance(style), _covariance(content)
    if transform == "cholesky":
        tiny = np.eye(len(has)) * (ROUNDING if np.linalg.eigvalsh(has)[0] <= ROUNDING else 0)
        lower = np.linalg.cholesky(wants + 1e-12 * np.eye(len(has)))
        A = lower @ np.linalg.inv(np.linalg.cholesky(has + tiny))
    else:
        # Equal to has^-½ (has^½ wants has^½)^½ has^-½, but asks no inverse of `has`: a grey painting's one
        # direction goes to the line that best predicts the photograph's colours from their brightness.
        root, floor = _power(wants, 0.5), 1e-13 * np.trace(wants) * np.trace(has)
        A = (
            root
            @ _power(root @ _power(has, 1, ROUNDING) @ root, -0.5, floor)
            @ root
            @ _power(has, 0, ROUNDING)
        )
    return A @ (style - style.mean(1, keepdims=True)) + content.mean(1, keepdims=True)


def _match_distribution(style: np.ndarray, content: np.ndarray) -> np.ndarray:
    axes, centre = np.linalg.eigh(_covariance(content))[1], content.mean(1, keepdims=True)
    moved, target = axes.T @ (_move_statistics(style, content) - centre), axes.T @ (content - centre)
    for row, wanted in zip(moved, target, strict=True):
        if row.var() > ROUNDING:
            row[:] = _match_quantiles(row, wanted)
    return axes @ moved + centre


def _match_quantiles(values: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Each value replaced by the target's at the same rank; equal values share one rank and stay equal."""
    # Rounded first: a rotation may give the last pixels of one colour another last bit, hence another rank.
    _, index, counts = np.unique(values.round(12), return_inverse=True, return_counts=True)
    level = (np.cumsum(counts) - counts / 2) / values.size
    return np.interp(level, (np.arange(target.size) + 0.5) / target.size, np.sort(target))[index]
