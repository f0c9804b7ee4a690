"""What a recipe minimises, as the terms of an objective."""

from collections.abc import Sequence

from torch import Tensor

from stylelab.losses import STATISTICS
from stylelab.losses.gram import Gram
from stylelab.losses.matting import Photorealism
from stylelab.losses.objective import Objective
from stylelab.losses.scene import Scene
from stylelab.losses.terms import Content, InRange, Style, Term, TotalVariation
from stylelab.networks.extractor import FeatureExtractor
from stylelab.networks.features import Features
from stylelab.optimisation.published import find_recipe
from stylelab.optimisation.recipes import Recipe


def recipe_terms(recipe: Recipe, style_factor: float = 1.0) -> list[Term]:
    """The terms of a recipe's objective. style_factor: on style_weight, as each of its scales has one."""
    statistic = recipe.statistic
    if isinstance(statistic, str):
        statistic = Gram(recipe.gram) if statistic == "gram" else STATISTICS[statistic]()
    style_weight = style_factor * recipe.style_weight
    terms: list[Term] = [
        Content(recipe.content_layers, recipe.content_weight, recipe.content_reduction),
        Style(recipe.style_layers, style_weight, recipe.style_reduction, statistic),
        TotalVariation(recipe.tv_weight, recipe.tv_power, recipe.tv_reduction, recipe.tv_scale),
    ]
    if recipe.matting_weight:
        terms.append(Photorealism(recipe.matting_weight))
    if recipe.bounds == "penalty":
        terms.append(InRange(recipe.bounds_weight))
    return terms


def recipe_features(recipe: Recipe, extractor: FeatureExtractor) -> Features:
    """The extractor as the recipe uses it: at its precision, its maps scaled where the weights ask for it."""
    return Features(extractor, recipe.precision, recipe.scale_for(extractor.weights))


def recipe_objective(
    content: Tensor,
    styles: Sequence[tuple[Tensor, float]],
    recipe: str | Recipe,
    extractor: FeatureExtractor,
) -> Objective:
    """What a recipe minimises at full size, to look at it: an image to its content, style, tv and total.

    content: (1, 3, H, W) at the size of the images to come. styles: (painting, weight) pairs, of any size.
    """
    recipe = find_recipe(recipe)
    return Objective(recipe_terms(recipe), Scene(content, styles), recipe_features(recipe, extractor))
