"""The progress of a transfer as pictures in a folder, and as an animated GIF."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from torch import Tensor

from stylelab.errors import ImageError, StylelabError
from stylelab.files import atomic_write, expanded
from stylelab.pictures.resampling import resize
from stylelab.pictures.saving import save_image, to_pil

GIF_SIZE = 480
PAUSE, LAST_PAUSE = 120, 2000  # milliseconds


class Snapshots:
    """A callback for `transfer` that saves step_0001.png and so on, all of the result's shape.

    folder: exists. shape: the result's (height, width). steps: how many the transfer has. count: save at
    most so many of them; the last is always one, from two on the first too, and they are close together at
    first, when most happens. Raises StylelabError for a count under 1.
    """

    def __init__(self, folder: str | Path, shape: Sequence[int], steps: int, count: int = 24) -> None:
        self.folder, self.shape = expanded(folder), (shape[0], shape[1])
        if count < 1:
            raise StylelabError(f"count {count}: save 1 picture or more")
        gaps = max(1, count - 1)
        self.wanted = {1 + round((steps - 1) * (k / gaps) ** 2) for k in range(gaps + 1)[-count:]}
        self.frames: dict[int, Image.Image] = {}

    def __call__(self, step) -> None:
        """Saves the image of a Step, if it is one of the wanted."""
        if step.index in self.wanted:
            self.add(step.image, step.index)

    def add(self, image: Tensor, index: int) -> None:
        """Saves an image, (1, 3, H, W) of any size, as that of step `index`, unless there is one."""
        if index in self.frames:
            return
        image = resize(image, self.shape)
        save_image(image, self.folder / f"step_{index:04d}.png")
        self.frames[index] = to_pil(resize(image, min(GIF_SIZE, max(self.shape))))

    def animate(self, name: str = "progress.gif") -> Path:
        """Writes the pictures so far as one GIF, 480 pixels at most, that loops and rests on the last.

        Raises ImageError where there is none yet, or the disk refuses.
        """
        if not self.frames:
            raise ImageError(f"{name}: no picture has been taken yet; run the transfer first")
        first, *others = self.frames.values()
        pauses = [PAUSE] * len(others) + [LAST_PAUSE]
        path = self.folder / name
        with atomic_write(path, ImageError) as part:
            first.save(part, "GIF", save_all=True, append_images=others, duration=pauses, loop=0)
        return path
