"""Recipes side by side: what each minimises, how, and what came out."""

from collections.abc import Mapping

from torch import Tensor

from stylelab.figures.tables import PictureTable
from stylelab.optimisation.recipes import Recipe


def recipe_table(
    recipes: Mapping[str, Recipe],
    images: Mapping[str, Tensor],
    remarks: Mapping[str, str],
    heading: str,
    caption: str = "",
    width: int = 150,
) -> PictureTable:
    """Recipes as rows: the picture, then network and layers, losses, the way down, and a remark.

    recipes: by name. images: (1, 3, H, W) by recipe; a row may lack one. remarks: what the last column says,
    by recipe, below `heading`. width: of the pictures, in CSS pixels.
    """
    found = list(recipes.values())
    columns = {
        "recipe": list(recipes),
        "network and layers": [_layers(recipe) for recipe in found],
        "losses": [_losses(recipe) for recipe in found],
        "way down (pixels in [0, 1])": [_descent(recipe) for recipe in found],
        heading: [remarks.get(name, "") for name in recipes],
    }
    return PictureTable([images.get(name) for name in recipes], columns, caption, width)


def _layers(recipe: Recipe) -> str:
    style = list(recipe.style_layers)
    return f"{recipe.network}\nstyle {style[0]} … {style[-1]}\ncontent {', '.join(recipe.content_layers)}"


def _losses(recipe: Recipe) -> str:
    lines = [
        f"content {recipe.content_weight:g} × {recipe.content_reduction}",
        f"style {recipe.style_weight:g} × {recipe.style_reduction}, Gram / {recipe.gram.upper()}",
    ]
    if recipe.tv_weight:
        form = "|Δ|" if recipe.tv_power == 1 else "Δ²"
        lines.append(f"TV {recipe.tv_weight:g} × {recipe.tv_reduction} {form}")
    if recipe.matting_weight:
        lines.append(f"matting {recipe.matting_weight:g}")
    if recipe.colours:
        lines.append(f"colours {recipe.colours}")
    return "\n".join(lines)


def _descent(recipe: Recipe) -> str:
    optimiser = "L-BFGS" if recipe.optimiser == "lbfgs" else f"Adam, rate {recipe.learning_rate:.2g}"
    optimiser += "".join(f", {rate:.2g} from step {step}" for step, rate in recipe.learning_rate_drops)
    pixels = [round(recipe.size * fraction) for fraction in recipe.fractions(recipe.size)]
    sizes = [f"{steps} at {side} px" for steps, side in zip(recipe.steps, pixels, strict=True)]
    return "\n".join([optimiser, *sizes])
