"""One check for each exercise of the notebooks: it says whether your answer is right, and if not, why.

`stylelab.checks.gram_matrix(my_gram_matrix)` tries your function on small examples, shows a verdict and
returns True or False. `help(stylelab.checks.gram_matrix)` says what the function takes and returns. And the
questions to predict the answer of: `stylelab.checks.ask("01/shuffle-features")`.
"""

from importlib import import_module

_HOME = {
    "colour": ("keep_luminance", "linear_match", "match_each_channel", "rgb_to_yuv", "safe_power"),
    "content": (
        "content_loss",
        "fooling_change",
        "gradient_before_relu",
        "overlooked_change",
        "psnr",
        "taps",
    ),
    "first_picture": ("half_and_half", "larger_strokes", "weighted_loss"),
    "gram": (
        "gram_gradient",
        "gram_matrix",
        "mean_share",
        "quarter_grams",
        "relative_gradient",
        "wrong_grams",
    ),
    "loop": ("descent",),
    "loss": ("gatys_loss", "style_loss"),
    "neighbours": ("balanced", "centres", "difference_map", "fold_average", "nearest_patches", "trust"),
    "patches": (
        "extract_patches",
        "gradient_of_w",
        "how_many",
        "is_function_of_a_patch",
        "least_squares_filter",
        "weights_of_edges",
    ),
    "predicting": ("ask", "predict", "predictions"),
    "recipes": ("adam_step", "cost", "mended_recipe", "penalty", "penalty_gradient"),
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
