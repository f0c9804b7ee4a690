"""What every lab is built on: a box that shows itself, a worker of its own, errors as one readable line.

A control's callback only notes what is to be done, with the controls as they stand, and returns. The worker
does it, between two steps of a run if there is one. What was asked for in between is never queued up, and
a control that is moved while it computes is only heard of by what is asked for next.
"""

import atexit
import html
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import ipywidgets as widgets
from IPython import get_ipython
from PIL import Image
from torch import Tensor

from stylelab.errors import StylelabError
from stylelab.labs.kit.drawing import encode
from stylelab.labs.kit.touchable import Touch, Touchable
from stylelab.labs.kit.worker import Run, Worker
from stylelab.optimisation.recipes import Recipe
from stylelab.optimisation.running import Step

PREVIEW = 0.2  # seconds between two previews of a run, at least
LABEL = "150px"  # the widest label of a control
# Jupyter's own red, which each of its themes has for its own background.
_ALERT = "color: var(--jp-error-color1, #b3261e); line-height: 1.35; max-width: 340px"

_open: weakref.WeakSet = weakref.WeakSet()
_cells: dict[tuple, list] = {}


class Picture(widgets.VBox):
    """A picture and the line of text below it that says what it shows now.

    width: at most, in CSS pixels. least: from which on it shares a line with others. height: at most, as CSS
    has it, so that a tall picture does not push its line and its neighbours off the screen. image: what shows
    it; a Touchable unless given.
    """

    def __init__(
        self, width: int = 320, least: int = 150, height: str = "54vh", image: Touchable | None = None
    ) -> None:
        self.image = image or Touchable(height=height)
        self.text = widgets.HTML(layout={"margin": "0 2px", "width": "auto"})
        layout = {"flex": f"1 1 {least}px", "max_width": f"{width}px", "margin": "4px"}
        layout["overflow"] = "visible"  # a box that could scroll would be a stop for the Tab key
        super().__init__([self.image, self.text], layout=layout)
        self.says = ""
        self.add_class("stylelab-picture")

    def show(self, picture: Tensor | Image.Image | bytes, says: str, final: bool = False) -> None:
        """picture: what `encode` takes, or the bytes of an SVG. says: the line. final: PNG, not JPEG."""
        data, kind = (picture, "svg+xml") if isinstance(picture, bytes) else encode(picture, final)
        with self.image.hold_sync():
            self.image.format, self.image.value, self.image.alt = kind, data, says
        self.says = says
        self.text.value = f'<div style="line-height: 1.35">{html.escape(says)}</div>'


