"""A learner at work: writes, is told the mistake, mends it, paints with it; guesses before looking."""

import pytest

from tests.notebooks.test_solutions import BLOCK, FOLDER

GUESS = [
    "from stylelab import checks\n"
    "checks.predict('Which is larger?', ['two', 'three'], answer='three', because='It is 3 > 2.')",
    "checks.predictions()",
]


@pytest.fixture(scope="module")
def solution():
    """A function: an id -> the code in the fold of notebook 03 that answers the cell of this id."""
    import nbformat

    notebook = nbformat.read(FOLDER / "03_total_variation.ipynb", as_version=4)
    folds = {cell.id: cell.source for cell in notebook.cells}
    return lambda name: BLOCK.findall(folds[f"{name}-solution"])[0]


def test_a_wrong_gram_matrix_is_named_mended_and_paints(open_notebook, solution):
    notebook = open_notebook("03_total_variation.ipynb")
    notebook.run_all()
    assert notebook.errors() == [] and notebook.dead_widgets() == 0
    verdict = notebook.shown("write-gram-check")
    assert "Not attempted yet" in verdict.inner_text()
    assert "gram is stylelab.gram_matrix." in verdict.inner_text()
    assert "The package's were: gram_matrix, taps" in notebook.shown("who").inner_text()
    lent = notebook.shown("whole-figure").locator("img").get_attribute("src")

    right = solution("write-gram")
    channels_too = "features[0].numel()"
    assert channels_too in right
    notebook.write("write-gram", right.replace(channels_too, "features[0, 0].numel()"))
    notebook.run_to_end("write-gram", "write-gram-check")
    assert "✗" in verdict.inner_text() and "divided by H·W only" in verdict.inner_text()
    table = verdict.locator("table").first  # those inside it hold one matrix each
    assert table.is_visible() and all(word in table.inner_text() for word in ("expected", "yours"))
    assert "gram is stylelab.gram_matrix." in verdict.inner_text(), "a wrong one paints nothing"

    notebook.write("write-gram", right)
    for name in ("taps", "content", "style", "loss", "loop"):
        notebook.write(f"write-{name}", solution(f"write-{name}"))
        notebook.run_to_end(f"write-{name}")
    notebook.write("write-tv", solution("write-tv"))
    notebook.run_to_end("write-tv", "write-tv-check", "write-gram", "write-gram-check")
    assert "✓" in verdict.inner_text() and "gram is your gram_matrix." in verdict.inner_text()
    notebook.run_to_end(*(f"write-{name}-check" for name in ("taps", "content", "style", "loss", "loop")))
    notebook.run_to_end("stand-ins", "units", "whole", "whole-figure", "who")
    assert notebook.errors() == []
    assert "You wrote all of this." in notebook.shown("who").inner_text()
    picture = notebook.shown("whole-figure").locator("img")
    assert picture.get_attribute("src") not in ("", lent), "painted anew, by other sums in another order"


def test_a_prediction_is_asked_for_before_its_answer_is_seen(open_notebook):
    notebook = open_notebook("guess.ipynb", GUESS)
    notebook.run_all()
    asked, summed = notebook.shown("cell-0"), notebook.shown("cell-1")
    assert "Which is larger?" in asked.inner_text() and "It is 3 > 2." not in asked.inner_text()
    assert "No guess so far" in summed.inner_text()
    asked.get_by_role("button", name="two").focus()
    notebook.page.keyboard.press("Enter")
    asked.get_by_text("It is 3 > 2.").wait_for()
    assert "You said: “two”. It is: “three”." in asked.inner_text()
    asked.get_by_role("button", name="three").click()
    asked.get_by_text("Your first guess counts.").wait_for()
    notebook.run_to_end("cell-1")
    assert "You predicted 0 of 1." in summed.inner_text()
    assert notebook.errors() == [] and notebook.console_errors == []
