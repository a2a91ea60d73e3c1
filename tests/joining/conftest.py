"""A host with orders in its own database, where toastkit's tables are, too."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker
from sqlalchemy.orm import scoped_session as scoped

from toastkit import Config, Host, Kit
from toastkit.storage.tables import metadata
from toastkit.testing import ManualClock

Titles = Callable[..., list[str]]
WAIT_MS = 10_000
"""How long storage waits for a lock: far longer than a busy machine takes for what waits for none."""
AT_ONCE = 4.0
"""Seconds: less than that, and than a host's SQLite waits by itself."""


@contextmanager
def at_once() -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < AT_ONCE


class Base(DeclarativeBase):
    """The host's tables."""


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(default="new")


def begin_explicitly(engine: Engine) -> None:
    """Let SAVEPOINTs work on SQLite as SQLAlchemy documents it: the driver begins nothing."""

    @event.listens_for(engine, "connect")
    def connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN")


DATABASES = ["sqlite", "sqlite begun explicitly", "postgresql"]
if sys.version_info >= (3, 12):
    DATABASES.append("sqlite always begun")


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest) -> str:
    """Name what the host works with."""
    return str(request.param)


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an SQLite file once; every table takes a flush."""
    path = tmp_path_factory.mktemp("fresh") / "shop.db"
    engine = create_engine(f"sqlite:///{path}")
    make_tables(engine)
    engine.dispose()
    return path


def make_tables(engine: Engine) -> None:
    metadata.create_all(engine)
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Order())
        session.commit()


@pytest.fixture
def url(request: pytest.FixtureRequest, database: str, tmp_path: Path) -> Iterator[str]:
    if database.startswith("sqlite"):
        yield f"sqlite:///{tmp_path}/shop.db"
        return
    server = request.getfixturevalue("postgres")
    fresh = server.fresh()
    yield fresh
    server.drop(fresh)


@pytest.fixture
def engine(url: str, database: str, fresh: Path) -> Iterator[Engine]:
    always = {"connect_args": {"autocommit": False}} if database == "sqlite always begun" else {}
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"), **always)
    if database == "sqlite begun explicitly":
        begin_explicitly(engine)
    if engine.dialect.name == "sqlite":
        shutil.copy(fresh, str(engine.url.database))
    else:
        make_tables(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def db(engine: Engine) -> Iterator[scoped[Session]]:
    db = scoped(sessionmaker(engine))
    yield db
    db.remove()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def kit(url: str, db: scoped[Session], clock: ManualClock) -> Iterator[Kit]:
    config = Config(database_url=url, storage_wait_ms=WAIT_MS)
    with Kit(config, host=Host(db), clock=clock) as kit:
        yield kit


@pytest.fixture
def titles(kit: Kit) -> Callable[..., list[str]]:
    """List what a user has been published, the oldest first."""

    def titles(user_id: str = "ada") -> list[str]:
        return [each.title for each in reversed(kit.toasts.list(user_id, 200).items)]

    return titles
