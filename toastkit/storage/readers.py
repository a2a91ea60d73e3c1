"""Connections that read beside the writer, shared by whatever native threads ask."""

from __future__ import annotations

from _queue import Empty, SimpleQueue
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from sqlalchemy import Connection, Engine

from .engine import telling
from .trouble import Locked, Lost, Silent

T = TypeVar("T")

READERS = 16
"""Connections that read at once."""


class Readers:
    """Lend connections that only read.

    Not SQLAlchemy's own pool: its locks are those of ``threading``. Where gevent has replaced them,
    native threads that meet at one may wait for good (seen: every read of a worker hung). A C queue
    and a list's atomic methods need no lock.
    """

    def __init__(self, engine: Engine, *, wait: float) -> None:
        self._engine = engine
        self._wait = wait
        self._idle: list[Connection] = []
        self._free: SimpleQueue[None] = SimpleQueue()
        self._closed = False
        for _ in range(READERS):
            self._free.put(None)

    def read(self, job: Callable[[Connection], T]) -> T:
        """Run ``job`` with a connection; blocks the thread.

        A job whose connection is found to be lost, as after a restart of the server, is run once
        more on a fresh one.

        Raises:
            StorageUnavailable: the database cannot be read.
        """
        try:
            self._free.get(timeout=self._wait)
        except Empty:
            raise Locked("too many readers at once") from None
        try:
            return self._read(job)
        except Lost as error:
            self._forget_idle()  # these are most likely lost, too
            if isinstance(error, Silent):
                raise
            return self._read(job)
        finally:
            self._free.put(None)

    def close(self) -> None:
        """Close what is idle now, and the others when they come back."""
        self._closed = True
        self._forget_idle()

    def _read(self, job: Callable[[Connection], T]) -> T:
        with telling():
            connection = self._lend()
            try:
                result = job(connection)
            except BaseException:
                connection.close()  # whatever state it is in now
                raise
        self._idle.append(connection)
        if self._closed:
            self._forget_idle()
        return result

    def _forget_idle(self) -> None:
        with suppress(IndexError):
            while True:
                self._idle.pop().close()

    def _lend(self) -> Connection:
        try:
            return self._idle.pop()
        except IndexError:
            return self._engine.connect()
