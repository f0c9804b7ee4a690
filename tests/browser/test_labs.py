"""Every lab, driven as a person drives it: with keys and clicks, judged by what the page shows.

Times are measured in the page, from the key press to the frame that has the new picture, and printed at the
end of the run beside the goal; no test fails on a clock.
"""

import itertools
from typing import NamedTuple

import nbformat
import psutil
import pytest
from PIL import Image

AT_ONCE, FIRST_PREVIEW = 150, 1500  # milliseconds: the goals
CHANGES = 20
NOTEBOOKS = {
    "first_picture": "00_first_picture",
    "gram": "01_gram_matrices",
    "content": "02_content_loss",
    "total_variation": "03_total_variation",
    "colour": "04_colour_preservation",
    "patches": "05_ffann_patches",
    "differences": "06_knn_difference_maps",
    "fast": "09_fast_networks",
    "any_style": "10_any_style",
    "control": "11_control",
}
# Controls that answer at once: the first key, the picture that changes, what its text says of the value.
AT_ONCE_CONTROLS = {
    "gram": [
        ("layer", "ArrowRight", 1, "starry_night at {}:"),
        ("shuffle the positions", "Space", 0, ""),
        ("compared with", "ArrowDown", 2, "{}. Distance"),
        ("picture", "ArrowUp", 0, "{}, "),
    ],
    "content": [
        ("layer", "ArrowLeft", 1, "cat at {},"),
        ("channel", "ArrowRight", 1, "channel {} of"),
        ("shift (pixels)", "ArrowRight", 0, "shifted by {} pixels"),
        ("brighten by", "ArrowRight", 0, "{}. Distance in pixels"),
        ("photograph", "ArrowDown", 0, "{}, shifted"),
    ],
    "total_variation": [
        ("noise (sd)", "ArrowRight", 0, "noise of {}:"),
        ("weight", "ArrowLeft", 1, "weight {},"),
        ("row of pixels", "ArrowRight", 2, "Row {} of"),
        ("differences", "ArrowDown", 1, "{}: PSNR"),
        ("photograph", "ArrowUp", 0, "{} with noise"),
    ],
    "colour": [
        ("strength", "ArrowLeft", 2, "strength {}."),
        ("method", "ArrowDown", 2, "Recoloured: {},"),
        ("transfer", "ArrowDown", 1, "Stored transfer {}:"),
    ],
    "patches": [
        ("filter", "ArrowDown", 2, "through the filter {}:"),
        ("photograph", "ArrowDown", 0, "{}, the input"),
    ],
    "differences": [
        ("row", "ArrowRight", 4, "Row {}, column"),
        ("column", "ArrowRight", 4, "column {}. First"),
        ("neighbours", "ArrowRight", 1, "{} neighbours"),
        ("rounds", "ArrowRight", 1, "rounds: {}."),
    ],
    "fast": [
        ("strength", "ArrowLeft", 0, "strength"),
        ("brick", "ArrowRight", 0, "brick"),
        ("photograph", "ArrowDown", 0, "{}, "),
    ],
    "any_style": [
        ("strength", "ArrowLeft", 0, "strength"),
        ("method", "ArrowDown", 0, ": {} at"),
        ("relu1_1", "Space", 0, ""),
        ("keep the photograph's colours", "Space", 0, ""),
        ("photograph", "ArrowDown", 0, "{} like"),
        ("painting", "ArrowDown", 0, "like {},"),
    ],
    "control": [("photograph", "ArrowDown", 0, "{}, ")],
}
# Where the controls are that are used less, of which the tests use some.
FOLDS = {
    "first_picture": "More settings: size, recipe, a second painting",
    "gram": "More: steps of the texture, your own pictures",
    "content": "More: steps of the reconstruction, your own photograph",
    "patches": "More: optimiser, steps, your own photograph",
    "differences": "More: patch, rounds, your own photograph",
}
OPPOSITE = {"ArrowRight": "ArrowLeft", "ArrowUp": "ArrowDown", "Space": "Space"}
OPPOSITE |= {value: key for key, value in OPPOSITE.items()}
BROKEN = """
from stylelab.labs import total_variation_lab

def curves(*_, **__):
    raise KeyError("broken on purpose")

total_variation_lab.curves = curves
"""
# Every picture of a lab: what is written below it, and a fingerprint of its bytes.
PICTURES = """cell => Promise.all([...cell.querySelectorAll('.stylelab-picture')]
    .map(async box => {
        const data = await (await fetch(box.querySelector('img').src)).arrayBuffer();
        const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', data));
        const says = box.querySelector('.widget-html').innerText.trim();
        return {says, alt: box.querySelector('img').alt, bytes: hash.join()};
    }))"""
