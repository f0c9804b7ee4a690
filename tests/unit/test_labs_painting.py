"""A photograph to paint on, Python's side: what the page tells is taken if it is paint, else refused."""

import ipywidgets.widgets.widget as registry
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from stylelab.colour.spaces import rgb_to_yuv
from stylelab.errors import StylelabError
from stylelab.labs.kit.base import Lab
from stylelab.labs.kit.painting import COLOURS, UNDONE, Painting, packed, unpacked

TALL, WIDE = 6, 8


class Painter(Lab):
    """A lab with a picture of 8 × 6 pixels and three regions; `heard` counts its changes."""

    def __init__(self):
        super().__init__()
        self.painting = Painting(self, "grey", torch.full((1, 3, TALL, WIDE), 0.5), 3)
        self.heard = 0
        self.on(self.painting, self.hear)
        self.build((self.painting.tools,), (self.painting,))

    def hear(self):
        self.heard += 1


@pytest.fixture
def lab():
    made = Painter()
    yield made
    made.close()


def blank(**rows):
    """Regions without paint but for whole rows: row2=1."""
    regions = np.zeros((TALL, WIDE), dtype=np.uint8)
    for name, region in rows.items():
        regions[int(name.removeprefix("row"))] = region
    return regions


def tell(lab, told, *buffers):
    """What the page sends, as it arrives."""
    lab.painting.page._handle_custom_msg(told, [memoryview(b) for b in buffers])


def stroke(lab, regions, number=1):
    tell(lab, {"kind": "painted", "stroke": number}, packed(regions))


def press(lab, label):
    buttons = lab.painting.tools.children[-1].children
    next(button for button in buttons if button.description == label).click()


def shown(lab) -> np.ndarray:
    """The regions that the page is given."""
    painted = lab.painting.page.painted
    return unpacked(painted["runs"], (painted["height"], painted["width"]), 3)


# Runs -------------------------------------------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 4)))
def test_runs_hold_the_regions_and_no_more_than_changes_of_region(regions):
    runs = packed(regions)
    assert np.array_equal(unpacked(runs, regions.shape, 4), regions)
    assert len(runs) == 4 * (1 + np.count_nonzero(np.diff(regions.ravel().astype(int))))


def test_runs_are_as_the_page_writes_them():
    assert np.frombuffer(packed(np.array([[0, 0, 2], [2, 2, 1]])), "<u4").tolist() == [
        2 * 8,
        3 * 8 + 2,
        8 + 1,
    ]


# Painting ---------------------------------------------------------------------------------------------------


def test_a_stroke_is_taken_and_told_of(lab):
    assert lab.painting.says == "grey, 8 × 6 pixels; nothing is painted on it."
    regions = blank(row0=1, row1=1, row2=1, row5=3)
    stroke(lab, regions, number=7)
    assert np.array_equal(lab.painting.regions, regions) and lab.painting.regions.dtype == np.uint8
    assert lab.painting.says == "grey, 8 × 6 pixels; region 1: 50 % of the picture, region 3: 17 %."
    assert lab.painting.page.alt == lab.painting.says
    assert lab.painting.text.value.count("stylelab-swatch") == 2 and COLOURS[2] in lab.painting.text.value
    assert lab.painting.page.painted["stroke"] == 7, "or the page would not believe what comes later"
    assert lab.heard == 1 and lab.last_error is None


def test_a_little_paint_is_not_called_none(lab):
    lab.painting.put("large", torch.zeros(1, 3, 20, 20))
    dot = np.zeros((20, 20), dtype=int)
    dot[3, 4] = 2
    lab.painting.fill(dot)
    assert "region 2: under 1 % of the picture" in lab.painting.says


def test_a_stroke_that_changes_nothing_is_answered_but_no_change(lab):
    stroke(lab, blank(row1=1), 1)
    stroke(lab, blank(row1=1), 2)
    assert lab.heard == 1 and lab.painting.page.painted["stroke"] == 2
    lab.painting.undo()
    assert not lab.painting.regions.any(), "one step, not two"


