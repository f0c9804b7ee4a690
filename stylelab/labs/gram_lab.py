"""The lab of notebook 01: what a Gram matrix keeps of a picture, and what it forgets."""

from collections.abc import Sequence
from dataclasses import dataclass

import ipywidgets as widgets
import torch
from torch import Tensor

from stylelab.errors import StylelabError
from stylelab.labs.kit.base import Lab, Picture, controls, fold, row
from stylelab.labs.kit.choosing import Chooser, Chosen
from stylelab.labs.kit.drawing import enlarge, heat_map, plain
from stylelab.labs.kit.worker import Run
from stylelab.losses.distances import squared_distance
from stylelab.losses.gram import gram_matrix
from stylelab.networks.extractor import shared_extractor
from stylelab.networks.layers import RELU_1_TO_5, RELUS
from stylelab.optimisation.recipes import Recipe
from stylelab.optimisation.running import optimise
from stylelab.seeds import noise


@dataclass(frozen=True)
class Settings:
    """The controls when something was asked for. steps, layers: of the texture."""

    first: Chosen
    second: Chosen
    layer: str
    shuffle: bool
    steps: int
    layers: tuple[str, ...]


def gram(size: int = 192, texture: int = 128) -> "GramLab":
    """The lab of Gram matrices; see GramLab. size, texture: longest sides, in pixels."""
    return GramLab(size, texture)


