"""What a live client is told about itself; each dialect spells these its own way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .records import Position, Unrecoverable


@dataclass(frozen=True, slots=True)
class Reply:
    """Answer one command; ``id`` is the client's own, echoed."""

    id: Any = None


@dataclass(frozen=True, slots=True)
class Recovery:
    """Tell whether what was missed follows, and how much of it; else why not (A.19)."""

    replayed: int = 0
    reason: Unrecoverable | None = None


@dataclass(frozen=True, slots=True)
class Greeting(Reply):
    """Tell a client it is connected, as whom, to what and from which position on (A22)."""

    connection_id: str = ""
    topics: tuple[str, ...] = ()
    position: Position | None = None
    recovery: Recovery | None = None


@dataclass(frozen=True, slots=True)
class Subscribed(Reply):
    """Tell which topics were accepted now, and all that are heard."""

    topics: tuple[str, ...] = ()
    all_topics: tuple[str, ...] = ()
    position: Position | None = None
    recovery: Recovery | None = None


@dataclass(frozen=True, slots=True)
class Unsubscribed(Reply):
    """Tell which topics are heard no longer."""

    topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pong(Reply):
    """Give a sign of life; ``at`` is milliseconds since the epoch."""

    at: int = 0


@dataclass(frozen=True, slots=True)
class StateSet(Reply):
    """Confirm whether the client counts as in front of its user."""

    foreground: bool = True


@dataclass(frozen=True, slots=True)
class Acked(Reply):
    """Confirm that acks were taken; only a client that gave an ``id`` is told."""

    ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Expiring(Reply):
    """Warn that the ticket ends ``expires_at``, in milliseconds since the epoch (A.8)."""

    expires_at: int = 0


@dataclass(frozen=True, slots=True)
class Refreshed(Reply):
    """Confirm that a fresh ticket was taken, and until when it is good (A.8)."""

    expires_at: int = 0


@dataclass(frozen=True, slots=True)
class Failure(Reply):
    """Tell what could not be done, and whether the same may succeed later (A.6)."""

    code: str = "internal_error"
    message: str = ""
    topic: str | None = None
    retryable: bool = False
