"""The lab of any style follows the finger: pictures a second along a drag, in order, the last one last.

Both pictures are uploaded. Times are printed.
"""

import re

import pytest

import stylelab
from tests.browser.test_labs import AT_ONCE, LabOnPage

BETWEEN = {"AdaIN": 200, "WCT": 500}  # milliseconds from one picture to the next, at most: the goals
SECONDS = 5
FOLD = "More: pictures of your own, the file's name"
LAB = "from stylelab import labs\n\nlab = labs.any_style()\nlab"


def strength(says: str) -> float:
    """That of a line such as "pagoda like brick, 256 × 171 pixels: AdaIN at relu4_1, strength 0.5; …"."""
    return float(re.search(r"strength ([\d.]+);", says)[1])


@pytest.fixture
def made(open_notebook):
    """The lab, with the cell-1 that says whether all went well."""
    notebook = open_notebook("any_style.ipynb", [LAB, "print(lab.wait(60), lab.last_error)"])
    made = LabOnPage(notebook, "cell-0")
    made.until_says(0, "pagoda like starry_night, 256 × 171 pixels: AdaIN at")
    return made


def test_pictures_of_ones_own_and_a_slider_that_the_picture_follows(made, latencies, tmp_path):
    for sample, name in (("pagoda", "holiday.jpg"), ("brick", "wall.png")):
        stylelab.save_image(stylelab.load_image(sample, 400), tmp_path / name)
    made.unfold(FOLD)
    for what, name in (("photograph", "holiday.jpg"), ("painting", "wall.png")):
        with made.page.expect_file_chooser() as chooser:
            made.cell.get_by_role("button", name=f"{what}: upload").click()
        chooser.value.set_files(tmp_path / name)
        made.until_says(0, name)
    made.until_says(0, "holiday.jpg like wall.png, 256 × ")
    assert [picture["says"] for picture in made.pictures()[1:]] == [
        "The photograph: holiday.jpg.",
        "The painting: wall.png.",
    ]
    line = made.cell.locator("pre").last.inner_text()
    assert line.splitlines() == [
        "# first put copies of the files you uploaded beside the notebook: holiday.jpg, wall.png",
        "stylelab.AdaIN().stylise(stylelab.load_image('holiday.jpg', 256), 'wall.png')",
    ]

    for method in BETWEEN:
        made.cell.get_by_label("method").select_option(method)
        made.until_says(0, f": {method} at")
        for end in (0, 1):
            drag = made.slide("strength", end, SECONDS, f"strength {end};")
            seen = [strength(says) for _, says in drag.faces]
            assert seen == sorted(seen, reverse=end == 0) and seen[-1] == end, "in order, the last one last"
            latencies.append((f"any_style {method}", f"strength to {end}", drag.gaps(), BETWEEN[method]))
            latencies.append((f"any_style {method}", "after the drag", [drag.late()], AT_ONCE))
    made.notebook.run_cell("cell-1")
    assert made.notebook.wait_for(lambda: made.notebook.stream("stdout"), 60, "the lab") == "True None\n"
    assert not made.complains() and made.notebook.errors() == []


def test_the_layers_are_ticked_by_keys_and_at_least_one_is(made):
    layers = [f"relu{n}_1" for n in range(1, 5)]
    for number, layer in enumerate(layers[:3], 1):
        made.press(layer, "Space")
        left = layers[number:]
        made.until_says(0, " to ".join((left[0], left[-1])) if len(left) > 2 else " and ".join(left))
    made.press("relu4_1", "Space")
    assert "no layer is ticked" in made.complaint()
    made.press("relu2_1", "Space")
    made.until_says(0, "AdaIN at relu2_1, ")
    assert not made.complains()
    assert "AdaIN(levels='relu2_1')" in made.cell.locator("pre").last.inner_text()
