"""Toasts published inside a host's transaction: they wait here until it has committed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, delete, select, tuple_

from ..errors import Invalid
from ..events import Event
from ..records import Accepted
from .accepting import Accepting, Row
from .desk import GROUP
from .spelling import Executes, as_json
from .tables import outbox

GRACE_MS = 1000
"""How long what waits is left to its publisher, who relays it right after its commit."""

Relayed = tuple[Event, Accepted]

_column = outbox.c


@dataclass(frozen=True, slots=True)
class Waiting:
    """One toast that waits, ready to be accepted."""

    user_id: str
    row: Row


def add(place: Executes, events: Sequence[Event]) -> None:
    """Put toasts into the outbox, as a part of the transaction that ``place`` is in.

    This locks nothing that others need and waits for nobody; a rollback takes it back.

    Raises:
        Invalid: an event cannot be stored; none was put there.
    """
    for event in events:
        Row(event, 0)  # what could not be accepted later must be told now
    rows = [
        {
            "id": event.id,
            "user_id": event.user_id,
            "event": as_json(event),
            "created_at": event.created_at,
        }
        for event in events
    ]
    if rows:
        place.execute(outbox.insert(), rows)


@dataclass(frozen=True, slots=True)
class Found:
    """What waits: what can be relayed, and the ids of what cannot be read."""

    ready: list[Waiting]
    unreadable: set[str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Say what is to be relayed: these ids, or (``None``) the oldest without those ``passed``."""

    ids: Sequence[str] | None
    passed: frozenset[str]
    now: int
    due_ms: int


def waiting(connection: Connection, wanted: Wanted) -> Found:
    """Read what waits, in the order it was published.

    What cannot be read stays where it is, so that nothing is lost, and holds up nobody.
    """
    found = Found([], set())
    for row in connection.execute(_query(wanted)):
        try:
            event = msgspec.json.decode(row.event, type=Event)
            found.ready.append(Waiting(row.user_id, Row(event, wanted.now + wanted.due_ms)))
        except (msgspec.MsgspecError, Invalid, KeyError):
            found.unreadable.add(row.id)
    return found


def relay(
    connection: Connection, accepting: Accepting, members: Sequence[Sequence[Waiting]]
) -> list[list[Relayed]]:
    """Take toasts into the inbox, but for those that another process has taken meanwhile."""
    return [_relay(connection, accepting, member) for member in members]


def kept(connection: Connection, relayed: Sequence[Relayed]) -> bool | None:
    """Tell whether what was relayed is out of the outbox; the commit was not answered."""
    if not relayed:
        return None
    return connection.scalar(select(_column.id).where(_column.id == relayed[0][0].id)) is None


def _relay(
    connection: Connection, accepting: Accepting, waiting: Sequence[Waiting]
) -> list[Relayed]:
    # Deleting is taking: of two processes that relay the same toast one gets its row. By its id,
    # for SQLite gives the number of a row that is gone to the next one.
    # And only as it was read: what has become another user's meanwhile is relayed as theirs.
    wanted = [(each.row.event.id, each.user_id) for each in waiting]
    # The ids by themselves, too: SQLite finds no pair in a list without reading the whole table.
    ids = _column.id.in_([id for id, _ in wanted])
    own = ids & tuple_(_column.id, _column.user_id).in_(wanted)
    taking = delete(outbox).where(own).returning(_column.id)
    taken = set(connection.execute(taking).scalars())
    rows = [each.row for each in waiting if each.row.event.id in taken]
    [accepted] = accepting.carry_out(connection, [rows])
    return list(zip((row.event for row in rows), accepted, strict=True))


def _query(wanted: Wanted) -> Select[Any]:
    query = select(_column.id, _column.user_id, _column.event)
    query = query.order_by(_column.number)
    if wanted.ids is not None:
        return query.where(_column.id.in_(wanted.ids))
    # The youngest are about to be relayed by those who committed them.
    old = _column.created_at <= wanted.now - GRACE_MS
    return query.where(old, _column.id.not_in(wanted.passed)).limit(GROUP)
