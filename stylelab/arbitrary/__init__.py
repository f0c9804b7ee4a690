"""Any painting at once: the statistics of a photograph's feature maps are exchanged for a painting's.

`transforms` are the exchanges, AdaIN and WCT.
"""

from stylelab.arbitrary.transforms import adain, colour, moments, transformed, wct, whiten

__all__ = ["adain", "colour", "moments", "transformed", "wct", "whiten"]
