"""What became of a publish. A duplicate is a receipt, not an error."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Reason = Literal[
    "duplicate",
    "expired",
    "no_session",
    "not_subscribed",
    "no_device",
    "fallback_disabled",
    "provider_error",
]


class Receipt(Struct, frozen=True, kw_only=True):
    """Say what became of one toast; also the body of the 202 (A16, A.12).

    ``transport="websocket"`` means a worker confirmed that the whole frame went to
    ``session_count`` foreground sockets; ``"apns"`` that a push was taken (``delivered``) or is
    owed (``queued``), and so for every other kind of fallback; ``"none"`` neither.
    ``status="queued"`` means the toast is durable and will be delivered or decided later.
    """

    delivered: bool
    transport: str
    session_count: int
    id: str
    status: Literal["delivered", "queued", "duplicate", "undelivered"]
    reason: Reason | None = None

    @classmethod
    def shown(cls, id: str, session_count: int) -> Receipt:
        """Return the receipt of a toast that went to sockets."""
        return cls(
            delivered=True,
            transport="websocket",
            session_count=session_count,
            id=id,
            status="delivered",
        )

    @classmethod
    def queued(cls, id: str) -> Receipt:
        """Return the receipt of a toast that is durable and will be decided later."""
        return cls(delivered=False, transport="none", session_count=0, id=id, status="queued")

    @classmethod
    def pushed(cls, id: str, kind: str) -> Receipt:
        """Return the receipt of a toast that the provider of a push has taken."""
        return cls(delivered=True, transport=kind, session_count=0, id=id, status="delivered")

    @classmethod
    def owed(cls, id: str, kind: str | None) -> Receipt:
        """Return the receipt of a toast whose push is on its way, or (``None``) comes later on."""
        return cls(
            delivered=False, transport=kind or "none", session_count=0, id=id, status="queued"
        )

    @classmethod
    def duplicate(cls, id: str) -> Receipt:
        """Return the receipt of a repeat; ``id`` is the first toast's (A.13)."""
        return cls(
            delivered=False,
            transport="none",
            session_count=0,
            id=id,
            status="duplicate",
            reason="duplicate",
        )

    @classmethod
    def undelivered(cls, id: str, reason: Reason) -> Receipt:
        """Return the receipt of a toast nobody saw, and why."""
        return cls(
            delivered=False,
            transport="none",
            session_count=0,
            id=id,
            status="undelivered",
            reason=reason,
        )
