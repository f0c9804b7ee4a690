"""stylelab: neural style transfer, taken apart.

Everything a notebook needs is one attribute away (``stylelab.transfer``, ``stylelab.load_image``);
each module is loaded when one of its names is first used, so importing the package is instant.
"""

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:  # for editors, which complete and jump by these; at run time _HOME serves
    from stylelab import (
        arbitrary,
        checks,
        colour,
        feedforward,
        figures,
        labs,
        learning,
        losses,
        networks,
        optimisation,
        patches,
        pictures,
        sweeps,
    )
    from stylelab.arbitrary.stylists import WCT, AdaIN
    from stylelab.arbitrary.training import fit_decoders
    from stylelab.colour.distances import clipped_share
    from stylelab.colour.matching import keep_colours, match_colours
    from stylelab.errors import StylelabError
    from stylelab.feedforward.network import FastNetwork
    from stylelab.feedforward.training import fit_fast_network
    from stylelab.losses.distances import content_loss
    from stylelab.losses.gram import gram_matrix, style_loss
    from stylelab.losses.smoothness import tv_loss
    from stylelab.losses.yardstick import relative_losses
    from stylelab.networks.extractor import FeatureExtractor
    from stylelab.networks.regions import segment
    from stylelab.optimisation.published import RECIPES
    from stylelab.optimisation.recipes import Recipe
    from stylelab.optimisation.running import optimise, transfer
    from stylelab.optimisation.stylist import StyleTransfer
    from stylelab.patches.differences import DifferenceTable
    from stylelab.patches.fitting import fit_patch_net
    from stylelab.patches.net import PatchNet
    from stylelab.pictures.filters import FILTERS, apply_filter
    from stylelab.pictures.loading import load_image
    from stylelab.pictures.pairs import load_pairs
    from stylelab.pictures.samples import sample_names
    from stylelab.pictures.saving import read_settings, save_image
    from stylelab.sweeps.sweeping import sweep

_HOME = {
    "StylelabError": "errors",
    "load_image": "pictures.loading",
    "save_image": "pictures.saving",
    "read_settings": "pictures.saving",
    "sample_names": "pictures.samples",
    "FeatureExtractor": "networks.extractor",
    "segment": "networks.regions",
    "gram_matrix": "losses.gram",
    "style_loss": "losses.gram",
    "content_loss": "losses.distances",
    "tv_loss": "losses.smoothness",
    "relative_losses": "losses.yardstick",
    "Recipe": "optimisation.recipes",
    "RECIPES": "optimisation.published",
    "optimise": "optimisation.running",
    "transfer": "optimisation.running",
    "StyleTransfer": "optimisation.stylist",
    "sweep": "sweeps.sweeping",
    "keep_colours": "colour.matching",
    "match_colours": "colour.matching",
    "clipped_share": "colour.distances",
    "FILTERS": "pictures.filters",
    "apply_filter": "pictures.filters",
    "load_pairs": "pictures.pairs",
    "PatchNet": "patches.net",
    "fit_patch_net": "patches.fitting",
    "DifferenceTable": "patches.differences",
    "FastNetwork": "feedforward.network",
    "fit_fast_network": "feedforward.training",
    "AdaIN": "arbitrary.stylists",
    "WCT": "arbitrary.stylists",
    "fit_decoders": "arbitrary.training",
}
__all__ = [
    "FILTERS",
    "RECIPES",
    "WCT",
    "AdaIN",
    "DifferenceTable",
    "FastNetwork",
    "FeatureExtractor",
    "PatchNet",
    "Recipe",
    "StyleTransfer",
    "StylelabError",
    "__version__",
    "apply_filter",
    "arbitrary",
    "checks",
    "clipped_share",
    "colour",
    "content_loss",
    "feedforward",
    "figures",
    "fit_decoders",
    "fit_fast_network",
    "fit_patch_net",
    "gram_matrix",
    "keep_colours",
    "labs",
    "learning",
    "load_image",
    "load_pairs",
    "losses",
    "match_colours",
    "networks",
    "optimisation",
    "optimise",
    "patches",
    "pictures",
    "read_settings",
    "relative_losses",
    "sample_names",
    "save_image",
    "segment",
    "style_loss",
    "sweep",
    "sweeps",
    "transfer",
    "tv_loss",
]


def __getattr__(name: str):
    if name not in __all__:
        raise AttributeError(f"module 'stylelab' has no attribute {name!r}")
    if name not in _HOME:
        return import_module(f"stylelab.{name}")
    value = getattr(import_module(f"stylelab.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
