"""Move SQLite's log into the database beside the writer, so that no commit pays for it."""

from __future__ import annotations

import logging
import sqlite3
from _queue import Empty, SimpleQueue
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from ..runtime.contract import Event, Runtime

SECONDS = 3.0
"""Time between two looks at the log."""

LARGE_PAGES = 16_384
"""A log of 64 MiB. A writer that never rests keeps a passive checkpoint from ever reaching the
log's end, so a log this large is emptied while the writer waits: what is left then is little."""

log = logging.getLogger(__name__)


class Checkpointer:
    """Look after the log of one process's writer, in a native thread of its own."""

    def __init__(self, engine: Engine, runtime: Runtime, commits: Callable[[], int]) -> None:
        self._engine = engine
        self._runtime = runtime
        self._commits = commits
        self._stop: SimpleQueue[Event] = SimpleQueue()

    def start(self) -> None:
        """Begin to look after the log."""
        self._runtime.thread(self._run)

    def close(self, seconds: float) -> None:
        """Stop; wait at most ``seconds`` for a checkpoint that is running."""
        stopped = self._runtime.event()
        self._stop.put(stopped)
        stopped.wait(seconds)

    def _run(self) -> None:
        seen = 0
        while True:
            try:
                stopped = self._stop.get(timeout=SECONDS)
            except Empty:
                commits = self._commits()
                if commits != seen:  # another process's log is that process's care
                    seen = commits
                    self._checkpoint()
            else:
                stopped.set()
                return

    def _checkpoint(self) -> None:
        try:
            connection = self._engine.raw_connection()
            try:
                if _pages(connection, "PASSIVE") > LARGE_PAGES:
                    _pages(connection, "TRUNCATE")
            finally:
                connection.close()
        except (SQLAlchemyError, sqlite3.Error):
            log.warning("a checkpoint failed; the next one is tried later", exc_info=True)


def _pages(connection: Any, mode: str) -> int:
    """Run one checkpoint; return how many pages the log holds."""
    _busy, pages, _moved = connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
    return int(pages)
