"""Notebooks once more, as a learner leaves them who has solved all: each solution pasted over its stub.

That whose last picture is painted by what the learner wrote is run every time; the others, which take as long
again, with STYLELAB_LONG=1 in the environment.
"""

import os
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
ALWAYS = ("03",)
CELL_TIMEOUT = 600  # seconds


def stubs(notebook) -> dict[str, nbformat.NotebookNode]:
    """The cells that are to be written, by id."""
    cells = {cell.id: cell for cell in notebook.cells}
    return {name: cell for name, cell in cells.items() if f"{name}-solution" in cells}


def solved(notebook) -> nbformat.NotebookNode:
    """The notebook with the one block of code of each solution in the place of its stub."""
    cells = {cell.id: cell for cell in notebook.cells}
    for name, stub in stubs(notebook).items():
        blocks = BLOCK.findall(cells[f"{name}-solution"].source)
        assert len(blocks) == 1, f"{name}-solution has {len(blocks)} blocks of code; one can be pasted"
        stub.source = blocks[0].rstrip()
    return notebook


def said(notebook) -> str:
    """All that the cells print and show as text."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    texts = [output.get("text", "") + output.get("data", {}).get("text/plain", "") for output in outputs]
    return "\n".join(texts)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs_with_all_solutions_pasted_in(path):
    notebook = nbformat.read(path, as_version=4)
    untouched = said(notebook)
    assert stubs(notebook), "a learner writes something in every notebook"
    assert "○" in untouched, "the stored run is an untouched one"
    if path.name[:2] not in ALWAYS and not os.environ.get("STYLELAB_LONG"):
        pytest.skip("takes as long as the notebook; STYLELAB_LONG=1 runs it")
    for cell in solved(notebook).cells:
        cell.pop("outputs", None) if cell.cell_type != "code" else cell.update(outputs=[])
    NotebookClient(notebook, timeout=CELL_TIMEOUT, resources={"metadata": {"path": str(FOLDER)}}).execute()
    found = said(notebook)
    verdicts = [line for line in found.splitlines() if line.lstrip().startswith(("✗", "○"))]
    cells = {cell.id: cell.source for cell in notebook.cells}
    # An exercise of taste, such as a weight of one's own, is looked at and has no check.
    checked = [name for name in stubs(notebook) if "checks." in cells.get(f"{name}-check", "")]
    assert checked and not verdicts and found.count("✓") >= len(checked)
    assert path.name[:2] != "03" or "You wrote all of this" in found
    assert path.name[:2] != "03" or "You wrote all of this" not in untouched
