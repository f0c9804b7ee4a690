"""The exercises of notebook 07: the cost of a recipe, staying in range, Adam, and a recipe mended."""

from collections.abc import Callable
from dataclasses import fields
from functools import lru_cache

from stylelab.checks.comparing import Shortfall, named
from stylelab.checks.engine import checker
from stylelab.checks.exercise import Case, Exercise, Mistake
from stylelab.errors import StylelabError
from stylelab.losses.smoothness import tv_loss
from stylelab.losses.yardstick import relative_losses
from stylelab.networks.extractor import shared_extractor
from stylelab.optimisation.recipes import Recipe
from stylelab.optimisation.running import transfer
from stylelab.pictures.loading import load_image


class _Schedule(Recipe):
    """A recipe that shows only what its cost depends on."""

    def __repr__(self) -> str:
        return f"Recipe(steps={self.steps}, scales={self.scales}, …)"


def _schedule(steps: tuple[int, ...], scales: tuple[float, ...], about: str) -> Case:
    return Case((_Schedule(steps=steps, scales=scales, style_factors=(1.0,) * len(steps)),), about)


def _worth(exponent: float) -> Callable[[Recipe], float]:
    return lambda recipe: sum(
        n * scale**exponent for n, scale in zip(recipe.steps, recipe.scales, strict=True)
    )


cost = checker(
    Exercise(
        name="cost",
        signature="cost(recipe)",
        task="How many steps at full size a recipe is worth: a step at half the size costs a quarter.\n\n"
        "recipe: a Recipe, with `steps` at each of its `scales` (1 is full size). Returns a number.",
        cases=lambda: [
            _schedule((7,), (1.0,), "one size"),
            _schedule((8, 3), (0.5, 1.0), "half, then full"),
            _schedule((16, 1), (0.25, 1.0), "a quarter, then full"),
            _schedule((10, 20, 5), (0.3, 0.6, 1.0), "three sizes"),
        ],
        reference=lambda recipe: sum(
            float(n) * s * s for n, s in zip(recipe.steps, recipe.scales, strict=True)
        ),
        mistakes=(
            Mistake("A picture has two sides: at half the size a quarter of the pixels is left.", _worth(1)),
            Mistake("All steps count alike here; those at a small size cost less.", _worth(0)),
            Mistake("Cost follows the pixels, the square of the scale; this is its cube.", _worth(3)),
            Mistake(
                "Turned round: a small picture costs less, so multiply by the scale squared.", _worth(-2)
            ),
            Mistake("Only the last size is counted.", lambda recipe: recipe.steps[-1]),
            Mistake(
                "Steps and scales were added up each by themselves; multiply size by size, then add.",
                lambda recipe: sum(recipe.steps) * sum(s**2 for s in recipe.scales),
            ),
            Mistake(
                "The mean over the sizes was taken; the costs add up.",
                lambda recipe: _worth(2)(recipe) / len(recipe.steps),
            ),
        ),
    )
)


BROKEN = Recipe(init="noise", style_weight=300, tv_weight=0, scales=(1,), steps=(20,), style_factors=(1,))
"""The settings that `mended_recipe` is about: a grainy picture in which nobody can be found."""

STEPS = 100  # at most, so that the check answers in seconds
LIMITS = {"content": 0.6, "style": 0.25, "restless": 1.3}


def _changed(recipe: Recipe) -> list[str]:
    told = {"name", "about"}
    return [
        f.name
        for f in fields(Recipe)
        if f.name not in told and getattr(recipe, f.name) != getattr(BROKEN, f.name)
    ]


@lru_cache(maxsize=8)
def _painted(recipe: Recipe) -> tuple[float, float, float]:
    """Content and style of what a recipe makes of the astronaut, and how restless it is."""
    vgg = shared_extractor(device="cpu")
    photograph, painting = load_image("astronaut", 96), load_image("starry_night", 96)
    image = transfer(photograph, painting, recipe, vgg, progress=False).image
    losses = relative_losses(image, photograph, painting, vgg)
    return losses["content"], losses["style"], (tv_loss(image) / tv_loss(painting)).item()


def _mended(recipe) -> Shortfall | None:
    if not isinstance(recipe, Recipe):
        return Shortfall(f"Expected a Recipe, made with `broken.replace(…)`; yours is {named(recipe)}.")
    changed = _changed(recipe)
    if not changed:
        return Shortfall("Nothing is changed yet: this is the broken recipe.")
    if len(changed) > 2:
        return Shortfall(
            f"{len(changed)} settings are changed ({', '.join(changed[:6])}), and two are enough. Start "
            "from the broken recipe, and change one at a time.",
            "at most 2",
            str(len(changed)),
        )
    if sum(recipe.steps) > STEPS:
        return Shortfall(
            f"{sum(recipe.steps)} steps: patience alone does not mend it. Stay at {STEPS} or below."
        )
    try:
        content, style, restless = _painted(recipe)
    except StylelabError as error:
        return Shortfall(f"This recipe does not paint: {error}.")
    found = f"content {content:.2f}, style {style:.3f}, restless {restless:.1f}"
    wanted = ", ".join(f"{name} below {limit}" for name, limit in LIMITS.items())
    if restless >= LIMITS["restless"]:
        return Shortfall(
            "Too restless: what does the network not see, and where did it come from?", wanted, found
        )
    if content >= LIMITS["content"]:
        return Shortfall(
            "The content is lost: which weight pulls it away, and where does the picture start?",
            wanted,
            found,
        )
    if style >= LIMITS["style"]:
        return Shortfall("Too little of the painting: more style, or more steps.", wanted, found)
    return None


mended_recipe = checker(
    Exercise(
        name="mended_recipe",
        signature="mended_recipe",
        task="The broken recipe with at most two settings changed, so that she can be recognised, the "
        "painting too, and the grain is gone.\n\n"
        "A Recipe; the broken one is `stylelab.checks.recipes.BROKEN`, which starts from noise with a style "
        "weight of 300. On the astronaut and The Starry Night at 96 pixels, content must be below 0.6, "
        "style below 0.25 (relative losses), and the total variation at most 1.3 times the painting's.",
        answer=True,
        judge=lambda recipe: _mended(recipe),
        seconds=120,
        praise="Mended: she is back, the painting is there, and the grain is gone.",
    )
)
