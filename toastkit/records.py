"""Stored shapes: what a repository takes and gives. Times are milliseconds since the epoch."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

State = Literal[
    "accepted",
    "written",
    "acked",
    "owed",
    "sent",
    "failed",
    "undelivered",
    "expired",
    "superseded",
]


class StoredToast(Struct, frozen=True, kw_only=True):
    """One row of a principal's inbox, as a list shows it (A20)."""

    id: str
    topic: str
    title: str
    body: str | None
    style: str
    priority: str
    deeplink: str | None
    data: dict[str, Any] | None
    created_at: int
    seq: int
    state: State


class Accepted(Struct, frozen=True):
    """What storage made of one toast: its id and position.

    ``duplicate`` means another toast holds the dedupe key: ``id`` is that one's and nothing was
    stored. ``id`` differs from the one given without being a duplicate when a retry took over an
    undelivered toast (same id, new content, new position).
    """

    id: str
    seq: int
    epoch: str
    duplicate: bool = False


class StateChange(Struct, frozen=True):
    """One compare-and-set on a toast's state, owed to the next commit."""

    id: str
    user_id: str
    state: State
    at: int
    transport: str | None = None


class Ticket(Struct, frozen=True, kw_only=True):
    """The 15-minute WebSocket token: whom it lets in, from which device, to which topics (A7)."""

    token_hash: str
    user_id: str
    device_id: str
    topics: tuple[str, ...]
    session_hash: str | None
    expires_at: int


class Session(Struct, frozen=True, kw_only=True):
    """The 30-minute opaque auth token of a principal (B1)."""

    token_hash: str
    user_id: str
    kind: Literal["user", "anonymous"]
    created_at: int
    expires_at: int
    revoked_at: int | None = None


class Device(Struct, frozen=True, kw_only=True):
    """Which handset of a principal, and where a push would reach it (A11, A12)."""

    user_id: str
    device_id: str
    bundle_id: str
    push_token: str | None = None
    environment: Literal["production", "sandbox"] = "production"
    registered_at: int = 0
