"""Reading, writing and resizing pictures: every kind of file, and every complaint word by word."""

import errno
import io
import os
import socket
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin

from stylelab.errors import ImageError, StylelabError
from stylelab.pictures import decoding, samples
from stylelab.pictures.loading import load_image
from stylelab.pictures.pairs import load_pairs
from stylelab.pictures.resampling import quantise, resize
from stylelab.pictures.saving import read_settings, save_image, to_pil, writable_path

FILE_FIXTURE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def ramp(height=20, width=30, channels=3):
    """Bytes (H, W, C) in which every row, column and channel differs."""
    y, x, c = np.mgrid[:height, :width, :channels]
    return ((7 * x + 3 * y + 50 * c) % 256).astype(np.uint8)


def as_tensor(pixels):
    """(H, W, C) bytes as (1, C, H, W) in [0, 1]."""
    return torch.from_numpy(pixels.astype(np.float32) / 255).permute(2, 0, 1)[None]


def encoded(picture, kind="PNG", **options):
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def complaint(function, *arguments, **options):
    with pytest.raises(ImageError) as caught:
        function(*arguments, **options)
    return str(caught.value)


# --- what it reads -----------------------------------------------------------------------------------


def test_path_text_bytes_file_pil_and_array_are_the_same_picture(tmp_path):
    pixels = ramp()
    picture = Image.fromarray(pixels)
    path = tmp_path / "ramp.png"
    picture.save(path)
    data = path.read_bytes()
    with path.open("rb") as stream:
        read = [
            load_image(source) for source in (path, str(path), data, bytearray(data), stream, picture, pixels)
        ]
    for image in read:
        assert image.dtype == torch.float32
        assert image.is_contiguous()
        assert torch.equal(image, as_tensor(pixels))


def test_a_file_read_twice_gives_the_picture_twice():
    stream = io.BytesIO(encoded(Image.fromarray(ramp())))
    assert torch.equal(load_image(stream), load_image(stream))


def test_a_sample_is_read_by_its_name_even_beside_a_folder_of_that_name(tmp_path, monkeypatch):
    (tmp_path / "astronaut").mkdir()
    monkeypatch.chdir(tmp_path)
    assert load_image("astronaut").shape == (1, 3, 512, 512)


