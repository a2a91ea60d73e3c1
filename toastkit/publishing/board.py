"""Where the courier says what became of deliveries that a publisher waits for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..clock import Clock
from ..deliveries import Delivery, Outcome, Sent
from ..runtime.contract import Runtime

Spoken = tuple[str, Outcome]
"""What one attempt ended in, behind the kind of its delivery."""


class Notice:
    """Collect what became of the deliveries of one toast; for one who waits."""

    def __init__(self, runtime: Runtime, clock: Clock) -> None:
        self._runtime = runtime
        self._clock = clock
        self._spoken: list[Spoken] = []
        self._news = runtime.signal()

    def tell(self, kind: str, outcome: Outcome) -> None:
        """Note one outcome, and wake who waits."""
        self._spoken.append((kind, outcome))
        self._news.set()

    def wait(self, number: int, until: float) -> list[Spoken]:
        """Return what is known once ``number`` have spoken, one was sent, or ``until`` has come."""
        while not self._enough(number):
            left = until - self._clock.monotonic()
            if left <= 0 or not self._news.wait(left):
                break
            # A fresh one before it is looked: whoever tells notes first, and wakes second.
            self._news = self._runtime.signal()
        return list(self._spoken)

    def _enough(self, number: int) -> bool:
        spoken = self._spoken
        return len(spoken) >= number or any(isinstance(each, Sent) for _, each in spoken)


class Board:
    """Bring together who waits for a toast's deliveries and who carries them, in one process."""

    def __init__(self, runtime: Runtime, clock: Clock) -> None:
        self._runtime = runtime
        self._clock = clock
        self._notices: dict[tuple[str, int | None], Notice] = {}

    @contextmanager
    def expect(self, toast_id: str, seq: int) -> Iterator[Notice]:
        """Collect what becomes of a toast's deliveries; begun before they are owed, none is missed.

        With its position: an id outlives its toast where a retry takes its place.
        """
        notice = self._notices[toast_id, seq] = Notice(self._runtime, self._clock)
        try:
            yield notice
        finally:
            del self._notices[toast_id, seq]

    def tell(self, delivery: Delivery, outcome: Outcome) -> None:
        """Say what an attempt ended in, if anybody waits for it."""
        if delivery.toast_id is None:
            return
        notice = self._notices.get((delivery.toast_id, delivery.seq))
        if notice is not None:
            notice.tell(delivery.kind, outcome)
