"""The lab of regions: what is painted is what the transfer is asked for, and it goes on where it was."""

import html
import re
import threading

import ipywidgets.widgets.widget as registry
import numpy as np
import pytest
import torch

import stylelab
from stylelab import labs
from stylelab.errors import ImageError, StylelabError
from stylelab.labs import control_lab
from stylelab.labs.control_lab import LEFT, ORDER
from stylelab.optimisation.results import Step

STEPS = 4


class Transfers(list):
    """What `optimise` was asked for, each time; a step makes the picture darker by a tenth.

    `hold` lets steps be done only while it is set.
    """

    def __init__(self):
        self.hold = threading.Event()
        self.hold.set()

    def optimise(self, content, styles, recipe, masks=None, init=None):
        self.append({"content": content, "styles": styles, "recipe": recipe, "masks": masks, "init": init})
        image = content if init is None else init
        for index in range(1, STEPS + 1):
            self.hold.wait(10)
            image = image * 0.9
            yield Step(index, STEPS, 64, image, torch.tensor([1.0]), ("total",), 0.1)


@pytest.fixture
def transfers(monkeypatch):
    made = Transfers()
    monkeypatch.setattr(control_lab, "optimise", made.optimise)
    return made


@pytest.fixture
def lab(transfers, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = labs.control(size=64, content="cat", styles=("brick", "gravel", "tissue"))
    wait(made)
    yield made
    transfers.hold.set()
    made.close()


def wait(lab):
    assert lab.wait(60) and lab.last_error is None


def halves(lab, upper=1, lower=2):
    """Regions: the upper half of the photograph, and the lower."""
    regions = np.full_like(lab.painting.regions, lower)
    regions[: len(regions) // 2] = upper
    return regions


def line_of(lab) -> str:
    return html.unescape(re.search(r"<pre[^>]*>(.*)</pre>", lab.line.value, re.DOTALL)[1])


def begin(lab):
    lab.painting.fill(halves(lab))
    lab.start.click()
    wait(lab)


def test_a_run_is_asked_for_what_is_painted(lab, transfers):
    lab.soft.value = 0
    begin(lab)
    (asked,) = transfers
    cat = stylelab.load_image("cat", 64)
    assert torch.equal(asked["content"], cat) and asked["init"] is None
    assert [weight for _, weight in asked["styles"]] == [1, 1]
    for (painting, _), name in zip(asked["styles"], ("brick", "gravel"), strict=True):
        assert torch.equal(painting, stylelab.load_image(name))
    half = cat.shape[-2] // 2
    for (where, what), rows in zip(asked["masks"], (slice(0, half), slice(half, None)), strict=True):
        expected = torch.zeros(1, 1, *cat.shape[-2:])
        expected[..., rows, :] = 1
        assert torch.equal(where, expected) and what is None
    assert asked["recipe"] == stylelab.RECIPES["quick"].replace(size=64)
    assert (
        lab.picture.says == f"cat: brick on region 1, gravel on region 2; step {STEPS} of {STEPS}, 64 pixels."
    )
    torch.testing.assert_close(lab.result, cat * 0.9**STEPS)


def test_a_painting_is_laid_on_all_its_regions_and_none_on_what_is_left(lab, transfers):
    regions = halves(lab, 1, 3)
    regions[:, :20] = 4
    lab.painting.fill(regions)
    for region, painting in zip(lab.regions, (ORDER[2], ORDER[0], LEFT, ORDER[2]), strict=True):
        region.value = painting
    lab.soft.value = 3
    lab.start.click()
    wait(lab)
    (asked,) = transfers
    assert len(asked["styles"]) == len(asked["masks"]) == 1, "nothing is painted for the second region"
    assert torch.equal(asked["styles"][0][0], stylelab.load_image("tissue"))
    first, _, third, fourth = lab.painting.masks(3)
    torch.testing.assert_close(asked["masks"][0][0], first + fourth)
    assert third.sum() > 0 and "tissue on regions 1 and 4;" in lab.picture.says


@pytest.mark.parametrize("regions", [None, 4], ids=["nothing painted", "only what is left as it is"])
def test_a_start_without_a_region_to_paint_is_one_line(lab, transfers, regions):
    if regions:
        lab.painting.fill(halves(lab, regions, regions))
    lab.start.click()
    assert lab.wait(60) and "no region has a painting" in lab.complaint.value and not transfers
    assert isinstance(lab.last_error, StylelabError) and not lab.running


def alike(a, b) -> bool:
    """Whether two nests of tuples, lists, tensors and numbers are the same."""
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(alike, a, b))
    if isinstance(a, torch.Tensor):
        return a.shape == b.shape and torch.equal(a, b)
    return a == b


# Going on ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        lambda lab: lab.painting.fill(halves(lab, 2, 1)),
        lambda lab: setattr(lab.regions[0], "value", ORDER[2]),
        lambda lab: setattr(lab.paintings[0].sample, "value", "hubble"),
        lambda lab: setattr(lab.weight, "value", 20.0),
        lambda lab: setattr(lab.soft, "value", 8),
    ],
    ids=["paint", "region", "painting", "weight", "soft"],
)
def test_a_change_goes_on_from_the_picture_there_is(lab, transfers, change):
    begin(lab)
    before = lab.result
    change(lab)
    wait(lab)
    assert len(transfers) == 2
    assert torch.equal(transfers[1]["init"], before) and transfers[1]["recipe"].scales == (1.0,)
    told = [(asked["masks"], asked["styles"], asked["recipe"].style_weight) for asked in transfers]
    assert not alike(*told), "what it goes on with is something else"


