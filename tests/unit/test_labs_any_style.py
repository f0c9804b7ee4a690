"""The lab of any style: what it shows is what AdaIN and WCT paint, and nothing is encoded twice."""

import html
import io
import re
from datetime import UTC, datetime

import pytest
import torch

import stylelab
from stylelab import labs
from stylelab.arbitrary import LEVELS, AnyStyle, Decoders
from stylelab.errors import ImageError, StylelabError


@pytest.fixture
def lab():
    made = labs.any_style(size=64, content="cat", style="brick")
    wait(made)
    yield made
    made.close()


@pytest.fixture
def encoded(monkeypatch):
    """The shapes of the pictures that are encoded from now on."""
    shapes, real = [], AnyStyle.encode

    def counted(self, image):
        shapes.append(tuple(image.shape))
        return real(self, image)

    monkeypatch.setattr(AnyStyle, "encode", counted)
    return shapes


def wait(lab):
    assert lab.wait(120) and lab.last_error is None


def ticked(lab) -> list[str]:
    return [name for name, box in lab.levels.items() if box.value]


def tick(lab, *names):
    for name, box in lab.levels.items():
        box.value = name in names


def line_of(lab) -> str:
    return html.unescape(re.search(r"<pre[^>]*>(.*)</pre>", lab.line.value, re.DOTALL)[1])


def made_by_the_line(lab, **names) -> torch.Tensor:
    """The picture that the lab's code makes; its last line is the picture."""
    *before, last = line_of(lab).splitlines()
    names["stylelab"] = stylelab
    exec("\n".join(before), names)
    return eval(last, names)


def uploaded(picture: torch.Tensor, name: str) -> tuple[dict]:
    file = io.BytesIO()
    stylelab.pictures.to_pil(picture).save(file, "png")
    entry = {"name": name, "type": "image/png", "size": file.tell(), "content": file.getvalue()}
    return (entry | {"last_modified": datetime.now(UTC)},)


def test_it_shows_at_once_what_adain_paints(lab):
    cat = stylelab.load_image("cat", 64)
    assert line_of(lab) == "stylelab.AdaIN().stylise(stylelab.load_image('cat', 64), 'brick')"
    assert torch.equal(lab.result, stylelab.AdaIN().stylise(cat, "brick"))
    says = (
        f"cat like brick, {cat.shape[-1]} × {cat.shape[-2]} pixels: AdaIN at relu1_1 to relu4_1, strength 1"
    )
    assert re.fullmatch(says + r"; \d+\.\d\d s to encode, \d+\.\d\d s to paint\.", lab.picture.says)
    assert (lab.before.says, lab.style_picture.says) == ("The photograph: cat.", "The painting: brick.")


@pytest.mark.parametrize(
    ("method", "levels", "said"),
    [
        ("AdaIN", LEVELS[:2], "relu1_1 and relu2_1"),
        ("AdaIN", LEVELS[3:], "relu4_1"),
        ("AdaIN", LEVELS[1:], "relu2_1 to relu4_1"),
        ("WCT", LEVELS, "relu1_1 to relu4_1"),
        ("WCT", (LEVELS[0], LEVELS[1], LEVELS[3]), "relu1_1, relu2_1 and relu4_1"),
    ],
)
@pytest.mark.parametrize("keep", [False, True])
def test_the_line_of_code_makes_the_picture(lab, method, levels, said, keep):
    lab.method.value, lab.strength.value, lab.keep_colours.value = method, 0.65, keep
    tick(lab, *levels)
    wait(lab)
    assert f"{method} at {said}, strength 0.65" in lab.picture.says
    assert ("colours kept" in lab.picture.says) == keep
    assert torch.equal(made_by_the_line(lab), lab.result)


def test_a_small_photograph_is_not_enlarged_and_decides_on_the_painting(lab):
    lab.photograph.upload.value = uploaded(stylelab.load_image("coffee", 40), "small.png")
    wait(lab)
    assert max(lab.result.shape[-2:]) == 40
    code = "stylelab.AdaIN().stylise(stylelab.load_image('small.png', 64), 'brick')"
    assert (
        line_of(lab) == f"# first put a copy of the file you uploaded beside the notebook: small.png\n{code}"
    )


