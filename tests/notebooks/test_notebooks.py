"""What a stored notebook must be before anybody runs it; nbval, in the same run of pytest, runs its cells."""

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
MACHINE_PATH = re.compile(
    r"(?<![\w./:~-])(?:/(?:home|root|Users|tmp|var|opt|mnt|work|private)/|[A-Z]:\\)[\w.]*"
)
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|TBD)\b")
UNTESTED = re.compile(r"NBVAL_(SKIP|IGNORE_OUTPUT|RAISES_EXCEPTION)")
TAGS = {"nbval-check-output"}
STORE = "store a clean run: python tests/notebooks/store.py notebooks/…"
LABS = {  # by the number of the notebook
    0: "first_picture",
    1: "gram",
    2: "content",
    3: "total_variation",
    4: "colour",
    5: "patches",
    6: "differences",
    9: "fast",
    10: "any_style",
}
EVERYWHERE = {
    "what you will do": r"In this notebook you will",
    "what you need to know": r"you need|need to know",
    "measured time": r"\b(minutes?|seconds?)\b",
    "a prediction": r"predict",
    "the lab": r"\blab\b",
    "exercises": r"^#+ .*exercise",
    "what to remember": r"^#+ .*remember",
    "references": r"references?\b",
}
# The first notebook makes a picture before it explains anything: no derivation, no lab, no exercises yet.
FIRST = {key: EVERYWHERE[key] for key in ("what you will do", "what you need to know", "measured time")}


def pytest_generate_tests(metafunc):
    if "path" in metafunc.fixturenames:
        metafunc.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


@pytest.fixture
def notebook(path):
    return nbformat.read(path, as_version=nbformat.NO_CONVERT)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def outputs(notebook):
    """(cell, output) for every output of every code cell."""
    return [(cell, output) for cell in code_cells(notebook) for output in cell.outputs]


def prose(notebook):
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def printed(output):
    """What a reader reads in an output: its stream or its text forms, never the bytes of pictures."""
    data = output.get("data", {})
    return output.get("text", "") + "".join(str(data[kind]) for kind in data if kind.startswith("text/"))


def test_notebooks_are_numbered_in_reading_order():
    assert NOTEBOOKS, "no notebooks found"
    assert NOTEBOOKS[0].name == "00_first_picture.ipynb"
    numbers = [re.fullmatch(r"(\d\d)_[a-z0-9_]+\.ipynb", path.name)[1] for path in NOTEBOOKS]
    assert len(numbers) == len(set(numbers))


def test_is_a_valid_small_notebook(path, notebook):
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) >= (4, 5), "cells have ids from nbformat 4.5 on"
    ids = [cell.id for cell in notebook.cells]
    assert len(ids) == len(set(ids))
    assert notebook.metadata.kernelspec.name == "python3"
    assert path.stat().st_size < 2_000_000


def test_opens_with_a_title_and_has_its_sections(path, notebook):
    first = notebook.cells[0]
    assert first.cell_type == "markdown" and first.source.startswith("# ")
    needed = FIRST if path.name.startswith("00_") else EVERYWHERE
    text = prose(notebook)
    missing = [name for name, pattern in needed.items() if not re.search(pattern, text, re.I | re.M)]
    assert not missing
    assert len(re.findall(r"^# ", text, re.M)) == 1, "one title"


def test_exercises_come_with_hidden_hints_and_solutions(path, notebook):
    text = prose(notebook)
    assert text.count("<details") == text.count("</details>") == text.count("<summary")
    if not path.name.startswith("00_"):
        exercises = re.split(r"^#+ .*exercise", text, maxsplit=1, flags=re.I | re.M)[1]
        numbered = re.findall(r"^(?:\*\*|#+ )(?:Exercise )?(\d)", exercises, re.I | re.M)
        assert len(set(numbered)) >= 3, (
            f"three exercises or more, each titled with its number; found {numbered}"
        )
        summaries = " ".join(re.findall(r"<summary>(.*?)</summary>", exercises, re.S)).lower()
        assert "hint" in summaries and "solution" in summaries


def test_stores_one_clean_run_from_top_to_bottom(notebook):
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1))
    assert not [cell.id for cell in notebook.cells if "execution" in cell.metadata], (
        "time stamps change at every run"
    )
    stored = [o.execution_count for _, o in outputs(notebook) if o.output_type == "execute_result"]
    shown = [c.execution_count for c, o in outputs(notebook) if o.output_type == "execute_result"]
    assert stored == shown


def test_stores_no_error_and_no_stderr(notebook):
    assert not [(cell.id, o.ename) for cell, o in outputs(notebook) if o.output_type == "error"]
    assert not [(cell.id, o.text) for cell, o in outputs(notebook) if o.get("name") == "stderr"]


