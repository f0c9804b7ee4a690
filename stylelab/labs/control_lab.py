"""The lab of notebook 11: paint where each painting goes; the transfer goes on from the picture there is."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import ipywidgets as widgets
import torch
import torch.nn.functional as F
from torch import Tensor

from stylelab.errors import StylelabError
from stylelab.files import expanded, unused
from stylelab.labs.kit.base import Lab, Picture, code_line, controls, fold, row
from stylelab.labs.kit.choosing import Chooser, Chosen, with_uploads
from stylelab.labs.kit.drawing import plain
from stylelab.labs.kit.painting import Painted, Painting
from stylelab.labs.kit.worker import Run
from stylelab.networks.extractor import shared_extractor
from stylelab.networks.regions import segment
from stylelab.optimisation.published import RECIPES
from stylelab.optimisation.recipes import Recipe
from stylelab.optimisation.running import Step, optimise
from stylelab.pictures.loading import load_image
from stylelab.pictures.resampling import resize
from stylelab.pictures.samples import sample_names
from stylelab.pictures.saving import receipt, save_image

LARGEST = 1024  # pixels
RECIPE = RECIPES["quick"]
WEIGHTS = sorted({RECIPE.style_weight, 0.3, 0.5, 1.0, 2.0, 3.0, 8.0, 12.0, 20.0, 30.0, 50.0, 100.0})
ORDER = ("first painting", "second painting", "third painting")
LEFT = "left as it is"
_COLUMN = {"flex": "1 1 320px", "max_width": "576px", "overflow": "visible"}


@dataclass(frozen=True, eq=False)
class Settings:
    """The controls when something was asked for.

    photograph: what is painted on. paintings: of each region, None where it is left as it is. soft: see
    Painted.masks.
    """

    photograph: Chosen
    painted: Painted
    paintings: tuple[Chosen | None, ...]
    weight: float
    soft: int

    @property
    def regions(self) -> dict[Chosen, list[int]]:
        """The numbers of the regions that each painting is laid on, of those that have any paint."""
        found: dict[Chosen, list[int]] = {}
        for number, (share, painting) in enumerate(
            zip(self.painted.shares(), self.paintings, strict=True), 1
        ):
            if share and painting is not None:
                found.setdefault(painting, []).append(number)
        return found

    @property
    def masks(self) -> list[Tensor]:
        """Where each of them is laid on, in the same order: (1, 1, H, W) in [0, 1]."""
        each = self.painted.masks(self.soft)
        together = (torch.cat([each[n - 1] for n in numbers]) for numbers in self.regions.values())
        return [masks.sum(0, keepdim=True).clamp(max=1) for masks in together]

    @property
    def recipe(self) -> Recipe:
        """That of a run from the beginning."""
        return RECIPE.replace(size=max(self.painted.regions.shape), style_weight=self.weight)

    def code(self, file: str) -> str:
        """The line of code that makes the same picture. file: its name, which its masks' begin with."""
        name, size = self.photograph.name, self.recipe.size
        paintings = [painting.name for painting in self.regions]
        if not paintings:
            return with_uploads(f"stylelab.load_image({name!r}, {size})", self.photograph)
        style = paintings[0] if len(paintings) == 1 else [(painting, 1) for painting in paintings]
        weight = f", style_weight={self.weight!r}" if self.weight != RECIPE.style_weight else ""
        masks = [mask_of(Path(file), n).name for n in range(1, len(paintings) + 1)]
        words = f"{name!r}, {style!r}, {RECIPE.name!r}, size={size}{weight}, masks={masks!r}"
        saved = "# Save writes the masks too\n"
        return with_uploads(f"{saved}stylelab.transfer({words})", self.photograph, *self.regions)


def control(
    size: int = 256, content: str = "pagoda", styles: Sequence[str] = ("starry_night", "brick", "watercolour")
) -> "ControlLab":
    """The lab of regions; see ControlLab.

    size: longest side in pixels at first. content: a sample. styles: three samples, the paintings at first.
    """
    return ControlLab(size, content, styles)


