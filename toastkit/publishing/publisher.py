"""The one road of every event: check, store, broadcast, decide."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from ..backplane.contract import Backplane
from ..clock import Clock
from ..config import Config
from ..errors import NotServing
from ..events import Event
from ..receipts import Receipt
from ..records import Accepted
from .confirm import decide
from .inbox import Inbox


@dataclass(frozen=True, slots=True)
class PublisherParts:
    """What a publisher is made of; ``serving`` tells whether this process may decide."""

    config: Config
    clock: Clock
    inbox: Inbox
    backplane: Backplane
    serving: Callable[[], bool]


class Publisher:
    """Take every event from its draft to its receipt."""

    def __init__(self, parts: PublisherParts) -> None:
        self._config = parts.config
        self._clock = parts.clock
        self._inbox = parts.inbox
        self._backplane = parts.backplane
        self._serving = parts.serving

    def publish(self, toasts: Sequence[Event]) -> list[Receipt]:
        """Store toasts durably, tell whoever is there, and return one receipt each, in order.

        Raises:
            StorageUnavailable: nothing was kept.
        """
        accepted = self._inbox.accept(toasts, self._config.due_ms)
        pairs = list(zip(toasts, accepted, strict=True))
        fresh = [_placed(event, place) for event, place in pairs if not place.duplicate]
        decided = iter(self._decide(fresh))
        return [
            Receipt.duplicate(place.id) if place.duplicate else next(decided) for place in accepted
        ]

    def announce(self, control: Event) -> None:
        """Tell a control to whoever is there; it is never stored and never pushed (A27).

        Raises:
            NotServing: nobody is connected to this process, and it reaches no other.
        """
        if not self._serving():
            raise NotServing(
                "controls are not stored, so only a process that serves sockets can send one: "
                "call this inside the web process"
            )
        self._backplane.broadcast([control], confirm=0)

    def _decide(self, toasts: list[Event]) -> list[Receipt]:
        if not self._serving():
            # Another process holds the sockets; only it can know whether anybody is there.
            return [Receipt.queued(event.id) for event in toasts]
        until = self._clock.now() + self._config.confirm_ms
        told = [_now_or_never(event, until) for event in toasts]
        confirmations = self._backplane.broadcast(told, self._config.confirm_ms / 1000)
        now = self._clock.now()
        verdicts = [
            decide(event, confirmation, now)
            for event, confirmation in zip(toasts, confirmations, strict=True)
        ]
        self._inbox.mark([change for _, change in verdicts if change is not None])
        return [receipt for receipt, _ in verdicts]


def _placed(event: Event, place: Accepted) -> Event:
    return replace(event, id=place.id, seq=place.seq, epoch=place.epoch)


def _now_or_never(event: Event, until: int) -> Event:
    # A time to live of 0 means "now or never": now begins when the toast is stored, however long
    # that took, and lasts as long as the publisher waits.
    return replace(event, expires_at=until) if event.expires_at == event.created_at else event
