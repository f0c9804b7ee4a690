"""Shrink original pictures to samples: python data/shrink.py ORIGINALS DATA

ORIGINALS holds the files named in PICTURES; DATA is this folder. Each picture becomes a JPEG under 120 KB
at the highest quality that fits, its longest side at most 640 pixels; none is enlarged.
"""

import sys
from pathlib import Path

from drawing.canvas import LONGEST, jpeg
from PIL import Image

from stylelab.pictures.loading import load_image
from stylelab.pictures.saving import to_pil

# original: (sample, pixels to crop on every side)
PICTURES = {
    "astronaut.png": ("content/astronaut", 0),
    "chelsea.png": ("content/cat", 0),
    "coffee.png": ("content/coffee", 0),
    "rocket.jpg": ("content/rocket", 0),
    "china.jpg": ("content/pagoda", 0),
    "flower.jpg": ("content/dahlia", 0),
    "starry_night.jpg": ("style/starry_night", 22),  # the scanner's black edge, then bare canvas
    "hubble_deep_field.jpg": ("style/hubble", 0),
    "ihc.png": ("style/tissue", 0),
    "gravel.png": ("style/gravel", 0),
    "brick.png": ("style/brick", 0),
}


def shrink(original: Path, border: int) -> bytes:
    """One original, cropped by `border` pixels on every side, as a sample's JPEG bytes."""
    with Image.open(original) as picture:
        grey = picture.mode == "L"
    image = load_image(original)
    image = image[:, :, border : image.shape[2] - border, border : image.shape[3] - border]
    small = load_image(to_pil(image), size=LONGEST, grey=grey)
    return jpeg(to_pil(small))


def main(originals: Path, data: Path) -> None:
    for original, (sample, border) in PICTURES.items():
        target = data / f"{sample}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(shrink(originals / original, border))
        print(f"{target}: {target.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
