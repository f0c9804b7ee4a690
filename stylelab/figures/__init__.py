"""Every static picture of the course: figures and diagrams, each with its caption drawn below it."""

from stylelab.figures.diagrams.gradient import gradient_diagram
from stylelab.figures.diagrams.learning import patch_net_diagram
from stylelab.figures.diagrams.network import vgg19_diagram
from stylelab.figures.diagrams.schedule import coarse_to_fine_diagram
from stylelab.figures.diagrams.sheet import Diagram
from stylelab.figures.evidence import feature_statistics, pixel_probe
from stylelab.figures.figure import COLOURS, DPI, FONT, MARKERS, WIDTH, CourseFigure
from stylelab.figures.plates import comparison, pictures, strongest_maps
from stylelab.figures.plots import chroma_clouds, curve_panels, curves, matrix
<<<<<<< HEAD
from stylelab.figures.tables import PictureTable, text_table
=======
from stylelab.figures.recipes import recipe_table
from stylelab.figures.tables import PictureTable
>>>>>>> 378925d (A table of recipes among the figures: notebook 07 no longer formats it in forty lines)

__all__ = [
    "COLOURS",
    "DPI",
    "FONT",
    "MARKERS",
    "WIDTH",
    "CourseFigure",
    "Diagram",
    "PictureTable",
    "chroma_clouds",
    "coarse_to_fine_diagram",
    "comparison",
    "curve_panels",
    "curves",
    "feature_statistics",
    "gradient_diagram",
    "matrix",
    "patch_net_diagram",
    "pictures",
<<<<<<< HEAD
    "pixel_probe",
=======
    "recipe_table",
>>>>>>> 378925d (A table of recipes among the figures: notebook 07 no longer formats it in forty lines)
    "strongest_maps",
    "text_table",
    "vgg19_diagram",
]
