"""Discs, arcs, triangles, lines and checks on a warm ground, whose colours mix where they overlap."""

import numpy as np
from PIL import Image, ImageDraw

from drawing.canvas import HEIGHT, WIDTH, enlarged, finish, grid, noise, palette, smoothstep

SCALE = 3
BLACK = palette("17151c")[0]
COLOURS = palette(
    "d9342b", "f0b323", "1f4e9e", "2a8c82", "6a3d8f", "ef7f3b", "e58fa6", "78b6d6", "f6dd74", "8c2338",
    "3d6b3a", "17151c", "fbf3e0",
)  # fmt: skip
WEIGHTS = np.array([4, 4, 4, 3, 3, 3, 2.5, 2.5, 2.5, 2, 1.5, 1.6, 1.6])


def disc(cx: float, cy: float, radius: float, start: float = 0.0, turn: float = 2 * np.pi) -> np.ndarray:
    """The outline of a disc, or of the part of it that a chord cuts off."""
    angle = start + np.linspace(0, turn, 96)
    return np.stack([cx + radius * np.cos(angle), cy + radius * np.sin(angle)], 1)


def arc(cx: float, cy: float, radius: float, width: float, start: float, turn: float) -> np.ndarray:
    """The outline of a bow that is `width` thick in the middle and thins out towards its ends."""
    share = np.linspace(0, 1, 80)
    angle, half = start + share * turn, width / 2 * (0.35 + 0.65 * np.sin(np.pi * share))
    way = np.stack([np.cos(angle), np.sin(angle)], 1)
    outer, inner = way * (radius + half)[:, None], way * (radius - half)[:, None]
    return np.array([cx, cy]) + np.concatenate([outer, inner[::-1]])


