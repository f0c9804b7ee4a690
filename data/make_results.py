"""Makes the gallery: the pictures in data/results, the page that shows them, and the README's banner.

And one photograph in twelve styles of the fast network, for notebook 09, three in six paintings that
nothing was trained on, for notebook 10, and one with other paintings in each of its regions, for notebook 11.

    python data/make_results.py                        # all of them: about a minute each on two cores
    python data/make_results.py cat_pen_hatching       # these again, the page and the banner

Other processors round differently: pictures made elsewhere differ in details.
"""

import sys
from pathlib import Path

import torch
import torch.nn.functional as F

import stylelab
from stylelab.pictures.resampling import resize

RESULTS = Path(__file__).parent / "results"
SIZE = 512  # longest side in pixels
GALLERY = (  # photograph, painting, and what is set otherwise than by the default recipe
    ("pagoda", "woodblock_waves", {}),
    ("coffee", "marbled_paper", {}),
    ("rocket", "impasto", {}),
    ("dahlia", "starry_night", {}),
    ("pagoda", "starry_night", {}),
    ("rocket", "geometric_abstraction", {}),
    ("dahlia", "pointillism", {}),
    ("cat", "stained_glass", {}),
    ("rocket", "starry_night", {}),
    ("pagoda", "impasto", {}),
    ("cat", "pen_hatching", {}),
    ("rocket", "stained_glass", {}),
    ("coffee", "starry_night", {}),
    ("rocket", "woodblock_waves", {}),
    ("pagoda", "watercolour", {}),
    ("pagoda", "pen_hatching", {}),
    ("cat", "watercolour", {}),
    ("dahlia", "impasto", {}),
    ("astronaut", "pen_hatching", {}),
    ("coffee", "pointillism", {}),
)
CREDITS = (
    "*pagoda* is a photograph by [danielbuechele](https://www.flickr.com/photos/danielbuechele/6061409035/)",
    "*dahlia* is one by [vultilion](https://www.flickr.com/photos/vultilion/6056698931/)",
)
FAST_CONTENT = "pagoda"  # painted by the fast network, four styles in a row
FAST_STYLES = (
    *("starry_night", "woodblock_waves", "stained_glass", "impasto"),
    *("pointillism", "watercolour", "pen_hatching", "geometric_abstraction"),
    *("marbled_paper", "hubble", "brick", "tissue"),
)
FAST_SIZE = 256  # longest side of each, in pixels
ANY_CONTENT = ("pagoda", "cat", "dahlia")  # painted by WCT, a row each
ANY_STYLES = (  # which the decoders did not learn on
    *("starry_night", "stained_glass", "woodblock_waves"),
    *("watercolour", "pointillism", "hubble"),
)
CONTROL_STYLES = (  # for the sky, the tower and the trees of FAST_CONTENT; None: the photograph stays
    ("starry_night", None, None),
    ("starry_night", "stained_glass", "watercolour"),
    ("woodblock_waves", "pen_hatching", "pen_hatching"),
    (None, "impasto", "impasto"),
)
CONTROL_COLOURS = ((0.34, 0.71, 0.91), (0.9, 0.62, 0.0), (0.0, 0.45, 0.35))  # in which the regions are shown
CONTROL_SIZE = 384
SHOWN, SIDE, GAP = 4, 300, 8  # in the banner: how many, and how wide a square tile and its margin, in pixels


def main(wanted: list[str]) -> None:
    RESULTS.mkdir(exist_ok=True)
    unknown = set(wanted) - {f"{content}_{style}" for content, style, _ in GALLERY}
    if unknown:
        raise SystemExit(f"not in the gallery: {', '.join(sorted(unknown))}")
    for content, style, settings in GALLERY:
        if not wanted or f"{content}_{style}" in wanted:
            result = stylelab.transfer(content, style, size=SIZE, **settings)
            stylelab.save_image(result.image, file(content, style), result.settings(), quality=85)
    (RESULTS / "README.md").write_text(page(), encoding="utf-8")
    stylelab.save_image(banner(), RESULTS / "banner.jpg", quality=88)
    stylelab.save_image(fast_sheet(), RESULTS / f"fast_{FAST_CONTENT}.jpg", quality=85)
    stylelab.save_image(any_style_sheet(), RESULTS / "any_style.jpg", quality=85)
    stylelab.save_image(control_sheet(), RESULTS / "control.jpg", quality=85)


def file(content: str, style: str) -> Path:
    return RESULTS / f"{content}_{style}.jpg"


def line(content: str, style: str, settings: dict) -> str:
    """The code that makes a picture of the gallery."""
    given = "".join(f", {name}={value!r}" for name, value in settings.items())
    return f'stylelab.transfer("{content}", "{style}", size={SIZE}{given})'


