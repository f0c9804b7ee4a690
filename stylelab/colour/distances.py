"""How far apart the colours of two images are, and how many a screen cannot show."""

from math import pi

import numpy as np

from stylelab.colour.spaces import as_rgb, colours_of, rgb_to_yuv
from stylelab.errors import ImageError
from stylelab.pictures.loading import ImageLike, image_of


def clipped_share(image: ImageLike) -> float:
    """The share of pixels, 0 to 1, with a channel outside [0, 1] by more than float32 rounding (1e-5).

    image: (N, 3 or 1, H, W), as returned with clip=False, or what load_image reads.
    Raises ImageError for anything else.
    """
    rgb = as_rgb(image)
    return ((rgb < -1e-5) | (rgb > 1 + 1e-5)).any(dim=1).float().mean().item()


def chroma_distance(a: ImageLike, b: ImageLike, directions: int = 32) -> float:
    """How far apart the colours of two images are: sliced Wasserstein-1 distance of their (U, V) clouds.

    a, b: (1, 3 or 1, H, W), sizes free, or what load_image reads. directions: lines through the (U, V)
    plane, evenly turned, on which the clouds are projected; on each the distance is exact, for any two
    numbers of pixels.
    Returns units of chroma: 0 for the same colours in any order, 2/π of the shift for shifted ones.
    Raises ImageError for a batch. Source: Rabin, Peyré, Delon and Bernot (2011).
    """
    a, b = image_of(a), image_of(b)
    if len(a) != 1 or len(b) != 1:
        raise ImageError(f"chroma_distance compares two images, got batches of {len(a)} and {len(b)}")
    of_a, of_b = (colours_of(rgb_to_yuv(image)[0])[1:] for image in (a, b))
    n, m = of_a.shape[1], of_b.shape[1]
    jumps = np.union1d(np.arange(n + 1) * m, np.arange(m + 1) * n)  # of either quantile function, in 1 / nm
    in_a, in_b, widths = jumps[:-1] // m, jumps[:-1] // n, np.diff(jumps) / (n * m)
    total = 0.0
    for angle in np.arange(directions) * pi / directions:
        line = np.array([np.cos(angle), np.sin(angle)])
        total += np.abs(np.sort(line @ of_a)[in_a] - np.sort(line @ of_b)[in_b]) @ widths
    return float(total / directions)