def bar(a, b, width: float, end: float | None = None) -> np.ndarray:
    """The outline of a straight stroke from a to b, `width` wide at a and `end` wide at b."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    along = (b - a) / np.hypot(*(b - a))
    across = np.array([-along[1], along[0]])
    last = width if end is None else end
    return np.array(
        [a + across * width / 2, b + across * last / 2, b - across * last / 2, a - across * width / 2]
    )


class Composition:
    """The picture, oversampled, and how many shapes lie over each of its pixels."""

    def __init__(self, rng: np.random.Generator, seed: int):
        self.rng = rng
        x, y = grid(1)
        cloud = noise(x / 260, y / 220, seed, 2)[..., None]
        warm, rosy, pale = palette("efd9ae", "e3b58c", "f7ecd0")
        self.picture = (
            warm + (rosy - warm) * smoothstep(0, 0.8, cloud) + (pale - warm) * smoothstep(0, -0.7, cloud)
        )
        self.picture = enlarged(self.picture, SCALE)
        self.layers = np.zeros(self.picture.shape[:2], int)
        # Scumbled by hand: no flat is quite flat.
        touch = 1 + 0.06 * noise(x / 22, y / 16, seed + 1, 3) + 0.03 * noise(x / 1.7, y / 1.7, seed + 2)
        self.touch = enlarged(touch, SCALE)

    def colour(self) -> np.ndarray:
        return COLOURS[self.rng.choice(len(COLOURS), p=WEIGHTS / WEIGHTS.sum())]

    def fill(self, outline, colour, solid: bool = False) -> None:
        """A shape: in its own colour on the ground, in a mixture over other shapes unless it is solid."""
        box, inside = self.stencil(outline, lambda pen, points: pen.polygon(points, fill=255))
        under, layers = self.picture[box], self.layers[box]
        # The geometric mean is what two glazes make; what grey it has is taken out again.
        mixed = np.sqrt(np.clip(under, 0.02, 1) * np.clip(colour, 0.02, 1))
        grey = mixed.mean(-1, keepdims=True)
        mixed = np.clip(grey + 1.45 * (mixed - grey), 0, 1)
        mixes = (layers > 0) & (not solid)
        under[inside] = np.where(mixes[..., None], mixed, colour)[inside]
        if not solid:
            layers[inside] += 1

    def outline(self, outline, width: float) -> None:
        """A thin black line round a shape."""
        thick = round(width * SCALE)
        box, inside = self.stencil(
            [*outline, *outline[:2]],
            lambda pen, points: pen.line(points, fill=255, width=thick, joint="curve"),
        )
        self.picture[box][inside] = BLACK

    @staticmethod
    def stencil(outline, draw):
        """Where a shape lies: a box of the picture, and within it the pixels that `draw` covers."""
        points = np.asarray(outline) * SCALE
        edge = np.array([WIDTH, HEIGHT]) * SCALE
        low = np.clip(np.floor(points.min(0)).astype(int) - 4, 0, edge - 1)
        high = np.clip(np.ceil(points.max(0)).astype(int) + 5, low + 1, edge)
        mask = Image.new("L", tuple((high - low).tolist()))
        draw(ImageDraw.Draw(mask), [tuple(p) for p in points - low])
        return np.s_[low[1] : high[1], low[0] : high[0]], np.asarray(mask) > 0

    def line(self, a, b, width: float, end: float | None = None) -> None:
        self.fill(bar(a, b, width, end), BLACK, solid=True)

    def halo(self, cx: float, cy: float, radius: float, colour) -> None:
        """A glow round a disc, sprayed on."""
        y, x = np.ogrid[: HEIGHT * SCALE, : WIDTH * SCALE]
        r = np.hypot(x / SCALE - cx, y / SCALE - cy)
        share = 0.85 * smoothstep(radius * 1.45, radius * 0.95, r)[..., None]
        self.picture += share * (colour - self.picture)

    def rings(self, cx: float, cy: float, radius: float, count: int) -> None:
        """A disc in a disc in a disc; each a little off the middle."""
        shift = self.rng.uniform(-0.08, 0.08, 2) * radius
        for k in range(count):
            share = (1 - k / count) ** 0.9
            self.fill(disc(cx + shift[0] * k, cy + shift[1] * k, radius * share), self.colour(), solid=k > 0)
        self.outline(disc(cx, cy, radius), 0.9)

    def checks(
        self, cx: float, cy: float, cell: float, rows: int, columns: int, angle: float, skew: float
    ) -> None:
        """A piece of a chessboard, seen aslant."""
        inks = self.colour(), self.colour()
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle) + skew, np.cos(angle)]])
        for i in range(rows):
            for j in range(columns):
                square = np.array([[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]]) - [rows / 2, columns / 2]
                ink = (BLACK, inks[0], COLOURS[12], inks[1])[(i + j) % 2 * 2 + (i * 3 + j * 5) % 7 // 5]
                self.fill(square * cell @ turn + [cx, cy], ink, solid=(i + j) % 2 == 0)

    def sheaf(self, cx: float, cy: float, length: float, gap: float, count: int, angle: float) -> None:
        """Lines side by side, like the staves of a score; some end in a bead."""
        way, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
        for k in range(count):
            middle = np.array([cx, cy]) + across * gap * (k - count / 2)
            half = way * length / 2 * self.rng.uniform(0.75, 1.1)
            self.line(middle - half, middle + half, self.rng.choice([0.9, 1.3, 2.2]))
            if self.rng.random() < 0.35:
                self.fill(
                    disc(*(middle + half * self.rng.uniform(-0.8, 1)), gap * 0.55), self.colour(), solid=True
                )

    def triangle(self, cx: float, cy: float, size: float, angle: float) -> None:
        """A sharp triangle that points in a direction, with an outline or without."""
        left, right = 2.35 + self.rng.uniform(-0.2, 0.3), -2.35 + self.rng.uniform(-0.3, 0.2)
        corners = angle + np.array([0, left, right])
        points = np.array([cx, cy]) + size * np.stack([np.cos(corners), np.sin(corners)], 1)
        self.fill(points, self.colour())
        if self.rng.random() < 0.5:
            self.outline(points, 1.1)


def geometric_abstraction(seed: int = 41) -> Image.Image:
    """Large forms for the weight, middle ones for the rhythm, small ones to fill every gap with play."""
    rng = np.random.default_rng(seed)
    work = Composition(rng, seed)
    work.halo(128, 118, 92, palette("e58fa6")[0])
    work.halo(500, 330, 70, palette("f6dd74")[0])
    for cx, cy, size, angle in (
        (330, 250, 210, -1.2), (520, 170, 150, 2.5), (180, 380, 130, -0.4), (420, 420, 120, -1.6),
    ):  # fmt: skip
        work.triangle(cx, cy, size, angle)
    for cx, cy, radius in (
        (128, 118, 92), (500, 330, 72), (360, 110, 56), (70, 380, 60), (585, 90, 52), (270, 340, 50),
    ):  # fmt: skip
        work.rings(cx, cy, radius, int(rng.integers(3, 6)))
    for cx, cy, radius, width, start, turn in (
        (300, 300, 220, 15, 3.5, 1.9), (420, 210, 170, 10, -0.6, 2.2), (150, 300, 130, 12, 0.2, 2.4),
        (560, 420, 120, 9, 3.0, 2.0), (240, 60, 90, 8, 0.4, 2.2),
    ):  # fmt: skip
        work.fill(arc(cx, cy, radius, width, start, turn), work.colour(), solid=True)

    # The middle and the small: dart after dart, kept if it is not too near another of its size.
    for count, low, high in ((44, 20, 36), (110, 10, 18), (120, 5, 9)):
        placed: list[tuple[float, float, float]] = []
        for _ in range(count * 30):
            if len(placed) == count:
                break
            x, y, size = rng.uniform(0, WIDTH), rng.uniform(0, HEIGHT), rng.uniform(low, high)
            if any(np.hypot(x - a, y - b) < 0.9 * (size + c) for a, b, c in placed):
                continue
            placed.append((x, y, size))
            angle, kind = rng.uniform(0, 2 * np.pi), rng.random()
            if kind < 0.22:
                work.rings(x, y, size, int(rng.integers(1, 4)))
            elif kind < 0.36:
                work.fill(disc(x, y, size * 1.1, angle, np.pi), work.colour())
            elif kind < 0.50:
                work.triangle(x, y, size * 1.3, angle)
            elif kind < 0.62:
                cells = 3 if size < 12 else 5
                work.checks(
                    x, y, size * 1.9 / cells, cells, int(rng.integers(2, 5)), angle, rng.uniform(-0.5, 0.5)
                )
            elif kind < 0.76:
                work.sheaf(x, y, size * 3.2, max(2.6, size / 5), int(rng.integers(3, 7)), angle)
            elif kind < 0.90:
                for k in range(int(rng.integers(1, 4))):
                    work.fill(
                        arc(x, y, size * (1.2 - 0.3 * k), max(1.4, size / 9), angle, rng.uniform(1.8, 3.4)),
                        BLACK if rng.random() < 0.6 else work.colour(), solid=True,
                    )  # fmt: skip
            else:
                way = np.array([np.cos(angle), np.sin(angle)])
                work.fill(bar([x, y] - way * size, [x, y] + way * size, size * 0.7), work.colour())
    for a, b, width, end in (
        ((20, 470), (330, 30), 3.2, 1.0), ((200, 20), (640, 300), 1.2, 3.4),
        ((30, 250), (620, 390), 1.0, 1.0), ((390, 470), (560, 10), 2.6, 0.9),
        ((0, 60), (300, 200), 1.2, 1.2), ((330, 460), (640, 230), 4.0, 1.2),
    ):  # fmt: skip
        work.line(a, b, width, end)
    return finish(work.picture * work.touch[..., None])
