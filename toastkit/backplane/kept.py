"""Decide what of a route's short history can be told, wherever it is kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from ..events import Event
from ..records import Position, Unrecoverable
from .history import Past


@dataclass(frozen=True, slots=True)
class Kept:
    """One event that is kept until a time, in milliseconds since the epoch."""

    seq: int
    until: int
    event: Event


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a route stands at a time, and what is kept of it, in order."""

    position: Position
    now: int
    kept: Sequence[Kept] = ()

    def told(self, most: int) -> tuple[Event, ...]:
        """Return the newest events that are worth telling."""
        events = self._worth(self.kept)
        return events[len(events) - most :] if most < len(events) else events

    def after(self, seq: int) -> tuple[Event, ...] | None:
        """Return what came after a position and is worth telling; ``None`` if a part is gone."""
        missed = [kept for kept in self.kept if kept.seq > seq and kept.until > self.now]
        wanted = range(seq + 1, self.position.seq + 1)
        return self._worth(missed) if [kept.seq for kept in missed] == list(wanted) else None

    def _worth(self, some: Iterable[Kept]) -> tuple[Event, ...]:
        return tuple(
            replace(kept.event, replayed=True)
            for kept in some
            if kept.until > self.now and not kept.event.expired(self.now)
        )


def since(position: Position, most: int, standing: Standing) -> Past:
    """Return what was missed since a position, or why it cannot be told."""
    here = standing.position
    reason: Unrecoverable | None = None
    events: tuple[Event, ...] | None = ()
    if position.epoch != here.epoch or not 0 <= position.seq <= here.seq:
        reason = "epoch_changed"
    elif here.seq - position.seq > most:
        reason = "too_many"
    else:
        events = standing.after(position.seq)
        reason = "too_many" if events is None else None
    return Past(position=here, events=events or (), reason=reason)
