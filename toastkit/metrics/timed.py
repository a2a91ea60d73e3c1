"""A backplane whose publisher's waits are timed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..backplane.contract import Backplane, Confirmation, Pending
from ..clock import Clock
from ..events import Event

Told = Callable[[float, int], object]
"""Told the seconds of a wait, and for how many events not every answer came."""


class Timed:
    """Be another backplane in all but that: broadcasts are timed until their answers are there."""

    def __init__(self, backplane: Backplane, clock: Clock, told: Told) -> None:
        self._backplane = backplane
        self._clock = clock
        self._told = told

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backplane, name)

    def broadcast(self, events: Sequence[Event]) -> Pending:
        """Tell events to everybody; the wait for the answers is timed from here on."""
        return _Timed(self._backplane.broadcast(events), self._clock, self._told)


class _Timed:
    """Answers whose waiting is timed."""

    __slots__ = ("_began", "_clock", "_pending", "_told")

    def __init__(self, pending: Pending, clock: Clock, told: Told) -> None:
        self._pending = pending
        self._clock = clock
        self._told = told
        self._began = clock.monotonic()

    def wait(self, seconds: float) -> list[Confirmation]:
        found = self._pending.wait(seconds)
        self._told(self._clock.monotonic() - self._began, sum(not each.complete for each in found))
        return found
