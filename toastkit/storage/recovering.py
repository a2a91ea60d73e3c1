"""Read what a principal's client missed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, select

from ..events import Event, Missed
from ..records import Position, Since, Unrecoverable
from .stored import AS_EVENT, event, position
from .tables import principals, toasts

NOWHERE = Position(0, "")
"""Where a principal stands to whom nothing was ever published, and its clients with it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Say whose toasts are missed, of which topics, and how many of them at most."""

    user_id: str
    since: Since
    heard: Callable[[str], bool]
    limit: int


def missed(connection: Connection, wanted: Wanted, now: int) -> Missed:
    """Return what was missed, in the order of positions, or why it cannot be told."""
    # The position is read first. All toasts up to it are committed, for positions are taken in
    # the order of commits; those after it come live. So no snapshot is needed.
    here = standing(connection, wanted.user_id)
    after = _left_off(connection, wanted, here)
    if not isinstance(after, int):
        return Missed(position=here, reason=after)
    found: list[Event] = []
    for row in _after(connection, wanted, (after, here.seq)):
        if _worth(row, now) and wanted.heard(row["topic"]):
            if len(found) == wanted.limit:
                return Missed(position=here, reason="too_many")
            found.append(event(row, replayed=True))
    return Missed(position=here, toasts=tuple(found))


def standing(connection: Connection, user_id: str) -> Position:
    """Return where a principal's toasts stand."""
    column = principals.c
    row = connection.execute(
        select(column.seq, column.epoch).where(column.user_id == user_id)
    ).first()
    return NOWHERE if row is None else Position(*row)


def _left_off(connection: Connection, wanted: Wanted, here: Position) -> int | Unrecoverable:
    """Return the position a client knows all toasts up to."""
    since = wanted.since.position
    if since is None:
        seq = position(connection, wanted.user_id, wanted.since.toast_id)
        return "unknown_id" if seq is None else seq
    if since == NOWHERE:  # it was there before the first toast
        return 0
    return since.seq if since.epoch == here.epoch and since.seq <= here.seq else "epoch_changed"


def _after(
    connection: Connection, wanted: Wanted, between: tuple[int, int]
) -> Iterator[RowMapping]:
    """Read on in steps: how many of the next the client has heard is not known before."""
    after, last = between
    column = toasts.c
    step = wanted.limit + 1
    while after < last:
        own = (column.user_id == wanted.user_id) & column.seq.between(after + 1, last)
        rows = (
            connection.execute(AS_EVENT.where(own).order_by(column.seq).limit(step))
            .mappings()
            .all()
        )
        yield from rows
        if len(rows) < step:
            return
        after = rows[-1]["seq"]


def _worth(row: RowMapping, now: int) -> bool:
    """Tell whether somebody who missed a toast still wants it."""
    return (
        all(row[mark] is None for mark in ("deleted_at", "read_at", "replaced_by"))
        and row["state"] not in {"expired", "superseded"}
        and (row["expires_at"] is None or row["expires_at"] > now)
    )
