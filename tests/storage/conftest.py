"""A database of one's own, and writers on it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from toastkit.clock import SystemClock
from toastkit.runtime import Runtime, runtime_for
from toastkit.storage.database import Database

only_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)
only_postgres = pytest.mark.parametrize("url", ["postgresql"], indirect=True)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Name the file that ``url`` names when it is SQLite's."""
    return tmp_path / "toastkit.db"


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    runtime = runtime_for("auto")
    yield runtime
    runtime.close()


@pytest.fixture
def database(url: str, runtime: Runtime) -> Iterator[Database]:
    database = Database(url, runtime, SystemClock(), wait_ms=2000)
    database.write(make, None)
    yield database
    database.close()


@pytest.fixture
def program(url: str) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Start another process that knows ``url`` and may say something on its output."""
    started: list[subprocess.Popen[str]] = []

    def start(code: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-u", "-c", code, url]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def make(connection: Connection, members: Sequence[Any]) -> list[None]:
    """Make the table that ``numbers`` reads."""
    connection.exec_driver_sql("CREATE TABLE numbers (number INTEGER PRIMARY KEY, room TEXT)")
    return [None] * len(members)


def add(connection: Connection, members: Sequence[int]) -> list[int]:
    """Store one number for each member; answer how many joined this group."""
    values = ", ".join(f"({number})" for number in members)
    connection.exec_driver_sql(f"INSERT INTO numbers (number) VALUES {values}")
    return [len(members)] * len(members)


def numbers(database: Database) -> list[int]:
    """Return every number stored."""

    def read(connection: Connection) -> list[int]:
        return list(connection.exec_driver_sql("SELECT number FROM numbers ORDER BY 1").scalars())

    return database.read(read)


def all_said(runtime: Runtime) -> None:
    """Wait for what the writer logs: it does so on the loop."""
    said = runtime.signal()
    runtime.call(said.set)
    assert said.wait(5)
