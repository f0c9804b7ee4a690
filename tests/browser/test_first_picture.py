"""The first minute of a newcomer: open the first notebook, run all cells, look at a picture."""

import time

FIRST_PREVIEW = 8000  # milliseconds from opening it: the goal


def test_first_notebook_shows_a_picture(open_notebook):
    notebook = open_notebook("00_first_picture.ipynb")
    notebook.run_all()
    assert notebook.errors() == []
    assert notebook.dead_widgets() == 0

    def pictures():
        return [p for p in notebook.pictures() if p["shown"] and p["width"] > 100 and (p["spread"] or 0) > 50]

    assert notebook.wait_for(pictures, what="a picture on the page that is not blank")


def test_the_first_preview_after_opening_the_notebook(open_notebook, latencies):
    """Page, kernel, imports, lab and the first steps: what a newcomer waits before there is paint."""
    opened = time.perf_counter()
    notebook = open_notebook("00_first_picture.ipynb")
    lab = notebook.run_cell("lab")
    lab.get_by_role("button", name="Start", exact=True).click()
    lab.get_by_text("astronaut painted like starry_night: step").wait_for()
    waited = 1000 * (time.perf_counter() - opened)
    latencies.append(("first_picture", "opened, Start", [waited], FIRST_PREVIEW))
    assert notebook.errors() == []
