"""Draw the styles that are made of nothing but numbers: python data/draw_styles.py FOLDER

Style is statistics, and these pictures have little other content. Each is a file in drawing/, is drawn
larger than it ends up, with a fixed seed, and takes a few seconds.
"""

import sys
from pathlib import Path

from drawing.canvas import jpeg
from drawing.geometric_abstraction import geometric_abstraction
from drawing.impasto import impasto
from drawing.marbled_paper import marbled_paper
from drawing.pen_hatching import pen_hatching
from drawing.pointillism import pointillism
from drawing.stained_glass import stained_glass
from drawing.watercolour import watercolour
from drawing.woodblock_waves import woodblock_waves

STYLES = {
    "stained_glass": stained_glass,
    "marbled_paper": marbled_paper,
    "pen_hatching": pen_hatching,
    "woodblock_waves": woodblock_waves,
    "pointillism": pointillism,
    "impasto": impasto,
    "watercolour": watercolour,
    "geometric_abstraction": geometric_abstraction,
}


def main(folder: Path) -> None:
    for name, draw in STYLES.items():
        target = folder / f"{name}.jpg"
        target.write_bytes(jpeg(draw()))
        print(f"{target}: {target.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
