"""The base of the labs: one worker, newest request wins, errors as one line, nothing left behind."""

import math
import threading
import time
from contextlib import nullcontext
from itertools import pairwise
from pathlib import Path

import ipywidgets as widgets
import pytest
import torch

from stylelab import labs
from stylelab.errors import ImageError
from stylelab.labs.kit import base, touchable
from stylelab.labs.kit.base import Lab, Picture
from stylelab.labs.kit.choosing import MOST_BYTES, TOO_LARGE
from stylelab.labs.kit.drawing import chroma_cloud, curves, encode, heat_map
from stylelab.labs.kit.worker import Worker
from stylelab.pictures import load_image, to_pil


class Small(Lab):
    """A slider that is drawn, a button that fails, and a run of 40 steps of 5 ms."""

    def __init__(self):
        super().__init__()
        self.slider = self.on(widgets.IntSlider(description="grey"), lambda: self.later(self.draw))
        self.broken = self.button("Break", self.fail)
        self.picture = Picture()
        self.drawn, self.steps, self.ended = [], [], 0
        self.hold = threading.Event()
        self.hold.set()
        self.build((self.slider, self.broken, self.run_controls(self.count)), (self.picture,))

    def settings(self):
        return self.slider.value

    def draw(self, grey):
        self.hold.wait(10)
        if grey == 13:
            raise ImageError("13 brings bad luck")
        self.drawn.append(grey)
        self.picture.show(torch.full((1, 1, 8, 8), grey / 100), f"grey {grey}")

    def fail(self):
        raise KeyError("a broken\ncallback <b>")

    def count(self, grey):
        try:
            for step in range(1, 41):
                time.sleep(0.005)
                self.steps.append(step)
                yield step / 40
        finally:
            self.ended += 1
            self.result = len(self.steps)


@pytest.fixture
def small():
    lab = Small()
    yield lab
    lab.close()


def workers() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("lab ")]


def until(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.002)
    assert condition()


def test_a_drag_queues_nothing_and_the_newest_value_wins(small):
    small.hold.clear()
    small.slider.value = 1
    until(lambda: small._worker._waiting == {})
    for value in range(2, 60):
        small.slider.value = value
    small.hold.set()
    assert small.wait(10)
    assert len(small.drawn) == 2 and small.drawn[-1] == 59
    assert small.picture.says == "grey 59" and "grey 59" in small.picture.text.value
    assert small.last_error is None


def test_a_broken_callback_is_one_line_and_the_lab_goes_on(small):
    small.broken.click()
    assert isinstance(small.last_error, KeyError)
    assert "KeyError" in small.complaint.value and "&lt;b&gt;" in small.complaint.value
    assert "\n" not in small.complaint.value
    small.slider.value = 7
    assert small.wait(10) and small.picture.says == "grey 7"
    assert small.complaint.value == "", "the line goes with the next action"
    assert isinstance(small.last_error, KeyError), "the exception is kept"


def test_the_line_of_a_job_goes_when_the_job_goes_well(small):
    small.hold.clear()
    small.slider.value = 13
    until(lambda: small._worker._waiting == {})
    small.slider.value = 14
    small.hold.set()
    assert small.wait(10) and small.drawn == [14]
    assert isinstance(small.last_error, ImageError) and small.complaint.value == ""


def test_the_line_of_a_callback_outlasts_the_jobs_asked_for_before(small):
    small.hold.clear()
    small.slider.value = 5
    small.broken.click()
    small.hold.set()
    assert small.wait(10) and small.drawn == [5]
    assert "KeyError" in small.complaint.value


def test_a_job_is_given_the_controls_as_they_stood_when_it_was_asked_for(small):
    small.hold.clear()
    small.slider.value = 3
    until(lambda: small._worker._waiting == {})
    with small.slider.hold_trait_notifications():
        small.slider.value = 4  # and nobody hears of it yet
        small.hold.set()
        assert small.wait(10) and small.drawn == [3]