class ControlLab(Lab):
    """A transfer whose paintings go where they are painted; `result` is the picture, (1, 3, H, W) in [0, 1].

    `painting` has the regions, and `painting.masks()` gives them. Once there was a Start, every change of
    paint or of what it stands for begins another run from the picture there is, until Stop is pressed.
    """

    def __init__(self, size: int, content: str, styles: Sequence[str]) -> None:
        super().__init__()
        self._live = False
        self._made: tuple[Settings, bool] | None = (
            None  # what made the result, and whether it went on from another
        )
        self.photograph = Chooser(self, "photograph", content, sample_names("content"), thumbnails=True)
        self.paintings = [
            Chooser(self, label, name, sample_names("style"))
            for label, name in zip(ORDER, styles, strict=True)
        ]
        self.size = widgets.IntSlider(value=size, min=64, max=LARGEST, step=32, description="size (pixels)")
        self.weight = widgets.SelectionSlider(
            options=[(plain(w), w) for w in WEIGHTS], value=RECIPE.style_weight, description="style weight"
        )
        self.soft = widgets.IntSlider(value=2, min=0, max=24, description="soft edge (pixels)")
        self.regions = [
            widgets.Dropdown(options=[*ORDER, LEFT], value=value, description=f"on region {n}")
            for n, value in enumerate((*ORDER[:2], LEFT, LEFT), 1)
        ]
        for n, region in enumerate(self.regions, 1):
            region.add_class(f"stylelab-region-{n}")
        self.file = widgets.Text("control.png", description="save as", continuous_update=False)
        self.save = self.button("Save", self._save, "write the picture on the screen and its masks to files")
        self.said, self.line = (widgets.HTML(layout={"margin": "0 4px"}) for _ in range(2))
        suggest = self.button(
            "Suggest regions", self._look_for_regions, "fill the picture with regions that look alike"
        )
        self._drawn = self.photograph.value
        photograph = self._drawn.image(size)
        self.painting = Painting(self, self._drawn.name, photograph, buttons=(suggest,))
        self.picture = Picture(560, 320)

        for control in (self.painting, *self.regions, *self.paintings, self.weight, self.soft):
            self.on(control, self._go_on)
        for control in (self.photograph, self.size):
            self.on(control, self._choose)
        self.on(self.file, self._tell)
        self.build(
            (
                self.photograph,
                *self.paintings[:2],
                controls(*self.regions, self.weight),
                self.run_controls(self._begin),
                row(self.save, self.said),
            ),
            (
                row(
                    widgets.VBox([self.painting, self.painting.tools], layout=_COLUMN),
                    widgets.VBox([self.picture], layout=_COLUMN),
                ),
            ),
            fold(
                "More: size, soft edges, a third painting, the file's name",
                controls(self.size, self.soft, self.file),
                self.paintings[2],
            ),
            fold("Your own pictures", *(chooser.own for chooser in (self.photograph, *self.paintings))),
            self.line,
        )
        self._show_photograph(photograph)
        self.later(self._load_network)

    def settings(self) -> Settings:
        """The controls as they stand."""
        chosen = dict(zip(ORDER, (chooser.value for chooser in self.paintings), strict=True))
        paintings = tuple(chosen.get(region.value) for region in self.regions)
        weight, soft = self.weight.value, self.soft.value
        return Settings(self._drawn, self.painting.value, paintings, weight, soft)

    # The run ---------------------------------------------------------------------------------------------

    def begin(self, run: Run) -> None:
        """Starts a run in the place of the one there may be; from now on, changes begin others."""
        self._live, self.said.value = True, ""
        super().begin(run)

    def _halt(self) -> None:
        self._live = False
        super()._halt()

    def _begin(self, asked: Settings) -> Run:
        if not asked.regions:
            raise StylelabError(
                "no region has a painting: paint one on the photograph, or press Suggest regions; "
                "then choose its painting"
            )
        return self._paint(asked)

    def _go_on(self) -> None:
        """Another run, from the picture there is, once there was one."""
        self._tell()
        if self._live and self.settings().regions:
            self.begin(self._paint(self.settings(), continued=True))

    def _paint(self, asked: Settings, continued: bool = False) -> Run:
        start = self.result if continued else None
        recipe = asked.recipe if start is None else asked.recipe.replace(scales=(1.0,))
        photograph = asked.painted.photograph
        paintings = [(load_image(painting.source), 1.0) for painting in asked.regions]
        masks = [(mask, None) for mask in asked.masks]
        title = f"{asked.painted.name}: {_placed(asked)}"
        height, width = photograph.shape[-2:]

        def show(step: Step, final: bool) -> None:
            image = step.image.cpu()
            if image.shape != photograph.shape:
                image = resize(image, (height, width)).clamp(0, 1)
            self.result, self._made = image, (asked, start is not None)
            self.picture.show(
                image, f"{title}; step {step.index} of {step.steps}, {step.size} pixels.", final
            )

        steps = optimise(photograph, paintings, recipe, masks=masks, init=start)
        yield from self.follow(steps, recipe, show)

    def _load_network(self, asked: Settings) -> None:
        """Before anybody presses Start: reading the weights takes a second or two."""
        shared_extractor(RECIPE.network, RECIPE.weights, RECIPE.pooling, RECIPE.padding)

    # What is chosen --------------------------------------------------------------------------------------

    def _choose(self) -> None:
        """Shows another photograph, or the same at another size; a run with the last one is over."""
        self._live = False
        if self.running:
            self._halt()
        self.later(self._draw_photograph, (self.photograph.value, self.size.value))

    def _draw_photograph(self, chosen: tuple[Chosen, int]) -> None:
        photograph, size = chosen
        image, before = photograph.image(size), self.painting.regions
        same, self._drawn = photograph == self._drawn, photograph
        regions = None
        if same:  # it keeps its paint
            shape = (image.shape[-2], image.shape[-1])
            regions = F.interpolate(torch.from_numpy(before.copy())[None, None], shape, mode="nearest-exact")[
                0, 0
            ]
        self.painting.put(photograph.name, image, regions)
        self._show_photograph(image)

    def _show_photograph(self, image: Tensor) -> None:
        self.result = self._made = None
        name = self._drawn.name
        self.picture.show(image, f"{name}, before the first step: paint regions on it, and press Start.")
        self._tell()

    def _look_for_regions(self) -> None:
        self.said.value = "looking for regions …"
        self.later(self._suggest)

    def _suggest(self, asked: Settings) -> None:
        try:
            found = segment(asked.painted.photograph, len(self.regions))
            self.painting.fill(torch.cat(found).argmax(0)[0] + 1)
        finally:
            self.said.value = ""

    def _tell(self) -> None:
        self.line.value = code_line(self.settings().code(self.file.value))

    def _save(self) -> None:
        """Writes the picture, and the masks of its paintings beside it."""
        self.said.value = ""
        if self.result is None or self._made is None:
            raise StylelabError("there is no picture yet; press Start first")
        asked, continued = self._made
        styles = [(Path(painting.name).name, 1.0) for painting in asked.regions]
        made = receipt(Path(asked.photograph.name).name, styles, asked.recipe, continued=continued)
        path = save_image(self.result, unused(expanded(self.file.value)), made | {"masked": True})
        written = [path]
        for number, mask in enumerate(asked.masks, 1):
            written.append(save_image(mask, unused(mask_of(path, number))))
        self.said.value = html.escape(f"saved {', '.join(file.name for file in written)}")


def mask_of(picture: Path, number: int) -> Path:
    """Where the mask of a picture's painting of that number, from 1 on, is kept."""
    return picture.with_name(f"{picture.stem}_mask_{number}.png")


def _placed(asked: Settings) -> str:
    """ "starry_night on region 1, brick on regions 2 and 3"."""
    words = []
    for painting, numbers in asked.regions.items():
        which = " and ".join(", ".join(map(str, numbers)).rsplit(", ", 1))
        words.append(f"{painting.name} on region{'s' if len(numbers) > 1 else ''} {which}")
    return ", ".join(words)
