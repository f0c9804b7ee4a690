"""A real JupyterLab in a real browser, for tests that look at the page as a reader does.

`lab_server` serves a copy of the notebooks, so that nothing in the repository is written.
`open_notebook("00_first_picture.ipynb")`, or `open_notebook("mine.ipynb", cells=["1 + 1"])` for one made on
the spot, returns a `NotebookPage`; its `page` is Playwright's own, for everything else:
`notebook.page.get_by_role("button", name="Start").click()`.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import Request, urlopen

import nbformat
import pytest
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# Seconds after which a test takes a thing for hung. No test measures time, and machines may be busy.
STARTING, RUNNING = 240, 1200
LATENCIES = pytest.StashKey[list]()
SETTINGS = {
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},  # all cells are on the page at once
    "@jupyterlab/docmanager-extension/plugin": {"autosave": False},
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}
# How far the darkest and the brightest of 32 × 32 samples of a picture are apart; null while it loads.
PICTURES = """selector => [...document.querySelectorAll(selector)].map(img => {
    const loaded = img.complete && img.naturalWidth > 0;
    const canvas = Object.assign(document.createElement("canvas"), {width: 32, height: 32});
    const pen = canvas.getContext("2d");
    if (loaded) pen.drawImage(img, 0, 0, 32, 32);
    const green = pen.getImageData(0, 0, 32, 32).data.filter((_, i) => i % 4 == 1);
    return {width: img.naturalWidth, height: img.naturalHeight, alt: img.alt, shown: img.checkVisibility(),
            spread: loaded ? Math.max(...green) - Math.min(...green) : null};
})"""
OUTPUTS = """() => jupyterapp.shell.currentWidget.content.widgets
    .flatMap(cell => cell.model.toJSON().outputs ?? [])"""
PLACE_OF_CELL = """id => jupyterapp.shell.currentWidget.content.widgets
    .findIndex(cell => cell.model.sharedModel.id == id)"""
CONNECTED = """() => {
    const kernel = jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel;
    return kernel?.connectionStatus == 'connected' && kernel.status == 'idle';
}"""
BUSY = "() => [...document.querySelectorAll('.jp-InputPrompt')].some(e => e.textContent.includes('*'))"


class NotebookPage:
    """One notebook, open in the browser. `console_errors` are the page's own complaints."""

    def __init__(self, page):
        self.page = page
        self.console_errors: list[str] = []
        page.on("console", lambda m: self.console_errors.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: self.console_errors.append(str(error)))

    def run_all(self, timeout: float = RUNNING) -> None:
        """Clear all outputs, run all cells, and wait for the last one or for an error; timeout in seconds."""
        self.choose("Edit", "Clear Outputs of All Cells")
        self.wait_for(lambda: self.outputs() == [], what="the stored outputs to go")
        self.choose("Run", "Run All Cells")
        last = self.page.locator(".jp-CodeCell .jp-InputPrompt").last

        def finished():
            return not self.page.evaluate(BUSY) and (re.search(r"\d", last.inner_text()) or self.errors())

        self.wait_for(finished, timeout, "all cells to finish")

    def cell(self, name: str):
        """The Locator of the one cell of this id."""
        place = self.page.evaluate(PLACE_OF_CELL, name)
        assert place >= 0, f"no cell has the id {name}"
        return self.page.locator(".jp-Notebook .jp-Cell").nth(place)

    def shown(self, name: str):
        """The Locator of what the cell of this id shows, without its code."""
        return self.cell(name).locator(".jp-OutputArea").first

    def run_cell(self, name: str):
        """Run the one cell of this id, with the keyboard; returns its Locator. It is not waited for."""
        cell = self.cell(name)
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Control+Enter")
        return cell

    def run_to_end(self, *names: str, timeout: float = RUNNING) -> None:
        """Run cells, one after the other, each until it is done; timeout in seconds, of each."""
        for name in names:
            number = self.cell(name).locator(".jp-InputPrompt")
            still = (number.inner_text(), "[*]:")
            self.run_cell(name)
            self.wait_for(lambda n=number, s=still: n.inner_text() not in s, timeout, f"{name} to finish")

    def write(self, name: str, code: str) -> None:
        """Put code in the place of what stands in the cell of this id, with the keyboard."""
        self.cell(name).locator(".cm-content").click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(code.rstrip())

    def choose(self, menu: str, item: str) -> None:
        """Click an item of the menu bar, as a reader does."""
        self.page.get_by_role("menuitem", name=menu, exact=True).click()
        self.page.get_by_role("menuitem", name=item, exact=True).click()

    def wait_for(self, condition, timeout: float = STARTING, what: str = "the page"):
        """Ask until `condition()` is true, and return what it gave; TimeoutError after `timeout` seconds."""
        end = time.monotonic() + timeout
        while not (value := condition()):
            if time.monotonic() > end:
                raise TimeoutError(f"waited {timeout} s for {what}")
            self.page.wait_for_timeout(100)
        return value

    def outputs(self) -> list[dict]:
        """All that the cells show, in the notebook format (the page draws errors and stderr alike)."""
        return self.page.evaluate(OUTPUTS)

    def errors(self) -> list[str]:
        """The name and the message of every error that a cell shows."""
        return [f"{o['ename']}: {o['evalue']}" for o in self.outputs() if o["output_type"] == "error"]

    def stream(self, name: str) -> str:
        """All that the cells show of "stdout" or "stderr"."""
        return "".join("".join(o["text"]) for o in self.outputs() if o.get("name") == name)

    def dead_widgets(self) -> int:
        """How many outputs show a complaint, or a promise, where a widget should be."""
        return sum(self.page.get_by_text(t).count() for t in ("Error displaying widget", "Loading widget..."))

    def pictures(self, selector: str = ".jp-OutputArea-output img") -> list[dict]:
        """Every picture: width, height (pixels), alt, shown, spread (0..255; 0 if blank, None if loading)."""
        return self.page.evaluate(PICTURES, selector)