class GramLab(Lab):
    """A picture and a layer give a Gram matrix; shuffling positions, comparing, making textures from it.

    `matrix` is the one shown, (1, C, C); `result` the texture, (1, 3, H, W), once there is one.
    """

    def __init__(self, size: int, texture: int) -> None:
        super().__init__()
        self.size, self.side = size, texture
        self.matrix: Tensor | None = None
        self._maps: dict[Chosen, dict[str, Tensor]] = {}
        self.first = Chooser(self, "picture", "starry_night")
        self.second = Chooser(self, "compared with", "brick")
        self.layer = widgets.SelectionSlider(options=RELUS, value="relu3_1", description="layer")
        self.shuffle = widgets.Checkbox(False, description="shuffle the positions")
        self.steps = widgets.IntSlider(value=60, min=10, max=200, step=10, description="steps")
        self.layers = {n: widgets.Checkbox(True, description=n, indent=False) for n in RELU_1_TO_5}
        for box in self.layers.values():
            box.layout.width = "90px"
        self.seen, self.heat, self.other, self.made = (Picture(300, 200, "25vh") for _ in range(4))
        for control in (self.first, self.second, self.layer, self.shuffle):
            self.on(control, lambda: self.later(self._draw))
        self.build(
            (
                self.first,
                self.second,
                controls(self.layer, self.shuffle),
                widgets.HTML("a texture of the picture, from the layers", layout={"margin": "0 4px"}),
                row(*self.layers.values()),
                self.run_controls(self._synthesise),
            ),
            (row(self.seen, self.heat), row(self.other, self.made)),
            fold(
                "More: steps of the texture, your own pictures",
                controls(self.steps),
                self.first.own,
                self.second.own,
            ),
        )
        self.made.show(torch.full((1, 3, texture, texture), 0.93), "Texture: press Start to make one.")
        self.later(self._draw)

    def settings(self) -> Settings:
        """The controls as they stand."""
        return Settings(
            self.first.value,
            self.second.value,
            self.layer.value,
            self.shuffle.value,
            self.steps.value,
            tuple(name for name, box in self.layers.items() if box.value),
        )

    def _features(self, picture: Chosen, layer: str) -> dict[str, Tensor]:
        """ReLU maps of a picture, cropped to whole pieces of the deepest layer; kept while shown.

        For a new picture only as deep as it is looked at, so that it is there at once; all if that changes.
        """
        known = self._maps.get(picture)
        if known is None or layer not in known:
            image = picture.image(self.size)
            height, width = (side // 16 * 16 for side in image.shape[-2:])
            if not (height and width):
                raise StylelabError(f"{picture.name}: too narrow at {self.size} pixels; choose a squarer one")
            image = image[..., :height, :width]
            with torch.no_grad():
                wanted = RELUS if known else RELUS[: RELUS.index(layer) + 1]
                self._maps[picture] = {"image": image, **shared_extractor()(image, wanted)}
        return self._maps[picture]

    def _draw(self, asked: Settings) -> None:
        layer, name = asked.layer, asked.first.name
        self._maps = {k: maps for k, maps in self._maps.items() if k in (asked.first, asked.second)}
        mine, theirs = self._features(asked.first, layer), self._features(asked.second, layer)
        target = self._gram(theirs, layer)
        image, matrix = mine["image"], self._gram(mine, layer)
        says = f"{name}, {image.shape[-1]} × {image.shape[-2]} pixels"
        if asked.shuffle:
            features = mine[layer]
            order = torch.randperm(features[0, 0].numel(), generator=torch.Generator().manual_seed(0))
            image = _pieces(image, order, features.shape[-2:])
            before, matrix = matrix, gram_matrix(features.flatten(2)[..., order].view_as(features))
            change = squared_distance(matrix, before, "relative").item()
            says += (
                f", its {len(order):,} positions at {layer} shuffled. Distance of the Gram matrix to the "
                f"one before: {change:.3f} (rounding leaves {change:.0e})"
            )
        self.matrix = matrix.cpu()
        self.seen.show(image, f"{says}.")
        # Few entries are large: their square roots show the others too.
        roots = matrix[0].clamp_min(0).sqrt()
        self.heat.show(
            heat_map(roots, 320, limits=(0, roots.quantile(0.99).item())),
            f"Gram matrix of {name} at {layer}: {matrix.shape[1]} × {matrix.shape[1]} channels, largest "
            f"entry {plain(matrix.max().item())}, by square roots; the top 1 % are yellow.",
        )
        distance = squared_distance(matrix, target, "relative").item()
        self.other.show(
            theirs["image"],
            f"{asked.second.name}. Distance of the two matrices at {layer}: {distance:.3f} (0 is equal).",
        )

    def _gram(self, maps: dict[str, Tensor], layer: str) -> Tensor:
        key = f"gram {layer}"
        if key not in maps:
            maps[key] = gram_matrix(maps[layer])
        return maps[key]

    def _synthesise(self, asked: Settings) -> Run:
        if not asked.layers:
            raise StylelabError("no layer is ticked; a texture needs at least one")
        weights = dict.fromkeys(asked.layers, 1 / len(asked.layers))
        recipe = Recipe(
            content_layers={}, style_layers=weights, tv_weight=0, init="noise", detail=0.0
        ).replace(size=self.side, scales=(0.5, 1.0), steps=(2, 1), style_factors=(1.0, 1.0))
        recipe = recipe.replace(steps=asked.steps)
        canvas, name = noise((1, 3, self.side, self.side)), asked.first.name
        self.made.show(canvas, f"Texture of {name}: noise, before the first step.")

        def show(step, final: bool) -> None:
            self.result = step.image.cpu()
            self.made.show(
                enlarge(self.result, self.side),
                f"Texture of {name} from {', '.join(asked.layers)}: step {step.index} of {step.steps}, "
                f"style loss {step.losses['style']:.4f}.",
                final,
            )

        yield from self.follow(optimise(canvas, asked.first.image(self.size), recipe), recipe, show)


def _pieces(image: Tensor, order: Tensor, shape: Sequence[int]) -> Tensor:
    """The picture cut into as many pieces as a feature map has positions, in another order."""
    rows, columns = shape
    high, wide = image.shape[-2] // rows, image.shape[-1] // columns
    pieces = image.view(3, rows, high, columns, wide).permute(1, 3, 0, 2, 4).flatten(0, 1)[order]
    return pieces.view(rows, columns, 3, high, wide).permute(2, 0, 3, 1, 4).reshape(image.shape)
