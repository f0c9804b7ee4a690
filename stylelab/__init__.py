"""stylelab: neural style transfer, taken apart.

Everything a notebook needs is one attribute away (``stylelab.transfer``, ``stylelab.load_image``);
each module is loaded when one of its names is first used, so importing the package is instant.
"""

from importlib import import_module

__version__ = "0.1.0"

_HOME = {
    "StylelabError": "errors",
    "load_image": "images",
    "save_image": "images",
    "sample_names": "images",
    "FeatureExtractor": "features",
    "gram_matrix": "losses",
    "content_loss": "losses",
    "style_loss": "losses",
    "tv_loss": "losses",
    "Recipe": "recipes",
    "RECIPES": "recipes",
    "optimise": "optimisation",
    "transfer": "optimisation",
    "sweep": "sweeps",
    "relative_losses": "objectives",
    "keep_colours": "colour",
    "match_colours": "colour",
    "clipped_share": "colour",
    "FILTERS": "filters",
    "apply_filter": "filters",
    "load_pairs": "pairs",
    "PatchNet": "patches",
    "fit_patch_net": "patches",
    "DifferenceTable": "differences",
}
_MODULES = ("figures", "labs")

__all__ = [*_HOME, *_MODULES, "__version__"]


def __getattr__(name: str):
    if name in _MODULES:
        return import_module(f"stylelab.{name}")
    if name not in _HOME:
        raise AttributeError(f"module 'stylelab' has no attribute {name!r}")
    value = getattr(import_module(f"stylelab.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
