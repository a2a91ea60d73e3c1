"""Keep what would have been sent: for tests, demos, and settings that are not made yet."""

from __future__ import annotations

from collections import deque
from threading import Condition
from typing import Generic, TypeVar

from ..deliveries import Delivery, Outcome, Sent

MOST = 1000

T = TypeVar("T")


class Recording(Generic[T]):
    """Keep the newest ``most`` in ``posted``, and let a test wait for them."""

    def __init__(self, most: int) -> None:
        self.posted: deque[T] = deque(maxlen=most)
        self._more = Condition()

    def wait(self, count: int = 1, seconds: float = 5.0) -> list[T]:
        """Return what is kept once that are ``count``, or what there is after ``seconds``.

        A publish need not wait for its deliveries; a test that asserts them has to.
        """
        with self._more:
            self._more.wait_for(lambda: len(self.posted) >= count, seconds)
            return list(self.posted)

    def _keep(self, item: T) -> None:
        with self._more:
            self.posted.append(item)
            self._more.notify_all()


class RecordingSender(Recording[Delivery]):
    """Take every delivery of a kind and keep the newest of them in ``posted``."""

    def __init__(self, kind: str, most: int = MOST) -> None:
        super().__init__(most)
        self.kind = kind

    def post(self, delivery: Delivery) -> Outcome:
        """Keep a delivery; it counts as sent."""
        self._keep(delivery)
        return Sent("recorded")
