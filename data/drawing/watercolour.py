"""Transparent washes on rough paper: edges dry dark, pigment settles in the hollows, water blooms."""

import numpy as np
from PIL import Image

from drawing.canvas import HEIGHT, OVERSAMPLE, WIDTH, finish, grid, noise, palette, smoothstep

PAPER = palette("fbf7ec")[0]
INKS = {
    "rose": palette("e2497f")[0],
    "crimson": palette("c0203f")[0],
    "violet": palette("6f3f9c")[0],
    "indigo": palette("23325f")[0],
    "cobalt": palette("2f62b5")[0],
    "turquoise": palette("2a9a9c")[0],
    "sap": palette("4f8a36")[0],
    "olive": palette("7e8428")[0],
    "yellow": palette("f2bd2c")[0],
    "orange": palette("ea7a2b")[0],
    "sienna": palette("99502c")[0],
}


class Sheet:
    """The paper: what each washed-on pigment has swallowed of the light, in oversampled pixels."""

    def __init__(self, rng: np.random.Generator, seed: int):
        self.rng, (self.x, self.y) = rng, grid()
        self.swallowed = np.zeros((*self.x.shape, 3))
        tooth = noise(self.x / 3.1, self.y / 3.1, seed, 2) + 0.5 * noise(self.x / 9, self.y / 9, seed + 1)
        self.tooth = tooth / np.abs(tooth).max()
        # Three sheets of rough noise, made once: each wash looks at its own place on them.
        self.rough = [
            noise(self.x / 44, self.y / 44, seed + 2, 4),
            noise(self.x / 44, self.y / 44, seed + 3, 4),
            noise(self.x / 90, self.y / 90, seed + 4, 3),
        ]

    def wash(self, inside, ink, strength: float, second=None, edge: float = 1.0, wet: float = 0.0) -> None:
        """One wash. inside: pixels to the edge, positive within, on a box of the sheet (see `petal`).

        strength: optical density in the middle. second: an ink that runs in. edge: how dark the rim dries.
        wet: pixels over which a wash laid into wet paper fades.
        """
        box, distance = inside
        rough, other, slow = (self.somewhere(sheet, box) for sheet in self.rough)
        distance = distance + 5.0 * rough + (0.8 * wet) * other
        soft = 0.7 + wet
        cover = smoothstep(-soft, soft, distance)
        rim = np.exp(-(((distance - 0.8) / 1.5) ** 2)) + 0.45 * np.exp(-np.clip(distance, 0, 99) / 5)
        flow = 0.85 + 0.75 * slow + 0.22 * other
        grains = 1 + 0.55 * self.tooth[box]
        density = strength * cover * np.clip(flow + 0.95 * edge * rim, 0.12, 3) * grains
        swallow = -np.log(np.clip(ink, 0.02, 1))
        if second is not None:
            run = smoothstep(-0.25, 0.35, slow + 0.4 * other)[..., None]
            swallow = swallow * (1 - run) - np.log(np.clip(second, 0.02, 1)) * run
        self.swallowed[box] += density[..., None] * swallow

    def bloom(self, cx: float, cy: float, radius: float) -> None:
        """A drop of water into a damp wash: pigment is pushed out and dries in a crinkled line."""
        box = self.box(cx, cy, radius * 1.5)
        dx, dy = self.x[box] - cx, self.y[box] - cy
        rough, other = (self.somewhere(sheet, box) for sheet in self.rough[:2])
        r = np.hypot(dx, dy) / radius * (1 + 0.42 * rough + 0.25 * np.abs(other))
        lift = 0.62 * smoothstep(1.0, 0.75, r) * (0.6 + 0.4 * smoothstep(0, 0.9, r))
        line = np.exp(-(((r - 1) * radius / 1.6) ** 2))
        fringe = np.exp(-(((r - 1.06) / 0.07) ** 2))
        self.swallowed[box] *= (1 - lift + 0.75 * line + 0.25 * fringe)[..., None]

    def somewhere(self, sheet, box) -> np.ndarray:
        """A piece of rough noise of this size, from any place."""
        high, wide = (at.stop - at.start for at in box)
        top, left = self.rng.integers(0, [sheet.shape[0] - high + 1, sheet.shape[1] - wide + 1])
        return sheet[top : top + high, left : left + wide]

    @staticmethod
    def box(cx: float, cy: float, reach: float):
        left, right = (int(np.clip((cx + d) * OVERSAMPLE, 0, WIDTH * OVERSAMPLE)) for d in (-reach, reach))
        top, bottom = (int(np.clip((cy + d) * OVERSAMPLE, 0, HEIGHT * OVERSAMPLE)) for d in (-reach, reach))
        return np.s_[top:bottom, left:right]

    def petal(self, cx: float, cy: float, angle: float, length: float, width: float, point: float = 1.0):
        """A petal or a leaf from its root outwards: (box, pixels to its edge)."""
        middle = cx + np.cos(angle) * length / 2, cy + np.sin(angle) * length / 2
        box = self.box(*middle, length * 0.75 + width)
        dx, dy = self.x[box] - cx, self.y[box] - cy
        along = (dx * np.cos(angle) + dy * np.sin(angle)) / length
        across = dy * np.cos(angle) - dx * np.sin(angle)
        t = np.clip(along, 0, 1)
        half = width * np.sin(np.pi * t**point) ** 0.8
        beyond = np.clip(np.maximum(-along, along - 1), 0, None) * length
        return box, np.where(beyond > 0, -np.hypot(beyond, across), half - np.abs(across))

    def disc(self, cx: float, cy: float, radius: float, squash: float = 1.0):
        """A drop or a puddle, `squash` times as high as wide: (box, pixels to its edge)."""
        box = self.box(cx, cy, radius * 1.3 + 12)
        return box, radius - np.hypot(self.x[box] - cx, (self.y[box] - cy) / squash)


