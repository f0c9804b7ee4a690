"""Regions are painted on a photograph: seen while the pointer moves, in Python when it stops; by keys too.

With STYLELAB_SCREENSHOTS=FOLDER in the environment, what was looked at is kept there as pictures.
"""

import json
import os
from pathlib import Path

import pytest

from tests.browser.test_labs import LabOnPage

ANSWER = 100  # milliseconds from the end of a stroke to the line that says so: the goal
LAB = """
import stylelab
from stylelab.labs.kit.base import Lab
from stylelab.labs.kit.painting import Painting

class Painter(Lab):
    def __init__(self):
        super().__init__()
        self.painting = Painting(self, "pagoda", stylelab.load_image("pagoda", 240))
        self.build((self.painting.tools,), (self.painting,))

lab = Painter()
lab
"""
REGIONS = "import json; print(json.dumps([lab.painting.regions.tolist(), str(lab.last_error)]))"
FILL = "lab.painting.fill([[1] * 240] * 80 + [[2] * 240] * 80)"
LATER = "import threading\nthreading.Timer(3, lambda: lab.painting.fill([[2] * 240] * 160)).start()"
# An answer that knows of no stroke, and when it has arrived another line below the picture.
LATE = (
    "lab.painting.page.painted = {**lab.painting.page.painted, 'stroke': 0, 'runs': b''}\n"
    "lab.painting.text.value = 'heard of'"
)
# The regions as the page shows them, by the nearest of their colours; 0 where nothing is painted.
SHOWN = """cell => {
    const canvas = cell.querySelector('.stylelab-surface canvas'), {width, height} = canvas;
    const {data} = canvas.getContext('2d').getImageData(0, 0, width, height);
    const colours = [[240, 228, 66], [170, 51, 119], [86, 180, 233], [51, 34, 136]];
    const nearest = k => {
        if (!data[k + 3]) return 0;
        const far = colours.map(colour => Math.hypot(...colour.map((c, i) => c - data[k + i])));
        return far.indexOf(Math.min(...far)) + 1;
    };
    const line = y => Array.from({length: width}, (_, x) => nearest(4 * (y * width + x)));
    return Array.from({length: height}, (_, y) => line(y));
}"""
# From now on notes how long after a pointer is let go, or a key pressed, the line below the picture changes.
WATCH = """cell => {
    window.answers = [];
    let began = 0;
    for (const kind of ['pointerup', 'keydown'])
        document.addEventListener(kind, () => began = performance.now(), true);
    new MutationObserver(() => answers.push(performance.now() - began))
        .observe(cell.querySelector('.stylelab-picture .widget-html'), {childList: true, subtree: true});
}"""


class Painter(LabOnPage):
    """A lab with a picture to paint on, of so many pixels, worked with pointer and keys."""

    def __init__(self, notebook, width: int = 240, height: int = 160):
        super().__init__(notebook, "cell-0")
        self.width, self.height = width, height
        self.surface = self.cell.locator(".stylelab-surface")
        self.until_says(0, "nothing is painted on it")
        self.surface.scroll_into_view_if_needed()
        self.cell.evaluate(WATCH)

    def at(self, x: float, y: float) -> None:
        """Moves the pointer to a place in pixels of the photograph."""
        box = self.surface.bounding_box()
        right, down = x / self.width * box["width"], y / self.height * box["height"]
        self.page.mouse.move(box["x"] + right, box["y"] + down, steps=8)

    def stroke(self, *places: tuple[float, float]) -> None:
        self.at(*places[0])
        self.page.mouse.down()
        for place in places[1:]:
            self.at(*place)
        self.page.mouse.up()

    def choose(self, name: str) -> None:
        self.cell.get_by_role("button", name=name, exact=True).click()

    def shown(self) -> list[list[int]]:
        return self.cell.evaluate(SHOWN)

    def in_python(self) -> list[list[int]]:
        """The regions that Python has, asked for in the next cell; there must be no error."""
        self.notebook.run_to_end("cell-1")
        regions, error = json.loads(self.notebook.stream("stdout").splitlines()[-1])
        assert error == "None"
        return regions

    def keep(self, name: str) -> None:
        if folder := os.environ.get("STYLELAB_SCREENSHOTS"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=Path(folder) / f"{name}.png")


@pytest.fixture
def painter(open_notebook):
    made = Painter(open_notebook("painter.ipynb", [LAB, REGIONS, FILL]))
    yield made
    assert not made.complains() and made.notebook.errors() == [] and made.notebook.console_errors == []


def test_a_stroke_is_seen_while_it_is_drawn_and_known_when_it_ends(painter, latencies):
    painter.at(30, 40)
    painter.page.mouse.down()
    painter.at(120, 60)
    half = painter.shown()
    assert half[40][30] == half[50][75] == half[60][120] == 1 and half[120][200] == half[100][75] == 0
    assert "nothing is painted on it" in painter.pictures()[0]["says"], "nobody else knows of it yet"
    painter.keep("stroke")
    painter.at(200, 120)
    painter.page.mouse.up()
    painter.until_says(0, "region 1: ")
    painter.choose("region 2")
    for x in range(20, 220, 20):
        painter.stroke((x, 150))
    painter.until_says(0, "region 2: ")
    whole = painter.shown()
    assert whole[120][200] == whole[60][120] == 1 and whole[150][20] == whole[150][200] == 2
    painter.keep("two_regions")
    assert painter.in_python() == whole, "pixel by pixel"
    latencies.append(("painting", "a stroke", painter.page.evaluate("answers"), ANSWER))


