"""What the learner's own work and guesses are held against. A name is loaded on first use."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # for editors, which complete and jump by these; at run time _HOME serves
    from stylelab.checks.predicting import ask, predict, predictions

_HOME = {
    "ask": "predicting",
    "predict": "predicting",
    "predictions": "predicting",
}

__all__ = ["ask", "predict", "predictions"]


def __getattr__(name: str):
    if name not in _HOME:
        raise AttributeError(f"module 'stylelab.checks' has no attribute {name!r}")
    value = getattr(import_module(f"stylelab.checks.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
