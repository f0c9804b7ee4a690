"""The lab of notebook 00: choose two pictures, press Start, watch; with every setting that matters."""

import html
import math
from dataclasses import dataclass
from pathlib import Path

import ipywidgets as widgets
import torch
from torch import Tensor

from stylelab.errors import StylelabError
from stylelab.labs.kit.base import Lab, Picture, controls, row
from stylelab.labs.kit.choosing import Chooser, Thumbnail
from stylelab.labs.kit.drawing import curves, encode
from stylelab.networks.extractor import shared_extractor
from stylelab.optimisation.published import CHOICES, RECIPES
from stylelab.optimisation.recipes import Recipe
from stylelab.optimisation.running import Result, optimise
from stylelab.pictures.loading import load_image
from stylelab.pictures.resampling import resize
from stylelab.pictures.samples import sample_names
from stylelab.pictures.saving import receipt, save_image

KEPT = 6  # last results
LARGEST = 1024


@dataclass(frozen=True)
class Order:
    """What one run was asked to do. contents, styles: as the choosers' values, (name, source)."""

    content: tuple
    styles: tuple[tuple[tuple, float], ...]
    recipe: Recipe

    def code(self) -> str:
        """The line of code that makes the same picture."""
        names = [(name, weight) for (name, _), weight in self.styles]
        style = repr(names[0][0]) if len(names) == 1 else repr(names)
        base = RECIPES[self.recipe.name]
        changed = [n for n in self.recipe.__dataclass_fields__ if getattr(self.recipe, n) != getattr(base, n)]
        settings = ", ".join(f"{name}={getattr(self.recipe, name)!r}" for name in changed)
        recipe = f'stylelab.RECIPES["{base.name}"]' + (f".replace({settings})" if changed else "")
        return f"stylelab.transfer({self.content[0]!r}, {style}, {recipe})"


def first_picture(
    size: int = 256, content: str = "astronaut", style: str = "starry_night"
) -> "FirstPictureLab":
    """The lab of transfers; see FirstPictureLab. size: longest side at first. content, style: samples."""
    return FirstPictureLab(size, content, style)


