"""The lab of notebook 00: choose two pictures, press Start, watch; with every setting that matters."""

import html
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import ipywidgets as widgets
import torch
from torch import Tensor

from stylelab.errors import StylelabError, WeightsError
from stylelab.labs.kit.base import Picture, code_line, controls, fold, row
from stylelab.labs.kit.drawing import curves
from stylelab.labs.kit.orders import Kept, Order, Shown, Strip
from stylelab.labs.kit.saving import Saver
from stylelab.labs.kit.transfer_controls import TransferControls
from stylelab.labs.kit.wiping import Wiped
from stylelab.labs.kit.worker import Run
from stylelab.networks.extractor import shared_extractor
from stylelab.optimisation.published import RECIPES
from stylelab.optimisation.running import Result, Step, optimise
from stylelab.pictures.loading import load_image
from stylelab.pictures.saving import receipt

OWN = ("quick", "default", "fine")  # recipes that minimise the same losses
_WIDE = {"flex": "1 1 320px", "max_width": "576px", "overflow": "visible"}
_NO_CURVES = curves({}, "step", "loss")


def first_picture(
    size: int = 256, content: str = "astronaut", style: str = "starry_night"
) -> "FirstPictureLab":
    """The lab of transfers; see FirstPictureLab. size: longest side at first. content, style: samples."""
    return FirstPictureLab(size, content, style)


