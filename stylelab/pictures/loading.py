"""Files to tensors and back: load, resize, round, save, and the sample pictures that come with stylelab.

An image is a float32 tensor (N, C, H, W), RGB or one grey channel, sRGB-encoded, in [0, 1].
"""

import json
import os
import re
import secrets
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import torch
from PIL import Image, PngImagePlugin
from torch import Tensor

from stylelab.errors import ImageError, unknown
from stylelab.pictures.decoding import check_size, open_picture, read_pixels

KINDS = ("content", "style")
LUMINANCE = (0.299, 0.587, 0.114)
_PNG_KEY = "stylelab"
_EXIF_DESCRIPTION = 0x010E
_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}


def load_image(source, size: int | None = None, grey: bool = False, enlarge: bool = False) -> Tensor:
    """A picture as an image tensor: upright, in sRGB, on white where transparent, an animation's first frame.

    source: a sample's name ("astronaut"), a path, bytes, an open binary file, a PIL image, or a numpy
    array (H, W) or (H, W, C) of uint8, uint16 or floats in [0, 1]. Network addresses are not read.
    size: longest side in pixels, aspect kept, by Pillow's Lanczos; a smaller picture keeps its size
    unless `enlarge`. grey: one channel, the BT.601 luminance, instead of three.
    Returns (1, 3, H, W), or (1, 1, H, W) for grey; float32 in [0, 1].
    Raises ImageError, which says which picture and why it cannot be read.
    """
    pixels = read_pixels(_found(source) if isinstance(source, str | os.PathLike) else source)
    if size is not None:
        pixels = _resample(pixels, size, enlarge)
    if grey and pixels.shape[2] == 3:
        pixels = pixels @ np.array(LUMINANCE, dtype=np.float32)[:, None]
    elif not grey and pixels.shape[2] == 1:
        pixels = pixels.repeat(3, axis=2)
    return torch.from_numpy(np.ascontiguousarray(pixels.clip(0, 1).transpose(2, 0, 1)))[None]


