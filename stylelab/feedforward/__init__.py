"""The fast way: one small network, trained once, paints any photograph in the styles that it knows.

`network` is the network, `training` fits it, `batches` are the pictures it learns from, `goals` what it is
asked for; `saving` and `checkpoints` are its files.
"""

from stylelab.feedforward.network import FastNetwork, FastStyle
from stylelab.feedforward.records import TrainingRecord
from stylelab.feedforward.settings import FastSettings
from stylelab.feedforward.training import TrainingStep, fast_training, fit_fast_network

__all__ = [
    "FastNetwork",
    "FastSettings",
    "FastStyle",
    "TrainingRecord",
    "TrainingStep",
    "fast_training",
    "fit_fast_network",
]