class Lab(widgets.VBox):
    """A box of controls and pictures that shows itself, with one worker thread of its own.

    A subclass makes its controls once, connects them with `on` and `button`, gives its rows to `build`, and
    has work done with `later`, which is given the `settings`: what reads a control while it computes may read
    it twice and not alike. What it made is in `result`, the last exception of a callback or of the worker in
    `last_error`. A lab with a run gives `run_controls` what makes its generator (see Worker.begin).
    """

    result: Any = None

    def __init__(self) -> None:
        self.last_error: Exception | None = None
        self._failed = ""
        self._worker = Worker(f"lab {type(self).__name__}", self._reporting, self._progressed)
        self.wait = self._worker.wait
        self._previewed = 0.0
        self.complaint = widgets.HTML(layout={"margin": "0 4px"})
        super().__init__(layout={"width": "100%", "max_width": "1240px"})
        self.add_class("stylelab-lab")
        _open.add(self)
        _close_those_of_the_run_before(self)

    def build(
        self, panel: Sequence[widgets.Widget], stage: Sequence[widgets.Widget], *below: widgets.Widget
    ) -> None:
        """Lays out the lab: what is used all the time beside the pictures, so that a laptop shows both.

        panel: controls, with the line for errors at their foot. stage: pictures. below: what is used less.
        """
        # No box may be one that scrolls, which would be a stop for the Tab key.
        side = widgets.VBox(
            [*panel, self.complaint], layout={"flex": "0 0 364px", "max_width": "100%", "overflow": "visible"}
        )
        seen = widgets.VBox([*stage], layout={"flex": "1 1 420px", "overflow": "visible"})
        self.children = (row(side, seen), *below)

    def __repr__(self) -> str:  # what a page viewer without a kernel shows
        return "Live controls: run this cell in Jupyter to use them. Until then, the figure below stands in."

    def on(self, control: widgets.Widget, action: Callable[[], None]) -> widgets.Widget:
        """Calls `action` whenever the control's value changes. Returns the control."""
        control.observe(lambda change: self.act(action), "value")
        return control

    def button(self, label: str, action: Callable[[], None], tooltip: str = "") -> widgets.Button:
        """A button that calls `action`."""
        layout = {"width": "auto", "min_width": "64px"}
        made = widgets.Button(description=label, tooltip=tooltip, layout=layout)
        made.on_click(lambda _: self.act(action))
        return made

    def on_touch(self, picture: Picture, action: Callable[[Touch], None], cursor: str = "crosshair") -> None:
        """Calls `action` wherever the picture is clicked, and all along a drag."""
        picture.image.on_touch(lambda touch: self.act(lambda: action(touch)), cursor)

    def settings(self) -> Any:
        """The controls as they stand, in a frozen dataclass of the lab's own."""
        raise NotImplementedError

    def later(self, job: Callable[[Any], None], given: Any = None) -> None:
        """Has a job done by the worker. given: what it is called with; else the settings of this moment.

        However often it is asked for before its turn comes, it is done once, with what was given last.
        """
        given = self.settings() if given is None else given
        self._worker.later(job.__name__, lambda: job(given))

    def act(self, action: Callable[[], None]) -> None:
        """Does what a control asks for; an exception becomes the line for errors, and `last_error`."""
        if not self._worker.closed:
            self.complaint.value = ""
            with self._reporting():
                action()

    @contextmanager
    def _reporting(self, job: str = "") -> Iterator[None]:
        """Says what went wrong; and takes it back where the same job, asked for again, goes well.

        What a callback complained of stays until the next one: a run that goes on does not answer it.
        """
        try:
            yield
        except Exception as error:  # whatever it is, the lab goes on, and says so
            self.last_error, self._failed = error, job
            name = "" if isinstance(error, StylelabError) else f"{type(error).__name__}: "
            lines = str(error).strip().splitlines() or ["no more is known"]
            self.complaint.value = complaint_line((name + lines[0])[:400], alert=True)
        else:
            if job and job == self._failed:
                self.complaint.value = self._failed = ""

    def close(self) -> None:
        """Ends the worker, after the step it is in, and takes the lab off the page."""
        self._worker.close()
        discard(self)

    # A run -------------------------------------------------------------------------------------------------

    def run_controls(self, maker: Callable[[Any], Run], *more: widgets.Widget) -> widgets.VBox:
        """Start, Pause and Stop with a progress bar, for the run that `maker` makes of the settings.

        more: buttons.
        """
        self.start = self.button("Start", lambda: self.begin(maker(self.settings())), "begin a new run")
        self.pause = self.button("Pause", self._toggle, "hold the run, or let it go on")
        self.stop = self.button("Stop", self._halt, "end the run and keep what there is")
        self.start.button_style = "primary"
        self.progress = widgets.FloatProgress(value=0.0, min=0.0, max=1.0, layout={"width": "340px"})
        self.status = widgets.HTML(value="nothing is running", layout={"margin": "0 4px"})
        self._offer()
        return widgets.VBox([row(self.start, self.pause, self.stop, *more), self.progress, self.status])

    def _offer(self) -> None:
        """Pause and Stop can be pressed while there is something to pause and to stop."""
        self.pause.disabled = self.stop.disabled = not self.running

    @property
    def running(self) -> bool:
        """Whether there is a run, be it paused."""
        return self._worker.running

    def begin(self, run: Run) -> None:
        """Starts a run, in the place of the one there may be."""
        self.status.value, self.pause.description, self.progress.value = "starting …", "Pause", 0.0
        self._worker.begin(run)
        self._offer()

    def due(self) -> bool:
        """Whether it is time for another preview of the run."""
        now = time.monotonic()
        if now - self._previewed < PREVIEW:
            return False
        self._previewed = now
        return True

    def follow(self, steps: Iterable[Step], recipe: Recipe, show: Callable[[Any, bool], None]) -> Run:
        """A run made of an optimisation's Steps. show: is given a Step, and whether no other will follow.

        recipe: whose steps they are; a step's share of the work is its share of the pixels.
        """
        work = recipe.work(recipe.size)
        step = None
        try:
            for step in steps:
                if step.index == 1 or self.due():
                    show(step, False)
                yield sum(work[: step.index]) / sum(work)
        finally:
            if step is not None:
                show(step, True)

    def _toggle(self) -> None:
        self._worker.pause()
        self.pause.description = "Resume" if self._worker.paused else "Pause"
        if self._worker.paused:
            self.status.value = "paused"
        else:
            self.status.value = "running" if self.running else "nothing is running; press Start"

    def _halt(self) -> None:
        self.status.value, self.pause.description = "stopping …", "Pause"
        if not self._worker.stop():
            self.status.value = "nothing is running"
        self._offer()

    def _progressed(self, what: str, share: float, seconds: float) -> None:
        self.progress.value = share
        if what == "running":
            left = seconds * (1 - share) / max(share, 1e-9)
            self.status.value = f"{share:.0%} · {_clock(seconds)} elapsed · about {_clock(left)} remaining"
        else:
            self.pause.description = "Pause"
            self.status.value = f"{what} after {_clock(seconds)}"
            self._offer()


