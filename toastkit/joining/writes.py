"""Tell what a transaction has done so far, and what it holds, by asking its own connection."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

_WRITTEN = text("SELECT pg_current_xact_id_if_assigned() IS NOT NULL")


@dataclass(frozen=True, slots=True)
class Start:
    """What SQLite's driver said when a session began to use it.

    ``begun``: a transaction was open. It may hold the write lock without having written.
    """

    changes: int
    begun: bool


def start(connection: Connection) -> Start | None:
    """Note how a transaction begins; ``None`` where the database itself knows what it wrote."""
    driver = _sqlite(connection)
    return None if driver is None else Start(driver.total_changes, driver.in_transaction)


def has_written(connection: Connection, since: Start | None) -> bool:
    """Tell whether a connection's open transaction has written, by whatever means.

    One that wrote and took all of it back to a SAVEPOINT has written, too: no database says.
    """
    if not connection.in_transaction() or connection.invalidated:
        return False
    driver = _sqlite(connection)
    if driver is not None:
        return _has_changed(driver, since)
    return connection.dialect.name == "postgresql" and _has_number(connection)


def holds_write_lock(connection: Connection) -> bool:
    """Tell whether a connection keeps every other one from writing to its SQLite file.

    Nothing in Python tells it but the backup interface: a step of a backup is refused while its
    source is writing, and only then.
    """
    if not connection.in_transaction() or connection.invalidated:
        return False
    driver = _sqlite(connection)
    return driver is not None and driver.in_transaction and _is_writing(driver)


def _has_changed(driver: sqlite3.Connection, since: Start | None) -> bool:
    if not driver.in_transaction:
        return False  # every statement was its own transaction
    if since is not None and driver.total_changes > since.changes:
        return True
    # What writes no rows (or the schema) is not counted. If the driver is left to begin the
    # transactions, it does so for a write; somebody else may have begun one with the lock in hand.
    return (since is None or not since.begun) and _is_writing(driver)


def _is_writing(driver: sqlite3.Connection) -> bool:
    said: list[int] = []

    def stop(status: int, _remaining: int, _total: int) -> None:
        said.append(status)
        raise _Enough

    with closing(sqlite3.connect(":memory:")) as nowhere:
        try:
            driver.backup(nowhere, pages=1, progress=stop)
        except _Enough:
            return said == [sqlite3.SQLITE_BUSY]
    return False


class _Enough(Exception):
    """One step of the backup has been tried."""


def _has_number(connection: Connection) -> bool:
    # PostgreSQL numbers a transaction at its first write.
    try:
        return bool(connection.scalar(_WRITTEN))
    except DBAPIError:
        # A transaction in which a statement has failed answers nothing and keeps nothing:
        # whatever it wrote is lost already.
        return False


def _sqlite(connection: Connection) -> sqlite3.Connection | None:
    driver = connection.connection.driver_connection
    return driver if isinstance(driver, sqlite3.Connection) else None
