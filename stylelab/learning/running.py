"""The loop over a training's steps: watched, stopped, written down, and gone on with."""

import math
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from stylelab.errors import StylelabError
from stylelab.learning.checkpoints import Checkpoint
from stylelab.learning.records import TrainingRecord
from stylelab.progress import BY_WORK, progress_bar

SHOWN_AT = (0.0, 1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)  # shares of the way: most happens early

Network = TypeVar("Network")


@dataclass(frozen=True)
class TrainingStep(Generic[Network]):
    """One step of a training: its number, from 1; how far it is, 0 to 1; losses by name; seconds so far.

    network: as it is after this step, the very one that is trained.
    """

    index: int
    share: float
    losses: dict[str, float]
    seconds: float
    network: Network


class Learner(Protocol):
    """What is trained: its network, its record, and what a checkpoint keeps of it.

    at_rest: not in the middle of a step.
    """

    network: Any
    record: TrainingRecord
    at_rest: bool

    def step(self, number: int, share: float) -> None:
        """The step of this number, from 1, `share` of the way to the end; it enters the record."""

    def show(self) -> None:
        """Adds a picture of the progress to the record."""

    def checkpoint(self, told: dict) -> Checkpoint:
        """All that the next step depends on, and the record."""


def steps_of(
    learner: Learner,
    seconds: float | None,
    steps: int | None,
    told: dict,
    checkpoint: str | Path | None,
    save_every: float,
) -> Generator[TrainingStep, None, None]:
    """A TrainingStep after each step; when it ends or is closed, the checkpoint is written.

    seconds, steps: how long, one of the two. told: what the training was told, for the checkpoint. Of a
    training that is complete, the last step comes again.
    """
    record = learner.record
    started = time.perf_counter() - record.seconds
    saved, written = time.perf_counter(), record.steps

    def share() -> float:
        return min(1.0, record.steps / steps if steps else record.seconds / (seconds or 1))

    def done() -> TrainingStep:
        losses = {name: value for name, value in record.history[-1].items() if name != "step"}
        return TrainingStep(record.steps, share(), losses, record.seconds, learner.network)

    try:
        if not record.pictures:
            learner.show()
        if record.steps and share() >= 1:
            yield done()
        while share() < 1:
            learner.step(record.steps + 1, share())
            record.seconds = time.perf_counter() - started
            if len(record.pictures) < len(SHOWN_AT) and share() >= SHOWN_AT[len(record.pictures)]:
                learner.show()
            yield done()
            if checkpoint is not None and time.perf_counter() - saved > save_every:
                learner.checkpoint(told).write(checkpoint)
                saved, written = time.perf_counter(), record.steps
    finally:
        # Stopped in the middle of a step, its weights are neither before nor after it.
        if checkpoint is not None and record.steps > written and learner.at_rest:
            learner.checkpoint(told).write(checkpoint)


def watched(
    work: Generator[TrainingStep[Network], None, None],
    name: str,
    progress: bool,
    callback: Callable[[TrainingStep[Network]], None] | None,
    interrupted: Callable[[Network], None],
) -> Network:
    """Runs a training to its end behind a bar of that name, and returns its network.

    callback: called with each step. interrupted: called with the network where Ctrl-C, or Stop in Jupyter,
    ends it early.
    """
    made: Network | None = None
    with progress_bar(1.0, name, "", progress, delay=0, layout=BY_WORK) as bar:
        try:
            for step in work:
                made = step.network
                bar.update(step.share - bar.n)
                if progress:
                    bar.set_postfix_str(f"step {step.index}, loss {step.losses['total']:.4g}")
                if callback:
                    callback(step)
        except KeyboardInterrupt:
            if made is None:
                raise
            interrupted(made)
        finally:
            work.close()  # which writes the checkpoint
    assert made is not None, "a training has at least one step"
    return made


def check_length(seconds: float | None, steps: int | None) -> None:
    """Raises StylelabError unless one of the two is given, and makes sense."""
    if (seconds is None) == (steps is None):
        raise StylelabError("say how long to train, by steps= or by seconds=, one of the two")
    if steps is not None and not (isinstance(steps, int) and steps >= 1):
        raise StylelabError(f"steps {steps}: a whole number from 1 on")
    if seconds is not None and not 0 < seconds < math.inf:
        raise StylelabError(f"seconds {seconds}: a number above 0")
