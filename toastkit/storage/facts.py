"""Gather what is known about one toast."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection, func, select

from ..events import Event
from ..records import Facts
from .recovering import standing
from .tables import dedupe, devices, outbox, toasts

_DERIVED = ("claimed", "devices", "waiting", "position")
_STORED = [toasts.c[name] for name in Facts.__struct_fields__ if name not in _DERIVED]


def facts(connection: Connection, id: str) -> Facts | None:
    """Return the facts of a toast in the inbox, or of one that waits in the outbox."""
    row = connection.execute(select(*_STORED).where(toasts.c.id == id)).mappings().first()
    if row is not None:
        return Facts(**row, **_around(connection, row["user_id"], id))
    event = connection.scalar(select(outbox.c.event).where(outbox.c.id == id))
    return None if event is None else _waiting(connection, event)


def _waiting(connection: Connection, text: str) -> Facts | None:
    try:
        event = msgspec.json.decode(text, type=Event)
    except msgspec.MsgspecError:
        return None
    assert event.user_id is not None
    assert event.topic is not None
    return Facts(
        id=event.id,
        user_id=event.user_id,
        seq=0,
        topic=event.topic,
        title=event.data["title"],
        created_at=event.created_at,
        state="accepted",
        fallback=event.fallback,
        expires_at=event.expires_at,
        dedupe_key=event.dedupe_key,
        collapse_key=event.collapse_key,
        waiting=True,
        **_around(connection, event.user_id, event.id),
    )


def _around(connection: Connection, user_id: str, id: str) -> dict[str, Any]:
    own = dedupe.c.user_id == user_id
    claim = select(func.count()).where(own, dedupe.c.toast_id == id, dedupe.c.until > 0)
    number = select(func.count()).where(devices.c.user_id == user_id)
    return {
        "claimed": bool(connection.scalar(claim)),
        "devices": connection.scalar(number) or 0,
        "position": standing(connection, user_id),
    }
