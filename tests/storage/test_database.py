from __future__ import annotations

import socket
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection

from tests.storage.conftest import add, numbers, only_sqlite
from toastkit.clock import SystemClock
from toastkit.errors import ConfigError, StorageUnavailable
from toastkit.runtime import Runtime
from toastkit.storage import Storage
from toastkit.storage.database import Database


def test_building_storage_touches_no_disk(file: Path, runtime: Runtime) -> None:
    storage = Storage(f"sqlite:///{file}", runtime, SystemClock())
    assert not file.exists()
    storage.close()
    assert not file.exists()


def test_a_bad_url_is_told_at_once(runtime: Runtime) -> None:
    with pytest.raises(ConfigError, match="must name a file"):
        Storage("sqlite://", runtime, SystemClock())


def test_a_missing_folder_is_told_at_first_use(runtime: Runtime, tmp_path: Path) -> None:
    storage = Storage(f"sqlite:///{tmp_path}/no/toasts.db", runtime, SystemClock())
    with pytest.raises(ConfigError, match="does not exist"):
        storage.sessions.find("h")


def test_of_many_first_callers_one_opens(url: str, runtime: Runtime) -> None:
    database = Database(url, runtime, SystemClock(), wait_ms=2000)
    opened: list[object] = []
    threads = [threading.Thread(target=lambda: opened.append(database._here())) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 20
    assert len(set(opened)) == 1
    database.close()


def test_what_is_closed_stays_closed(database: Database) -> None:
    database.close()
    with pytest.raises(StorageUnavailable, match="closed"):
        numbers(database)


def test_why_a_database_cannot_be_opened_is_logged_once(
    runtime: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    # A port that nothing listens to: bound, so that nobody else takes it, and never listening.
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"postgresql://ada:secret@127.0.0.1:{taken.getsockname()[1]}/shop"
        database = Database(url, runtime, SystemClock(), wait_ms=2000)
        for _ in range(3):
            with pytest.raises(StorageUnavailable, match="cannot be reached") as told:
                numbers(database)
            assert "127.0.0.1" not in str(told.value)
    [record] = caplog.records
    assert "the database cannot be opened: " in record.getMessage()
    assert "127.0.0.1" in record.getMessage()
    assert "secret" not in caplog.text


def claims(database: Database) -> int:
    def count(connection: Connection) -> int:
        query = "SELECT count(*) FROM toastkit_dedupe"
        return int(connection.exec_driver_sql(query).scalar_one())

    return database.read(count)


def test_after_a_write_that_failed_another_finds_out_and_leaves_nothing(
    database: Database,
) -> None:
    def fail(connection: Connection, members: Sequence[None]) -> Sequence[None]:
        raise StorageUnavailable("the disk is full")

    database.ensure_writable()
    with pytest.raises(StorageUnavailable):
        database.write(fail, None)
    assert not database._here().writer.well
    database.ensure_writable()
    assert database._here().writer.well
    assert claims(database) == 0


@only_sqlite  # a server locks what a test names; here it is the whole file
def test_while_writing_would_fail_that_is_told(file: Path, url: str, runtime: Runtime) -> None:
    database = Database(url, runtime, SystemClock(), wait_ms=50)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        assert claims(database) == 0
        other.execute("BEGIN IMMEDIATE")
        database.ensure_writable()  # nobody has tried: no request is held up for an idle lock
        with pytest.raises(StorageUnavailable):
            database.write(add, 1)
        with pytest.raises(StorageUnavailable, match="locked"):
            database.ensure_writable()
        other.execute("ROLLBACK")
        database.ensure_writable()
    database.close()
