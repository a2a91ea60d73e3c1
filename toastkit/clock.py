"""The only place that reads time."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tell the time: one reading for dates, one for durations."""

    def now(self) -> int:
        """Return the wall time in milliseconds since the epoch; it may jump."""

    def monotonic(self) -> float:
        """Return seconds that only ever grow; meaningless outside this process."""


class SystemClock:
    """Tell the machine's time."""

    def now(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()


class Deadline:
    """Say how much time is left of ``seconds`` for all of something, however many waits it takes.

    ``late`` is how the error reads once none is.
    """

    def __init__(self, seconds: float, clock: Clock | None = None, late: str = "timed out") -> None:
        self._clock = clock or SystemClock()
        self._end = self._clock.monotonic() + seconds
        self.late = late

    def left(self) -> float:
        """Return the seconds that are left.

        Raises:
            TimeoutError: none are.
        """
        seconds = self._end - self._clock.monotonic()
        if seconds <= 0:
            raise TimeoutError(self.late)
        return seconds


def iso(milliseconds: int) -> str:
    """Write a time as the documents do: ``2026-05-05T08:45:00+00:00`` (A9).

    Whole seconds: the strict parsers of native clients refuse a fraction the document never shows.
    """
    return datetime.fromtimestamp(milliseconds // 1000, UTC).isoformat()