def test_what_was_painted_is_never_changed_in_place(lab):
    stroke(lab, blank(row1=1))
    before = lab.painting.value
    with pytest.raises(ValueError, match="read-only"):
        lab.painting.regions[0, 0] = 2
    given = blank(row2=2)
    lab.painting.fill(given)
    given[:] = 3
    assert np.array_equal(before.regions, blank(row1=1))
    assert np.array_equal(lab.painting.regions, blank(row2=2))


def test_masks_are_where_the_regions_are(lab):
    lab.painting.fill(blank(row0=1, row3=2))
    masks = lab.painting.masks()
    assert [m.shape for m in masks] == [(1, 1, TALL, WIDE)] * 3 and masks[0].dtype == torch.float32
    assert masks[0].sum() == WIDE and bool((masks[0][0, 0, 0] == 1).all())
    assert bool((masks[1][0, 0, 3] == 1).all()) and masks[2].sum() == 0


def test_soft_masks_fade_across_the_edge_and_stay_in_range(lab):
    lab.painting.put("large", torch.zeros(1, 3, 40, 60))
    halves = torch.ones(40, 60, dtype=torch.int64)
    halves[:, 30:] = 2
    lab.painting.fill(halves)
    first, second, none = lab.painting.masks(soft=3)
    torch.testing.assert_close(first + second, torch.ones(1, 1, 40, 60))
    assert first.min() >= 0 and first.max() <= 1 and none.abs().max() == 0
    across = first[0, 0, 20]
    assert bool((across.diff() <= 1e-6).all()) and across[0] > 0.999 and across[59] < 0.001
    assert across[30 - 3 : 30 + 3].sum().item() == pytest.approx(3, abs=1e-3), "as much on either side"


# Undo, clear, fill, another photograph ----------------------------------------------------------------------


@pytest.mark.parametrize("key", [False, True], ids=["the button", "Ctrl+Z"])
def test_changes_are_taken_back_one_by_one(lab, key):
    def undo():
        tell(lab, {"kind": "undo"}) if key else press(lab, "Undo")

    stroke(lab, blank(row1=1))
    lab.painting.fill(blank(row2=2))
    press(lab, "Clear")
    assert not lab.painting.regions.any()
    for before in (blank(row2=2), blank(row1=1), blank(), blank()):
        undo()
        assert np.array_equal(lab.painting.regions, before) and np.array_equal(shown(lab), before)
    assert lab.last_error is None and lab.heard == 6


def test_so_many_changes_are_kept_and_no_more(lab):
    for number in range(UNDONE + 5):
        lab.painting.fill(blank(**{f"row{number % 5}": 1 + number % 2}))
    for _ in range(UNDONE + 5):
        lab.painting.undo()
    assert np.array_equal(lab.painting.regions, blank(row4=1)), "the fifth; what was before is forgotten"


def test_another_photograph_has_no_paint_and_no_past(lab):
    stroke(lab, blank(row1=1))
    lab.painting.put("tall", torch.rand(1, 3, 10, 4))
    assert lab.painting.says == "tall, 4 × 10 pixels; nothing is painted on it."
    assert lab.painting.regions.shape == (10, 4) and lab.painting.page.painted["height"] == 10
    lab.painting.undo()
    assert lab.painting.regions.shape == (10, 4)
    lab.painting.put("wide", torch.rand(1, 3, TALL, WIDE), blank(row2=2))
    assert np.array_equal(lab.painting.regions, blank(row2=2)) and lab.painting.value.name == "wide"


def test_the_name_of_a_photograph_is_no_html(lab):
    lab.painting.put("<b>.png", torch.rand(1, 3, TALL, WIDE))
    assert "<b>" not in lab.painting.text.value and "<b>.png, 8" in lab.painting.says