# What has the focus: the label, the value as the page shows it, whether it is the first or the last value.
FOCUSED = r"""() => {
    const element = document.activeElement, box = element.closest('.widget-inline-hbox');
    if (!element.closest('.jupyter-widgets')) return {label: '', value: ''};
    if (!box) return {label: element.textContent.trim(), value: ''};
    const labels = [...box.querySelectorAll('.widget-label, .widget-label-basic')].map(e => e.textContent);
    const [low, now, high] = element.selectedOptions ? [0, element.selectedIndex, element.length - 1]
        : ['min', 'now', 'max'].map(name => parseFloat(element.getAttribute(`aria-value${name}`)));
    const readout = element.selectedOptions?.[0]?.label ?? box.querySelector('.widget-readout')?.textContent;
    const label = labels.join('').replace('\u200b', '').trim();
    return {label, value: (readout ?? '').replace('\u00a0', ' '), first: now <= low, last: now >= high};
}"""
# From now on, notes when a key is pressed or a button clicked, and when each picture has a new face.
WATCH = """() => {
    window.watched = {began: 0, drawn: []};
    for (const kind of ['keydown', 'pointerdown'])
        document.addEventListener(kind, () => watched.began = performance.now(), true);
    document.addEventListener('load', event => {
        const images = [...document.querySelectorAll('.stylelab-picture img')];
        const place = images.indexOf(event.target);
        requestAnimationFrame(() => watched.drawn.push([place, performance.now()]));
    }, true);
}"""
# From now on notes each new face of the first picture: when, and what its text says of it.
FACES = """() => {
    window.faces = [];
    const picture = document.querySelector('.stylelab-picture img');
    picture.onload = () => {
        const says = picture.alt;
        requestAnimationFrame(() => faces.push([performance.now(), says]));
    };
}"""
# Milliseconds from then to the new picture, and to the new line below it; false as long as there is none.
DRAWN = """place => {
    const found = watched.drawn.find(([at, when]) => at == place && when > watched.began);
    return found ? found[1] - watched.began : false;
}"""
SAID = """([place, text]) => {
    const box = document.querySelectorAll('.stylelab-picture')[place];
    return box.innerText.includes(text) ? performance.now() - watched.began : false;
}"""


class Slide(NamedTuple):
    """What was seen of a drag: when it began and ended, and each new face of the first picture.

    faces: (when, what its text said) pairs. Times are the page's, in milliseconds.
    """

    began: float
    ended: float
    faces: list[tuple[float, str]]

    def gaps(self) -> list[float]:
        """The milliseconds from each picture to the next, from the beginning on."""
        times = [self.began, *(when for when, _ in self.faces)]
        return [later - sooner for sooner, later in itertools.pairwise(times)]

    def late(self) -> float:
        """The milliseconds from the end of the drag to the last picture."""
        return max(0.0, self.faces[-1][0] - self.ended)


