"""The lab of notebook 00: choose two pictures, press Start, watch; with every setting that matters."""

import html
import math
from collections.abc import Iterator

import ipywidgets as widgets
import torch
from torch import Tensor

from stylelab.errors import StylelabError, WeightsError
from stylelab.files import expanded, unused
from stylelab.labs.kit.base import Lab, Picture, controls, fold, row
from stylelab.labs.kit.choosing import Chooser
from stylelab.labs.kit.drawing import curves
from stylelab.labs.kit.orders import Kept, Order, Shown, Strip
from stylelab.labs.kit.wiping import Wiped
from stylelab.labs.kit.worker import Run
from stylelab.networks.extractor import shared_extractor
from stylelab.optimisation.published import CHOICES, RECIPES
from stylelab.optimisation.running import Result, Step, optimise
from stylelab.pictures.loading import load_image
from stylelab.pictures.samples import sample_names
from stylelab.pictures.saving import receipt, save_image

LARGEST = 1024  # pixels
_NO_CURVES = curves({}, "step", "loss")


def first_picture(
    size: int = 256, content: str = "astronaut", style: str = "starry_night"
) -> "FirstPictureLab":
    """The lab of transfers; see FirstPictureLab. size: longest side at first. content, style: samples."""
    return FirstPictureLab(size, content, style)


