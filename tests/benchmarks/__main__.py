"""What the project measures, as one table:

    python -m tests.benchmarks [--quick | --full]

The default takes under 20 minutes on two cores, --quick under 2; --full measures all sizes, pairs and weights
and takes hours. Every line compares within this run, so that a slow machine is slow on both sides.
"""

import argparse
from collections.abc import Iterator

from tests.benchmarks import evaluation, patches, pictures, starting
from tests.benchmarks.table import HEAD, Row, machine


def rows(which: str) -> Iterator[Row]:
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
    if which == "quick":
        yield from pictures.rows((96,), weights=(50,), evaluations=160)
    elif which == "full":
        yield from pictures.rows((256, 384, 512), pictures.PAIRS)
    else:
        yield from pictures.rows()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__.split("\n")[0])
    some = parser.add_mutually_exclusive_group()
    some.add_argument("--quick", action="store_true", help="small pictures only, under 2 minutes")
    some.add_argument("--full", action="store_true", help="256, 384 and 512 px, three pairs: hours")
    arguments = parser.parse_args()
    print(machine(), f"\n\n{HEAD}", flush=True)
    for row in rows("quick" if arguments.quick else "full" if arguments.full else "usual"):
        print(row, flush=True)


if __name__ == "__main__":
    main()