class LabOnPage:
    """A lab in a cell of an open notebook, which is run with the keyboard."""

    def __init__(self, notebook, cell_id: str = "lab"):
        self.notebook, self.page = notebook, notebook.page
        self.cell = notebook.run_cell(cell_id)
        self.cell.locator(".stylelab-picture img").first.wait_for(timeout=60_000)
        self.page.evaluate(WATCH)

    def pictures(self) -> list[dict]:
        """Every picture of the lab: what its line says, and its bytes' fingerprint."""
        return self.cell.evaluate(PICTURES)

    def until_says(self, place: int, text: str) -> str:
        """Waits until the line below a picture holds the text, and returns the line."""

        def line():
            says = self.pictures()[place]["says"]
            return says if text in says else None

        return self.notebook.wait_for(line, 90, f"picture {place} to say {text!r}")

    def until_status(self, text: str) -> None:
        """Waits for what is written beside the progress bar."""
        self.cell.get_by_text(text).first.wait_for(timeout=120_000)

    def focused(self) -> dict:
        return self.page.evaluate(FOCUSED)

    def tab_to(self, label: str) -> None:
        """Presses Tab until the control has the focus; the page's last control is followed by its first."""
        if not self.focused()["label"]:
            self.cell.locator(".jp-InputPrompt").first.click()
        passed = []
        while (found := self.focused()["label"]) != label:
            passed.append(found)
            assert len(passed) < 150, f"Tab does not lead to {label}; it went past {passed}"
            self.page.keyboard.press("Tab")

    def press(self, label: str, *keys: str) -> None:
        """Goes to a control by Tab, and presses keys."""
        self.tab_to(label)
        for key in keys:
            self.page.keyboard.press(key)

    def unfold(self, title: str) -> None:
        """Opens one of the lab's folds with the keyboard."""
        self.press(f"▸ {title}", "Space")
        self.notebook.wait_for(lambda: self.focused()["label"] == f"▾ {title}", 20, "the fold to open")

    def write(self, text: str) -> None:
        """Replaces what is written in the field that has the focus, and presses Enter."""
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text)
        self.page.keyboard.press("Enter")

    def click(self, button: str) -> None:
        self.cell.get_by_role("button", name=button, exact=True).click()

    def drag(self, place: int, *shares: tuple[float, float]) -> None:
        """Drags over a picture, through places given as shares of its width and height."""
        picture = self.cell.locator(".stylelab-picture img").nth(place)
        picture.scroll_into_view_if_needed()
        box = picture.bounding_box()
        for number, (x, y) in enumerate(shares):
            self.page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=10)
            if number == 0:
                self.page.mouse.down()
        self.page.mouse.up()

    def slide(self, label: str, to: float, seconds: float, until: str) -> "Slide":
        """Drags a slider's handle evenly to a share of its length, until the first picture shows that.

        until: what it says then.
        """
        page, handle = self.page, self.cell.locator(f".noUi-handle[aria-label='{label}']")
        handle.scroll_into_view_if_needed()
        slider, box = handle.locator("xpath=../..").bounding_box(), handle.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        way = slider["x"] + to * slider["width"] - x
        page.evaluate(FACES)
        page.mouse.move(x, y)
        page.mouse.down()
        began, moves = page.evaluate("performance.now()"), 100
        for move in range(1, moves + 1):
            page.mouse.move(x + way * move / moves, y)
            due = began + 1000 * seconds * move / moves
            page.wait_for_timeout(max(0, due - page.evaluate("performance.now()")))
        ended = page.evaluate("performance.now()")
        page.mouse.up()
        # The line below changes at once, the picture when the browser has decoded it.
        page.wait_for_function("says => faces.at(-1)?.[1].includes(says)", arg=until, timeout=90_000)
        return Slide(began, ended, page.evaluate("faces"))

    def clicks(self, place: int, changed: int, says: str) -> list[float]:
        """Clicks here and there on a picture, and waits for the one that this changes to say so."""
        times = []
        for number in range(CHANGES):
            self.drag(place, ((number * 7 % CHANGES + 0.5) / CHANGES, (number * 3 % CHANGES + 0.5) / CHANGES))
            times.append(self.milliseconds(DRAWN, changed))
            assert says in self.pictures()[changed]["says"]
        return times

    def upload(self, path) -> None:
        """Clicks the lab's first upload button and chooses a file."""
        with self.page.expect_file_chooser() as chooser:
            self.cell.get_by_role("button", name="upload").first.click()
        chooser.value.set_files(path)

    def complaint(self) -> str:
        """The line for errors, once there is one."""
        line = self.cell.get_by_role("alert")
        line.wait_for(timeout=60_000)
        assert "\n" not in line.inner_text()
        return line.inner_text()

    def complains(self) -> bool:
        return self.cell.get_by_role("alert").count() > 0

    def milliseconds(self, expression: str, argument) -> float:
        """How long after the last key or click the page was as the expression asks for."""
        return self.page.wait_for_function(expression, arg=argument, timeout=60_000).json_value()

    def first_preview(self, name: str, place: int, text: str) -> tuple:
        """A row for `latencies`: from Start to the line of the first preview."""
        return name, "Start", [self.milliseconds(SAID, [place, text])], FIRST_PREVIEW

    def changes(self, label: str, key: str, place: int, says: str) -> list[float]:
        """Moves a control there and back, key by key, and looks at one picture each time."""
        self.tab_to(label)
        times, before = [], self.pictures()[place]
        for number in range(CHANGES):
            at = self.focused()
            at_the_end = at["last"] if key in ("ArrowRight", "ArrowDown") else at["first"]
            if at_the_end or number in (6, 11, 16):
                key = OPPOSITE[key]
            self.page.keyboard.press(key)
            at = self.focused()
            assert at["label"] == label, "the control keeps the focus"
            if says.startswith("Recoloured"):  # two of the methods make the same picture
                times.append(self.milliseconds(SAID, [place, says.format(at["value"])]))
                continue
            times.append(self.milliseconds(DRAWN, place))
            self.until_says(place, says.format(at["value"]))
            now = self.pictures()[place]
            assert now["bytes"] != before["bytes"]
            before = now
        assert not self.complains()
        return times