def find_chromium(playwright) -> str | None:
    """The system's Chromium or Chrome, or the one that Playwright installed; None where there is neither."""
    candidates = [*(shutil.which(name) for name in BROWSERS), playwright.chromium.executable_path]
    return next((path for path in candidates if path and Path(path).exists()), None)


def server_address(process, runtime: Path, log: Path) -> dict:
    """What a starting server writes about itself as soon as it listens: its url, port and token."""
    end = time.monotonic() + STARTING
    while time.monotonic() < end and process.poll() is None:
        for file in runtime.glob("jpserver-*.json"):
            try:
                info = json.loads(file.read_text(encoding="utf-8"))
            except json.JSONDecodeError:  # half written
                break
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", info["port"])) == 0:
                    return info
        time.sleep(0.1)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text(encoding='utf-8')[-2000:]}")


@pytest.fixture(scope="session")
def latencies(pytestconfig):
    """A list for rows of (lab, control, milliseconds of each change, goal); shown at the end of the run."""
    return pytestconfig.stash.setdefault(LATENCIES, [])


def pytest_terminal_summary(terminalreporter, config):
    rows = config.stash.get(LATENCIES, [])
    if rows:
        terminalreporter.section("from the key press to the new picture in the page")
        terminalreporter.line(f"{'lab':16} {'control':18} changes  median     p95    goal (ms)")
    for lab, control, times, goal in rows:
        times = sorted(times)
        middle, late = times[len(times) // 2], times[max(0, round(0.95 * len(times)) - 1)]
        terminalreporter.line(
            f"{lab:16} {control:18} {len(times):7} {middle:7.0f} {late:7.0f} {goal:7}"
            + ("" if middle <= goal else "  slower")
        )


@pytest.fixture(scope="package")
def browser():
    # Closed when this folder's tests end: nbval's kernels cannot run beside Playwright's event loop.
    with sync_playwright() as playwright:
        executable = find_chromium(playwright)
        if executable is None:
            pytest.skip(f"no Chromium found (looked for {', '.join(BROWSERS)}); install Debian's chromium")
        options = ["--disable-gpu", "--disable-quic"]
        browser = playwright.chromium.launch(
            executable_path=executable, args=options, timeout=STARTING * 1000
        )
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def lab_server(browser, tmp_path_factory):
    """A JupyterLab of its own settings on 127.0.0.1: a dict with its url, token and root (a Path)."""
    home = tmp_path_factory.mktemp("jupyter")
    root = home / "course"
    for folder in ("notebooks", "data"):
        if (ROOT / folder).is_dir():
            shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns(".*"))
    for plugin, values in SETTINGS.items():
        file = home / "settings" / f"{plugin}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values), encoding="utf-8")
    private = {f"JUPYTER_{kind}_DIR": kind.lower() for kind in ("CONFIG", "DATA", "RUNTIME")}
    private |= {f"JUPYTERLAB_{kind}_DIR": kind.lower() for kind in ("SETTINGS", "WORKSPACES")}
    private |= {"IPYTHONDIR": "ipython"}
    environment = os.environ | {name: str(home / folder) for name, folder in private.items()}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--expose-app-in-browser"]
    command += [
        "--JupyterNotebookApp.expose_app_in_browser=True",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.root_dir={root}",
        "--LabApp.extension_manager=readonly",
    ]
    log = home / "server.log"
    with log.open("w", encoding="utf-8") as stream:
        streams = {"stdin": subprocess.DEVNULL, "stdout": stream, "stderr": stream}
        process = subprocess.Popen(command, env=environment, **streams)
    try:
        info = server_address(process, home / "runtime", log)
        yield {"url": info["url"].rstrip("/"), "token": info["token"], "root": root}
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:  # stuck in its own shutting down
            process.kill()
            process.wait()


