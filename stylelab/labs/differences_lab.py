"""The lab of notebook 06: what a patch net misses, looked up where it was missed before."""

from dataclasses import dataclass

import ipywidgets as widgets
import torch
from PIL import Image
from torch import Tensor

from stylelab.labs.kit.base import Lab, Picture, controls, fold, row
from stylelab.labs.kit.choosing import TRAINED_ON, Chooser, Chosen
from stylelab.labs.kit.drawing import enlarge, heat_map
from stylelab.labs.kit.touchable import Touch
from stylelab.labs.kit.worker import Run
from stylelab.losses.distances import psnr
from stylelab.patches.differences import DifferenceTable, Explanation
from stylelab.patches.fitting import training
from stylelab.patches.net import PatchNet
from stylelab.patches.windows import as_channels
from stylelab.pictures.filters import FILTERS, apply_filter
from stylelab.pictures.loading import load_image
from stylelab.pictures.saving import to_pil

KEPT = 24  # results to go back to at once
CROSS = (213, 94, 0)


@dataclass(frozen=True)
class Wanted:
    """What a result is asked for with. patch: pixels. neighbours, rounds: of the table."""

    photograph: Chosen
    filter: str
    patch: int
    neighbours: int
    rounds: int


@dataclass(frozen=True)
class Settings:
    """The controls when something was asked for. line, column: of the cross-hair."""

    wanted: Wanted
    line: int
    column: int


@dataclass(frozen=True)
class Made:
    """A result, and what is shown about it. trained_on: the pairs' names. says: a line for each picture."""

    table: DifferenceTable
    trained_on: tuple[str, ...]
    image: Tensor
    alone: Tensor
    difference: Tensor
    together: Tensor
    truth: Tensor
    says: tuple[str, ...]


def differences(size: int = 96, steps: int = 500) -> "DifferencesLab":
    """The lab of difference maps; see DifferencesLab.

    size: longest side in pixels of its pictures. steps: of the net's training.
    """
    return DifferencesLab(size, steps)


