"""How a lab writes the picture on its screen to a file."""

import html
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets
from torch import Tensor

from stylelab.errors import StylelabError
from stylelab.files import expanded, unused
from stylelab.labs.kit.base import Lab
from stylelab.pictures.saving import save_image


class Saver(widgets.HBox):
    """A button that writes the picture on the screen to a file, and beside it what became of that, `said`.

    lab: whose picture it is. name: of the file, at first; no file is replaced. picture: gives the image, and
    what its file is to remember of it; without it, `lab.result` is written. `file`, where the name stands, is
    for the lab to place.
    """

    def __init__(
        self, lab: Lab, name: str, picture: Callable[[], tuple[Tensor, dict[str, Any]]] | None = None
    ) -> None:
        self._lab, self._picture = lab, picture
        self.file = widgets.Text(name, description="save as", continuous_update=False)
        self.button = lab.button("Save", self._save, "write the picture on the screen to a file of that name")
        self.said = widgets.HTML(layout={"margin": "0 4px"})
        layout = {"flex_flow": "row wrap", "align_items": "flex-start"}
        super().__init__([self.button, self.said], layout=layout)

    def _save(self) -> None:
        self.said.value = ""
        image, settings = self._picture() if self._picture else (self._lab.result, None)
        if image is None:
            raise StylelabError("there is no picture yet")
        path = save_image(image, unused(expanded(self.file.value)), settings)
        self.said.value = html.escape(f"saved {path.name}")
