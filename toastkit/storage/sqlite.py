"""SQLite: who begins a transaction, how long a lock is waited for.

One connection writes, with an explicit ``BEGIN IMMEDIATE``; any number read beside it (WAL).
"""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from ..errors import ConfigError, StorageUnavailable
from .trouble import LOCKED, Locked

OLDEST = (3, 38, 0)
"""The first SQLite with ``->>``, which makes one text serve PostgreSQL, too."""

LOCK_MS = 50
"""How long one attempt to write waits for a lock. Short, so that the writer looks up often:
everybody who waits has an own deadline."""

HAS_LOG = True
"""Commits go to a log beside the database, which somebody must move into it."""

LOCKS_USERS = False
"""Whoever writes has the whole file."""

_LOCKED = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_BROKEN = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk cannot be read or written",
    sqlite3.SQLITE_READONLY: "the database is read-only",
    sqlite3.SQLITE_CANTOPEN: "the database file cannot be opened",
    sqlite3.SQLITE_CORRUPT: "the database is damaged",
    sqlite3.SQLITE_NOTADB: "the file is no database",
    sqlite3.SQLITE_NOMEM: "no memory is left",
}


def read(url: URL) -> URL:
    """Check a URL; the path in it becomes absolute, for a process may change its folder.

    Raises:
        ConfigError: it names nothing that can keep what it accepts.
    """
    if url.get_driver_name() != "pysqlite":
        raise ConfigError(f"database_url: {url.drivername} is not supported; use sqlite:///file.db")
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        # Memory dies with the process and is not shared by a fork, but 202 promises durability.
        raise ConfigError("database_url must name a file (sqlite:////path/file.db), not memory")
    if sqlite3.sqlite_version_info < OLDEST:
        raise ConfigError(f"SQLite {sqlite3.sqlite_version} is too old: 3.38 or newer is needed")
    return url.set(database=str(Path(url.database).absolute()))


def ensure_place(url: URL) -> None:
    """Make sure that the file has a folder.

    Raises:
        ConfigError: it is missing.
    """
    folder = Path(url.database or "").parent
    if not folder.is_dir():
        raise ConfigError(f"database_url: the folder {folder} does not exist")


def writing(url: URL) -> Engine:
    """Return an engine for the one who writes. Errors show no parameters: users read these."""
    engine = create_engine(url, poolclass=NullPool, hide_parameters=True)

    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # or the driver would begin transactions on its own
        connection.execute(f"PRAGMA busy_timeout={LOCK_MS}")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA wal_autocheckpoint=0")  # a commit never pays for a checkpoint

    event.listen(engine, "connect", prepare)
    return engine


upgrading = writing


def reading(url: URL, wait_seconds: float) -> Engine:
    """Return an engine that reads beside the writer, each statement by itself."""
    engine = create_engine(
        url,
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,
    )

    def prepare(connection: Any, _record: Any) -> None:
        connection.execute(f"PRAGMA busy_timeout={int(wait_seconds * 1000)}")
        connection.execute("PRAGMA query_only=ON")
        connection.execute("PRAGMA cache_size=-64")  # KiB each; sixteen of 2 MiB would be 32
        connection.execute("PRAGMA wal_autocheckpoint=0")

    event.listen(engine, "connect", prepare)
    return engine


def begin(connection: Connection, _about: Sequence[str]) -> None:
    """Begin a transaction with the write lock in hand.

    Taking it later would let two writers read the same state and one of them fail at its first
    write, with no second try.
    """
    driver: Any = connection.connection.driver_connection
    driver.execute("BEGIN IMMEDIATE")


@contextmanager
def alone(url: URL) -> Iterator[None]:
    """Be the only one that upgrades this file. The lock file stays: removing it would be a race."""
    with Path(f"{url.database}.upgrade-lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def trouble(error: Exception) -> StorageUnavailable | None:
    """Tell what an error says about the database's state; ``None``: nothing."""
    code = getattr(getattr(error, "orig", error), "sqlite_errorcode", None)
    if not isinstance(error, DBAPIError | sqlite3.Error) or code is None:
        return None
    code &= 0xFF  # extended codes tell more than is asked here
    if code in _LOCKED:
        return Locked(LOCKED)
    if code in _BROKEN:
        return StorageUnavailable(f"{_BROKEN[code]}; nothing was kept")
    return None
