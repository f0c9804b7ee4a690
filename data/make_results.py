"""Makes the pictures in data/results: the recipe quick on pairs of sample pictures, and a banner of them.

    python data/make_results.py

Takes a minute a picture on two cores. Other processors round differently: pictures made elsewhere differ in
details.
"""

from pathlib import Path

import torch

import stylelab
from stylelab.pictures.resampling import resize

RESULTS = Path(__file__).parent / "results"
PAIRS = [
    ("astronaut", "starry_night"),
    ("cat", "stained_glass"),
    ("astronaut", "pen_hatching"),
    ("coffee", "marbled_paper"),
]
SIDE, GAP = 300, 8  # of the banner's square tiles, in pixels


def tile(image: torch.Tensor, side: int) -> torch.Tensor:
    """The middle square of an image, `side` pixels wide."""
    height, width = image.shape[-2:]
    short = min(height, width)
    top, left = (height - short) // 2, (width - short) // 2
    return resize(image[..., top : top + short, left : left + short], (side, side)).clamp(0, 1)


def main() -> None:
    RESULTS.mkdir(exist_ok=True)
    columns = []
    for content, style in PAIRS:
        result = stylelab.transfer(content, style, "quick")
        stylelab.save_image(result.image, RESULTS / f"{content}_{style}.jpg", quality=88)
        painted = tile(result.image, SIDE)
        inset = tile(stylelab.load_image(style), SIDE // 4)
        painted[..., -SIDE // 4 - GAP : -GAP, GAP : SIDE // 4 + GAP] = inset
        columns += [painted, torch.ones(1, 3, SIDE, GAP)]
    stylelab.save_image(torch.cat(columns[:-1], dim=3), RESULTS / "banner.jpg", quality=88)


if __name__ == "__main__":
    main()
