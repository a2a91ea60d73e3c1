"""Tell a witness which clients come and go: beside the loop, and in order for each client."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from functools import partial

from ..clock import Clock
from ..closing import Ending
from ..replies import Recovery
from ..runtime.contract import Runtime, Signal
from .connection import Connection

MOST = 32
"""Jobs at once: where thousands leave together, each in a thread would be thousands of threads."""

Job = Callable[[], object]

log = logging.getLogger("toastkit")


class Witness:
    """Be told who comes and goes; this one tells nobody else.

    Each method is called on the loop; what it returns is called beside it, and may block.
    """

    def came(self, _connection: Connection, _topics: tuple[str, ...]) -> Job | None:
        """Return what tells that a client hears these topics from now on, if anybody listens."""
        return None

    def left(self, _connection: Connection, _ending: Ending) -> Job | None:
        """Return what tells that a client has gone, if anybody listens."""
        return None

    def refused(self, ending: Ending) -> None:
        """Note that a client was told why it may not stay; it never came."""

    def recovered(self, recovery: Recovery) -> None:
        """Note what became of a client's wish to be told what it missed."""


class Comings:
    """Have a witness told of each connection: that it came and, when that is done, that it left.

    On the loop only, but for ``finish``. A job that is slow holds up what is told of its own
    connection; with ``MOST`` of them at work the others wait.
    """

    def __init__(self, runtime: Runtime, clock: Clock, witness: Witness) -> None:
        self._runtime = runtime
        self._clock = clock
        self._witness = witness
        self._lines: dict[str, deque[Job]] = {}
        self._ready: deque[str] = deque()
        self._running = 0
        self._news: Signal | None = None
        self._without_threads = False
        self._over = False

    def came(self, connection: Connection, topics: tuple[str, ...]) -> None:
        """Tell that a client hears these topics from now on."""
        self._put(connection.id, self._witness.came(connection, topics))

    def left(self, connection: Connection, ending: Ending) -> None:
        """Tell that a client has gone."""
        self._put(connection.id, self._witness.left(connection, ending))

    def refused(self, ending: Ending) -> None:
        """Tell that a client was refused."""
        self._witness.refused(ending)

    def finish(self, seconds: float) -> None:
        """Wait at most ``seconds`` until all has been told; not from a loop callback."""
        until = self._clock.monotonic() + seconds
        while (left := until - self._clock.monotonic()) > 0:
            job, news = self._runtime.ask(self._next)
            if job is not None:
                job()
                self._runtime.breathe()
            elif news is None or not news.wait(left):
                break
        self._over = True

    def abandon(self) -> None:
        """Tell nothing more: in a forked child the clients are its parent's."""
        self._over = True

    def _put(self, id: str, job: Job | None) -> None:
        if job is None or self._over:
            return
        if id in self._lines:
            self._lines[id].append(job)
            return
        self._lines[id] = deque([job])
        self._ready.append(id)
        self._begin()

    def _begin(self) -> None:
        while self._ready and self._running < MOST and not self._without_threads:
            id = self._ready[0]
            try:
                self._runtime.spawn(partial(self._run, id, self._lines[id][0]))
            except RuntimeError as error:  # no thread is to be had
                log.warning("who comes and goes is told later: %s", error)
                self._without_threads = True
                self._runtime.call_later(1, self._try_again)
                return
            self._begun()

    def _begun(self) -> Job:
        self._running += 1
        return self._lines[self._ready.popleft()].popleft()

    def _try_again(self) -> None:
        self._without_threads = False
        self._begin()

    def _run(self, id: str, job: Job) -> None:
        try:
            job()
        finally:
            if not self._over:
                self._runtime.call(self._done, id)

    def _done(self, id: str) -> None:
        self._running -= 1
        if self._lines[id]:
            self._ready.append(id)
        else:
            del self._lines[id]
        self._begin()
        if self._news is not None and (self._without_threads or not self._lines):
            self._news.set()

    def _next(self) -> tuple[Job | None, Signal | None]:
        """Return a job to do while waiting for the end, or what to wait for; neither: all is told."""
        if not self._lines:
            return None, None
        if self._without_threads and self._ready:
            # At the end of the program no thread can be made any more.
            id = self._ready[0]
            return partial(self._run, id, self._begun()), None
        self._news = self._runtime.signal()
        return None, self._news