def save_image(image: Tensor, path: str | Path, settings: dict | None = None, quality: int = 92) -> Path:
    """Write one image to a .png, .jpg or .webp file, rounded to 8 bits; the whole file appears, or none.

    image: (1, C, H, W), C 1 or 3; clamped to [0, 1]. path: in a folder that exists; a file there is replaced.
    settings: what made the picture, JSON-able; read_settings gets it back (kept in a PNG text chunk, or in
    the EXIF description of a JPEG or WebP). quality: 1 to 100, of JPEG and WebP.
    Returns the path. Raises ImageError for another shape, values that are not finite, an unknown
    ending, a missing folder or a disk that refuses.
    """
    path = writable_path(path)
    kind = _FORMATS[path.suffix.lower()]
    picture = to_pil(image)
    options = {} if kind == "PNG" else {"quality": quality}
    if kind == "JPEG":
        options["subsampling"] = 0
    if settings is not None:
        options |= _settings_options(kind, json.dumps(settings))
    # Beside the target, so that the rename cannot cross file systems; not tempfile's, whose files only
    # their owner may read.
    part = path.with_name(f".{secrets.token_hex(6)}.part")
    try:
        picture.save(part, format=kind, **options)
        part.replace(path)
    except (OSError, ValueError) as error:
        raise ImageError(
            f"{path.name}: cannot be written: {getattr(error, 'strerror', None) or error}"
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return path


def writable_path(path: str | Path) -> Path:
    """The path, "~" expanded, if save_image can write there; to ask before a long computation.

    Raises ImageError for an unknown ending, a missing or protected folder, or a folder of that name.
    """
    path = _expanded(path)
    if path.suffix.lower() not in _FORMATS:
        raise ImageError(
            f'{path.name}: cannot write "{path.suffix}" files; end the name in .png, .jpg or .webp'
        )
    if not path.parent.is_dir():
        raise ImageError(f"{path.name}: there is no folder {path.parent} to write it to; make it first")
    if path.is_dir():
        raise ImageError(f"{path.name}: a folder of that name is in the way; choose another name")
    if not os.access(path.parent, os.W_OK):
        raise ImageError(f"{path.name}: you may not write to the folder {path.parent}; choose another")
    return path


def _expanded(path: str | os.PathLike) -> Path:
    # Path.expanduser fails for a file called "~draft.png"; this leaves it alone.
    return Path(os.path.expanduser(path))


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
    return open_picture(_found(path), _settings)


def _settings(picture: Image.Image, name: str) -> dict:
    text = picture.info.get(_PNG_KEY)
    if text is None:
        key, _, text = str(picture.getexif().get(_EXIF_DESCRIPTION, "")).partition(" ")
        if key != _PNG_KEY:
            raise ImageError(f"{name}: holds no settings; only pictures saved by stylelab do")
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


def quantise(image: Tensor) -> Tensor:
    """The image as a saved file holds it: clamped to [0, 1], rounded to 8 bits, still floating point."""
    return (image.clamp(0, 1) * 255).round() / 255


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


def scaled_shape(height: int, width: int, size: int) -> tuple[int, int]:
    """The (height, width) whose longest side is `size` pixels, aspect kept; no side under one pixel."""
    if size < 1:
        raise ImageError(f"size {size}: the longest side needs at least one pixel")
    longest = max(height, width)
    return max(1, round(height * size / longest)), max(1, round(width * size / longest))


def resize(image: Tensor, shape: int | tuple[int, int]) -> Tensor:
    """A tensor at another size, by load_image's Lanczos: an image resized is an image loaded at that size.

    image: (N, C, H, W), any range. shape: (height, width), or the longest side with the aspect kept.
    Returns (N, C, height, width), float32 on the image's device, outside autograd; not clamped, so it may
    overshoot at edges. An image that has this size already is returned itself.
    """
    if isinstance(shape, int):
        shape = scaled_shape(*image.shape[2:], shape)
    if tuple(image.shape[2:]) == tuple(shape):
        return image
    check_size("the resized image", *shape)
    planes = image.detach().float().cpu().flatten(0, 1).numpy()
    resized = torch.from_numpy(_lanczos(planes, *shape)).view(*image.shape[:2], *shape)
    return resized.to(image.device)


def same_aspect(shape: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two (height, width) can be one picture at two sizes, each side rounded to whole pixels."""
    (height, width), (tall, wide) = shape, other
    return min(abs(height - tall * width / wide), abs(width - wide * height / tall)) <= 1


def sample_names(kind: str = "content") -> list[str]:
    """The names of the sample pictures, sorted; kind: "content" or "style"."""
    if kind not in KINDS:
        raise ImageError(f'unknown kind of sample "{kind}"; expected "content" or "style"')
    return sorted(_samples(kind))


def sample_path(name: str) -> Path:
    """The file of a sample picture, in a checkout or an installed package; ImageError for an unknown name."""
    samples = _samples(*KINDS)
    if name not in samples:
        raise ImageError(unknown("sample", name, samples, 'sample_names("content") + sample_names("style")'))
    return samples[name]


def _samples(*kinds: str) -> dict[str, Path]:
    package = Path(__file__).parents[1]
    for folder in (package / "data", package.parent / "data"):
        if all((folder / kind).is_dir() for kind in KINDS):
            return {path.stem: path for kind in kinds for path in sorted((folder / kind).glob("*.jpg"))}
    raise ImageError(f"the sample pictures are missing from {package / 'data'}; install stylelab again")


def _found(source: str | os.PathLike) -> Path:
    """The existing file that a sample's name or a path means; ImageError with near matches otherwise."""
    if isinstance(source, str):
        if re.match(r"[a-z][a-z0-9+.-]+://|data:[a-z]+/", source, re.IGNORECASE):
            raise ImageError(f"{source[:60]}: an address, not a file; download the picture and give its path")
        if source in _samples(*KINDS):
            return sample_path(source)
    path = _expanded(source)
    try:
        path.stat()
    except FileNotFoundError:
        samples = list(_samples(*KINDS))
        beside = [file.name for file in path.parent.iterdir()] if path.parent.is_dir() else []
        near = get_close_matches(path.stem, samples, n=2) + get_close_matches(path.name, beside, n=2)
        hint = f"did you mean {' or '.join(near)}?" if near else "check the path."
        raise ImageError(
            f"{path.name}: no such file in {path.parent.absolute()}; {hint} "
            f'(sample_names("content") and sample_names("style") list the {len(samples)} samples)'
        ) from None
    except (OSError, ValueError) as error:
        raise ImageError(
            f"{path.name!r}: not a path ({getattr(error, 'strerror', None) or error})"
        ) from error
    return path


def _resample(pixels: np.ndarray, size: int, enlarge: bool) -> np.ndarray:
    height, width = pixels.shape[:2]
    shape = scaled_shape(height, width, size)
    if shape == (height, width) or (size > max(height, width) and not enlarge):
        return pixels
    check_size("the enlarged picture", *shape)
    return _lanczos(pixels.transpose(2, 0, 1), *shape).transpose(1, 2, 0)


def _lanczos(planes: np.ndarray, height: int, width: int) -> np.ndarray:
    """planes: (P, H, W). One float plane at a time: Pillow then rounds nothing between its two passes."""
    resized = [Image.fromarray(plane).resize((width, height), Image.Resampling.LANCZOS) for plane in planes]
    return np.stack([np.asarray(plane) for plane in resized])
