"""stylelab: neural style transfer, taken apart.

Everything a notebook needs is one attribute away (``stylelab.transfer``, ``stylelab.load_image``);
each module is loaded when one of its names is first used, so importing the package is instant.
"""

from importlib import import_module

__version__ = "0.1.0"

_HOME = {
    "StylelabError": "errors",
    "load_image": "pictures.loading",
    "save_image": "pictures.loading",
    "sample_names": "pictures.loading",
    "FeatureExtractor": "networks.extractor",
    "gram_matrix": "losses.gram",
    "content_loss": "losses.gram",
    "style_loss": "losses.gram",
    "tv_loss": "losses.gram",
    "Recipe": "optimisation.recipes",
    "RECIPES": "optimisation.recipes",
    "optimise": "optimisation.running",
    "transfer": "optimisation.running",
    "sweep": "sweeps.sweeping",
    "relative_losses": "losses.objectives",
    "keep_colours": "colour.matching",
    "match_colours": "colour.matching",
    "clipped_share": "colour.matching",
    "FILTERS": "pictures.filters",
    "apply_filter": "pictures.filters",
    "load_pairs": "pictures.pairs",
    "PatchNet": "patches.net",
    "fit_patch_net": "patches.net",
    "DifferenceTable": "patches.differences",
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
