"""Every static picture of the course: a few kinds of figure, each with its caption drawn below it."""

from stylelab.figures.figure import COLOURS, DPI, FONT, MARKERS, WIDTH, CourseFigure
from stylelab.figures.plates import comparison, pictures, strongest_maps
from stylelab.figures.plots import chroma_clouds, curve_panels, curves, matrix
from stylelab.figures.tables import PictureTable

__all__ = [
    "COLOURS",
    "DPI",
    "FONT",
    "MARKERS",
    "WIDTH",
    "CourseFigure",
    "PictureTable",
    "chroma_clouds",
    "comparison",
    "curve_panels",
    "curves",
    "matrix",
    "pictures",
    "strongest_maps",
]
