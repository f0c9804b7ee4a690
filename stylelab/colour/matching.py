"""Four ways to give a painting's strokes the photograph's colours."""

import numpy as np
import torch
from torch import Tensor

from stylelab.colour.spaces import as_rgb, colours_of, rgb_to_yuv, yuv_to_rgb
from stylelab.errors import ImageError, RecipeError, unknown
from stylelab.pictures.loading import ImageLike
from stylelab.pictures.resampling import resize, same_aspect

COLOUR_METHODS = ("luminance", "chroma-swap", "linear", "histogram")


TRANSFORMS = ("monge-kantorovich", "cholesky")


# The variance that rounding to 8 bits leaves in a channel. Along an axis of colour space it may be more, so a
# direction with less than several times that holds no colour; stretching it would only make the rounding
# visible.
ROUNDING = (1 / 255) ** 2 / 12
COLOURLESS = 8 * ROUNDING


def match_colours(
    style: ImageLike, content: ImageLike, method: str, clip: bool = True, transform: str = "monge-kantorovich"
) -> Tensor:
    """The painting in the photograph's colours, to be used as the style of a transfer.

    style, content: (N, 3 or 1, H, W) in [0, 1], sizes free, or what load_image reads; the one with N = 1
    serves all of the other.
    method: "chroma-swap" takes U and V from the content pixel by pixel (the style is resized to the
    content's shape, and the content's edges come along); "linear" moves the mean and covariance of the
    style's colours to the content's; "histogram" does that, then matches the whole distribution along
    each principal axis of the content's colours, where the channels are uncorrelated.
    transform: the matrix of "linear". "monge-kantorovich" is the symmetric one, which moves the colours
    as little as possible; "cholesky" depends on the order of the channels.
    clip: False keeps values outside [0, 1]; clipped_share counts them.
    Returns (N, 3, H, W), of the content's size for "chroma-swap" and the style's otherwise. A spread
    below 0.003, which 8-bit rounding may leave, counts as none, so a grey image, or one of a single colour
    or tint, is welcome in any size.
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
    style, content = _pair(as_rgb(style), as_rgb(content))
    if method == "chroma-swap":
        return _clip(_swap_chroma(resize(style, (content.shape[-2], content.shape[-1])), content), clip)
    if method == "linear":
        return _clip(_each(lambda s, c: _move_statistics(s, c, transform), style, content), clip)
    return _clip(_each(_match_distribution, style, content), clip)


def match_luminance(style: ImageLike, content: ImageLike, clip: bool = True) -> Tensor:
    """The luminance of the painting with the photograph's mean and spread: the style of a grey transfer.

    style, content: as for match_colours. Returns (N, 1, H, W) of the style's size; constant where the
    style's luminance is. Raises ImageError for images that do not go together.
    Source: Gatys et al. (2016), "Luminance-only transfer".
    """
    style, content = _pair(rgb_to_yuv(style)[:, :1], rgb_to_yuv(content)[:, :1])
    return _clip(_each(_move_statistics, style, content), clip)


def keep_colours(
    stylised: ImageLike, content: ImageLike, method: str = "luminance", clip: bool = True
) -> Tensor:
    """The result of a transfer in the photograph's colours: Y of the one, U and V of the other.

    stylised, content: (N, 3 or 1, H, W) in [0, 1] or what load_image reads, of one aspect ratio; the content
    is resized to the result. method: "luminance", the only one that works after a transfer.
    clip: False keeps values outside [0, 1]. Returns (N, 3, H, W), of the result's size.
    Raises RecipeError for another method, ImageError for images that do not go together.
    Source: Gatys et al. (2016), "Luminance-only transfer".
    """
    if method != "luminance":
        raise RecipeError(
            f'keep_colours knows only "luminance", got "{method}"; chroma-swap, linear and histogram '
            "change the painting before the transfer: use match_colours"
        )
    stylised, content = _pair(as_rgb(stylised), as_rgb(content))
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


def _each(recolour, style: Tensor, content: Tensor) -> Tensor:
    recoloured = [recolour(colours_of(s), colours_of(c)) for s, c in zip(style, content, strict=True)]
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
        tiny = np.eye(len(has)) * (COLOURLESS if np.linalg.eigvalsh(has)[0] <= COLOURLESS else 0)
        lower = np.linalg.cholesky(wants + 1e-12 * np.eye(len(has)))
        A = lower @ np.linalg.inv(np.linalg.cholesky(has + tiny))
    else:
        # Equal to has^-½ (has^½ wants has^½)^½ has^-½, but asks no inverse of `has`: a grey painting's one
        # direction goes to the line that best predicts the photograph's colours from their brightness.
        root, floor = _power(wants, 0.5), 1e-13 * np.trace(wants) * np.trace(has)
        A = (
            root
            @ _power(root @ _power(has, 1, COLOURLESS) @ root, -0.5, floor)
            @ root
            @ _power(has, 0, COLOURLESS)
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
