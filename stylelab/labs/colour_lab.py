"""The lab of notebook 04: a finished transfer in the photograph's colours, by each of the four methods."""

from dataclasses import dataclass
from pathlib import Path

import ipywidgets as widgets
from torch import Tensor

from stylelab.colour.distances import chroma_distance, clipped_share
from stylelab.colour.matching import COLOUR_METHODS, keep_colours, match_colours
from stylelab.errors import ImageError
from stylelab.labs.kit.base import Lab, Picture, controls, row
from stylelab.labs.kit.drawing import chroma_cloud
from stylelab.pictures.loading import load_image
from stylelab.pictures.samples import sample_names, sample_path


@dataclass(frozen=True)
class Settings:
    """The controls when something was asked for. transfer: of stored_transfers. strength: 0 to 1."""

    transfer: str
    method: str
    strength: float


def colour(size: int = 256) -> "ColourLab":
    """The lab of colours; see ColourLab. size: longest side in pixels of its pictures."""
    return ColourLab(size)


class ColourLab(Lab):
    """A stored transfer, recoloured; `result` is the recoloured picture, (1, 3, H, W) in [0, 1].

    "luminance" is applied to a result anyhow; the other methods, which a transfer applies to the painting
    before it starts, are here applied to the result in its stead, which shows the same colours at once.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self._pictures: dict[str, tuple[Tensor, Tensor]] = {}
        self._recoloured: dict[tuple[str, str], Tensor] = {}
        self._given = ""
        self.transfer = widgets.Dropdown(options=stored_transfers(), description="transfer")
        self.method = widgets.Dropdown(options=COLOUR_METHODS, description="method")
        self.strength = widgets.FloatSlider(value=1, min=0, max=1, step=0.05, description="strength")
        self.photograph, self.before, self.after = (Picture(330, 130, "25vh") for _ in range(3))
        self.clouds = [Picture(330, 130, "25vh") for _ in range(3)]
        for control in (self.transfer, self.method, self.strength):
            self.on(control, lambda: self.later(self._draw))
        self.build(
            (controls(self.transfer, self.method, self.strength),),
            (row(self.photograph, self.before, self.after), row(*self.clouds)),
        )
        self.later(self._draw)

    def settings(self) -> Settings:
        """The controls as they stand."""
        return Settings(self.transfer.value, self.method.value, self.strength.value)

    def _draw(self, asked: Settings) -> None:
        key, method = asked.transfer, asked.method
        content = _names(key)[0]
        if key not in self._pictures:
            stylised = load_image(_folder() / f"{key}.jpg", self.size)
            self._pictures[key] = load_image(content, self.size), stylised
        photograph, stylised = self._pictures[key]
        if (key, method) not in self._recoloured:
            recolour = keep_colours if method == "luminance" else match_colours
            self._recoloured[key, method] = recolour(stylised, photograph, method, clip=False)
        mixed = stylised.lerp(self._recoloured[key, method], asked.strength)
        self.result = mixed.clamp(0, 1)
        self.after.show(
            self.result,
            f"Recoloured: {method}, strength {asked.strength:.2f}. "
            f"{clipped_share(mixed):.1%} of the pixels were clipped.",
        )
        distance = chroma_distance(_thin(self.result), _thin(photograph))
        self.clouds[2].show(
            chroma_cloud(self.result),
            f"Chroma of the recoloured picture; {distance:.3f} from the photograph's (0: the same).",
        )
        if self._given != key:
            self._given = key
            self._show_given(key)

    def _show_given(self, key: str) -> None:
        """The two pictures that no slider changes, and their clouds."""
        content, style = _names(key)
        photograph, stylised = self._pictures[key]
        self.photograph.show(photograph, f"Photograph: {content}.")
        self.before.show(stylised, f"Stored transfer {key}: {content} painted like {style}.")
        self.clouds[0].show(
            chroma_cloud(photograph), f"Chroma of {content}: U to the right, V upwards, grey in the middle."
        )
        distance = chroma_distance(_thin(stylised), _thin(photograph))
        self.clouds[1].show(
            chroma_cloud(stylised), f"Chroma of the transfer; {distance:.3f} from the photograph's."
        )


def stored_transfers() -> list[str]:
    """The names of the finished transfers that come with the course, as "dahlia_starry_night"."""
    contents = tuple(f"{name}_" for name in sample_names("content"))
    found = sorted(file.stem for file in _folder().glob("*.jpg") if file.stem.startswith(contents))
    if not found:
        raise ImageError(
            f"the finished transfers are missing from {_folder()}; make them with data/make_results.py"
        )
    return sorted(found, key=lambda name: name != "dahlia_starry_night")


def _folder() -> Path:
    return sample_path("astronaut").parents[1] / "results"


def _names(key: str) -> tuple[str, str]:
    content = next(name for name in sample_names("content") if key.startswith(f"{name}_"))
    return content, key.removeprefix(f"{content}_")


def _thin(image: Tensor) -> Tensor:
    """Every fourth row and column: enough for a distance of colours, and soon sorted."""
    return image[..., ::4, ::4]
