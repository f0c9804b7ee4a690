"""Learning a filter from pairs of pictures: a small net on patches, and a table of what it missed.

The table (`patches.differences`) is loaded when it is used: it needs scikit-learn, the net does not.
"""

from stylelab.losses.distances import psnr
from stylelab.patches.fitting import (
    MOST_SAMPLES,
    OPTIMISERS,
    check_pairs,
    fit_patch_net,
    least_squares_filter,
    training,
)
from stylelab.patches.net import ACTIVATIONS, PatchNet, with_chroma
from stylelab.patches.windows import as_channels, check_patch, extract_patches, fold_patches

__all__ = [
    "ACTIVATIONS",
    "MOST_SAMPLES",
    "OPTIMISERS",
    "PatchNet",
    "as_channels",
    "check_pairs",
    "check_patch",
    "extract_patches",
    "fit_patch_net",
    "fold_patches",
    "least_squares_filter",
    "psnr",
    "training",
    "with_chroma",
]
