"""What the project measures, as one table:

    python -m tests.benchmarks [--quick | --full] [--pictures FOLDER]

The default takes under 20 minutes on two cores, --quick under 2; --full measures all sizes, pairs and weights
and takes an hour or two. Every line compares within this run, so that a slow machine is slow on both sides.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks import evaluation, patches, pictures, starting, transfers
from tests.benchmarks.table import HEAD, Row, machine


def rows(which: str, folder: Path | None) -> Iterator[Row]:
    # First the memory of the process, before anything else has taken some.
    if which != "quick":
        yield from patches.a_large_picture()
    yield from starting.rows()
    yield from patches.against_the_loop()
    yield from patches.training()
    yield from patches.approximate(("median",) if which == "quick" else ("median", "blur", "sketch"))
    sizes = (128, 256, 512, 1024)
    yield from patches.growth(sizes[: {"quick": 2, "usual": 3, "full": 4}[which]])
    yield from evaluation.rows((256,) if which == "quick" else (256, 384))
    if which != "quick":
        yield from transfers.memory((512, 1024) if which == "full" else (512,))
        yield from transfers.devices((512, 1024, 2048) if which == "full" else (512, 1024))
    if which == "quick":
        yield from pictures.rows((96,), weights=(50,), evaluations=160, folder=folder)
    elif which == "full":
        yield from pictures.rows((256, 384, 512), pictures.PAIRS, folder=folder)
    else:
        yield from pictures.rows(folder=folder)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__.split("\n")[0])
    some = parser.add_mutually_exclusive_group()
    some.add_argument("--quick", action="store_true", help="small pictures only, under 2 minutes")
    some.add_argument("--full", action="store_true", help="256, 384 and 512 px, three pairs: an hour or two")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="keep the pictures compared there")
    arguments = parser.parse_args()
    if arguments.pictures:
        arguments.pictures.mkdir(parents=True, exist_ok=True)
    print(machine(), f"\n\n{HEAD}", flush=True)
    started = time.monotonic()
    which = "quick" if arguments.quick else "full" if arguments.full else "usual"
    for row in rows(which, arguments.pictures):
        print(row, flush=True)
        print(f"  after {(time.monotonic() - started) / 60:.1f} minutes", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
