"""A river in sunshine, in dots of pure colour: no pigment is mixed but in the eye."""

import numpy as np
from PIL import Image, ImageDraw

from drawing.canvas import HEIGHT, WIDTH, noise, palette, smoothstep

SCALE = 4
# A colour circle of pure pigments, light and dark: none is a mixture with black.
PURE = palette(
    "f7e14d", "f9b233", "ef7d22", "dc3b26", "c2276b", "7d3a94", "3b3f9e", "2469b5", "2f9fc9", "27948a",
    "2f8f45", "8fbf3b", "fbeaa0", "f9c7a8", "f0a5c0", "b9a5dc", "9cc9ee", "b5e0d0", "24276b", "1d5a3a",
)  # fmt: skip
TURNED = np.array(
    [5, 7, 7, 9, 10, 0, 1, 2, 2, 3, 3, 5, 15, 16, 17, 12, 13, 14, 1, 3]
)  # the complement of each
MEANT = {
    "zenith": palette("5f9ae0")[0],
    "glow": palette("f9c9a0")[0],
    "far": palette("7d92c4")[0],
    "water": palette("5f9fd6")[0],
    "sparkle": palette("fbf0c8")[0],
    "lawn": palette("7fb23c")[0],
    "sunny": palette("e4dc5a")[0],
    "shade": palette("2f5f78")[0],
    "tree": palette("24633f")[0],
    "crown": palette("b9c63a")[0],
    "sail": palette("fbf6e4")[0],
    "trunk": palette("5a3566")[0],
}


def mix(a, b, share):
    """From a to b, colours (3,) or (N, 3), by a share (N,)."""
    share = np.clip(share, 0, 1)[..., None]
    return a * (1 - share) + b * share


def scene(x, y):
    """The colour (N, 3) meant at each point (N,): sky, far bank, river with sails, lawn, trees, strollers."""
    drift = noise(x / 90, y / 28, 31, 2)
    colour = mix(MEANT["zenith"], MEANT["glow"], 0.85 * smoothstep(30, 215, y + 44 * drift))
    bank = 196 + 14 * noise(x / 80, 0 * x, 32, 2) - 10 * smoothstep(300, 640, x)
    wood = mix(MEANT["far"], MEANT["tree"], (y - bank) / 40 + 0.3 * drift)
    colour = np.where((y > bank)[..., None], wood, colour)
    ripple = noise(x / 46, y / 5, 33, 2)
    water = mix(MEANT["water"], MEANT["glow"], 0.35 + 0.9 * ripple - (y - 222) / 260)
    water = mix(water, MEANT["tree"], 0.75 * smoothstep(252, 226, y + 18 * ripple))
    water = mix(water, MEANT["sparkle"], 0.9 * smoothstep(60, 0, np.abs(x - 355 + 30 * ripple)))
    colour = np.where((y > 222)[..., None], water, colour)
    for left, foot, tall, wide in ((372, 276, 150, 84), (492, 246, 74, 40), (262, 240, 60, 32)):
        colour = boat(x, y, colour, left, foot, tall, wide, ripple)
    lawn = 330 + 60 * smoothstep(120, 640, x) - 20 * np.sin(x / 140) + 5 * noise(x / 30, 0 * x, 34)
    sunlit = smoothstep(-0.25, 0.3, noise(x / 110, y / 34, 35, 2) + 0.35 - 0.4 * smoothstep(330, 480, y))
    grass = mix(MEANT["lawn"], MEANT["sunny"], noise(x / 50, y / 22, 36) + 0.45)
    colour = np.where((y > lawn)[..., None], mix(MEANT["shade"], grass, sunlit), colour)
    for cx, cy, rx, ry in ((96, 120, 150, 105), (10, 190, 90, 80), (590, 150, 96, 84), (648, 215, 60, 60)):
        colour = tree(x, y, colour, cx, cy, rx, ry, lawn)
    for cx, foot, tall, dress, silk in (
        (196, 452, 138, "dc3b26", "f0a5c0"),
        (262, 458, 122, "24276b", "ef7d22"),
        (492, 462, 104, "7d3a94", "ef7d22"),
    ):
        colour = stroller(x, y, colour, cx, foot, tall, dress, silk)
    return colour


def boat(x, y, colour, left, foot, tall, wide, ripple):
    """A sail and a jib, the hull, and their reflection; left: the mast, foot: the water line."""
    rise = (foot - y) / tall
    sail = (rise > 0.08) & (rise < 1) & (x > left) & (x < left + wide * (1 - rise))
    jib = (rise > 0.08) & (rise < 0.85) & (x < left - 3) & (x > left - 3 - wide * 0.6 * (0.9 - rise))
    hull = (np.abs(rise) <= 0.06) & (np.abs(x - left - wide * 0.2) < wide * (0.75 + rise * 2))
    sway = np.abs(x - left - wide * 0.25 + 9 * ripple)
    mirror = (rise < -0.06) & (rise > -0.6) & (sway < wide * 0.45 * (1 + rise))
    cloth = mix(MEANT["sail"], MEANT["far"], 0.55 * smoothstep(left + 14, left - 4, x))
    colour = np.where((sail | jib)[..., None], cloth, colour)
    colour = np.where(hull[..., None], MEANT["trunk"], colour)
    return np.where(mirror[..., None], 0.45 * colour + 0.55 * MEANT["sail"], colour)


