"""Know whether the other side of one kind of delivery answers; ask it rarely while it does not."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..clock import Clock
from .pauses import named_seconds

FIRST_SECONDS, MOST_SECONDS = 1.0, 30.0
"""The longest pause before the first attempt that asks whether it is back, and before any."""

NAMED_SECONDS = 600.0
"""The longest pause that the other side may name: one answer out of many must not end a day."""


@dataclass(frozen=True, slots=True)
class _Away:
    """When it was first and last found to be away, how often, and when it is asked again."""

    first: float
    since: float
    until: float
    times: int


class Health:
    """Let one attempt at a time ask for a kind whose other side is away.

    So an outage uses up the attempts of few deliveries, and all others leave when it is over.
    What is known is one value that is replaced, for attempts end side by side.
    """

    def __init__(self, clock: Clock, chance: Callable[[], float]) -> None:
        self._clock = clock
        self._chance = chance
        self._away: _Away | None = None
        self._answered_at = -math.inf

    @property
    def well(self) -> bool:
        """Tell whether the other side answered, as far as is known."""
        return self._away is None

    @property
    def pause(self) -> float:
        """Return in how many seconds the other side is asked again."""
        away = self._away
        return 0.0 if away is None else max(0.0, away.until - self._clock.monotonic())

    @property
    def times(self) -> int:
        """Return how often in a row it was found to be away."""
        return 0 if self._away is None else self._away.times

    @property
    def lasts(self) -> float:
        """Return for how many seconds it has been known to be away."""
        return 0.0 if self._away is None else self._clock.monotonic() - self._away.first

    def prompt(self, begun: Iterable[float], patience: float) -> bool:
        """Tell whether an attempt would be answered within ``patience`` seconds, as far as known.

        Not where one that goes on has waited longer, and nothing was answered since it began.
        """
        silent_since = min((began for began in begun if began >= self._answered_at), default=None)
        if silent_since is None:
            return self.well
        return self.well and self._clock.monotonic() - silent_since <= patience

    def room(self, free: int, begun: Iterable[float]) -> int:
        """Return how many of ``free`` places may be used; ``begun`` is when others' attempts were.

        What began before it was known to be away may hang for long, and keeps nobody from asking.
        """
        away = self._away
        if away is None:
            return free
        asking = any(began > away.since for began in begun)
        return 0 if asking or self._clock.monotonic() < away.until else min(free, 1)

    def answered(self) -> None:
        """Note that the other side is there, whatever it said."""
        self._answered_at = self._clock.monotonic()
        self._away = None

    def missed(self, began: float, seconds: object = None) -> None:
        """Note that an attempt found it away; it named ``seconds`` to wait, perhaps.

        Attempts that had begun before that was known tell nothing new.
        """
        away, now = self._away, self._clock.monotonic()
        if away is not None and began <= away.since:
            return
        times = 1 if away is None else away.times + 1
        pause = named_seconds(seconds)
        if pause is None:
            longest = min(MOST_SECONDS, FIRST_SECONDS * 2.0 ** min(times - 1, 10))
            pause = longest * (1 + self._chance()) / 2
        pause = min(pause, NAMED_SECONDS)
        self._away = _Away(now if away is None else away.first, now, now + pause, times)
