"""The service's own tables, in the database it shares with toastkit."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import URL, Connection, Engine, inspect

from toastkit.runtime.contract import Runtime
from toastkit.storage import engine
from toastkit.storage.trouble import Locked, Lost

from .tables import metadata

T = TypeVar("T")

WAIT_SECONDS = 2.0
"""How long a read waits for the database."""

TRIES = 20
"""How often a write is tried whose lock somebody else has; each try waits a moment for it."""


class Database:
    """Run small transactions off the loop; between them no connection is held.

    Making one connects once and makes the tables that are missing.

    Raises:
        ConfigError: the URL names nothing that can be used.
        StorageUnavailable: the database cannot be opened or written.
    """

    def __init__(self, url: str, runtime: Runtime) -> None:
        place = engine.database(url)
        self._runtime = runtime
        self._ways = engine.ways(place)
        with engine.telling():
            self._reading = engine.introduced(self._ways.reading(place, WAIT_SECONDS))
            _make_tables(place, self._reading)
            self._writing = engine.introduced(self._ways.writing(place))

    def read(self, job: Callable[[Connection], T]) -> T:
        """Run ``job`` with a connection that only reads; return its result.

        Raises:
            StorageUnavailable: the database cannot be read.
        """
        return self._runtime.offload(lambda: self._read(job))

    def write(self, about: str, job: Callable[[Connection], T]) -> T:
        """Run ``job`` in a transaction that has what it is about to itself; return its result.

        ``about`` is a user's id: of two requests for that user's last credit the second one sees
        what the first one did, and a rebind comes before or after, not between.

        Raises:
            StorageUnavailable: the database is locked, full or gone.
        """
        return self._runtime.offload(lambda: self._write(about, job))

    def _read(self, job: Callable[[Connection], T]) -> T:
        with engine.telling(), self._reading.connect() as connection:
            return job(connection)

    def _write(self, about: str, job: Callable[[Connection], T]) -> T:
        for _ in range(TRIES - 1):
            try:
                return self._commit(about, job)
            except Lost:
                raise  # it may have been kept
            except Locked:
                continue
        return self._commit(about, job)

    def _commit(self, about: str, job: Callable[[Connection], T]) -> T:
        with engine.telling(), self._writing.connect() as connection, connection.begin():
            self._ways.begin(connection, (about,))
            return job(connection)


def _make_tables(place: URL, reading: Engine) -> None:
    # As toastkit does it: look first, and again with the lock in hand, for many may start at once.
    if not _missing(reading):
        return
    ways = engine.ways(place)
    with ways.alone(place):
        upgrading = ways.upgrading(place)
        try:
            with upgrading.connect() as connection, connection.begin():
                ways.begin(connection, ())
                metadata.create_all(connection)
        finally:
            upgrading.dispose()


def _missing(reading: Engine) -> set[str]:
    return set(metadata.tables) - set(inspect(reading).get_table_names())
