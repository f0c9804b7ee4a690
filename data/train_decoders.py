"""Trains the decoders of the course, which undo VGG-19 and paint: python data/train_decoders.py --steps 2400

Learns on dead leaves, on seven of the sample paintings and on one photograph that comes with Matplotlib. The
sample photographs and the six other paintings are kept out, so that what is shown on them was never trained
on. Stopped with Ctrl-C, or at all, it goes on from its checkpoint when it is called again. Writes the
decoders, a JSON record (the command, seconds, seed, steps, the curve, and what is measured on the pictures
that were kept out), and two contact sheets of them, by AdaIN and by WCT.
"""

import argparse
from pathlib import Path

import matplotlib.cbook
from telling import asked_for, contact_sheet, kill_like_ctrl_c, mean_losses, write_record
from torch import Tensor

import stylelab
from stylelab.arbitrary import LEVELS, Decoders
from stylelab.learning.records import jpeg
from stylelab.losses.distances import psnr

LEARNT = (
    "brick",
    "geometric_abstraction",
    "gravel",
    "impasto",
    "marbled_paper",
    "pen_hatching",
    "tissue",
)
MEASURED = 256  # pixels of the longest side of what was kept out


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Trains the decoders of the course.")
    add = parser.add_argument
    add("--steps", type=int, required=True, help="how many; the same give the same decoders")
    add(
        "--photographs",
        nargs="+",
        help="learn on these pictures; seven paintings and a photograph by default",
    )
    add("--held-out", nargs="+", default=stylelab.sample_names("content"), help="photographs to judge by")
    add("--size", type=int, default=144)
    add("--batch", type=int, default=6)
    add("--painted", type=int, default=3)
    add("--paint-from", type=float, default=0.75, help="the share of the training after which it paints")
    add("--style-weight", type=float, default=1.0)
    add("--learning-rate", type=float, default=1e-3)
    return asked_for(parser, "decoders", words)


def main(words: list[str] | None = None) -> None:
    asked = arguments(words)
    hopper = matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)
    decoders = stylelab.fit_decoders(
        asked.photographs or [*LEARNT, stylelab.load_image(hopper)],
        steps=asked.steps,
        seed=asked.seed,
        checkpoint=asked.checkpoint,
        save_every=asked.every,
        size=asked.size,
        batch=asked.batch,
        painted=asked.painted,
        paint_from=asked.paint_from,
        style_weight=asked.style_weight,
        learning_rate=asked.learning_rate,
    )
    decoders.save(asked.output)
    record = decoders.records[-1]
    if record.interrupted:
        print(f"stopped after {record.steps} steps; the same command goes on from {asked.checkpoint}")
        return
    decoders = Decoders.load(asked.output)  # judged as they are shipped, in half precision
    photographs = {Path(file).stem: stylelab.load_image(file, MEASURED) for file in asked.held_out}
    paintings = {
        name: stylelab.load_image(name, MEASURED)
        for name in stylelab.sample_names("style")
        if name not in (asked.photographs or LEARNT)
    }
    returned = measure(decoders, photographs)
    losses = {}
    for method in (stylelab.AdaIN(decoders=decoders), stylelab.WCT(decoders=decoders)):
        name = type(method).__name__.lower()
        painted = {
            (photograph, painting): method.stylise(image, style)
            for photograph, image in photographs.items()
            for painting, style in paintings.items()
        }
        losses[name] = mean_losses(
            [
                stylelab.relative_losses(made, photographs[photograph], paintings[painting])
                for (photograph, painting), made in painted.items()
            ]
        )
        print(name, losses[name], flush=True)
        rows = [[image, *(painted[p, s] for s in paintings)] for p, image in photographs.items()]
        file = asked.sheet.with_stem(f"{asked.sheet.stem}_{name}")
        file.write_bytes(jpeg(contact_sheet([[None, *paintings.values()], *rows]), quality=90))
    told = {
        "held_out": {
            "size": MEASURED,
            "photographs": list(photographs),
            "paintings": list(paintings),
            "psnr": returned,
            "losses": losses,
        }
    }
    write_record(asked.output.with_suffix(".json"), "train_decoders.py", words, record, told)
    print(f"{asked.output}: {asked.output.stat().st_size:,} bytes after {record.steps} steps")


def measure(decoders: Decoders, photographs: dict[str, Tensor]) -> dict[str, float]:
    """How well photographs come back from each level, in dB, the mean over them."""
    found = {}
    for level in LEVELS:
        there_and_back = stylelab.AdaIN(level, decoders=decoders, precision="float32")
        each = [
            psnr(there_and_back.stylise(image, image, strength=0), image) for image in photographs.values()
        ]
        found[level] = round(sum(each) / len(each), 2)
        print(f"{level}: {found[level]} dB", flush=True)
    return found


if __name__ == "__main__":
    kill_like_ctrl_c()
    main()
