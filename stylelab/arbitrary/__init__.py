"""Any painting at once: the statistics of a photograph's feature maps are exchanged for a painting's.

`transforms` are the exchanges, AdaIN and WCT; `decoders` the way back from maps to pixels, fitted by
`training`; `stylists` put them together.
"""

from stylelab.arbitrary.decoders import LEVELS, Decoders
from stylelab.arbitrary.stylists import WCT, AdaIN, AnyStyle, FixedStyle
from stylelab.arbitrary.training import DecoderSettings, fit_decoders
from stylelab.arbitrary.transforms import adain, colour, moments, transformed, wct, whiten

__all__ = [
    "LEVELS",
    "WCT",
    "AdaIN",
    "AnyStyle",
    "DecoderSettings",
    "Decoders",
    "FixedStyle",
    "adain",
    "colour",
    "fit_decoders",
    "moments",
    "transformed",
    "wct",
    "whiten",
]
