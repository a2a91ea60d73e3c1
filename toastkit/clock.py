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


def iso(milliseconds: int) -> str:
    """Write a time as the documents do: ``2026-05-05T08:45:00+00:00`` (A9).

    Whole seconds: the strict parsers of native clients refuse a fraction the document never shows.
    """
    return datetime.fromtimestamp(milliseconds // 1000, UTC).isoformat()
