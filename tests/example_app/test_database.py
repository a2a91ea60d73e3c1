"""The service's tables are made once, whoever starts at the same time."""

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text

from example_app.database import Database
from example_app.tables import metadata
from tests.postgres import ask
from toastkit.errors import ConfigError, Invalid, StorageUnavailable
from toastkit.runtime import runtime_for

from .conftest import ROOT

OPEN = """
import sys
from example_app.database import Database
from toastkit.runtime import runtime_for
sys.stdin.read(1)
Database(sys.argv[1], runtime_for("threads"))
"""
COUNT = text("SELECT count(*) FROM flags")


def opened(url: str) -> Database:
    return Database(url, runtime_for("threads"))


def test_the_tables_are_there_and_empty(url: str) -> None:
    for _ in range(2):
        opened(url)
    for table in metadata.tables:
        assert ask(url, f"SELECT count(*) FROM {table}") == [(0,)]


def test_eight_processes_that_start_at_once_all_succeed(url: str) -> None:
    command = [sys.executable, "-c", OPEN, url]
    started = [
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, text=True
        )
        for _ in range(8)
    ]
    with ThreadPoolExecutor(8) as pool:
        errors = list(pool.map(lambda each: each.communicate("x", timeout=60)[1], started))
    assert [each.returncode for each in started] == [0] * 8, errors


def test_rows_of_an_earlier_start_are_kept(url: str) -> None:
    database = opened(url)
    row = text("INSERT INTO flags VALUES ('beta', true)")
    database.write("*", lambda connection: connection.execute(row))
    assert opened(url).read(lambda connection: connection.scalar(COUNT)) == 1


def test_what_only_reads_cannot_write(url: str) -> None:
    database = opened(url)
    row = text("INSERT INTO flags VALUES ('beta', true)")
    with pytest.raises(Exception, match=r"(?i)read.?only"):
        database.read(lambda connection: connection.execute(row))
    assert database.read(lambda connection: connection.scalar(COUNT)) == 0


def test_a_lock_that_is_let_go_in_time_is_waited_for(tmp_path: Path) -> None:
    database = opened(f"sqlite:///{tmp_path}/t.db")
    row = text("INSERT INTO flags VALUES ('beta', true)")
    other = sqlite3.connect(tmp_path / "t.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    tries: list[int] = []
    begin = database._ways.begin

    class Ways:
        @staticmethod
        def begin(connection, about):
            tries.append(1)
            if len(tries) == 3:
                other.execute("COMMIT")
            begin(connection, about)

    database._ways = Ways
    database.write("*", lambda connection: connection.execute(row))
    assert len(tries) == 3
    assert database.read(lambda connection: connection.scalar(COUNT)) == 1
    other.close()


def test_a_lock_that_stays_is_told_without_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("example_app.database.TRIES", 2)
    database = opened(f"sqlite:///{tmp_path}/t.db")
    other = sqlite3.connect(tmp_path / "t.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageUnavailable, match="locked by another process") as caught:
        database.write("ada", lambda connection: connection.scalar(COUNT))
    assert str(tmp_path) not in str(caught.value)
    other.close()


def test_text_no_database_can_hold_is_told(url: str) -> None:
    row, given = text("INSERT INTO flags VALUES (:name, true)"), {"name": "a\x00b"}
    if url.startswith("sqlite"):
        pytest.skip("SQLite holds it")
    with pytest.raises(Invalid, match="NUL"):
        opened(url).write("*", lambda connection: connection.execute(row, given))


def test_a_url_that_names_nothing_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        opened(f"sqlite:///{tmp_path}/no/such/folder/t.db")