def test_the_lab_has_a_picture_for_readers_without_a_kernel(path, notebook):
    number = int(path.name[:2])
    if number not in LABS:
        return
    cells = code_cells(notebook)
    live = next((place for place, cell in enumerate(cells) if cell.id == "lab"), None)
    assert live is not None, 'give the cell of the lab the id "lab"'
    assert cells[live].source.splitlines()[-1] == f"labs.{LABS[number]}()"
    assert [list(output.data) for output in cells[live].outputs] == [["text/plain"]], STORE
    beside = {kind for output in cells[live + 1].outputs for kind in output.get("data", {})}
    assert any(kind.startswith("image/") for kind in beside)


def test_stores_no_widget_that_would_be_dead_in_a_reopened_notebook(notebook):
    kinds = [(cell.id, kind) for cell, output in outputs(notebook) for kind in output.get("data", {})]
    assert not [cell for cell, kind in kinds if "widget" in kind], STORE
    assert "widgets" not in notebook.metadata, STORE


def test_a_run_is_stored_without_what_differs_or_dies(tmp_path):
    sources = [
        "from stylelab import labs\nlabs.total_variation()",
        "import ipywidgets\nipywidgets.Image()",
        "from tqdm.auto import tqdm\nfor step in tqdm(range(3)):\n    print(step, flush=True)",
    ]
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    made.metadata.widgets = {"application/vnd.jupyter.widget-state+json": {"state": {}}}
    file, command = tmp_path / "made.ipynb", [sys.executable, str(Path(__file__).with_name("store.py"))]
    nbformat.write(made, file)
    subprocess.run([*command, file], check=True, timeout=600)
    stored = nbformat.read(file, as_version=4)
    test_stores_no_widget_that_would_be_dead_in_a_reopened_notebook(stored)
    test_stores_one_clean_run_from_top_to_bottom(stored)
    lab, live, loop = stored.cells
    assert live.outputs[0].data == {"text/plain": "Live: run this cell in Jupyter to see it change."}
    assert lab.outputs[0].data["text/plain"].startswith("Live controls: run this cell")
    assert [output.get("text") for output in loop.outputs] == ["0\n1\n2\n"]

    made.cells[-1].source = "1 / 0"
    nbformat.write(made, file)
    failed = subprocess.run([*command, file], capture_output=True, text=True, timeout=600)
    assert failed.returncode != 0 and "ZeroDivisionError" in failed.stderr
    assert nbformat.read(file, as_version=4) == made, "a run that fails is not stored"


def test_names_no_path_of_one_machine(notebook):
    texts = [cell.source for cell in notebook.cells] + [printed(output) for _, output in outputs(notebook)]
    assert not [match[0] for text in texts for match in [MACHINE_PATH.search(text)] if match]


def test_nothing_is_left_unfinished(notebook):
    assert not [cell.id for cell in notebook.cells if UNFINISHED.search(cell.source)]


def test_every_picture_has_words(notebook):
    for cell, output in outputs(notebook):
        data = output.get("data", {})
        if any(kind.startswith("image/") for kind in data):
            words = data.get("text/plain", "")
            assert len(words) > 20 and not re.fullmatch(r"\s*<.*>\s*", words, re.S), (
                f"cell {cell.id}: the picture says {words!r} to whoever cannot see it; give it a caption"
            )
    assert not re.findall(r"!\[\s*\]\(.*?\)", prose(notebook)), (
        "a picture in the prose needs a text alternative"
    )
    assert not [
        tag for tag in re.findall(r"<img\b[^>]*>", prose(notebook)) if not re.search(r'alt="[^"]+', tag)
    ]


def test_compared_cells_print_what_every_machine_prints(path, notebook):
    tagged = [cell for cell in code_cells(notebook) if "nbval-check-output" in cell.metadata.get("tags", [])]
    if not path.name.startswith("00_"):
        assert tagged, "tag the closed-form numeric cells with nbval-check-output"
    for cell in tagged:
        text = "".join(printed(output) for output in cell.outputs)
        assert text.strip(), f"cell {cell.id} is compared but shows nothing"
        assert not re.search(r"\d\.\d{7,}", text), f"cell {cell.id}: round what is compared"
        assert not re.search(r"\d\s?(s|ms|seconds)\b", text), f"cell {cell.id}: a time is compared"


def test_no_cell_escapes_the_tests(notebook):
    unknown = {tag for cell in notebook.cells for tag in cell.metadata.get("tags", [])} - TAGS
    assert not unknown
    assert not [cell.id for cell in notebook.cells if UNTESTED.search(cell.source)]