def test_an_error_in_the_worker_is_shown_and_ends_the_run(small):
    def breaks():
        yield 0.5
        raise ImageError("no picture")

    small.begin(breaks())
    assert small.wait(10)
    assert isinstance(small.last_error, ImageError) and "✗ no picture" in small.complaint.value
    assert "failed" in small.status.value and not small.running


def test_a_run_is_paused_resumed_and_finished(small):
    small.start.click()
    until(lambda: len(small.steps) > 2)
    small.pause.click()
    assert small.wait(10) and small.pause.description == "Resume" and small.status.value == "paused"
    assert workers() == [], "a paused lab has no thread"
    held = len(small.steps)
    assert held < 40
    small.slider.value = 5
    assert small.wait(10) and small.picture.says == "grey 5", "controls work while a run is paused"
    assert len(small.steps) == held
    small.pause.click()
    assert small.wait(10) and small.steps == list(range(1, 41)) and small.result == 40
    assert small.progress.value == 1 and small.status.value.startswith("done after")


def test_stop_takes_effect_within_a_step_and_keeps_what_there_is(small):
    small.start.click()
    until(lambda: len(small.steps) > 2)
    assert "remaining" in small.status.value and 0 < small.progress.value < 1
    small.stop.click()
    reached = len(small.steps)
    assert small.wait(10)
    assert len(small.steps) - reached <= 1 and small.ended == 1
    assert small.result == len(small.steps) and small.status.value.startswith("stopped")


def test_a_paused_run_can_be_stopped_and_started_again(small):
    small.start.click()
    small.pause.click()
    assert small.wait(10)
    small.stop.click()
    assert small.wait(10) and not small.running
    small.steps.clear()
    small.start.click()
    assert small.wait(10) and len(small.steps) == 40


def test_a_run_stopped_before_it_began_says_so(small):
    small.hold.clear()
    small.slider.value = 1
    until(lambda: small._worker._waiting == {})
    small.start.click()
    small.stop.click()
    assert small.status.value.startswith("stopped")
    small.hold.set()
    assert small.wait(10) and small.steps == [] and small.status.value.startswith("stopped")


def test_start_twice_is_one_run(small):
    small.start.click()
    until(lambda: small.steps)
    small.start.click()
    assert small.wait(10)
    assert small.ended == 2 and small.steps[-40:] == list(range(1, 41))


def test_pause_and_stop_can_be_pressed_only_during_a_run(small):
    def disabled():
        return [button.disabled for button in (small.start, small.pause, small.stop)]

    assert disabled() == [False, True, True] and small.start.button_style == "primary"
    small.start.click()
    assert disabled() == [False, False, False]
    small.pause.click()
    assert small.wait(10) and disabled() == [False, False, False]
    small.stop.click()
    assert small.wait(10) and disabled() == [False, True, True]
    small.start.click()
    assert small.wait(10) and disabled() == [False, True, True]


def test_the_line_for_errors_is_at_the_foot_of_the_controls(small):
    panel, stage = small.children[0].children
    assert panel.children[-1] is small.complaint and small.picture in stage.children


def test_a_picture_is_bounded_by_the_height_of_the_page():
    assert Picture().image.height.endswith("vh") and Picture(height="20vh").image.height == "20vh"


def test_buttons_without_a_run_say_so(small):
    for button in (small.pause, small.stop):
        button.click()
        assert small.wait(10) and "nothing is running" in small.status.value
    assert small.last_error is None


def test_closing_ends_the_thread_and_a_closed_lab_does_nothing(small):
    small.start.click()
    until(lambda: small.steps)
    small.close()
    assert workers() == [] and small.ended == 1
    small.slider.value = 9
    small.start.click()
    assert small.wait(1) and small.drawn == [] and workers() == []


def test_what_is_asked_for_while_a_worker_closes_is_never_done():
    done, go = [], threading.Event()
    worker = Worker("lab test", lambda job: nullcontext(), lambda *what: None)
    worker.later("first", lambda: go.wait(10))
    until(lambda: worker._waiting == {})
    closing = threading.Thread(target=worker.close)
    closing.start()
    until(lambda: worker.closed)
    worker.later("second", lambda: done.append("job"))
    worker.begin(done.append(step) or 0.5 for step in range(3))
    go.set()
    closing.join(10)
    assert worker.wait(10) and done == [] and not worker.running


