"""How a lab is given a picture: by a sample's name or face, a path, or an upload."""

import base64
import html
import itertools
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

import ipywidgets as widgets
import traitlets
from torch import Tensor

from stylelab.errors import ImageError, StylelabError, unknown
from stylelab.labs.kit.base import Lab, complaint_line, controls
from stylelab.labs.kit.drawing import encode
from stylelab.pictures.loading import load_image
from stylelab.pictures.samples import sample_names

# What the page sends in the stead of a larger upload, and from how many bytes on: as in touchable.js.
MOST_BYTES = 9_900_000
TOO_LARGE = b"stylelab: not sent, its bytes are "
# What the nets of the labs learn from, but for the one that is tested; with more, a lab would answer later.
TRAINED_ON = ("astronaut", "cat", "coffee", "rocket")
_numbers = itertools.count()


class Chosen(NamedTuple):
    """A picture that was chosen: its name, and what load_image takes."""

    name: str
    source: str | bytes

    def image(self, size: int, grey: bool = False) -> Tensor:
        """The picture, (1, 3 or, in grey, 1, H, W), at most `size` pixels long."""
        return load_image(self.source, size, grey)


def with_uploads(code: str, *pictures: Chosen) -> str:
    """Code that names pictures, below a line about those that were uploaded, which are no files there."""
    uploads = dict.fromkeys(chosen.name for chosen in pictures if isinstance(chosen.source, bytes))
    if not uploads:
        return code
    files = "a copy of the file you" if len(uploads) == 1 else "copies of the files you"
    return f"# first put {files} uploaded beside the notebook: {', '.join(uploads)}\n{code}"


class Thumbnail(widgets.VBox):
    """A button that looks like a picture. `mark` ticks it.

    label: written over its foot. name: what it is called where nothing is written.
    """

    def __init__(
        self,
        picture: bytes,
        action: Callable[[], None],
        label: str = "",
        name: str = "",
        size: tuple[int, int] = (54, 42),
    ) -> None:
        kind = f"stylelab-thumbnail-{next(_numbers)}"
        code = base64.b64encode(picture).decode()
        self.button = widgets.Button(
            description=label,
            tooltip=name or label,
            layout={"width": f"{size[0]}px", "height": f"{size[1]}px", "margin": "1px"},
        )
        self.button.add_class(kind)
        if not label:
            self.button.add_class("stylelab-face")
        self.button.on_click(lambda _: action())
        shade = "linear-gradient(transparent 40%, #000d), " if label else ""
        style = widgets.HTML(
            f"<style>.{kind}.{kind} {{background: {shade}url(data:image/jpeg;base64,{code}) center/cover; "
            "color: white; display: flex; position: relative; padding: 2px; align-items: flex-end; "
            "justify-content: center; line-height: 14px; font-size: 12px; white-space: normal; "
            "text-shadow: 0 0 3px black}"
            f".{kind}.stylelab-marked {{outline: 3px solid #0072b2; outline-offset: -1px}}"
            f'.{kind}.stylelab-marked::after {{content: "✓"; position: absolute; top: 1px; right: 4px}}'
            "</style>",
            layout={"display": "none"},
        )
        super().__init__([style, self.button], layout={"overflow": "visible"})

    def mark(self, marked: bool) -> None:
        """Ticks the thumbnail, or not."""
        (self.button.add_class if marked else self.button.remove_class)("stylelab-marked")


@lru_cache(maxsize=64)
def _small(name: str) -> bytes:
    return encode(load_image(name, 110))[0]


class Chooser(widgets.VBox):
    """A picture, chosen by a sample's name, and with `thumbnails` by its face. `own` has what takes others.

    lab: where complaints are shown. label: of the control. chosen: a sample's name, at first. names: the
    samples on offer. Its trait `value` is what was Chosen. `own`, a path and an upload, is for the lab to
    place; a picture given there is from then on among those on offer, and the one that is chosen.
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
        if chosen not in names:
            raise ImageError(unknown(label, chosen, names, "stylelab.sample_names"))
        self._known = {name: Chosen(name, name) for name in names}
        self._showing = False
        self.sample = widgets.Dropdown(options=names, value=chosen, description=label)
        self.path = widgets.Text(
            description=f"{label}: path", placeholder="a file's name, then Enter", continuous_update=False
        )
        self.upload = widgets.FileUpload(
            accept="image/*",
            description=f"{label}: upload (under 10 MB)",
            tooltip="choose a picture of your own",
            layout={"width": "340px", "margin": "2px"},
        )
        self.upload.add_class("stylelab-upload")
        lab.on(self.sample, self._take_sample)
        lab.on(self.path, lambda: self._take_own(self._take_path))
        lab.on(self.upload, lambda: self._take_own(self._take_upload))
        self.said = widgets.HTML(layout={"margin": "0 4px"})
        fields = [controls(self.path, self.upload), self.said]
        self.own = widgets.VBox(fields, layout={"width": "100%", "overflow": "visible"})
        self.thumbnails: dict[str, Thumbnail] = {}
        if thumbnails:
            for name in names:
                self.thumbnails[name] = Thumbnail(_small(name), self._chooser_of(name), name=name)
        faces = widgets.HBox([*self.thumbnails.values()], layout={"flex_flow": "row wrap"})
        super().__init__([controls(self.sample), faces], layout={"overflow": "visible"})
        self.choose(self._known[chosen])

    def choose(self, chosen: Chosen) -> None:
        """Makes a picture the one that is chosen, whichever control says so."""
        label = f"{chosen.name} (uploaded)" if isinstance(chosen.source, bytes) else chosen.name
        self._known[label] = chosen
        self._showing = True  # new options set the menu to its first
        if label not in self.sample.options:
            self.sample.options = [*self._known]
        self.sample.value = label
        self._showing = False
        for name, thumbnail in self.thumbnails.items():
            thumbnail.mark(name == chosen.source)
        self.value = chosen

    def _chooser_of(self, name: str) -> Callable[[], None]:
        return lambda: self._lab.act(lambda: self.choose(self._known[name]))

    def _take_sample(self) -> None:
        if not self._showing:
            self.choose(self._known[self.sample.value])

    def _take_own(self, take: Callable[[], None]) -> None:
        """Takes a picture from a field of `own`, and says beside it what became of that."""
        self.said.value = ""
        try:
            take()
        except StylelabError as error:
            # What lists the samples is the menu; nobody is asked to call a function here.
            error.args = (re.sub(r" \(sample_names.*\)", "", str(error)),)
            self.said.value = complaint_line(str(error))
            raise
        self.said.value = f"✓ {html.escape(self.value.name)} is chosen"

    def _take_path(self) -> None:
        path = self.path.value.strip().strip("\"'")
        if path:
            load_image(path, 16)  # complains before anything is changed
            self.choose(Chosen(path, path))

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
            self.choose(Chosen(name, data))