@pytest.fixture
def lab(open_notebook, lab_server):
    """A function: a lab's name -> its LabOnPage in its own notebook, of which only the lab's cell is run,
    after the first one if labs are imported there. Where there is no such notebook, in one of a single cell.
    """

    def opened(name: str) -> LabOnPage:
        file = lab_server["root"] / "notebooks" / f"{NOTEBOOKS[name]}.ipynb"
        cells = nbformat.read(file, as_version=4).cells if file.exists() else []
        live = next((c for c in cells if c.id == "lab" and f"labs.{name}()" in c.source), None)
        if live:
            notebook = open_notebook(file.name)
            if "import" not in live.source:
                notebook.run_cell(next(c.id for c in cells if c.cell_type == "code"))
            return LabOnPage(notebook)
        return LabOnPage(open_notebook(f"{name}.ipynb", [code(name)]), "cell-0")

    return opened


def code(name: str) -> str:
    return f"from stylelab import labs\n\nlabs.{name}()"


@pytest.mark.parametrize("name", AT_ONCE_CONTROLS)
def test_a_key_press_changes_the_picture_and_its_line(lab, latencies, name):
    made = lab(name)
    made.notebook.wait_for(lambda: all(p["says"] for p in made.pictures()), 90, "the first pictures")
    if name in FOLDS:
        made.unfold(FOLDS[name])
    if name == "differences":
        made.click("Start")
        latencies.append(
            (name, "Start", [made.milliseconds(SAID, [0, "The net alone on cat"])], FIRST_PREVIEW)
        )
        made.until_status("done after")
    for control, key, place, says in AT_ONCE_CONTROLS[name]:
        latencies.append((name, control, made.changes(control, key, place, says), AT_ONCE))
    if name == "differences":
        latencies.append((name, "a click", made.clicks(2, 4, "First the query"), AT_ONCE))
        made.drag(1, (0.1, 0.1), (0.9, 0.2), (0.5, 1.5))
        made.until_says(4, "Row 63, column 48.")
    assert made.notebook.errors() == [] and made.notebook.dead_widgets() == 0
    nameless = made.cell.locator(".noUi-handle:not([aria-label])").count()
    assert nameless == 0 and made.cell.get_by_role("slider").count()
    for picture in made.pictures():
        assert picture["alt"] == picture["says"]


def test_first_picture_by_keys_and_clicks(lab, latencies, lab_server):
    made = lab("first_picture")
    made.until_says(0, "astronaut, the photograph.")
    made.unfold(FOLDS["first_picture"])
    made.press("size (pixels)", "Home", "ArrowRight", "ArrowRight", "ArrowRight")
    made.press("steps", "Home")
    latencies.append(("first_picture", "photograph", made.changes("photograph", "ArrowDown", 0, "{}, "), 150))
    made.click("cat")
    made.until_says(0, "cat, the photograph.")
    before = made.pictures()
    made.click("Start")
    latencies.append(
        ("first_picture", "Start", [made.milliseconds(SAID, [0, "starry_night: step "])], FIRST_PREVIEW)
    )
    made.until_status("done after")
    assert "step 10 of 10, 128 pixels" in made.until_says(0, "cat painted like starry_night")
    assert "After step 10: content" in made.until_says(1, "step 10")
    assert all(now["bytes"] != was["bytes"] for now, was in zip(made.pictures(), before, strict=True))
    wiped = made.changes("before | after", "ArrowRight", 0, "the left ")
    latencies.append(("first_picture", "before | after", wiped, AT_ONCE))

    made.drag(0, (0.02, 0.5), (0.4, 0.3), (0.75, 0.9))
    made.until_says(0, "the left 75% is the photograph")
    made.drag(0, (0.5, 0.5))
    made.until_says(0, "the left 50% is the photograph")

    made.press("its share", *["ArrowRight"] * 5)
    line = made.cell.locator("pre").last
    made.notebook.wait_for(lambda: "('starry_night', 0.75), ('brick', 0.25)" in line.inner_text(), 20)
    made.press("style weight", "ArrowRight")
    made.notebook.wait_for(lambda: "style_weight=" in line.inner_text(), 20)
    made.tab_to("save as")
    made.write("mine.png")
    made.press("Save", "Enter")
    made.until_status("saved mine.png")
    assert (lab_server["root"] / "notebooks" / "mine.png").read_bytes()[1:4] == b"PNG"
    made.click("Finish")
    made.until_says(0, "continued: step")
    made.click("Pause")
    made.until_status("paused")
    made.click("Stop")
    made.until_status("stopped after")
    made.click("128 px")
    made.until_says(0, "kept after 10 steps")
    made.press("Save", "Enter")
    made.until_status("saved mine-2.png")
    assert not made.complains() and made.notebook.errors() == []