def test_closing_leaves_no_moment_in_which_a_run_can_begin():
    steps = []

    class Late(Worker):
        """Whose last message comes back as a press of Start, which is how two threads may meet."""

        def stop(self):
            stopped = super().stop()
            asking.start()
            asking.join(0.2)
            return stopped

    worker = Late("lab test", lambda job: nullcontext(), lambda *what: None)
    asking = threading.Thread(target=lambda: worker.begin(steps.append(step) or 0.5 for step in range(3)))
    worker.close()
    asking.join(10)
    assert worker.wait(10) and steps == [] and workers() == []


def test_two_labs_do_not_mix():
    one, two = Small(), Small()
    one.start.click()
    two.slider.value = 3
    assert two.wait(10) and one.wait(10)
    assert (two.steps, one.drawn) == ([], []) and len(one.steps) == 40 and two.drawn == [3]
    one.close()
    two.slider.value = 4
    assert two.wait(10) and two.drawn == [3, 4]
    two.close()


def test_running_a_cell_again_closes_its_lab_and_no_other(monkeypatch):
    message = {"metadata": {}, "header": {}}

    class Kernel:
        def get_parent(self, channel):
            return message

    class Shell:
        kernel = Kernel()

    def run(cell, execution):
        message["metadata"], message["header"] = {"cellId": cell}, {"msg_id": execution}
        return Small()

    monkeypatch.setattr(base, "get_ipython", lambda: Shell())
    monkeypatch.setattr(base, "_cells", {})
    first, beside, other = run("a", 1), run("a", 1), run("b", 2)
    again = run("a", 3)
    closed = [lab._worker.closed for lab in (first, beside, other, again)]
    assert closed == [True, True, False, False]
    other.close()
    again.close()


def test_previews_come_at_most_five_times_a_second(small):
    assert small.due() and not small.due()
    small._previewed -= base.PREVIEW
    assert small.due()


def test_a_worker_survives_a_run_that_fails_while_it_is_ended():
    told, caught = [], []

    class Guard:
        def __init__(self, job):
            assert job == "run"

        def __enter__(self):
            return self

        def __exit__(self, kind, error, trace):
            caught.append(error) if error else None
            return True

    def run():
        try:
            while True:
                time.sleep(0.002)
                yield 0.1
        finally:
            raise OSError("the disk is full")

    worker = Worker("lab test", Guard, lambda *what: told.append(what[0]))
    worker.begin(run())
    until(lambda: told)
    worker.stop()
    assert worker.wait(10) and isinstance(caught[0], OSError) and told[-1] == "stopped"


def test_the_labs_are_loaded_by_name_and_say_what_to_do_without_a_kernel(small):
    assert set(labs.__all__) == {
        *("first_picture", "gram", "content", "total_variation", "colour", "patches", "differences", "fast"),
        *("any_style", "control"),
    }
    assert set(labs._HOME) == set(labs.__all__)
    with pytest.raises(AttributeError, match="no attribute 'grams'"):
        labs.grams  # noqa: B018
    bundle = small._repr_mimebundle_()
    assert "run this cell" in bundle["text/plain"] and "Small" not in bundle["text/plain"]


def test_pictures_are_jpeg_while_they_change_and_png_at_the_end():
    picture = Picture()
    picture.show(torch.rand(1, 3, 16, 16), "live")
    assert picture.image.format == "jpeg" and picture.image.value[:2] == b"\xff\xd8"
    assert picture.image.alt == "live"
    picture.show(torch.rand(1, 3, 16, 16), "final & <last>", final=True)
    assert picture.image.format == "png" and picture.image.value[1:4] == b"PNG"
    assert "final &amp; &lt;last&gt;" in picture.text.value
    picture.show(curves({"a": [1, 2]}, "x", "y"), "curve")
    assert picture.image.format == "svg+xml"


