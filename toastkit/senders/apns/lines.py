"""One line (a connection) to each host, for each process."""

from __future__ import annotations

import os
import ssl
import threading
from concurrent.futures import Future

from .faults import Unreachable
from .line import Line


class Lines:
    """Keep a line to each host; connect when one is wanted, or the last has ended.

    A process that forks leaves its lines to its parent: two cannot talk over one.
    """

    def __init__(self, trust: ssl.SSLContext, seconds: float) -> None:
        self._trust = trust
        self._seconds = seconds
        self._by_process: dict[int, _Lines] = {}

    def line(self, host: str) -> Line:
        """Return the line to a host.

        Raises:
            Unreachable: there is none.
        """
        return self._mine().line(host)

    def close(self) -> None:
        """End every line once its answers have come, and make no more."""
        self._mine().close()

    def _mine(self) -> _Lines:
        process = os.getpid()
        if process not in self._by_process:
            # One step, so that several who come first have the same: a lock may be a parent's.
            self._by_process.setdefault(process, _Lines(self._trust, self._seconds))
        return self._by_process[process]


class _Lines:
    def __init__(self, trust: ssl.SSLContext, seconds: float) -> None:
        self._trust = trust
        self._seconds = seconds
        self._lock = threading.Lock()
        self._by_host: dict[str, Future[Line]] = {}
        self._closed = False

    def line(self, host: str) -> Line:
        with self._lock:
            if self._closed:
                raise Unreachable("no more connections are made")
            future = self._by_host.get(host)
            fresh = future is None or _is_over(future)
            if future is None or fresh:
                future = self._by_host[host] = Future()
        # Whoever comes meanwhile waits for the same attempt, or each would wait in turn.
        if fresh:
            self._connect(host, future)
        try:
            return future.result()
        except Unreachable as error:
            # Its own, for each who asked: a traceback has room for one.
            raise type(error)(str(error)) from None

    def _connect(self, host: str, future: Future[Line]) -> None:
        try:
            future.set_result(Line.connect(host, self._trust, self._seconds))
        except BaseException as error:
            future.set_exception(error)
            if not isinstance(error, Unreachable):
                raise

    def close(self) -> None:
        with self._lock:
            self._closed = True
            futures = list(self._by_host.values())
        for future in futures:
            # At once, or when it is there: whoever ends does not wait for one who is away.
            future.add_done_callback(_retire)


def _retire(future: Future[Line]) -> None:
    if future.exception() is None:
        future.result().retire()


def _is_over(future: Future[Line]) -> bool:
    """Tell whether there is no line any more, nor one in the making."""
    if not future.done():
        return False
    return future.exception() is not None or not future.result().usable
