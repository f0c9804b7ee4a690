"""Strokes of a reed pen along a smooth field of directions."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from drawing.canvas import HEIGHT, WIDTH, grid, noise, palette


def pen_hatching(seed: int = 5) -> Image.Image:
    """Reed-pen strokes along swirls, denser and crossed where the tone is dark; three inks on warm paper."""
    rng = np.random.default_rng(seed)
    scale = 4

    def direction(x, y):
        # Angles are mixed doubled, since θ and θ + π are one direction.
        angle = 1.15 * np.pi * noise(x / 210, y / 210, seed + 1, 2) + 0.35
        doubled = np.exp(2j * angle)
        for cx, cy, turn in ((190, 170, 1), (470, 300, -1)):
            dx, dy = x - cx, y - cy
            pull = np.exp(-(dx**2 + dy**2) / (2 * 105**2))
            whirl = np.arctan2(dy, dx) + np.pi / 2 + turn * 0.35
            doubled = (1 - pull) * doubled + pull * np.exp(2j * whirl)
        return np.angle(doubled) / 2

    def tone(x, y):
        return np.clip(
            0.52
            + 0.55 * noise(x / 120, y / 120, seed + 2, 2)
            - 0.25 * np.sin(x / 55 + 2 * noise(x / 90, y / 90, seed + 3)),
            0,
            1,
        )

    x, y = grid()
    paper = palette("f6ead0")[0] * (1 + 0.015 * noise(x / 3, y / 3, seed + 4, 2))[..., None]
    paper = Image.fromarray((np.clip(paper, 0, 1) * 255).astype(np.uint8)).resize(
        (WIDTH * scale, HEIGHT * scale)
    )
    pen = ImageDraw.Draw(paper)
    # (ink, spacing in pixels, the tone from which it is used, turn against the field, length)
    layers = (
        ("c46a1f", 7.0, 0.0, 0.0, 42),
        ("1f3f7a", 6.6, 0.38, 0.12, 34),
        ("16213f", 6.8, 0.60, 1.15, 24),
    )
    for ink, gap, threshold, turn, length in layers:
        gx, gy = np.meshgrid(np.arange(-10, WIDTH + 10, gap * 2.4), np.arange(-10, HEIGHT + 10, gap))
        px, py = (g.ravel() + rng.uniform(-0.5, 0.5, g.size) * gap for g in (gx, gy))
        dark = tone(px, py)
        chosen = rng.permutation(np.flatnonzero(dark > threshold + rng.uniform(-0.08, 0.08, px.size)))
        px, py, dark = px[chosen], py[chosen], dark[chosen]
        steps = 9
        stretch = length * rng.uniform(0.6, 1.2, px.size) / steps
        # The field has no sense of its own, so chance decides which way along it a stroke sets out.
        path, last = [np.stack([px, py])], None
        for _ in range(steps):
            angle = direction(*path[-1]) + turn
            move = np.stack([np.cos(angle), np.sin(angle)])
            move *= rng.choice([-1, 1], px.size) if last is None else np.sign((move * last).sum(0))
            path.append(path[-1] + stretch * move)
            last = move
        points = np.array(path)  # (steps + 1, 2, strokes)
        ahead = np.gradient(points, axis=0)
        normal = np.stack([-ahead[:, 1], ahead[:, 0]], 1) / np.hypot(ahead[:, 0], ahead[:, 1])[:, None]
        taper = np.sin(np.linspace(0.25, np.pi - 0.05, steps + 1)) ** 0.6
        half = taper[:, None] * (0.7 + 1.0 * dark) * rng.uniform(0.75, 1.25, px.size)
        outline = (
            np.concatenate([points + normal * half[:, None], (points - normal * half[:, None])[::-1]]) * scale
        )
        shade = rng.uniform(0.8, 1.25, px.size)
        for stroke in range(px.size):
            colour = tuple((np.clip(palette(ink)[0] * shade[stroke], 0, 1) * 255).astype(int))
            pen.polygon([tuple(p) for p in outline[:, :, stroke]], fill=colour)
    return paper.filter(ImageFilter.GaussianBlur(1)).resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
