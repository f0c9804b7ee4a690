"""The recipes that come with the course: its own, and the published systems it takes apart.

Where a publication's term acts on another range than [0, 1], the factor is in the recipe.
"""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

from stylelab.errors import RecipeError, unknown
from stylelab.networks.layers import CONV_1_TO_5, RELU_1_TO_5
from stylelab.optimisation.recipes import Recipe

PICTURES = (".png", ".jpg", ".jpeg", ".webp")  # what may hold a recipe
# Where torchvision-style systems optimise the normalised image, differences of it are 1/std times as large.
_PER_STD = (1 / 0.229, 1 / 0.224, 1 / 0.225)


_MEAN_STD = 0.226


_ALL = (
    Recipe(),
    Recipe(
        name="quick",
        about="For labs and first tries, where seconds count: it stops while the picture still changes.",
        content_layers={"relu4_2": 1.0},
        style_weight=5.5,
        tv_weight=0.0,
        size=384,
        scales=(0.25, 0.5, 1.0),
        steps=(40, 36, 16),
        style_factors=(0.25, 0.5, 1.0),
        detail=1.0,
        history=20,
    ),
    Recipe(
        name="fine",
        about="1024 pixels and more: begun at the default's sizes, so that strokes stay large, then refined.",
        size=1024,
        scales=(96, 192, 384, 0.6, 1.0),
        steps=(40, 60, 80, 30, 16),
        # At full weight the few last steps leave specks where the photograph has fine detail, as in eyes.
        style_factors=(0.25, 0.5, 1.0, 1.0, 0.5),
    ),
    Recipe(
        name="photorealistic",
        about="For a photograph as the style: other light and colours, and every line where it was.",
        content_layers={"relu4_2": 1.0},
        # Deeper ones draw things that the photograph has not: pylons in the sky.
        style_layers=dict.fromkeys(RELU_1_TO_5[:4], 1 / 4),
        tv_weight=0.0,
        matting_weight=1e4,
        # So stiff a term leaves little way in sixty steps: the new colours are there from the first.
        init="recoloured",
        scales=(1.0,),
        steps=(60,),
        style_factors=(1.0,),
    ),
    Recipe(
        name="gatys",
        about="Gatys, Ecker and Bethge (2016) with the settings of their own notebook, on their own weights.",
        content_layers={"relu4_2": 1.0},
        # 1000 / C² for layers of 64, 128, 256, 512 and 512 channels
        style_layers={n: 1000 / c**2 for n, c in zip(RELU_1_TO_5, (64, 128, 256, 512, 512), strict=True)},
        gram="hw",
        content_reduction="mean",
        style_reduction="mean",
        style_weight=1.0,
        tv_weight=0.0,
        history=100,
        size=800,
        scales=(0.64, 1.0),
        steps=(500, 200),
        style_factors=(1.0, 1.0),
        detail=0.0,
    ),
    Recipe(
        name="colour-preserving",
        about="The painting takes the photograph's chroma first; then a long L-BFGS with total variation.",
        content_layers={"relu4_2": 1.0},
        content_reduction="mean",
        content_weight=1e5,
        style_reduction="sum",
        style_weight=3e4,
        tv_reduction="sum",
        tv_weight=1.0,
        tv_scale=(255.0, 255.0, 255.0),  # published for an image of bytes
        feature_scale=1 / 40,
        history=100,
        size=400,
        steps=(1000,),
        scales=(1.0,),
        style_factors=(1.0,),
        colours="chroma-swap",
    ),
    Recipe(
        name="modified-vgg19",
        about="Layers before their ReLU, no total variation: the recipe of the best-known tutorials.",
        content_layers={"conv4_2": 1.0},
        style_layers=dict.fromkeys(CONV_1_TO_5, 1.0),
        content_reduction="mean",
        style_reduction="mean",
        style_weight=1e6,
        tv_weight=0.0,
        feature_scale=1 / 250,
        history=100,
        size=512,
        steps=(320,),
        scales=(1.0,),
        style_factors=(1.0,),
    ),
    Recipe(
        name="classic",
        about="As modified-vgg19, with the mean over layers, a touch of total variation and 600 evaluations.",
        content_layers={"conv4_2": 1.0},
        style_layers=dict.fromkeys(CONV_1_TO_5, 1 / 5),
        content_reduction="mean",
        style_reduction="mean",
        style_weight=1e6,
        tv_weight=1e-6,
        tv_scale=_PER_STD,  # published for an ImageNet-normalised image
        feature_scale=1 / 120,
        history=100,
        size=512,
        steps=(600,),
        scales=(1.0,),
        style_factors=(1.0,),
    ),
    Recipe(
        name="squeezenet",
        about="SqueezeNet 1.1 and Adam with a very large step: small, quick and rough.",
        network="squeezenet1_1",
        weights="imagenet",
        content_layers={"fire2": 1.0},
        style_layers={"relu1": 20000.0, "fire3": 500.0, "fire4": 12.0, "fire5": 1.0},
        content_reduction="sum",
        content_weight=5e-2,
        style_reduction="sum",
        style_weight=1.0,
        tv_power=2,
        tv_reduction="sum",
        tv_weight=5e-2,
        tv_scale=_PER_STD,
        optimiser="adam",
        # published as 3.0 and 0.1 for the normalised image
        learning_rate=3.0 * _MEAN_STD,
        learning_rate_drops=((180, 0.1 * _MEAN_STD),),
        size=192,
        steps=(200,),
        scales=(1.0,),
        style_factors=(1.0,),
        style_scale=512 / 192,
        bounds="clamp",
    ),
)


RECIPES: Mapping[str, Recipe] = {recipe.name: recipe for recipe in _ALL}

# What options and menus offer: the values of each setting that has a few, its default first.
CHOICES = {s.name: s.metadata["choices"] for s in fields(Recipe) if "choices" in s.metadata}


def find_recipe(recipe, **settings) -> Recipe:
    """A recipe by its name, by the settings in which it differs from the default, or the recipe itself.

    recipe: also what holds one: the path of a picture that stylelab saved, what read_settings says of it, or
    the Result of a transfer. settings: what is changed in it. Raises RecipeError for an unknown name or
    setting, ImageError for a picture that holds none.
    """
    if isinstance(recipe, Path) or (isinstance(recipe, str) and Path(recipe).suffix.lower() in PICTURES):
        from stylelab.pictures.saving import read_settings  # brings torch, which names of recipes do without

        recipe = read_settings(recipe)
    if isinstance(recipe, Mapping) and isinstance(recipe.get("recipe"), Mapping):
        recipe = recipe["recipe"]
    recipe = getattr(recipe, "recipe", recipe)  # of a Result
    if isinstance(recipe, Mapping):
        whole = len(recipe) >= len(fields(Recipe))
        found = Recipe.from_dict(recipe) if whole else Recipe().replace(**recipe)
    elif isinstance(recipe, Recipe):
        found = recipe
    elif isinstance(recipe, str) and recipe in RECIPES:
        found = RECIPES[recipe]
    else:
        raise RecipeError(unknown("recipe", recipe, RECIPES, "stylelab.RECIPES"))
    return found.replace(**settings) if settings else found