def flower(sheet: Sheet, cx: float, cy: float, size: float, inks) -> None:
    """Petals that overlap, each of two of the inks run together; a golden heart, violet stamens."""
    rng = sheet.rng
    count, turn = rng.integers(5, 8), rng.uniform(0, 6.3)
    for k in range(count):
        angle = turn + 2 * np.pi * k / count + rng.normal(0, 0.14)
        root = cx + 0.06 * size * np.cos(angle), cy + 0.06 * size * np.sin(angle)
        petal = sheet.petal(*root, angle, size * rng.uniform(0.85, 1.15), size * rng.uniform(0.36, 0.48), 1.6)
        first, second = (INKS[inks[i]] for i in rng.permutation(len(inks))[:2])
        sheet.wash(petal, first, rng.uniform(0.40, 0.68), second, edge=1.15)
        # A second, smaller glaze over the first gives the petal its fold.
        fold = sheet.petal(*root, angle + rng.normal(0, 0.12), size * 0.62, size * 0.15, 1.3)
        sheet.wash(fold, first, 0.38, second, edge=0.8)
    sheet.wash(sheet.disc(cx, cy, size * 0.19), INKS["yellow"], 0.9, INKS["sienna"], edge=1.2)
    for _ in range(12):
        angle, r = rng.uniform(0, 6.3), size * rng.uniform(0.16, 0.34)
        stamen = sheet.disc(cx + r * np.cos(angle), cy + r * np.sin(angle), size * 0.012 + 3.0)
        sheet.wash(stamen, INKS["violet"], 0.55)


def watercolour(seed: int = 32) -> Image.Image:
    """Flowers among leaves: wet washes first, then glazes, then blooms and spatter."""
    rng = np.random.default_rng(seed)
    sheet = Sheet(rng, seed)
    for _ in range(26):
        ink, second = (
            INKS[k] for k in rng.permutation(["turquoise", "cobalt", "violet", "yellow", "sap", "rose"])[:2]
        )
        shape = sheet.disc(
            rng.uniform(0, WIDTH), rng.uniform(0, HEIGHT), rng.uniform(60, 130), rng.uniform(0.6, 1)
        )
        sheet.wash(shape, ink, rng.uniform(0.07, 0.15), second, edge=0.6, wet=rng.choice([2, 16, 26]))
    flowers = (
        (150, 130, 88, ("rose", "crimson", "orange")), (430, 110, 80, ("cobalt", "violet", "turquoise")),
        (300, 285, 92, ("orange", "yellow", "crimson")), (560, 290, 84, ("rose", "violet", "crimson")),
        (90, 370, 82, ("violet", "cobalt", "rose")), (440, 430, 78, ("crimson", "rose", "orange")),
        (270, 20, 56, ("yellow", "orange", "rose")), (620, 60, 62, ("orange", "rose", "yellow")),
        (235, 465, 60, ("turquoise", "cobalt", "violet")), (10, 215, 52, ("yellow", "orange", "sienna")),
    )  # fmt: skip
    middles = np.array([f[:2] for f in flowers], float)
    sizes = np.array([f[2] for f in flowers], float)
    for _ in range(210):
        cx, cy = rng.uniform(-10, WIDTH + 10), rng.uniform(-10, HEIGHT + 10)
        gap = np.hypot(*(middles - [cx, cy]).T) / sizes
        if gap.min() < 0.72:
            continue  # glazed over a flower, green turns to mud
        first, second = (INKS[k] for k in rng.permutation(["sap", "olive", "turquoise", "indigo", "sap"])[:2])
        near = middles[gap.argmin()]
        away = np.arctan2(cy - near[1], cx - near[0]) + rng.normal(0, 0.7)
        leaf = sheet.petal(cx, cy, away, rng.uniform(38, 82), rng.uniform(7, 17))
        sheet.wash(leaf, first, rng.uniform(0.20, 0.50), second, edge=1.1, wet=rng.choice([0, 0, 0, 6]))
    for cx, cy, size, inks in flowers:
        flower(sheet, cx, cy, size, inks)
    for _ in range(26):
        sheet.bloom(rng.uniform(0, WIDTH), rng.uniform(0, HEIGHT), rng.uniform(12, 34))
    for _ in range(70):
        ink = INKS[rng.choice(["rose", "cobalt", "sap", "orange", "indigo"])]
        drop = sheet.disc(rng.uniform(0, WIDTH), rng.uniform(0, HEIGHT), 2.5 + rng.exponential(1.6))
        sheet.wash(drop, ink, 0.7, edge=1.0)
    grain = 1 + 0.035 * sheet.tooth + 0.05 * np.gradient(sheet.tooth, axis=1)
    return finish(PAPER * np.exp(-sheet.swallowed) * grain[..., None])
