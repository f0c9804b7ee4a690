"""Trains the fast network of the course on all sample styles: python data/train_fast.py --steps 20000

Learns on dead leaves and on the paintings themselves; the sample photographs are kept out, so that what is
shown on them was never trained on. Stopped with Ctrl-C, or at all, it goes on from its checkpoint when it is
called again; with more --steps or --minutes it goes on beyond the old end. Writes the network, a JSON record
(the command, seconds, seed, steps, the curve, and each style's losses on the held-out photographs), and a
contact sheet of the styles on those photographs.
"""

import argparse
from pathlib import Path

from telling import TILE, asked_for, contact_sheet, kill_like_ctrl_c, mean_losses, write_record
from torch import Tensor

import stylelab
from stylelab.learning.records import jpeg
from stylelab.pictures.loading import as_image
from stylelab.pictures.pairs import pictures_in

MEASURED = 320  # pixels of the held-out photographs' longest side where losses are measured


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Trains the fast network of the course.")
    add = parser.add_argument
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument("--steps", type=int, help="how many; the same give the same network")
    length.add_argument("--minutes", type=float, help="how long, all goes together")
    add("--styles", nargs="+", default=stylelab.sample_names("style"), help="all sample styles by default")
    add("--photographs", type=Path, help="a folder of more pictures to train on")
    add("--held-out", type=Path, help="a folder to judge by; the sample photographs by default")
    add("--weight", nargs="+", default=[], metavar="NAME=W", help="the style weight of some styles")
    add("--widths", nargs=3, type=int, default=(20, 40, 80))
    add("--size", type=int, default=176)
    add("--batch", type=int, default=4)
    add("--style-weight", type=float, default=5.5)
    add("--style-size", type=int, default=320)
    add("--tv-weight", type=float, default=0.1)
    add("--learning-rate", type=float, default=3e-3)
    add("--leaves", type=float, default=0.5)
    return asked_for(parser, "fast", words)


def main(words: list[str] | None = None) -> None:
    asked = arguments(words)
    weights = dict.fromkeys(asked.styles, asked.style_weight)
    weights |= {name: float(weight) for name, _, weight in (word.partition("=") for word in asked.weight)}
    photographs = [*asked.styles, *(pictures_in(asked.photographs) if asked.photographs else [])]
    network = stylelab.fit_fast_network(
        asked.styles,
        photographs,
        steps=asked.steps,
        seconds=asked.minutes and 60 * asked.minutes,
        seed=asked.seed,
        checkpoint=asked.checkpoint,
        save_every=asked.every,
        widths=tuple(asked.widths),
        size=asked.size,
        batch=asked.batch,
        style_weight=weights,
        style_size=asked.style_size,
        tv_weight=asked.tv_weight,
        learning_rate=asked.learning_rate,
        leaves=asked.leaves,
    )
    network.save(asked.output)
    if network.record.interrupted:
        print(f"stopped after {network.record.steps} steps; the same command goes on from {asked.checkpoint}")
        return
    network = stylelab.FastNetwork.load(asked.output)  # judged as it is shipped, in half precision
    files = pictures_in(asked.held_out) if asked.held_out else stylelab.sample_names("content")
    held_out = {Path(file).stem: as_image(file, MEASURED) for file in files}
    asked.sheet.write_bytes(jpeg(sheet(network, held_out), quality=90))
    losses = measure(network, held_out)
    record = network.record
    told = {"held_out": {"size": MEASURED, "photographs": list(held_out), "losses": losses}}
    write_record(asked.output.with_suffix(".json"), "train_fast.py", words, record, told)
    print(f"{asked.output}: {asked.output.stat().st_size:,} bytes after {record.steps} steps; {asked.sheet}")


def measure(network: stylelab.FastNetwork, held_out: dict[str, Tensor]) -> dict[str, dict[str, float]]:
    """Each style's relative losses, their mean over the held-out photographs, printed as they are found."""
    found, images = {}, held_out.values()
    print(f"{'style':24}content  style")
    for style in network.styles:
        found[style] = mean_losses(
            [stylelab.relative_losses(network.stylise(image, style), image, style) for image in images]
        )
        print(f"{style:24}{found[style]['content']:7.3f}{found[style]['style']:7.3f}", flush=True)
    return found


def sheet(network: stylelab.FastNetwork, held_out: dict[str, Tensor]) -> Tensor:
    """Paintings on top, photographs at the left, (1, 3, H, W)."""
    top = [None, *(as_image(style, TILE) for style in network.styles)]
    photographs = held_out.values()
    return contact_sheet(
        [
            top,
            *([image, *(network.stylise(image, style) for style in network.styles)] for image in photographs),
        ]
    )


if __name__ == "__main__":
    kill_like_ctrl_c()
    main()