class FirstPictureLab(Lab):
    """A whole transfer, live. `result` is the last run's, a Result as `stylelab.transfer` returns it."""

    def __init__(self, size: int, content: str, style: str) -> None:
        super().__init__()
        self.content = Chooser(self, "photograph", content, sample_names("content"), thumbnails=True)
        self.style_picture = Chooser(self, "painting", style, sample_names("style"), thumbnails=True)
        self.second = Chooser(self, "second painting", "brick", sample_names("style"))
        self.mix = widgets.FloatSlider(value=0, min=0, max=1, step=0.05, description="its share")
        self.recipe = widgets.Dropdown(options=list(RECIPES), description="recipe")
        self.size = widgets.IntSlider(value=size, min=32, max=512, step=32, description="size (pixels)")
        self.weight = widgets.FloatLogSlider(
            base=10, step=0.25, description="style weight", readout_format=".3g"
        )
        self.tv = widgets.SelectionSlider(options=[("none", 0.0)], description="total variation")
        self.colours = widgets.Dropdown(
            options=["as painted", *CHOICES["colours"][1:]], description="colours"
        )
        self.steps = widgets.IntSlider(value=60, min=10, max=1000, step=1, description="steps")
        self.wipe = widgets.FloatSlider(value=0, min=0, max=1, step=0.02, description="before | after")
        self.file = widgets.Text("first_picture.png", description="save as", continuous_update=False)
        self.picture, self.losses = Picture(512), Picture(520)
        self.kept = widgets.HBox(layout={"flex_flow": "row wrap"})
        self.line = widgets.HTML(layout={"max_width": "100%"})
        self._order: Order | None = None
        self._shown: tuple[Tensor, Tensor, str] | None = None
        self._results: list[tuple[Order, Result, Thumbnail]] = []

        self.on(self.recipe, self._take_recipe)
        asked = (self.content, self.style_picture, self.second, self.mix, self.size, self.weight, self.tv)
        for control in (*asked, self.colours, self.steps):
            self.on(control, self._tell)
        for control in (self.content, self.size):
            self.on(control, lambda: self.later(self._draw_photograph))
        self.on(self.wipe, lambda: self._draw(True))
        self.save = self.button("Save", self._save, "write the picture to the file named above")
        self.larger = self.button("Larger", self._larger, "the same settings at twice the size")
        self.build(
            self.content,
            self.style_picture,
            self.second,
            controls(self.mix, self.recipe, self.size, self.weight, self.tv, self.colours, self.steps),
            self.run_controls(lambda: self._paint(self._ordered()), self.larger),
            row(self.picture, self.losses),
            row(*controls(self.wipe, self.file).children, self.save),
            self.kept,
            self.line,
        )
        self.losses.show(curves({}, "step", "loss"), "The losses, once a run has begun.")
        self._take_recipe()
        self.later(self._draw_photograph)
        self.later(self._load_network)

    # Settings --------------------------------------------------------------------------------------------

    def _take_recipe(self) -> None:
        """Sets the controls to the recipe's own values, with two decades of style weight to either side."""
        recipe, before = RECIPES[self.recipe.value], self.size.value
        middle = math.log10(recipe.style_weight)
        with self.weight.hold_trait_notifications():
            self.weight.min, self.weight.max = middle - 2, middle + 2
            self.weight.value = recipe.style_weight
        own = recipe.tv_weight or 1.0
        weights = [0.0, *(float(f"{own * 10 ** (n / 2):.3g}") for n in range(-6, 5))]
        if recipe.tv_weight:
            weights[7] = recipe.tv_weight
        self.tv.options = [("none" if w == 0 else f"{w:.3g}", w) for w in weights]
        self.tv.value = recipe.tv_weight
        self.colours.value = recipe.colours or "as painted"
        self.steps.min = max(10, len(recipe.steps))
        self.steps.value = sum(recipe.steps)
        self.size.value = before
        self._tell()

    def _ordered(self) -> Order:
        """The controls as they stand. Only what differs from the recipe is changed in it."""
        base = RECIPES[self.recipe.value]
        wanted = {
            "size": self.size.value,
            "style_weight": float(f"{self.weight.value:.4g}"),
            "tv_weight": self.tv.value,
            "colours": self.colours.value if self.colours.index else None,
        }
        if self.steps.value != sum(base.steps):
            wanted["steps"] = self.steps.value
        share = round(self.mix.value, 2)
        pictures = [(self.style_picture.value, round(1 - share, 2)), (self.second.value, share)]
        styles = tuple((picture, weight) for picture, weight in pictures if weight > 0)
        return Order(self.content.value, styles, base.replace(**wanted))

    def _tell(self) -> None:
        self._write_line(self._ordered())

    def _write_line(self, order: Order) -> None:
        code = html.escape(order.code())
        self.line.value = (
            "The settings as a line of code (click it, then copy):"
            f'<pre tabindex="0" style="user-select: all; white-space: pre-wrap; margin: 2px">{code}</pre>'
        )

    # The run ---------------------------------------------------------------------------------------------

    def _load_network(self) -> None:
        """Before anybody presses Start: reading the weights takes a second or two."""
        recipe = RECIPES[self.recipe.value]
        shared_extractor(recipe.network, recipe.weights, recipe.pooling, recipe.padding)

    def _paint(self, order: Order):
        recipe, history = order.recipe, []
        photograph = load_image(order.content[1], recipe.size)
        title = f"{order.content[0]} painted like {' and '.join(name for (name, _), _ in order.styles)}"
        self._order = order
        self._show(photograph, photograph, f"{order.content[0]}, before the first step")
        styles = [(load_image(source), weight) for (_, source), weight in order.styles]
        steps, last = optimise(photograph, styles, recipe), None

        def counted():
            nonlocal last
            for last in steps:
                history.append(last.terms)
                yield last

        def show(step, final: bool) -> None:
            says = f"{title}: step {step.index} of {step.steps}, {step.size} pixels"
            self._show(photograph, step.image.cpu(), says, final)
            self._draw_losses(last.names, history)

        try:
            yield from self.follow(counted(), recipe, show)
        finally:
            if last is not None:
                self._keep(order, history, last)

    def _keep(self, order: Order, history: list[Tensor], last) -> None:
        losses = [dict(zip(last.names, terms.tolist(), strict=True)) for terms in history]
        made = Result(self._shown[1], losses, order.recipe, last.seconds, last.index < last.steps)
        self.result = made

        def go_back() -> None:
            self.act(lambda: self._go_back(order, made))

        label = f"{order.recipe.size} px, {len(history)} steps"
        thumbnail = Thumbnail(encode(resize(made.image, 110))[0], label, go_back, (132, 99))
        self._results = [*self._results, (order, made, thumbnail)][-KEPT:]
        self.kept.children = tuple(kept[2] for kept in self._results)
        self._write_line(order)

    def _go_back(self, order: Order, made: Result) -> None:
        """Shows one of the last results again, and its settings."""
        self.result, self._order = made, order
        photograph = load_image(order.content[1], order.recipe.size)
        says = f"{order.content[0]}, kept after {len(made.history)} steps at {order.recipe.size} pixels"
        self._show(photograph, made.image, says, True)
        values = [torch.tensor(list(losses.values())) for losses in made.history]
        self._draw_losses(tuple(made.history[0]), values)
        self._write_line(order)

    def _larger(self) -> None:
        order = self._order or self._ordered()
        size = min(LARGEST, 2 * order.recipe.size)
        if size <= order.recipe.size:
            raise StylelabError(f"{LARGEST} pixels is the largest here; stylelab.transfer goes further")
        bigger = Order(order.content, order.styles, order.recipe.replace(size=size))
        self.begin(self._paint(bigger))

    def _save(self) -> None:
        if self.result is None:
            raise StylelabError("there is no picture yet; press Start first")
        order = next(order for order, made, _ in self._results if made is self.result)
        styles = [(Path(name).name, weight) for (name, _), weight in order.styles]
        settings = receipt(Path(order.content[0]).name, styles, order.recipe)
        path = save_image(self.result.image, Path(self.file.value), settings)
        self.status.value = f"saved {path.name}"

    # Pictures --------------------------------------------------------------------------------------------

    def _draw_photograph(self) -> None:
        if not self.running and self.result is None:
            photograph = self.content.image(self.size.value)
            self._show(photograph, photograph, f"{self.content.value[0]}, the photograph")

    def _show(self, before: Tensor, after: Tensor, says: str, final: bool = False) -> None:
        if after.shape != before.shape:
            after = resize(after, before.shape[-2:]).clamp(0, 1)
        self._shown = before, after, says
        self._draw(final)

    def _draw(self, final: bool) -> None:
        """The result, and left of the wipe the photograph."""
        if self._shown is None:
            return
        before, after, says = self._shown
        edge = round(self.wipe.value * after.shape[-1])
        if edge:
            after = after.clone()
            after[..., :edge] = before[..., :edge]
            after[..., max(0, edge - 1) : edge] = 1.0
            says += f"; the left {self.wipe.value:.0%} is the photograph"
        self.picture.show(after, f"{says}.", final and not edge)

    def _draw_losses(self, names: tuple[str, ...], history: list[Tensor]) -> None:
        table = torch.stack(history).tolist()
        series = {name: [row[k] for row in table] for k, name in enumerate(names) if any(r[k] for r in table)}
        now = ", ".join(f"{name} {values[-1]:.3g}" for name, values in series.items())
        self.losses.show(curves(series, "step", "loss", log=True), f"After step {len(table)}: {now}.")
