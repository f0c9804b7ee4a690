"""The one thread of a lab: jobs of which only the newest counts, and a run that can be paused and stopped."""

import threading
import time
from collections.abc import Callable, Iterator


class Worker:
    """Does jobs, and between them the steps of at most one run, in a thread that ends when nothing is left.

    guard: a function that makes a context manager; every job and step runs inside one, so it decides what
    becomes of exceptions. tell: called with what happens to the run ("running", "done", "stopped", "failed"),
    the share of its work that is done, 0 to 1, and the seconds its steps took.
    """

    def __init__(self, name: str, guard: Callable, tell: Callable[[str, float, float], None]) -> None:
        self.name, self._guard, self._tell = name, guard, tell
        self._change = threading.Condition()
        self._thread: threading.Thread | None = None
        self._waiting: dict[str, Callable[[], None]] = {}
        self._begin: Iterator[float] | None = None
        self._run: Iterator[float] | None = None
        self._stopping = self.closed = self.paused = False
        self._seconds = self._share = 0.0

    @property
    def running(self) -> bool:
        """Whether there is a run, be it paused."""
        return self._run is not None or self._begin is not None

    def later(self, job: Callable[[], None]) -> None:
        """Has a job done, once, however often it was asked for before its turn comes."""
        with self._change:
            self._waiting[job.__name__] = job
            self._wake()

    def begin(self, run: Iterator[float]) -> None:
        """Starts a run, in the place of the one there may be.

        run: a generator that yields, after each step, the share of its work that is done; what it does in
        `finally` is done after `stop` too.
        """
        with self._change:
            self._begin, self.paused, self._stopping = run, False, False
            self._wake()

    def pause(self) -> None:
        """Holds the run after the step it is in, or lets it go on."""
        with self._change:
            self.paused = self.running and not self.paused
            self._wake()

    def stop(self) -> None:
        """Ends the run after the step it is in."""
        with self._change:
            self._begin, self._stopping = None, self._run is not None
            self._wake()

    def wait(self, timeout: float | None = None) -> bool:
        """Waits, at most `timeout` seconds, until nothing is left to do or the run is paused: whether so."""
        with self._change:
            return self._change.wait_for(lambda: self._thread is None, timeout)

    def close(self) -> None:
        """Ends the run and the thread, after the step it is in; nothing will be done any more."""
        self.stop()
        with self._change:
            self._waiting.clear()
            self.closed, thread = True, self._thread
        if thread and thread is not threading.current_thread():
            thread.join(60)

    def _wake(self) -> None:
        if self._thread is None and not self.closed:
            self._thread = threading.Thread(target=self._work, name=self.name, daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while job := self._next():
            with self._guard():
                job()

    def _next(self) -> Callable[[], None] | None:
        with self._change:
            if self._run and (self._stopping or self._begin):
                return self._end
            if self._waiting:
                return self._waiting.pop(next(iter(self._waiting)))
            if self._begin:
                self._run, self._begin, self._seconds, self._share = self._begin, None, 0.0, 0.0
            if self._run and not self.paused:
                return self._advance
            self._thread = None
            self._change.notify_all()
            return None

    def _advance(self) -> None:
        started = time.monotonic()
        try:
            self._share = next(self._run)
        except StopIteration:
            self._finish("done")
        except Exception:
            self._finish("failed")
            raise
        else:
            self._seconds += time.monotonic() - started
            if not self.paused:
                self._tell("running", self._share, self._seconds)

    def _end(self) -> None:
        try:
            self._run.close()
        finally:
            self._finish("stopped")

    def _finish(self, how: str) -> None:
        self._run, self._stopping = None, False
        if not self._begin:
            self._tell(how, 1.0 if how == "done" else self._share, self._seconds)