def test_a_picture_tells_where_it_is_touched_and_errors_are_shown(small):
    touches = []

    def touched(touch):
        touches.append(touch)
        if touch.phase == "up":
            raise ImageError("too far")

    assert small.picture.image.cursor == "", "most pictures are only looked at"
    small.on_touch(small.picture, touched)
    assert small.picture.image.cursor == "crosshair"
    for phase, x, y in (("down", 0.0, 0.5), ("move", 0.25, 0.5), ("up", 1.0, 1.0)):
        small.picture.image._handle_custom_msg({"phase": phase, "x": x, "y": y}, [])
    assert touches == [("down", 0.0, 0.5), ("move", 0.25, 0.5), ("up", 1.0, 1.0)]
    assert [touch.pixel(8, 4) for touch in touches] == [(2, 0), (2, 2), (3, 7)], "(row, column)"
    assert "too far" in small.complaint.value


def test_the_page_and_python_agree_on_what_is_too_large_to_send():
    page = Path(touchable.__file__).with_suffix(".js").read_text(encoding="utf-8").replace("_", "")
    assert f"MOSTBYTES = {MOST_BYTES};" in page and f'"{TOO_LARGE.decode()}"' in page


def test_a_heat_map_has_one_square_for_each_entry():
    picture = heat_map(torch.tensor([[0.0, 1.0], [1.0, 0.0]]), 100)
    assert picture.size == (100, 100)
    assert picture.getpixel((10, 10)) == picture.getpixel((90, 90)) != picture.getpixel((90, 10))


def test_curves_draw_their_points_where_they_belong():
    drawn = curves(
        {"one": [1, 10, 100], "two & more": [100, 1, float("nan")]}, "step", "loss", log=True
    ).decode()
    first, second = (part.split('"')[1] for part in drawn.split("<polyline ")[1:])
    heights = [float(point.split(",")[1]) for point in first.split()]
    assert heights[0] - heights[1] == pytest.approx(heights[1] - heights[2], abs=0.2), (
        "equal ratios, equal steps"
    )
    assert len(second.split()) == 2 and "two &amp; more" in drawn
    assert curves({}, "step", "loss", log=True).startswith(b"<svg")


def test_no_segment_of_a_curve_goes_where_the_data_do_not():
    """Below four decades a curve runs along the floor; a value that is no number breaks it."""
    falling = [10.0 ** (2 - n) for n in range(12)]
    broken = [1.0, 2.0, math.nan, 50.0, 0.0, -1.0, math.inf, 3.0]
    drawn = curves({"falling": falling, "broken": broken}, "step", "loss", log=True).decode()
    lines = [part.split('"')[1] for part in drawn.split("<polyline ")[1:]]
    points = [[tuple(map(float, point.split(","))) for point in line.split()] for line in lines]
    assert [len(line) for line in points] == [12, 2, 3, 1], (
        "every value has its point, but those that are none"
    )
    heights = [y for _, y in points[0]]
    assert heights == sorted(heights), "what falls is never drawn rising"
    assert heights[-1] == max(y for line in points for _, y in line) == points[2][-1][1], "on the floor"
    gaps = {round(b[0] - a[0]) for a, b in pairwise(points[0])}
    assert len(gaps) == 1, "one step, one gap: nothing is skipped"


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_every_drawn_colour_is_one_of_the_pictures(threads):
    image, before = load_image("coffee", 256), torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        drawn = {colour for _, colour in chroma_cloud(image).getcolors(1 << 24)}
    finally:
        torch.set_num_threads(before)
    own = {colour for _, colour in to_pil(image).getcolors(1 << 24)}
    assert len(drawn) > 500 and drawn - own <= {(255, 255, 255), (215, 215, 215)}


def test_a_chroma_cloud_puts_red_above_and_blue_to_the_right():
    image = torch.zeros(1, 3, 1, 2)
    image[0, 0, 0, 0] = image[0, 2, 0, 1] = 1
    cloud = chroma_cloud(image, 100)
    colours = {cloud.getpixel((x, y)): (x, y) for x in range(100) for y in range(100)}
    assert colours[255, 0, 0][1] < 50 < colours[0, 0, 255][0]
    assert encode(cloud, final=True)[1] == "png"
