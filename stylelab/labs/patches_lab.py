"""The lab of notebook 05: a small net learns a filter from patches, while you watch."""

from contextlib import closing
from dataclasses import dataclass

import ipywidgets as widgets
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from stylelab.errors import StylelabError
from stylelab.labs.kit.base import Lab, Picture, controls, fold, row
from stylelab.labs.kit.choosing import TRAINED_ON, Chooser, Chosen
from stylelab.labs.kit.drawing import curves, enlarge, heat_map
from stylelab.labs.kit.worker import Run
from stylelab.losses.distances import psnr
from stylelab.patches.fitting import OPTIMISERS, training
from stylelab.patches.net import PatchNet
from stylelab.patches.windows import as_channels
from stylelab.pictures.filters import FILTERS, apply_filter
from stylelab.pictures.loading import load_image


@dataclass(frozen=True)
class Settings:
    """The controls when something was asked for. hidden: as it was typed."""

    photograph: Chosen
    filter: str
    patch: int
    hidden: str
    optimiser: str
    steps: int


def patches(size: int = 128) -> "PatchesLab":
    """The lab of patch nets; see PatchesLab. size: longest side in pixels of its pictures."""
    return PatchesLab(size)


class PatchesLab(Lab):
    """Filter, patch and net are chosen, training is watched; `result` is the PatchNet, trained so far."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self._trained: tuple[Chosen, str] | None = None
        self.photograph = Chooser(self, "photograph", "cat")
        self.filter = widgets.Dropdown(options=list(FILTERS), value="sketch", description="filter")
        self.patch = widgets.IntSlider(value=3, min=1, max=9, step=2, description="patch (pixels)")
        self.hidden = widgets.Text("21, 17, 13, 9", description="hidden units", continuous_update=False)
        self.optimiser = widgets.Dropdown(options=OPTIMISERS, description="optimiser")
        self.steps = widgets.IntSlider(value=800, min=100, max=3000, step=100, description="steps")
        self.before, self.made, self.truth = (Picture(330, 140, "27vh") for _ in range(3))
        self.loss, self.units = Picture(480, 250, "25vh"), Picture(330, 140, "25vh")
        for control in (self.photograph, self.filter):
            self.on(control, lambda: self.later(self._draw_truth))
        self.on(self.hidden, self._check_hidden)
        self.build(
            (
                self.photograph,
                controls(self.filter, self.patch, self.hidden),
                self.run_controls(self._train),
            ),
            (row(self.before, self.made, self.truth), row(self.loss, self.units)),
            fold(
                "More: optimiser, steps, your own photograph",
                controls(self.optimiser, self.steps),
                self.photograph.own,
            ),
        )
        self._show_nothing_made()
        self.later(self._draw_truth)

    def settings(self) -> Settings:
        """The controls as they stand."""
        return Settings(
            self.photograph.value,
            self.filter.value,
            self.patch.value,
            self.hidden.value,
            self.optimiser.value,
            self.steps.value,
        )

    def _check_hidden(self) -> None:
        _sizes(self.hidden.value)

    def _pictures(self, asked: Settings) -> tuple[Tensor, Tensor]:
        """The test photograph in grey, and what the filter makes of it."""
        image = as_channels(asked.photograph.image(self.size), 1)
        return image, apply_filter(image, asked.filter)

    def _draw_truth(self, asked: Settings) -> None:
        image, truth = self._pictures(asked)
        if self._trained not in (None, (asked.photograph, asked.filter)) and not self.running:
            self._trained = None
            self._show_nothing_made()  # a net for something else beside this target would mislead
        name = asked.photograph.name
        self.before.show(enlarge(image, 256), f"{name}, the input; none of it is trained on.")
        self.truth.show(enlarge(truth, 256), f"{name} through the filter {asked.filter}: what is wanted.")

    def _show_nothing_made(self) -> None:
        blank = torch.full_like(self.photograph.value.image(self.size), 0.93)
        self.made.show(blank, "The net's picture: press Start to train one.")
        self.loss.show(curves({}, "steps (× 25)", "error"), "The error while training.")
        self.units.show(blank, "What the units of the first layer look for.")

    def _train(self, asked: Settings) -> Run:
        name, source = asked.photograph
        image, truth = self._pictures(asked)
        self._trained = asked.photograph, asked.filter
        net = PatchNet(patch=asked.patch, hidden=_sizes(asked.hidden))
        trained_on = [sample for sample in TRAINED_ON if sample != source]
        pictures = [load_image(sample, self.size, grey=True) for sample in trained_on]
        pairs = [(picture, apply_filter(picture, asked.filter)) for picture in pictures]
        losses: list[float] = []
        step = 0

        def show(final: bool = False) -> None:
            made, units = net.stylise(image), net.layers[0].out_features
            self.made.show(
                enlarge(made, 256),
                f"{name} by the net, {asked.filter} after {step} steps on {', '.join(trained_on)}: PSNR "
                f"{psnr(made, truth):.1f} dB (unfiltered {psnr(image, truth):.1f}).",
                final,
            )
            self.loss.show(
                curves({"mean squared error": losses}, "steps (× 25)", "error", log=True),
                f"Error after {step} steps: {losses[-1]:.5f}, on the training pictures.",
            )
            self.units.show(
                _units(net),
                f"{'One unit' if units == 1 else f'{units} units'} in the first layer, {net.patch} × "
                f"{net.patch} weights each: yellow adds, blue takes away.",
                final,
            )

        try:
            # Closed before the last picture is shown: a net that gained too little is then its start again.
            with closing(training(net, pairs, asked.optimiser, steps=asked.steps)) as steps:
                for step, end, loss in steps:
                    losses.append(loss)
                    self.result = net
                    if len(losses) == 1 or self.due():
                        show()
                    yield step / end
        finally:
            if losses:
                show(True)


def _sizes(hidden: str) -> tuple[int, ...]:
    """The hidden layers' units, as they were typed."""
    words = hidden.replace(",", " ").split()
    if not all(word.isdecimal() and 1 <= int(word) <= 256 for word in words) or not 1 <= len(words) <= 8:
        raise StylelabError(f'hidden units "{hidden}": give 1 to 8 numbers from 1 to 256, as in "21, 17, 9"')
    return tuple(map(int, words))


def _units(net: PatchNet) -> Image.Image:
    """The first layer's weights as squares, in rows, on white; each unit's largest weight has full colour."""
    weights = net.get_parameter("layers.0.weight").detach().view(-1, net.patch, net.patch).numpy()
    columns = int(np.ceil(len(weights) ** 0.5))
    lines = -(-len(weights) // columns)
    side = 320 // columns
    sheet = Image.new("RGB", (columns * side, lines * side), "white")
    for number, unit in enumerate(weights):
        reach = float(abs(unit).max()) or 1.0
        square = heat_map(unit, side, "cividis", (-reach, reach))
        square = square.resize((side - 4, side - 4), Image.Resampling.NEAREST)
        sheet.paste(square, (number % columns * side + 2, number // columns * side + 2))
    return sheet
