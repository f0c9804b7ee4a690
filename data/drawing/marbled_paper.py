"""Ink on water, combed and lifted off on paper: warped noise."""

import numpy as np
from PIL import Image

from drawing.canvas import OVERSAMPLE, finish, grid, noise, palette, smoothstep


def comb(
    x, y, angle: float, spacing: float, strength: float, reach: float, alternate: bool, phase: float = 0.0
):
    """Where the ink at (x, y) lay before parallel tines were drawn through it, dragging what is near them.

    angle: of the tines' way. spacing, strength and reach of the drag: in pixels; alternate: every other
    tine goes the other way. The drag depends only on the distance to the tine, so undoing it is exact.
    Source: Lu, Jaffer, Jin, Zhao and Mao, Mathematical Marbling (2012).
    """
    cos, sin = np.cos(angle), np.sin(angle)
    across = (-sin * x + cos * y) / spacing + phase
    tine = np.round(across)
    drag = np.zeros_like(across)
    for k in (-1, 0, 1):
        sign = np.where((tine + k) % 2 == 0, 1.0, -1.0) if alternate else 1.0
        drag += sign * strength * np.exp(-np.abs(across - tine - k) * spacing / reach)
    return x - drag * cos, y - drag * sin


def marbled_paper(seed: int = 3) -> Image.Image:
    """Combed marbling: bands of warped noise as inks, drawn out by two combs, pale veins between them."""
    x, y = grid()
    u, v = x + 22 * noise(x / 230, y / 230, seed), y + 22 * noise(x / 210, y / 210, seed + 1)
    u, v = comb(u, v, np.pi / 2, 33, 30, 10, False)
    u, v = comb(u, v, 0.0, 90, 120, 34, True, 0.3)
    field = noise(u / 150 + 0.8 * noise(u / 160, v / 160, seed + 2), v / 105, seed + 4)
    level = 4.2 * field + v / 12
    inks = palette(
        "12275c", "1d6fa3", "f4e3c1", "c4302b", "7d1128", "f2a93b", "f7ecd2", "0e7c7b", "0b2f4a", "e2603b",
        "f3d9a4", "25408f",
    )  # fmt: skip
    band = np.floor(level).astype(int)
    edge = np.minimum(level - band, band + 1 - level)
    slope = np.hypot(*np.gradient(level)) * OVERSAMPLE + 1e-6
    distance = edge / slope
    ink = inks[(band * 5) % len(inks)] * (1 + 0.10 * noise(u / 9, v / 9, seed + 5, 2))[..., None]
    vein = smoothstep(1.0, 0.2, distance)[..., None] * np.where(band % 2 == 0, 0.75, 0.35)[..., None]
    paper = noise(x / 2.2, y / 2.2, seed + 6, 2) * 0.02
    return finish(ink * (1 - vein) + palette("fbf3df")[0] * vein + paper[..., None])
