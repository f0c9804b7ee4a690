"""From whatever holds a picture to its pixels: every file format that Pillow opens, bytes, arrays."""

import io
import os
import re
import stat
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeAlias, TypeVar, cast

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from stylelab.errors import ImageError, StylelabError

MAX_PIXELS = 64_000_000
_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"RIFF", b"II*\0", b"MM\0*", b"BM")
# What Pillow's decoders raise on a damaged file.
_DAMAGE = (OSError, SyntaxError, ValueError, LookupError, TypeError, EOFError, struct.error, zlib.error)
# From 89 megapixels on Pillow warns, from 179 on it refuses. The warning is let out, beside the error that
# follows it here: to silence it would change the warnings of every thread, and labs read in several. Where a
# program makes errors of warnings, it is caught.
_TOO_LARGE = (Image.DecompressionBombError, Image.DecompressionBombWarning)
_NO_FILES = {
    stat.S_IFDIR: "a folder, not a picture; name one of the files in it",
    stat.S_IFIFO: "a named pipe, not a picture; give the path of a file, or its bytes",
    stat.S_IFSOCK: "a socket, not a picture; give the path of a file, or its bytes",
}
_DEVICE = "a device, not a picture; give the path of a file, or its bytes"

FileSource: TypeAlias = str | os.PathLike | bytes | bytearray | memoryview | BinaryIO
PictureSource: TypeAlias = FileSource | Image.Image | np.ndarray
Read = TypeVar("Read")


def read_pixels(source: PictureSource) -> np.ndarray:
    """The pixels of a picture: upright, sRGB-encoded, transparency laid on white.

    source: an existing path, bytes, an open binary file, a PIL image or a numpy array
    (images.load_image says which of each).
    Returns float32 (H, W, C) in [0, 1]; C is 1 for a grey picture, else 3.
    Raises ImageError, which says which picture and why.
    """
    if isinstance(source, np.ndarray):
        return _array_pixels(source, "the array")
    if isinstance(source, Image.Image):
        name = Path(str(getattr(source, "filename", "") or "the PIL image")).name
        with _told(name):
            parts = _decoded(source, name)
        return _picture_pixels(parts, name)
    return _picture_pixels(*open_picture(source, _decoded))


