"""Bring a database's schema to the newest revision, whoever else tries it at the same time."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Inspector, column, inspect, select, table
from sqlalchemy.exc import DBAPIError

from ..errors import ConfigError, Invalid
from ..records import Upgrade
from . import engine
from .tables import metadata, toasts
from .turn import Turn

HEAD = "0005"
"""The newest revision. Known here, so that a start on a current schema need not load Alembic."""

VERSION_TABLE = "toastkit_alembic_version"

_turn = Turn()
"""Whose turn it is in this process: Alembic keeps the migration that runs in module globals."""


def upgrade(url: str) -> Upgrade:
    """Bring the schema to the newest revision. Blocks; any number of processes may call it.

    The version is looked at first, with one SELECT; only an old schema takes the lock, and looks
    again: without it, some of many processes that start together fail. A schema that a host's own
    migrations have made is left to them. Returns from where it came.

    Raises:
        ConfigError: the URL names nothing that can be used, a newer toastkit has been here, or a
            host's migrations have not made all that is needed.
        StorageUnavailable: the database cannot be opened or written.
    """
    place = engine.database(url)
    with engine.telling():
        version = _version(place)
        if version == HEAD:
            return Upgrade(before=HEAD, now=HEAD)
        if version is None and _is_a_hosts(place):
            return ensure_schema(url)
        # First the other processes, then the threads of this one: whoever waits has its turn.
        with engine.ways(place).alone(place), _turn:
            version = _version(place)
            if version != HEAD:
                _upgrade(place)
            return Upgrade(before=version, now=HEAD)


def upgrade_sql(url: str, since: str | None = None) -> str:
    """Return the SQL that brings the schema to the newest revision; empty where it is there.

    It is read from the database at which revision it is, unless ``since`` names one (``base``: an
    empty database); nothing is changed.

    Raises:
        Invalid: there is no such revision.
        ConfigError: the URL names nothing that can be used, a newer toastkit has been here, or the
            tables are a host's, whose migrations make them.
        StorageUnavailable: the database cannot be opened.
    """
    place = engine.read_url(url)
    version = _present(url) if since is None else _revision(since)
    return "" if version == HEAD else _script(place, version)


def _revision(text: str) -> str | None:
    if text == "base":
        return None
    if not re.fullmatch(r"[0-9]{4}", text) or not "0001" <= text <= HEAD:
        raise Invalid(
            f"there is no revision {text!r}: the newest is {HEAD}, and 'base' is an empty database",
            ("since",),
        )
    return text


def ensure_schema(url: str) -> Upgrade:
    """Look whether a schema that is the host's has all that is needed; change nothing.

    Raises:
        ConfigError: something is missing.
        StorageUnavailable: the database cannot be opened.
    """
    place = engine.database(url)
    with engine.telling():
        looking = engine.ways(place).reading(place, wait_seconds=2.0)
        try:
            missing = missing_of(inspect(looking))
        finally:
            looking.dispose()
    if missing:
        what = ", ".join(missing)
        if missing == list(metadata.tables):
            what = "toastkit's tables"
        raise ConfigError(
            f"the database lacks {what}, which your migrations are to make: "
            "flask db migrate && flask db upgrade, or db.create_all()"
        )
    return Upgrade(before=HEAD, now=HEAD, hosts=True)


def not_ours() -> ConfigError:
    """Return the error that says whose the tables are."""
    return ConfigError(
        "toastkit's tables are among the app's own here, and its migrations make them: flask db "
        "migrate, then flask db upgrade (--sql shows what that does)"
    )


def _present(url: str) -> str | None:
    """Return the revision a database is at; one that is not there is at none, and is not made."""
    place = engine.read_url(url)
    if place.get_backend_name() == "sqlite" and not Path(place.database or "").exists():
        return None
    with engine.telling():
        version = _version(engine.database(url))
        if version is None and _is_a_hosts(place):
            raise not_ours()
        return version


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


def missing_of(found: Inspector) -> list[str]:
    """Return which of toastkit's tables and columns a database lacks."""
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


def version_of(connection: Connection) -> str | None:
    """Return the revision of a schema that has the table of it."""
    version: str | None = connection.scalar(
        select(column("version_num")).select_from(table(VERSION_TABLE))
    )
    return version


def _version(place: URL) -> str | None:
    looking = engine.ways(place).reading(place, wait_seconds=2.0)
    try:
        with looking.connect() as connection:
            return version_of(connection)
    except DBAPIError as error:
        if engine.trouble(error) is not None:
            raise
        return None  # no such table: a fresh database
    finally:
        looking.dispose()


def _upgrade(place: URL) -> None:
    ways = engine.ways(place)
    writing = ways.upgrading(place)
    try:
        with writing.connect() as connection, connection.begin():
            ways.begin(connection, ())
            _run("head", connection=connection)
    finally:
        writing.dispose()


def _script(place: URL, version: str | None) -> str:
    written = StringIO()
    way = f"{version}:head" if version else "head"
    with _turn:
        _run(way, written, dialect=place.get_backend_name())
    return written.getvalue()


def _run(way: str, written: StringIO | None = None, **attributes: Any) -> None:
    from alembic.command import upgrade as run
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config(output_buffer=written)
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes.update(attributes)
    try:
        run(config, way, sql=written is not None)
    except CommandError as error:
        raise ConfigError(
            f"the database was upgraded by another version of toastkit ({error}): install that "
            "version here, or restore the copy made before the upgrade"
        ) from None