def test_bad_pictures_are_one_line_and_the_lab_goes_on(lab, tmp_path):
    made = lab("first_picture")
    made.until_says(0, "astronaut, the photograph.")
    made.unfold("Your own pictures")
    (tmp_path / "notes.txt").write_text("not a picture")
    (tmp_path / "heavy.png").write_bytes(bytes(12_000_000))
    huge = tmp_path / "huge.png"
    Image.new("1", (10_000, 8_000)).save(huge)
    for path, complaint in {"nowhere.jpg": "no such file", str(huge): "80.0 megapixels"}.items():
        made.tab_to("photograph: path")
        made.write(path)
        assert complaint in made.complaint()
        made.press("photograph", "ArrowDown")
        made.notebook.wait_for(lambda: not made.complains(), 30, "the line to go")
    Image.new("RGB", (80, 60), "red").save(tmp_path / "own.png")
    for name, complaint in {"notes.txt": "notes.txt: not a picture", "heavy.png": "12.0 MB"}.items():
        made.upload(tmp_path / name)
        assert complaint in made.complaint()
        made.press("photograph", "ArrowUp")
        made.notebook.wait_for(lambda: not made.complains(), 30, "the line to go")
    made.upload(tmp_path / "own.png")
    made.until_says(0, "own.png, the photograph.")
    assert not made.complains()
    assert made.cell.get_by_role("button", name="upload").first.inner_text().endswith("(under 10 MB)")
    made.tab_to("photograph")
    assert made.focused()["value"] == "own.png (uploaded)"
    made.notebook.wait_for(lambda: "beside the notebook: own.png" in made.cell.inner_text(), 20)


@pytest.mark.parametrize(
    ("name", "place", "label", "step"),
    [
        ("gram", 3, "steps", "Texture of starry_night from relu1_1, relu2_1"),
        ("content", 2, "steps", "cat from relu4_2 alone: step"),
        ("patches", 1, "steps", "cat by the net, sketch after"),
    ],
)
def test_a_run_is_watched_held_and_stopped(lab, latencies, name, place, label, step):
    made = lab(name)
    made.notebook.wait_for(lambda: all(p["says"] for p in made.pictures()), 60, "the first pictures")
    made.unfold(FOLDS[name])
    made.press(label, "End")
    before = made.pictures()[place]
    made.press("Start", "Space")
    latencies.append(made.first_preview(name, place, step))
    made.until_status("remaining")
    made.click("Pause")
    made.until_status("paused")
    held = made.pictures()[place]
    assert held["bytes"] != before["bytes"]
    made.click("Resume")
    made.notebook.wait_for(lambda: made.pictures()[place]["says"] != held["says"], 60, "another preview")
    made.click("Stop")
    made.until_status("stopped after")
    kept = made.pictures()[place]
    assert step in kept["says"] and kept["bytes"] != held["bytes"] and not made.complains()


