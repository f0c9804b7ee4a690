"""Coarse to fine: the sizes a recipe works at, and what it does at each."""

from stylelab.figures.diagrams.sheet import (
    CONTENT,
    MARGIN,
    SOFT,
    STYLE_INK,
    WIDTH,
    Diagram,
    Sheet,
)
from stylelab.optimisation.published import find_recipe
from stylelab.optimisation.recipes import Recipe
from stylelab.pictures.loading import load_image

CAPTION = (
    "On a small picture the layout of the strokes is found at a fraction of the price. Each larger size "
    "starts from there, and adds what the smaller one could not hold."
)
TALLEST = 270  # of the largest picture, in CSS pixels
LEAST, MOST = 112, 150  # between two pictures
START = 136  # for what stands before the first
STARTS = {
    "content": "the photograph",
    "noise": "noise",
    "fast": "a fast picture",
    "recoloured": "other colours",
}


def coarse_to_fine_diagram(recipe: str | Recipe = "default", caption: str | None = None) -> Diagram:
    """A recipe's scales as pictures drawn to one scale, with the evaluations, style weight and cost of each.

    Sizes are the recipe's own, of a picture of `recipe.size` pixels.
    """
    found, sheet = find_recipe(recipe), Sheet()
    sizes = [round(found.size * scale) for scale in found.scales]
    costs = [steps * scale**2 for steps, scale in zip(found.steps, found.scales, strict=True)]
    room = WIDTH - 2 * MARGIN - START
    largest = min(TALLEST, (room - LEAST * (len(sizes) - 1)) / sum(found.scales))
    shown = [largest * scale for scale in found.scales]
    gap = min(MOST, (room - sum(shown)) / (len(sizes) - 1)) if len(sizes) > 1 else 0.0
    left = MARGIN + START + (room - sum(shown) - gap * (len(sizes) - 1)) / 2
    top = 36
    bottom, middle = top + largest, top + largest / 2
    for number, (size, side) in enumerate(zip(sizes, shown, strict=True)):
        centre = left + side / 2
        if number:
            _draw_enlarged(sheet, found, number, left - gap + 10, left - 10, middle)
        else:
            _draw_start(sheet, found, left, middle)
        sheet.picture(load_image("astronaut", min(size, 320)), left, middle - side / 2, side, side)
        factor = found.style_factors[number]
        sheet.text(centre, bottom + 26, f"{size} pixels", 14, "middle", bold=True)
        sheet.text(centre, bottom + 45, f"{found.steps[number]} evaluations", 12.5, "middle")
        weight = f"style weight {found.style_weight * factor:g}"
        if len(set(found.style_factors)) > 1:
            weight = f"style weight {factor:g} × {found.style_weight:g}"
        sheet.text(centre, bottom + 64, weight, 12, "middle", STYLE_INK)
        left += side + gap
    end = _draw_costs(sheet, found, sizes, costs, bottom + 100)
    stages = "; ".join(
        f"{size} pixels, {steps} evaluations, style weight times {factor:g}"
        for size, steps, factor in zip(sizes, found.steps, found.style_factors, strict=True)
    )
    start = STARTS[found.init]
    description = f"The recipe {found.name}, started from {start}: {stages}. {_total(found, costs)}"
    if caption is None:
        caption = CAPTION if len(sizes) > 1 else "One size, from the first evaluation to the last."
    return sheet.finish(end, f"Coarse to fine: the recipe {found.name}", caption, description)


def _draw_start(sheet: Sheet, recipe: Recipe, x: float, y: float) -> None:
    sheet.path([(x - 52, y), (x - 8, y)], arrow=True)
    words = ["starts from", STARTS[recipe.init]]
    sheet.lines(x - 58, y - 3, words, 15, size=11.5, anchor="end", colour=SOFT)


def _draw_enlarged(sheet: Sheet, recipe: Recipe, number: int, start: float, end: float, y: float) -> None:
    sheet.path([(start, y), (end, y)], arrow=True)
    times = recipe.scales[number] / recipe.scales[number - 1]
    sheet.text((start + end) / 2, y - 9, f"enlarged × {times:.3g}", 11.5, "middle", SOFT)
    if recipe.detail and recipe.init != "noise":
        share = "" if recipe.detail == 1 else f"{recipe.detail:.0%} of the "
        words = [f"+ {share}fine detail", "of the photo"]
        sheet.lines((start + end) / 2, y + 20, words, 15, size=11.5, anchor="middle", colour=CONTENT)


def _draw_costs(sheet: Sheet, recipe: Recipe, sizes: list[int], costs: list[float], top: float) -> float:
    """Two bars with a part for each size: evaluations, and what they cost. Returns where they end."""
    left, wide = MARGIN + 112, WIDTH - 2 * MARGIN - 112
    fills = ["#c9dff0", "#8fbfe0", "#5aa2d0", "#3f8fc4"]
    for row, (title, values) in enumerate((("evaluations", recipe.steps), ("pixels computed", costs))):
        y, x = top + 34 * row, float(left)
        sheet.text(left - 10, y + 15, title, 12, "end", bold=True)
        for number, (value, size) in enumerate(zip(values, sizes, strict=True)):
            part = wide * value / sum(values)
            sheet.box(x, y, part, 22, fills[number % 4], "#fcfcfa", 1.2)
            if part > 96:
                sheet.text(x + part / 2, y + 15, f"{size} px: {value / sum(values):.0%}", 11.5, "middle")
            x += part
    sheet.text(left, top + 82, _total(recipe, costs), 12, colour=SOFT)
    return top + 98


def _total(recipe: Recipe, costs: list[float]) -> str:
    made = f"{sum(recipe.steps)} evaluations"
    if len(costs) == 1:
        return f"{made} at {recipe.size} pixels."
    price = f"for the price of {sum(costs):.3g} at {recipe.size} pixels"
    return f"{made}, {price}: half the size is a quarter of the pixels."
