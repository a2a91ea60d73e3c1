"""Move SQLite's log into the database beside the writer, so that no commit pays for it."""

from __future__ import annotations

import logging
import sqlite3
from _queue import Empty, SimpleQueue
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from ..runtime.contract import Runtime, Signal
from .writer import Writer

SECONDS = 1.0
"""Time between two looks at the log. A flush that meets a checkpoint's own takes several ms."""

LARGE_PAGES = 2048
"""A log of 8 MiB. A writer that never rests keeps a checkpoint beside it from ever reaching the
log's end, so the writer itself is asked to move the rest, which is little then, and to begin again
at the front: commits that write where the log has been before are flushed sooner."""

log = logging.getLogger(__name__)


class Checkpointer:
    """Look after the log of one process's writer, in a native thread of its own."""

    def __init__(self, engine: Engine, runtime: Runtime, writer: Writer) -> None:
        self._engine = engine
        self._runtime = runtime
        self._writer = writer
        self._stop: SimpleQueue[Signal] = SimpleQueue()

    def start(self) -> None:
        """Begin to look after the log."""
        self._runtime.thread(self._run)

    def close(self, seconds: float) -> None:
        """Stop; wait at most ``seconds`` for a checkpoint that is running."""
        stopped = self._runtime.signal()
        self._stop.put(stopped)
        stopped.wait(seconds)

    def _run(self) -> None:
        seen = 0
        while True:
            try:
                stopped = self._stop.get(timeout=SECONDS)
            except Empty:
                commits = self._writer.commits
                if commits != seen:  # another process's log is that process's care
                    seen = commits
                    self._checkpoint()
            else:
                stopped.set()
                return

    def _checkpoint(self) -> None:
        try:
            connection: Any = self._engine.raw_connection()
            try:
                checkpoint = connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)")
                _busy, pages, _moved = checkpoint.fetchone()
            finally:
                connection.close()
            if pages > LARGE_PAGES:
                self._writer.restart_log()
        except (SQLAlchemyError, sqlite3.Error) as error:
            # Logged on the loop: logging waits for locks that gevent may have replaced, and those
            # are not for native threads.
            complaint = "a checkpoint failed; the next one is tried later: %s"
            self._runtime.call(log.warning, complaint, error)
