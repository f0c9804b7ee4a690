"""Makes the gallery in data/results: pictures, a page of them, and the README's banner.

    python data/make_results.py [--again]

Takes half a minute to a minute a picture on two cores, and makes only what is missing; --again makes all
anew. Other processors round differently: pictures made elsewhere differ in details.
"""

import sys
from pathlib import Path

import torch

import stylelab
from stylelab.pictures.resampling import resize

RESULTS = Path(__file__).parent / "results"
SIZE = 512
COLUMNS = 4
# In rows as they hang. Each with a change of the recipe, where the pair asks for one.
PAIRS: list[tuple[str, str, dict]] = [
    ("pagoda", "woodblock_waves", {}),
    ("dahlia", "watercolour", {}),
    ("coffee", "geometric_abstraction", {}),
    ("rocket", "impasto", {}),
    ("coffee", "marbled_paper", {"recipe": "quick", "size": 384}),
    ("cat", "stained_glass", {"recipe": "quick", "size": 384}),
    ("astronaut", "starry_night", {"recipe": "quick", "size": 384}),
    ("astronaut", "pen_hatching", {"recipe": "quick", "size": 384}),
]
SIDE, GAP = 300, 8  # of the banner's square tiles, in pixels
PAGE = (
    "# The gallery\n\n"
    "Pictures, each made by the one line below it, in about a minute or less on a laptop's processor. "
    "`python data/make_results.py` makes them all again. Of the photographs, pagoda is by "
    "[danielbuechele](https://www.flickr.com/photos/danielbuechele/6061409035/) and dahlia by "
    "[vultilion](https://www.flickr.com/photos/vultilion/6056698931/), both "
    "[CC BY 2.0](https://creativecommons.org/licenses/by/2.0/) and changed as you see; the astronaut is "
    "Eileen Collins. Where all photographs and styles come from: [data/README.md](../README.md).\n\n"
    "{table}\n"
)


def code(content: str, style: str, settings: dict) -> str:
    """The line that makes a picture."""
    words = [f'"{content}"', f'"{style}"', *(f"{k}={v!r}" for k, v in ({"size": SIZE} | settings).items())]
    return f"stylelab.transfer({', '.join(words)})"


def page() -> str:
    """The gallery as a page of Markdown: a table of pictures, each above its line of code."""
    rows = ["| " * COLUMNS + "|", "|" + "---|" * COLUMNS]
    for first in range(0, len(PAIRS), COLUMNS):
        cells = []
        for content, style, settings in PAIRS[first : first + COLUMNS]:
            words = style.replace("_", " ")
            line = code(content, style, settings).replace(", ", ",<br>")
            cells.append(f"![{content} painted like {words}]({content}_{style}.jpg)<br><code>{line}</code>")
        rows.append(f"| {' | '.join(cells)} |")
    return PAGE.format(table="\n".join(rows))


def tile(image: torch.Tensor, side: int) -> torch.Tensor:
    """The middle square of an image, `side` pixels wide."""
    height, width = image.shape[-2:]
    short = min(height, width)
    top, left = (height - short) // 2, (width - short) // 2
    return resize(image[..., top : top + short, left : left + short], (side, side)).clamp(0, 1)


def banner() -> torch.Tensor:
    """The first row side by side, each with its painting in the corner."""
    columns = []
    for content, style, _ in PAIRS[:COLUMNS]:
        painted = tile(stylelab.load_image(RESULTS / f"{content}_{style}.jpg"), SIDE)
        inset = tile(stylelab.load_image(style), SIDE // 4)
        painted[..., -SIDE // 4 - GAP : -GAP, GAP : SIDE // 4 + GAP] = inset
        columns += [painted, torch.ones(1, 3, SIDE, GAP)]
    return torch.cat(columns[:-1], dim=3)


def main() -> None:
    RESULTS.mkdir(exist_ok=True)
    for content, style, settings in PAIRS:
        file = RESULTS / f"{content}_{style}.jpg"
        if file.exists() and "--again" not in sys.argv:
            continue
        result = stylelab.transfer(content, style, **({"size": SIZE} | settings))
        stylelab.save_image(result.image, file, quality=86)
    stylelab.save_image(banner(), RESULTS / "banner.jpg", quality=88)
    (RESULTS / "README.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
