"""How a delivery leaves: one adapter per kind of outside world; a host adds its own."""

from __future__ import annotations

from typing import Protocol

from ..deliveries import Delivery, Outcome


class Sender(Protocol):
    """Post deliveries of one kind.

    A delivery may be posted more than once, with the same id: after a crash, or when an answer was
    lost. A sender that can, passes the id on, so that the other side takes it once.

    It may have a number ``room``: how many attempts one process makes side by side (8). And a
    method ``close()``, called once when the kit ends; no attempt is made after that.
    """

    kind: str

    def post(self, delivery: Delivery) -> Outcome:
        """Make one attempt; may block. What it raises counts as ``Later``, and is logged."""
