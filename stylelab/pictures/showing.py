"""Pictures inside HTML, for what shows itself at the end of a notebook's cell."""

import io
from base64 import b64encode
from html import escape

from torch import Tensor

from stylelab.pictures.saving import to_pil


def picture_tag(image: Tensor, alternative: str, attributes: str = "") -> str:
    """An <img> that holds the image (1, 3 or 1, H, W) as JPEG; alternative: for those who cannot see it."""
    buffer = io.BytesIO()
    to_pil(image).save(buffer, "JPEG", quality=90)
    data = b64encode(buffer.getvalue()).decode()
    return f'<img src="data:image/jpeg;base64,{data}" alt="{escape(alternative)}" {attributes}>'