@pytest.mark.parametrize(
    ("regions", "complaint"),
    [
        (np.zeros((WIDE, TALL), int), "regions of the shape 8 × 6; the photograph has 6 × 8"),
        (np.zeros((TALL, WIDE)), "type float64; give whole numbers"),
        (np.full((TALL, WIDE), 4), "numbered 4 to 4; give 1 to 3"),
        (np.full((TALL, WIDE), -1), "numbered -1 to -1"),
        (torch.zeros(1, 1, TALL, WIDE, dtype=torch.uint8), "regions of the shape 1 × 1 × 6 × 8"),
    ],
)
def test_what_are_no_regions_is_refused(lab, regions, complaint):
    lab.painting.fill(blank(row1=1))
    with pytest.raises(StylelabError, match=complaint):
        lab.painting.fill(regions)
    assert np.array_equal(lab.painting.regions, blank(row1=1))


# What the page must not tell --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "runs",
    [
        b"",
        b"\1\2\3",
        packed(blank())[:-1],
        packed(blank()) + b"\0\0",
        packed(np.zeros((TALL, WIDE + 1), int)),
        packed(np.full((TALL, WIDE), 4)),
        np.array([0xFFFFFFFF], "<u4").tobytes(),
        np.array([1 << 31] * 16 + [TALL * WIDE << 3], "<u4").tobytes(),
    ],
    ids=["none", "three bytes", "cut", "a half too many", "wider", "region 4", "endless", "2^32 too many"],
)
def test_paint_that_does_not_fit_is_refused_and_taken_off_the_page(lab, runs):
    stroke(lab, blank(row1=1), 1)
    tell(lab, {"kind": "painted", "stroke": 2}, runs)
    assert isinstance(lab.last_error, StylelabError) and "it was not taken" in lab.complaint.value
    assert np.array_equal(lab.painting.regions, blank(row1=1)) and lab.heard == 1
    assert np.array_equal(shown(lab), blank(row1=1)) and lab.painting.page.painted["stroke"] == 2
    stroke(lab, blank(row3=2), 3)
    assert np.array_equal(lab.painting.regions, blank(row3=2)) and lab.complaint.value == ""


@pytest.mark.parametrize(
    ("told", "buffers"),
    [
        (None, []),
        ([], []),
        ({}, []),
        ({"kind": "painted"}, [packed(blank(row1=1))]),
        ({"kind": "painted", "stroke": "1"}, [packed(blank(row1=1))]),
        ({"kind": "painted", "stroke": 1}, []),
        ({"kind": "painted", "stroke": 1}, [packed(blank(row1=1))] * 2),
        ({"phase": "down", "x": 0.5, "y": 0.5}, []),
    ],
)
def test_other_messages_are_refused_and_the_lab_goes_on(lab, told, buffers):
    tell(lab, told, *buffers)
    assert isinstance(lab.last_error, StylelabError) and "no paint" in lab.complaint.value
    assert not lab.painting.regions.any() and lab.heard == 0
    stroke(lab, blank(row1=1))
    assert lab.heard == 1 and lab.complaint.value == ""


# Controls ---------------------------------------------------------------------------------------------------


def test_the_page_paints_with_what_is_chosen(lab):
    assert [name for name, _ in lab.painting.region.options] == ["region 1", "region 2", "region 3", "eraser"]
    lab.painting.region.value, lab.painting.brush.value = 2, 9
    assert (lab.painting.page.region, lab.painting.page.brush) == (2, 9)
    lab.painting.region.value = 0
    assert lab.painting.page.region == 0


def test_the_colours_are_apart_in_lightness_and_no_red_is_beside_a_green():
    rgb = torch.tensor([[int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)] for colour in COLOURS])
    luminance = rgb_to_yuv(rgb.T[None, :, :, None])[0, 0].flatten()
    assert luminance.sort().values.diff().min() > 0.1
    red, green, blue = rgb.T
    assert not bool(((green > 1.3 * red) & (green > 1.3 * blue)).any()), "no green, so no such pair"


def test_a_closed_painting_leaves_nothing_registered_and_hears_nothing():
    before = {*registry._instances}
    lab = Painter()
    heard = lab.painting
    lab.close()
    assert {*registry._instances} <= before
    tell(lab, {"kind": "painted", "stroke": 1}, packed(blank(row1=1)))
    assert not heard.regions.any()
