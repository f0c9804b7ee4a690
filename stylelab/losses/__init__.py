"""What is compared: content, the statistics of a style, smoothness; and the objective made of such terms.

Feature maps are (N, C, H, W), Gram matrices (N, C, C). The losses are pure functions of tensors.
"""

from stylelab.losses.distances import content_loss, psnr, squared_distance
from stylelab.losses.gram import Gram, gram_matrix, style_loss
from stylelab.losses.objective import Objective
from stylelab.losses.scene import Scene
from stylelab.losses.smoothness import tv_loss
from stylelab.losses.statistic import Statistic, at_layer
from stylelab.losses.terms import Content, InRange, Style, Term, TotalVariation
from stylelab.losses.yardstick import relative_losses

__all__ = [
    "Content",
    "Gram",
    "InRange",
    "Objective",
    "Scene",
    "Statistic",
    "Style",
    "Term",
    "TotalVariation",
    "at_layer",
    "content_loss",
    "gram_matrix",
    "psnr",
    "relative_losses",
    "squared_distance",
    "style_loss",
    "tv_loss",
]
