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


DELIVERED: tuple[State, ...] = ("written", "acked", "sent")
"""States that mean the toast reached its user, or the provider of a push."""


class Position(Struct, frozen=True):
    """Say how far a principal's toasts have come: ``seq`` of the newest, within one ``epoch``.

    Another epoch means that numbering began anew, so that positions cannot be compared.
    """

    seq: int
    epoch: str


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
    seen_at: int | None = None
    read_at: int | None = None


class PageQuery(Struct, frozen=True, kw_only=True):
    """Say which of a principal's toasts are wanted, newest first (A19, A.21).

    ``cursor`` is the id of the last toast of the page before; ``topic`` is matched exactly.
    """

    user_id: str
    limit: int = 50
    cursor: str | None = None
    topic: str | None = None
    unread: bool = False
    include_collapsed: bool = False


class Page(Struct, frozen=True, kw_only=True):
    """Hold one page of a principal's toasts; ``next_cursor`` is ``None`` on the last (A.21).

    ``unread_count`` counts every unread toast the plain list would show, whatever was asked for.
    """

    items: list[StoredToast]
    next_cursor: str | None
    unread_count: int


ReadMark = Literal["read", "unread", "seen", "deleted"]
"""What a user does with a toast in the list (A.22)."""

Unrecoverable = Literal["epoch_changed", "unknown_id", "too_many", "unavailable"]
"""Why what a client missed cannot be replayed: it must fetch the list instead."""


class Since(Struct, frozen=True, kw_only=True):
    """Say where a client left off: at a position, or at the last toast it knows (A.19)."""

    position: Position | None = None
    toast_id: str | None = None


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
    """One compare-and-set on a toast's state, owed to the next commit.

    ``due_at``: when somebody must look at the toast again, such as for a missing ack. ``reason``
    and ``session_count`` are kept for whoever asks later why a user did or did not see it. ``seq``:
    where the toast was when this became of it, if that is known; a retry that has taken its place
    since is another toast.
    """

    id: str
    user_id: str
    state: State
    at: int
    transport: str | None = None
    due_at: int | None = None
    reason: str | None = None
    session_count: int | None = None
    seq: int | None = None


DeliveryState = Literal["waiting", "sent", "failed", "expired", "dropped"]
"""Waiting is tried until it is taken (sent), refused for good (failed), or its time is over; it is
dropped when it is not wanted any more: its toast was acked, read, deleted or replaced, a newer one of its
collapse key is owed to the same target, or its device is gone."""


class StoredDelivery(Struct, frozen=True, kw_only=True):
    """Show how far a delivery has come; its payload is for the sender alone.

    ``next_attempt_at`` is ``None`` at its end; ``lease_until`` says that an attempt goes on.
    """

    id: str
    kind: str
    target: str
    state: DeliveryState
    attempts: int
    created_at: int
    expires_at: int
    next_attempt_at: int | None
    lease_until: int | None
    last_answer: str | None
    user_id: str | None
    toast_id: str | None


class Facts(Struct, frozen=True, kw_only=True):
    """Hold all that is known about one toast, for whoever asks why it was or was not seen.

    ``claimed``: its dedupe key is held by it and not released. ``devices``: how many its user has.
    ``deliveries``: what was owed for it, at the position it has now.
    ``waiting``: it has no row yet but waits in the outbox; then ``seq`` is 0. ``position``: where
    its principal's toasts stand now.
    """

    id: str
    user_id: str
    seq: int
    topic: str
    title: str
    created_at: int
    state: State
    fallback: bool
    expires_at: int | None = None
    dedupe_key: str | None = None
    collapse_key: str | None = None
    due_at: int | None = None
    lease_until: int | None = None
    transport: str | None = None
    reason: str | None = None
    session_count: int | None = None
    delivered_at: int | None = None
    acked_at: int | None = None
    seen_at: int | None = None
    read_at: int | None = None
    deleted_at: int | None = None
    replaced_by: str | None = None
    claimed: bool = False
    devices: int = 0
    deliveries: tuple[StoredDelivery, ...] = ()
    waiting: bool = False
    position: Position | None = None


class TailQuery(Struct, frozen=True, kw_only=True):
    """Say whose toasts are looked at as they come, and on which topic: everybody's unless named."""

    user_id: str | None = None
    topic: str | None = None


class Trace(Struct, frozen=True):
    """Tell how far one toast has come: it is another one when anything has become of the toast."""

    id: str
    user_id: str
    seq: int
    state: State
    reason: str | None
    session_count: int | None
    delivered_at: int | None
    acked_at: int | None
    seen_at: int | None
    read_at: int | None
    deleted_at: int | None
    replaced_by: str | None


class Upgrade(Struct, frozen=True, kw_only=True):
    """Say from which revision a schema came (``None``: from none), and where it is now.

    ``hosts``: its tables are among a host's own, whose migrations make them.
    """

    before: str | None
    now: str
    hosts: bool = False


class Ticket(Struct, frozen=True, kw_only=True):
    """The 15-minute WebSocket token: whom it lets in, from which device, to which topics (A7)."""

    token_hash: str
    user_id: str
    device_id: str
    topics: tuple[str, ...]
    session_hash: str | None
    expires_at: int
    revoked: bool = False
    """Whether the session it came from had been revoked when it was read; not stored with it."""
    position: Position | None = None
    """Where its principal's toasts stood when the ticket was redeemed; not stored with it."""


class Session(Struct, frozen=True, kw_only=True):
    """The 30-minute opaque auth token of a principal (B1)."""

    token_hash: str
    user_id: str
    kind: Literal["user", "anonymous"]
    created_at: int
    expires_at: int
    revoked_at: int | None = None


class AnonymousDevice(Struct, frozen=True, kw_only=True):
    """Which anonymous principal a device has, and whose it has become (B7, B10)."""

    device_hash: str
    anon_uuid: str
    created_at: int
    secret_hash: str | None = None
    rebound_to: str | None = None
    rebound_at: int | None = None

    @property
    def user_id(self) -> str:
        """Return the principal's id (B9)."""
        return f"anon:{self.anon_uuid}"


class Rebound(Struct, frozen=True, kw_only=True):
    """What a rebind did: whether anything became the user's, and how many rows (B11, B12)."""

    rebound: bool
    rows_updated: int
    anon_uuid: str | None


class Move(Struct, frozen=True, kw_only=True):
    """What a rebind changed: its answer, how many toasts moved, the sessions that ended by hash."""

    rebound: Rebound
    toasts: int = 0
    ended: tuple[str, ...] = ()


Environment = Literal["production", "sandbox"]
"""Which of the two worlds of the push service a device's token is of."""


class Device(Struct, frozen=True, kw_only=True):
    """Which handset of a principal, and where a push would reach it (A11, A12).

    ``environment`` is what its last push found out, or what it said. ``taken_at`` is when the push
    service last took a push for it. ``refused`` counts deliveries whose push token was refused
    since, the first of them at ``refused_at``; registering begins anew.
    """

    user_id: str
    device_id: str
    bundle_id: str
    push_token: str | None = None
    environment: Environment = "production"
    registered_at: int = 0
    taken_at: int | None = None
    refused: int = 0
    refused_at: int | None = None
