"""Only a session on toastkit's own database can be joined."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.orm import scoped_session as scoped
from sqlalchemy.pool import NullPool

from tests.joining.conftest import Base, Order
from toastkit import CannotJoin, Config, Host, Kit
from toastkit.joining.database import Home, _server


def test_another_database_cannot_be_joined(kit: Kit, tmp_path: Any) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/another.db")
    Base.metadata.create_all(engine)
    with Session(engine) as session, pytest.raises(CannotJoin, match="another database"):
        kit.publish_toast("ada", "Hello", db=session)
    engine.dispose()


def test_a_session_without_a_default_is_joined_where_it_is_at_work(
    url: str, engine: Engine
) -> None:
    db = scoped(sessionmaker(binds={Order: engine}))
    with Kit(Config(database_url=url), host=Host(db, engine=engine)) as kit:
        with pytest.raises(CannotJoin):
            kit.publish_toast("ada", "Hello", db=db)
        db.add(Order())
        db.flush()
        kit.publish_toast("ada", "Hello")
        inner = db.begin_nested()
        kit.publish_toast("ada", "Never")
        inner.rollback()
        assert kit.toasts.list("ada").items == []
        db.commit()
        assert len(kit.toasts.list("ada").items) == 1
    db.remove()


def test_missing_tables_name_the_remedy_and_leave_the_transaction_well(
    url: str, engine: Engine, db: scoped[Session]
) -> None:
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE toastkit_outbox"))
    with Kit(Config(database_url=url), host=Host(db)) as kit:
        db.add(Order(id=9))
        db.flush()
        with pytest.raises(CannotJoin, match=r"flask db upgrade.*create_all"):
            kit.publish_toast("ada", "Hello")
        db.commit()
        assert db.get(Order, 9) is not None


def test_a_file_may_be_spelled_in_several_ways(tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "here").symlink_to("there")
    monkeypatch.chdir(tmp_path)
    home = Home("sqlite:///there/shop.db")
    monkeypatch.chdir("/")
    engines = [
        create_engine(f"sqlite:///{tmp_path}/{path}") for path in ("here/shop.db", "shop.db")
    ]
    engines.append(create_engine("sqlite://"))
    reached = []
    for engine in engines:
        with engine.connect() as connection:
            reached.append(home.reached_by(connection))
        engine.dispose()
    assert reached == [True, False, False]


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("postgresql+psycopg://other:secret@localhost/shop", True),
        ("postgresql+psycopg2://127.0.0.1:5432/shop", True),
        ("postgresql://localhost:5433/shop", False),
        ("postgresql://localhost/books", False),
        ("postgresql://db.example/shop", False),
        ("postgresql:///shop?host=/run/elsewhere", False),
    ],
)
def test_a_server_may_be_spelled_in_several_ways(url: str, same: bool) -> None:
    ours = make_url("postgresql://shop@localhost/shop")
    assert (_server(make_url(url)) == _server(ours)) is same


def test_a_session_of_asyncio_is_refused(kit: Kit, url: str, database: str) -> None:
    if database != "postgresql":
        pytest.skip("no driver of SQLite for asyncio is installed")
    engine = create_async_engine(
        url.replace("postgresql:", "postgresql+psycopg_async:"), poolclass=NullPool
    )

    async def publish() -> None:
        async with AsyncSession(engine) as session:
            await session.run_sync(lambda db: kit.publish_toast("ada", "Hello", db=db))

    with pytest.raises(CannotJoin, match="AsyncSession"):
        asyncio.run(publish())
