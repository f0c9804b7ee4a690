"""One check for each exercise of the notebooks: it says whether your answer is right, and if not, why.

`stylelab.checks.gram_matrix(my_gram_matrix)` tries your function on small examples, shows a verdict and
returns True or False. `help(stylelab.checks.gram_matrix)` says what the function takes and returns. And the
questions to predict the answer of, `stylelab.checks.ask("01/shuffle-features")`; and the bug museum of
notebook 08: `stylelab.checks.exhibit(1)` is a broken function, `stylelab.checks.find_the_bug(1, mend)` says
whether its mend is right.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # for editors, which complete and jump by these; at run time _HOME serves
    from stylelab.checks.any_style import adain
    from stylelab.checks.colour import keep_luminance, rgb_to_yuv
    from stylelab.checks.colouring import colour_in
    from stylelab.checks.content import content_loss, gradient_before_relu, psnr
    from stylelab.checks.fair_shares import shares
    from stylelab.checks.fast_styles import conditional_instance_norm, mixture
    from stylelab.checks.fast_training import coverage, fast_loss, own_style
    from stylelab.checks.first_picture import half_and_half, larger_strokes, weighted_loss
    from stylelab.checks.folding import centres, fold_average
    from stylelab.checks.gram import gram_matrix, mean_share, quarter_grams, wrong_grams
    from stylelab.checks.gram_slopes import gram_gradient, relative_gradient
    from stylelab.checks.guided_grams import guided_gram
    from stylelab.checks.laying import laid_on
    from stylelab.checks.loop import descent
    from stylelab.checks.loss import gatys_loss, style_loss
    from stylelab.checks.museum import exhibit, find_the_bug
    from stylelab.checks.neighbours import balanced, difference_map, nearest_patches, trust
    from stylelab.checks.palettes import linear_match, match_each_channel, safe_power
    from stylelab.checks.patch_net import gradient_of_w, how_many, is_function_of_a_patch, weights_of_edges
    from stylelab.checks.patches import extract_patches, least_squares_filter
    from stylelab.checks.predicting import ask, predict, predictions
    from stylelab.checks.recipes import cost, mended_recipe
    from stylelab.checks.seeing import fooling_change, overlooked_change, taps
    from stylelab.checks.smoothness import plateau_shift, total_variation, weight_for_means
    from stylelab.checks.stepping import adam_step, penalty, penalty_gradient
    from stylelab.checks.strengths import strength_map
    from stylelab.checks.whitening import whiten

_HOME = {
    "ask": "predicting",
    "predict": "predicting",
    "predictions": "predicting",
    "exhibit": "museum",
    "find_the_bug": "museum",
    "adain": "any_style",
    "keep_luminance": "colour",
    "rgb_to_yuv": "colour",
    "colour_in": "colouring",
    "content_loss": "content",
    "gradient_before_relu": "content",
    "psnr": "content",
    "shares": "fair_shares",
    "conditional_instance_norm": "fast_styles",
    "mixture": "fast_styles",
    "coverage": "fast_training",
    "fast_loss": "fast_training",
    "own_style": "fast_training",
    "half_and_half": "first_picture",
    "larger_strokes": "first_picture",
    "weighted_loss": "first_picture",
    "centres": "folding",
    "fold_average": "folding",
    "gram_matrix": "gram",
    "mean_share": "gram",
    "quarter_grams": "gram",
    "wrong_grams": "gram",
    "gram_gradient": "gram_slopes",
    "relative_gradient": "gram_slopes",
    "guided_gram": "guided_grams",
    "laid_on": "laying",
    "descent": "loop",
    "gatys_loss": "loss",
    "style_loss": "loss",
    "balanced": "neighbours",
    "difference_map": "neighbours",
    "nearest_patches": "neighbours",
    "trust": "neighbours",
    "linear_match": "palettes",
    "match_each_channel": "palettes",
    "safe_power": "palettes",
    "gradient_of_w": "patch_net",
    "how_many": "patch_net",
    "is_function_of_a_patch": "patch_net",
    "weights_of_edges": "patch_net",
    "extract_patches": "patches",
    "least_squares_filter": "patches",
    "cost": "recipes",
    "mended_recipe": "recipes",
    "fooling_change": "seeing",
    "overlooked_change": "seeing",
    "taps": "seeing",
    "plateau_shift": "smoothness",
    "total_variation": "smoothness",
    "weight_for_means": "smoothness",
    "adam_step": "stepping",
    "penalty": "stepping",
    "penalty_gradient": "stepping",
    "strength_map": "strengths",
    "whiten": "whitening",
}

EXERCISES = tuple(sorted(name for name, module in _HOME.items() if module not in ("predicting", "museum")))
__all__ = [
    "EXERCISES",
    "adain",
    "adam_step",
    "ask",
    "balanced",
    "centres",
    "colour_in",
    "conditional_instance_norm",
    "content_loss",
    "cost",
    "coverage",
    "descent",
    "difference_map",
    "exhibit",
    "extract_patches",
    "fast_loss",
    "find_the_bug",
    "fold_average",
    "fooling_change",
    "gatys_loss",
    "gradient_before_relu",
    "gradient_of_w",
    "gram_gradient",
    "gram_matrix",
    "guided_gram",
    "half_and_half",
    "how_many",
    "is_function_of_a_patch",
    "keep_luminance",
    "laid_on",
    "larger_strokes",
    "least_squares_filter",
    "linear_match",
    "match_each_channel",
    "mean_share",
    "mended_recipe",
    "mixture",
    "nearest_patches",
    "overlooked_change",
    "own_style",
    "penalty",
    "penalty_gradient",
    "plateau_shift",
    "predict",
    "predictions",
    "psnr",
    "quarter_grams",
    "relative_gradient",
    "rgb_to_yuv",
    "safe_power",
    "shares",
    "strength_map",
    "style_loss",
    "taps",
    "total_variation",
    "trust",
    "weight_for_means",
    "weighted_loss",
    "weights_of_edges",
    "whiten",
    "wrong_grams",
]


def __getattr__(name: str):
    if name not in _HOME:
        raise AttributeError(f"module 'stylelab.checks' has no attribute {name!r}")
    value = getattr(import_module(f"stylelab.checks.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
