"""Thick oil paint: strokes with bristle tracks and raised edges, piled up and lit from the upper left."""

import numpy as np
from PIL import Image

from drawing.canvas import HEIGHT, OVERSAMPLE, WIDTH, finish, noise, palette, smoothstep

ULTRAMARINE, VIRIDIAN, LEMON, OCHRE, VERMILION, LAKE, ROSE, WHITE = palette(
    "1f3f92", "1b8577", "f7d548", "ec9a26", "dc452b", "7c2050", "ef8f93", "f8f0dd"
)
SUN, HORIZON = (452.0, 128.0), 285.0


def ground(x, y):
    """The height y at which the hills meet the sky."""
    return HORIZON - 34 * noise(x / 150, 0 * x + 3.3, 21) - 16 * np.sin(x / 97 + 1)


def direction(x, y):
    """The angle of the strokes: rings round the sun, swirls in the sky, hills along, furrows up the field."""
    sun = np.arctan2(y - SUN[1], x - SUN[0]) + np.pi / 2
    near = np.exp(-((x - SUN[0]) ** 2 + (y - SUN[1]) ** 2) / (2 * 120**2))
    swirl = 1.5 * noise(x / 190, y / 130, 22, 2) + 0.2
    sky = np.angle((1 - near) * np.exp(2j * swirl) + near * 1.6 * np.exp(2j * sun)) / 2
    hills = 0.5 * noise(x / 70, y / 40, 23) + 0.55 * np.cos(x / 75)
    rows = np.arctan2(y - HORIZON + 55, (x - 250) * 0.9) + 0.35 * noise(x / 90, y / 60, 24)
    edge = ground(x, y)
    return np.where(y < edge, sky, np.where(y < edge + 46, hills, rows))


def pigments(x, y, edge, band, rng):
    """The two pigments of a stroke: they meet on the brush, never on the palette."""
    r = np.hypot(x - SUN[0], y - SUN[1])
    band = band + rng.normal(0, 0.22)
    if y < edge:
        if r < 38:
            pair = (LEMON, WHITE) if rng.random() < 0.7 else (OCHRE, LEMON)
        elif r + rng.normal(0, 10) < 92:
            pair = [(LEMON, OCHRE), (OCHRE, VERMILION), (LEMON, WHITE), (VERMILION, LEMON)][rng.integers(4)]
        elif r + rng.normal(0, 16) < 135:
            pair = [(ROSE, OCHRE), (VERMILION, OCHRE), (ROSE, WHITE)][rng.integers(3)]
        elif band < -0.25:
            pair = (LAKE, ULTRAMARINE) if rng.random() < 0.4 else (LAKE, VERMILION)
        elif band < 0.2:
            pair = (VERMILION, ROSE) if rng.random() < 0.6 else (VERMILION, OCHRE)
        else:
            pair = (ROSE, WHITE) if rng.random() < 0.65 else (OCHRE, LEMON)
    elif y < edge + 46:
        hills = ((ULTRAMARINE, LAKE), (ULTRAMARINE, VIRIDIAN), (VIRIDIAN, ULTRAMARINE), (LAKE, ROSE))
        pair = hills[int(np.clip((band + 0.7) * 2.8, 0, 3))]
    elif rng.random() < 0.06:
        pair = (VERMILION, LAKE)
    elif band < -0.2:
        pair = (ULTRAMARINE, VIRIDIAN) if rng.random() < 0.6 else (VIRIDIAN, ULTRAMARINE)
    elif band < 0.25:
        pair = (VIRIDIAN, WHITE) if rng.random() < 0.6 else (VIRIDIAN, LEMON)
    else:
        pair = (LEMON, VIRIDIAN) if rng.random() < 0.5 else (ULTRAMARINE, WHITE)
    return pair


