"""Great curling waves as cut into wood: flat inks, outlines that swell, claws of white foam."""

import numpy as np
from PIL import Image

from drawing.canvas import HEIGHT, WIDTH, enlarged, grid, noise, smoothstep
from drawing.woodcut import DEEP, FOAM, MIDDLE, PALE, PAPER, ROSE, SCALE, Block


def wave(block: Block, base, height: float, lean: float = 1.0, stripes: int = 9) -> None:
    """One curling wave: a horn that rises, arches over towards `lean` (1: right) and ends in foam."""
    rng = block.rng
    steps = 160
    s = np.linspace(0, 1, steps)
    # Upright at first, then ever tighter over the crest.
    turn = np.deg2rad(
        -72 + 8 * np.sin(np.pi * s) - 14 * smoothstep(0, 0.45, s) + 158 * smoothstep(0.22, 1.0, s)
    )
    moves = np.stack([np.cos(turn), np.sin(turn)], 1) * (1.85 * height / steps)
    spine = np.cumsum(moves, 0)
    side = np.stack([np.sin(turn), -np.cos(turn)], 1)  # outwards: the wave's back
    width = height * (0.34 * (1 - s) ** 1.6 + 0.062 * np.sin(np.pi * np.clip(s, 0, 1)) ** 0.8 + 0.012)
    width = width + height * 0.25 * np.clip(0.35 - s, 0, 1) ** 1.3

    def at(u):
        """The curve at u across the horn: -1 the hollow face, 1 the back."""
        points = spine + side * (u * width)[:, None]
        return base + points * [lean, 1]

    block.flat(np.concatenate([at(np.full(steps, 1.0)), at(np.full(steps, -1.0))[::-1]]), DEEP)
    bounds = np.linspace(-1, 1, stripes + 1)
    for k in range(stripes):
        ink = (MIDDLE, DEEP, DEEP, PALE, DEEP, MIDDLE, DEEP, DEEP)[k % 8]
        if ink == DEEP:
            continue
        # A band that swells and tapers: cut freehand.
        wobble = 0.05 * np.sin(9 * s + rng.uniform(0, 6))
        low, high = bounds[k] + wobble, bounds[k + 1] + wobble * 0.6
        middle = (low + high) / 2
        thick = (high - low) / 2 * np.sin(np.pi * np.clip(s * 1.1 + 0.1, 0, 1)) ** 0.5
        a, b = at(middle - thick), at(middle + thick)
        block.flat(np.concatenate([a, b[::-1]]), ink)
        block.line(a, height * 0.006 + 0.5)
        block.line(b, height * 0.006 + 0.5)
    for u in rng.uniform(-0.9, 0.9, 5):
        block.line(at(u + 0.04 * np.sin(8 * s + u * 9))[10:120], height * 0.005 + 0.4)
    back, face = at(np.full(steps, 1.0)), at(np.full(steps, -1.0))
    block.line(back, height * 0.012 + 1.0, taper=0.3)
    block.line(face, height * 0.010 + 0.9, taper=0.3)
    foam(block, at, turn, height, lean)


def foam(block: Block, at, turn, height: float, lean: float) -> None:
    """White over the crest: a body, then claws on it, over its back and all along the lip."""
    rng = block.rng
    steps = len(turn)
    s = np.linspace(0, 1, steps)

    def heading(index, offset):
        angle = turn[index] + offset
        return np.arctan2(np.sin(angle), lean * np.cos(angle))

    grow = 0.55 * smoothstep(0.36, 0.60, s) + 0.45 * smoothstep(0.66, 0.84, s)
    inner = -1 + 0 * s
    outer = -1 + 2.08 * grow
    keep = s > 0.36
    a, b = at(inner)[keep], at(outer)[keep]
    block.flat(np.concatenate([a, b[::-1]]), FOAM)
    block.line(b, height * 0.008 + 0.8, taper=0.4)

    # On the body: claws that point back down the wave, row behind row.
    for row in np.linspace(0.42, 0.97, 13):
        index = int(row * (steps - 1))
        top = -1 + 2.0 * grow[index]
        count = max(1, round((top + 1) * 1.6))
        for u in np.linspace(top - 0.12, -0.9, count):
            root = at(np.full(steps, u + rng.normal(0, 0.05)))[index]
            size = height * rng.uniform(0.075, 0.115)
            backwards = heading(index, np.pi * 0.86 + rng.normal(0, 0.2))
            block.claw(root, backwards, size, -lean * rng.uniform(1.2, 2.0), 2)
    # Over the back: low knuckles. Along the lip: the long claws.
    for row in np.linspace(0.80, 0.99, 6):
        index = int(row * (steps - 1))
        root = at(np.full(steps, 0.95 * grow[index]))[index]
        size = height * rng.uniform(0.06, 0.10)
        block.claw(root, heading(index, -0.35), size, lean * rng.uniform(1.6, 2.3), 2)
    for row in np.linspace(0.36, 1.0, 19):
        index = int(row * (steps - 1))
        root = at(np.full(steps, -0.8))[index]
        size = height * (0.07 + 0.135 * smoothstep(0.36, 0.70, row)) * rng.uniform(0.85, 1.2)
        block.claw(root, heading(index, 0.62 + rng.normal(0, 0.12)), size, lean * rng.uniform(1.3, 2.1), 3)
    lip = at(np.full(steps, -1.0))[-1]
    for _ in range(int(height * 0.26)):
        spread = rng.normal(0, 1, 2) * height * [0.26, 0.22]
        at_drop = lip + spread + [lean * height * 0.16, -height * 0.12]
        block.drop(at_drop, rng.uniform(0.7, 2.0) * (0.5 + height / 400))


