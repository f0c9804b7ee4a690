"""One check for each exercise of the notebooks: it says whether your answer is right, and if not, why.

`stylelab.checks.gram_matrix(my_gram_matrix)` tries your function on small examples, shows a verdict and returns
True or False. `help(stylelab.checks.gram_matrix)` says what the function takes and returns.
"""

from importlib import import_module

_HOME = {
    "content": ("content_loss", "fooling_change", "gradient_before_relu", "overlooked_change", "psnr", "taps"),
    "gram": ("gram_gradient", "gram_matrix", "mean_share", "quarter_grams", "relative_gradient"),
    "loop": ("descent",),
    "loss": ("gatys_loss", "style_loss"),
    "smoothness": ("plateau_shift", "total_variation", "weight_for_means"),
}
_MODULE = {name: module for module, names in _HOME.items() for name in names}
__all__ = sorted(_MODULE)


def __getattr__(name: str):
    if name not in _MODULE:
        raise AttributeError(f"module 'stylelab.checks' has no attribute {name!r}")
    value = getattr(import_module(f"stylelab.checks.{_MODULE[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