def tree(x, y, colour, cx, cy, rx, ry, lawn):
    """A crown with light on its upper right, and a trunk that stands on the lawn."""
    inside = 1 - np.hypot((x - cx) / rx, (y - cy) / ry) + 0.30 * noise(x / 42, y / 36, 37, 2)
    light = 0.45 + 0.9 * noise(x / 34, y / 26, 38, 2) - (y - cy) / ry * 0.45 + (x - cx) / rx * 0.2
    crown = mix(MEANT["tree"], MEANT["crown"], light)
    crown = mix(crown, MEANT["shade"], 0.7 * smoothstep(0.1, -0.4, light - 0.3))
    trunk = (np.abs(x - cx - 4 * np.sin(y / 30)) < rx * 0.06) & (y > cy + ry * 0.4) & (y < lawn + 26)
    colour = np.where(trunk[..., None], MEANT["trunk"], colour)
    return np.where((inside > 0)[..., None], crown, colour)


def stroller(x, y, colour, cx, foot, tall, dress, silk):
    """A figure in a long dress under a parasol, and the shadow on the grass."""
    rise = (foot - y) / tall
    half = tall * (0.20 - 0.17 * smoothstep(0, 0.55, rise) + 0.03 * (rise > 0.5))
    body = (rise > 0) & (rise < 0.78) & (np.abs(x - cx) < half)
    head = np.hypot(x - cx, y - foot + tall * 0.86) < tall * 0.075
    dome = np.hypot((x - cx) / (tall * 0.36), (y - foot + tall * 0.95) / (tall * 0.26)) < 1
    cast = (np.abs(y - foot - 3) < 5) & (x > cx - 10) & (x < cx + tall * 0.8)
    for where, ink in (
        (cast, MEANT["shade"]),
        (body, palette(dress)[0]),
        (head, palette("f9c7a8")[0]),
        (dome & (y < foot - tall * 0.95), palette(silk)[0]),
    ):
        colour = np.where(where[..., None], ink, colour)
    return colour


def pointillism(seed: int = 23) -> Image.Image:
    """Coats of dots, large to small: local colour, then light and its complement beside each other."""
    rng = np.random.default_rng(seed)
    picture = Image.new("RGB", (WIDTH * SCALE, HEIGHT * SCALE), "#efe4c8")
    pen = ImageDraw.Draw(picture)
    # (spacing and radius in pixels, how far a dot may stray from the colour meant, share of complements)
    coats = ((6.4, 4.8, 0.05, 0.0), (7.0, 4.0, 0.11, 0.03), (7.6, 3.7, 0.14, 0.05), (7.4, 3.1, 0.16, 0.09))
    lightness = PURE @ [0.3, 0.6, 0.1]
    for spacing, radius, stray, opposite in coats:
        across, down = np.meshgrid(
            np.arange(-4, WIDTH + 8, spacing), np.arange(-4, HEIGHT + 8, spacing * 0.866)
        )
        across = across + spacing / 2 * (np.arange(len(across)) % 2)[:, None]
        px, py = (g.ravel() + rng.normal(0, 0.17, g.size) * spacing for g in (across, down))
        meant = scene(px, py)
        wanted = meant + rng.normal(0, stray, meant.shape) * [0.8, 0.7, 1.0]
        far = ((wanted[:, None] - PURE) ** 2 * [0.9, 1.2, 0.7]).sum(2)
        far += 1.6 * ((meant @ [0.3, 0.6, 0.1])[:, None] - lightness) ** 2
        chosen = far.argmin(1)
        turned = rng.random(px.size) < opposite
        chosen = np.where(turned, TURNED[chosen], chosen)
        size = radius * rng.uniform(0.78, 1.18, px.size) * np.where(turned, 0.8, 1)
        shade = rng.normal(1, 0.065, (px.size, 1))
        inks = (np.clip(PURE[chosen] * shade, 0, 1) * 255).astype(int)
        long = rng.uniform(0.9, 1.2, px.size)
        for k in rng.permutation(px.size):
            rx, ry = size[k] * long[k], size[k] / long[k]
            box = [v * SCALE for v in (px[k] - rx, py[k] - ry, px[k] + rx, py[k] + ry)]
            pen.ellipse(box, fill=tuple(inks[k]))
    return picture.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
