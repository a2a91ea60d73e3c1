"""Count what happens in one kit: note it where it happens, and add it up a moment later."""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any, cast

from ..backplane.contract import Backplane
from ..clock import Clock
from ..closing import CloseReason, Ending
from ..deliveries import Ended
from ..events import Event
from ..live import Connection, Witness
from ..publishing import Sink
from ..receipts import Receipt
from ..replies import Recovery
from ..runtime.contract import Runtime
from . import families, folder, page
from .probe import Probe
from .timed import Timed
from .totals import Totals

GAUGE_SECONDS = 1.0
"""Time between two looks at what is no event."""

MAX_SECONDS = 60.0
"""For how long the worst of a gauge is remembered at least."""

log = logging.getLogger(__name__)


class Metrics(Sink, Witness):
    """Count what one kit does, for ``Kit(config, metrics=Metrics())``, while it serves.

    What happens costs a note in a line; every 50 ms the loop adds up what stands there. Where
    ``PROMETHEUS_MULTIPROC_DIR`` names a folder, what all its processes have counted is told, else
    what this one has. No label names a user, a topic or anything else that somebody made up.
    """

    def __init__(self) -> None:
        self._totals = Totals()
        self._notes: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()
        self._counting = False
        self._runtime: Runtime | None = None
        self._clock: Clock | None = None
        self._backplane: Backplane | None = None
        self._folder: folder.Folder | None = None
        self._path = ""
        self._known: dict[str, float] = {}
        self._waited: set[str] = set()
        self._worst = (0.0, 0.0)
        self._worst_until = self._gauges_at = 0.0

    def begin(self, runtime: Runtime, clock: Clock, backplane: Backplane) -> Probe:
        """Count from now on, from nothing; return what is to be started with it."""
        self._totals, self._known, self._worst = Totals(), {}, (0.0, 0.0)
        self._totals.begin(families.FAMILIES)
        # An alert asks whether it rises: a first rise from nothing would not be one.
        self._totals.add(families.REFUSED, CloseReason.OVERLOADED.name.lower(), by=0.0)
        self._notes.clear()
        self._runtime, self._clock, self._backplane = runtime, clock, backplane
        self._worst_until = self._gauges_at = clock.monotonic()
        self._path = os.environ.get(folder.FOLDER, "")
        self._folder = folder.Folder(self._path) if self._path else None
        self._counting = True
        return Probe(runtime, clock, self._look)

    def end(self) -> None:
        """Write down what was noted last; from any thread."""
        if self._counting and self._runtime is not None:
            self._runtime.ask(self._close)

    def abandon(self) -> None:
        """Count no more: in a forked child what is counted is its parent's."""
        self._counting = False
        self._leave_folder()

    def text(self) -> bytes:
        """Return what was counted, for Prometheus; it may block."""
        if not self._counting or self._runtime is None:
            return b""
        self._runtime.ask(self._look_now)
        if self._path:
            return self._runtime.offload(lambda: folder.read(self._path))
        return page.text(self._runtime.ask(lambda: page.metrics(self._totals)))

    # What is told beside the loop

    def published(self, _toasts: Sequence[Event], receipts: Sequence[Receipt]) -> None:
        self._note(self._count_receipts, receipts)

    def told(self, _control: Event) -> None:
        self._note(self._totals.add, families.CONTROLS)

    def settled(self, ended: Sequence[Ended]) -> None:
        self._note(self._count_deliveries, ended)

    def answered(self, operation: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        self._note(self._count_request, operation, status, seconds)

    def committed(self, seconds: float) -> None:
        """Count a commit; from a native thread, too."""
        self._note(self._totals.observe, families.COMMIT, seconds)

    def waiting(self, numbers: Mapping[str, int]) -> None:
        """Note how many deliveries of each kind wait, in the database that all workers share."""
        self._note(self._put_waiting, numbers)

    def timed(self, backplane: Backplane, clock: Clock) -> Backplane:
        """Return a backplane that has its broadcasts' answers timed."""
        return cast("Backplane", Timed(backplane, clock, self._confirmed))

    def _confirmed(self, seconds: float, missing: int) -> None:
        self._note(self._count_confirm, seconds, missing)

    def _note(self, count: Callable[..., object], *given: Any) -> None:
        if self._counting:
            self._notes.append((count, given))

    # What is told on the loop

    def came(self, connection: Connection, _topics: tuple[str, ...]) -> None:
        kind = _kind(connection)
        self._totals.add(families.OPENED, *kind)
        self._totals.add(families.CONNECTIONS, *kind)

    def left(self, connection: Connection, ending: Ending) -> None:
        kind = _kind(connection)
        self._totals.add(families.CLOSED, *kind, ending.name.lower())
        self._totals.add(families.CONNECTIONS, *kind, by=-1.0)

    def refused(self, ending: Ending) -> None:
        self._totals.add(families.REFUSED, ending.name.lower())

    def recovered(self, recovery: Recovery) -> None:
        self._totals.add(families.RECOVERIES, recovery.reason or "recovered")
        self._totals.add(families.REPLAYED, by=recovery.replayed)

    # What was noted is added up

    def _look(self, late: float) -> None:
        assert self._clock is not None
        self._totals.observe(families.LOOP_LAG, late)
        self._worst = max(self._worst[0], late), self._worst[1]
        if self._clock.monotonic() >= self._gauges_at:
            self._look_at_gauges()
        self._settle()

    def _look_now(self) -> None:
        self._look_at_gauges()
        self._settle()

    def _look_at_gauges(self) -> None:
        assert self._clock is not None
        now = self._clock.monotonic()
        self._gauges_at = now + GAUGE_SECONDS
        self._totals.put(families.WORKERS, 1.0)
        self._totals.put(families.LOOP_LAG_MAX, max(self._worst))
        if now >= self._worst_until:
            self._worst_until, self._worst = now + MAX_SECONDS, (0.0, self._worst[0])
        if self._backplane is None:
            return
        self._totals.put(families.BACKPLANE_UP, float(self._backplane.trouble is None))
        for event, count in _counted(getattr(self._backplane, "counts", None)):
            self._totals.add(families.BACKPLANE, event, by=count - self._known.get(event, 0))
            self._known[event] = count

    def _settle(self) -> None:
        while self._notes:
            count, given = self._notes.popleft()
            count(*given)
        if self._folder is None:
            return
        try:
            self._folder.write(self._totals)
        except OSError as error:
            log.warning("what is counted cannot be kept in %s: %s", self._path, error)
            self._leave_folder()

    def _leave_folder(self) -> None:
        if self._folder is not None:
            self._folder.close()
        self._folder, self._path = None, ""

    def _close(self) -> None:
        for family in (families.WORKERS, families.LOOP_LAG_MAX):
            self._totals.put(family, 0.0)
        self._settle()
        self._counting = False
        self._leave_folder()

    def _count_receipts(self, receipts: Sequence[Receipt]) -> None:
        for each in receipts:
            told = each.status, each.transport, each.reason or ""
            self._totals.add(families.PUBLISHED, *told)
            self._totals.add(families.WRITTEN, by=each.session_count)

    def _count_deliveries(self, ended: Sequence[Ended]) -> None:
        for each in ended:
            self._totals.add(families.DELIVERIES, each.delivery.kind, each.state)

    def _put_waiting(self, numbers: Mapping[str, int]) -> None:
        self._waited |= set(numbers)
        for kind in self._waited:
            self._totals.put(families.WAITING, float(numbers.get(kind, 0)), kind)

    def _count_request(self, operation: str, status: int, seconds: float) -> None:
        self._totals.add(families.HTTP, operation, f"{status // 100}xx")
        self._totals.observe(families.HTTP_SECONDS, seconds, operation)

    def _count_confirm(self, seconds: float, missing: int) -> None:
        self._totals.observe(families.CONFIRM, seconds)
        if missing:
            self._totals.add(families.UNCONFIRMED, by=missing)


def _counted(counts: Any) -> Iterator[tuple[str, int]]:
    """Tell each number of a dataclass; of those that it holds by name each, and their sum."""
    for each in fields(counts) if counts is not None else ():
        value = getattr(counts, each.name)
        if isinstance(value, int):
            yield each.name, value
        else:
            yield each.name, sum(value.values())
            yield from ((f"{each.name}_{name}", number) for name, number in value.items())


def _kind(connection: Connection) -> tuple[str, str]:
    dialect = type(connection.dialect).__name__.removesuffix("Dialect").lower()
    return dialect, "stream" if connection.deaf else "websocket"
