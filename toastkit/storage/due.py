"""Take toasts that are due: undecided ones, and written ones whose ack is overdue.

``due_at`` is the only thing looked for. Who takes a toast moves it to the end of the lease, so that
neither leased toasts nor those that wait for an ack are read past at every look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, or_, select, update

from ..events import Event
from ..records import State
from .stored import AS_EVENT, event
from .tables import toasts


@dataclass(frozen=True, slots=True)
class Claim:
    """Say which toasts are to be taken, and until when for."""

    ids: tuple[str, ...]
    state: State
    now: int
    until: int


def due(connection: Connection, state: State, now: int, limit: int) -> dict[str, str]:
    """Return the ids of toasts that are due, the oldest first, each with its user."""
    column = toasts.c
    query = select(column.id, column.user_id).where(_due(state, now))
    rows = connection.execute(query.order_by(column.due_at, column.id).limit(limit))
    return {row.id: row.user_id for row in rows}


def claim(connection: Connection, claims: Sequence[Claim]) -> list[list[Event]]:
    """Take toasts for each of several who look; nobody gets one that another has taken."""
    return [_claim(connection, each) for each in claims]


def kept(until: int, connection: Connection, claimed: Sequence[Event]) -> bool | None:
    """Tell whether a claim is in the database whose commit was not answered."""
    if not claimed:
        return None
    first = select(toasts.c.due_at).where(toasts.c.id == claimed[0].id)
    return bool(connection.scalar(first) == until)


def _claim(connection: Connection, claim: Claim) -> list[Event]:
    column = toasts.c
    _settle_met(connection, claim)
    values = {"due_at": claim.until, "lease_until": claim.until}
    taking = update(toasts).where(column.id.in_(_free(claim))).values(**values)
    taken = connection.execute(taking.returning(column.id)).scalars().all()
    if not taken:
        return []
    rows = connection.execute(AS_EVENT.where(column.id.in_(taken))).mappings()
    return sorted(map(event, rows), key=_oldest)


def _settle_met(connection: Connection, claim: Claim) -> None:
    # Its user saw it in the list and wants it no more: it must not be shown now. One that was
    # written, and was read or replaced meanwhile, needs no ack any more.
    column = toasts.c
    met: ColumnElement[bool]
    ended: dict[str, Any] = {"due_at": None, "lease_until": None}
    if claim.state == "accepted":
        met = column.deleted_at.is_not(None)
        ended |= {"state": "superseded", "reason": "deleted"}
    else:
        known = (column.deleted_at, column.read_at, column.seen_at, column.replaced_by)
        met = or_(*(each.is_not(None) for each in known))
    connection.execute(update(toasts).where(column.id.in_(_free(claim)), met).values(**ended))


def _free(claim: Claim) -> Select[tuple[str]]:
    # Looked at again, for another process may have taken or decided it meanwhile. Rows that
    # another transaction holds are passed over, not waited for.
    wanted = toasts.c.id.in_(claim.ids) & _due(claim.state, claim.now)
    return select(toasts.c.id).where(wanted).with_for_update(skip_locked=True)


def _due(state: State, now: int) -> Any:
    return (toasts.c.state == state) & (toasts.c.due_at <= now)


def _oldest(event: Event) -> tuple[int, int]:
    return event.created_at, event.seq or 0
