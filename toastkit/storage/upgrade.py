"""Bring a database's schema to the newest revision, whoever else tries it at the same time."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import URL, Inspector, column, inspect, select, table
from sqlalchemy.exc import DBAPIError

from ..errors import ConfigError
from . import engine
from .tables import metadata, toasts
from .turn import Turn

HEAD = "0004"
"""The newest revision. Known here, so that a start on a current schema need not load Alembic."""

VERSION_TABLE = "toastkit_alembic_version"

_turn = Turn()
"""Whose turn it is in this process: Alembic keeps the migration that runs in module globals."""


def upgrade(url: str) -> None:
    """Bring the schema to the newest revision. Blocks; any number of processes may call it.

    The version is looked at first, with one SELECT; only an old schema takes the lock, and looks
    again: without it, some of many processes that start together fail. A schema that a host's own
    migrations have made is left to them.

    Raises:
        ConfigError: the URL names nothing that can be used, a newer toastkit has been here, or a
            host's migrations have not made all that is needed.
        StorageUnavailable: the database cannot be opened or written.
    """
    place = engine.database(url)
    with engine.telling():
        version = _version(place)
        if version == HEAD:
            return
        if version is None and _is_a_hosts(place):
            ensure_schema(url)
            return
        # First the other processes, then the threads of this one: whoever waits has its turn.
        with engine.ways(place).alone(place), _turn:
            if _version(place) != HEAD:
                _upgrade(place)


def ensure_schema(url: str) -> None:
    """Look whether a schema that is the host's has all that is needed; change nothing.

    Raises:
        ConfigError: something is missing.
        StorageUnavailable: the database cannot be opened.
    """
    place = engine.database(url)
    with engine.telling():
        looking = engine.ways(place).reading(place, wait_seconds=2.0)
        try:
            missing = _missing(inspect(looking))
        finally:
            looking.dispose()
    if missing:
        raise ConfigError(
            f"the database lacks {', '.join(missing)}, which your migrations are to make: "
            "flask db migrate && flask db upgrade, or db.create_all()"
        )


def _is_a_hosts(place: URL) -> bool:
    """Tell whether toastkit's tables are there, of which no migration of its own knows.

    Its own make tables and version in one transaction.
    """
    looking = engine.ways(place).reading(place, wait_seconds=2.0)
    try:
        found = inspect(looking)
        return found.has_table(toasts.name) and not found.has_table(VERSION_TABLE)
    finally:
        looking.dispose()


def _missing(found: Inspector) -> list[str]:
    tables = set(found.get_table_names())
    missing = []
    for name, wanted in metadata.tables.items():
        if name not in tables:
            missing.append(name)
            continue
        there = {column["name"] for column in found.get_columns(name)}
        missing += [
            f"{name}.{column.name}" for column in wanted.columns if column.name not in there
        ]
    return missing


def _version(place: URL) -> str | None:
    looking = engine.ways(place).reading(place, wait_seconds=2.0)
    try:
        with looking.connect() as connection:
            version: str | None = connection.scalar(
                select(column("version_num")).select_from(table(VERSION_TABLE))
            )
            return version
    except DBAPIError as error:
        if engine.trouble(error) is not None:
            raise
        return None  # no such table: a fresh database
    finally:
        looking.dispose()


def _upgrade(place: URL) -> None:
    from alembic.command import upgrade as run
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    ways = engine.ways(place)
    writing = ways.upgrading(place)
    try:
        with writing.connect() as connection, connection.begin():
            ways.begin(connection, ())
            config.attributes["connection"] = connection
            run(config, "head")
    except CommandError as error:
        raise ConfigError(
            f"the database was upgraded by another version of toastkit: {error}"
        ) from None
    finally:
        writing.dispose()
