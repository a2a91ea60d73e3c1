"""Bring a database's schema to the newest revision, whoever else tries it at the same time."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, column, select, table
from sqlalchemy.exc import OperationalError

from ..errors import ConfigError
from . import engine
from .turn import Turn

HEAD = "0002"
"""The newest revision. Known here, so that a start on a current schema need not load Alembic."""

VERSION_TABLE = "toastkit_alembic_version"

_turn = Turn()
"""Whose turn it is in this process: Alembic keeps the migration that runs in module globals."""


def upgrade(url: str) -> None:
    """Bring the schema to the newest revision. Blocks; any number of processes may call it.

    The version is looked at first, with one SELECT; only an old schema takes the lock, and looks
    again: without it, some of many processes that start together fail.

    Raises:
        ConfigError: the URL names nothing that can be used, or a newer toastkit has been here.
        StorageUnavailable: the database cannot be opened or written.
    """
    place = engine.database(url)
    with engine.telling():
        if _version(place) == HEAD:
            return
        with _locked(place):
            if _version(place) != HEAD:
                _upgrade(place)


def _version(place: URL) -> str | None:
    looking = engine.reading(place, wait_seconds=2.0)
    try:
        with looking.connect() as connection:
            version: str | None = connection.scalar(
                select(column("version_num")).select_from(table(VERSION_TABLE))
            )
            return version
    except OperationalError as error:
        if engine.trouble(error) is not None:
            raise
        return None  # no such table: a fresh database
    finally:
        looking.dispose()


@contextmanager
def _locked(place: URL) -> Iterator[None]:
    """Be the only one that upgrades this file. The lock file stays: removing it would be a race."""
    with Path(f"{place.database}.upgrade-lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with _turn:
            yield


def _upgrade(place: URL) -> None:
    from alembic.command import upgrade as run
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    writing = engine.writing(place)
    try:
        with writing.connect() as connection, connection.begin():
            config.attributes["connection"] = connection
            run(config, "head")
    except CommandError as error:
        raise ConfigError(
            f"the database was upgraded by another version of toastkit: {error}"
        ) from None
    finally:
        writing.dispose()
