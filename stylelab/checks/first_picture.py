"""The exercises of notebook 00: the loss as a sum, larger strokes, two paintings at once."""

from collections.abc import Mapping
from dataclasses import fields

import torch
from torch import Tensor

from stylelab.checks.comparing import Shortfall, named
from stylelab.checks.engine import checker
from stylelab.checks.exercise import Case, Exercise, Mistake
from stylelab.errors import StylelabError
from stylelab.losses.scene import weighted_styles
from stylelab.optimisation.published import RECIPES
from stylelab.optimisation.recipes import Recipe
from stylelab.pictures.loading import load_image

weighted_loss = checker(
    Exercise(
        name="weighted_loss",
        signature="weighted_loss(content, style, weight)",
        task="The one number that is made small: the content loss plus the style loss times its weight.\n\n"
        "content, style: how far the picture is from the photograph and from the painting, numbers from 0 "
        "up. weight: of the style. Returns one number.",
        cases=lambda: [
            Case((0.5, 0.0, 5.0), "content 0.5, no style loss"),
            Case((0.0, 0.2, 5.0), "no content loss, style 0.2, weight 5"),
            Case((0.5, 0.2, 5.0), "content 0.5, style 0.2, weight 5"),
            Case((0.3, 0.4, 0.0), "weight 0"),
            Case((0.01234, 0.04567, 7.0), "small numbers"),
            Case((0.5, 0.2, -2.0), "weight −2, away from the painting"),
        ],
        reference=lambda content, style, weight: content + weight * style,
        mistakes=(
            Mistake("The weight belongs to the style, not to the content.", lambda c, s, w: w * c + s),
            Mistake(
                "The weight covers both: check the brackets. It belongs to the style only.",
                lambda c, s, w: w * (c + s),
            ),
            Mistake("The weight is left out.", lambda c, s, w: c + s),
            Mistake("The two are multiplied; add them.", lambda c, s, w: c * w * s),
            Mistake(
                "The style is subtracted: a smaller number would mean less of the painting. Add it.",
                lambda c, s, w: c - w * s,
            ),
            Mistake("The content loss is missing.", lambda c, s, w: w * s),
            Mistake("The style loss is missing.", lambda c, s, w: c),
            Mistake("The weight is added; multiply the style loss by it.", lambda c, s, w: c + s + w),
            Mistake(
                "It is rounded, so a small change of the picture changes nothing. Hand the number back as it "
                "is.",
                lambda c, s, w: round(c + w * s, 2),
            ),
            Mistake("The weight's sign is lost: take the weight as it is.", lambda c, s, w: c + abs(w) * s),
        ),
    )
)


FROM = '`stylelab.RECIPES["default"].replace(…)`'


def _changed(recipe: Recipe, start: str = "default") -> list[str]:
    told = {"name", "about"}
    return [
        f.name
        for f in fields(Recipe)
        if f.name not in told and getattr(recipe, f.name) != getattr(RECIPES[start], f.name)
    ]


def _started(recipe: Recipe) -> str:
    """The recipe of which at most the strokes were changed; "" for none."""
    return next((name for name in RECIPES if set(_changed(recipe, name)) <= {"style_scale"}), "")


def _larger(recipe) -> Shortfall | None:
    if isinstance(recipe, int | float | Tensor):
        return Shortfall(f"Hand in the recipe, made with {FROM}, not a number or a picture.")
    if not isinstance(recipe, Recipe):
        return Shortfall(f"Expected a Recipe, made with {FROM}; yours is {named(recipe)}.")
    start = _started(recipe)
    if start not in ("", "default"):
        return Shortfall(f"You started from the recipe `{start}`; start from the default: {FROM}.")
    changed, scale = _changed(recipe), recipe.style_scale
    if not changed:
        return Shortfall("Nothing is changed yet: this is the default recipe.")
    if scale < 1:
        return Shortfall(
            "The painting is smaller than the photograph now, and its strokes with it.",
            "above 1",
            f"{scale:g}",
        )
    if scale == 1:
        return Shortfall(
            f"You changed {', '.join(changed)}. How large strokes are is decided by the painting's size "
            "beside the photograph's."
        )
    if len(changed) > 1:
        others = ", ".join(name for name in changed if name != "style_scale")
        return Shortfall(
            f"The strokes are larger; leave the rest ({others}) as it was, or you cannot tell what did it."
        )
    if scale > 3:
        return Shortfall(
            "So large that the picture holds only a few strokes: stay at 3 or below.",
            "at most 3",
            f"{scale:g}",
        )
    return None


larger_strokes = checker(
    Exercise(
        name="larger_strokes",
        signature="larger_strokes",
        task="The default recipe with one setting changed, so that the strokes become larger.\n\n"
        'A Recipe, made with `stylelab.RECIPES["default"].replace(…)`.',
        answer=True,
        judge=lambda recipe: _larger(recipe),
        praise="Right: the painting is larger beside the photograph, and so is every stroke of it.",
    )
)


def _shares(pairs: list[tuple]) -> dict[str, float]:
    """What (painting, weight) each come to, by name; "?" for a picture that is none of the samples."""
    total = sum(weight for _, weight in pairs)
    shares: dict[str, float] = {}
    for painting, weight in pairs:
        name = painting if isinstance(painting, str) else _name(painting)
        shares[name] = shares.get(name, 0.0) + weight / total
    return shares


def _name(painting) -> str:
    for name in ("stained_glass", "starry_night"):
        if isinstance(painting, Tensor) and painting.ndim == 4:
            sample = load_image(name, max(painting.shape[-2:]))
            if sample.shape == painting.shape and torch.allclose(sample, painting, atol=0.05):
                return name
    return "?"


def _halves(style) -> Shortfall | None:
    if isinstance(style, str | Tensor):
        return Shortfall("This is one painting. `style` may also be a list, [one, another].")
    if not isinstance(style, Mapping | list | tuple):
        return Shortfall(f"Expected a list of two paintings; yours is {named(style)}.")
    try:
        pairs = weighted_styles(style)
    except StylelabError as error:
        return Shortfall(f"`transfer` refuses it: {error}.")
    odd = [part for part, _ in pairs if not isinstance(part, str | Tensor)]
    if odd:
        return Shortfall(
            f"{odd[0]!r} is no painting. Expected names or pictures, [one, another], or pairs (painting, "
            "weight)."
        )
    shares = _shares(pairs)
    strangers = [name for name in shares if name not in ("stained_glass", "starry_night")]
    if strangers:
        return Shortfall(
            f"{', '.join(strangers)}: not one of the two, stained_glass and starry_night. "
            '`stylelab.sample_names("style")` lists what there is.'
        )
    if len(shares) < 2:
        return Shortfall(f"{next(iter(shares), 'Nothing')} alone: a list of both paintings is asked for.")
    if abs(shares["stained_glass"] - 0.5) > 0.01:
        share = f"{shares['stained_glass']:.0%}"
        return Shortfall(f"Half and half is asked for; the stained glass has {share}.", "50%", share)
    return None


half_and_half = checker(
    Exercise(
        name="half_and_half",
        signature="half_and_half",
        task="What to hand to `transfer` as style, so that the picture is half like stained_glass, half "
        "like starry_night.\n\n"
        "A list of names or pictures, a dict {name: weight}, or a list of pairs (picture, weight).",
        answer=True,
        judge=lambda style: _halves(style),
        praise="Right: the Gram matrices of the two are averaged.",
    )
)
