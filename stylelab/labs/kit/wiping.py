"""A picture with the one it was made from to its left, up to a line that is moved."""

import ipywidgets as widgets
from torch import Tensor

from stylelab.labs.kit.base import Lab, Picture
from stylelab.labs.kit.touchable import Touch
from stylelab.pictures.resampling import resize


class Wiped(Picture):
    """A Picture that shows two: left of a line the first, right of it the second.

    lab: whose it is. width, least: see Picture. `wipe`, a slider, says where the line is, 0 to 1; a drag on
    the picture moves it too.
    """

    def __init__(self, lab: Lab, width: int, least: int) -> None:
        super().__init__(width, least)
        self.lab = lab
        self.wipe = widgets.FloatSlider(value=0, min=0, max=1, step=0.01, description="before | after")
        self._both: tuple[Tensor, Tensor, str, bool] | None = None
        lab.on(self.wipe, lambda: lab.later(self._draw, self.wipe.value))
        lab.on_touch(self, self._wipe_to, "ew-resize")

    def show_both(self, before: Tensor, after: Tensor, says: str, final: bool = False) -> Tensor:
        """Shows two pictures, (1, C, H, W) in [0, 1]. says, final: see Picture. Returns the second as shown.

        The second is resized to the first.
        """
        if after.shape != before.shape:
            after = resize(after, (before.shape[-2], before.shape[-1])).clamp(0, 1)
        self._both = before, after, says, final
        self._draw(self.wipe.value)
        return after

    def _wipe_to(self, touch: Touch) -> None:
        self.wipe.value = round(touch.x, 2)

    def _draw(self, wipe: float) -> None:
        if self._both is None:
            return
        before, picture, says, final = self._both
        edge = 0 if picture is before else round(wipe * picture.shape[-1])
        if edge:
            picture = picture.clone()
            picture[..., :edge] = before[..., :edge]
            picture[..., max(0, edge - 1) : edge] = 1.0
            says += f"; the left {wipe:.0%} is the photograph"
        self.show(picture, f"{says}.", final and not edge)
