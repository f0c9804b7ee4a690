"""What is compared: content, the statistics of a style, smoothness; and the objective made of such terms.

Feature maps are (N, C, H, W), Gram matrices (N, C, C). The losses are pure functions of tensors.
"""

from collections.abc import Callable, Mapping

from stylelab.losses.covariance import Covariance
from stylelab.losses.distances import content_loss, psnr, squared_distance
from stylelab.losses.gram import Gram, gram_matrix, style_loss
from stylelab.losses.histogram import Histogram
from stylelab.losses.matting import Photorealism, matting_laplacian, matting_loss
from stylelab.losses.moments import Moments
from stylelab.losses.objective import Objective
from stylelab.losses.patches import Patches
from stylelab.losses.scene import Scene
from stylelab.losses.sliced import Sliced
from stylelab.losses.smoothness import tv_loss
from stylelab.losses.statistic import Statistic, at_layer
from stylelab.losses.terms import Content, InRange, Style, Term, TotalVariation
from stylelab.losses.wasserstein import Wasserstein
from stylelab.losses.yardstick import relative_losses

# By the names that a recipe has for them, each with its default settings.
STATISTICS: Mapping[str, Callable[[], Statistic]] = {
    "gram": Gram,
    "covariance": Covariance,
    "moments": Moments,
    "wasserstein": Wasserstein,
    "sliced": Sliced,
    "histogram": Histogram,
    "patches": Patches,
}

__all__ = [
    "STATISTICS",
    "Content",
    "Covariance",
    "Gram",
    "Histogram",
    "InRange",
    "Moments",
    "Objective",
    "Patches",
    "Photorealism",
    "Scene",
    "Sliced",
    "Statistic",
    "Style",
    "Term",
    "TotalVariation",
    "Wasserstein",
    "at_layer",
    "content_loss",
    "gram_matrix",
    "matting_laplacian",
    "matting_loss",
    "psnr",
    "relative_losses",
    "squared_distance",
    "style_loss",
    "tv_loss",
]
