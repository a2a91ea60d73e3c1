"""Keep what would have been sent: for tests, demos, and settings that are not made yet."""

from __future__ import annotations

from collections import deque

from ..deliveries import Delivery, Outcome, Sent

MOST = 1000


class RecordingSender:
    """Take every delivery of a kind and keep the newest of them in ``posted``."""

    def __init__(self, kind: str, most: int = MOST) -> None:
        self.kind = kind
        self.posted: deque[Delivery] = deque(maxlen=most)

    def post(self, delivery: Delivery) -> Outcome:
        """Keep a delivery; it counts as sent."""
        self.posted.append(delivery)
        return Sent("recorded")
