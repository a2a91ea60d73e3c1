"""A host whose database is in memory: toasts wait for its commits, in a database of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.orm import scoped_session as scoped
from sqlalchemy.pool import StaticPool

from tests.joining.conftest import Base, Order
from toastkit import Config, Host, Kit
from toastkit.errors import StorageUnavailable

pytestmark = pytest.mark.plain


@pytest.fixture
def db() -> Iterator[scoped[Session]]:
    engine = create_engine(
        "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
    )
    Base.metadata.create_all(engine)
    db = scoped(sessionmaker(engine))
    yield db
    db.remove()
    engine.dispose()


@pytest.fixture
def kit(tmp_path: Path, db: scoped[Session]) -> Iterator[Kit]:
    config = Config(database_url=f"sqlite:///{tmp_path}/toastkit.db")
    with Kit(config, host=Host(db, beside=True)) as kit:
        yield kit


def test_a_toast_waits_for_the_commit(
    kit: Kit, db: scoped[Session], titles: Callable[..., list[str]]
) -> None:
    db.add(Order())
    receipts = [kit.publish_toast("ada", "One"), kit.publish_toast("ada", "Two")]
    assert [each.status for each in receipts] == ["queued", "queued"]
    assert titles() == []
    db.commit()
    assert titles() == ["One", "Two"]
    assert kit.toasts.list("ada").items[1].id == receipts[0].id


def test_a_rollback_discards_it(
    kit: Kit, db: scoped[Session], titles: Callable[..., list[str]]
) -> None:
    db.add(Order())
    kit.publish_toast("ada", "Never")
    db.rollback()
    db.add(Order())
    db.commit()
    assert titles() == []


def test_without_rows_it_goes_at_once(
    kit: Kit, db: scoped[Session], titles: Callable[..., list[str]]
) -> None:
    db.get(Order, 1)
    assert kit.publish_toast("ada", "Hello").status == "queued"  # by another process's serving
    assert titles() == ["Hello"]


def test_what_cannot_be_kept_then_is_logged_and_the_commit_stands(
    kit: Kit, db: scoped[Session], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: object) -> None:
        raise StorageUnavailable("the disk is full")

    db.add(Order())
    kit.publish_toast("ada", "Lost")
    monkeypatch.setattr(kit._publisher, "publish", full)
    db.commit()
    assert len(db.query(Order).all()) == 1
    assert "1 toasts of a committed transaction are lost" in caplog.text
