"""Dead leaves: pictures drawn by code that have the statistics of photographs, to train networks on.

Shapes of all sizes fall on one another like leaves, each hiding what lies below: edges, occlusion and flat
parts at every scale, as in photographs, and no data set is needed.
"""

import math

import numpy as np
import torch
from torch import Tensor

from stylelab.errors import StylelabError
from stylelab.pictures.filters import gaussian_blur
from stylelab.seeds import whole_seed

LEAVES = 200  # shapes a picture
SMALLEST = 2.0  # pixels: the least radius; the largest is half the picture
EVENLY = 1 / 3  # share of the radii that are uniform: by the power law alone large shapes are too rare
SPREAD = 0.22  # how far a leaf's colour strays from the picture's base
TEXTURED, SHADED, BLURRED = 0.25, 0.5, 0.5  # shares: of leaves, of leaves, of pictures


def dead_leaves(shape: int | tuple[int, int] = 192, seed: int | np.random.Generator = 0) -> Tensor:
    """A picture of dead leaves, (1, 3, H, W) in [0, 1].

    shape: (height, width) or the side of a square, 8 pixels or more. seed: a whole number, which always gives
    the same picture, or a generator of NumPy's, which is drawn from.
    Ellipses, rectangles and wedges; radii by r⁻³ between 2 pixels and half the picture, a third of them
    uniform; colours about one base; a quarter textured with 1/f noise, half shaded linearly; half of the
    pictures slightly blurred. Raises StylelabError for a picture too small or a seed that is none.
    Source: Lee, Mumford and Huang (2001), "Occlusion models for natural images"; as training pictures Baradad
    et al. (2021), "Learning to see by looking at noise".
    """
    height, width = (shape, shape) if isinstance(shape, int) else shape
    if min(height, width) < 8:
        raise StylelabError(f"dead leaves of {width} × {height} pixels: use 8 or more on each side")
    random = seed if isinstance(seed, np.random.Generator) else np.random.default_rng(whole_seed(seed))
    base = random.uniform(0.1, 0.9, 3).astype(np.float32)
    noise = _one_over_f(height, width, random)
    picture = np.empty((height, width, 3), np.float32)
    picture[:] = base
    for radius in leaf_radii(LEAVES, max(height, width) / 2, random):
        _drop(picture, radius, base, noise, random)
    image = torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))[None].clamp(0, 1)
    if random.random() < BLURRED:
        image = gaussian_blur(image, random.uniform(0.4, 1.2)).clamp(0, 1)
    return image


def leaf_radii(number: int, largest: float, random: np.random.Generator) -> np.ndarray:
    """Radii in pixels, (number,), between SMALLEST and `largest`: by r⁻³, some of them uniform."""
    share = random.random(number)
    # The inverse of the distribution function of a density r⁻³ between two limits.
    by_power = (SMALLEST**-2 + share * (largest**-2 - SMALLEST**-2)) ** -0.5
    uniform = SMALLEST + share * (largest - SMALLEST)
    return np.where(random.random(number) < EVENLY, uniform, by_power)


def _drop(
    picture: np.ndarray, radius: float, base: np.ndarray, noise: np.ndarray, random: np.random.Generator
) -> None:
    """One leaf onto the picture, in place."""
    height, width = picture.shape[:2]
    row, column = random.uniform(0, height), random.uniform(0, width)
    rows = slice(max(0, math.floor(row - radius)), min(height, math.ceil(row + radius) + 1))
    columns = slice(max(0, math.floor(column - radius)), min(width, math.ceil(column + radius) + 1))
    y = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None] - np.float32(row)
    x = np.arange(columns.start, columns.stop, dtype=np.float32) - np.float32(column)
    cover = _cover(x, y, radius, random)
    colour = base + random.normal(0, SPREAD, 3).astype(np.float32)
    leaf = np.broadcast_to(colour, (*cover.shape, 3))
    if random.random() < SHADED:
        angle, steepness = random.uniform(0, 2 * math.pi), random.uniform(0, 0.25) / radius
        along = np.float32(steepness * math.cos(angle)) * x + np.float32(steepness * math.sin(angle)) * y
        leaf = leaf + along[..., None]
    if random.random() < TEXTURED:
        leaf = leaf + np.float32(random.uniform(0.05, 0.25)) * noise[rows, columns]
    below = picture[rows, columns]
    below += cover[..., None] * (leaf - below)


def _cover(x: np.ndarray, y: np.ndarray, radius: float, random: np.random.Generator) -> np.ndarray:
    """How much of each pixel a leaf about (0, 0) covers, in [0, 1]; its edge is one pixel soft."""
    angle, aspect = random.uniform(0, 2 * math.pi), random.uniform(0.3, 1)
    cos, sin = np.float32(math.cos(angle)), np.float32(math.sin(angle))
    along, across = cos * x + sin * y, cos * y - sin * x
    kind = random.choice(3)
    if kind == 1:
        # A rectangle whose corners the circle of that radius just holds.
        half = radius / math.hypot(1, aspect)
        distance = np.maximum(np.abs(along) - half, np.abs(across) - half * aspect)
    elif kind == 0:
        distance = (np.hypot(along, across / np.float32(aspect)) - radius) * aspect
    else:
        opening = random.uniform(0.2, 1.2)
        beside = np.abs(across) * np.float32(math.cos(opening)) - along * np.float32(math.sin(opening))
        distance = np.maximum(np.hypot(along, across) - radius, beside)
    return np.clip(0.5 - distance, 0, 1).astype(np.float32)


def _one_over_f(height: int, width: int, random: np.random.Generator) -> np.ndarray:
    """Noise whose amplitude falls as 1 / frequency, (H, W, 3), of mean 0 and standard deviation 1."""
    white = random.standard_normal((height, width, 3), dtype=np.float32)
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width))
    frequency[0, 0] = np.inf  # no mean
    waves = np.fft.rfft2(white, axes=(0, 1)) / frequency[..., None]
    noise = np.fft.irfft2(waves, (height, width), axes=(0, 1))
    return (noise / noise.std()).astype(np.float32)
