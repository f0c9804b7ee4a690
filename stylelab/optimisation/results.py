"""What a transfer gives, step by step and in the end; both show themselves in a notebook."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

from torch import Tensor

from stylelab.optimisation.recipes import Recipe
from stylelab.pictures.saving import receipt, save_image
from stylelab.pictures.showing import picture_tag


class _Shown:
    """Displays its image with one line of figures below it."""

    image: Tensor

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        tag = picture_tag(self.image, repr(self), 'style="max-width: 100%"')
        return {"text/html": f"{tag}<br><em>{escape(repr(self))}</em>", "text/plain": repr(self)}


@dataclass(frozen=True, repr=False)
class Step(_Shown):
    """One evaluation of the objective.

    index: from 1 to steps, which counts all scales. size: longest side of the image in pixels at this scale.
    image: (1, 3, H, W) in [0, 1], the picture whose losses these are. terms: the loss of each term and the
    total, a tensor; names: what they are called. seconds: since the start; on a GPU until the step was asked
    for, not until it was done.
    """

    index: int
    steps: int
    size: int
    image: Tensor
    terms: Tensor
    names: tuple[str, ...]
    seconds: float

    @property
    def losses(self) -> dict[str, float]:
        """Content, style, tv and what was added, unweighted, and the minimised total.

        Reading them waits for the device.
        """
        return dict(zip(self.names, self.terms.tolist(), strict=True))

    def __repr__(self) -> str:
        return f"Step {self.index} of {self.steps}, {self.size} px: {_told(self.losses)}"


@dataclass(frozen=True, repr=False)
class Result(_Shown):
    """What a transfer made.

    image: (1, 3, H, W) in [0, 1], on the CPU. history: each step's losses, in order. recipe: the settings,
    with the network that was in fact used. seconds: the whole time. interrupted: whether it was stopped
    before its last step. content, styles, seed: what it was made of, by name, a painting with its weight; no
    name is "picture". start_given: whether it started from a picture of yours instead of the recipe's.
    masked: whether masks said where each painting is laid on; they are not kept.
    """

    image: Tensor
    history: list[dict[str, float]]
    recipe: Recipe
    seconds: float
    interrupted: bool
    content: str = "picture"
    styles: tuple[tuple[str, float], ...] = (("picture", 1.0),)
    seed: int = 0
    start_given: bool = False
    masked: bool = False

    def save(self, path: str | Path) -> Path:
        """Writes the picture with its settings inside, which read_settings and `--recipe` find again.

        path: ends in .png, .jpg or .webp. Returns it. Raises ImageError where it cannot be written.
        """
        return save_image(self.image, path, self.settings())

    def settings(self) -> dict:
        """What made the picture, as it is saved with it."""
        # A tensor has a size of its own, which the picture made again must have too.
        recipe = self.recipe.of_size(*self.image.shape[-2:])
        made = receipt(self.content, self.styles, recipe, self.seed, self.start_given)
        made |= {"masked": True} if self.masked else {}
        return made | ({"stopped_after": len(self.history)} if self.interrupted else {})

    def __repr__(self) -> str:
        height, width = self.image.shape[-2:]
        ended = f"stopped after {len(self.history)}" if self.interrupted else f"{len(self.history)}"
        return f"{width} × {height} px, {ended} steps in {self.seconds:.1f} s: {_told(self.history[-1])}"


def source_name(source) -> str:
    """What a picture is called in a receipt: a sample or a file by its name, without its folder."""
    return Path(source).name if isinstance(source, str | Path) else "picture"


def _told(losses: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.3g}" for name, value in losses.items() if value)
