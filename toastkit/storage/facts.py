"""Gather what is known about one toast."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection, func, select

from ..events import Event
from ..records import Facts
from .deliveries import of_toast
from .recovering import standing
from .stored import AS_FACTS
from .tables import dedupe, devices, outbox, toasts


def facts(connection: Connection, id: str, now: int) -> Facts | None:
    """Return the facts of a toast in the inbox, or of one that waits in the outbox."""
    row = connection.execute(AS_FACTS.where(toasts.c.id == id)).mappings().first()
    if row is not None:
        owed = of_toast(connection, id, row["seq"])
        return Facts(**row, deliveries=owed, **_around(connection, row["user_id"], id, now))
    event = connection.scalar(select(outbox.c.event).where(outbox.c.id == id))
    return None if event is None else _waiting(connection, event, now)


def _waiting(connection: Connection, text: str, now: int) -> Facts | None:
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
        **_around(connection, event.user_id, event.id, now),
    )


def _around(connection: Connection, user_id: str, id: str, now: int) -> dict[str, Any]:
    own = dedupe.c.user_id == user_id
    held = (dedupe.c.toast_id == id) & (dedupe.c.until > now)
    claim = select(func.count()).where(own, held)
    number = select(func.count()).where(devices.c.user_id == user_id)
    return {
        "claimed": bool(connection.scalar(claim)),
        "devices": connection.scalar(number) or 0,
        "position": standing(connection, user_id),
    }