def test_a_home_directory_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    Image.fromarray(ramp()).save(tmp_path / "mine.png")
    assert load_image("~/mine.png").shape == (1, 3, 20, 30)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_applied(orientation):
    upright = np.zeros((8, 16, 3), np.uint8)
    upright[:4, :8] = 255  # only the top left quarter is white
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = Image.fromarray(upright)
    if orientation in undo:
        stored = stored.transpose(undo[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert torch.equal(load_image(encoded(stored, exif=exif)), as_tensor(upright))


def test_colour_profile_is_converted_to_srgb():
    pixels = np.full((4, 4, 3), (200, 80, 40), np.uint8)
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = swap_primaries(srgb)
    plain = load_image(encoded(Image.fromarray(pixels), icc_profile=srgb))
    converted = load_image(encoded(Image.fromarray(pixels), icc_profile=swapped))
    assert (plain - as_tensor(pixels)).abs().max() <= 1.5 / 255
    # Where red and blue phosphors are exchanged, (200, 80, 40) looks like sRGB's (40, 80, 200).
    assert (converted - as_tensor(pixels[..., ::-1])).abs().max() <= 1.5 / 255


def swap_primaries(profile):
    """The ICC profile with its red and blue primaries exchanged: the tags rXYZ and bXYZ swap names."""
    data = bytearray(profile)
    count = int.from_bytes(data[128:132], "big")
    for entry in range(132, 132 + 12 * count, 12):
        name = bytes(data[entry : entry + 4])
        data[entry : entry + 4] = {b"rXYZ": b"bXYZ", b"bXYZ": b"rXYZ"}.get(name, name)
    return bytes(data)


def test_grey_picture_with_an_rgb_profile_is_read():
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    pixels = ramp(channels=1)
    image = load_image(encoded(Image.fromarray(pixels[..., 0]), icc_profile=srgb))
    assert (image - as_tensor(pixels)).abs().max() <= 1.5 / 255


def test_unusable_colour_profile_warns_and_the_picture_is_read_as_srgb(tmp_path):
    path = tmp_path / "odd.png"
    path.write_bytes(encoded(Image.fromarray(ramp()), icc_profile=b"not a profile"))
    with pytest.warns(UserWarning, match=r"odd\.png: its colour profile is unusable .*; read as sRGB"):
        image = load_image(path)
    assert torch.equal(image, as_tensor(ramp()))


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_alpha_is_laid_on_white(kind):
    pixels = np.zeros((2, 3, 4), np.uint8)
    pixels[..., 0] = 255
    pixels[..., 3] = [0, 255, 51]
    data = encoded(
        Image.fromarray(pixels), kind, **({"lossless": True, "exact": True} if kind == "WEBP" else {})
    )
    image = load_image(data)
    assert torch.allclose(image[0, :, 0].T, torch.tensor([[1, 1, 1], [1, 0, 0], [1, 0.8, 0.8]]), atol=1e-6)


def test_palette_and_its_transparency():
    picture = Image.new("P", (2, 1))
    picture.putpalette([255, 0, 0, 0, 0, 255])
    picture.putpixel((1, 0), 1)
    opaque, see_through, partly = (
        load_image(encoded(picture, **options))[0, :, 0].T.tolist()
        for options in ({}, {"transparency": 0}, {"transparency": bytes([255, 0])})
    )
    assert opaque == [[1, 0, 0], [0, 0, 1]]
    assert see_through == [[1, 1, 1], [0, 0, 1]]
    assert partly == [[1, 0, 0], [1, 1, 1]]


def test_a_transparent_colour_is_laid_on_white():
    pixels = np.array([[[10, 20, 30], [200, 0, 0]]], np.uint8)
    image = load_image(encoded(Image.fromarray(pixels), transparency=(10, 20, 30)))
    assert torch.equal(image[0, :, 0, 0], torch.ones(3))
    assert torch.equal(image[0, :, 0, 1], torch.tensor([200 / 255, 0, 0]))


def test_grey_with_alpha_and_grey_with_a_transparent_level():
    pixels = np.array([[[100, 255], [100, 0]]], np.uint8)
    image = load_image(encoded(Image.fromarray(pixels)), grey=True)
    assert torch.allclose(image.flatten(), torch.tensor([100 / 255, 1]))
    level = Image.fromarray(np.array([[7, 100]], np.uint8))
    image = load_image(encoded(level, transparency=7), grey=True)
    assert torch.allclose(image.flatten(), torch.tensor([1, 100 / 255]))


def test_grey_and_two_level_pictures_have_three_equal_channels():
    grey = Image.fromarray(ramp(channels=1)[..., 0])
    assert torch.equal(load_image(grey), as_tensor(ramp(channels=1)).repeat(1, 3, 1, 1))
    two_level = load_image(encoded(Image.fromarray(np.array([[True, False]]))))
    assert two_level[0, :, 0].T.tolist() == [[1, 1, 1], [0, 0, 0]]


def test_cmyk_is_read_as_colours_not_as_four_channels():
    inks = np.array([[[0, 255, 255, 0], [0, 0, 0, 255], [0, 0, 0, 0]]], np.uint8)
    data = encoded(Image.fromarray(inks, "CMYK"), "TIFF")
    assert load_image(data)[0, :, 0].T.tolist() == [[1, 0, 0], [0, 0, 0], [1, 1, 1]]


def test_cmyk_jpeg_whose_inks_are_stored_inverted():
    paper = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    red = load_image(encoded(paper, "JPEG", quality=95))[0, :, 8, 8]
    assert (red - torch.tensor([1.0, 0, 0])).abs().max() < 3 / 255


def test_lab_is_converted():
    red = np.full((4, 4, 3), (200, 30, 40), np.uint8)
    profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    lab = ImageCms.profileToProfile(Image.fromarray(red), *profiles, outputMode="LAB")
    assert (load_image(encoded(lab, "TIFF")) - as_tensor(red)).abs().max() < 3 / 255


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bit_grey_keeps_its_precision(kind):
    levels = np.array([[0, 1, 257, 32768, 65535]], np.uint16)
    image = load_image(encoded(Image.fromarray(levels), kind), grey=True)
    assert torch.equal(image.flatten(), torch.tensor(levels[0].astype(np.float32) / 65535))


def test_float_tiff_in_range_is_read_as_it_is():
    values = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)
    assert torch.equal(
        load_image(encoded(Image.fromarray(values), "TIFF"), grey=True)[0, 0], torch.tensor(values)
    )


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_of_an_animation_the_first_frame_is_read(kind):
    frames = [Image.new("RGB", (6, 4), colour) for colour in ("#ff0000", "#00ff00", "#0000ff")]
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=100, **options)
    assert load_image(data)[0, :, 0, 0].tolist() == [1, 0, 0]


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.array([[0, 255]], np.uint8), [0, 1]),
        (np.array([[[0], [255]]], np.uint8), [0, 1]),
        (np.array([[0, 13107]], np.uint16), [0, 0.2]),
        (np.array([[True, False]]), [1, 0]),
        (np.array([[0.25, 1.0]]), [0.25, 1]),
        (np.array([[[0.5, 0.5], [0.0, 0.0]]], np.float16), [0.75, 1]),
    ],
)
def test_arrays(array, expected):
    assert torch.allclose(load_image(array, grey=True).flatten(), torch.tensor(expected, dtype=torch.float32))


