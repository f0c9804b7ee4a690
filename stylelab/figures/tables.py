"""Tables: numbers as text, and text with pictures in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import torch

from stylelab.pictures.showing import picture_tag


def text_table(
    rows: Mapping[str, Sequence[float | str]], columns: Sequence[str], title: str = "", form: str = ".1f"
) -> str:
    """Rows of numbers under their headings, as text to print.

    rows: {its name: one number or text a column}. columns: the headings. title: above the names. form: of
    the numbers, as format() takes it; a text stands as it is.
    """
    lines = [[title, *columns]]
    for name, values in rows.items():
        lines.append([name, *(v if isinstance(v, str) else format(v, form) for v in values)])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    aligned = [[name.ljust(widths[0]), *map(str.rjust, rest, widths[1:])] for name, *rest in lines]
    return "\n".join("   ".join(line) for line in aligned)


@dataclass(frozen=True, repr=False)
class PictureTable:
    """A table of text with a picture at the head of each row, that displays itself.

    images: (1, 3, H, W) each, or None where a row has none. columns: {heading: one text a row}; the first
    text is also the picture's alternative. caption: what to see in it. width: of the pictures, in CSS pixels.
    """

    images: Sequence
    columns: Mapping[str, Sequence[str]]
    caption: str = ""
    width: int = 150

    def __repr__(self) -> str:
        rows = [self.columns, *zip(*self.columns.values(), strict=True)]
        return "\n".join([*(" | ".join(row) for row in rows), self.caption])

    def _repr_html_(self) -> str:
        align = ' style="text-align: left; vertical-align: top"'
        illustrated = any(image is not None for image in self.images)
        heads = ("", *self.columns) if illustrated else self.columns
        lines = ["".join(f"<th{align}>{escape(name)}</th>" for name in heads)]
        for image, row in zip(self.images, zip(*self.columns.values(), strict=True), strict=True):
            cells = ["" if image is None else self._picture(image, row[0])] if illustrated else []
            cells += [escape(text).replace("\n", "<br>") for text in row]
            lines.append("".join(f"<td{align}>{cell}</td>" for cell in cells))
        body = "".join(f"<tr>{line}</tr>" for line in lines)
        return f"<table>{body}</table><p><em>{escape(self.caption)}</em></p>"

    def _picture(self, image: torch.Tensor, alternative: str) -> str:
        # JupyterLab squeezes the pictures of a table with much text to thumbnails of thumbnails.
        size = f'width="{self.width}" style="min-width: {self.width}px; max-width: none"'
        return picture_tag(image, alternative, size)