def complaint_line(text: str, alert: bool = False) -> str:
    """What went wrong, as HTML. alert: to be read aloud at once by a screen reader."""
    role = 'role="alert" ' if alert else ""
    return f'<div {role}style="{_ALERT}">✗ {html.escape(text)}</div>'


def code_line(code: str) -> str:
    """The line of code that makes the same picture, as HTML: one click chooses it whole."""
    return (
        "These settings as a line of code (click it, then copy):"
        '<pre tabindex="0" style="user-select: all; white-space: pre-wrap; margin: 2px">'
        f"{html.escape(code)}</pre>"
    )


def row(*children: widgets.Widget) -> widgets.HBox:
    """Widgets side by side, going on below where the page is too narrow."""
    return widgets.HBox(children, layout={"flex_flow": "row wrap", "align_items": "flex-start"})


def fold(title: str, *children: widgets.Widget) -> widgets.VBox:
    """Widgets that are used less, folded away under a title; which keys reach, as they do no Accordion's."""
    inside, head = row(*children), widgets.ToggleButton(tooltip=title, layout={"width": "auto"})

    def turn() -> None:
        inside.layout.display = None if head.value else "none"
        head.description = f"{'▾' if head.value else '▸'} {title}"

    head.observe(lambda change: turn(), "value")
    turn()
    return widgets.VBox([head, inside], layout={"overflow": "visible", "align_items": "flex-start"})


def controls(*children: widgets.Widget) -> widgets.HBox:
    """Labelled controls in columns, all equally wide, each label in full."""
    for child in children:
        child.style.description_width = LABEL
        child.layout.width, child.layout.margin = "348px", "2px"  # SelectionSlider would have no margin
    return row(*children)


def discard(widget: widgets.Widget) -> None:
    """Takes a widget off the page and out of ipywidgets' register, with all that it is made of."""
    looks = (getattr(widget, name, None) for name in ("style", "layout"))  # registered, each, on its own
    for part in (*getattr(widget, "children", ()), *looks):
        if isinstance(part, widgets.Widget):
            discard(part)
    widgets.Widget.close(widget)  # not a lab's own close, which comes here


def _clock(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d} min"


def _close_those_of_the_run_before(lab: Lab) -> None:
    """A cell that is run again makes a new lab: its old one is closed. The labs of other cells are not.

    A front end that does not tell cells apart has one lab of each kind.
    """
    kernel = getattr(get_ipython(), "kernel", None)
    if kernel is None:
        return
    message = kernel.get_parent("shell")
    cell, run = message.get("metadata", {}).get("cellId"), message.get("header", {}).get("msg_id")
    earlier = _cells.get((type(lab), cell), [])
    for _, old in (entry for entry in earlier if entry[0] != run):
        old.close()
    _cells[type(lab), cell] = [entry for entry in earlier if entry[0] == run] + [(run, lab)]


@atexit.register
def _close_all() -> None:
    for lab in [*_open]:
        lab.close()
