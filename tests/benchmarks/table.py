"""The one table that the benchmarks print: each line a measurement beside its reference and its goal."""

import platform
import sys
import time
from typing import NamedTuple

import psutil
import torch

from stylelab.device import has_fast_bfloat16


class Row(NamedTuple):
    """What was measured: ours and the reference's figure with units, their ratio, the goal, if it is met.

    met is None where no goal was set.
    """

    what: str
    ours: str
    reference: str
    ratio: str
    goal: str
    met: bool | None

    def __str__(self) -> str:
        return "| " + " | ".join((*self[:5], {True: "yes", False: "**no**", None: ""}[self.met])) + " |"


HEAD = "| what | ours | reference | ratio | goal | met |\n|---|---|---|---|---|---|"


def machine() -> str:
    """The processor, what it can do, and the versions that were measured."""
    name = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo") as info:
            name = next(line.split(":")[1].strip() for line in info if line.startswith("model name"))
    except (OSError, StopIteration):
        pass  # not Linux: what platform says must do
    bfloat16 = "with" if has_fast_bfloat16(torch.device("cpu")) else "without"
    return (
        f"{name}, {torch.get_num_threads()} threads, {bfloat16} AVX512-BF16; "
        f"Python {platform.python_version()}, torch {torch.__version__}, {platform.system()}"
    )


def timed(function, *arguments, repeat: int = 1, **options):
    """The function's result, and the least seconds it took of `repeat` times."""
    best = float("inf")
    for _ in range(repeat):
        start = time.perf_counter()
        result = function(*arguments, **options)
        best = min(best, time.perf_counter() - start)
    return result, best


def peak() -> int:
    """The most memory that this process has held so far, in bytes."""
    if sys.platform == "linux":  # whose ru_maxrss begins with that of the process which started this one
        with open("/proc/self/status") as status:
            return 1024 * next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    if sys.platform == "win32":
        return psutil.Process().memory_info().peak_wset
    import resource  # which Windows has not

    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return held if sys.platform == "darwin" else 1024 * held
