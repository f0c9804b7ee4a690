"""What a run of the lab of transfers is asked to do, in words and as a line of code; what came of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ipywidgets as widgets
from torch import Tensor

from stylelab.labs.kit.base import discard
from stylelab.labs.kit.choosing import Chosen, Thumbnail, with_uploads
from stylelab.labs.kit.drawing import encode, plain
from stylelab.optimisation.published import RECIPES
from stylelab.optimisation.recipes import Recipe
from stylelab.optimisation.running import Result
from stylelab.pictures.loading import load_image
from stylelab.pictures.resampling import resize

KEPT = 6  # last results


@dataclass(frozen=True)
class Order:
    """The settings: what a run is asked to do.

    styles: each with its weight. controls: by name, as they stood. continues: whether it goes on from the
    picture on the screen, which has the full size already.
    """

    content: Chosen
    styles: tuple[tuple[Chosen, float], ...]
    recipe: Recipe
    controls: dict[str, Any] = field(default_factory=dict, compare=False)
    continues: bool = False

    def names(self) -> tuple[str, tuple[tuple[str, float], ...]]:
        """What a receipt says of the pictures: their names, without folders, and each painting's weight."""
        styles = tuple((Path(chosen.name).name, weight) for chosen, weight in self.styles)
        return Path(self.content.name).name, styles

    def photograph(self) -> Tensor:
        """The photograph, (1, 3, H, W), at the recipe's size; enlarged for "fine", which is for printing."""
        return load_image(self.content.source, self.recipe.size, enlarge=self.recipe.name == "fine")

    def code(self) -> str:
        """The line of code that makes the same picture, and what must be there before."""
        names = [(name, weight) for (name, _), weight in self.styles]
        style = repr(names[0][0]) if len(names) == 1 else repr(names)
        base = RECIPES[self.recipe.name]
        changed = [n for n in self.recipe.__dataclass_fields__ if getattr(self.recipe, n) != getattr(base, n)]
        changed = [n for n in changed if n != "size" or base.name != "fine"]
        recipe = [repr(base.name)] if base.name != "default" else []
        content = repr(self.content.name)
        if base.name == "fine":
            content = f"stylelab.load_image({content}, {self.recipe.size}, enlarge=True)"
        words = [content, style, *recipe]
        words += [f"{name}={getattr(self.recipe, name)!r}" for name in changed]
        line = f"stylelab.transfer({', '.join(words)})"
        return with_uploads(line, self.content, *(chosen for chosen, _ in self.styles))

    def title(self) -> str:
        """What it makes of what, and how, in one line."""
        content, styles = self.names()
        recipe = self.recipe
        paintings = " and ".join(f"{name} ({w:.0%})" if len(styles) > 1 else name for name, w in styles)
        weight = plain(recipe.style_weight)
        return f"{content} like {paintings}; {recipe.name}, {recipe.size} px, style weight {weight}"

    def changes(self, before: "Order") -> list[str]:
        """What is different about it, in a few words each: ["cat", "style weight 20"]."""
        new, old = self.recipe, before.recipe
        words = {
            "size": f"{new.size} px",
            "style_weight": f"style weight {plain(new.style_weight)}",
            "tv_weight": f"total variation {new.tv_weight:.3g}",
            "colours": f"colours {new.colours or 'as painted'}",
            "steps": f"{sum(new.steps)} steps",
        }
        content, styles = self.names()
        found = [content] if self.content != before.content else []
        if self.styles != before.styles:
            found.append(f"like {' and '.join(name for name, _ in styles)}")
            if len(styles) > 1:
                found[-1] += f" ({', '.join(f'{weight:.0%}' for _, weight in styles)})"
        if new.name != old.name:
            found.append(f"recipe {new.name}")
        return found + [says for name, says in words.items() if getattr(new, name) != getattr(old, name)]


@dataclass(frozen=True)
class Shown:
    """What is on the screen, and by whose order: nobody's, where it is the photograph alone.

    after is before as long as nothing is painted.
    """

    order: Order | None
    before: Tensor
    after: Tensor


@dataclass(frozen=True)
class Kept:
    """A result to go back to, and what it was made by."""

    order: Order
    result: Result


class Strip(widgets.HBox):
    """The last results as thumbnails, each with what is different about it.

    go_back: called with the Kept that is clicked.
    """

    def __init__(self, go_back: Callable[[Kept], None]) -> None:
        super().__init__(layout={"flex_flow": "row wrap", "overflow": "visible"})
        self._go_back = go_back
        self._thumbnails: list[tuple[Order, Thumbnail]] = []

    def add(self, kept: Kept) -> None:
        """Puts a result at the end, and forgets the first where there are too many."""
        order, result = kept.order, kept.result
        before = self._thumbnails[-1][0] if self._thumbnails else None
        different = order.changes(before) if before else [f"{order.recipe.size} px"]
        label = ", ".join(different or ["the same again"])
        if result.interrupted:
            label += f", stopped at {len(result.history)}"
        small = encode(resize(result.image, 140))[0]
        made = Thumbnail(small, lambda: self._go_back(kept), label, order.title(), size=(132, 99))
        self._thumbnails.append((order, made))
        self.children = tuple(thumbnail for _, thumbnail in self._thumbnails[-KEPT:])
        for _, forgotten in self._thumbnails[:-KEPT]:
            discard(forgotten)
        del self._thumbnails[:-KEPT]
        self.mark(order)

    def mark(self, shown: Order | None) -> None:
        """Ticks the results of this very order."""
        for order, thumbnail in self._thumbnails:
            thumbnail.mark(order is shown)
