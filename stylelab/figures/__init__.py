"""Every static picture of the course: a few kinds of figure, each with its caption drawn below it."""

from stylelab.figures.plates import (
    COLOURS,
    DPI,
    FONT,
    MARKERS,
    WIDTH,
    CourseFigure,
    PictureTable,
    chroma_clouds,
    curve_panels,
    curves,
    matrix,
    pictures,
    strongest_maps,
)

__all__ = [
    "COLOURS",
    "DPI",
    "FONT",
    "MARKERS",
    "WIDTH",
    "CourseFigure",
    "PictureTable",
    "chroma_clouds",
    "curve_panels",
    "curves",
    "matrix",
    "pictures",
    "strongest_maps",
]
