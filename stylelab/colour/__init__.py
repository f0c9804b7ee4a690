"""Colour: RGB ↔ YUV, four ways to give a painting's strokes the photograph's colours, and distances."""

from stylelab.colour.distances import chroma_distance, clipped_share
from stylelab.colour.matching import (
    COLOUR_METHODS,
    TRANSFORMS,
    after_transfer,
    before_transfer,
    keep_colours,
    match_colours,
    match_luminance,
)
from stylelab.colour.spaces import rgb_to_yuv, yuv_to_rgb

__all__ = [
    "COLOUR_METHODS",
    "TRANSFORMS",
    "after_transfer",
    "before_transfer",
    "chroma_distance",
    "clipped_share",
    "keep_colours",
    "match_colours",
    "match_luminance",
    "rgb_to_yuv",
    "yuv_to_rgb",
]
