"""One database as one process uses it: opened at first use, again after a fork."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection

from ..clock import Clock
from ..errors import StorageUnavailable
from ..records import Upgrade
from ..runtime.contract import Runtime
from . import engine
from .checkpointer import Checkpointer
from .desk import CLOSED
from .group import Committer, Kept, Work
from .readers import Readers
from .spelling import run
from .trouble import cause, with_cause
from .turn import Turn
from .upgrade import ensure_schema, not_ours, upgrade, upgrade_sql
from .writer import Writer

M = TypeVar("M")
R = TypeVar("R")
T = TypeVar("T")

log = logging.getLogger(__name__)


class Database:
    """Read and write from any thread or greenlet, never holding the loop.

    Building one touches no disk. It may be built before a fork: each process opens its own, at
    its first use, and brings the schema up to date, or only looks at it unless ``own_schema``; that
    raises ``ConfigError`` when the URL names nothing that can be used or the host's schema lacks
    something, and ``StorageUnavailable`` when it cannot be opened.
    """

    def __init__(
        self, url: str, runtime: Runtime, clock: Clock, *, wait_ms: int, own_schema: bool = True
    ) -> None:
        engine.read_url(url)  # a wrong one is told to whoever set it, not to the first request
        self._url = url
        self._own_schema = own_schema
        self._runtime = runtime
        self._clock = clock
        self._wait = wait_ms / 1000
        # The entry of a parent process stays for good: SQLite's connections must not be used after
        # a fork, not even to be closed.
        self._opened: dict[int, _Opened] = {}
        self._closed_in = 0
        self._complained = False
        self._reads = True
        self._turn = Turn()
        self._told: Callable[[float], object] | None = None

    def read(self, job: Callable[[Connection], T]) -> T:
        """Run ``job`` with a connection that only reads, off the loop; return its result.

        Raises:
            StorageUnavailable: the database cannot be read.
        """
        opened = self._here()
        try:
            result = self._runtime.offload(lambda: opened.readers.read(job))
        except StorageUnavailable as error:
            if self._reads:
                self._reads = False
                log.warning("storage cannot read: %s", with_cause(error))
            raise
        if not self._reads:
            self._reads = True
            log.warning("storage reads again")
        return result

    def write(
        self,
        work: Work[M, R],
        given: M,
        weight: int = 1,
        *,
        about: Sequence[str] = (),
        then: Callable[[R], object] | None = None,
        kept: Kept[R] | None = None,
    ) -> R:
        """Carry out a wish in the next group commit; see ``Writer.write``."""
        writer = self._here().writer
        return writer.write(work, given, weight, about=about, then=then, kept=kept)

    def owe(
        self, work: Work[M, Any], given: M, weight: int = 1, *, about: Sequence[str] = ()
    ) -> None:
        """Carry out a wish nobody waits for; see ``Writer.owe``.

        On a database that is closed or cannot be opened it is lost, which is logged: whoever owes
        something has done what it is about already.
        """
        try:
            writer = self._here().writer
        except StorageUnavailable as error:
            log.warning("%d state changes were not written: %s", weight, error)
        else:
            writer.owe(work, given, weight, about=about)

    def ensure_writable(self) -> None:
        """If the last attempt to write failed, find out whether the next would.

        Raises:
            StorageUnavailable: it would.
        """
        writer = self._here().writer
        if not writer.well:
            writer.write(_try, None)

    def tell_commits(self, told: Callable[[float], object]) -> None:
        """Tell how many seconds each commit takes; before the first. See ``Writer``."""
        self._told = told

    def upgrade(self) -> Upgrade:
        """Bring the schema up to date, or look at a host's; say where it was and is.

        Raises:
            ConfigError, StorageUnavailable: as ``upgrade`` and ``ensure_schema`` do.
        """
        return self._runtime.offload(self._prepare_schema)

    def upgrade_sql(self, since: str | None) -> str:
        """Return the SQL that would; see ``upgrade_sql``.

        Raises:
            Invalid, ConfigError: the tables are a host's, or as that does.
            StorageUnavailable: the database cannot be opened.
        """
        if not self._own_schema:
            raise not_ours()
        return self._runtime.offload(lambda: upgrade_sql(self._url, since))

    def close(self) -> None:
        """Write what is owed and let go of the file. Harmless where nothing was opened."""
        pid = os.getpid()
        self._closed_in = pid
        opened = self._opened.pop(pid, None)
        if opened is not None:
            opened.close(self._wait)

    def _here(self) -> _Opened:
        pid = os.getpid()
        opened = self._opened.get(pid)
        return opened if opened is not None else self._open(pid)

    def _open(self, pid: int) -> _Opened:
        if self._closed_in == pid:
            raise StorageUnavailable(CLOSED)
        try:
            opened = self._runtime.offload(lambda: self._prepare(pid))
        except StorageUnavailable as error:
            if not self._complained:
                # Callers are told without names and places; the operator needs them, once.
                self._complained = True
                log.warning("the database cannot be opened: %s", cause(error))
            raise
        self._complained = False
        return opened

    def _prepare_schema(self) -> Upgrade:
        return upgrade(self._url) if self._own_schema else ensure_schema(self._url)

    def _prepare(self, pid: int) -> _Opened:
        with self._turn:  # several may have been first
            opened = self._opened.get(pid)
            if opened is None:
                self._prepare_schema()
                with engine.telling():
                    opened = _Opened(self._url, self._runtime, self._clock, wait=self._wait)
                if self._told is not None:
                    opened.writer.tell_commits(self._told)
                opened.start()
                self._opened[pid] = opened
            return opened


def _try(connection: Connection, givens: Sequence[None]) -> Sequence[None]:
    # A row of nobody's, gone before anybody could see it: a full disk refuses it all the same.
    row = ("", "", "", 0)
    claim = "INSERT INTO toastkit_dedupe (user_id, key, toast_id, until) VALUES (?, ?, ?, ?)"
    run(connection, f"{claim} ON CONFLICT DO NOTHING", row)
    run(connection, "DELETE FROM toastkit_dedupe WHERE user_id = ?", ("",))
    return givens


class _Opened:
    """What one process has of the database."""

    def __init__(self, url: str, runtime: Runtime, clock: Clock, *, wait: float) -> None:
        place = engine.database(url)
        ways = engine.ways(place)
        writing = engine.introduced(ways.writing(place))
        self.readers = Readers(engine.introduced(ways.reading(place, wait)), wait=wait)
        self.writer = Writer(Committer(writing, ways), runtime, clock, wait=wait)
        self.checkpointer = Checkpointer(writing, runtime, self.writer) if ways.HAS_LOG else None

    def start(self) -> None:
        if self.checkpointer is not None:
            self.checkpointer.start()

    def close(self, seconds: float) -> None:
        if self.checkpointer is not None:
            self.checkpointer.close(seconds)
        self.readers.close()  # first, or the log could not be emptied under a reader
        self.writer.close()