class FirstPictureLab(Lab):
    """A whole transfer, live. `result` is the last run's, a Result as `stylelab.transfer` returns it.

    The line of code says what the controls say; what is on the screen says of itself what it is, and where
    the controls have moved since.
    """

    def __init__(self, size: int, content: str, style: str) -> None:
        super().__init__()
        self.content = Chooser(self, "photograph", content, sample_names("content"), thumbnails=True)
        self.style_picture = Chooser(self, "painting", style, sample_names("style"), thumbnails=True)
        self.second = Chooser(self, "second painting", "brick", sample_names("style"))
        self.mix = widgets.FloatSlider(value=0, min=0, max=1, step=0.05, description="its share")
        self.recipe = widgets.Dropdown(options=_labelled(), value="default", description="recipe")
        self.size = widgets.IntSlider(value=size, min=32, max=LARGEST, step=32, description="size (pixels)")
        self.weight = widgets.FloatLogSlider(
            base=10, step=0.25, description="style weight", readout_format=".3g"
        )
        self.tv = widgets.SelectionSlider(options=[("none", 0.0)], description="total variation")
        self.colours = widgets.Dropdown(
            options=["as painted", *CHOICES["colours"][1:]], description="colours"
        )
        self.steps = widgets.IntSlider(value=60, min=10, max=1000, step=1, description="steps")
        self.file = widgets.Text("first_picture.png", description="save as", continuous_update=False)
        self.said, self.note, self.line = (widgets.HTML(layout={"margin": "0 4px"}) for _ in range(3))
        self.picture, self.losses = Wiped(self, 560, 320), Picture(420, 300)
        self.wipe = self.picture.wipe
        self.kept = Strip(lambda kept: self.act(lambda: self._go_back(kept)))
        self._shown: Shown | None = None
        self._setting = False

        # What a run is asked with, by name; the recipe first, since it sets others.
        self._asked = {"recipe": self.recipe, "content": self.content, "style": self.style_picture}
        self._asked |= {"second": self.second, "mix": self.mix, "size": self.size, "weight": self.weight}
        self._asked |= {"tv": self.tv, "colours": self.colours, "steps": self.steps}
        self.on(self.recipe, self._take_recipe)
        for control in self._asked.values():
            self.on(control, self._tell)
        for control in (self.content, self.size):
            self.on(control, self._choose_photograph)
        self.save = self.button("Save", self._save, "write the picture on the screen to a file of that name")
        self.larger = self.button(
            "Larger", self._larger, "the picture on the screen again, at twice the size"
        )
        self.build(
            (
                self.content,
                self.style_picture,
                controls(self.weight),
                self.run_controls(self._paint, self.larger),
                controls(self.wipe, self.file),
                row(self.save, self.said),
            ),
            (row(self.picture, self.losses), self.note, self.kept),
            fold(
                "More settings: size, recipe, a second painting",
                *(controls(self.size, self.recipe, self.steps, self.tv, self.colours), self.second),
                controls(self.mix),
            ),
            fold("Your own pictures", self.content.own, self.style_picture.own, self.second.own),
            self.line,
        )
        self.losses.show(_NO_CURVES, "The losses, once a run has begun.")
        self._take_recipe()
        self._tell()
        self.later(self._draw_photograph)
        self.later(self._load_network)

    # Settings --------------------------------------------------------------------------------------------

    def _take_recipe(self) -> None:
        """Sets the controls to the recipe's own values, with two decades of style weight to either side."""
        recipe = RECIPES[self.recipe.value]
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
        controls = {name: control.value for name, control in self._asked.items()}
        return Order(self.content.value, styles, base.replace(**wanted), controls)

    def _take(self, order: Order) -> None:
        """Sets the controls to what they were when something was asked for."""
        self._setting = True
        try:
            for name, value in order.controls.items():
                control = self._asked[name]
                if isinstance(control, Chooser):
                    control.choose(value)
                else:
                    control.value = value
        finally:
            self._setting = False
        self._tell()

    def _tell(self) -> None:
        """Writes the line of code, and where the picture on the screen was made otherwise."""
        if self._setting:
            return
        order, shown = self.settings(), self._shown
        code = html.escape(order.code())
        self.line.value = (
            "These settings as a line of code (click it, then copy):"
            f'<pre tabindex="0" style="user-select: all; white-space: pre-wrap; margin: 2px">{code}</pre>'
        )
        changes = order.changes(shown.order) if shown and shown.order else []
        moved = f"Chosen since: {', '.join(changes)}. It takes effect at the next Start." if changes else ""
        self.note.value = html.escape(moved)

    # The run ---------------------------------------------------------------------------------------------

    def begin(self, run: Run) -> None:
        """Starts a run in the place of the one there may be, with nothing wiped over its picture."""
        self.wipe.value, self.said.value = 0.0, ""
        super().begin(run)

    def _load_network(self, order: Order) -> None:
        """Before anybody presses Start: reading the weights takes a second or two."""
        recipe = order.recipe
        shared_extractor(recipe.network, recipe.weights, recipe.pooling, recipe.padding)

    def _paint(self, order: Order) -> Run:
        recipe = order.recipe
        history: list[Tensor] = []
        self.losses.show(_NO_CURVES, "The losses, once the run has begun.")
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
        except WeightsError as error:
            raise WeightsError(
                f"{recipe.name}: its network must be downloaded ({recipe.download}), and that failed; "
                'choose another recipe under "More settings", such as default'
            ) from error
        finally:
            if last is not None and self._shown is not None:
                self._keep(order, self._shown.after, history, last)

    def _keep(self, order: Order, image: Tensor, history: list[Tensor], last: Step) -> None:
        """Adds the run's last picture to the results."""
        losses = [dict(zip(last.names, terms.tolist(), strict=True)) for terms in history]
        stopped = last.index < last.steps
        content, styles = order.names()
        made = Result(image, losses, order.recipe, last.seconds, stopped, content, styles)
        self.result = made
        self.kept.add(Kept(order, made))

    def _go_back(self, kept: Kept) -> None:
        """Shows one of the last results again, with the controls as they were for it."""
        self._take(kept.order)
        self.later(self._show_again, kept)

    def _show_again(self, kept: Kept) -> None:
        order, made = kept.order, kept.result
        self.result = made
        says = f"{order.content.name}, kept after {len(made.history)} steps at {order.recipe.size} pixels"
        self._show(order, order.content.image(order.recipe.size), made.image, says, True)
        values = [torch.tensor(list(losses.values())) for losses in made.history]
        self._draw_losses(tuple(made.history[0]), values)

    def _larger(self) -> None:
        shown = self._shown
        if shown and shown.order:
            self._take(shown.order)
        size = min(LARGEST, 2 * self.size.value)
        if size <= self.size.value:
            raise StylelabError(f"{LARGEST} pixels is the largest here; stylelab.transfer goes further")
        self.size.value = size
        self.begin(self._paint(self.settings()))

    def _save(self) -> None:
        shown = self._shown
        self.said.value = ""
        if shown is None or shown.order is None or shown.after is shown.before:
            raise StylelabError("there is no picture yet; press Start first")
        settings = receipt(*shown.order.names(), shown.order.recipe)
        path = save_image(shown.after, unused(expanded(self.file.value)), settings)
        self.said.value = html.escape(f"saved {path.name}")

    # Pictures --------------------------------------------------------------------------------------------

    def _choose_photograph(self) -> None:
        """Shows what was chosen at once, unless a run is on the screen, or a painting of the same."""
        shown, order = self._shown, self.settings()
        same = shown and shown.order and shown.order.content == order.content
        if not (self._setting or self.running or same):
            self.later(self._draw_photograph, order)

    def _draw_photograph(self, order: Order) -> None:
        if not self.running:
            photograph = order.content.image(order.recipe.size)
            self._show(None, photograph, photograph, f"{order.content.name}, the photograph")
            self.losses.show(_NO_CURVES, "The losses, once a run has begun.")

    def _show(
        self, order: Order | None, before: Tensor, after: Tensor, says: str, final: bool = False
    ) -> None:
        self._shown = Shown(order, before, self.picture.show_both(before, after, says, final))
        self._tell()

    def _draw_losses(self, names: tuple[str, ...], history: list[Tensor]) -> None:
        table = torch.stack(history).tolist()
        series = {name: [row[k] for row in table] for k, name in enumerate(names) if any(r[k] for r in table)}
        now = ", ".join(f"{name} {values[-1]:.3g}" for name, values in series.items())
        self.losses.show(curves(series, "step", "loss", log=True), f"After step {len(table)}: {now}.")


def _labelled() -> list[tuple[str, str]]:
    """The recipes as the menu has them, with what must be downloaded first."""
    return [
        (f"{name} (downloads {recipe.download})" if recipe.download else name, name)
        for name, recipe in RECIPES.items()
    ]
