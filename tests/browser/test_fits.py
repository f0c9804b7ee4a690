"""A lab fits a laptop: what is used all the time is in view together while it paints, in each theme.

With STYLELAB_SCREENSHOTS=FOLDER in the environment, what was looked at is kept there as pictures; of them,
lab.jpg is the README's (in data/results).
"""

import os
from pathlib import Path

import pytest

SCREENS = {"1366x768": (1366, 768), "1024x700": (1024, 700)}
# What each lab is used with all the time.
CONTROLS = {
    "first_picture": ("photograph", "painting", "style weight"),
    "gram": ("picture", "compared with", "layer"),
    "content": ("photograph", "layer", "channel"),
    "total_variation": ("photograph", "noise (sd)", "weight"),
    "colour": ("transfer", "method", "strength"),
    "patches": ("photograph", "filter", "patch (pixels)"),
    "differences": ("photograph", "filter", "neighbours"),
    "fast": ("photograph", "strength", "starry night", "woodblock waves"),
    "any_style": ("photograph", "painting", "strength", "method"),
    "control": ("photograph", "first painting", "on region 1", "style weight", "brush (pixels)", "Undo"),
}
WITH_RUNS = ("first_picture", "gram", "content", "patches", "differences", "control")
PLACES = """cell => {
    const shown = document.querySelector('.jp-WindowedPanel-outer, .jp-Notebook').getBoundingClientRect();
    const place = element => {
        const box = element.getBoundingClientRect();
        return {top: box.top - shown.top, bottom: box.bottom - shown.top, left: box.left, right: box.right};
    };
    const named = [...cell.querySelectorAll('.widget-inline-hbox')]
        .map(box => [box.querySelector('.widget-label')?.textContent.trim(), place(box)]);
    const buttons = [...cell.querySelectorAll('button')].map(b => [b.textContent.trim(), place(b)]);
    const pictures = [...cell.querySelectorAll('.stylelab-picture')].map(place);
    const labelled = Object.fromEntries([...named, ...buttons]);
    return {height: shown.height, right: shown.right, named: labelled, pictures};
}"""


@pytest.fixture
def keep(request):
    """A function: saves what is on the page under a name, where pictures are asked for."""
    folder = os.environ.get("STYLELAB_SCREENSHOTS")

    def kept(shown, name):
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            shown.screenshot(path=Path(folder) / f"{name}.jpg", type="jpeg", quality=85)

    return kept


@pytest.mark.parametrize("name", CONTROLS)
def test_a_lab_fits_a_laptop_in_each_theme(open_notebook, keep, name):
    notebook = open_notebook(f"fits_{name}.ipynb", [f"from stylelab import labs\n\nlabs.{name}()"])
    page, cell = notebook.page, notebook.run_cell("cell-0")
    lines = cell.locator(".stylelab-picture .widget-html")
    lines.first.wait_for(timeout=60_000)
    notebook.wait_for(lambda: all(text.strip() for text in lines.all_inner_texts()), 90, "the first pictures")
    if name == "control":
        cell.get_by_role("button", name="Suggest regions").click()
        cell.get_by_text("region 4: ").wait_for(timeout=60_000)
    if name in WITH_RUNS:
        cell.get_by_role("button", name="Start", exact=True).click()
        cell.get_by_text("done after" if name == "differences" else "remaining").wait_for(timeout=90_000)
    for screen, (width, height) in SCREENS.items():
        for theme in ("Light", "Dark"):
            page.evaluate(
                f"jupyterapp.commands.execute('apputils:change-theme', {{theme: 'JupyterLab {theme}'}})"
            )
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_timeout(1000)
            cell.locator(".stylelab-lab").evaluate("lab => lab.scrollIntoView({block: 'start'})")
            page.wait_for_timeout(300)
            keep(page, f"{name}_{screen}_{theme.lower()}")
            found = cell.evaluate(PLACES)
            wanted = [*CONTROLS[name], *(("Start", "Pause", "Stop") if name in WITH_RUNS else ())]
            for label in wanted:
                place = found["named"][label]
                assert place["top"] >= 0 and place["bottom"] <= found["height"], (label, screen, place)
            first = found["pictures"][0]
            assert first["bottom"] <= found["height"], ("the picture and its line", screen, first)
            assert all(place["right"] <= found["right"] for place in found["pictures"])
    if name == "first_picture":  # the README's picture
        page.set_viewport_size({"width": 1200, "height": 900})
        page.evaluate("jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Light'})")
        cell.get_by_text("done after").wait_for(timeout=120_000)
        keep(cell.locator(".stylelab-lab"), "lab")
    assert cell.get_by_role("alert").count() == 0 and notebook.errors() == []
