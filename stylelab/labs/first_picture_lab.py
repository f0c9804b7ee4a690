"""The lab of notebook 00: choose two pictures, press Start, watch; with every setting that matters."""

import html
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import ipywidgets as widgets
import torch
from torch import Tensor

from stylelab.errors import StylelabError
from stylelab.labs.kit.base import Lab, Picture, controls, discard, row
from stylelab.labs.kit.choosing import Chooser, Chosen, Thumbnail
from stylelab.labs.kit.drawing import curves, encode
from stylelab.labs.kit.touchable import Touch
from stylelab.labs.kit.worker import Run
from stylelab.networks.extractor import shared_extractor
from stylelab.optimisation.published import CHOICES, RECIPES
from stylelab.optimisation.recipes import Recipe
from stylelab.optimisation.running import Result, Step, optimise
from stylelab.pictures.loading import load_image
from stylelab.pictures.resampling import resize
from stylelab.pictures.samples import sample_names
from stylelab.pictures.saving import receipt, save_image

KEPT = 6  # last results
LARGEST = 1024


@dataclass(frozen=True)
class Order:
    """The settings: what a run is asked to do. styles: each with its weight."""

    content: Chosen
    styles: tuple[tuple[Chosen, float], ...]
    recipe: Recipe

    def names(self) -> tuple[str, tuple[tuple[str, float], ...]]:
        """What a receipt says of the pictures: their names, without folders, and each painting's weight."""
        styles = tuple((Path(chosen.name).name, weight) for chosen, weight in self.styles)
        return Path(self.content.name).name, styles

    def code(self) -> str:
        """The line of code that makes the same picture."""
        names = [(name, weight) for (name, _), weight in self.styles]
        style = repr(names[0][0]) if len(names) == 1 else repr(names)
        base = RECIPES[self.recipe.name]
        changed = [n for n in self.recipe.__dataclass_fields__ if getattr(self.recipe, n) != getattr(base, n)]
        recipe = [repr(base.name)] if base.name != "default" else []
        words = [repr(self.content.name), style, *recipe]
        words += [f"{name}={getattr(self.recipe, name)!r}" for name in changed]
        return f"stylelab.transfer({', '.join(words)})"


@dataclass(frozen=True)
class Shown:
    """What is on the screen, and by whose order: nobody's, where it is the photograph alone.

    after is before as long as nothing is painted.
    """

    order: Order | None
    before: Tensor
    after: Tensor
    says: str
    final: bool


