"""The service's tables are made once, whoever starts at the same time."""

import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from example_app import database
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
print("ready", flush=True)
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


def test_of_many_that_find_no_tables_at_once_all_start(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_have_looked = threading.Barrier(6)
    missing = database._missing

    def look(reading: Engine) -> set[str]:
        found = missing(reading)
        all_have_looked.wait(20)
        return found

    monkeypatch.setattr(database, "_missing", look)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(opened, [url] * 6))
    assert ask(url, "SELECT count(*) FROM projects") == [(0,)]


@pytest.mark.plain
def test_processes_that_start_together_all_succeed(url: str) -> None:
    command = [sys.executable, "-c", OPEN, url]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    started = [subprocess.Popen(command, cwd=ROOT, text=True, **pipes) for _ in range(4)]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    with ThreadPoolExecutor(4) as pool:
        errors = list(pool.map(lambda each: each.communicate("x", timeout=60)[1], started))
    assert [each.returncode for each in started] == [0] * 4, errors


def test_rows_of_an_earlier_start_are_kept(url: str) -> None:
    place = opened(url)
    row = text("INSERT INTO flags VALUES ('beta', true)")
    place.write("*", lambda connection: connection.execute(row))
    assert opened(url).read(lambda connection: connection.scalar(COUNT)) == 1


def test_nothing_holds_the_loop(tmp_path: Path) -> None:
    class Runtime:
        off_the_loop = 0

        def offload(self, job):
            self.off_the_loop += 1
            return job()

    runtime = Runtime()
    place = Database(f"sqlite:///{tmp_path}/t.db", runtime)
    place.read(lambda connection: connection.scalar(COUNT))
    place.write("ada", lambda connection: connection.scalar(COUNT))
    assert runtime.off_the_loop == 2


def test_what_only_reads_cannot_write(url: str) -> None:
    place = opened(url)
    row = text("INSERT INTO flags VALUES ('beta', true)")
    with pytest.raises(Exception, match=r"(?i)read.?only"):
        place.read(lambda connection: connection.execute(row))
    assert place.read(lambda connection: connection.scalar(COUNT)) == 0


def test_a_lock_that_is_let_go_in_time_is_waited_for(tmp_path: Path) -> None:
    place = opened(f"sqlite:///{tmp_path}/t.db")
    row = text("INSERT INTO flags VALUES ('beta', true)")
    other = sqlite3.connect(tmp_path / "t.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    tries: list[int] = []
    begin = place._ways.begin

    class Ways:
        @staticmethod
        def begin(connection, about):
            tries.append(1)
            if len(tries) == 3:
                other.execute("COMMIT")
            begin(connection, about)

    place._ways = Ways
    place.write("*", lambda connection: connection.execute(row))
    assert len(tries) == 3
    assert place.read(lambda connection: connection.scalar(COUNT)) == 1
    other.close()


def test_a_lock_that_stays_is_told_without_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("example_app.database.TRIES", 2)
    place = opened(f"sqlite:///{tmp_path}/t.db")
    other = sqlite3.connect(tmp_path / "t.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageUnavailable, match="locked by another process") as caught:
        place.write("ada", lambda connection: connection.scalar(COUNT))
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
