"""A toast's row, and what it is to others: an event again, or a line of a list."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, RowMapping, and_, or_, select

from .. import principals as who
from ..events import Event
from ..records import Facts, StoredToast
from .tables import principals, toasts

_CONTENT = ("title", "body", "style", "priority", "deeplink", "data")
_FIELDS = StoredToast.__struct_fields__

AS_EVENT = select(toasts, principals.c.epoch).join_from(
    toasts, principals, principals.c.user_id == toasts.c.user_id
)
"""Select what ``event`` makes an event of."""

AS_LINE = select(*(toasts.c[name] for name in _FIELDS))
"""Select what ``line`` makes a line of a list of."""


_DERIVED = ("claimed", "deliveries", "devices", "waiting", "position")
AS_FACTS = select(*(toasts.c[name] for name in Facts.__struct_fields__ if name not in _DERIVED))
"""Select what a toast's row itself tells of what became of it."""


def event(toast: RowMapping, *, replayed: bool = False) -> Event:
    """Return the event that a toast's row was made of, at its position."""
    return Event(
        kind="toast",
        id=toast["id"],
        route=who.route(toast["user_id"]),
        name="toast",
        data={name: toast[name] for name in _CONTENT} | {"data": _data(toast["data"])},
        created_at=toast["created_at"],
        topic=toast["topic"],
        user_id=toast["user_id"],
        expires_at=toast["expires_at"],
        dedupe_key=toast["dedupe_key"],
        collapse_key=toast["collapse_key"],
        fallback=toast["fallback"],
        seq=toast["seq"],
        epoch=toast["epoch"],
        replayed=replayed,
    )


def line(row: Row[Any]) -> StoredToast:
    """Return a toast as a list shows it."""
    values = dict(zip(_FIELDS, row, strict=True))
    values["data"] = _data(values["data"])
    return StoredToast(**values)


def listed(now: int, *, include_collapsed: bool = False) -> ColumnElement[bool]:
    """Choose what a list shows.

    Left out: deleted toasts, undelivered ones past their time to live, and, unless asked for, ones
    that a newer delivered toast of the same collapse key has replaced.
    """
    column = toasts.c
    alive = or_(
        column.delivered_at.is_not(None), column.expires_at.is_(None), column.expires_at > now
    )
    shown = and_(column.deleted_at.is_(None), column.state != "expired", alive)
    if include_collapsed:
        return shown
    return and_(shown, column.replaced_by.is_(None), column.state != "superseded")


def position(connection: Connection, user_id: str, id: str | None) -> int | None:
    """Return the position of one of a principal's toasts, whatever has become of it."""
    own = (toasts.c.id == id) & (toasts.c.user_id == user_id)
    seq: int | None = connection.scalar(select(toasts.c.seq).where(own))
    return seq


def _data(text: str | None) -> dict[str, Any] | None:
    return None if text is None else msgspec.json.decode(text)
