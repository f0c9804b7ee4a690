"""Difference maps and the table that restores them: localisation.

What a patch net cannot learn is the difference between the filtered picture and the net's. The table keeps
the difference maps of the training pairs, cut into patches, each under a key: what the input and the net's
output look like there. For a new picture it looks up similar places and adds what was missing at them.
"""

import math
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm.auto import tqdm

from stylelab.errors import StylelabError, unknown
from stylelab.filters import reflect_pad
from stylelab.patches import PatchNet, as_channels, check_pairs, check_patch, extract_patches, fold_patches
from stylelab.patches import with_chroma

KEYS = ("output+input", "output", "input", "published")
CHUNK = 8192  # queries searched at once: bounds the memory of a large picture
DAMPING = 0.9  # of a patch's mean in its key: the same edge on a darker wall should be found


class Explanation(NamedTuple):
    """Why one pixel's difference is what it is: its query and the table's nearest entries, nearest first.

    query_input, query_output: (C, p, p). sources: (pair, row, column) of each neighbour. distances: (k,), in
    the units of the key. inputs, outputs, differences: (k, C, p, p) at the sources. trust: the factor that
    the mean difference is multiplied by here.
    """

    query_input: Tensor
    query_output: Tensor
    sources: list[tuple[int, int, int]]
    distances: Tensor
    inputs: Tensor
    outputs: Tensor
    differences: Tensor
    trust: float


class DifferenceTable:
    """A k-NN table of difference patches, keyed by the neighbourhoods of the net's output and of the input.

    net: a fitted PatchNet. pairs: [(original, filtered), ...], as for fit_patch_net. patch: odd side of the
    patches, of keys and of differences. neighbours: how many entries are averaged. key: one of KEYS; each
    block has its mean damped and its total variance made 1, so that neither drowns the other; "published"
    searches patches of the output among patches of the difference and keeps only the centre. variance: share
    that the PCA of the keys keeps; None for no PCA. coherence: κ of image analogies; a neighbour's neighbour
    is taken if its squared distance is at most 1 + κ times the best. levels: of a pyramid, gone through
    coarse to fine. calibrate: learn from the pairs, each looked up among the others, how far to trust a
    difference found at a given distance; False adds it whole.
    Raises StylelabError for settings that make no table, ImageError for images that make no pair.
    Source: the table is image analogies' (Hertzmann et al., 2001), on difference maps.
    """

    def __init__(
        self,
        net: PatchNet,
        pairs: list[tuple[Tensor, Tensor]],
        patch: int = 5,
        neighbours: int = 8,
        key: str = "output+input",
        variance: float | None = 0.99,
        coherence: float = 0.0,
        levels: int = 1,
        calibrate: bool = True,
    ) -> None:
        check_patch(patch)
        if key not in KEYS:
            raise StylelabError(unknown("key", key, KEYS, "differences.KEYS"))
        if variance is not None and not 0 < variance <= 1:
            raise StylelabError(f"variance {variance}: the share to keep, above 0 and up to 1, or None")
        self.net, self.patch, self.key, self.variance = net, patch, key, variance
        self.neighbours, self.coherence, self.levels = neighbours, coherence, levels
        ...
