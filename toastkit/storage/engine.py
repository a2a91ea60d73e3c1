"""Which database a URL names, and what is asked of it in its own way.

Each of the databases is one module with the same functions; nobody else knows which one it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from sqlalchemy import URL, Connection, Engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from ..errors import ConfigError, ToastKitError
from . import postgres, sqlite

WANTED = "sqlite:////path/file.db or postgresql://user@host/name"


class Ways(Protocol):
    """Tell how one kind of database is used."""

    HAS_LOG: bool
    LOCKS_USERS: bool

    def read(self, url: URL) -> URL:
        """Check and complete a URL; ``ConfigError`` when it cannot be used."""

    def ensure_place(self, url: URL) -> None:
        """Look at what a first connection needs; ``ConfigError`` when it is missing."""

    def writing(self, url: URL) -> Engine:
        """Return an engine for the one who writes."""

    def upgrading(self, url: URL) -> Engine:
        """Return an engine for changes of the schema."""

    def reading(self, url: URL, wait_seconds: float) -> Engine:
        """Return an engine that reads beside the writer, each statement by itself."""

    def begin(self, connection: Connection, about: Sequence[str]) -> None:
        """Begin a transaction that writes rows of these users."""

    def alone(self, url: URL) -> AbstractContextManager[None]:
        """Be the only one that upgrades."""

    def trouble(self, error: Exception) -> ToastKitError | None:
        """Tell what an error says about the database's state, or about what was given."""


_WAYS: dict[str, Ways] = {"sqlite": sqlite, "postgresql": postgres, "postgres": postgres}


def ways(url: URL) -> Ways:
    """Return how the database of a URL is used."""
    return _WAYS[url.get_backend_name()]


def read_url(url: str) -> URL:
    """Read a database URL; touches no disk and no network.

    Raises:
        ConfigError: it is no URL of a database that can keep what it accepts.
    """
    try:
        read = make_url(url)
    except ArgumentError:
        raise ConfigError(f"database_url is not an SQLAlchemy URL: {WANTED}") from None
    if read.get_backend_name() not in _WAYS:
        raise ConfigError(f"database_url: {read.drivername} is not supported; use {WANTED}")
    return ways(read).read(read)


def database(url: str) -> URL:
    """Return the database a URL names, where it can be used.

    Raises:
        ConfigError: it names none, or something is missing that it needs.
    """
    read = read_url(url)
    ways(read).ensure_place(read)
    return read


def introduced(engine: Engine) -> Engine:
    """Connect once, before others share the engine.

    SQLAlchemy guards the first connection with a lock of ``threading``; where gevent has replaced
    that, native threads that meet at it may wait for good.
    """
    engine.connect().close()
    return engine


def trouble(error: Exception) -> ToastKitError | None:
    """Tell whether an error is the database's state and not the statement's fault.

    Returns what the caller is to be told, without paths or SQL: ``StorageUnavailable``, or
    ``Invalid`` of text that the database cannot hold; ``None`` when the statement is at fault.
    """
    return sqlite.trouble(error) or postgres.trouble(error)


@contextmanager
def telling() -> Iterator[None]:
    """Turn an error that is the database's state into what the caller is to be told.

    Raises:
        StorageUnavailable: locked, full or gone.
        Invalid: this database cannot hold such a text.
    """
    try:
        yield
    except Exception as error:
        told = trouble(error)
        if told is None:
            raise
        raise told from error