def test_a_pil_image_given_is_not_changed():
    picture = Image.fromarray(ramp())
    load_image(picture, size=8, grey=True)
    assert picture.size == (30, 20)
    assert picture.mode == "RGB"


# --- size and grey -----------------------------------------------------------------------------------


def test_size_is_the_longest_side_and_the_aspect_is_kept():
    assert load_image(ramp(300, 200), size=100).shape == (1, 3, 100, 67)
    assert load_image(ramp(200, 300), size=100).shape == (1, 3, 67, 100)
    assert load_image(ramp(1, 300), size=100).shape == (1, 3, 1, 100)


def test_it_enlarges_only_when_asked():
    assert load_image(ramp(20, 30), size=60).shape == (1, 3, 20, 30)
    assert load_image(ramp(20, 30), size=60, enlarge=True).shape == (1, 3, 40, 60)


def test_resizing_is_pillows_lanczos_within_its_rounding():
    pixels = ramp(90, 120) // 2 + 64  # far enough from black and white that nothing is clipped
    expected = np.asarray(Image.fromarray(pixels).resize((40, 30), Image.Resampling.LANCZOS))
    assert (load_image(pixels, size=40) - as_tensor(expected)).abs().max() < 1.01 / 255


def test_resizing_never_leaves_the_range():
    checker = (np.indices((64, 64)).sum(0) // 16 % 2 * 255).astype(np.uint8)
    image = load_image(checker, size=37)
    assert image.min() == 0
    assert image.max() == 1


def test_grey_is_the_bt601_luminance():
    colours = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], np.uint8)
    image = load_image(colours, grey=True)
    assert image.shape == (1, 1, 1, 4)
    assert torch.allclose(image.flatten(), torch.tensor([0.299, 0.587, 0.114, 1]))


def test_resize_takes_a_shape_or_a_longest_side():
    image = torch.rand(2, 3, 20, 30)
    assert resize(image, (7, 9)).shape == (2, 3, 7, 9)
    assert resize(image, 60).shape == (2, 3, 40, 60)
    assert resize(image, 30) is image


def test_resize_and_load_image_agree():
    pixels = ramp(90, 120)
    assert torch.allclose(resize(load_image(pixels), 40).clamp(0, 1), load_image(pixels, size=40), atol=1e-6)


def test_resize_keeps_values_outside_the_range_and_batches_apart():
    image = torch.stack([torch.full((3, 12, 12), 2.0), torch.full((3, 12, 12), -1.0)])
    resized = resize(image, 5)
    assert torch.allclose(resized[0], torch.tensor(2.0))
    assert torch.allclose(resized[1], torch.tensor(-1.0))


