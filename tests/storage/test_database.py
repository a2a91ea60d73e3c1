from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from tests.storage.conftest import numbers
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
