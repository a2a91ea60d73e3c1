"""A host and toastkit read and write one SQLite file beside each other."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from tests.joining.conftest import at_once
from toastkit.joining.sharing import share


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "shop.db"


@pytest.fixture
def engine(path: Path) -> Iterator[Engine]:
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE orders (id INTEGER)"))
    yield engine
    engine.dispose()


def mode(path: Path) -> str:
    connection = sqlite3.connect(path)
    ((mode,),) = connection.execute("PRAGMA journal_mode")
    connection.close()
    return str(mode)


def use(engine: Engine) -> int:
    with engine.connect() as connection:
        wait: int = connection.execute(text("PRAGMA busy_timeout")).scalar_one()
        return wait


def test_the_file_keeps_a_log_from_the_hosts_next_use(path: Path, engine: Engine) -> None:
    share(engine)
    assert mode(path) == "delete"
    wait = use(engine)
    assert (mode(path), wait) == ("wal", 5000)


def test_whoever_reads_meanwhile_is_not_waited_for(path: Path, engine: Engine) -> None:
    share(engine)
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM orders").fetchall()
    with at_once():
        assert use(engine) == 5000
    assert mode(path) == "delete"
    reader.execute("ROLLBACK")
    use(engine)
    assert mode(path) == "wal"
    reader.close()


def test_a_database_in_memory_has_no_log() -> None:
    engine = create_engine("sqlite://")
    share(engine)
    use(engine)
    engine.dispose()
