"""Learning a filter from pairs of pictures: a small net on patches, and a table of what it missed.

The table (`patches.differences`) is loaded when it is used: it needs scikit-learn, the net does not.
"""

from stylelab.patches.net import (
    ACTIVATIONS,
    MOST_SAMPLES,
    OPTIMISERS,
    PatchNet,
    as_channels,
    check_pairs,
    check_patch,
    extract_patches,
    fit_patch_net,
    fold_patches,
    psnr,
    training,
    with_chroma,
)

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
    "psnr",
    "training",
    "with_chroma",
]