class Painting:
    """Colour and height of the paint, in oversampled pixels."""

    def __init__(self, rng: np.random.Generator):
        shape = HEIGHT * OVERSAMPLE, WIDTH * OVERSAMPLE
        self.colour, self.height, self.rng = np.empty((*shape, 3)), np.zeros(shape), rng
        self.colour[:] = OCHRE * 0.55

    def stroke(
        self, x: float, y: float, angle: float, length: float, width: float, bend: float, pair
    ) -> None:
        """One loaded brush drawn along an arc: middle, direction, length, width (pixels), turn (radians)."""
        rng = self.rng
        cos, sin = np.cos(angle), np.sin(angle)
        half = length / 2, width / 2 + abs(bend) * length * 0.12
        wide = abs(cos) * half[0] + abs(sin) * half[1] + 1
        high = abs(sin) * half[0] + abs(cos) * half[1] + 1
        left, right = (int(np.clip((x + d) * OVERSAMPLE, 0, WIDTH * OVERSAMPLE)) for d in (-wide, wide))
        top, bottom = (int(np.clip((y + d) * OVERSAMPLE, 0, HEIGHT * OVERSAMPLE)) for d in (-high, high))
        if left >= right or top >= bottom:
            return
        v, u = np.mgrid[top:bottom, left:right]
        u, v = (u + 0.5) / OVERSAMPLE - x, (v + 0.5) / OVERSAMPLE - y
        along, across = (u * cos + v * sin) / length, (v * cos - u * sin) / width
        across = across - bend * length / width * (along**2 - 0.08) / 2  # a parabola is arc enough
        # Bristles: tracks across the brush that wander slowly along it.
        tracks = rng.normal(0, 1, (5, 24))
        tracks = (tracks + np.roll(tracks, 1, 1)) / 2
        place = np.clip((across + 0.5) * 22, 0, 22)
        i, j = place.astype(int), np.clip((along + 0.5) * 3.99, 0, 3.99)
        k, f, g = j.astype(int), place - place.astype(int), j - j.astype(int)
        here, ahead = (tracks[row, i] * (1 - f) + tracks[row, i + 1] * f for row in (k, k + 1))
        bristle = here * (1 - g) + ahead * g
        # The end runs out bristle by bristle.
        end = 0.5 - 0.09 * np.abs(bristle) * (along > 0) - 0.17 * (2 * across) ** 2
        inside = smoothstep(0.5, 0.42, np.abs(across)) * smoothstep(0, 0.03, end - np.abs(along))
        dry = smoothstep(0.15, 0.5, along) * smoothstep(0.3, 1.2, bristle)  # paint gives out
        cover = inside * (1 - 0.75 * dry)
        share = np.clip(0.35 + 0.33 * bristle + 0.35 * (along + rng.normal(0, 0.2)), 0, 1)[..., None]
        light = 1 + 0.07 * rng.normal()
        paint = (pair[0] * (1 - share) + pair[1] * share) * light
        edges = np.exp(-(((np.abs(across) - 0.42) / 0.07) ** 2))
        tip = np.exp(-(((along - 0.44) / 0.05) ** 2))
        relief = 0.55 + 0.30 * bristle + 0.65 * edges + 0.585 * tip
        box = np.s_[top:bottom, left:right]
        self.colour[box] += cover[..., None] * (paint - self.colour[box])
        # A brush levels what it crosses, and lays its own paint on top.
        self.height[box] += cover * (0.45 * self.height[box] + relief - self.height[box])

    def lit(self) -> np.ndarray:
        """The paint under a lamp at the upper left: slope, gloss, and the shadow of ridges."""
        down, right = np.gradient(self.height * 2.0)
        normal = np.stack([-right, -down, np.ones_like(down)]) / np.sqrt(right**2 + down**2 + 1)
        lamp = np.array([-0.55, -0.60, 0.58])
        lamp = lamp / np.linalg.norm(lamp)
        slope = np.tensordot(lamp, normal, 1)
        half = lamp + np.array([0, 0, 1])
        gloss = np.clip(np.tensordot(half / np.linalg.norm(half), normal, 1), 0, 1) ** 38
        shadow = np.zeros_like(slope)
        for step in range(1, 5):
            over = np.roll(self.height, (step, step), (0, 1)) - self.height - 0.22 * step
            shadow = np.maximum(shadow, np.clip(over, 0, 1))
        shade = 0.50 + 0.86 * np.clip(slope, 0, 1)
        return self.colour * (shade * (1 - 0.45 * shadow))[..., None] + 0.30 * gloss[..., None]


def impasto(seed: int = 17) -> Image.Image:
    """The sun over a meadow: three coats of strokes along one flow, each shorter than the last."""
    rng = np.random.default_rng(seed)
    painting = Painting(rng)
    for spacing, length, width in ((16.0, 62, 22), (13.0, 50, 16.5), (14.0, 40, 13)):
        across, down = np.meshgrid(
            np.arange(-8, WIDTH + 16, spacing * 1.55), np.arange(-8, HEIGHT + 16, spacing)
        )
        px, py = (g.ravel() + rng.uniform(-0.6, 0.6, g.size) * spacing for g in (across, down))
        angle = direction(px, py)
        ahead = direction(px + 8 * np.cos(angle), py + 8 * np.sin(angle))
        edge, band = ground(px, py), noise(px / 120, py / 45, 25, 2)
        turn = (ahead - angle + np.pi / 2) % np.pi - np.pi / 2
        for k in rng.permutation(px.size):
            stretch, broad = rng.uniform(0.75, 1.3), rng.uniform(0.8, 1.2)
            bend = np.clip(turn[k] * length / 8, -1.1, 1.1)
            way = angle[k] + rng.normal(0, 0.10) + np.pi * rng.integers(2)
            pair = pigments(px[k], py[k], edge[k], band[k], rng)
            painting.stroke(px[k], py[k], way, length * stretch, width * broad, bend, pair)
    return finish(painting.lit())
