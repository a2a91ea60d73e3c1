"""Look at toasts as they come, whoever published them, and at what becomes of them.

Nothing in a row says when it was committed: an id is of the time its toast was made, perhaps by
another machine's clock, and perhaps long before the end of its transaction. So each look goes back
a while, and whoever asks remembers what it has seen. Of one user the newest are looked at instead:
positions are given in the order of the commits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, select, true

from .. import ids
from ..records import Facts, TailQuery, Trace
from .stored import AS_FACTS
from .tables import toasts

MOST = 1000
"""How many of one user's toasts are looked at, and how many of many are read at once."""

_TRACED = [toasts.c[name] for name in Trace.__struct_fields__]


def traces(connection: Connection, query: TailQuery, since: int) -> list[Trace]:
    """Return how far the toasts that were made since then have come."""
    found = _recent(select(*_TRACED), query, since)
    return [Trace(*row) for row in connection.execute(found)]


def newest(connection: Connection, query: TailQuery, since: int | None, limit: int) -> list[Facts]:
    """Return the newest toasts that were made since then, the oldest of them first."""
    order = toasts.c.id if query.user_id is None else toasts.c.seq
    made = true() if since is None else toasts.c.id >= ids.first_at(since)
    chosen = AS_FACTS.where(_wanted(query), made).order_by(order.desc()).limit(limit)
    return [Facts(**row) for row in connection.execute(chosen).mappings()][::-1]


def of_ids(connection: Connection, wanted: Sequence[str]) -> list[Facts]:
    """Return what is known of these toasts, those that are there, in the order they were made."""
    found: list[Facts] = []
    for first in range(0, len(wanted), MOST):
        some = toasts.c.id.in_(wanted[first : first + MOST])
        rows = connection.execute(AS_FACTS.where(some)).mappings()
        found += [Facts(**row) for row in rows]
    return sorted(found, key=lambda facts: (facts.created_at, facts.seq))


def _recent(columns: Select[Any], query: TailQuery, since: int) -> Select[Any]:
    if query.user_id is not None:
        return columns.where(_wanted(query)).order_by(toasts.c.seq.desc()).limit(MOST)
    return columns.where(_wanted(query), toasts.c.id >= ids.first_at(since))


def _wanted(query: TailQuery) -> ColumnElement[bool]:
    wanted: list[ColumnElement[bool]] = [true()]
    if query.user_id is not None:
        wanted.append(toasts.c.user_id == query.user_id)
    if query.topic is not None:
        wanted.append(toasts.c.topic == query.topic)
    return and_(*wanted)