def test_both_pictures_can_be_uploaded(lab, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for chooser, name, sample in (
        (lab.photograph, "mine.png", "rocket"),
        (lab.painting, "hers.png", "gravel"),
    ):
        picture = stylelab.load_image(sample, 90)
        chooser.upload.value = uploaded(picture, name)
        stylelab.save_image(picture, name)
    wait(lab)
    assert lab.picture.says.startswith("mine.png like hers.png, ")
    assert lab.style_picture.says == "The painting: hers.png."
    assert line_of(lab).startswith(
        "# first put copies of the files you uploaded beside the notebook: mine.png"
    )
    assert torch.equal(made_by_the_line(lab), lab.result)


def test_nothing_is_encoded_again_while_strength_method_and_levels_change(lab, encoded):
    for strength in (0.0, 0.4, 0.8):
        lab.strength.value = strength
        wait(lab)
    lab.method.value = "WCT"
    tick(lab, *LEVELS[2:])
    lab.keep_colours.value = True
    wait(lab)
    assert encoded == []
    lab.painting.sample.value = "gravel"
    wait(lab)
    assert encoded == [tuple(stylelab.load_image("gravel", 64).shape)], "the photograph is known"
    lab.size.value = 96
    wait(lab)
    assert [max(shape) for shape in encoded[1:]] == [96, 96]


def test_strength_leads_from_the_photograph_to_the_painting(lab):
    full = lab.result
    lab.strength.value = 0.0
    wait(lab)
    decoded = lab.result
    lab.method.value = "WCT"
    tick(lab, *LEVELS)
    wait(lab)
    assert torch.equal(lab.result, decoded), "at 0 the methods are the same: VGG-19 there and back"
    cat = stylelab.load_image("cat", 64)
    assert (decoded - cat).square().mean() < (full - cat).square().mean()


def test_the_boxes_stand_as_the_method_has_them_until_others_are_ticked(lab):
    own = {"AdaIN": list(stylelab.AdaIN().levels), "WCT": list(stylelab.WCT().levels)}
    assert ticked(lab) == own["AdaIN"]
    lab.method.value = "WCT"
    assert ticked(lab) == own["WCT"] and line_of(lab).startswith("stylelab.WCT().")
    lab.method.value = "AdaIN"
    assert ticked(lab) == own["AdaIN"]
    tick(lab, "relu2_1")
    lab.method.value = "WCT"
    assert ticked(lab) == ["relu2_1"] and "levels='relu2_1'" in line_of(lab)
    wait(lab)


def test_without_a_layer_there_is_nothing_to_exchange(lab):
    code = line_of(lab)
    tick(lab)
    assert isinstance(lab.last_error, StylelabError) and "no layer is ticked" in lab.complaint.value
    assert lab.wait(60) and "no layer is ticked" in lab.complaint.value, "what was still asked for is painted"
    assert line_of(lab) != code and "levels='relu4_1'" in line_of(lab), "the last that can be painted"
    lab.levels["relu3_1"].value = True
    assert lab.complaint.value == "" and lab.wait(60)
    assert torch.equal(made_by_the_line(lab), lab.result)


def test_a_picture_that_is_too_small_is_said_in_one_line_and_the_lab_goes_on(lab):
    before = lab.result
    lab.painting.upload.value = uploaded(torch.rand(1, 3, 8, 40), "stripe.png")
    assert lab.wait(60) and isinstance(lab.last_error, ImageError)
    assert "40 × 8 pixels" in lab.complaint.value and lab.result is before
    assert lab.style_picture.says == "The painting: brick."
    lab.painting.sample.value = "gravel"
    assert lab.wait(60) and lab.complaint.value == "" and lab.result is not before


def test_a_drag_is_one_picture_at_a_time_and_ends_at_the_last_place(lab, monkeypatch):
    painted, real = [], AnyStyle.painted

    def counted(self, content, styles, size, strength):
        painted.append(strength)
        return real(self, content, styles, size, strength)

    monkeypatch.setattr(AnyStyle, "painted", counted)
    for n in range(51):
        lab.strength.value = 1 - n / 50
    wait(lab)
    assert painted == sorted(painted, reverse=True) and painted[-1] == 0
    assert len(painted) < 51, "what is out of date is not painted"


def test_saving_writes_the_picture(lab, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lab.save.button.click()
    lab.save.button.click()
    assert lab.save.said.value == "saved any_style-2.png" and (tmp_path / "any_style.png").exists()
    saved = stylelab.load_image("any_style.png")
    torch.testing.assert_close(saved, lab.result, atol=0.5 / 255 + 1e-6, rtol=0)


def test_before_there_is_a_picture_nothing_is_saved(lab, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lab.result = None
    lab.save.button.click()
    assert "no picture yet" in lab.complaint.value and not [*tmp_path.iterdir()]


def test_decoders_of_ones_own():
    decoders = Decoders(seed=3)
    made = labs.any_style(decoders, size=64)
    try:
        wait(made)
        assert line_of(made).startswith("stylelab.AdaIN(decoders=decoders).stylise(")
        assert torch.equal(made_by_the_line(made, decoders=decoders), made.result)
    finally:
        made.close()
