"""Let a host and toastkit use one SQLite file beside each other."""

from __future__ import annotations

import logging
import sqlite3
from typing import Any

from sqlalchemy import Engine, event

log = logging.getLogger(__name__)


def share(engine: Engine) -> None:
    """Have SQLite keep a log for the database of a host's engine, at its next use.

    Storage asks for it as well, but cannot have it while the host reads or writes without one:
    the host's own request would have to end first, which may be waiting for storage.
    """
    if engine.dialect.name == "sqlite" and not engine.dialect.is_async:
        event.listen(engine, "checkout", _Once())


class _Once:
    """Try at every checkout until it has worked; the file remembers it."""

    def __init__(self) -> None:
        self._done = False

    def __call__(self, connection: Any, _record: Any, _proxy: Any) -> None:
        if not self._done and isinstance(connection, sqlite3.Connection):
            self._done = _keep_a_log(connection)


def _keep_a_log(connection: sqlite3.Connection) -> bool:
    ((wait,),) = connection.execute("PRAGMA busy_timeout")
    connection.execute("PRAGMA busy_timeout=0")  # nobody's request waits for this
    always_begun = getattr(connection, "autocommit", None) is False  # Python 3.12 and later
    try:
        if always_begun:
            connection.autocommit = True  # type: ignore[attr-defined,unused-ignore]
        ((mode,),) = connection.execute("PRAGMA journal_mode=WAL")
    except sqlite3.OperationalError as error:
        log.debug("the host's database keeps no log yet: %s", error)
        return False
    finally:
        connection.execute(f"PRAGMA busy_timeout={wait}")
        if always_begun:
            connection.autocommit = False  # type: ignore[attr-defined,unused-ignore]
    return bool(mode == "wal")