class FirstPictureLab(TransferControls):
    """A whole transfer, live. `result` is the last run's, a Result as `stylelab.transfer` returns it.

    The line of code says what the controls say; what is on the screen says of itself what it is, and where
    the controls have moved since.
    """

    def __init__(self, size: int, content: str, style: str) -> None:
        super().__init__(size, content, style)
        self.note, self.line = (widgets.HTML(layout={"margin": "0 4px"}) for _ in range(2))
        self.picture, self.losses = Wiped(self, 560, 320), Picture(420, 300)
        self.wipe = self.picture.wipe
        self.kept = Strip(lambda kept: self.act(lambda: self._go_back(kept)))
        self._shown: Shown | None = None

        for control in self._asked.values():
            self.on(control, self._tell)
        for control in (self.content, self.size):
            self.on(control, self._choose_photograph)
        self.save = Saver(self, "first_picture.png", self._with_receipt)
        self.finish = self.button(
            "Finish", self._finish, "go on with the picture on the screen until it is done"
        )
        self.print = self.button("Print", self._print, "paint it again at 1024 pixels, which takes minutes")
        self.build(
            (
                self.content,
                self.style_picture,
                controls(self.weight),
                self.run_controls(self._paint, self.finish, self.print),
                controls(self.wipe, self.save.file),
                self.save,
            ),
            (row(widgets.VBox([self.picture, self.note, self.kept], layout=_WIDE), self.losses),),
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

    # What is said ----------------------------------------------------------------------------------------

    def _tell(self) -> None:
        """Writes the line of code, and where the picture on the screen was made otherwise."""
        if self._setting:
            return
        order, shown = self.settings(), self._shown
        self.line.value = code_line(order.code())
        changes = order.changes(shown.order) if shown and shown.order else []
        moved = f"Chosen since: {', '.join(changes)}. It takes effect at the next Start." if changes else ""
        self.note.value = html.escape(moved)

    # The run ---------------------------------------------------------------------------------------------

    def begin(self, run: Run) -> None:
        """Starts a run in the place of the one there may be, with nothing wiped over its picture."""
        self.wipe.value, self.save.said.value = 0.0, ""
        super().begin(run)

    def _load_network(self, order: Order) -> None:
        """Before anybody presses Start: reading the weights takes a second or two."""
        recipe = order.recipe
        shared_extractor(recipe.network, recipe.weights, recipe.pooling, recipe.padding)

    def _paint(self, order: Order, start: Tensor | None = None) -> Run:
        recipe = order.recipe if start is None else order.recipe.replace(scales=(1.0,))
        history: list[Tensor] = []
        self.losses.show(_NO_CURVES, "The losses, once the run has begun.")
        photograph = order.photograph()
        title = f"{order.content.name} painted like {' and '.join(chosen.name for chosen, _ in order.styles)}"
        if start is None:
            self._show(order, photograph, photograph, f"{order.content.name}, before the first step")
        else:
            self._show(order, photograph, start, f"{order.content.name}, to be continued")
            title += ", continued"
        styles = [(load_image(chosen.source), weight) for chosen, weight in order.styles]
        last: Step | None = None

        def counted() -> Iterator[Step]:
            nonlocal last
            for last in optimise(photograph, styles, recipe, init=start):
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
        made = Result(
            image, losses, order.recipe, last.seconds, stopped, content, styles, start_given=order.continues
        )
        self.result = made
        self.kept.add(Kept(order, made))

    def _go_back(self, kept: Kept) -> None:
        """Shows one of the last results again, with the controls as they were for it."""
        self._take(kept.order)
        self._tell()
        self.later(self._show_again, kept)

    def _show_again(self, kept: Kept) -> None:
        order, made = kept.order, kept.result
        self.result = made
        says = f"{order.content.name}, kept after {len(made.history)} steps"
        if made.interrupted:
            says += " and then stopped"
        self._rest()
        self._show(order, order.photograph(), made.image, says, True)
        values = [torch.tensor(list(losses.values())) for losses in made.history]
        self._draw_losses(tuple(made.history[0]), values)

    def _painted(self) -> tuple[Order, Tensor]:
        """The picture on the screen, and whose order it is; StylelabError where nothing is painted yet."""
        shown = self._shown
        if shown is None or shown.order is None or shown.after is shown.before:
            raise StylelabError("there is no picture yet; press Start first")
        return shown.order, shown.after

    def _again(self, recipe: str, **changed: Any) -> Tensor:
        """Sets the controls to those of the picture on the screen, which it returns, with another recipe."""
        order, image = self._painted()
        if order.recipe.name not in OWN:
            raise StylelabError(
                f"a picture by {order.recipe.name} minimises losses of its own; choose quick under "
                '"More settings", and press Start first'
            )
        before, after = RECIPES[order.recipe.name], RECIPES[recipe]
        for control, weight in (("weight", "style_weight"), ("tv", "tv_weight")):
            if getattr(order.recipe, weight) == getattr(before, weight):  # nobody chose another
                changed[control] = getattr(after, weight)
        self._take(order, recipe=recipe, steps=sum(after.steps), **changed)
        self._tell()
        return image

    def _finish(self) -> None:
        image = self._again("default")
        self.begin(self._paint(replace(self.settings(), continues=True), image))

    def _print(self) -> None:
        self._again("fine", size=RECIPES["fine"].size)
        self.begin(self._paint(self.settings()))

    def _with_receipt(self) -> tuple[Tensor, dict[str, Any]]:
        order, image = self._painted()
        return image, receipt(*order.names(), order.recipe, continued=order.continues)

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
            self._rest()
            self._show(None, photograph, photograph, f"{order.content.name}, the photograph")
            self.losses.show(_NO_CURVES, "The losses, once a run has begun.")

    def _show(
        self, order: Order | None, before: Tensor, after: Tensor, says: str, final: bool = False
    ) -> None:
        self._shown = Shown(order, before, self.picture.show_both(before, after, says, final))
        self.kept.mark(order)
        self._tell()

    def _rest(self) -> None:
        """What was said of the last run is not about the picture that is shown now."""
        if not self.running:
            self.status.value, self.save.said.value = "nothing is running", ""
            self.progress.value = 0.0

    def _draw_losses(self, names: tuple[str, ...], history: list[Tensor]) -> None:
        table = torch.stack(history).tolist()
        series = {name: [row[k] for row in table] for k, name in enumerate(names) if any(r[k] for r in table)}
        now = ", ".join(f"{name} {values[-1]:.3g}" for name, values in series.items())
        self.losses.show(curves(series, "step", "loss", log=True), f"After step {len(table)}: {now}.")