@dataclass(frozen=True)
class Kept:
    """A result to go back to."""

    order: Order
    result: Result
    thumbnail: Thumbnail


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
        self.wipe = widgets.FloatSlider(value=0, min=0, max=1, step=0.01, description="before | after")
        self.file = widgets.Text("first_picture.png", description="save as", continuous_update=False)
        self.picture, self.losses = Picture(512), Picture(520)
        self.kept = widgets.HBox(layout={"flex_flow": "row wrap"})
        self.line = widgets.HTML(layout={"max_width": "100%"})
        self._shown: Shown | None = None
        self._results: list[Kept] = []

        self.on(self.recipe, self._take_recipe)
        asked = (self.content, self.style_picture, self.second, self.mix, self.size, self.weight, self.tv)
        for control in (*asked, self.colours, self.steps):
            self.on(control, self._tell)
        for control in (self.content, self.size):
            self.on(control, lambda: self.later(self._draw_photograph))
        self.on(self.wipe, lambda: self.later(self._draw, self.wipe.value))
        self.on_touch(self.picture, self._wipe_to, "ew-resize")
        self.save = self.button("Save", self._save, "write the picture to the file named above")
        self.larger = self.button("Larger", self._larger, "the same settings at twice the size")
        self.build(
            self.content,
            self.style_picture,
            self.second,
            controls(self.mix, self.recipe, self.size, self.weight, self.tv, self.colours, self.steps),
            self.run_controls(self._paint, self.larger),
            row(self.picture, self.losses),
            row(controls(self.wipe, self.file), self.save),
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

    def settings(self) -> Order:
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
        self._write_line(self.settings())

    def _write_line(self, order: Order) -> None:
        code = html.escape(order.code())
        self.line.value = (
            "The settings as a line of code (click it, then copy):"
            f'<pre tabindex="0" style="user-select: all; white-space: pre-wrap; margin: 2px">{code}</pre>'
        )

    # The run ---------------------------------------------------------------------------------------------

    def _load_network(self, order: Order) -> None:
        """Before anybody presses Start: reading the weights takes a second or two."""
        recipe = order.recipe
        shared_extractor(recipe.network, recipe.weights, recipe.pooling, recipe.padding)

    def _paint(self, order: Order) -> Run:
        recipe = order.recipe
        history: list[Tensor] = []
        photograph = order.content.image(recipe.size)
        title = f"{order.content.name} painted like {' and '.join(chosen.name for chosen, _ in order.styles)}"
        self._show(order, photograph, photograph, f"{order.content.name}, before the first step")
        styles = [(load_image(chosen.source), weight) for chosen, weight in order.styles]
        last: Step | None = None

        def counted() -> Iterator[Step]:
            nonlocal last
            for last in optimise(photograph, styles, recipe):
                history.append(last.terms)
                yield last

        def show(step: Step, final: bool) -> None:
            says = f"{title}: step {step.index} of {step.steps}, {step.size} pixels"
            self._show(order, photograph, step.image.cpu(), says, final)
            self._draw_losses(step.names, history)

        try:
            yield from self.follow(counted(), recipe, show)
        finally:
            if last is not None and self._shown is not None:
                self._keep(order, self._shown.after, history, last)

    def _keep(self, order: Order, image: Tensor, history: list[Tensor], last: Step) -> None:
        """Adds the run's last picture to the results."""
        losses = [dict(zip(last.names, terms.tolist(), strict=True)) for terms in history]
        stopped = last.index < last.steps
        content, styles = order.names()
        made = Result(image, losses, order.recipe, last.seconds, stopped, content, styles)
        label = f"{order.recipe.size} px, {len(history)} steps"
        thumbnail = Thumbnail(
            encode(resize(made.image, 110))[0],
            label,
            lambda: self.act(lambda: self.later(self._go_back, kept)),
            (132, 99),
        )
        kept = Kept(order, made, thumbnail)
        self.result = made
        self._results.append(kept)
        self.kept.children = tuple(kept.thumbnail for kept in self._results[-KEPT:])
        for forgotten in self._results[:-KEPT]:
            discard(forgotten.thumbnail)
        del self._results[:-KEPT]
        self._write_line(order)

    def _go_back(self, kept: Kept) -> None:
        """Shows one of the last results again, and its settings."""
        order, made = kept.order, kept.result
        self.result = made
        says = f"{order.content.name}, kept after {len(made.history)} steps at {order.recipe.size} pixels"
        self._show(order, order.content.image(order.recipe.size), made.image, says, True)
        values = [torch.tensor(list(losses.values())) for losses in made.history]
        self._draw_losses(tuple(made.history[0]), values)
        self._write_line(order)

    def _larger(self) -> None:
        shown = self._shown
        order = (shown and shown.order) or self.settings()
        size = min(LARGEST, 2 * order.recipe.size)
        if size <= order.recipe.size:
            raise StylelabError(f"{LARGEST} pixels is the largest here; stylelab.transfer goes further")
        self.begin(self._paint(replace(order, recipe=order.recipe.replace(size=size))))

    def _save(self) -> None:
        shown = self._shown
        if shown is None or shown.order is None or shown.after is shown.before:
            raise StylelabError("there is no picture yet; press Start first")
        settings = receipt(*shown.order.names(), shown.order.recipe)
        path = save_image(shown.after, Path(self.file.value), settings)
        self.status.value = f"saved {path.name}"

    # Pictures --------------------------------------------------------------------------------------------

    def _draw_photograph(self, order: Order) -> None:
        if not self.running and self.result is None:
            photograph = order.content.image(order.recipe.size)
            self._show(None, photograph, photograph, f"{order.content.name}, the photograph")

    def _show(
        self, order: Order | None, before: Tensor, after: Tensor, says: str, final: bool = False
    ) -> None:
        if after.shape != before.shape:
            after = resize(after, (before.shape[-2], before.shape[-1])).clamp(0, 1)
        self._shown = Shown(order, before, after, says, final)
        self._draw(self.wipe.value)

    def _wipe_to(self, touch: Touch) -> None:
        self.wipe.value = round(touch.x, 2)

    def _draw(self, wipe: float) -> None:
        """The result, and left of the wipe the photograph."""
        shown = self._shown
        if shown is None:
            return
        picture, says = shown.after, shown.says
        edge = round(wipe * picture.shape[-1])
        if edge:
            picture = picture.clone()
            picture[..., :edge] = shown.before[..., :edge]
            picture[..., max(0, edge - 1) : edge] = 1.0
            says += f"; the left {wipe:.0%} is the photograph"
        self.picture.show(picture, f"{says}.", shown.final and not edge)

    def _draw_losses(self, names: tuple[str, ...], history: list[Tensor]) -> None:
        table = torch.stack(history).tolist()
        series = {name: [row[k] for row in table] for k, name in enumerate(names) if any(r[k] for r in table)}
        now = ", ".join(f"{name} {values[-1]:.3g}" for name, values in series.items())
        self.losses.show(curves(series, "step", "loss", log=True), f"After step {len(table)}: {now}.")