def test_a_size_under_one_is_refused():
    assert complaint(load_image, ramp(), size=0) == "size 0: the longest side needs at least one pixel"
    assert "has no pixels (4 × 0)" in complaint(resize, torch.rand(1, 3, 8, 8), (0, 4))


def test_enlarging_past_the_limit_is_refused_before_it_is_tried():
    message = complaint(load_image, ramp(10, 10), size=10_000, enlarge=True)
    assert message == ("the enlarged picture: 100.0 megapixels, more than 64; make the picture smaller first")


# --- what it refuses ---------------------------------------------------------------------------------


def test_missing_file_names_the_folder_and_near_matches(tmp_path):
    (tmp_path / "holiday.jpeg").touch()
    message = complaint(load_image, tmp_path / "holiday.jpg")
    assert message.startswith(f"holiday.jpg: no such file in {tmp_path}; did you mean holiday.jpeg?")
    assert 'sample_names("content") and sample_names("style") list the' in message


def test_missing_sample_names_near_matches():
    assert "did you mean astronaut?" in complaint(load_image, "astronot")
    assert "did you mean starry_night?" in complaint(load_image, "starry-night.jpg")
    assert "check the path." in complaint(load_image, "qqqq/zzzz.png")


@pytest.mark.parametrize(
    "address", ["https://example.org/cat.jpg", "FILE:///tmp/x.png", "data:image/png;base64,iVBO"]
)
def test_addresses_are_refused(address):
    message = complaint(load_image, address)
    assert message == f"{address}: an address, not a file; download the picture and give its path"


LONG = pytest.param(
    "x" * 5000 + ".png",
    marks=pytest.mark.skipif(os.name == "nt", reason="Windows may call an over-long name a missing file"),
)


@pytest.mark.parametrize("text", ["a\0b.png", LONG])
def test_impossible_paths_are_refused(text):
    assert "not a path" in complaint(load_image, text)


def test_folder(tmp_path):
    message = complaint(load_image, tmp_path)
    assert message == f"{tmp_path.name}: a folder, not a picture; name one of the files in it"


def test_file_that_may_not_be_read(tmp_path, monkeypatch):
    path = tmp_path / "secret.png"
    path.touch()

    def refuse(*arguments):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert complaint(load_image, path) == "secret.png: cannot be opened (Permission denied)"


def refusing(*_, **__):
    raise PermissionError(errno.EACCES, "Permission denied")


def test_a_folder_that_may_not_be_listed_or_entered(tmp_path, monkeypatch):
    (tmp_path / "closed").mkdir()
    monkeypatch.setattr(Path, "iterdir", refusing)
    message = complaint(load_image, tmp_path / "closed" / "holiday.png")
    assert message.startswith(f"holiday.png: no such file in {tmp_path / 'closed'}; check the path.")
    assert complaint(load_pairs, tmp_path / "closed", tmp_path) == (
        "closed: this folder cannot be listed (Permission denied)"
    )
    monkeypatch.setattr(Path, "stat", refusing)
    message = complaint(load_image, tmp_path / "closed" / "holiday.png")
    assert message == "holiday.png: cannot be opened (Permission denied)"


NO_FILES = {"pipe.png": "a named pipe", "socket.png": "a socket", "/dev/null": "a device"}


@pytest.mark.skipif(os.name == "nt", reason="pipes, sockets and devices are POSIX's files")
@pytest.mark.parametrize("name", NO_FILES)
def test_what_is_no_file_is_refused_unopened(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)  # a socket's path may not be long
    os.mkfifo("pipe.png")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.png")
        monkeypatch.setattr(Path, "open", lambda *_: pytest.fail("opened"))
        for read in (load_image, read_settings):
            assert complaint(read, name) == (
                f"{Path(name).name}: {NO_FILES[name]}, not a picture; give the path of a file, or its bytes"
            )


def test_a_mistake_of_ours_is_not_told_as_damage_of_the_file(monkeypatch):
    def mistaken(*_):
        raise ValueError("operands could not be broadcast")

    monkeypatch.setattr(decoding, "_unit", mistaken)
    for source in (encoded(Image.fromarray(ramp())), Image.fromarray(ramp())):
        with pytest.raises(ValueError, match=r"^operands could not be broadcast$") as caught:
            load_image(source)
        assert not isinstance(caught.value, ImageError)


