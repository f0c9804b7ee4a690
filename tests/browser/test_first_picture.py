"""The first minute of a newcomer: open the first notebook, run all cells, look at a picture."""


def test_first_notebook_shows_a_picture(open_notebook):
    notebook = open_notebook("00_first_picture.ipynb")
    notebook.run_all()
    assert notebook.errors() == []
    assert notebook.dead_widgets() == 0

    def pictures():
        return [p for p in notebook.pictures() if p["shown"] and p["width"] > 100 and (p["spread"] or 0) > 50]

    assert notebook.wait_for(pictures, what="a picture on the page that is not blank")
