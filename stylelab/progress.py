"""The one progress bar of stylelab, as text."""

import sys

from tqdm import tqdm

# For units that nobody counts: the share of the work, and what is said of it.
BY_WORK = "{desc}: {percentage:3.0f}%|{bar}| [{elapsed}<{remaining}{postfix}]"


def progress_bar(
    total: float, what: str, unit: str, shown: bool = True, delay: float = 2.0, layout: str | None = None
) -> tqdm:
    """A bar of `total` units, called `what`; none if not `shown`, or in the first `delay` seconds.

    layout: tqdm's bar_format, its own unless given. In notebooks it is text too: a stored widget is dead in
    every page viewer and reopened notebook.
    """
    in_notebook = type(sys.stdout).__module__.startswith("ipykernel")
    stream = sys.stdout if in_notebook else sys.stderr
    return tqdm(
        total=total, desc=what, unit=unit, disable=not shown, delay=delay, file=stream, bar_format=layout
    )
