"""Say what the outcome of an attempt means: for its delivery, and for all others of its kind."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from functools import partial

from ..clock import Clock
from ..deliveries import Carried, Delivery, Gone, Later, Outcome, Refusal, Sent
from .health import Health
from .pauses import pause_seconds
from .posting import Raised

TOLD_SECONDS = 10.0
"""An outage that lasts longer is told of."""

AWAY_SECONDS = 60.0
"""The longest pause of a delivery that finds the other side away, where others do not."""

MAX_ANSWER = 500

log = logging.getLogger(__name__)


class Judge:
    """Decide what follows an attempt, and know the health of each kind; for one courier."""

    def __init__(self, clock: Clock, chance: Callable[[], float]) -> None:
        self._clock = clock
        self._chance = chance
        self._missed: set[str] = set()
        self.health = _Healths(clock, chance)

    def carried(self, delivery: Delivery, began: float, outcome: Outcome) -> Carried:
        """Return what becomes of a delivery after an attempt that ``began`` then."""
        self._note(delivery.kind, began, outcome)
        answer = _tidy(outcome.answer)
        match outcome:
            case Sent():
                return Carried(delivery=delivery, outcome=outcome, state="sent", answer=answer)
            case Refusal() | Gone():
                return Carried(delivery=delivery, outcome=outcome, state="failed", answer=answer)
            case Later():
                pause = self._pause(delivery, outcome)
                at = min(self._clock.now() + math.ceil(pause * 1000), delivery.expires_at)
                return Carried(
                    delivery=delivery,
                    outcome=outcome,
                    state="waiting",
                    answer=answer,
                    next_attempt_at=at,
                )

    def _note(self, kind: str, began: float, outcome: Outcome) -> None:
        health = self.health[kind]
        if isinstance(outcome, Later) and (outcome.away or isinstance(outcome, Raised)):
            health.missed(began, outcome.seconds)
            if health.lasts >= TOLD_SECONDS and kind not in self._missed:
                self._missed.add(kind)
                log.warning(
                    "what %s is posted to does not answer (%s); what is owed waits, and one attempt "
                    "now and then asks for it",
                    kind,
                    _why(outcome),
                )
            return
        health.answered()
        if kind in self._missed:
            self._missed.discard(kind)
            log.warning("what %s is posted to answers again", kind)

    def _pause(self, delivery: Delivery, later: Later) -> float:
        pause = pause_seconds(delivery.attempts, later.seconds, self._chance())
        if not later.away:
            return pause
        # Where all are away nothing is wrong with this one, and it need not come back ever more
        # rarely. One that was away more often than its kind was is told so, whatever it does.
        health = self.health[delivery.kind]
        own = min(pause, AWAY_SECONDS) if delivery.attempts >= health.times else 0.0
        return max(own, health.pause)


class _Healths(dict[str, Health]):
    """Hold the health of each kind; one that nothing is known of is well."""

    def __init__(self, clock: Clock, chance: Callable[[], float]) -> None:
        super().__init__()
        self._make = partial(Health, clock, chance)

    def __missing__(self, kind: str) -> Health:
        return self.setdefault(kind, self._make())


def _why(later: Later) -> str:
    text = _tidy(later.answer)
    # What was raised says in its text what it was raised for, perhaps.
    return text.partition(":")[0] if isinstance(later, Raised) else text


def _tidy(answer: object) -> str:
    """Return an answer as any database can keep it."""
    text = str(answer)[:MAX_ANSWER]
    return "".join(char if char.isprintable() else " " for char in text)
