"""What cuts and prints a woodblock: inks, curves, lines that swell, and the claws of foam made of them."""

import numpy as np
from PIL import Image, ImageDraw

from drawing.canvas import palette

SCALE = 3
INK, DEEP, MIDDLE, PALE, FOAM, PAPER, ROSE = (
    tuple(int(c) for c in colour * 255)
    for colour in palette("1b2438", "1d3f73", "4f86ad", "a9c7cf", "f7f1de", "efe2c2", "dfa585")
)


def arc(start, heading: float, length: float, bend, steps: int = 24) -> np.ndarray:
    """Points (steps, 2) of a curve that sets out in a direction and turns by `bend` radians on its way.

    bend: a total, or (steps,) shares of a turn. y grows downwards, and so does the heading.
    """
    turning = np.broadcast_to(bend, steps) / steps
    angle = heading + np.cumsum(turning) - turning / 2
    moves = np.stack([np.cos(angle), np.sin(angle)], 1) * length / steps
    return np.concatenate([[start], start + np.cumsum(moves, 0)])[:-1]


def normals(path: np.ndarray) -> np.ndarray:
    """The unit vectors (steps, 2) across a path."""
    ahead = np.gradient(path, axis=0)
    return np.stack([ahead[:, 1], -ahead[:, 0]], 1) / (np.hypot(*ahead.T)[:, None] + 1e-9)


class Block:
    """The picture in printing: polygons of flat ink, and key lines whose width swells and tapers."""

    def __init__(self, picture: Image.Image, rng: np.random.Generator):
        self.pen, self.rng = ImageDraw.Draw(picture), rng

    def flat(self, outline, ink) -> None:
        """A polygon of one ink."""
        self.pen.polygon([tuple(p) for p in np.asarray(outline) * SCALE], fill=ink)

    def line(self, path, width: float, ink=INK, taper: float = 0.7) -> None:
        """A key line along a path, at most about `width` pixels to each side; taper: 0 is blunt."""
        path = np.asarray(path)
        along = np.linspace(0, 1, len(path))
        swell = np.sin(np.pi * np.clip(along, 0.03, 0.97)) ** taper
        swell = swell * (1 + 0.25 * np.sin(7 * along + self.rng.uniform(0, 6)))
        half = normals(path) * (0.3 + 0.62 * width * swell)[:, None]
        self.flat(np.concatenate([path + half, (path - half)[::-1]]), ink)

    def drop(self, at, radius: float) -> None:
        """A drop of spray, outlined."""
        for r, ink in ((radius + 0.8, INK), (radius, FOAM)):
            x, y = np.asarray(at) * SCALE
            self.pen.ellipse([x - r * SCALE, y - r * SCALE, x + r * SCALE, y + r * SCALE], fill=ink)

    def claw(self, root, heading: float, length: float, bend: float, fingers: int = 3) -> None:
        """A hooked finger of foam, smaller ones along its outer side; open where it grows from the wave."""
        side = np.sign(bend)
        for k in range(fingers):
            reach = 0.25 + 0.5 * (k + 1) / (fingers + 1)
            stem = arc(root, heading, length * reach, bend * reach * 0.6)
            self.finger(stem[-1], heading + bend * reach * 0.3 - side * 0.75, length * 0.42, bend * 0.9)
        self.finger(root, heading, length, bend)

    def finger(self, root, heading: float, length: float, bend: float) -> None:
        """One hook: white, outlined but for its root, its hollow side in shadow."""
        along = np.linspace(0, 1, 24)
        path = arc(root, heading, length, bend * 2 * along)
        # Narrow where it leaves the foam, broad at once, then to a point.
        breadth = np.clip(0.45 + 3 * along, 0, 1) * (1 + 0.3 * np.sin(3 * along)) * (1 - along) ** 0.65
        half = normals(path) * (0.20 * length * breadth)[:, None]
        left, right = path + half, path - half
        self.flat(np.concatenate([left, right[::-1]]), FOAM)
        inner = left if bend < 0 else right
        # The hollow side in pale blue: foam has shadow, but no tones in between.
        share = 0.6 * np.sin(np.pi * along)[:, None] ** 0.7
        self.flat(np.concatenate([inner, (inner * (1 - share) + path * share)[::-1]]), PALE)
        weight = np.clip(length * 0.035, 0.9, 1.9)
        for edge in (left, right):
            self.line(np.concatenate([edge[1:], path[-1:]]), weight)