def page() -> str:
    """The gallery's page: two pictures a row, each above its line of code."""
    parts = [
        "# The gallery",
        f"{len(GALLERY)} pictures of {SIZE} pixels (the cat's photograph has 451), each made by the line "
        "below it, in about a minute on two cores of a laptop. The recipe is the default where the line says "
        "nothing else. Each file holds its "
        "own settings: give its path as `recipe=`, or to `--recipe`, and they are used again. "
        "`python data/make_results.py` makes all of them, and this page.",
        "The photographs and paintings, with author and licence, are listed in "
        f"[data/README.md](../README.md); {' and '.join(CREDITS)}, both CC BY 2.0 and changed here: whoever "
        "passes on a picture made from one of them names its author too.",
        "<table>",
    ]
    for pair in zip(GALLERY[::2], GALLERY[1::2], strict=True):
        parts += ["<tr>", *(_cell(*one) for one in pair), "</tr>"]
    return "\n\n".join(parts[:3]) + "\n\n" + "\n".join([*parts[3:], "</table>"]) + "\n"


def _cell(content: str, style: str, settings: dict) -> str:
    alt = f"{content}, painted like {style.replace('_', ' ')}"
    picture = f'<img src="{file(content, style).name}" alt="{alt}" width="400">'
    code = line(content, style, settings).replace("stylelab.transfer(", "transfer(")
    return f'<td valign="bottom">{picture}<br><code>{code}</code></td>'


def banner() -> torch.Tensor:
    """The first pictures of the gallery in a row, each with its painting in a corner."""
    columns = []
    for content, style, _ in GALLERY[:SHOWN]:
        painted = tile(stylelab.load_image(file(content, style)), SIDE)
        inset = tile(stylelab.load_image(style), SIDE // 4)
        painted[..., -SIDE // 4 - GAP : -GAP, GAP : SIDE // 4 + GAP] = inset
        columns += [painted, torch.ones(1, 3, SIDE, GAP)]
    return torch.cat(columns[:-1], dim=3)


def fast_sheet() -> torch.Tensor:
    """One photograph in twelve styles of the fast network, four in a row."""
    network = stylelab.FastNetwork.load()
    image = stylelab.load_image(FAST_CONTENT, FAST_SIZE)
    made = [F.pad(network.stylise(image, style).cpu(), (0, GAP, 0, GAP), value=1.0) for style in FAST_STYLES]
    rows = [torch.cat(made[start : start + 4], dim=3) for start in range(0, len(made), 4)]
    return torch.cat(rows, dim=2)[..., :-GAP, :-GAP]


def any_style_sheet() -> torch.Tensor:
    """Three photographs, a row each, in six paintings, which stand on top."""
    method, side = stylelab.WCT(), SIDE * 2 // 3
    rows = [[stylelab.load_image(style) for style in ANY_STYLES]]
    for content in ANY_CONTENT:
        image = stylelab.load_image(content, FAST_SIZE)
        rows.append([method.stylise(image, style).cpu() for style in ANY_STYLES])
    made = [
        torch.cat([F.pad(tile(image, side), (0, GAP, 0, GAP), value=1.0) for image in row], dim=3)
        for row in rows
    ]
    return torch.cat(made, dim=2)[..., :-GAP, :-GAP]


def control_sheet() -> torch.Tensor:
    """A photograph, three regions found in it, and pictures with other paintings in each, three in a row."""
    image = stylelab.load_image(FAST_CONTENT, CONTROL_SIZE)
    regions = stylelab.segment(image, len(CONTROL_COLOURS))
    colours = [torch.tensor(colour).view(1, 3, 1, 1) for colour in CONTROL_COLOURS]
    made = [image, sum(colour * region for colour, region in zip(colours, regions, strict=True))]
    for styles in CONTROL_STYLES:
        laid_on = {
            style: [region for name, region in zip(styles, regions, strict=True) if name == style]
            for style in dict.fromkeys(filter(None, styles))
        }
        masks = [sum(parts).clamp(max=1) for parts in laid_on.values()]
        made.append(stylelab.transfer(image, list(laid_on), masks=masks).image)
    height = round(SIDE * image.shape[-2] / image.shape[-1])
    small = [resize(one, (height, SIDE)).clamp(0, 1) for one in made]
    padded = [F.pad(one, (0, GAP, 0, GAP), value=1.0) for one in small]
    rows = [torch.cat(padded[start : start + 3], dim=3) for start in range(0, len(padded), 3)]
    return torch.cat(rows, dim=2)[..., :-GAP, :-GAP]


def tile(image: torch.Tensor, side: int) -> torch.Tensor:
    """The middle square of an image, `side` pixels wide."""
    height, width = image.shape[-2:]
    short = min(height, width)
    top, left = (height - short) // 2, (width - short) // 2
    return resize(image[..., top : top + short, left : left + short], (side, side)).clamp(0, 1)


if __name__ == "__main__":
    main(sys.argv[1:])