@pytest.fixture
def open_notebook(browser, lab_server):
    """A function: the name of a notebook, or a new name and its cells' sources -> its NotebookPage.

    New cells have the ids cell-0, cell-1, …  classic: in Notebook 7 instead of JupyterLab.
    """
    context = browser.new_context(viewport={"width": 1200, "height": 1500})
    context.set_default_timeout(STARTING * 1000)
    url, headers = lab_server["url"], {"Authorization": f"token {lab_server['token']}"}

    def ask(method: str, path: str):
        return urlopen(Request(url + path, method=method, headers=headers), timeout=60)

    def opened(name: str, cells: list[str] | None = None, classic: bool = False) -> NotebookPage:
        if cells is not None:
            numbered = [nbformat.v4.new_code_cell(text, id=f"cell-{n}") for n, text in enumerate(cells)]
            made = nbformat.v4.new_notebook(cells=numbered)
            made.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
            nbformat.write(made, lab_server["root"] / "notebooks" / name)
        notebook = NotebookPage(context.new_page())
        if classic:
            notebook.page.goto(f"{url}/notebooks/notebooks/{name}?token={lab_server['token']}")
            notebook.page.wait_for_selector(".jp-Notebook .jp-Cell")
            notebook.page.wait_for_function(CONNECTED)
            return notebook
        notebook.page.goto(f"{url}/doc/tree/notebooks/{name}?reset&token={lab_server['token']}")
        notebook.page.wait_for_selector(".jp-Notebook .jp-Cell")
        # The indicator by the toolbar says idle before there is a kernel; the status bar names both.
        notebook.page.get_by_text(re.compile(r"^Python 3.*\| Idle$")).wait_for()
        return notebook

    yield opened
    context.close()
    for session in json.load(ask("GET", "/api/sessions")):
        ask("DELETE", f"/api/sessions/{session['id']}").close()
