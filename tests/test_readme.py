"""Every command of the README is run, in order, in a copy of the repository.

The two that set everything up are run by .ci/run. A few are run in a variation that neither changes the
machine nor downloads gigabytes: VARIED says which and how. All others are run as they stand.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
SETTING_UP = (
    "pip install -e . && jupyter lab notebooks/00_first_picture.ipynb",
    'pip install -e ".[test]" && pytest',
)
SHELLS = ("bash", "sh", "console", "powershell")
NOT_COMMANDS = ("text", "bibtex", "yaml", "toml", "json", "html")
INLINE = re.compile(r"`((?:(?:python3?|py|pip|pytest|jupyter|conda|mamba|ruff|git|docker) |\.ci/)[^`]+)`")
NAMES = ("python -m stylelab",)  # programs the prose speaks of; their uses are run
YOURS = ("holiday.jpg", "painting.jpg")  # the reader's own pictures, put there before the first command

# pattern of one command -> what is run in its place (None: nothing can be), and why
VARIED = [
    (r"(conda|mamba) env create (.*)", r"\1 env create --dry-run \2", "solved, not installed"),
    (r"(conda|mamba) activate .*", None, "the environment was only solved"),
    (
        r"pip wheel (.*)",
        r"pip wheel --no-deps --no-build-isolation \1",
        "our wheel, without PyTorch's gigabytes",
    ),
    (
        r"pip install (--no-index --find-links \S+ \S+)",
        r"pip install --no-deps --target ../installed \1",
        "the wheel made before it, beside the environment of the tests",
    ),
    (r"pip install torch .* --index-url .*", None, "gigabytes, from an index that need not be reachable"),
    (r"pytest\b.*", r"\g<0> --collect-only --quiet", "this is pytest already"),
    (r"jupyter (lab|notebook)\b.*", r"\g<0> --version", "tests/browser starts the real one"),
    (r"\.ci/run", "bash -n .ci/run", "it runs this test"),
    (r"\.ci/lowest", "bash -n .ci/lowest", "it installs gigabytes, and runs the unit tests"),
    (
        r"(python -m tests\.benchmarks) .*",
        r"\1 --help",
        "minutes; test_benchmarks.py runs its parts",
    ),
    (r"git clone .*", None, "the repository is here"),
]


def commands() -> list[tuple[str, str]]:
    """(language, command) of every fenced command, Python block and inline command, in the README's order."""
    found, fence, block = [], None, []
    for line in TEXT.splitlines():
        if (mark := re.match(r"\s*```(.*)", line)) and fence is None:
            fence, block = mark[1].strip(), []
        elif mark:
            found += [(fence, command) for command in in_block(fence, "\n".join(block))]
            fence = None
        elif fence is None:
            found += [("bash" if "Activate.ps1" not in c else "powershell", c) for c in INLINE.findall(line)]
        else:
            block.append(line)
    return [c for c in dict.fromkeys(found) if c[1] not in (*SETTING_UP, *NAMES)]


def in_block(language: str, block: str) -> list[str]:
    if language == "python":
        return [block]
    if language not in SHELLS:
        return []
    lines = block.replace("\\\n", " ").splitlines()
    if language == "console":
        lines = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    return [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]


def variation(command: str) -> tuple[str, list[str]]:
    """What is run for a command, "" where nothing can be, and why: each part between && on its own."""
    parts, reasons = [], []
    for part in command.split(" && "):
        for pattern, replacement, why in VARIED:
            if match := re.fullmatch(pattern, part):
                part = match.expand(replacement) if replacement else None
                reasons.append(why)
                break
        parts += [part] if part else []
    return " && ".join(parts), reasons


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the repository to run in: what one command writes, the next one finds."""
    folder = tmp_path_factory.mktemp("readme") / "stylelab"
    unneeded = shutil.ignore_patterns(".git", ".venv", "*cache*", ".hypothesis", "wheels", "build", "dist")
    shutil.copytree(ROOT, folder, ignore=unneeded)
    for name in YOURS:
        shutil.copy(ROOT / "data" / "content" / "cat.jpg", folder / name)
    return folder


@pytest.mark.parametrize(("language", "command"), commands(), ids=lambda text: " ".join(text.split())[:60])
def test_command_works(language, command, copy):
    if language == "python":
        configures = re.search(r"^c\.", command, re.M)  # a file for JupyterHub, which brings c
        code = f"from traitlets.config import Config\nc = Config()\n{command}" if configures else command
        run = [sys.executable, "-c", code]
    else:
        shell = "pwsh" if language == "powershell" else "bash"
        varied, reasons = (command, []) if shell == "pwsh" else variation(command)
        if not varied:
            pytest.skip("; ".join(reasons))
        needed = [shell, *(word for word in ("conda", "mamba", "docker") if varied.startswith(f"{word} "))]
        if missing := [program for program in needed if not shutil.which(program)]:
            pytest.skip(f"no {missing[0]} on this machine")
        run = [shell, "-c", varied]
    scripts = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    pipes = {
        "stdin": subprocess.DEVNULL,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.STDOUT,
        "text": True,
    }
    done = subprocess.run(run, cwd=copy, env=os.environ | {"PATH": scripts}, timeout=900, **pipes)
    assert done.returncode == 0, f"{run[-1]}\n{done.stdout}"


def test_two_commands_do_all_the_setting_up():
    lines = [line.strip() for line in TEXT.splitlines()]
    assert [lines.count(command) for command in SETTING_UP] == [1, 1]


def test_every_block_says_what_it_is():
    fences = re.findall(r"^\s*```(.*)$", TEXT, re.M)
    assert len(fences) % 2 == 0
    assert set(fences[::2]) <= {*SHELLS, *NOT_COMMANDS, "python"}
    assert not any(fences[1::2])


def test_links_lead_somewhere_and_pictures_have_words():
    targets = re.findall(r"\]\(([^)\s]+)\)", TEXT) + re.findall(r'(?:src|href)="([^"]+)"', TEXT)
    local = [target.split("#")[0] for target in targets if not re.match(r"[a-z]+:|#", target)]
    assert not [target for target in local if not (ROOT / target).exists()]
    assert not re.findall(r"!\[\s*\]", TEXT)
    assert not [tag for tag in re.findall(r"<img\b[^>]*>", TEXT) if not re.search(r'alt="[^"]+"', tag)]


def test_links_within_the_page_name_a_heading():
    headings = re.findall(r"^#+ (.+)$", TEXT, re.M)
    anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", TEXT)) <= anchors


def test_every_notebook_is_in_the_table():
    names = [path.name for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]
    rows = [line for line in TEXT.splitlines() if line.lstrip().startswith("|")]
    missing = [name for name in names if not any(f"notebooks/{name}" in row for row in rows)]
    assert not missing
