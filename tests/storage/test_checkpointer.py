from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.storage.conftest import add, make
from toastkit.clock import SystemClock
from toastkit.runtime import Runtime
from toastkit.storage import checkpointer
from toastkit.storage.database import Database


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch, file: Path, runtime: Runtime) -> Iterator[Database]:
    monkeypatch.setattr(checkpointer, "SECONDS", 0.01)
    database = Database(f"sqlite:///{file}", runtime, SystemClock(), wait_ms=2000)
    database.write(make, None)
    yield database
    database.close()


def eventually(fact: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not fact():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_what_is_committed_reaches_the_database_beside_the_writer(
    hurried: Database, file: Path, tmp_path: Path
) -> None:
    hurried.write(add, 7)
    copy = tmp_path / "copy.db"

    def there_without_the_log() -> bool:
        copy.write_bytes(file.read_bytes())
        connection = sqlite3.connect(copy)
        try:
            return connection.execute("SELECT number FROM numbers").fetchall() == [(7,)]
        except sqlite3.DatabaseError:
            return False  # copied while a checkpoint was running
        finally:
            connection.close()

    eventually(there_without_the_log)


def test_a_large_log_is_written_from_its_beginning_again_and_keeps_its_blocks(
    hurried: Database, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpointer, "LARGE_PAGES", 1)
    log = file.with_name(file.name + "-wal")
    number = iter(range(10_000))
    sizes = [0]

    def begun_again() -> bool:
        hurried.write(add, next(number))
        sizes.append(log.stat().st_size)
        checkpoints = log.read_bytes()[12:16]  # how often, as the log's header has it
        return int.from_bytes(checkpoints) >= 3

    eventually(begun_again)
    assert sizes == sorted(sizes)


def test_a_checkpoint_that_fails_is_logged_and_tried_again(
    hurried: Database, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = hurried._here().checkpointer._engine
    good = engine.raw_connection

    def bad() -> None:
        monkeypatch.setattr(engine, "raw_connection", good)
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(engine, "raw_connection", bad)
    hurried.write(add, 1)
    eventually(lambda: "a checkpoint failed" in caplog.text)
