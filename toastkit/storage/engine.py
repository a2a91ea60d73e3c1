"""SQLite through SQLAlchemy: who begins a transaction, how long a lock is waited for.

One connection writes, with an explicit ``BEGIN IMMEDIATE``; any number read beside it (WAL).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import NullPool

from ..errors import ConfigError, StorageUnavailable

OLDEST = (3, 35, 0)
"""The first SQLite with ``RETURNING``."""

LOCK_MS = 50
"""How long one attempt to write waits for a lock. Short, so that the writer looks up often:
everybody who waits has an own deadline."""

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


class Locked(StorageUnavailable):
    """Another process holds the database; the next attempt may succeed."""


def database(url: str) -> URL:
    """Return the database a URL names, in a folder that is there.

    Raises:
        ConfigError: it names none, or the folder is missing.
    """
    read = read_url(url)
    folder = Path(read.database or "").parent
    if not folder.is_dir():
        raise ConfigError(f"database_url: the folder {folder} does not exist")
    return read


def read_url(url: str) -> URL:
    """Read a database URL; the path in it becomes absolute, for a process may change its folder.

    Raises:
        ConfigError: it is no URL of a database that can keep what it accepts.
    """
    try:
        read = make_url(url)
    except ArgumentError:
        raise ConfigError(
            "database_url is not an SQLAlchemy URL: sqlite:////path/file.db"
        ) from None
    if read.get_backend_name() != "sqlite" or read.get_driver_name() != "pysqlite":
        raise ConfigError(
            f"database_url: {read.drivername} is not supported; use sqlite:///file.db"
        )
    if not read.database or read.database == ":memory:" or read.database.startswith("file:"):
        # Memory dies with the process and is not shared by a fork, but 202 promises durability.
        raise ConfigError("database_url must name a file (sqlite:////path/file.db), not memory")
    if sqlite3.sqlite_version_info < OLDEST:
        raise ConfigError(f"SQLite {sqlite3.sqlite_version} is too old: 3.35 or newer is needed")
    return read.set(database=str(Path(read.database).absolute()))


def writing(url: URL) -> Engine:
    """Return an engine whose transactions take the write lock when they begin.

    Beginning later would let two writers read the same state and one of them fail at its first
    write, with no second try. Errors show no parameters: logs are no place for what users read.
    """
    engine = create_engine(url, poolclass=NullPool, hide_parameters=True)

    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # or the driver would begin transactions on its own
        connection.execute(f"PRAGMA busy_timeout={LOCK_MS}")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA wal_autocheckpoint=0")  # a commit never pays for a checkpoint

    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", begin)
    return _introduced(engine)


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
    return _introduced(engine)


def _introduced(engine: Engine) -> Engine:
    """Connect once, before others share the engine.

    SQLAlchemy guards the first connection with a lock of ``threading``; where gevent has replaced
    that, native threads that meet at it may wait for good.
    """
    engine.connect().close()
    return engine


def trouble(error: Exception) -> StorageUnavailable | None:
    """Tell whether an error is the database's state and not the statement's fault.

    Returns what the caller is to be told, without paths or SQL; ``None`` when the same statement
    would fail on a healthy database too.
    """
    code = getattr(getattr(error, "orig", error), "sqlite_errorcode", None)
    if not isinstance(error, DBAPIError | sqlite3.Error) or code is None:
        return None
    code &= 0xFF  # extended codes tell more than is asked here
    if code in _LOCKED:
        return Locked("the database is locked by another process; nothing was kept")
    if code in _BROKEN:
        return StorageUnavailable(f"{_BROKEN[code]}; nothing was kept")
    return None


@contextmanager
def telling() -> Iterator[None]:
    """Turn an error that is the database's state into what the caller is to be told.

    Raises:
        StorageUnavailable: locked, full or gone.
    """
    try:
        yield
    except Exception as error:
        told = trouble(error)
        if told is None:
            raise
        raise told from error
