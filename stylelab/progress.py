"""The one progress bar of stylelab, as text."""

import sys

from tqdm import tqdm


def progress_bar(total: int, what: str, unit: str, shown: bool = True, delay: float = 2.0) -> tqdm:
    """A bar of `total` units, called `what`; none if not `shown`, or in the first `delay` seconds.

    In notebooks it is text too: a stored widget is dead in every page viewer and reopened notebook.
    """
    in_notebook = type(sys.stdout).__module__.startswith("ipykernel")
    stream = sys.stdout if in_notebook else sys.stderr
    return tqdm(total=total, desc=what, unit=unit, disable=not shown, delay=delay, file=stream)