def test_a_complaint_of_ours_is_told_in_its_own_words(tmp_path):
    def complain(picture, name):
        raise StylelabError(f"{name}: of another kind")

    with pytest.raises(StylelabError, match=r"^the bytes given: of another kind$"):
        decoding.open_picture(encoded(Image.fromarray(ramp())), complain)


def test_reading_leaves_the_warnings_of_other_threads_alone(monkeypatch):
    filters, seen, opened = warnings.filters, [], Image.open

    def watched(stream):
        seen.append(warnings.filters is filters)
        return opened(stream)

    monkeypatch.setattr(Image, "open", watched)
    load_image(encoded(Image.fromarray(ramp())))
    assert seen == [True]


def test_empty(tmp_path):
    (tmp_path / "void.jpg").touch()
    assert (
        complaint(load_image, tmp_path / "void.jpg") == "void.jpg: empty (0 bytes); download or copy it again"
    )
    assert complaint(load_image, b"") == "the bytes given: empty (0 bytes); download or copy it again"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "TIFF", "BMP"])
def test_truncated_says_after_how_many_bytes(tmp_path, kind):
    noise = np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    data = encoded(Image.fromarray(noise), kind)
    path = tmp_path / f"cut.{kind.lower()}"
    path.write_bytes(data[: len(data) // 2])
    message = complaint(load_image, path)
    assert message.startswith(f"cut.{kind.lower()}: ")
    assert f"{len(data) // 2:,} bytes" in message
    assert message.endswith("download or copy it again")
    if kind in ("JPEG", "PNG", "BMP"):
        assert "the file ends after" in message


def test_a_header_without_a_picture(tmp_path):
    path = tmp_path / "stub.tif"
    path.write_bytes(b"II*\0" + bytes(6))
    assert complaint(load_image, path) == (
        "stub.tif: begins like a picture, but its 10 bytes cannot be read as one; "
        "cut short, damaged or of an unusual kind: download or copy it again, or export it as PNG"
    )


def test_a_truncated_pil_image_is_refused():
    data = encoded(Image.fromarray(ramp(200, 200)), "BMP")
    message = complaint(load_image, Image.open(io.BytesIO(data[:5000])))
    assert message == (
        "the PIL image: the file ends, before the picture is complete; download or copy it again"
    )


def test_not_an_image(tmp_path):
    path = tmp_path / "notes.jpg"
    path.write_text("dear diary")
    assert complaint(load_image, path) == (
        "notes.jpg: not a picture that can be read (10 bytes); export it as JPEG or PNG"
    )


def test_a_file_opened_as_text(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("dear diary")
    with path.open() as stream:
        assert complaint(load_image, stream) == 'notes.txt: opened as text; open it as bytes, with mode "rb"'


def test_something_else_entirely():
    assert complaint(load_image, 3).startswith(
        "a picture cannot be read from int; give a sample's name, a path"
    )
    assert complaint(load_image, torch.rand(1, 3, 4, 4)).startswith("a picture cannot be read from Tensor;")


@pytest.mark.parametrize(
    ("width", "height", "megapixels"),
    [(8_000, 8_100, "64.8"), (10_000, 10_000, "100.0"), (20_000, 20_000, "400.0")],
)
def test_more_than_64_megapixels_is_refused_before_decoding(tmp_path, width, height, megapixels):
    # A PNG that announces the size and holds no pixel at all: only an early check can tell.
    data = bytearray(encoded(Image.new("L", (1, 1))))
    data[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    path = tmp_path / "poster.png"
    path.write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        message = complaint(load_image, path)
    assert message == f"poster.png: {megapixels} megapixels, more than 64; make the picture smaller first"


def test_zero_sized():
    expected = "has no pixels (5 × 0); every side needs at least one"
    assert complaint(load_image, np.zeros((0, 5, 3), np.uint8)) == f"the array: {expected}"
    assert complaint(load_image, Image.new("RGB", (5, 0))) == f"the PIL image: {expected}"


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_not_finite(tmp_path, bad):
    values = np.full((3, 4), 0.5, np.float32)
    values[1, 2] = bad
    path = tmp_path / "sky.tif"
    Image.fromarray(values).save(path)
    expected = "1 of 12 values are not finite (NaN or infinity); repair them first"
    assert complaint(load_image, path) == f"sky.tif: {expected}"
    assert complaint(load_image, values) == f"the array: {expected}"


def test_floats_out_of_range(tmp_path):
    path = tmp_path / "sky.tif"
    Image.fromarray(np.array([[-3, 260]], np.float32)).save(path)
    assert complaint(load_image, path) == (
        "sky.tif: values from -3 to 260; "
        "floating point is expected in [0, 1]: divide by the value of white first"
    )


def test_integers_that_are_neither_8_nor_16_bits():
    expected = "expected 8 bits (uint8) or 16 bits (0 to 65535)"
    assert (
        complaint(load_image, np.array([[0, 70000]]))
        == f"the array: int64 values from 0 to 70000; {expected}"
    )
    assert (
        complaint(load_image, np.array([[-5, 5]], np.int8))
        == f"the array: int8 values from -5 to 5; {expected}"
    )


def test_arrays_of_another_shape_or_type():
    assert complaint(load_image, np.zeros((3, 64, 64), np.uint8)) == (
        "the array: shape (3, 64, 64); expected (H, W) or (H, W, C) with 1 to 4 channels"
    )
    assert "values of type complex128" in complaint(load_image, np.zeros((2, 2), complex))


@FILE_FIXTURE
@given(data=st.data(), kind=st.sampled_from(["JPEG", "PNG", "GIF", "TIFF", "BMP", "WEBP"]))
def test_a_damaged_file_is_read_or_refused_in_words(data, kind):
    content = bytearray(encoded(Image.fromarray(ramp(16, 16)), kind))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    del content[data.draw(st.integers(1, len(content))) :]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's own remarks on damaged metadata
        try:
            image = load_image(bytes(content))
        except ImageError as error:
            assert str(error).startswith("the bytes given: ")
        else:
            assert 0 <= image.min() <= image.max() <= 1


# --- saving ------------------------------------------------------------------------------------------


@FILE_FIXTURE
@given(
    height=st.integers(1, 9),
    width=st.integers(1, 9),
    channels=st.sampled_from([1, 3]),
    seed=st.integers(0, 2**31),
)
def test_a_png_holds_exactly_the_quantised_image(tmp_path, height, width, channels, seed):
    generator = torch.Generator().manual_seed(seed)
    image = torch.rand(1, channels, height, width, generator=generator) * 1.4 - 0.2
    path = save_image(image, tmp_path / "a.png")
    assert torch.equal(load_image(path, grey=channels == 1), quantise(image))


@pytest.mark.parametrize("name", ["a.jpg", "a.JPEG", "a.webp"])
def test_lossy_files_are_close_and_quality_matters(tmp_path, name):
    image = load_image("cat", size=128)
    good = load_image(save_image(image, tmp_path / name, quality=95))
    poor = load_image(save_image(image, tmp_path / name, quality=10))
    assert (good - image).abs().mean() < 0.01 < (poor - image).abs().mean()


def test_quantise_rounds_and_clamps():
    image = torch.tensor([-0.5, 0.49 / 255, 0.51 / 255, 254.6 / 255, 1.5])
    assert torch.equal(quantise(image) * 255, torch.tensor([0.0, 0, 1, 255, 255]))


def test_saving_rounds_and_does_not_truncate(tmp_path):
    image = torch.full((1, 3, 2, 2), 199.9 / 255)
    assert np.asarray(Image.open(save_image(image, tmp_path / "a.png"))).tolist() == [[[200] * 3] * 2] * 2


def test_to_pil_keeps_grey_grey_and_takes_any_precision():
    assert to_pil(torch.zeros(1, 1, 4, 5)).mode == "L"
    picture = to_pil(torch.ones(1, 3, 4, 5, dtype=torch.bfloat16, requires_grad=True))
    assert picture.mode == "RGB"
    assert picture.size == (5, 4)
    assert picture.getpixel((0, 0)) == (255, 255, 255)


def test_saving_replaces_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "a.png"
    path.write_text("old")
    assert save_image(torch.rand(1, 3, 4, 4), str(path)) == path
    assert [file.name for file in tmp_path.iterdir()] == ["a.png"]
    assert load_image(path).shape == (1, 3, 4, 4)


@pytest.mark.parametrize("failure", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("moment", ["encoding", "renaming"])
def test_a_failed_save_leaves_the_old_file_and_no_other(tmp_path, monkeypatch, failure, moment):
    path = tmp_path / "a.png"
    save_image(torch.zeros(1, 3, 4, 4), path)
    before = path.read_bytes()

    def fail_halfway(picture, part, **options):
        Path(part).write_bytes(b"half a pict")
        raise failure

    def fail(*arguments):
        raise failure

    if moment == "encoding":
        monkeypatch.setattr(Image.Image, "save", fail_halfway)
    else:
        monkeypatch.setattr(Path, "replace", fail)
    told = ImageError if isinstance(failure, OSError) else KeyboardInterrupt
    with pytest.raises(told) as caught:
        save_image(torch.ones(1, 3, 4, 4), path)
    if isinstance(failure, OSError):
        assert str(caught.value) == "a.png: cannot be written: No space left on device"
    assert [file.name for file in tmp_path.iterdir()] == ["a.png"]
    assert path.read_bytes() == before


@pytest.mark.skipif(os.name == "nt", reason="file modes are POSIX's")
def test_a_saved_file_has_the_modes_of_any_new_file(tmp_path):
    (tmp_path / "plain").touch()
    path = save_image(torch.rand(1, 3, 4, 4), tmp_path / "a.png")
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_picture_too_wide_for_its_format_is_refused(tmp_path):
    message = complaint(save_image, torch.rand(1, 1, 1, 16_400), tmp_path / "a.webp")
    assert message.startswith("a.webp: cannot be written: ")
    assert list(tmp_path.iterdir()) == []


ONE = " is not one image; expected (1, 3, H, W) or (1, 1, H, W)"
FLOATING = "an image is a floating-point tensor (1, C, H, W) in [0, 1], got "
DIVERGED = (
    "are not finite (NaN or infinity); something diverged: try smaller weights or a smaller learning rate"
)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (torch.rand(2, 3, 4, 4), "shape (2, 3, 4, 4)" + ONE + "; of a batch, take one: image[:1]"),
        (torch.rand(3, 4, 4), "shape (3, 4, 4)" + ONE + "; add the batch axis: image[None]"),
        (torch.rand(1, 4, 4, 4), "shape (1, 4, 4, 4)" + ONE),
        (torch.rand(1, 3, 0, 4), "the image: has no pixels (4 × 0); every side needs at least one"),
        (torch.zeros(1, 3, 4, 4, dtype=torch.uint8), FLOATING + "torch.uint8; see load_image"),
        (np.zeros((4, 4, 3)), FLOATING + "ndarray; see load_image"),
        (torch.full((1, 1, 2, 2), torch.nan), "4 of the image's 4 values " + DIVERGED),
    ],
)
def test_what_cannot_be_saved(tmp_path, image, expected):
    assert complaint(save_image, image, tmp_path / "a.png") == expected
    assert list(tmp_path.iterdir()) == []


def test_where_it_cannot_be_saved(tmp_path):
    image = torch.rand(1, 3, 4, 4)
    assert complaint(save_image, image, tmp_path / "a.bmp") == (
        'a.bmp: cannot write ".bmp" files; end the name in .png, .jpg or .webp'
    )
    assert complaint(save_image, image, tmp_path / "a") == (
        "a: which kind of file? end the name in .png, .jpg or .webp"
    )
    assert complaint(save_image, image, tmp_path / "nowhere" / "a.png") == (
        f"a.png: there is no folder {tmp_path / 'nowhere'} to write it to; make it first"
    )
    (tmp_path / "b.png").mkdir()
    assert complaint(save_image, image, tmp_path / "b.png") == (
        "b.png: a folder of that name is in the way; choose another name"
    )
    (tmp_path / "c.png").write_text("mine")
    (tmp_path / "c.png").chmod(0o444)
    for refuse in (lambda path: save_image(image, path), writable_path):
        assert complaint(refuse, tmp_path / "c.png") == (
            "c.png: write-protected; choose another name, or allow writing to it first"
        )
    assert (tmp_path / "c.png").read_text() == "mine"


# --- settings ----------------------------------------------------------------------------------------

JSON = st.dictionaries(
    st.text(max_size=8),
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.lists(st.integers()),
    max_size=5,
)


@FILE_FIXTURE
@given(written=JSON, name=st.sampled_from(["a.png", "a.jpg", "a.webp"]))
def test_settings_come_back(tmp_path, written, name):
    path = save_image(torch.rand(1, 3, 4, 4), tmp_path / name, settings=written)
    assert read_settings(path) == written


def test_settings_do_not_touch_the_pixels(tmp_path):
    image = torch.rand(1, 3, 6, 6)
    assert torch.equal(
        load_image(save_image(image, tmp_path / "a.png", settings={"steps": 3})), quantise(image)
    )


def test_settings_that_json_cannot_hold_write_nothing(tmp_path):
    with pytest.raises(TypeError):
        save_image(torch.rand(1, 3, 4, 4), tmp_path / "a.png", settings={"image": torch.rand(2)})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp"])
def test_a_picture_without_settings(tmp_path, name):
    path = save_image(torch.rand(1, 3, 4, 4), tmp_path / name)
    assert complaint(read_settings, path) == f"{name}: holds no settings; only pictures saved by stylelab do"


def test_a_cameras_description_is_not_taken_for_settings(tmp_path):
    exif = Image.Exif()
    exif[0x010E] = "OLYMPUS DIGITAL CAMERA"
    (tmp_path / "photo.jpg").write_bytes(encoded(Image.fromarray(ramp()), "JPEG", exif=exif))
    assert "holds no settings" in complaint(read_settings, tmp_path / "photo.jpg")


@pytest.mark.parametrize(
    ("text", "reason"), [("{", "its settings are damaged"), ("[1]", "its settings are a list, not a dict")]
)
def test_damaged_settings(tmp_path, text, reason):
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text("stylelab", text)
    (tmp_path / "a.png").write_bytes(encoded(Image.fromarray(ramp()), pnginfo=chunks))
    assert complaint(read_settings, tmp_path / "a.png").startswith(f"a.png: {reason}")


def test_settings_of_a_missing_file_or_no_picture(tmp_path):
    assert complaint(read_settings, tmp_path / "a.png").startswith(f"a.png: no such file in {tmp_path}")
    (tmp_path / "b.png").write_text("hello")
    assert complaint(read_settings, tmp_path / "b.png").startswith("b.png: not a picture that can be read")


# --- samples -----------------------------------------------------------------------------------------


def test_sample_names_are_sorted_and_all_can_be_read():
    for kind in ("content", "style"):
        names = samples.sample_names(kind)
        assert names == sorted(names)
        for name in names:
            assert samples.sample_path(name).parent.name == kind
            assert max(load_image(name).shape[2:]) <= 640
    assert {"astronaut", "cat", "coffee", "dahlia", "pagoda", "rocket"} <= set(samples.sample_names())
    assert {
        "starry_night",
        "hubble",
        "tissue",
        "gravel",
        "stained_glass",
        "marbled_paper",
        "pen_hatching",
        "woodblock_waves",
        "pointillism",
        "impasto",
        "watercolour",
        "geometric_abstraction",
    } <= set(samples.sample_names("style"))


def test_unknown_samples_and_kinds():
    assert complaint(samples.sample_names, "styles") == (
        'unknown kind of sample "styles"; expected "content" or "style"'
    )
    message = complaint(samples.sample_path, "gravle")
    assert message.startswith('unknown sample "gravle"; did you mean gravel?')


def test_missing_samples_are_said_to_be_missing(monkeypatch, tmp_path):
    monkeypatch.setattr(samples, "__file__", str(tmp_path / "stylelab" / "pictures" / "samples.py"))
    assert complaint(samples.sample_names) == (
        f"the sample pictures are missing from {tmp_path / 'stylelab' / 'data'}; install stylelab again"
    )
