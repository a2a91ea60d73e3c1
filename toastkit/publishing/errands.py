"""Run jobs beside everything else, for which nobody waits before the end of the process."""

from __future__ import annotations

from collections.abc import Callable

from ..clock import Clock
from ..runtime.contract import Runtime, Signal


class Errands:
    """Begin jobs, and know which are not back yet."""

    def __init__(self, runtime: Runtime, clock: Clock) -> None:
        self._runtime = runtime
        self._clock = clock
        self._out: set[Signal] = set()

    @property
    def out(self) -> int:
        """Return how many are not back."""
        return len(self._out)

    def begin(self, job: Callable[[], object]) -> None:
        """Have a job done beside everything else; it may block."""
        back = self._runtime.signal()

        def run() -> None:
            try:
                job()
            finally:
                self._out.discard(back)
                back.set()

        self._out.add(back)
        try:
            self._runtime.spawn(run)
        except BaseException:  # no thread is to be had
            self._out.discard(back)
            raise

    def finish(self, seconds: float) -> None:
        """Wait at most ``seconds`` until all that have begun by now are back."""
        until = self._clock.monotonic() + seconds
        for back in list(self._out):
            if not back.wait(max(0.0, until - self._clock.monotonic())):
                break

    def abandon(self) -> None:
        """Wait for none: in a forked child they go on in its parent."""
        self._out.clear()
