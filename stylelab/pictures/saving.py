"""Image tensors to files: whole or not at all, with the settings that made them inside."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, PngImagePlugin
from torch import Tensor

from stylelab import __version__
from stylelab.errors import ImageError
from stylelab.files import atomic_write, checked_target, expanded
from stylelab.pictures.decoding import check_size, open_picture
from stylelab.pictures.loading import picture_path
from stylelab.pictures.resampling import quantise

FORMAT = 2  # of receipts; those of 1 did not say so
_PNG_KEY = "stylelab"
_EXIF_DESCRIPTION = 0x010E
_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}


def save_image(image: Tensor, path: str | Path, settings: dict | None = None, quality: int = 92) -> Path:
    """Write one image to a .png, .jpg or .webp file, rounded to 8 bits; the whole file appears, or none.

    image: (1, C, H, W), C 1 or 3; clamped to [0, 1]. path: in a folder that exists; a file there is replaced.
    settings: what made the picture, JSON-able; read_settings gets it back (kept in a PNG text chunk, or in
    the EXIF description of a JPEG or WebP). quality: 1 to 100, of JPEG and WebP.
    Returns the path. Raises ImageError for another shape, values that are not finite, an unknown
    ending, a missing folder, a write-protected file or a disk that refuses.
    """
    path = writable_path(path)
    kind = _FORMATS[path.suffix.lower()]
    picture = to_pil(image)
    options = {} if kind == "PNG" else {"quality": quality}
    if kind == "JPEG":
        options["subsampling"] = 0
    if settings is not None:
        options |= _settings_options(kind, json.dumps(settings))
    with atomic_write(path, ImageError) as part:
        picture.save(part, format=kind, **options)
    return path


def writable_path(path: str | Path) -> Path:
    """The path, "~" expanded, if save_image can write there; to ask before a long computation.

    Raises ImageError for an unknown ending, a missing or protected folder, a folder of that name, or a
    write-protected file.
    """
    path = expanded(path)
    if path.suffix.lower() not in _FORMATS:
        raise ImageError(
            f"{path.name or 'an empty name'}: "
            + (f'cannot write "{path.suffix}" files; ' if path.suffix else "which kind of file? ")
            + "end the name in .png, .jpg or .webp"
        )
    return checked_target(path, ImageError)


def _settings_options(kind: str, text: str) -> dict:
    if kind == "PNG":
        chunks = PngImagePlugin.PngInfo()
        chunks.add_text(_PNG_KEY, text)
        return {"pnginfo": chunks}
    exif = Image.Exif()
    exif[_EXIF_DESCRIPTION] = f"{_PNG_KEY} {text}"
    return {"exif": exif}


def read_settings(path: str | Path) -> dict:
    """The settings that save_image wrote into a picture; ImageError where there are none."""
    text, name = open_picture(picture_path(path), _settings_text)
    try:
        settings = json.loads(text)
    except json.JSONDecodeError as error:
        raise ImageError(
            f"{name}: its settings are damaged ({error}); use another copy of the picture"
        ) from error
    if not isinstance(settings, dict):
        raise ImageError(
            f"{name}: its settings are a {type(settings).__name__}, not a dict; use another picture"
        )
    return settings


def _settings_text(picture: Image.Image, name: str) -> str:
    if _PNG_KEY in picture.info:
        return picture.info[_PNG_KEY]
    key, _, text = str(picture.getexif().get(_EXIF_DESCRIPTION, "")).partition(" ")
    if key != _PNG_KEY:
        raise ImageError(f"{name}: holds no settings; only pictures saved by stylelab do")
    return text


def to_pil(image: Tensor) -> Image.Image:
    """One image (1, C, H, W), C 1 or 3, as an 8-bit PIL picture, clamped and rounded; else ImageError."""
    if not isinstance(image, Tensor) or not image.is_floating_point():
        got = image.dtype if isinstance(image, Tensor) else type(image).__name__
        raise ImageError(
            f"an image is a floating-point tensor (1, C, H, W) in [0, 1], got {got}; see load_image"
        )
    if image.ndim != 4 or image.shape[0] != 1 or image.shape[1] not in (1, 3):
        hints = {3: "; add the batch axis: image[None]", 4: "; of a batch, take one: image[:1]"}
        raise ImageError(
            f"shape {tuple(image.shape)} is not one image; expected (1, 3, H, W) or (1, 1, H, W)"
            f"{hints.get(image.ndim, '') if image.ndim != 4 or image.shape[0] > 1 else ''}"
        )
    check_size("the image", *image.shape[2:])
    image = image.detach().float().cpu()
    if not image.isfinite().all():
        bad = int((~image.isfinite()).sum())
        raise ImageError(
            f"{bad:,} of the image's {image.numel():,} values are not finite (NaN or infinity); "
            "something diverged: try smaller weights or a smaller learning rate"
        )
    pixels = (quantise(image[0]) * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else np.ascontiguousarray(pixels))


def receipt(
    content: str, styles: Sequence[tuple[str, float]], recipe, seed: int = 0, continued: bool = False
) -> dict:
    """What save_image takes as a picture's settings, and `python -m stylelab --recipe` reads again.

    content, styles: names of the photograph and of each painting, with its weight; not their folders, which
    tell more than a picture should. recipe: the Recipe. continued: whether it started from a picture that is
    not the recipe's own start; the recipe alone then makes another.
    """
    without_effect = {*recipe.idle, *(("init", "detail") if continued else ())}
    return {
        "format": FORMAT,
        "stylelab": __version__,
        "content": content,
        "style": [[name, weight] for name, weight in styles],
        "seed": seed,
        "recipe": recipe.to_dict(),
        "without_effect": sorted(without_effect),
    }
