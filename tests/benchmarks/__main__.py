"""What the project measures, as one table:

    python -m tests.benchmarks [--quick | --full] [--only PART] [--pictures FOLDER]

The default takes some 25 minutes on two cores, --quick under 2; --full measures all sizes, pairs and weights
and takes four hours. `--full --only convergence --pictures FOLDER` may be stopped at any time and called
again: what it has measured lies in the folder; so may `painted`. Every line compares within this run, so that
a slow machine is slow on both sides.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.benchmarks import (
    any_style,
    convergence,
    evaluation,
    fast,
    painted,
    patches,
    photorealism,
    pictures,
    starting,
    transfers,
)
from tests.benchmarks.table import HEAD, Row, machine

SLOW = (
    "large",
    "any_style",
    "memory",
    "devices",
    "begun",
    "painted",
    "photorealism",
    "convergence",
)  # not among what --quick measures


def sections(which: str, folder: Path | None) -> dict[str, Callable[[], Iterator[Row]]]:
    """What `--quick`, the default or `--full` measures, by name and in order."""
    quick, full = which == "quick", which == "full"
    compared = {"sizes": (256, 384)}
    if quick:
        compared = {"sizes": (96,), "weights": (50,), "evaluations": 160}
    if full:
        compared = {"sizes": (256, 384, 512), "pairs": pictures.PAIRS}
    begun = {"sizes": (384, 512), "pairs": pictures.PAIRS} if full else {"sizes": (384,), "weights": (20,)}
    sizes = (128, 256, 512, 1024)[: 2 if quick else 4 if full else 3]
    parts = {
        # First the memory of this process, before anything else has taken some.
        "large": patches.a_large_picture,
        "starting": starting.rows,
        "loops": patches.against_the_loop,
        "training": patches.training,
        "approximate": lambda: patches.approximate(("median", "blur", "sketch") if full else ("median",)),
        "growth": lambda: patches.growth(sizes),
        "evaluation": lambda: evaluation.rows((256, 384) if full else (256,)),
        "fast": lambda: fast.rows((256,) if quick else (256, 512)),
        "any_style": lambda: any_style.rows(folder),
        "memory": lambda: transfers.memory((512, 1024) if full else (512,)),
        "devices": lambda: transfers.devices((512, 1024, 2048) if full else (512, 1024)),
        "pictures": lambda: pictures.rows(**compared, folder=folder),
        "begun": lambda: pictures.rows(**begun, folder=folder, fast=True),
        "painted": lambda: painted.rows(painted.STYLES if full else painted.STYLES[:1], folder=folder),
        "photorealism": lambda: photorealism.rows(folder=folder),
        "convergence": lambda: convergence.rows(convergence.PAIRS[: 10 if full else 1], folder=folder),
    }
    return {name: part for name, part in parts.items() if not (quick and name in SLOW)}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__.split("\n")[0])
    some = parser.add_mutually_exclusive_group()
    some.add_argument("--quick", action="store_true", help="small pictures only, under 2 minutes")
    some.add_argument("--full", action="store_true", help="all sizes and pairs: four hours")
    parser.add_argument("--only", choices=sections("full", None), help="one part of it")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="keep the pictures compared there")
    arguments = parser.parse_args()
    if arguments.pictures:
        arguments.pictures.mkdir(parents=True, exist_ok=True)
    print(machine(), f"\n\n{HEAD}", flush=True)
    started = time.monotonic()
    which = "quick" if arguments.quick else "full" if arguments.full else "usual"
    for name, rows in sections(which, arguments.pictures).items():
        if arguments.only in (None, name):
            for row in rows():
                print(row, flush=True)
                print(f"  after {(time.monotonic() - started) / 60:.1f} minutes", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
