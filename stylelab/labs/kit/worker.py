"""The one thread of a lab: jobs of which only the newest counts, and a run that can be paused and stopped."""

import threading
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from functools import partial

Run = Generator[float, None, None]


class Worker:
    """Does jobs, and between them the steps of at most one run, in a thread that ends when nothing is left.

    guard: a function that makes a context manager from the name of a job, which is "run" for a step of the
    run; each is done inside one, so it decides what becomes of exceptions. tell: called with what happens to
    the run ("running", "done", "stopped", "failed"), the share of its work that is done, 0 to 1, and the
    seconds its steps took.
    """

    def __init__(
        self,
        name: str,
        guard: Callable[[str], AbstractContextManager],
        tell: Callable[[str, float, float], None],
    ) -> None:
        self.name, self._guard, self._tell = name, guard, tell
        self._change = threading.Condition()
        self._thread: threading.Thread | None = None
        self._waiting: dict[str, Callable[[], None]] = {}
        self._begin: Run | None = None
        self._run: Run | None = None
        self._stopping = self.closed = self.paused = False
        self._seconds = self._share = 0.0

    @property
    def running(self) -> bool:
        """Whether there is a run, be it paused."""
        return self._run is not None or self._begin is not None

    def later(self, name: str, job: Callable[[], None]) -> None:
        """Has a job done; of those of one name, only the newest that waits when their turn comes."""
        with self._change:
            if not self.closed:
                self._waiting[name] = job
                self._wake()

    def begin(self, run: Run) -> None:
        """Starts a run, in the place of the one there may be.

        run: a generator that yields, after each step, the share of its work that is done; what it does in
        `finally` is done after `stop` too.
        """
        with self._change:
            if not self.closed:
                self._begin, self.paused, self._stopping = run, False, False
                self._wake()

    def pause(self) -> None:
        """Holds the run after the step it is in, or lets it go on."""
        with self._change:
            self.paused = self.running and not self.paused
            self._wake()

    def stop(self) -> bool:
        """Ends the run after the step it is in. Returns whether there was one."""
        with self._change:
            running, never_began = self.running, self._run is None
            self._begin, self._stopping = None, not never_began
            self._wake()
        if running and never_began:  # the thread knows nothing of it, and would not tell
            self._tell("stopped", 0.0, 0.0)
        return running

    def wait(self, timeout: float | None = None) -> bool:
        """Waits, at most `timeout` seconds, until nothing is left to do or the run is paused: whether so."""
        with self._change:
            return self._change.wait_for(lambda: self._thread is None, timeout)

    def close(self) -> None:
        """Ends the run and the thread, after the step it is in; nothing will be done any more."""
        with self._change:
            self._waiting.clear()
            self.stop()
            self.closed, thread = True, self._thread
        if thread and thread is not threading.current_thread():
            thread.join(60)

    def _wake(self) -> None:
        if self._thread is None and not self.closed:
            self._thread = threading.Thread(target=self._work, name=self.name, daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while found := self._next():
            name, job = found
            with self._guard(name):
                job()

    def _next(self) -> tuple[str, Callable[[], None]] | None:
        with self._change:
            if self._run and (self._stopping or self._begin):
                return "run", partial(self._end, self._run)
            if self._waiting:
                name = next(iter(self._waiting))
                return name, self._waiting.pop(name)
            if self._begin:
                self._run, self._begin, self._seconds, self._share = self._begin, None, 0.0, 0.0
            if self._run and not self.paused:
                return "run", partial(self._advance, self._run)
            self._thread = None
            self._change.notify_all()
            return None

    def _advance(self, run: Run) -> None:
        started = time.monotonic()
        try:
            self._share = next(run)
        except StopIteration:
            self._finish("done")
        except Exception:
            self._finish("failed")
            raise
        else:
            self._seconds += time.monotonic() - started
            if not self.paused:
                self._tell("running", self._share, self._seconds)

    def _end(self, run: Run) -> None:
        try:
            run.close()
        finally:
            self._finish("stopped")

    def _finish(self, how: str) -> None:
        with self._change:
            self._run, self._stopping = None, False
            last = self._begin is None
        if last:
            self._tell(how, 1.0 if how == "done" else self._share, self._seconds)
