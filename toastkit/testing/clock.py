"""A clock that a test sets."""

from __future__ import annotations


class ManualClock:
    """Tell the time a test sets."""

    def __init__(self, now: int = 1_767_225_600_000) -> None:
        self._now = now
        self._monotonic = 1000.0

    def now(self) -> int:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now += round(seconds * 1000)
        self._monotonic += seconds
