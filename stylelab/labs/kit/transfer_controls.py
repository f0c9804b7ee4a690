"""The controls of a transfer: the pictures, the recipe, and the settings that matter most."""

import math
from operator import itemgetter
from typing import Any

import ipywidgets as widgets

from stylelab.labs.kit.base import Lab
from stylelab.labs.kit.choosing import Chooser
from stylelab.labs.kit.drawing import plain
from stylelab.labs.kit.orders import Order
from stylelab.optimisation.published import CHOICES, RECIPES
from stylelab.pictures.samples import sample_names

LARGEST = 1024  # pixels


class TransferControls(Lab):
    """A lab with the controls of a transfer, which are not placed yet.

    size: longest side at first, in pixels. content, style: samples. `_asked` has what a run is asked with,
    by name. `settings` makes an Order of it, and `_take` sets it to an Order again; while it does,
    `_setting` is True.
    """

    def __init__(self, size: int, content: str, style: str) -> None:
        super().__init__()
        self.content = Chooser(self, "photograph", content, sample_names("content"), thumbnails=True)
        self.style_picture = Chooser(self, "painting", style, sample_names("style"), thumbnails=True)
        self.second = Chooser(self, "second painting", "brick", sample_names("style"))
        self.mix = widgets.FloatSlider(value=0, min=0, max=1, step=0.05, description="its share")
        self.recipe = widgets.Dropdown(options=_labelled(), value="quick", description="recipe")
        self.size = widgets.IntSlider(value=size, min=32, max=LARGEST, step=32, description="size (pixels)")
        self.weight = widgets.SelectionSlider(options=[("1", 1.0)], description="style weight")
        self.tv = widgets.SelectionSlider(options=[("none", 0.0)], description="total variation")
        self.colours = widgets.Dropdown(
            options=["as painted", *CHOICES["colours"][1:]], description="colours"
        )
        self.steps = widgets.IntSlider(value=60, min=10, max=1000, step=1, description="steps")
        # What a run is asked with, by name; the recipe first, since it sets others.
        self._asked = {"recipe": self.recipe, "content": self.content, "style": self.style_picture}
        self._asked |= {"second": self.second, "mix": self.mix, "size": self.size, "weight": self.weight}
        self._asked |= {"tv": self.tv, "colours": self.colours, "steps": self.steps}
        self._setting = False
        self.on(self.recipe, self._take_recipe)

    def _take_recipe(self) -> None:
        """Sets the controls to the recipe's own values, with two decades of style weight to either side."""
        recipe = RECIPES[self.recipe.value]
        own, decade = recipe.style_weight, math.floor(math.log10(recipe.style_weight))
        plain_ones = [float(f"{n}e{decade + k}") for k in range(-3, 4) for n in (1, 1.5, 2, 3, 5, 7)]
        choices = sorted({own, *(w for w in plain_ones if own / 101 < w < own * 101)})
        self.weight.options = [(plain(w), w) for w in choices]
        self.weight.value = own
        own = recipe.tv_weight or 1.0
        weights = [0.0, *(float(f"{own * 10 ** (n / 2):.3g}") for n in range(-6, 5))]
        if recipe.tv_weight:
            weights[7] = recipe.tv_weight
        self.tv.options = [("none" if w == 0 else f"{w:.3g}", w) for w in weights]
        self.tv.value = recipe.tv_weight
        self.colours.value = recipe.colours or "as painted"
        self.steps.min = max(10, len(recipe.steps))
        self.steps.value = sum(recipe.steps)

    def settings(self) -> Order:
        """The controls as they stand. Only what differs from the recipe is changed in it."""
        base = RECIPES[self.recipe.value]
        wanted = {
            "size": self.size.value,
            "style_weight": self.weight.value,
            "tv_weight": self.tv.value,
            "colours": self.colours.value if self.colours.index else None,
        }
        if self.steps.value != sum(base.steps):
            wanted["steps"] = self.steps.value
        share = round(self.mix.value, 2)
        pictures = [(self.style_picture.value, round(1 - share, 2)), (self.second.value, share)]
        styles = tuple((picture, weight) for picture, weight in pictures if weight > 0)
        controls = {name: control.value for name, control in self._asked.items()}
        return Order(self.content.value, styles, base.replace(**wanted), controls)

    def _take(self, order: Order, **changed: Any) -> None:
        """Sets the controls to what they were when something was asked for, but for what is `changed`."""
        self._setting = True
        try:
            for name, value in (order.controls | changed).items():
                control = self._asked[name]
                if isinstance(control, Chooser):
                    control.choose(value)
                else:
                    if isinstance(control, widgets.SelectionSlider):
                        _offer(control, value)
                    control.value = value
        finally:
            self._setting = False


def _offer(slider: widgets.SelectionSlider, value: float) -> None:
    """Adds a number to those on offer; one that was chosen with another recipe may be missing."""
    if value not in (known for _, known in slider.options):
        slider.options = sorted([*slider.options, (plain(value), value)], key=itemgetter(1))


def _labelled() -> list[tuple[str, str]]:
    """The recipes as the menu has them, with what must be downloaded first."""
    return [
        (f"{name} (needs {recipe.download})" if recipe.download else name, name)
        for name, recipe in RECIPES.items()
    ]
