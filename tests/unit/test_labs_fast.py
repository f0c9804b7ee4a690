"""The lab of fast networks: what it shows is what the network paints, in the mixture that the sliders say."""

import io

import pytest
import torch
from PIL import Image

import stylelab
from stylelab import labs
from stylelab.errors import WeightsError
from stylelab.labs.fast_lab import FACE, PAD
from stylelab.labs.kit.touchable import Touch
from stylelab.learning.records import jpeg

STYLES = ("night", "day", "rain", "snow", "fog")


@pytest.fixture(scope="module")
def network():
    """An untrained network, whose styles differ; one has a thumbnail."""
    made = stylelab.FastNetwork(STYLES, widths=(4, 4, 4), blocks=1, seed=3)
    with torch.no_grad():
        made.vectors += 0.3 * torch.randn(made.vectors.shape, generator=torch.Generator().manual_seed(1))
    red = torch.tensor([0.9, 0.1, 0.1]).view(1, 3, 1, 1).expand(1, 3, 60, 90)
    made.thumbnails["night"] = jpeg(red)
    return made


@pytest.fixture
def lab(network):
    made = labs.fast(network, size=64, content="cat")
    assert made.wait(60) and made.last_error is None
    yield made
    made.close()


def wait(lab):
    assert lab.wait(60) and lab.last_error is None


def line_of(lab) -> str:
    return lab.line.value.split('margin: 2px">')[1].split("</pre>")[0].replace("&#x27;", "'")


def test_it_shows_at_once_what_the_network_paints(lab, network):
    cat = stylelab.load_image("cat", 64)
    assert torch.equal(lab.result, network.stylise(cat, "night"))
    assert lab.picture.says == f"cat, {cat.shape[-1]} × {cat.shape[-2]} pixels: night 100%."


def test_sliders_are_normalised_to_a_mixture(lab, network):
    lab.weights["night"].value, lab.weights["rain"].value = 0.2, 0.6
    lab.strength.value = 0.5
    wait(lab)
    cat = stylelab.load_image("cat", 64)
    assert torch.equal(lab.result, network.stylise(cat, {"rain": 0.75, "night": 0.25}, 0.5))
    assert lab.picture.says.endswith("pixels: rain 75%, night 25%; strength 0.5.")


def test_the_line_of_code_makes_the_picture(lab, network):
    lab.weights["snow"].value = 0.5
    lab.strength.value, lab.size.value = 1.2, 96
    wait(lab)
    made = eval(line_of(lab), {"stylelab": stylelab, "network": network})
    assert torch.equal(made, lab.result)
    for slider in lab.weights.values():
        slider.value = 0
    wait(lab)
    assert torch.equal(lab.result, stylelab.load_image("cat", 96)), "no style: the photograph"
    assert "every style stands at 0" in lab.picture.says
    assert torch.equal(eval(line_of(lab), {"stylelab": stylelab}), lab.result)


@pytest.mark.parametrize(
    ("place", "shares"),
    [
        ((0.0, 0.0), {"night": 1.0}),
        ((1.0, 0.0), {"day": 1.0}),
        ((0.0, 1.0), {"rain": 1.0}),
        ((1.0, 1.0), {"snow": 1.0}),
        ((0.5, 0.5), dict.fromkeys(STYLES[:4], 0.25)),
        ((0.25, 0.0), {"night": 0.75, "day": 0.25}),
    ],
)
def test_a_place_on_the_pad_mixes_its_corners(lab, network, place, shares):
    lab.weights["fog"].value = 1.0
    for corner, style in zip(lab.corners, STYLES, strict=False):
        corner.value = style
    lab._stand(Touch("down", *place))
    wait(lab)
    assert lab.settings().mixture == pytest.approx(shares)
    assert torch.equal(lab.result, network.stylise(stylelab.load_image("cat", 64), shares))


def test_one_style_in_two_corners_counts_twice(lab):
    for corner in lab.corners:
        corner.value = "rain"
    lab.corners[3].value = "snow"
    lab._stand(Touch("move", 0.5, 0.5))
    assert lab.settings().mixture == pytest.approx({"rain": 0.75, "snow": 0.25})


def test_the_pad_shows_the_faces_of_its_corners_and_where_one_stands(lab):
    lab.corners[0].value, lab.corners[1].value = "night", "day"
    pad = Image.open(io.BytesIO(lab.pad.image.value)).convert("RGB")
    assert pad.size == (PAD, PAD)
    red, _, blue = pad.getpixel((FACE // 2, FACE // 2))
    assert red > 200 and blue < 60, "a thumbnail"
    assert max(pad.getpixel((PAD - FACE // 2, FACE // 2))) < 170, "grey where there is none"
    before = pad.getpixel((PAD // 2, PAD // 2))
    lab._stand(Touch("up", 0.5, 0.5))
    wait(lab)
    after = Image.open(io.BytesIO(lab.pad.image.value)).convert("RGB").getpixel((PAD // 2, PAD // 2))
    assert sum(before) > 600 > 100 > sum(after)


def test_a_drag_is_one_picture_at_a_time_and_ends_at_the_last_place(lab, network):
    painted = []
    real = type(network).stylise

    def counted(self, image, style=None, *more):
        painted.append(style)
        return real(self, image, style, *more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(network), "stylise", counted)
        for n in range(50):
            lab._stand(Touch("move", n / 49, 0.0))
        wait(lab)
    first, second = lab.corners[0].value, lab.corners[1].value
    assert painted[-1] == {second: 1.0} and len(painted) < 50, "what is out of date is not painted"
    assert {first, second} >= {name for style in painted for name in style}


def test_saving_writes_the_picture(lab, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lab.save.button.click()
    lab.save.button.click()
    assert lab.save.said.value == "saved fast-2.png" and (tmp_path / "fast.png").exists()
    torch.testing.assert_close(stylelab.load_image("fast.png"), lab.result, atol=0.5 / 255 + 1e-6, rtol=0)


def test_a_saved_network_is_opened_by_its_file(network, tmp_path):
    network.save(tmp_path / "own.safetensors")
    made = labs.fast(tmp_path / "own.safetensors", size=64)
    try:
        wait(made)
        assert "own.safetensors')" in line_of(made)
        assert torch.equal(eval(line_of(made), {"stylelab": stylelab}), made.result)
    finally:
        made.close()
    (tmp_path / "no.safetensors").write_bytes(b"nothing")
    with pytest.raises(WeightsError):
        labs.fast(tmp_path / "no.safetensors")


def test_a_network_of_one_style_has_one_slider(tmp_path):
    made = labs.fast(stylelab.FastNetwork(("night",), widths=(4, 4, 4), blocks=1), size=64)
    try:
        wait(made)
        assert [*made.weights] == ["night"] and {corner.value for corner in made.corners} == {"night"}
    finally:
        made.close()
