"""What a person waits for before anything happens: imports, and the network's weights."""

import subprocess
import sys

from tests.benchmarks.table import Row

IMPORT, WEIGHTS = 0.3, 1.0  # seconds


def seconds_of(before: str, measured: str, repeat: int = 3) -> float:
    """The least seconds that `measured` took in a new process, after `before`."""
    clock = "time.perf_counter()"
    code = f"import time\n{before}\nstarted = {clock}\n{measured}\nprint({clock} - started)"
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        for _ in range(repeat)
    ]
    return min(float(run.stdout) for run in runs)


def rows():
    """Two rows: the package beyond torch, and the bundled network beyond the imports."""
    package = seconds_of("import torch", "import stylelab")
    everything = "import torch, stylelab.networks.extractor, stylelab.pictures, stylelab.optimisation.running"
    weights = seconds_of(everything, "stylelab.FeatureExtractor(device='cpu')")
    yield Row("import stylelab", f"{package:.2f} s", "import torch", "", f"{IMPORT} s more", package < IMPORT)
    yield Row("VGG-19 with bundled weights", f"{weights:.2f} s", "", "", f"{WEIGHTS} s", weights < WEIGHTS)
