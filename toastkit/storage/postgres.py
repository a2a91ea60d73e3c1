"""PostgreSQL through psycopg 3: what a session is told, who waits for whom, what errors mean."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DataError, DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

from ..errors import ConfigError, Invalid, StorageUnavailable, ToastKitError
from .trouble import LOCKED, SILENT, Locked, Lost, Silent

HAS_LOG = False

LOCKS_USERS = True
"""Whoever writes has the users it is about, and others may be written meanwhile."""

LOCK_MS = 100
"""How long one lock is waited for. Short, so that the writer looks up often: everybody who waits
has an own deadline."""

STATEMENT_MS = 2000
"""How long one statement may take."""

UPGRADE_MS = 60_000
"""How long another process's upgrade is waited for."""

DRIVERS = frozenset({"postgresql", "postgresql+psycopg", "postgres"})

CONNECTING = {
    "application_name": "toastkit",
    "client_encoding": "UTF8",
    # A server that went without a word, with its machine or the network, is noticed in seconds.
    "tcp_user_timeout": "2000",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "2",
}
"""What a URL does not say otherwise."""

TAKE = """
BEGIN; SELECT count(pg_advisory_xact_lock(number)) FROM unnest(ARRAY{numbers}::bigint[]) AS number
"""
"""Take locks in the order of the array; the transaction's end lets go of them."""

_SESSION = "default_transaction_isolation = 'read committed'"

_DURABLE = """
SELECT set_config('synchronous_commit', 'on', false)
WHERE current_setting('synchronous_commit') = 'off'
"""
"""A commit that the server may lose is no commit to us. What waits for more stays as it is."""

_UPGRADING = int.from_bytes(b"toastkit", "big")
"""The number of the lock that an upgrade holds."""

_CODES = {
    "25006": "the database is read-only",
    "53100": "the disk is full",
    "53200": "no memory is left",
    "57014": "the database takes too long",
}
_CLASSES = {
    "53": "the database has no room for more",
    "58": "the disk cannot be read or written",
    "XX": "the database is damaged",
}
"""What the first two letters of an error's code say, where the whole code says nothing."""

_AGAIN = frozenset({"55P03", "40P01", "40001"})
"""Not in time, in a circle, or against another transaction: what is tried again may succeed."""

_TEXT = frozenset({"22021", "22P05"})
"""Characters the database has no place for: NUL, or what its encoding lacks."""

UNREACHABLE = "the database cannot be reached; nothing was kept"

_AWAY = ("08", "57P")
"""Codes of a server that ends connections, or is not ready for one."""


def read(url: URL) -> URL:
    """Check a URL, and name the driver.

    Raises:
        ConfigError: it asks for another driver, or psycopg is not installed.
    """
    if url.drivername not in DRIVERS:
        raise ConfigError(
            f"database_url: {url.drivername} is not supported; use postgresql://, which is psycopg 3"
        )
    if find_spec("psycopg") is None:
        raise ConfigError("database_url: PostgreSQL needs psycopg 3, the extra toastkit[postgres]")
    _ensure_options(url)
    return url.set(drivername="postgresql+psycopg")


def _ensure_options(url: URL) -> None:
    from psycopg import ProgrammingError
    from psycopg.conninfo import make_conninfo

    try:
        make_conninfo("", **dict.fromkeys(url.query, "0"))
    except ProgrammingError as error:
        raise ConfigError(f"database_url: {' '.join(str(error).split())}") from None


def ensure_place(_url: URL) -> None:
    """Make sure that psycopg can be used as we do.

    Raises:
        ConfigError: its C part is missing.
    """
    from . import native

    native.ensure_usable()


def writing(url: URL) -> Engine:
    """Return an engine for the one who writes. Errors show no parameters: users read these."""
    # A worker that stands still must not keep others from the users it holds.
    idle = "idle_in_transaction_session_timeout = 10000"
    return _engine(url, STATEMENT_MS, (f"lock_timeout = {LOCK_MS}", idle))


def upgrading(url: URL) -> Engine:
    """Return an engine for changes of the schema, which may wait and take their time."""
    return _engine(url, UPGRADE_MS, ("lock_timeout = 5000",))


def reading(url: URL, wait_seconds: float) -> Engine:
    """Return an engine that reads beside the writer, each statement by itself."""
    return _engine(url, int(wait_seconds * 1000), ("default_transaction_read_only = on",))


def begin(connection: Connection, about: Iterable[str]) -> None:
    """Begin a transaction that has the users it is about to itself, in one round trip.

    Every row is some user's, and whoever writes takes his users in the order of their numbers
    before anything else: nobody waits in a circle, whatever rows his statements touch then.
    """
    numbers = sorted({_number(name) for name in about})
    connection.exec_driver_sql(TAKE.format(numbers=numbers) if numbers else "BEGIN")


@contextmanager
def alone(url: URL) -> Iterator[None]:
    """Be the only one that upgrades this database."""
    engine = _engine(url, UPGRADE_MS, (f"lock_timeout = {UPGRADE_MS}",))
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"SELECT pg_advisory_lock({_UPGRADING})")
            yield
    finally:
        engine.dispose()


def trouble(error: Exception) -> ToastKitError | None:
    """Tell what an error says about the database's state, or about text it cannot hold."""
    orig: Any = getattr(error, "orig", None)
    if not isinstance(error, DBAPIError) or not hasattr(orig, "sqlstate"):
        return None
    code = orig.sqlstate or ""
    if code in _AGAIN:
        return Locked(LOCKED)
    if code == SILENT:
        return Silent(UNREACHABLE)
    if code.startswith(_AWAY) or (not code and isinstance(error, OperationalError)):
        return Lost(UNREACHABLE)
    if code == "42501":
        return ConfigError(
            "the role that database_url names lacks a right on toastkit's tables, or may not create "
            "them: GRANT CREATE ON SCHEMA public TO it, or let their owner upgrade them first"
        )
    if code in _TEXT or (not code and isinstance(error, DataError)):
        return Invalid("text must not contain NUL", (), "characters")
    told = _CODES.get(code) or _CLASSES.get(code[:2])
    return StorageUnavailable(f"{told}; nothing was kept") if told else None


def _number(name: str) -> int:
    """Return the number of a user's lock: the same in every process, and hardly anybody else's."""
    digest = hashlib.blake2b(name.encode(), digest_size=8, person=b"toastkit").digest()
    return int.from_bytes(digest, "big", signed=True)


def _engine(url: URL, statement_ms: int, settings: Sequence[str]) -> Engine:
    # Transactions begin by an explicit BEGIN, so the driver is told to begin none on its own.
    engine = create_engine(
        url,
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,
        use_native_hstore=False,
    )
    told = [_SESSION, f"statement_timeout = {statement_ms}", *settings]
    text = "; ".join([*(f"SET {setting}" for setting in told), _DURABLE])
    tenths = statement_ms // 100 + 5

    def connect(_dialect: Any, _record: Any, _args: Any, given: Mapping[str, Any]) -> Any:
        from .native import connect

        wanted = {name: value for name, value in given.items() if name != "context"}
        connection = connect({**CONNECTING, **wanted}, looks=tenths)
        try:
            connection.execute(text)
        except BaseException:
            connection.close()
            raise
        return connection

    event.listen(engine, "do_connect", connect)
    return engine
