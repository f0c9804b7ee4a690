"""The fast way: one small network, trained once, paints any photograph in the styles that it knows.

`network` is the network, `training` fits it, `learner` does a step of that, `goals` are what it is asked for.
"""

from stylelab.feedforward.network import FastNetwork, FastStyle
from stylelab.feedforward.settings import FastSettings
from stylelab.feedforward.training import fast_training, fit_fast_network
from stylelab.learning.records import TrainingRecord
from stylelab.learning.running import TrainingStep

__all__ = [
    "FastNetwork",
    "FastSettings",
    "FastStyle",
    "TrainingRecord",
    "TrainingStep",
    "fast_training",
    "fit_fast_network",
]
