"""Draw three styles from nothing but numbers: python data/draw_styles.py FOLDER

Style is statistics, and these pictures have no other content: a Voronoi diagram (stained_glass), noise
combed like ink on water (marbled_paper), and strokes along a smooth field of directions (pen_hatching).
Each is drawn larger than it ends up, with a fixed seed.
"""

import io
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageStat

LONGEST, MAX_BYTES = 640, 120_000
WIDTH, HEIGHT, OVERSAMPLE = LONGEST, 480, 2


def grid() -> tuple[np.ndarray, np.ndarray]:
    """The x and y of every pixel of the oversampled picture, in pixels of the finished one."""
    y, x = np.mgrid[: HEIGHT * OVERSAMPLE, : WIDTH * OVERSAMPLE]
    return (x + 0.5) / OVERSAMPLE, (y + 0.5) / OVERSAMPLE


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


STYLES = {"stained_glass": stained_glass, "marbled_paper": marbled_paper, "pen_hatching": pen_hatching}


def main(folder: Path) -> None:
    for name, draw in STYLES.items():
        target = folder / f"{name}.jpg"
        target.write_bytes(jpeg(draw()))
        print(f"{target}: {target.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
