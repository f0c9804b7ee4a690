"""The lab of notebook 06: what a patch net misses, looked up where it was missed before."""

import ipywidgets as widgets
import torch
from PIL import Image
from torch import Tensor

from stylelab.errors import StylelabError
from stylelab.labs.kit.base import Lab, Picture, controls, row
from stylelab.labs.kit.choosing import Chooser
from stylelab.labs.kit.drawing import enlarge, heat_map
from stylelab.losses.distances import psnr
from stylelab.patches.differences import DifferenceTable, Explanation
from stylelab.patches.fitting import training
from stylelab.patches.net import PatchNet
from stylelab.patches.windows import as_channels
from stylelab.pictures.filters import FILTERS, apply_filter
from stylelab.pictures.loading import load_image
from stylelab.pictures.samples import sample_names
from stylelab.pictures.saving import to_pil

STEPS = 500  # of the net's training
KEPT = 24  # results to go back to at once
CROSS = (213, 94, 0)


def differences(size: int = 96) -> "DifferencesLab":
    """The lab of difference maps; see DifferencesLab. size: longest side in pixels of its pictures."""
    return DifferencesLab(size)


class DifferencesLab(Lab):
    """A net, its difference map from a table, and what the table found for one pixel.

    After Start, every choice makes a new result. `table` is the DifferenceTable, `result` the picture,
    (1, 1, H, W), and `explanation` what is shown about the pixel under the cross-hair.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.table: DifferenceTable | None = None
        self.explanation: Explanation | None = None
        self._nets: dict[tuple, PatchNet] = {}
        self._known: dict[tuple, tuple] = {}
        self._parts: tuple[Tensor, ...] = ()
        self._says: tuple[str, ...] = ()
        self._names: tuple[str, ...] = ()
        self.photograph = Chooser(self, "tested on", "cat")
        self.filter = widgets.Dropdown(options=list(FILTERS), value="sketch", description="filter")
        self.patch = widgets.IntSlider(value=5, min=1, max=9, step=2, description="patch (pixels)")
        self.neighbours = widgets.IntSlider(value=8, min=1, max=16, description="neighbours")
        self.rounds = widgets.IntSlider(value=1, min=1, max=3, description="rounds")
        self.line = widgets.IntSlider(value=size // 3, min=0, max=size - 1, description="row")
        self.column = widgets.IntSlider(value=size // 2, min=0, max=size - 1, description="column")
        self.alone, self.difference, self.made, self.truth = (Picture(250) for _ in range(4))
        self.found = Picture(700)
        for control in (self.photograph, self.filter, self.patch, self.neighbours, self.rounds):
            self.on(control, self._again)
        for control in (self.line, self.column):
            self.on(control, lambda: self.later(self._explain))
        self.build(
            self.photograph,
            controls(self.filter, self.patch, self.neighbours, self.rounds),
            self.run_controls(self._make),
            row(self.alone, self.difference, self.made, self.truth),
            controls(self.line, self.column),
            row(self.found),
        )
        self._show_nothing_made()

    def _again(self) -> None:
        if self.table or self.running:
            self.begin(self._make())
        else:
            self._show_nothing_made()

    def _show_nothing_made(self) -> None:
        """Before Start: a notebook that is run from top to bottom does not train a net for nobody."""
        image = as_channels(self.photograph.image(self.size), 1)
        blank = torch.full_like(image, 0.93)
        says = ("The net alone: press Start.", "What the table adds.", "Both together.")
        for box, line in zip((self.alone, self.difference, self.made), says, strict=True):
            box.show(enlarge(blank, 192), line)
        truth, name = apply_filter(image, self.filter.value), self.photograph.value[0]
        self.truth.show(enlarge(truth, 192), f"{name} through the filter: what is wanted.")
        blank = torch.full((1, 1, 186, 568), 0.93)
        self.found.show(blank, "The patch under the cross-hair, and its neighbours in the table.")

    def _make(self):
        name, source = self.photograph.value
        patch, neighbours, rounds = self.patch.value, self.neighbours.value, self.rounds.value
        filtered = self.filter.value
        trained_on = tuple(sample for sample in sample_names("content") if sample != source)
        pictures = [load_image(sample, self.size, grey=True) for sample in trained_on]
        pairs = [(picture, apply_filter(picture, filtered)) for picture in pictures]
        settings = (name, source, filtered, patch, neighbours, rounds)
        if settings in self._known:
            self._take(self._known[settings])
            yield 1.0
            return
        key = (filtered, trained_on)
        net = PatchNet()
        image = as_channels(load_image(source, self.size), 1)
        if key not in self._nets:
            for step, end, _ in training(net, pairs, steps=STEPS):
                if self.due():
                    says = f"The net alone on {name}, {filtered}, after {step} steps."
                    self.alone.show(enlarge(net.stylise(image), 192), says)
                yield 0.6 * step / end
            self._nets[key] = net
        net = self._nets[key]
        table = DifferenceTable(net, pairs, patch, neighbours)
        yield 0.8
        truth = apply_filter(image, filtered)
        alone, difference, made = table.stylise(image, rounds, parts=True, progress=False)
        gain = psnr(made, truth) - psnr(alone, truth)
        says = (
            f"The net alone on {name}, {filtered}: PSNR {psnr(alone, truth):.1f} dB.",
            f"The difference from the table, patches of {patch} pixels, {neighbours} neighbours, rounds: "
            f"{rounds}. Blue darkens, yellow brightens, up to {difference.abs().max().item():.2f}.",
            f"Together: PSNR {psnr(made, truth):.1f} dB, {gain:+.1f} dB against the net alone.",
            f"{name} through the filter {filtered}: what is wanted.",
        )
        self._known[settings] = (table, trained_on, (image, alone, difference, made, truth), says)
        if len(self._known) > KEPT:
            del self._known[next(iter(self._known))]
        self._take(self._known[settings])
        yield 1.0

    def _take(self, known: tuple) -> None:
        """Shows a result, new or made before."""
        self.table, self._names, self._parts, self._says = known
        image, self.result = self._parts[0], self._parts[3]
        self.line.max, self.column.max = image.shape[-2] - 1, image.shape[-1] - 1
        self._explain()

    def _explain(self) -> None:
        """The pictures with the cross-hair, and the row of patches for the pixel under it."""
        if not self._parts:
            raise StylelabError("there is no table yet; press Start, or wait for it")
        image, alone, difference, made, truth = self._parts
        line, column = self.line.value, self.column.value
        reach = difference.abs().max().item() or 1.0
        shown = [
            enlarge(alone, 192),
            heat_map(difference[0, 0], 192, "cividis", (-reach, reach)),
            enlarge(made, 192),
            enlarge(truth, 192),
        ]
        boxes = (self.alone, self.difference, self.made, self.truth)
        for box, picture, says in zip(boxes, shown, self._says, strict=True):
            box.show(_with_cross(picture, image.shape[-1], line, column), says)
        found = self.explanation = self.table.explain(image, line, column)
        places = ", ".join(
            f"{self._names[pair]} ({r}, {c}) at {distance:.2f}"
            for (pair, r, c), distance in zip(found.sources, found.distances.tolist(), strict=True)
        )
        self.found.show(
            _patches(found, reach),
            f"Row {line}, column {column}. First the query, then its neighbours, nearest first: input above, "
            f"the net's output below it, the stored difference at the bottom. From {places}. Their mean "
            f"is trusted to {found.trust:.0%}.",
        )


def _with_cross(picture: Image.Image, width: int, line: int, column: int) -> Image.Image:
    picture = picture.convert("RGB")
    times = picture.width // width
    x, y = (round((n + 0.5) * times) for n in (column, line))
    for gap in range(4, 12):  # four strokes that leave the pixel itself free
        for a, b in ((x - gap, y), (x + gap, y), (x, y - gap), (x, y + gap)):
            for thick in (0, 1):
                at = (a + thick * (b != y), b + thick * (a != x))
                if 0 <= at[0] < picture.width and 0 <= at[1] < picture.height:
                    picture.putpixel(at, CROSS)
    return picture


def _patches(found: Explanation, reach: float, side: int = 56) -> Image.Image:
    """A column for the query and for each neighbour: input, output, difference."""
    columns = [(found.query_input, found.query_output, None)]
    columns += list(zip(found.inputs, found.outputs, found.differences, strict=True))
    sheet = Image.new("RGB", (max(8, len(columns)) * (side + 6) + 10, 3 * (side + 6)), "#dcdcdc")
    for number, patches in enumerate(columns):
        for place, patch in enumerate(patches):
            if patch is None:
                continue
            if place == 2:
                square = heat_map(patch[0], side, "cividis", (-reach, reach))
            else:
                square = to_pil(patch[None]).convert("RGB")
            square = square.resize((side, side), Image.Resampling.NEAREST)
            sheet.paste(square, (number * (side + 6) + (10 if number else 0), place * (side + 6)))
    return sheet
