"""Run a `jupyter lab NOTEBOOK` command as the README gives it, until it serves the notebook; then end it.

    python .ci/first_command.py jupyter lab notebooks/00_first_picture.ipynb

Added are only: no browser, the loopback address, leave to run as root, and settings folders of its own.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import Request, urlopen

SECONDS = 240


def served(runtime: Path, notebook: Path) -> str | None:
    """The version of the server that serves the notebook and its page; None until it has started."""
    for file in runtime.glob("jpserver-*.json"):
        try:
            server = json.loads(file.read_text(encoding="utf-8"))
            version = json.load(ask(server, "api"))["version"]
        except (json.JSONDecodeError, URLError):  # half written; not listening yet
            return None
        path = quote(notebook.resolve().relative_to(Path(server["root_dir"]).resolve()).as_posix())
        cells = json.load(ask(server, f"api/contents/{path}"))["content"]["cells"]
        page = ask(server, f"lab/tree/{path}").read().decode()
        if not cells or "jupyter-config-data" not in page:
            raise SystemExit(f"JupyterLab started, but does not serve {notebook}")
        return version
    return None


def ask(server: dict, path: str):
    headers = {"Authorization": f"token {server['token']}"}
    return urlopen(Request(server["url"] + path, headers=headers), timeout=60)


def main(command: list[str]) -> None:
    notebook = Path(command[-1])
    with tempfile.TemporaryDirectory() as home:
        own = {f"JUPYTER_{kind}_DIR": os.path.join(home, kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
        added = ["--no-browser", "--ServerApp.ip=127.0.0.1", "--allow-root"]
        started = time.monotonic()
        lab = subprocess.Popen([*command, *added], env=os.environ | own, stdin=subprocess.DEVNULL)
        try:
            while (version := served(Path(own["JUPYTER_RUNTIME_DIR"]), notebook)) is None:
                if lab.poll() is not None or time.monotonic() - started > SECONDS:
                    raise SystemExit(f"{' '.join(command)}: no server after {SECONDS} s, or it ended")
                time.sleep(0.2)
        finally:
            lab.terminate()
            try:
                lab.wait(30)
            except subprocess.TimeoutExpired:  # stuck in its own shutting down
                lab.kill()
                lab.wait()
    print(f"{' '.join(command)}: served by Jupyter {version} after {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
