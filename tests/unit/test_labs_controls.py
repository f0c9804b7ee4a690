"""Every control of every lab, through its range: something changes, nothing goes wrong, no thread is left."""

import threading

import ipywidgets as widgets
import ipywidgets.widgets.widget as registry
import pytest
import torch

from stylelab import labs
from stylelab.labs.kit.base import Picture
from stylelab.labs.kit.touchable import Touchable
from stylelab.optimisation.published import RECIPES

SLIDERS = (widgets.IntSlider, widgets.FloatSlider, widgets.FloatLogSlider)
CHOICES = (widgets.Dropdown, widgets.SelectionSlider)
SIZES = {
    "first_picture": {"size": 64},
    "gram": {"size": 64, "texture": 48},
    "content": {"size": 48},
    "total_variation": {"size": 48},
    "colour": {"size": 64},
    "patches": {"size": 32},
    "differences": {"size": 32, "steps": 25},
    "any_style": {"size": 64},
}
# What only the next run answers to, or a picture that it has made.
FOR_RUNS = {"steps", "patch (pixels)", "optimiser", "save as", "hidden units", "before | after"}
FOR_RUNS |= {f"relu{n}_1" for n in range(1, 6)}


@pytest.fixture(params=SIZES)
def lab(request, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = getattr(labs, request.param)(**SIZES[request.param])
    if request.param == "differences":
        made.start.click()
    assert made.wait(120) and made.last_error is None
    yield made
    made.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("lab ")]


def family(widget):
    for child in getattr(widget, "children", ()):
        yield from family(child)
    yield widget


def values_of(control):
    """The ends and the middle of a slider, every choice, both states of a box; the present value last."""
    now = control.value
    if isinstance(control, widgets.FloatLogSlider):
        return [10**control.min, 10**control.max, now]
    if isinstance(control, SLIDERS):
        return [control.min, control.max, now]
    if isinstance(control, CHOICES):
        choices = [o[1] if isinstance(o, tuple) else o for o in control.options]
        return [*choices[:3], choices[-1], now]
    return [not now, now]


def seen(lab):
    """All that the page shows: the bytes of pictures and the lines of text."""
    shown = (w for w in family(lab) if isinstance(w, Touchable | widgets.HTML))
    return [w.value for w in shown if w is not getattr(lab, "status", None)]


def drive(lab):
    """Moves every control of a lab through its range, and looks at what the page would show."""
    driven = [w for w in family(lab) if isinstance(w, (*SLIDERS, *CHOICES, widgets.Checkbox))]
    assert len(driven) >= 3
    if hasattr(lab, "mix"):
        lab.mix.value = 0.5  # or the second painting would not count
    for control in driven:
        before, changed = seen(lab), False
        for value in values_of(control):
            control.value = value
            assert (
                control.value == pytest.approx(value) if isinstance(value, float) else control.value == value
            )
            assert lab.wait(120)
            assert lab.last_error is None, (control.description, value)
            changed |= seen(lab) != before
        assert changed or control.description in FOR_RUNS, f"{control.description} changes nothing"


def test_every_control_through_its_range(lab):
    drive(lab)


class BrokenError(Exception):
    pass


@pytest.mark.parametrize(
    ("lab", "callback"),
    [
        ("first_picture", "_tell"),
        ("gram", "_draw"),
        ("content", "_draw"),
        ("total_variation", "_draw"),
        ("colour", "_draw"),
        ("patches", "_draw_truth"),
        ("differences", "_explain"),
        ("any_style", "_draw"),
    ],
    indirect=["lab"],
)
def test_a_broken_callback_turns_the_test_above_red(lab, callback, monkeypatch):
    def broken(self, *given):
        raise BrokenError

    monkeypatch.setattr(type(lab), callback, broken)
    broken.__name__ = callback
    with pytest.raises(AssertionError):
        drive(lab)
    assert isinstance(lab.last_error, BrokenError) and "BrokenError" in lab.complaint.value


def test_every_control_has_its_label_and_every_picture_its_line(lab):
    labelled = (*SLIDERS, *CHOICES, widgets.Checkbox, widgets.Text, widgets.Button, widgets.FileUpload)
    for widget in family(lab):
        if isinstance(widget, labelled):
            assert widget.description or widget.tooltip, widget
        if isinstance(widget, Picture):
            assert widget.says.endswith((".", "one.")) and widget.image.value, widget.says


def test_every_button(lab, monkeypatch):
    monkeypatch.setitem(RECIPES, "fine", RECIPES["fine"].replace(size=64, scales=(1.0,), steps=(5,)))
    buttons = {w.description: w for w in family(lab) if isinstance(w, widgets.Button)}
    if hasattr(lab, "steps"):
        lab.steps.value = lab.steps.min
    before = seen(lab)
    if "Start" in buttons:
        buttons["Start"].click()
        assert lab.wait(300) and lab.last_error is None
        assert lab.status.value.startswith("done after") and lab.progress.value == 1
        assert lab.result is not None and (seen(lab) != before or type(lab).__name__ == "DifferencesLab")
    for label, button in buttons.items():
        button.click()
        assert lab.wait(300) and lab.last_error is None, label


@pytest.mark.parametrize("name", SIZES)
def test_a_closed_lab_leaves_nothing_registered_and_no_lab_draws_on_the_global_random_state(name, tmp_path):
    registered, drawn = {*registry._instances}, torch.get_rng_state()
    lab = getattr(labs, name)(**SIZES[name])
    if hasattr(lab, "steps"):
        lab.steps.value = lab.steps.min
    for _ in range(8 if name == "first_picture" else 1):  # two results more than are kept
        if hasattr(lab, "start"):
            lab.start.click()
        assert lab.wait(120) and lab.last_error is None
    assert {*registry._instances} > registered
    lab.close()
    assert {*registry._instances} <= registered
    assert torch.equal(torch.get_rng_state(), drawn)


@pytest.mark.parametrize("lab", ["first_picture", "gram", "content", "patches"], indirect=True)
def test_stop_keeps_the_picture_so_far(lab):
    lab.steps.value = lab.steps.max
    stopped = []

    def stop_at_the_second_preview(change):
        if lab.running and not stopped:
            stopped.append(True)
            lab.stop.click()

    lab.progress.observe(stop_at_the_second_preview, "value")
    lab.start.click()
    assert lab.wait(120) and stopped
    assert lab.last_error is None and lab.status.value.startswith("stopped after")
    assert lab.result is not None and 0 < lab.progress.value < 1


@pytest.mark.parametrize("lab", ["gram", "content", "total_variation", "patches"], indirect=True)
def test_a_wrong_path_is_one_line_and_the_lab_goes_on(lab, tmp_path):
    (tmp_path / "notes.txt").write_text("not a picture")
    chooser = getattr(lab, "first", None) or lab.photograph
    before = chooser.value
    for wrong, complaint in {"no_such.jpg": "no such file", "notes.txt": "not a picture"}.items():
        chooser.path.value = wrong
        assert complaint in lab.complaint.value and complaint in str(lab.last_error)
        assert chooser.value == before
    chooser.sample.value = "brick" if before[0] != "brick" else "cat"
    assert lab.wait(60) and lab.complaint.value == "" and chooser.value[0] == chooser.sample.value
