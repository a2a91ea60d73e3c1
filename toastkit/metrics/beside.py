"""Tell the metrics of everything first, and then whoever listens to signals."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..announcing import Teller
from ..closing import Ending
from ..deliveries import Ended
from ..events import Event
from ..live import Connection
from ..live.comings import Job
from ..receipts import Receipt
from ..replies import Recovery
from .metrics import Metrics


class Beside(Teller):
    """Count everything, and pass it on to ``other``, which may take its time."""

    def __init__(self, metrics: Metrics, other: Teller) -> None:
        self._metrics = metrics
        self._other = other

    def published(self, toasts: Sequence[Event], receipts: Sequence[Receipt]) -> None:
        self._metrics.published(toasts, receipts)
        self._other.published(toasts, receipts)

    def told(self, control: Event) -> None:
        self._metrics.told(control)
        self._other.told(control)

    def later(self, job: Callable[[], None]) -> Callable[[], None]:
        return self._other.later(job)

    def settled(self, ended: Sequence[Ended]) -> Callable[[], object] | None:
        self._metrics.settled(ended)
        return self._other.settled(ended)

    def came(self, connection: Connection, topics: tuple[str, ...]) -> Job | None:
        self._metrics.came(connection, topics)
        return self._other.came(connection, topics)

    def left(self, connection: Connection, ending: Ending) -> Job | None:
        self._metrics.left(connection, ending)
        return self._other.left(connection, ending)

    def refused(self, ending: Ending) -> None:
        self._metrics.refused(ending)

    def recovered(self, recovery: Recovery) -> None:
        self._metrics.recovered(recovery)
