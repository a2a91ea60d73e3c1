"""What is owed to the outside world: claimed by lease, settled by who holds the claim."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from ..deliveries import Delivery
from .tables import deliveries


class Executes(Protocol):
    """A connection or a session, inside its transaction."""

    def execute(self, statement: Any, parameters: Any) -> Any:
        """Execute a statement."""


def add(place: Executes, fresh: Sequence[Delivery]) -> None:
    """Owe deliveries as a part of the transaction that ``place`` is in; due at once.

    Locks nothing that others need; a rollback takes it back.
    """
    rows = [
        {
            "id": delivery.id,
            "kind": delivery.kind,
            "target": delivery.target,
            "toast_id": delivery.toast_id,
            "user_id": delivery.user_id,
            "payload": msgspec.json.encode(delivery.payload).decode(),
            "state": "waiting",
            "attempts": 0,
            "next_attempt_at": delivery.created_at,
            "expires_at": delivery.expires_at,
        }
        for delivery in fresh
    ]
    if rows:
        place.execute(deliveries.insert(), rows)
