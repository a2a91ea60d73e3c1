"""Gather what is known about one toast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, func, select

from ..events import Event
from ..records import Facts
from .deliveries import of_toast
from .recovering import standing
from .tables import dedupe, devices, outbox, toasts

_DERIVED = ("claimed", "deliveries", "devices", "waiting", "position")
_STORED = [toasts.c[name] for name in Facts.__struct_fields__ if name not in _DERIVED]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which toast is asked about, and when."""

    id: str
    now: int


def facts(connection: Connection, members: Sequence[Asked]) -> list[Facts | None]:
    """Return the facts of toasts in the inbox, or of those that wait in the outbox."""
    return [_facts(connection, asked) for asked in members]


def _facts(connection: Connection, asked: Asked) -> Facts | None:
    row = connection.execute(select(*_STORED).where(toasts.c.id == asked.id)).mappings().first()
    if row is not None:
        owed = of_toast(connection, asked.id, row["seq"])
        return Facts(**row, deliveries=owed, **_around(connection, row["user_id"], asked))
    event = connection.scalar(select(outbox.c.event).where(outbox.c.id == asked.id))
    return None if event is None else _waiting(connection, event, asked)


def _waiting(connection: Connection, text: str, asked: Asked) -> Facts | None:
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
        **_around(connection, event.user_id, asked),
    )


def _around(connection: Connection, user_id: str, asked: Asked) -> dict[str, Any]:
    own = dedupe.c.user_id == user_id
    held = (dedupe.c.toast_id == asked.id) & (dedupe.c.until > asked.now)
    claim = select(func.count()).where(own, held)
    number = select(func.count()).where(devices.c.user_id == user_id)
    return {
        "claimed": bool(connection.scalar(claim)),
        "devices": connection.scalar(number) or 0,
        "position": standing(connection, user_id),
    }
