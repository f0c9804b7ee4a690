"""Runs notebooks from top to bottom and stores what they showed, as the course keeps it:

    python tests/notebooks/store.py notebooks/03_total_variation.ipynb [more.ipynb …]

What a page viewer cannot draw, or what differs at every run, is left out: the state and the views of widgets
(of a lab stays its text, of a progress bar nothing), time stamps, and what the kernel says about itself.
Where a cell fails, the error is shown and the file stays as it was.
"""

import re
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from stylelab.files import atomic_write

WIDGET = "application/vnd.jupyter.widget-"
PROGRESS = re.compile(r"\s*\d+%\|")  # what is left of a progress bar: how it looked before the first step
WIDGET_TEXT = re.compile(r"[A-Z]\w*\(\w+=")  # what a widget says of itself where it is not shown
LIVE = "Live: run this cell in Jupyter to see it change."
CELL_TIMEOUT = 300  # seconds, as in nbval's run of the same cells


def clean(notebook: nbformat.NotebookNode) -> None:
    """Takes from a notebook that was run what should not be stored."""
    notebook.metadata.pop("widgets", None)
    notebook.metadata.language_info = {"name": "python"}
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            shown = [(output, output.get("data", {}).get("text/plain", "")) for output in cell.outputs]
            cell.outputs = [output for output, text in shown if not PROGRESS.match(text)]
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            for kind in [kind for kind in data if kind.startswith(WIDGET)]:
                del data[kind]
                if WIDGET_TEXT.match(data.get("text/plain", "")):
                    data["text/plain"] = LIVE


def store(path: Path) -> None:
    """Runs the notebook in its own folder, and replaces the file by what it looks like then."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.resolve().parent)}},
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
    )
    client.execute()
    clean(notebook)
    nbformat.validate(notebook)
    with atomic_write(path) as part:
        nbformat.write(notebook, part)


if __name__ == "__main__":
    if not sys.argv[1:]:
        sys.exit(__doc__)
    for name in sys.argv[1:]:
        started = time.perf_counter()
        try:
            store(Path(name))
        except CellExecutionError as error:
            sys.exit(f"{name} is left as it was:\n{error}")
        print(f"{name}: stored after {time.perf_counter() - started:.0f} s")