def test_a_slider_is_dragged_while_the_lab_computes(open_notebook):
    """Faster than it can draw, to and fro, with a new photograph each time and in the end a run beside it."""
    source = "from stylelab import labs\n\nlab = labs.content(256)\nlab"
    notebook = open_notebook("moved.ipynb", [source, "print(lab.wait(300), lab.last_error)"])
    made = LabOnPage(notebook, "cell-0")
    made.until_says(0, "cat as it is")
    made.unfold(FOLDS["content"])
    made.press("steps", "Home")
    handle = made.cell.locator(".noUi-handle").first  # of the layers
    for photograph in range(5):
        made.press("photograph", "ArrowDown")
        if photograph == 4:
            made.click("Start")
        box = handle.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        made.page.mouse.move(x, y)
        made.page.mouse.down()
        for way in (90, -90, 90, -90, 40):
            made.page.mouse.move(x + way, y, steps=25)
        made.page.mouse.up()
    notebook.run_cell("cell-1")
    assert notebook.wait_for(lambda: notebook.stream("stdout"), 300, "the lab") == "True None\n"
    assert not made.complains() and notebook.errors() == []


def test_two_labs_do_not_mix_and_a_cell_run_again_closes_its_own(open_notebook):
    ask = (
        "import threading; print(sorted(t.name for t in threading.enumerate() if t.name.startswith('lab ')))"
    )
    notebook = open_notebook("two.ipynb", [code("content"), code("total_variation"), ask])
    one, two = LabOnPage(notebook, "cell-0"), LabOnPage(notebook, "cell-1")
    one.unfold(FOLDS["content"])
    one.press("steps", "End")
    one.click("Start")
    one.until_says(2, "step ")
    before = one.pictures()[:2]
    two.press("noise (sd)", "ArrowRight")
    two.until_says(0, "noise of 0.12")
    assert one.pictures()[:2] == before
    notebook.run_cell("cell-2")
    notebook.wait_for(lambda: "lab ContentLab" in notebook.stream("stdout"), 30, "the worker's name")

    again = LabOnPage(notebook, "cell-0")
    again.until_status("nothing is running")
    again.until_says(0, "cat as it is")
    assert again.cell.locator(".stylelab-picture").count() == 3, "the old lab is gone from the page"
    notebook.run_cell("cell-2")
    notebook.wait_for(lambda: notebook.stream("stdout") == "[]\n", 30, "the worker to be gone")
    assert two.pictures()[0]["says"].startswith("coffee with noise of 0.12")


def test_closing_the_kernel_in_the_middle_of_a_run_leaves_no_process(open_notebook):
    notebook = open_notebook("closing.ipynb", [code("content"), "import os; print(os.getpid())"])
    made = LabOnPage(notebook, "cell-0")
    made.unfold(FOLDS["content"])
    made.press("steps", "End")
    made.click("Start")
    made.until_says(2, "step ")
    notebook.run_cell("cell-1")
    process = int(notebook.wait_for(lambda: notebook.stream("stdout"), 30, "the kernel's number"))
    notebook.choose("Kernel", "Shut Down Kernel")

    notebook.wait_for(lambda: not psutil.pid_exists(process), 30, "the kernel to end")


def test_a_lab_in_notebook_7(open_notebook, latencies):
    pytest.importorskip("notebook", reason="Notebook 7 is not installed")
    notebook = open_notebook("classic.ipynb", [code("total_variation")], classic=True)
    made = LabOnPage(notebook, "cell-0")
    made.until_says(1, "Denoised")
    times = made.changes("weight", "ArrowRight", 1, "weight {},")
    latencies.append(("in Notebook 7", "weight", times, AT_ONCE))
    latencies.append(
        ("in Notebook 7", "differences", made.changes("differences", "ArrowDown", 1, "{}: PSNR"), AT_ONCE)
    )


def test_a_picture_is_dragged_in_notebook_7(open_notebook):
    pytest.importorskip("notebook", reason="Notebook 7 is not installed")
    source = "from stylelab import labs\n\nlabs.differences(size=48, steps=50)"
    made = LabOnPage(open_notebook("dragged.ipynb", [source], classic=True), "cell-0")
    made.click("Start")
    made.until_status("done after")
    made.drag(0, (0.1, 0.1), (0.51, 0.51))
    made.until_says(4, "Row 16, column 24.")
    assert made.cell.get_by_role("slider", name="column", exact=True).count() == 1


def test_a_broken_callback_turns_these_tests_red(open_notebook):
    made = LabOnPage(open_notebook("broken_lab.ipynb", [BROKEN + code("total_variation")]), "cell-0")
    assert "KeyError" in made.complaint()
    with pytest.raises((AssertionError, TimeoutError)):
        made.changes("weight", "ArrowRight", 1, "weight {},")
