"""A window of coloured panes: a Voronoi diagram."""

import numpy as np
from PIL import Image

from drawing.canvas import HEIGHT, WIDTH, finish, grid, noise, palette, smoothstep


def stained_glass(seed: int = 7) -> Image.Image:
    """A window: Voronoi cells round a sun, every pane streaked in its own direction, leads between them."""
    rng = np.random.default_rng(seed)
    centre, spacing = np.array([0.64 * WIDTH, 0.42 * HEIGHT]), 27.0
    sites, tones = [centre], [0.0]
    for ring in range(1, 21):
        count = max(6, int(2 * np.pi * ring * 0.78))
        angle = (np.arange(count) + rng.random() + rng.uniform(-0.22, 0.22, count)) * 2 * np.pi / count
        radius = spacing * (ring + rng.uniform(-0.16, 0.16, count))
        sites += list(centre + radius[:, None] * np.stack([np.cos(angle), 0.96 * np.sin(angle)], 1))
        tones += list(np.full(count, float(ring)))
    sites, tones = np.array(sites), np.array(tones)
    near = (sites > -60).all(1) & (sites < [WIDTH + 60, HEIGHT + 60]).all(1)
    sites, tones = sites[near], tones[near]

    # From the sun outwards; a pane takes a neighbouring ring's colour now and then.
    rings = palette(
        "fff1b8", "ffd23f", "ffb01f", "f9731a", "e0261f", "b00f2e", "e0261f", "f6a21a", "1f9e8f", "0d6fb8",
        "1746a2", "2a2f8f", "5b2a94", "8e1f6b", "c2183f", "0f7a6c", "1590b5", "1746a2", "23236e", "3d1b66",
        "16164f",
    )  # fmt: skip
    index = np.clip(tones + rng.choice([-1, 0, 0, 0, 1, 5], len(tones)), 0, len(rings) - 1).astype(int)
    colours = rings[index] * rng.uniform(0.82, 1.12, (len(sites), 1)) + rng.normal(0, 0.02, (len(sites), 3))

    x, y = grid()
    # A slight bend keeps the leads from being ruler-straight.
    u, v = x + 2.2 * noise(x / 38, y / 38, 11), y + 2.2 * noise(x / 38, y / 38, 12)
    cell, lead, every = np.empty(x.shape, int), np.empty(x.shape), np.arange(x.shape[1])
    for row in range(len(x)):
        level = np.flatnonzero(np.abs(sites[:, 1] - y[row, 0]) < 3 * spacing)  # no pane reaches further
        squared = (u[row, :, None] - sites[level, 0]) ** 2 + (v[row, :, None] - sites[level, 1]) ** 2
        nearest = squared.argmin(1)
        first = squared[every, nearest]
        squared[every, nearest] = np.inf
        second = squared.min(1)
        here, beyond = level[nearest], level[squared.argmin(1)]
        cell[row] = here
        # The distance to the bisector of the two nearest sites.
        lead[row] = (second - first) / (2 * np.linalg.norm(sites[here] - sites[beyond], axis=1))

    turn = rng.uniform(0, np.pi, len(sites))[cell]
    along, across = np.cos(turn) * x + np.sin(turn) * y, np.cos(turn) * y - np.sin(turn) * x
    streak = noise(along / 40 + cell * 7.3, across / 5.5, 13, octaves=3)
    pane = noise(x / 20, y / 20, 14, octaves=2)
    light = 1 + 0.34 * streak + 0.16 * pane
    light *= 0.62 + 0.42 * smoothstep(1.5, 9, lead)
    glass = colours[cell] * light[..., None]
    glass += 0.22 * smoothstep(0.42, 0.9, streak)[..., None] * (1 - glass)
    width = 2.1 + 0.5 * noise(x / 30, y / 30, 15)
    metal = np.array([0.055, 0.05, 0.07]) + 0.16 * smoothstep(1.2, 0, lead)[..., None] * np.array(
        [0.9, 0.95, 1.0]
    )
    cover = smoothstep(width + 0.6, width - 0.4, lead)[..., None]
    return finish(glass * (1 - cover) + metal * cover)
