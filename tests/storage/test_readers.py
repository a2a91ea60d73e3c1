from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.storage.conftest import add, numbers
from toastkit.clock import SystemClock
from toastkit.errors import StorageUnavailable
from toastkit.runtime import Runtime
from toastkit.storage.database import Database
from toastkit.storage.readers import READERS


def test_many_read_at_once(database: Database) -> None:
    database.write(add, 1)
    seen: list[list[int]] = []
    threads = [
        threading.Thread(target=lambda: seen.append(numbers(database))) for _ in range(READERS * 3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [[1]] * READERS * 3


def test_a_read_that_failed_leaves_the_next_one_well(database: Database) -> None:
    def fail(_connection: Any) -> None:
        raise KeyError("x")

    for _ in range(READERS * 2):
        with pytest.raises(KeyError):
            database.read(fail)
    assert numbers(database) == []


def test_who_finds_every_reader_busy_is_told_in_time(database: Database, runtime: Runtime) -> None:
    hurried = Database(database._url, runtime, SystemClock(), wait_ms=50)
    free = hurried._here().readers._free
    while not free.empty():
        free.get_nowait()
    with pytest.raises(StorageUnavailable, match="too many readers"):
        numbers(hurried)
    for _ in range(READERS):
        free.put(None)
    hurried.close()


def test_that_nothing_can_be_read_is_logged_once_and_its_end_once(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_job: Any) -> None:
        raise StorageUnavailable("the database is away")

    with monkeypatch.context() as patch:
        patch.setattr(database._here().readers, "read", refuse)
        for _ in range(2):
            with pytest.raises(StorageUnavailable):
                numbers(database)
    numbers(database), numbers(database)
    assert [record.getMessage() for record in caplog.records] == [
        "storage cannot read: the database is away",
        "storage reads again",
    ]


def test_a_read_sees_what_was_committed_before_it(database: Database) -> None:
    for number in range(50):
        database.write(add, number)
        assert numbers(database)[-1] == number