def test_nothing_runs_before_start(lab, transfers):
    lab.painting.fill(halves(lab))
    lab.weight.value, lab.soft.value = 20.0, 8
    wait(lab)
    assert not transfers and lab.result is None


def test_a_stroke_in_the_middle_of_a_run_takes_its_place(lab, transfers):
    lab.painting.fill(halves(lab))
    transfers.hold.clear()
    lab.start.click()
    while not transfers:
        lab.wait(0.01)
    for row in range(5):
        regions = halves(lab)
        regions[row] = 2
        lab.painting.fill(regions)
    transfers.hold.set()
    wait(lab)
    assert len(transfers) == 2, "the newest of five, once"
    assert torch.equal(transfers[1]["masks"][1][0], lab.settings().masks[1])
    assert transfers[1]["init"] is not None


def test_after_stop_nothing_goes_on_by_itself(lab, transfers):
    begin(lab)
    kept = lab.result
    lab.stop.click()
    lab.painting.fill(halves(lab, 2, 1))
    wait(lab)
    assert len(transfers) == 1 and lab.result is kept
    lab.start.click()
    wait(lab)
    assert len(transfers) == 2 and transfers[1]["init"] is None, "Start begins with the photograph"


def test_all_paint_taken_off_asks_for_nothing(lab, transfers):
    begin(lab)
    lab.painting.clear()
    wait(lab)
    assert len(transfers) == 1
    lab.painting.undo()
    wait(lab)
    assert len(transfers) == 2


def test_another_photograph_ends_the_run_and_has_no_paint(lab, transfers):
    lab.painting.fill(halves(lab))
    transfers.hold.clear()
    lab.start.click()
    while not transfers:
        lab.wait(0.01)
    lab.photograph.sample.value = "pagoda"
    transfers.hold.set()
    wait(lab)
    assert lab.result is None and not lab.running and not lab.painting.regions.any()
    assert lab.painting.says.startswith("pagoda, 64 × 43 pixels; nothing")
    assert lab.picture.says.startswith("pagoda, before the first step")
    count = len(transfers)
    lab.painting.fill(halves(lab))
    wait(lab)
    assert len(transfers) == count


def test_another_size_keeps_the_paint(lab, transfers):
    lab.painting.fill(halves(lab))
    before = lab.painting.value.shares()
    lab.size.value = 128
    wait(lab)
    assert max(lab.painting.regions.shape) == 128
    assert lab.painting.value.shares() == pytest.approx(before, abs=0.02)
    assert set(np.unique(lab.painting.regions)) == {1, 2}
    lab.start.click()
    wait(lab)
    assert max(transfers[-1]["content"].shape) == transfers[-1]["recipe"].size == 128


