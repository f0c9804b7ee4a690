"""The first minute of a newcomer: open the first notebook, run all cells, look at a picture."""


def test_first_notebook_shows_a_picture(open_notebook):
    notebook = open_notebook("00_first_picture.ipynb")
    notebook.run_all(timeout=600)
    assert notebook.errors() == []
    assert notebook.dead_widgets() == 0
    seen = [p for p in notebook.pictures() if p["shown"] and p["width"] > 100 and p["spread"] > 50]
    assert seen, f"no picture on the page, of {notebook.pictures()}"
