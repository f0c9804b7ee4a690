"""The tests' own eyes and hands: what they could not see or reach, no browser test would ever find."""

PICTURE = """
import io
from PIL import Image
import ipywidgets as widgets
from IPython.display import display

def stripes(number):
    picture = Image.new("L", (200, 120), 255)
    picture.paste(0, (0, 0, 20 * number, 120))
    file = io.BytesIO()
    picture.save(file, "png")
    return file.getvalue()

slider = widgets.IntSlider(value=0, min=0, max=10, description="stripes")
button = widgets.Button(description="Wipe")
image = widgets.Image(value=stripes(0), format="png")
slider.observe(lambda change: setattr(image, "value", stripes(change.new)), "value")
button.on_click(lambda _: setattr(slider, "value", 0))
display(widgets.VBox([slider, button, image]))
"""


def test_errors_and_streams_are_seen(open_notebook):
    cells = [
        "print('to stdout')",
        "import sys; print('to stderr', file=sys.stderr)",
        "1 / 0",
        "print('never')",
    ]
    notebook = open_notebook("broken.ipynb", cells)
    assert notebook.outputs() == []
    notebook.run_all()
    assert notebook.stream("stdout") == "to stdout\n"
    assert notebook.stream("stderr") == "to stderr\n"
    assert notebook.errors() == ["ZeroDivisionError: division by zero"]


def test_widgets_are_worked_by_keyboard_and_mouse(open_notebook):
    notebook = open_notebook("widgets.ipynb", [PICTURE])
    notebook.run_all()
    assert notebook.errors() == [] and notebook.dead_widgets() == 0

    def looks(how):
        """Whether there is one picture, as large as it was made, and its spread is as `how` says."""
        found = [p for p in notebook.pictures("img.widget-image") if p["shown"] and p["spread"] is not None]
        return [(p["width"], p["height"], how(p["spread"])) for p in found] == [(200, 120, True)]

    assert notebook.wait_for(lambda: looks(lambda spread: spread == 0), what="a white picture")
    notebook.page.locator(".noUi-handle").focus()
    notebook.page.keyboard.press("ArrowRight")
    notebook.page.keyboard.press("ArrowRight")
    assert notebook.wait_for(lambda: looks(lambda spread: spread > 200), what="the slider to draw stripes")
    notebook.page.get_by_role("button", name="Wipe").click()
    assert notebook.wait_for(lambda: looks(lambda spread: spread == 0), what="the button to wipe them")


def test_the_repository_is_left_alone(lab_server, pytestconfig):
    assert not lab_server["root"].is_relative_to(pytestconfig.rootpath)
