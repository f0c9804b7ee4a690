"""Pictures: files to image tensors and back, sizes, filters, pairs.

An image is a float32 tensor (N, C, H, W), RGB or one grey channel, sRGB-encoded, in [0, 1].
"""

from stylelab.pictures.daylight import at_dusk
from stylelab.pictures.filters import FILTERS, apply_filter, gaussian_blur, reflect_pad
from stylelab.pictures.guided import guided_filter
from stylelab.pictures.likeness import edges_found, structural_similarity
from stylelab.pictures.loading import as_image, load_image
from stylelab.pictures.pairs import load_pairs
from stylelab.pictures.resampling import quantise, resize, same_aspect, scaled_shape
from stylelab.pictures.samples import sample_names, sample_path
from stylelab.pictures.saving import read_settings, receipt, save_image, to_pil, writable_path
from stylelab.pictures.stylist import Stylist

__all__ = [
    "FILTERS",
    "Stylist",
    "apply_filter",
    "as_image",
    "at_dusk",
    "edges_found",
    "gaussian_blur",
    "guided_filter",
    "load_image",
    "load_pairs",
    "quantise",
    "read_settings",
    "receipt",
    "reflect_pad",
    "resize",
    "same_aspect",
    "sample_names",
    "sample_path",
    "save_image",
    "scaled_shape",
    "structural_similarity",
    "to_pil",
    "writable_path",
]