def swell(block: Block, level: float, amplitude: float, length: float, phase: float, bands: int) -> None:
    """A row of low water across the picture: parallel bands of blue that follow its rise and fall."""
    rng = block.rng
    x = np.linspace(-20, WIDTH + 20, 260)
    for k in range(bands):
        shrink = 0.82**k
        t = x / length + phase + 0.12 * k
        crests = 0.5 - np.abs(np.sin(np.pi * t)) ** 1.5
        y = level + 11 * k + amplitude * shrink * crests + 2 * np.sin(x / 23 + k)
        edge = np.stack([x, y], 1)
        ink = (FOAM, DEEP, MIDDLE, DEEP, PALE, DEEP, DEEP, MIDDLE)[k % 8]
        block.flat(np.concatenate([edge, [[WIDTH + 20, HEIGHT + 40], [-20, HEIGHT + 40]]]), ink)
        block.line(edge, 1.9 if k == 0 else 1.2, taper=0.1)
        if k == 0:
            for start in np.arange(-10, WIDTH + 10, 13.0):
                root = np.array([start + rng.uniform(-3, 3), 0.0])
                root[1] = np.interp(root[0], x, y) + 2
                up = -np.pi / 2 + rng.uniform(-0.5, 0.6)
                block.claw(root, up, rng.uniform(9, 15), rng.uniform(1.4, 2.2), 1)


def woodblock_waves(seed: int = 11) -> Image.Image:
    """Waves before a far mountain: two blues, paper and ink, the grain of the block in every flat."""
    rng = np.random.default_rng(seed)
    x, y = grid(1)
    # Bokashi: ink wiped off the block by hand, so that a flat fades: blue from above, rose from the horizon.
    sky = np.broadcast_to(np.array(PAPER, float), (*x.shape, 3))
    ring = noise(x / 210, y / 30, seed + 3)
    wood = np.sin(2 * np.pi * (y / 11 + 5 * ring))  # the block's own rings
    for ink, share in (
        (ROSE, smoothstep(60, 250, y)),
        (MIDDLE, 0.95 * smoothstep(105, 12, y)),
        (DEEP, smoothstep(48, -8, y)),
    ):
        share = np.clip(share * (1 + 0.22 * wood), 0, 1)[..., None]
        sky = sky * (1 - share) + np.array(ink) * share
    sky = sky * (1 + 0.025 * wood)[..., None]
    picture = Image.fromarray(np.clip(enlarged(sky, SCALE), 0, 255).astype(np.uint8))
    block = Block(picture, rng)

    top = np.array([392.0, 178.0])
    foot = [[top[0] - 116, 282], [top[0] + 126, 282]]
    left = np.array([foot[0], *(np.array([[-60, 44], [-22, 12], [-7, 0]]) + top)])
    right = np.array([*(np.array([[7, 0], [26, 14], [66, 46]]) + top), foot[1]])
    block.flat(np.concatenate([left, right]), MIDDLE)
    snow = top + np.array(
        [
            [-7, 0], [7, 0], [26, 14], [40, 26], [28, 24], [18, 34], [8, 22],
            [-4, 38], [-12, 22], [-24, 33], [-26, 22], [-38, 28], [-22, 12],
        ]
    )  # fmt: skip
    block.flat(snow, FOAM)
    for slope in (left, right):
        block.line(slope, 1.1, taper=0.2)

    swell(block, 262, 18, 120, 0.1, 4)
    for base, height, lean in (((380, 330), 105, 1), ((735, 372), 295, -1), ((440, 345), 90, -1)):
        wave(block, np.array(base, float), height, lean, 9)
    swell(block, 328, 34, 210, 0.45, 4)
    wave(block, np.array([-66.0, 470.0]), 410, 1, 15)
    wave(block, np.array([610.0, 490.0]), 190, -1, 11)
    swell(block, 392, 46, 260, 0.2, 5)
    wave(block, np.array([250.0, 520.0]), 150, 1, 9)
    swell(block, 452, 36, 180, 0.7, 4)

    grain = noise(x / 70, y / 1.6 + 1.5 * noise(x / 160, y / 40, seed), seed + 1, 2)
    fleck = noise(x / 1.3, y / 1.3, seed + 2)
    small = picture.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    printed = np.asarray(small) / 255 + (0.035 * grain + 0.02 * fleck)[..., None]
    return Image.fromarray((np.clip(printed, 0, 1) * 255).astype(np.uint8))
