"""Pictures for labs, made fast: images as bytes, heat maps, curves and colour clouds."""

import io
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from html import escape
from itertools import groupby

import numpy as np
from PIL import Image
from torch import Tensor

from stylelab.colour.spaces import rgb_to_yuv
from stylelab.pictures.saving import to_pil

QUALITY = 85
COLOURS = ("#0072b2", "#e69f00", "#333333", "#cc79a7")
DASHES = ("", "6 3", "2 2", "8 3 2 3")


def plain(value: float) -> str:
    """A number with three digits and without powers of ten: 5,070 or 0.0123."""
    return f"{float(f'{value:.3g}'):,.10g}"


def encode(picture: Tensor | Image.Image, final: bool = False) -> tuple[bytes, str]:
    """A picture as the bytes of a file, and their format: JPEG while it may still change, PNG if `final`.

    picture: an image (1, C, H, W) in [0, 1], or a PIL picture.
    """
    pixels = to_pil(picture) if isinstance(picture, Tensor) else picture
    file, kind = io.BytesIO(), "png" if final else "jpeg"
    pixels.save(file, kind, **({"compress_level": 3} if final else {"quality": QUALITY}))
    return file.getvalue(), kind


@lru_cache
def _palette(name: str) -> np.ndarray:
    from matplotlib import colormaps

    return (colormaps[name](np.arange(256))[:, :3] * 255).round().astype(np.uint8)


def heat_map(values, side: int = 320, cmap: str = "viridis", limits: tuple[float, float] | None = None):
    """A matrix or a feature map (R, C) as a PIL picture of about `side` pixels, one square for each entry.

    limits: the values of the first and the last colour; the extremes unless given.
    """
    values = np.asarray(values.detach().cpu() if isinstance(values, Tensor) else values, dtype=np.float32)
    low, high = limits or (float(values.min()), float(values.max()))
    index = ((values - low) * (255 / max(high - low, 1e-12))).clip(0, 255).astype(np.uint8)
    picture = Image.fromarray(_palette(cmap)[index])
    enlarged = max(1, side // max(values.shape))
    return picture.resize((picture.width * enlarged, picture.height * enlarged), Image.Resampling.NEAREST)


def enlarge(image: Tensor, side: int):
    """An image as a PIL picture at least `side` pixels long, its pixels shown as squares."""
    picture = to_pil(image)
    times = max(1, math.ceil(side / max(picture.size)))
    return picture.resize((picture.width * times, picture.height * times), Image.Resampling.NEAREST)


def curves(
    series: Mapping[str, Sequence[float]], xlabel: str, ylabel: str, log: bool = False, width=520, height=250
) -> bytes:
    """Curves over 1, 2, 3, … in one frame, as an SVG. series: {label: values}.

    log: a logarithmic height, of four decades at most: what is lower runs along the floor. A value that is
    not finite breaks its curve.
    """
    left, right, top, bottom = 58, width - 10, 26, height - 40
    positive = [v for values in series.values() for v in values if math.isfinite(v) and (v > 0 or not log)]
    low, high = (min(positive), max(positive)) if positive else (0.1, 1.0)
    if log:
        high = 10 ** math.ceil(math.log10(high * 1.0001))
        low = 10 ** math.floor(math.log10(max(low, high * 1e-4)))
    elif high - low < 1e-12:
        low, high = low - 0.5, high + 0.5
    longest = max([2, *(len(values) for values in series.values())])
    place = math.log10 if log else float

    def up(value: float) -> float:
        share = (place(max(value, low)) - place(low)) / (place(high) - place(low))
        return bottom - share * (bottom - top)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="sans-serif" font-size="12" fill="#222">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for tick in _ticks(low, high, log) if positive else ():
        y = up(tick)
        parts.append(f'<path d="M{left} {y:.1f}H{right}" stroke="#ddd"/>')
        parts.append(f'<text x="{left - 5}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>')
    for number, (label, values) in enumerate(series.items()):
        colour, dash = COLOURS[number % 4], DASHES[number % 4]
        stroke = f'fill="none" stroke="{colour}" stroke-width="1.8" stroke-dasharray="{dash}"'
        across = (right - left) / (longest - 1)
        for finite, piece in groupby(enumerate(values), lambda entry: math.isfinite(entry[1])):
            points = " ".join(f"{left + across * i:.1f},{up(v):.1f}" for i, v in piece if finite)
            parts += [f'<polyline points="{points}" {stroke}/>'] if finite else []
        x = left + 8 + number * (right - left) / max(len(series), 1)
        parts.append(
            f'<path d="M{x:.0f} 13h24" {stroke}/><text x="{x + 29:.0f}" y="17">{escape(label)}</text>'
        )
    middle = (top + bottom) / 2
    parts += [
        f'<path d="M{left} {top}V{bottom}H{right}" fill="none" stroke="#444"/>',
        f'<text x="{left}" y="{bottom + 15}">{1 if positive else ""}</text>',
        f'<text x="{right}" y="{bottom + 15}" text-anchor="end">{longest if positive else ""}</text>',
        f'<text x="{(left + right) / 2}" y="{height - 8}" text-anchor="middle">{escape(xlabel)}</text>',
        f'<text transform="translate(13 {middle}) rotate(-90)" text-anchor="middle">{escape(ylabel)}</text>',
        "</svg>",
    ]
    return "".join(parts).encode()


def _ticks(low: float, high: float, log: bool) -> list[float]:
    if log:
        first, last = round(math.log10(low)), round(math.log10(high))
        return [10.0**n for n in range(first, last + 1, max(1, (last - first) // 4))]
    step = 10 ** math.floor(math.log10((high - low) / 2))
    step *= next(n for n in (1, 2, 5, 10) if (high - low) / (n * step) <= 5)
    return [round(n * step, 10) for n in range(math.ceil(low / step), math.floor(high / step) + 1)]


def chroma_cloud(image: Tensor, side: int = 260) -> Image.Image:
    """Every pixel by its colour alone: U to the right, V upwards, grey in the middle.

    image: (1, 3, H, W) in [0, 1].
    """
    u, v = rgb_to_yuv(image)[0, 1:].flatten(1)
    column = ((u / 0.9 + 0.5) * side).long().clamp(0, side - 1).cpu().numpy()
    line = ((0.5 - v / 1.3) * side).long().clamp(0, side - 1).cpu().numpy()
    canvas = np.full((side, side, 3), 255, dtype=np.uint8)
    canvas[side // 2, :] = canvas[:, side // 2] = 215
    pixels = np.asarray(to_pil(image)).reshape(-1, 3)
    for down in (0, 1):  # dots of 2 × 2, or a single pixel would not be seen
        for across in (0, 1):
            # NumPy's: where pixels share a place, several threads of torch mix their red, green and blue.
            canvas[np.minimum(line + down, side - 1), np.minimum(column + across, side - 1)] = pixels
    return Image.fromarray(canvas)
