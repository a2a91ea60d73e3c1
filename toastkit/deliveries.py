"""What is owed to the outside world, and what became of an attempt."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

DeliveryState = Literal["waiting", "sent", "failed", "expired"]
"""Waiting is tried until it is taken (sent), refused for good (failed), or its time is over."""


class Delivery(Struct, frozen=True, kw_only=True):
    """One message owed to the outside: a push, an e-mail, a call to another service.

    ``kind`` chooses the sender that posts it, ``target`` is whom it goes to in that sender's words,
    ``payload`` is JSON. ``attempts`` counts those made so far. Times are milliseconds since the
    epoch; after ``expires_at`` it is not tried any more. ``id`` is of ``ids.delivery_id``.
    """

    id: str
    kind: str
    target: str
    payload: dict[str, Any]
    created_at: int
    expires_at: int
    user_id: str | None = None
    toast_id: str | None = None
    attempts: int = 0


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


class Sent(Struct, frozen=True):
    """The other side took it; ``answer`` is kept for whoever asks later."""

    answer: str = ""


class Refusal(Struct, frozen=True):
    """It will never be taken; ``answer`` says why."""

    answer: str


class Later(Struct, frozen=True):
    """It may be taken later: after ``seconds`` if the other side named them."""

    answer: str
    seconds: float | None = None


Outcome = Sent | Refusal | Later


class Carried(Struct, frozen=True, kw_only=True):
    """Say what became of one attempt: the state a delivery goes to, and when it is tried again."""

    delivery: Delivery
    state: DeliveryState
    answer: str
    next_attempt_at: int | None = None
