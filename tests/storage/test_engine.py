from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.storage.conftest import only_sqlite
from toastkit.errors import ConfigError, StorageUnavailable
from toastkit.storage import engine, postgres
from toastkit.storage.database import Database


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "not an SQLAlchemy URL"),
        ("toastkit.db", "not an SQLAlchemy URL"),
        ("sqlite://", "must name a file"),
        ("sqlite:///:memory:", "must name a file"),
        ("sqlite:///file:x?mode=memory&uri=true", "must name a file"),
        ("sqlite:////nowhere/at/all.db", "the folder /nowhere/at does not exist"),
        ("sqlite+aiosqlite:///x.db", "not supported"),
        ("mysql://root@localhost/x", "not supported"),
    ],
)
def test_a_url_that_cannot_keep_what_it_accepts_is_refused(url: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        engine.database(url)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        (
            "postgresql+psycopg2://x@y/z",
            r"postgresql\+psycopg2 is not supported; use postgresql://",
        ),
        ("postgresql+asyncpg://x@y/z", "use postgresql://, which is psycopg 3"),
        ("postgresql://x@y/z?sslmod=require", 'invalid connection option "sslmod"'),
    ],
)
def test_another_driver_or_option_is_refused_with_the_remedy(url: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        engine.read_url(url)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_these_names_mean_psycopg(scheme: str) -> None:
    assert engine.read_url(f"{scheme}://x@y/z").drivername == "postgresql+psycopg"


def test_without_psycopg_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"the extra toastkit\[postgres\]"):
        engine.read_url("postgresql://x@y/z")


def test_a_relative_path_is_where_the_process_was_when_it_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert engine.database("sqlite:///toastkit.db").database == str(tmp_path / "toastkit.db")


@only_sqlite
def test_the_writer_is_durable_and_leaves_checkpoints_to_others(database: Database) -> None:
    def ask(connection: object, members: object) -> list[dict[str, object]]:
        names = ("journal_mode", "synchronous", "wal_autocheckpoint")
        return [{name: pragma(connection, name) for name in names}]

    found = database.write(ask, None)
    assert found == {"journal_mode": "wal", "synchronous": 2, "wal_autocheckpoint": 0}


def pragma(connection: object, name: str) -> object:
    return connection.exec_driver_sql(f"PRAGMA {name}").scalar()  # type: ignore[attr-defined]


def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises(StorageUnavailable, match="read-only"):
        database.read(lambda connection: connection.execute(text("DELETE FROM toastkit_toasts")))


def test_a_wrong_statement_is_no_trouble_of_the_database(database: Database) -> None:
    with pytest.raises(DBAPIError, match="nowhere"):
        database.read(lambda connection: connection.execute(text("SELECT 1 FROM nowhere")))


def test_a_file_that_is_no_database_is_named_so(tmp_path: Path, file: Path) -> None:
    file.write_bytes(b"not a database at all" * 100)
    from toastkit.storage import upgrade

    with pytest.raises(StorageUnavailable, match="the file is no database") as told:
        upgrade(f"sqlite:///{file}")
    assert str(tmp_path) not in str(told.value)


def test_an_error_without_a_code_is_no_trouble_of_the_database() -> None:
    assert engine.trouble(ValueError("x")) is None
    assert engine.trouble(sqlite3.OperationalError("x")) is None