def open_picture(source: FileSource, decode: Callable[[Image.Image, str], Read]) -> tuple[Read, str]:
    """What `decode(picture, name)` returns for the opened, not yet decoded, picture, and the name.

    source: an existing path, bytes or an open binary file. decode: asks Pillow only, for whatever it raises
    is taken for damage of the file; but a StylelabError passes. Raises ImageError where it is no picture.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        return _open_stream(io.BytesIO(source), "the bytes given", decode)
    if not isinstance(source, str | os.PathLike):
        if not hasattr(source, "read"):
            raise ImageError(
                f"a picture cannot be read from {type(source).__name__}; "
                "give a sample's name, a path, bytes, an open binary file, a PIL image or a numpy array"
            )
        name = Path(str(getattr(source, "name", "") or "the file object")).name
        if source.seekable():
            source.seek(0)
        data = source.read()
        if isinstance(data, str):
            raise ImageError(f'{name}: opened as text; open it as bytes, with mode "rb"')
        return _open_stream(io.BytesIO(data), name, decode)
    path = Path(source)
    try:
        # Asked before it is opened: a pipe that nobody writes to would be waited for without end.
        kind = stat.S_IFMT(path.stat().st_mode)
        if kind != stat.S_IFREG:
            raise ImageError(f"{path.name or path}: {_NO_FILES.get(kind, _DEVICE)}")
        stream = path.open("rb")
    except OSError as error:
        raise ImageError(f"{path.name}: cannot be opened ({error.strerror})") from error
    with stream:
        return _open_stream(stream, path.name, decode)


def check_size(name: str, height: int, width: int) -> None:
    """Raises ImageError for a picture without a pixel or with more than 64 million."""
    if not height or not width:
        raise ImageError(f"{name}: has no pixels ({width} × {height}); every side needs at least one")
    if height * width > MAX_PIXELS:
        raise _too_large(name, height * width)


def _too_large(name: str, pixels: int) -> ImageError:
    limit = MAX_PIXELS // 1_000_000
    return ImageError(
        f"{name}: {pixels / 1e6:,.1f} megapixels, more than {limit}; make the picture smaller first"
    )


def _open_stream(stream: BinaryIO, name: str, decode: Callable[[Image.Image, str], Read]) -> tuple[Read, str]:
    head, length = stream.read(8), stream.seek(0, os.SEEK_END)
    if length == 0:
        raise ImageError(f"{name}: empty (0 bytes); download or copy it again")
    stream.seek(0)
    try:
        with _told(name, length), Image.open(stream) as picture:
            return decode(picture, name), name
    except UnidentifiedImageError as error:
        if head.startswith(_SIGNATURES):
            raise ImageError(
                f"{name}: begins like a picture, but its {length:,} bytes cannot be read as one; "
                "cut short, damaged or of an unusual kind: download or copy it again, or export it as PNG"
            ) from error
        raise ImageError(
            f"{name}: not a picture that can be read ({length:,} bytes); export it as JPEG or PNG"
        ) from error


@contextmanager
def _told(name: str, length: int = 0) -> Iterator[None]:
    """What Pillow complains of in the block, as an ImageError; but an UnidentifiedImageError passes."""
    try:
        yield
    except (StylelabError, UnidentifiedImageError):
        raise
    except _TOO_LARGE as error:
        pixels = re.search(r"\d+", str(error))
        raise _too_large(name, int(pixels[0]) if pixels else MAX_PIXELS + 1) from error
    except _DAMAGE as error:
        raise _damaged(name, error, length) from error


def _damaged(name: str, error: Exception, length: int) -> ImageError:
    size = f" after {length:,} bytes" if length else ""
    if "truncated" in str(error).lower():
        return ImageError(
            f"{name}: the file ends{size}, before the picture is complete; download or copy it again"
        )
    return ImageError(f"{name}: damaged ({error}){size and f', {length:,} bytes'}; download or copy it again")


def _decoded(picture: Image.Image, name: str) -> list[Image.Image]:
    """The picture upright, as L or RGB in sRGB, or as I or F; and its transparency, L, where it has any."""
    check_size(name, picture.height, picture.width)
    picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith(("I", "F")):
        return [picture]
    alpha = []
    if picture.has_transparency_data:
        grey = picture.mode in ("1", "L", "LA", "La")
        picture = picture.convert("LA" if grey else "RGBA")
        alpha = [picture.getchannel("A")]
        picture = picture.convert("L" if grey else "RGB")
    if picture.mode not in ("L", "RGB", "CMYK", "LAB"):
        picture = picture.convert("L" if picture.mode == "1" else "RGB")
    return [_to_srgb(picture, name), *alpha]


def _picture_pixels(parts: list[Image.Image], name: str) -> np.ndarray:
    if parts[0].mode.startswith(("I", "F")):
        return _array_pixels(np.asarray(parts[0]), name)
    pixels, *alpha = map(_unit, parts)
    return _on_white(pixels, *alpha) if alpha else pixels


def _to_srgb(picture: Image.Image, name: str) -> Image.Image:
    """The picture as L or RGB in sRGB, through its colour profile where it has a usable one."""
    if picture.mode == "LAB":
        return _through(picture, ImageCms.createProfile("LAB"))
    if embedded := picture.info.get("icc_profile"):
        try:
            profile = ImageCms.getOpenProfile(io.BytesIO(embedded))
            if picture.mode == "L" and profile.profile.xcolor_space.strip() == "RGB":
                picture = picture.convert("RGB")
            return _through(picture, profile)
        except (ImageCms.PyCMSError, OSError) as error:
            warnings.warn(f"{name}: its colour profile is unusable ({error}); read as sRGB", stacklevel=2)
    return picture if picture.mode == "L" else picture.convert("RGB")


def _through(
    picture: Image.Image, profile: ImageCms.core.CmsProfile | ImageCms.ImageCmsProfile
) -> Image.Image:
    srgb = ImageCms.createProfile("sRGB")
    # None is said of a picture that was changed in place only.
    return cast(Image.Image, ImageCms.profileToProfile(picture, profile, srgb, outputMode="RGB"))


def _array_pixels(array: np.ndarray, name: str) -> np.ndarray:
    array = array[..., None] if array.ndim == 2 else array
    if array.ndim != 3 or array.shape[2] not in (1, 2, 3, 4):
        raise ImageError(f"{name}: shape {array.shape}; expected (H, W) or (H, W, C) with 1 to 4 channels")
    check_size(name, *array.shape[:2])
    if array.dtype == np.uint8:
        pixels = _unit(array)
    elif array.dtype == bool:
        pixels = array.astype(np.float32)
    elif array.dtype.kind in "iu":
        # Pillow hands 16-bit grey out as int32 too, so the values decide, not the type.
        low, high = int(array.min()), int(array.max())
        if array.dtype.itemsize == 1 or low < 0 or high > 65535:
            raise ImageError(
                f"{name}: {array.dtype} values from {low} to {high}; "
                "expected 8 bits (uint8) or 16 bits (0 to 65535)"
            )
        pixels = array.astype(np.float32) / 65535
    elif array.dtype.kind == "f":
        pixels = _checked_floats(array, name)
    else:
        raise ImageError(f"{name}: values of type {array.dtype}; expected uint8, uint16 or floating point")
    return _on_white(pixels[..., :-1], pixels[..., -1:]) if pixels.shape[2] in (2, 4) else pixels


def _checked_floats(array: np.ndarray, name: str) -> np.ndarray:
    bad = array.size - int(np.isfinite(array).sum())
    if bad:
        raise ImageError(
            f"{name}: {bad:,} of {array.size:,} values are not finite (NaN or infinity); repair them first"
        )
    if array.min() < 0 or array.max() > 1:
        raise ImageError(
            f"{name}: values from {array.min():.4g} to {array.max():.4g}; "
            "floating point is expected in [0, 1]: divide by the value of white first"
        )
    return array.astype(np.float32)


def _unit(picture: Image.Image | np.ndarray) -> np.ndarray:
    pixels = np.asarray(picture).astype(np.float32)
    pixels /= 255
    return pixels[..., None] if pixels.ndim == 2 else pixels


def _on_white(pixels: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    return pixels * alpha + (1 - alpha)
