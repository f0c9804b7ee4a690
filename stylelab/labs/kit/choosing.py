"""How a lab is given a picture: by a sample's name, a path, and in one lab a gallery and an upload."""

import base64
import itertools
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

import ipywidgets as widgets
import traitlets
from torch import Tensor

from stylelab.errors import ImageError
from stylelab.labs.kit.base import Lab
from stylelab.labs.kit.drawing import encode
from stylelab.pictures.loading import load_image
from stylelab.pictures.samples import sample_names

# What the page sends in the stead of a larger upload, and from how many bytes on: as in touchable.js.
MOST_BYTES = 9_900_000
TOO_LARGE = b"stylelab: not sent, its bytes are "
_numbers = itertools.count()


class Chosen(NamedTuple):
    """A picture that was chosen: its name, and what load_image takes."""

    name: str
    source: str | bytes

    def image(self, size: int, grey: bool = False) -> Tensor:
        """The picture, (1, 3 or, in grey, 1, H, W), at most `size` pixels long."""
        return load_image(self.source, size, grey)


class Thumbnail(widgets.VBox):
    """A button that looks like a picture, with its name written at its foot. `mark` ticks it."""

    def __init__(
        self, picture: bytes, label: str, action: Callable[[], None], size: tuple[int, int] = (108, 81)
    ) -> None:
        kind, self.label = f"stylelab-thumbnail-{next(_numbers)}", label
        code = base64.b64encode(picture).decode()
        self.button = widgets.Button(
            tooltip=label, layout={"width": f"{size[0]}px", "height": f"{size[1]}px"}
        )
        self.button.add_class(kind)
        self.button.on_click(lambda _: action())
        style = widgets.HTML(
            f"<style>.{kind}.{kind} {{background: linear-gradient(transparent 55%, #000c), "
            f"url(data:image/jpeg;base64,{code}) center/cover; color: white; display: flex; padding: 2px; "
            "align-items: flex-end; justify-content: center; line-height: 18px; font-size: 12px}"
            f".{kind}.stylelab-marked {{outline: 3px solid #0072b2; outline-offset: -1px}}</style>",
            layout={"display": "none"},
        )
        self.mark(False)
        super().__init__([style, self.button], layout={"margin": "1px", "overflow": "visible"})

    def mark(self, marked: bool) -> None:
        """Ticks the thumbnail, or not."""
        self.button.description = f"✓ {self.label}" if marked else self.label
        (self.button.add_class if marked else self.button.remove_class)("stylelab-marked")


@lru_cache(maxsize=64)
def _small(name: str) -> bytes:
    return encode(load_image(name, 110))[0]


class Chooser(widgets.VBox):
    """A picture, chosen by name, by path or, with `thumbnails`, from a gallery or by an upload.

    lab: where complaints are shown. label: of the control. chosen: a sample's name, at first. names: the
    samples on offer. Its trait `value` is what was Chosen.
    """

    value = traitlets.Instance(Chosen)

    def __init__(
        self,
        lab: Lab,
        label: str,
        chosen: str,
        names: Sequence[str] | None = None,
        thumbnails: bool = False,
    ) -> None:
        self._lab = lab
        names = list(names or sample_names("content") + sample_names("style"))
        self.sample = widgets.Dropdown(options=names, value=chosen, description=label)
        self.path = widgets.Text(
            description="or a path", placeholder="holiday.jpg, then Enter", continuous_update=False
        )
        for control in (self.sample, self.path):
            control.style.description_width, control.layout.width = "128px", "340px"
        lab.on(self.sample, self._take_sample)
        lab.on(self.path, self._take_path)
        self.thumbnails: dict[str, Thumbnail] = {}
        fields: list[widgets.Widget] = [self.sample, self.path]
        rows: list[widgets.Widget] = []
        if thumbnails:
            self.thumbnails = {name: Thumbnail(_small(name), name, self._chooser_of(name)) for name in names}
            self.upload = widgets.FileUpload(
                accept="image/*", description="or upload (under 10 MB)", layout={"width": "340px"}
            )
            lab.on(self.upload, self._take_upload)
            self.upload.add_class("stylelab-upload")
            fields.append(self.upload)
            rows.append(widgets.HBox([*self.thumbnails.values()], layout={"flex_flow": "row wrap"}))
        rows.append(widgets.HBox(fields, layout={"flex_flow": "row wrap"}))
        super().__init__(rows, layout={"flex": "0 0 auto", "max_width": "100%"})
        self._take(chosen, chosen)

    def _chooser_of(self, name: str) -> Callable[[], None]:
        def choose() -> None:
            if self.sample.value == name:
                self._lab.act(lambda: self._take(name, name))
            self.sample.value = name

        return choose

    def _take(self, name: str, source: str | bytes) -> None:
        for label, thumbnail in self.thumbnails.items():
            thumbnail.mark(label == source)
        self.value = Chosen(name, source)

    def _take_sample(self) -> None:
        if self.sample.value is not None:
            self._take(self.sample.value, self.sample.value)

    def _take_path(self) -> None:
        path = self.path.value.strip()
        if path:
            load_image(path, 16)  # complains before anything is changed
            self._take(path, path)
            self.sample.value = None  # else the sample shown could not be chosen again

    def _take_upload(self) -> None:
        for upload in self.upload.value:
            name, data = upload["name"], bytes(upload["content"])
            size = len(data)
            if data.startswith(TOO_LARGE):
                size = int(data.removeprefix(TOO_LARGE))
            if size > MOST_BYTES:
                raise ImageError(
                    f"{name}: {size / 1e6:.1f} MB; an upload takes up to 9.9: give its path instead"
                )
            try:
                load_image(data, 16)
            except ImageError as error:
                raise ImageError(str(error).replace("the bytes given", name)) from error
            self._take(name, data)
