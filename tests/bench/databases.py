"""Where toastkit keeps its toasts. Every round gets a copy of a database that has the tickets."""

import itertools
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from tests.postgres import Postgres


class Database(Protocol):
    """A database to plant in, and to copy from."""

    url: str
    version: str

    def copy(self) -> AbstractContextManager[str]:
        """Make a copy that lasts as long as the ``with`` block; its URL."""


class Sqlite:
    """A file on the disk that has the temporary folder."""

    version = f"SQLite {sqlite3.sqlite_version}"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.url = _file(folder)

    @contextmanager
    def copy(self) -> Iterator[str]:
        with tempfile.TemporaryDirectory(prefix="bench-") as name:
            shutil.copytree(self._folder, name, dirs_exist_ok=True)
            yield _file(Path(name))


class Postgresql:
    """A server of its own on this machine, as PostgreSQL is by default: every commit is flushed.

    It may use every core that this program had when it began.
    """

    def __init__(self, server: Postgres) -> None:
        # The tests' server does without a disk; that would be no measure of anything.
        for statement in ("ALTER SYSTEM RESET ALL", "SELECT pg_reload_conf()"):
            server.run(statement)
        if (flushes := server.run("SHOW fsync")) != [("on",)]:
            raise RuntimeError(f"PostgreSQL would not flush: fsync is {flushes}")
        self._server = server
        self._numbers = itertools.count(1)
        self.version = f"PostgreSQL {server.run('SHOW server_version')[0][0]}"
        server.run("CREATE DATABASE seed")
        self.url = self._url("seed")

    @contextmanager
    def copy(self) -> Iterator[str]:
        name = f"round{next(self._numbers)}"
        self._server.run(f"CREATE DATABASE {name} TEMPLATE seed")
        try:
            yield self._url(name)
        finally:
            self._server.drop(self._server.url(name))

    def _url(self, name: str) -> str:
        return self._server.url(name).replace("postgresql:", "postgresql+psycopg:", 1)


@contextmanager
def sqlite() -> Iterator[Database]:
    """Give a folder for a file, until the end."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        yield Sqlite(Path(name))


@contextmanager
def postgresql() -> Iterator[Database]:
    """Run a server until the end."""
    server = Postgres()
    try:
        yield Postgresql(server)
    finally:
        server.close()


DATABASES = {"sqlite": sqlite, "postgresql": postgresql}


def _file(folder: Path) -> str:
    return f"sqlite:///{folder / 'toastkit.db'}"
