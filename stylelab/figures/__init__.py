"""Every static picture of the course: figures and diagrams, each with its caption drawn below it."""

from stylelab.figures.diagrams.arbitrary import any_style_diagram
from stylelab.figures.diagrams.fast import fast_network_diagram
from stylelab.figures.diagrams.gradient import gradient_diagram
from stylelab.figures.diagrams.learning import patch_net_diagram
from stylelab.figures.diagrams.network import vgg19_diagram
from stylelab.figures.diagrams.schedule import coarse_to_fine_diagram
from stylelab.figures.diagrams.sheet import Diagram
from stylelab.figures.evidence import feature_statistics, pixel_probe
from stylelab.figures.figure import COLOURS, DPI, FONT, MARKERS, WIDTH, CourseFigure
from stylelab.figures.plates import comparison, pictures, strongest_maps
from stylelab.figures.plots import chroma_clouds, curve_panels, curves, map_clouds, matrix
from stylelab.figures.recipes import recipe_table
from stylelab.figures.tables import PictureTable, text_table

__all__ = [
    "COLOURS",
    "DPI",
    "FONT",
    "MARKERS",
    "WIDTH",
    "CourseFigure",
    "Diagram",
    "PictureTable",
    "any_style_diagram",
    "chroma_clouds",
    "coarse_to_fine_diagram",
    "comparison",
    "curve_panels",
    "curves",
    "fast_network_diagram",
    "feature_statistics",
    "gradient_diagram",
    "map_clouds",
    "matrix",
    "patch_net_diagram",
    "pictures",
    "pixel_probe",
    "recipe_table",
    "strongest_maps",
    "text_table",
    "vgg19_diagram",
]
