"""The lab of notebook 05: a small net learns a filter from patches, while you watch."""

import ipywidgets as widgets
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from stylelab.errors import StylelabError
from stylelab.labs.kit.base import Lab, Picture, controls, row
from stylelab.labs.kit.choosing import Chooser
from stylelab.labs.kit.drawing import curves, enlarge, heat_map
from stylelab.losses.distances import psnr
from stylelab.patches.fitting import OPTIMISERS, training
from stylelab.patches.net import PatchNet
from stylelab.patches.windows import as_channels
from stylelab.pictures.filters import FILTERS, apply_filter
from stylelab.pictures.loading import load_image
from stylelab.pictures.samples import sample_names


def patches(size: int = 128) -> "PatchesLab":
    """The lab of patch nets; see PatchesLab. size: longest side in pixels of its pictures."""
    return PatchesLab(size)


class PatchesLab(Lab):
    """Filter, patch and net are chosen, training is watched; `result` is the PatchNet, trained so far."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.photograph = Chooser(self, "tested on", "cat")
        self.filter = widgets.Dropdown(options=list(FILTERS), value="sketch", description="filter")
        self.patch = widgets.IntSlider(value=3, min=1, max=9, step=2, description="patch (pixels)")
        self.hidden = widgets.Text("21, 17, 13, 9", description="hidden units", continuous_update=False)
        self.optimiser = widgets.Dropdown(options=OPTIMISERS, description="optimiser")
        self.steps = widgets.IntSlider(value=800, min=100, max=3000, step=100, description="steps")
        self.before, self.made, self.truth = (Picture(330) for _ in range(3))
        self.loss, self.units = Picture(520), Picture(330)
        for control in (self.photograph, self.filter):
            self.on(control, lambda: self.later(self._draw_truth))
        self.on(self.hidden, self._sizes)
        self.build(
            self.photograph,
            controls(self.filter, self.patch, self.hidden, self.optimiser, self.steps),
            self.run_controls(self._train),
            row(self.before, self.made, self.truth),
            row(self.loss, self.units),
        )
        self._show_nothing_made()
        self.later(self._draw_truth)

    def _sizes(self) -> tuple[int, ...]:
        """The hidden layers' units, as they were typed."""
        words = self.hidden.value.replace(",", " ").split()
        if not all(word.isdecimal() and 1 <= int(word) <= 256 for word in words) or len(words) > 8:
            raise StylelabError(
                f'hidden units "{self.hidden.value}": give up to 8 numbers from 1 to 256, as in "21, 17, 9"'
            )
        return tuple(map(int, words))

    def _pictures(self) -> tuple[Tensor, Tensor]:
        """The test photograph in grey, and what the filter makes of it."""
        image = as_channels(self.photograph.image(self.size), 1)
        return image, apply_filter(image, self.filter.value)

    def _draw_truth(self) -> None:
        image, truth = self._pictures()
        name = self.photograph.value[0]
        self.before.show(enlarge(image, 256), f"{name}, the input; none of it is trained on.")
        self.truth.show(
            enlarge(truth, 256), f"{name} through the filter {self.filter.value}: what is wanted."
        )

    def _show_nothing_made(self) -> None:
        blank = torch.full_like(self.photograph.image(self.size), 0.93)
        self.made.show(blank, "The net's picture: press Start to train one.")
        self.loss.show(curves({}, "25 steps", "error"), "The error while training.")
        self.units.show(blank, "What the units of the first layer look for.")

    def _train(self):
        name, source = self.photograph.value
        image, truth = self._pictures()
        trained_on = [sample for sample in sample_names("content") if sample != source]
        pictures = [load_image(sample, self.size, grey=True) for sample in trained_on]
        filtered = self.filter.value
        net = PatchNet(patch=self.patch.value, hidden=self._sizes())
        pairs = [(picture, apply_filter(picture, filtered)) for picture in pictures]
        losses, step = [], 0

        def show(final: bool = False) -> None:
            made = net.stylise(image)
            self.made.show(
                enlarge(made, 256),
                f"{name} by the net, {filtered} after {step} steps on {', '.join(trained_on)}: PSNR "
                f"{psnr(made, truth):.1f} dB (unfiltered {psnr(image, truth):.1f}).",
                final,
            )
            self.loss.show(
                curves({"mean squared error": losses}, "25 steps", "error", log=True),
                f"Error after {step} steps: {losses[-1]:.5f}, on the training pictures.",
            )
            self.units.show(
                _units(net),
                f"The {net.layers[0].out_features} units of the first layer, {net.patch} × {net.patch} "
                "weights each: yellow adds, blue takes away.",
                final,
            )

        try:
            for step, end, loss in training(net, pairs, self.optimiser.value, steps=self.steps.value):
                losses.append(loss)
                self.result = net
                if len(losses) == 1 or self.due():
                    show()
                yield step / end
        finally:
            if losses:
                show(True)


def _units(net: PatchNet) -> Image.Image:
    """The first layer's weights as squares, in rows, on white; each unit's largest weight has full colour."""
    weights = net.layers[0].weight.detach().view(-1, net.patch, net.patch).numpy()
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
