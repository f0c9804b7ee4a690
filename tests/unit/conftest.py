"""What several test modules share: networks and pictures, never changed, and the scripts of data/."""

import importlib
import sys
from pathlib import Path

import pytest
import torch

from stylelab.networks.extractor import FeatureExtractor
from stylelab.pictures.loading import load_image

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture(scope="session")
def vgg():
    """VGG-19 as the course uses it: bundled weights, on the processor, where every machine agrees closely."""
    return FeatureExtractor("vgg19", weights="bundled", device="cpu")


@pytest.fixture(scope="session")
def random_vgg():
    return FeatureExtractor("vgg19", weights="random", device="cpu", seed=3)


@pytest.fixture(scope="session")
def squeezenet():
    return FeatureExtractor("squeezenet1_1", weights="random", device="cpu", seed=3)


@pytest.fixture(scope="session")
def photo():
    """The astronaut, 48 pixels high and wide."""
    return load_image("astronaut", 48)


@pytest.fixture(scope="session")
def painting():
    """The Starry Night, its longest side 64 pixels: another shape than the photograph's."""
    return load_image("starry_night", 64)


def noise(seed: int, height: int, width: int, count: int = 1, channels: int = 3) -> torch.Tensor:
    return torch.rand(count, channels, height, width, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="session")
def random_image():
    """A function of (seed, height, width, count=1, channels=3): an image of uniform noise in [0, 1]."""
    return noise


@pytest.fixture
def script(monkeypatch):
    """A function: the name of a module in data/ -> the module, which the next test imports anew."""
    monkeypatch.syspath_prepend(DATA)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield importlib.import_module
    for name, module in [*sys.modules.items()]:
        if DATA in Path(getattr(module, "__file__", None) or "").parents:
            del sys.modules[name]