class DifferencesLab(Lab):
    """A net, its difference map from a table, and what the table found for one pixel.

    After Start, every choice makes a new result. `table` is the DifferenceTable, `result` the picture,
    (1, 1, H, W), and `explanation` what is shown about the pixel under the cross-hair, which is put where
    one of the pictures is touched.
    """

    def __init__(self, size: int, steps: int) -> None:
        super().__init__()
        self.size, self._steps = size, steps
        self.table: DifferenceTable | None = None
        self.explanation: Explanation | None = None
        self._nets: dict[tuple[str, tuple[str, ...]], PatchNet] = {}
        self._known: dict[Wanted, Made] = {}
        self._made: Made | None = None
        self.photograph = Chooser(self, "photograph", "cat")
        self.filter = widgets.Dropdown(options=list(FILTERS), value="sketch", description="filter")
        self.patch = widgets.IntSlider(value=5, min=1, max=9, step=2, description="patch (pixels)")
        self.neighbours = widgets.IntSlider(value=8, min=1, max=16, description="neighbours")
        self.rounds = widgets.IntSlider(value=1, min=1, max=3, description="rounds")
        self.line = widgets.IntSlider(value=size // 3, min=0, max=size - 1, description="row")
        self.column = widgets.IntSlider(value=size // 2, min=0, max=size - 1, description="column")
        self.alone, self.difference, self.made, self.truth = self._pictures = [
            Picture(250, 190, "20vh") for _ in range(4)
        ]
        self.found = Picture(700, 400, "24vh")
        for control in (self.photograph, self.filter, self.patch, self.neighbours, self.rounds):
            self.on(control, self._again)
        for control in (self.line, self.column):
            self.on(control, self._look)
        for picture in self._pictures:
            self.on_touch(picture, self._point)
        self.build(
            (
                self.photograph,
                controls(self.filter, self.neighbours),
                self.run_controls(self._make),
                controls(self.line, self.column),
            ),
            (row(*self._pictures), row(self.found)),
            fold(
                "More: patch, rounds, your own photograph",
                controls(self.patch, self.rounds),
                self.photograph.own,
            ),
        )
        self._show_nothing_made()

    def settings(self) -> Settings:
        """The controls as they stand."""
        wanted = Wanted(
            self.photograph.value,
            self.filter.value,
            self.patch.value,
            self.neighbours.value,
            self.rounds.value,
        )
        return Settings(wanted, self.line.value, self.column.value)

    def _again(self) -> None:
        if self._made or self.running:
            self.begin(self._make(self.settings()))
        else:
            self._show_nothing_made()

    def _look(self) -> None:
        if self._made:
            self.later(self._explain)
        elif not self.running:
            self.status.value = "press Start: the cross-hair needs a table to look into"

    def _point(self, touch: Touch) -> None:
        self.line.value, self.column.value = touch.pixel(self.column.max + 1, self.line.max + 1)

    def _show_nothing_made(self) -> None:
        """Before Start: a notebook that is run from top to bottom does not train a net for nobody."""
        wanted = self.settings().wanted
        image = as_channels(wanted.photograph.image(self.size), 1)
        blank = torch.full_like(image, 0.93)
        says = ("The net alone: press Start.", "What the table adds.", "Both together.")
        for box, line in zip((self.alone, self.difference, self.made), says, strict=True):
            box.show(enlarge(blank, 192), line)
        truth = apply_filter(image, wanted.filter)
        self.truth.show(enlarge(truth, 192), f"{wanted.photograph.name} through the filter: what is wanted.")
        self.found.show(
            torch.full((1, 1, 186, 568), 0.93),
            "The patch under the cross-hair, and its neighbours in the table. A click on a picture moves it.",
        )

    def _make(self, asked: Settings) -> Run:
        wanted = asked.wanted
        if wanted not in self._known:
            yield from self._compute(wanted)
        self._made = self._known[wanted]
        self.table, self.result = self._made.table, self._made.together
        self.line.max, self.column.max = (side - 1 for side in self.result.shape[-2:])
        self.later(self._explain)  # with the cross-hair as it stands by now
        yield 1.0

    def _compute(self, wanted: Wanted) -> Run:
        """Trains a net, unless one was for the same pictures; fills a table; adds to what is known."""
        name, source = wanted.photograph
        trained_on = tuple(sample for sample in TRAINED_ON if sample != source)
        pictures = [load_image(sample, self.size, grey=True) for sample in trained_on]
        pairs = [(picture, apply_filter(picture, wanted.filter)) for picture in pictures]
        image = as_channels(wanted.photograph.image(self.size), 1)
        if (wanted.filter, trained_on) not in self._nets:
            net = PatchNet()
            for step, end, _ in training(net, pairs, steps=self._steps):
                if self.due():
                    so_far = f"The net alone on {name}, {wanted.filter}, after {step} steps."
                    self.alone.show(enlarge(net.stylise(image), 192), so_far)
                yield 0.6 * step / end
            self._nets[wanted.filter, trained_on] = net
        table = DifferenceTable(self._nets[wanted.filter, trained_on], pairs, wanted.patch, wanted.neighbours)
        yield 0.8
        truth = apply_filter(image, wanted.filter)
        alone, difference, together = table.stylise(image, wanted.rounds, parts=True, progress=False)
        gain = round(psnr(together, truth) - psnr(alone, truth), 1) + 0.0  # no -0.0
        says = (
            f"The net alone on {name}, {wanted.filter}: PSNR {psnr(alone, truth):.1f} dB.",
            f"The difference from the table, patches of {wanted.patch} pixels, {wanted.neighbours} "
            f"{'neighbour' if wanted.neighbours == 1 else 'neighbours'}, rounds: "
            f"{wanted.rounds}. Blue darkens, yellow brightens, up to {difference.abs().max().item():.2f}.",
            f"Together: PSNR {psnr(together, truth):.1f} dB, {gain:+.1f} dB against the net alone.",
            f"{name} through the filter {wanted.filter}: what is wanted.",
        )
        self._known[wanted] = Made(table, trained_on, image, alone, difference, together, truth, says)
        if len(self._known) > KEPT:
            del self._known[next(iter(self._known))]

    def _explain(self, asked: Settings) -> None:
        """The pictures with the cross-hair, and the row of patches for the pixel under it."""
        made = self._made
        if made is None:
            return
        height, width = made.image.shape[-2:]
        line, column = min(asked.line, height - 1), min(asked.column, width - 1)
        reach = made.difference.abs().max().item() or 1.0
        shown = (
            enlarge(made.alone, 192),
            heat_map(made.difference[0, 0], 192, "cividis", (-reach, reach)),
            enlarge(made.together, 192),
            enlarge(made.truth, 192),
        )
        for box, picture, says in zip(self._pictures, shown, made.says, strict=True):
            box.show(_with_cross(picture, width, line, column), says)
        found = self.explanation = made.table.explain(made.image, line, column)
        places = ", ".join(
            f"{made.trained_on[pair]} ({r}, {c}) at {distance:.2f}"
            for (pair, r, c), distance in zip(found.sources, found.distances.tolist(), strict=True)
        )
        self.found.show(
            _patches(found, reach),
            f"Row {line}, column {column}. First the query, then its neighbours, nearest first: input above, "
            f"the net's output below it, the stored difference at the bottom. From {places}. Added to the "
            f"net's output: {found.trust:.2f} × their mean, the factor that served best inside the table for "
            "neighbours as far away.",
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