# Suggested, saved, told -------------------------------------------------------------------------------------


def test_suggested_regions_are_those_of_segment(lab, monkeypatch):
    asked = []

    def found(image, regions):
        asked.append((image, regions))
        shape = image.shape[-2:]
        masks = torch.full((regions, 1, 1, *shape), 0.1)
        masks[2, ..., : shape[1] // 2] = masks[0, ..., shape[1] // 2 :] = 0.7
        return list(masks)

    monkeypatch.setattr(control_lab, "segment", found)
    next(b for b in lab.painting.tools.children[-1].children if b.description == "Suggest regions").click()
    wait(lab)
    ((image, regions),) = asked
    assert torch.equal(image, stylelab.load_image("cat", 64)) and regions == 4
    half = image.shape[-1] // 2
    assert (lab.painting.regions[:, :half] == 3).all() and (lab.painting.regions[:, half:] == 1).all()
    assert lab.said.value == ""
    lab.painting.undo()
    assert not lab.painting.regions.any()


def test_the_line_of_code_says_what_is_painted(lab):
    assert line_of(lab) == "stylelab.load_image('cat', 64)"
    lab.painting.fill(halves(lab, 1, 4))
    assert line_of(lab).splitlines()[1] == (
        "stylelab.transfer('cat', 'brick', 'quick', size=64, masks=['control_mask_1.png'])"
    )
    lab.regions[3].value, lab.weight.value, lab.file.value = ORDER[1], 20.0, "mine.png"
    assert line_of(lab).splitlines()[1] == (
        "stylelab.transfer('cat', [('brick', 1), ('gravel', 1)], 'quick', size=64, style_weight=20.0, "
        "masks=['mine_mask_1.png', 'mine_mask_2.png'])"
    )


def test_the_saved_masks_and_the_line_make_the_picture_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(control_lab, "RECIPE", control_lab.RECIPE.replace(steps=(2, 2, 2)))
    lab = labs.control(size=64, content="cat", styles=("brick", "gravel", "tissue"))
    try:
        lab.soft.value = 0
        lab.painting.fill(halves(lab))
        lab.start.click()
        assert lab.wait(120) and lab.last_error is None
        lab.save.click()
        assert lab.said.value == "saved control.png, control_mask_1.png, control_mask_2.png"
        settings = stylelab.read_settings("control.png")
        assert settings["masked"] and [name for name, _ in settings["style"]] == ["brick", "gravel"]
        code = line_of(lab).replace("size=64", "size=64, steps=(2, 2, 2), progress=False")
        made = eval(code.splitlines()[1], {"stylelab": stylelab})
        torch.testing.assert_close(made.image, lab.result)
        photograph = stylelab.load_image("cat", 64)
        assert (lab.result - photograph).abs().mean() > 0.01
        lab.painting.fill(halves(lab, 1, 0))
        assert lab.wait(120) and lab.last_error is None
        lower = slice(photograph.shape[-2] // 2, None)
        assert torch.equal(lab.result[..., lower, :], photograph[..., lower, :]), "what is left is as it was"
        lab.save.click()
        assert lab.said.value == "saved control-2.png, control-2_mask_1.png"
        assert "init" in stylelab.read_settings("control-2.png")["without_effect"]
    finally:
        lab.close()


def test_there_is_nothing_to_save_before_a_run(lab, tmp_path):
    lab.save.click()
    assert "there is no picture yet" in lab.complaint.value and not list(tmp_path.iterdir())


def test_a_wrong_name_is_told_at_once():
    with pytest.raises(ImageError, match="brik"):
        labs.control(styles=("brik", "gravel", "tissue"))


def test_a_closed_lab_leaves_nothing_behind(transfers):
    registered, drawn = {*registry._instances}, torch.get_rng_state()
    lab = labs.control(size=64)
    begin(lab)
    lab.close()
    assert {*registry._instances} <= registered and torch.equal(torch.get_rng_state(), drawn)
    assert not [t for t in threading.enumerate() if t.name.startswith("lab ")]
