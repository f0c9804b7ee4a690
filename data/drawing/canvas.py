"""What the drawn styles share: the size of the picture, smooth noise, colours, and the JPEG in the end."""

import io

import numpy as np
from PIL import Image, ImageChops, ImageStat

LONGEST, MAX_BYTES = 640, 120_000
WIDTH, HEIGHT, OVERSAMPLE = LONGEST, 480, 2


def grid(scale: int = OVERSAMPLE) -> tuple[np.ndarray, np.ndarray]:
    """The x and y of every pixel of a picture drawn `scale` times as large, in pixels of the finished one."""
    y, x = np.mgrid[: HEIGHT * scale, : WIDTH * scale]
    return (x + 0.5) / scale, (y + 0.5) / scale


def enlarged(picture: np.ndarray, scale: int) -> np.ndarray:
    """Each pixel of (H, W) or (H, W, 3) `scale` times in each direction: enough for what is soft anyway."""
    return picture.repeat(scale, 0).repeat(scale, 1)


def noise(x: np.ndarray, y: np.ndarray, seed: int, octaves: int = 1) -> np.ndarray:
    """Smooth random values, most within ±1, that vary over one unit of x and y; octaves add finer ones.

    Source: Perlin, Improving Noise (2002), with slopes from a seeded table.
    """
    total = np.zeros(np.broadcast(x, y).shape)
    for octave in range(octaves):
        turns = np.random.default_rng((seed, octave)).random((256, 256)) * 2 * np.pi
        slopes = np.cos(turns), np.sin(turns)
        u, v = x * 2**octave, y * 2**octave
        i, j = np.floor(u).astype(int), np.floor(v).astype(int)
        a, b = u - i, v - j
        fade_a, fade_b = (t * t * t * (t * (t * 6 - 15) + 10) for t in (a, b))

        def corner(di, dj, slopes=slopes, i=i, j=j, a=a, b=b):
            at = (i + di) % 256, (j + dj) % 256
            return slopes[0][at] * (a - di) + slopes[1][at] * (b - dj)

        top = corner(0, 0) * (1 - fade_a) + corner(1, 0) * fade_a
        bottom = corner(0, 1) * (1 - fade_a) + corner(1, 1) * fade_a
        total += (top * (1 - fade_b) + bottom * fade_b) * 1.5 / 2**octave
    return total


def palette(*colours: str) -> np.ndarray:
    """Colours written "rrggbb" as an array (N, 3) in [0, 1]."""
    return np.array([[int(c[k : k + 2], 16) for k in (0, 2, 4)] for c in colours]) / 255


def finish(picture: np.ndarray) -> Image.Image:
    """An oversampled array (H, W, 3) in [0, 1] as a picture of the final size."""
    full = Image.fromarray((np.clip(picture, 0, 1) * 255).round().astype(np.uint8))
    return full.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)


def smoothstep(low: float, high: float, value: np.ndarray) -> np.ndarray:
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def jpeg(picture: Image.Image) -> bytes:
    """The picture as JPEG under MAX_BYTES: with full or halved colour resolution, whichever is nearer."""
    candidates = []
    for subsampling in (0, 2):
        for quality in range(95, 20, -1):
            buffer = io.BytesIO()
            picture.save(buffer, "JPEG", quality=quality, subsampling=subsampling)
            if buffer.tell() < MAX_BYTES:
                error = ImageStat.Stat(ImageChops.difference(Image.open(buffer), picture)).sum2
                candidates.append((sum(error), buffer.getvalue()))
                break
    return min(candidates)[1]