def test_what_is_painted_is_erased_taken_back_and_cleared(painter):
    painter.stroke((60, 80), (180, 80))
    painter.until_says(0, "region 1")
    painted = painter.shown()
    painter.choose("eraser")
    painter.stroke((120, 20), (120, 140))
    painter.notebook.wait_for(lambda: painter.shown()[80][120] == 0, 20, "the gap")
    parted = painter.shown()
    assert parted[80][60] == parted[80][180] == 1 and painter.in_python() == parted
    painter.choose("Undo")
    painter.notebook.wait_for(lambda: painter.shown() == painted, 20, "the gap to go")
    painter.choose("Clear")
    painter.until_says(0, "nothing is painted on it")
    assert not any(map(any, painter.shown()))
    painter.choose("Undo")
    painter.notebook.wait_for(lambda: painter.shown() == painted, 20, "the paint to come back")
    assert painter.in_python() == painted


def test_what_python_fills_is_shown_and_a_stroke_goes_above_it(painter):
    painter.notebook.run_to_end("cell-2")
    painter.until_says(0, "region 1: 50 % of the picture, region 2: 50 %.")
    painter.choose("region 4")
    painter.press("brush (pixels)", "Home")
    painter.stroke((10.5, 20.5), (90.5, 20.5))
    painter.until_says(0, "region 4")
    shown = painter.shown()
    assert [row[50] for row in shown[19:22]] == [1, 4, 1], "a brush of one pixel"
    assert painter.in_python() == shown


def test_what_python_fills_does_not_take_off_the_stroke_that_is_being_made(painter):
    painter.notebook.write("cell-2", LATER)
    painter.notebook.run_to_end("cell-2")
    painter.at(40, 20)
    painter.page.mouse.down()
    painter.at(60, 20)
    assert painter.shown()[150][5] == 0, "not yet"
    painter.notebook.wait_for(lambda: painter.shown()[150][5] == 2, 30, "the fill")
    assert painter.shown()[20][50] == 1
    painter.at(200, 20)
    painter.page.mouse.up()
    painter.until_says(0, "region 1")
    shown = painter.shown()
    assert shown[20][120] == 1 and shown[150][5] == 2 and painter.in_python() == shown


def test_news_from_before_the_last_stroke_is_none(painter):
    painter.stroke((40, 40), (200, 40))
    painter.until_says(0, "region 1")
    painted = painter.shown()
    painter.notebook.write("cell-2", LATE)
    painter.notebook.run_to_end("cell-2")
    painter.until_says(0, "heard of")
    assert painter.shown() == painted


def test_a_rectangle_is_painted_by_keys_alone(painter):
    keys = painter.page.keyboard
    painter.tab_to("Clear")
    for _ in range(3):
        keys.press("Tab")
        if painter.surface.evaluate("surface => surface === document.activeElement"):
            break
    label = painter.surface.get_attribute("aria-label")
    assert "nothing is painted on it" in label and "Arrow keys move a rectangle" in label
    assert painter.surface.evaluate("s => getComputedStyle(s).outlineStyle") == "solid"
    assert painter.cell.locator(".stylelab-rectangle").is_visible()
    selected = painter.page.locator(".jp-mod-selected").count()
    for key in ["ArrowRight"] * 2 + ["ArrowDown"] + ["Shift+ArrowRight"] * 3 + ["Shift+ArrowDown"]:
        keys.press(key)
    painter.keep("rectangle")
    keys.press("Enter")
    assert painter.page.locator(".jp-mod-selected").count() == selected, "no key was Jupyter's"
    # A quarter, 60 × 40 from (90, 60), moved by steps of 6 pixels.
    expected = [[int(102 <= x < 180 and 66 <= y < 112) for x in range(240)] for y in range(160)]
    assert painter.shown() == expected
    painter.until_says(0, "region 1: 9 % of the picture.")
    for key in ["ArrowLeft"] * 5 + ["Delete"]:
        keys.press(key)
    erased = [[int(150 <= x < 180 and 66 <= y < 112) for x in range(240)] for y in range(160)]
    assert painter.shown() == erased
    for key in ["ArrowLeft"] * 40 + ["ArrowUp"] * 40 + ["Space"]:
        keys.press(key)
    assert painter.shown()[0][0] == painter.shown()[45][77] == 1, "in the very corner"
    for _ in range(2):
        keys.press("Control+z")
    painter.notebook.wait_for(lambda: painter.shown() == expected, 20, "two changes to be taken back")
    assert painter.page.locator(".jp-mod-selected").count() == selected, "no key was Jupyter's"
    assert painter.in_python() == expected


def test_the_lab_of_regions_goes_on_when_something_is_painted(open_notebook, latencies):
    source = "from stylelab import labs\n\nlab = labs.control(size=128)\nlab"
    made = Painter(open_notebook("control.ipynb", [source, REGIONS]), width=128, height=85)
    made.press("Suggest regions", "Space")
    made.until_says(0, "region 4: ")
    made.keep("suggested")
    made.click("Start")
    latencies.append(made.first_preview("control", 1, "starry_night on region 1"))
    made.until_status("done after")
    before = made.pictures()[1]
    made.choose("region 2")
    made.stroke((20, 10), (110, 10))
    made.notebook.wait_for(lambda: made.pictures()[1]["bytes"] != before["bytes"], 60, "another picture")
    made.until_status("remaining")
    made.keep("goes_on")
    made.page.evaluate("answers = []")
    for y in (20, 25, 30):
        made.stroke((30, y), (100, y))
        made.page.wait_for_timeout(300)
    latencies.append(("control", "a stroke in a run", made.page.evaluate("answers"), ANSWER))
    made.until_status("done after")
    made.until_says(1, "step 16 of 16")
    made.press("on region 3", "ArrowUp")
    made.until_says(1, "watercolour on region 3")
    made.click("Stop")
    made.until_status("stopped after")
    made.in_python()
    assert not made.complains() and made.notebook.errors() == [] and made.notebook.console_errors == []
