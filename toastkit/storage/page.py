"""Read one page of a principal's toasts."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Select, func, select

from ..errors import Invalid
from ..records import Page, PageQuery
from .stored import AS_LINE, line, listed, position
from .tables import toasts


def page(connection: Connection, query: PageQuery, now: int) -> Page:
    """Return a page, newest first.

    Raises:
        Invalid: the cursor is not one of the principal's toasts.
    """
    before = None if query.cursor is None else _before(connection, query)
    rows = connection.execute(_wanted(query, before, now)).all()
    items = [line(row) for row in rows[: query.limit]]
    return Page(
        items=items,
        next_cursor=items[-1].id if len(rows) > query.limit else None,
        unread_count=connection.scalar(_unread(query.user_id, now)) or 0,
    )


def _before(connection: Connection, query: PageQuery) -> int:
    # A toast that is deleted or collapsed by now is a place in the list still.
    seq = position(connection, query.user_id, query.cursor)
    if seq is None:
        raise Invalid("cursor is not one of this user's toasts", ("cursor",))
    return seq


def _wanted(query: PageQuery, before: int | None, now: int) -> Select[Any]:
    column = toasts.c
    wanted = AS_LINE.where(
        column.user_id == query.user_id,
        listed(now, include_collapsed=query.include_collapsed),
    )
    if before is not None:
        wanted = wanted.where(column.seq < before)
    if query.topic is not None:
        wanted = wanted.where(column.topic == query.topic)
    if query.unread:
        wanted = wanted.where(column.read_at.is_(None))
    # One more than asked for tells whether there is a next page.
    return wanted.order_by(column.seq.desc()).limit(query.limit + 1)


def _unread(user_id: str, now: int) -> Select[Any]:
    column = toasts.c
    return select(func.count()).where(
        column.user_id == user_id, column.read_at.is_(None), listed(now)
    )
