"""Read what a principal's client missed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from .. import ids
from ..events import Event, Missed
from ..records import Position, Since, Unrecoverable
from .stored import AS_EVENT, event
from .tables import principals, toasts

NOWHERE = Position(0, "")
"""Where a principal stands to whom nothing was ever published, and its clients with it."""

STEP = 1000
"""Toasts that are skimmed at once."""


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
    # the order of commits; those after it come live. So no snapshot is needed. A toast that a
    # retry moves meanwhile is one of those that come.
    here = standing(connection, wanted.user_id)
    after = _left_off(connection, wanted, here)
    if not isinstance(after, int):
        return Missed(position=here, reason=after)
    places = _places(connection, wanted, (after, here.seq), now)
    if len(places) > wanted.limit:
        return Missed(position=here, reason="too_many")
    found = _events(connection, wanted.user_id, places) if places else ()
    return Missed(position=here, toasts=found)


def standing(connection: Connection, user_id: str) -> Position:
    """Return where a principal's toasts stand."""
    column = principals.c
    row = connection.execute(
        select(column.seq, column.epoch).where(column.user_id == user_id)
    ).first()
    return NOWHERE if row is None else Position(*row)


def standings(connection: Connection, user_ids: Sequence[str]) -> dict[str, Position]:
    """Return where the toasts of each of these principals stand; who never got one is left out."""
    column = principals.c
    some = select(column.user_id, column.seq, column.epoch).where(column.user_id.in_(user_ids))
    return {user_id: Position(seq, epoch) for user_id, seq, epoch in connection.execute(some)}


def _left_off(connection: Connection, wanted: Wanted, here: Position) -> int | Unrecoverable:
    """Return the position a client knows all toasts up to."""
    since = wanted.since.position
    if since is None:
        seq = _after_toast(connection, wanted.user_id, wanted.since.toast_id)
        return "unknown_id" if seq is None else seq
    if since == NOWHERE:  # it was there before the first toast
        return 0
    return since.seq if since.epoch == here.epoch and since.seq <= here.seq else "epoch_changed"


def _after_toast(connection: Connection, user_id: str, id: str | None) -> int | None:
    """Return the position of the last toast a client knows, if that is still the same toast.

    A retry takes over the id of a toast that reached nobody in front of it, at a new position: a
    client that knows the id from before would miss, without a word, what came between.
    """
    own = (toasts.c.id == id) & (toasts.c.user_id == user_id)
    row = connection.execute(select(toasts.c.seq, toasts.c.created_at).where(own)).first()
    again = row is not None and ids.made_at(str(id)) not in (None, row.created_at)
    return None if row is None or again else row.seq


def _places(
    connection: Connection, wanted: Wanted, between: tuple[int, int], now: int
) -> list[int]:
    """Return the positions of what was missed, or of one more than the limit.

    Whoever was away for long may have missed thousands of topics that nobody has heard of, so the
    toasts themselves are read only when it is known which.
    """
    after, last = between
    column = toasts.c
    own = (column.user_id == wanted.user_id) & (column.seq <= last)
    skim = select(column.seq, column.topic).where(own, _worth(now)).order_by(column.seq)
    places: list[int] = []
    while len(places) <= wanted.limit:
        rows = connection.execute(skim.where(column.seq > after).limit(STEP)).all()
        places += [seq for seq, topic in rows if wanted.heard(topic)]
        if len(rows) < STEP:
            break
        after = rows[-1].seq
    return places[: wanted.limit + 1]


def _events(connection: Connection, user_id: str, places: list[int]) -> tuple[Event, ...]:
    own = (toasts.c.user_id == user_id) & toasts.c.seq.in_(places)
    rows = connection.execute(AS_EVENT.where(own).order_by(toasts.c.seq)).mappings()
    return tuple(event(row, replayed=True) for row in rows)


def _worth(now: int) -> ColumnElement[bool]:
    """Choose what somebody who missed it still wants."""
    column = toasts.c
    return and_(
        column.deleted_at.is_(None),
        column.read_at.is_(None),
        column.replaced_by.is_(None),
        column.state.not_in(("expired", "superseded")),
        # Shown to the anonymous principal before these became the user's: nobody missed it.
        column.reason.is_distinct_from("rebound"),
        or_(column.expires_at.is_(None), column.expires_at > now),
    )
