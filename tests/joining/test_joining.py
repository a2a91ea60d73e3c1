"""A toast published in a host's transaction is told after its commit, or never was."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, delete, event, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.orm import scoped_session as scoped

from tests.joining.conftest import Base, Order
from toastkit import CannotJoin, Config, ConfigError, Host, Invalid, Kit, StorageUnavailable
from toastkit.storage import upgrade
from toastkit.testing import ManualClock

Titles = Callable[..., list[str]]
AT_ONCE = 1.0
"""Seconds: half of what storage waits for a lock."""


@contextmanager
def at_once() -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < AT_ONCE


def test_a_toast_is_published_by_the_commit_of_its_rows(
    kit: Kit, db: scoped[Session], titles: Titles
) -> None:
    db.add(Order())
    receipt = kit.publish_toast("ada", "Order placed")
    assert (receipt.status, receipt.delivered, receipt.transport) == ("queued", False, "none")
    assert titles() == []
    db.commit()
    (stored,) = kit.toasts.list("ada").items
    assert (stored.id, stored.title) == (receipt.id, "Order placed")


def test_a_rollback_discards_it_and_the_session_goes_on(
    kit: Kit, db: scoped[Session], titles: Titles
) -> None:
    db.add(Order())
    kit.publish_toast("ada", "Never")
    db.rollback()
    db.add(Order())
    kit.publish_toast("ada", "Order placed")
    db.commit()
    assert titles() == ["Order placed"]


WRITES: dict[str, Callable[[Session], object]] = {
    "added": lambda db: db.add(Order()),
    "changed": lambda db: setattr(db.get_one(Order, 1), "state", "paid"),
    "deleted": lambda db: db.delete(db.get_one(Order, 1)),
    "flushed": lambda db: (db.add(Order()), db.flush()),
    "bulk insert": lambda db: db.execute(insert(Order), [{"state": "new"}]),
    "bulk update": lambda db: db.execute(update(Order).values(state="paid")),
    "bulk delete": lambda db: db.execute(delete(Order)),
    "bulk objects": lambda db: db.bulk_save_objects([Order()]),
    "core": lambda db: db.execute(Order.__table__.update().values(state="paid")),
    "text": lambda db: db.execute(text("UPDATE orders SET state = 'paid'")),
    "its connection": lambda db: db.connection().execute(text("DELETE FROM orders")),
    "savepoint": lambda db: (db.begin_nested(), db.add(Order()), db.flush()),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_whatever_wrote_a_toast_joins(
    kit: Kit, db: scoped[Session], titles: Titles, write: Callable[[Any], object]
) -> None:
    write(db)
    kit.publish_toast("ada", "Never")
    while db().in_transaction():
        db.rollback()
    assert titles() == []


READS: dict[str, Callable[[Session], object]] = {
    "nothing": lambda db: None,
    "a session": lambda db: db.connection(),
    "a row": lambda db: db.get_one(Order, 1),
    "a result that is still open": lambda db: db.execute(select(Order)),
    "the same value again": lambda db: setattr(db.get_one(Order, 1), "state", "new"),
    "an empty flush": lambda db: (db.get_one(Order, 1), db.flush()),
    "a savepoint": lambda db: (db.begin_nested(), db.get_one(Order, 1)),
    "what was committed": lambda db: (db.add(Order()), db.commit(), db.get_one(Order, 1)),
    "what was rolled back": lambda db: (
        *(db.add(Order()), db.flush(), db.rollback()),
        db.get_one(Order, 1),
    ),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_a_session_that_only_read_swallows_nothing(
    kit: Kit, db: scoped[Session], titles: Titles, read: Callable[[Any], object]
) -> None:
    kept = read(db)
    with at_once():
        kit.publish_toast("ada", "Hello")
    assert titles() == ["Hello"]
    del kept
    db.remove()
    assert titles() == ["Hello"]


def test_looking_for_the_current_session_makes_none(kit: Kit, db: scoped[Session]) -> None:
    kit.publish_toast("ada", "Hello")
    assert not db.registry.has()


def test_a_savepoint_is_no_commit(kit: Kit, db: scoped[Session], titles: Titles) -> None:
    db.add(Order())
    with db.begin_nested():
        kit.publish_toast("ada", "One")
    kit.publish_toast("ada", "Two")
    assert titles() == []
    db.commit()
    assert titles() == ["One", "Two"]


def test_a_savepoint_that_is_rolled_back_takes_its_toasts_with_it(
    kit: Kit, db: scoped[Session], titles: Titles
) -> None:
    db.add(Order())
    kit.publish_toast("ada", "One")
    with db.begin_nested():
        kit.publish_toast("ada", "Two")
        inner = db.begin_nested()
        kit.publish_toast("ada", "Never")
        inner.rollback()
        kit.publish_toast("ada", "Three")
    db.commit()
    assert titles() == ["One", "Two", "Three"]


def test_a_savepoint_in_which_nothing_but_a_toast_was_written_takes_it_along(
    kit: Kit, db: scoped[Session], titles: Titles
) -> None:
    db.add(Order())
    db.flush()
    inner = db.begin_nested()
    kit.publish_toast("ada", "Never")
    inner.rollback()
    db.commit()
    assert titles() == []


def test_the_end_of_a_begin_block_is_a_commit(kit: Kit, engine: Engine, titles: Titles) -> None:
    with Session(engine) as session, session.begin():
        session.add(Order())
        kit.publish_toast("ada", "Hello", db=session)
    assert titles() == ["Hello"]
    with pytest.raises(ZeroDivisionError), Session(engine) as session, session.begin():
        kit.publish_toast("ada", str(kit.publish_toast("ada", "Never", db=session) and 1 / 0))
    assert titles() == ["Hello"]


def test_a_given_session_is_joined_whatever_it_did(
    kit: Kit, db: scoped[Session], titles: Titles
) -> None:
    assert kit.publish_toast("ada", "Never", db=db).status == "queued"
    db.rollback()
    assert kit.publish_toast("ada", "Hello", db=db()).status == "queued"
    assert titles() == []
    db.commit()
    assert titles() == ["Hello"]


def test_a_session_may_be_given_to_a_kit_that_has_no_host(url: str) -> None:
    upgrade(url)
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with Kit(Config(database_url=url)) as kit, Session(engine) as session:
        kit.publish_toast("ada", "Never", db=session)
        session.rollback()
        kit.publish_toast("ada", "At once")
        assert len(kit.toasts.list("ada").items) == 1
        kit.publish_toast("ada", "Again", db=session)
        session.commit()
        assert [each.title for each in kit.toasts.list("ada").items] == ["Again", "At once"]
    engine.dispose()


def test_two_sessions_know_their_own_toasts(
    kit: Kit, engine: Engine, titles: Titles, database: str
) -> None:
    if database != "postgresql":
        pytest.skip("one writes at a time")
    with Session(engine) as one, Session(engine) as two:
        kit.publish_toast("ada", "One", db=one)
        kit.publish_toast("ada", "Two", db=two)
        kit.publish_toast("ada", "Three", db=one)
        two.commit()
        assert titles() == ["Two"]
        one.rollback()
        kit.publish_toast("ada", "Four", db=one)
        one.commit()
    assert titles() == ["Two", "Four"]


def test_toasts_keep_their_order(kit: Kit, db: scoped[Session], titles: Titles) -> None:
    names = [f"{number:03}" for number in range(100)]
    db.add(Order())
    for name in names:
        kit.publish_toast("ada", name)
    db.commit()
    assert titles() == names


def test_many_users_are_told_by_one_commit(kit: Kit, db: scoped[Session], titles: Titles) -> None:
    db.add(Order())
    receipts = kit.publish_toasts([f"u{number}" for number in range(150)], "Hello")
    assert {receipt.status for receipt in receipts} == {"queued"}
    assert titles("u149") == []
    db.commit()
    assert [titles(f"u{number}") for number in (0, 75, 149)] == [["Hello"]] * 3


def test_A28_a_repeat_in_the_same_transaction_is_published_once(
    kit: Kit, db: scoped[Session], titles: Titles
) -> None:
    db.add(Order())
    kit.publish_toast("ada", "First", dedupe_key="order-7")
    kit.publish_toast("ada", "Second", dedupe_key="order-7")
    db.commit()
    assert titles() == ["First"]


def test_A28_a_repeat_of_what_was_published_before_is_none(
    kit: Kit, db: scoped[Session], titles: Titles
) -> None:
    kit.publish_toast("ada", "First", dedupe_key="order-7")
    db.add(Order())
    kit.publish_toast("ada", "Second", dedupe_key="order-7")
    db.commit()
    assert titles() == ["First"]


def test_a_key_of_a_rolled_back_toast_is_free(
    kit: Kit, db: scoped[Session], titles: Titles
) -> None:
    db.add(Order())
    kit.publish_toast("ada", "Never", dedupe_key="order-7")
    db.rollback()
    assert kit.publish_toast("ada", "Hello", dedupe_key="order-7").status == "queued"
    assert titles() == ["Hello"]


def test_what_is_told_is_what_was_given(kit: Kit, db: scoped[Session]) -> None:
    data = {"order": 7}
    db.add(Order())
    kit.publish_toast("ada", {"title": "Hello", "data": data})
    data["order"] = 8
    db.commit()
    assert kit.toasts.list("ada").items[0].data == {"order": 7}


def test_a_wrong_field_is_told_at_the_call_and_writes_nothing(
    kit: Kit, db: scoped[Session], titles: Titles
) -> None:
    db.add(Order(id=9))
    with pytest.raises(Invalid):
        kit.publish_toasts(["ada", "not:a:user"], "Hello")
    with pytest.raises(Invalid):
        kit.publish_toast("ada", {"title": ""})
    db.commit()
    assert titles() == []
    assert db.get(Order, 9) is not None


def test_db_none_goes_at_once_or_says_why_it_cannot(
    kit: Kit, db: scoped[Session], titles: Titles, database: str
) -> None:
    db.add(Order())
    db.flush()
    with at_once():
        if database == "postgresql":
            kit.publish_toast("ada", "Hello", db=None)
        else:
            with pytest.raises(CannotJoin, match="commit or roll it back first"):
                kit.publish_toast("ada", "Hello", db=None)
    db.rollback()
    kit.publish_toast("ada", "Second", db=None)
    assert titles()[-1] == "Second"


def test_db_none_does_not_mind_what_holds_no_lock(
    kit: Kit, db: scoped[Session], titles: Titles
) -> None:
    db.add(Order())
    kit.publish_toast("ada", "Hello", db=None)
    db.rollback()
    assert titles() == ["Hello"]


def test_another_session_is_not_waited_for_while_the_own_one_holds_the_lock(
    kit: Kit, db: scoped[Session], engine: Engine, database: str
) -> None:
    db.add(Order())
    db.flush()
    with Session(engine) as other, at_once():
        if database == "postgresql":
            kit.publish_toast("ada", "Hello", db=other)
        else:
            with pytest.raises(CannotJoin, match="write lock"):
                kit.publish_toast("ada", "Hello", db=other)


def test_a_lock_without_a_write_is_told_of(
    kit: Kit, db: scoped[Session], titles: Titles, database: str
) -> None:
    db.execute(text("UPDATE orders SET state = 'paid' WHERE id = -1"))
    with at_once():
        if "begun" in database:
            with pytest.raises(CannotJoin, match="db=session"):
                kit.publish_toast("ada", "Hello")
            kit.publish_toast("ada", "Hello", db=db)
        else:
            kit.publish_toast("ada", "Hello")
    db.commit()
    assert titles() == ["Hello"]


def test_a_transaction_that_has_failed_holds_up_no_toast(
    kit: Kit, db: scoped[Session], titles: Titles
) -> None:
    db.add(Order(id=1))
    with pytest.raises(IntegrityError):
        db.flush()
    with at_once():
        kit.publish_toast("ada", "It failed")
    db.rollback()
    assert titles() == ["It failed"]


def test_a_failed_statement_of_postgresql_holds_up_no_toast(
    kit: Kit, db: scoped[Session], titles: Titles, database: str
) -> None:
    if database != "postgresql":
        pytest.skip("elsewhere only the statement has failed")
    db.execute(insert(Order), [{"id": 2}])
    with pytest.raises(IntegrityError):
        db.connection().execute(insert(Order), [{"id": 2}])
    kit.publish_toast("ada", "It failed")
    db.rollback()
    assert titles() == ["It failed"]


def test_a_failed_savepoint_leaves_its_toast_to_the_transaction_around_it(
    kit: Kit, db: scoped[Session], titles: Titles
) -> None:
    db.add(Order())
    db.flush()
    with pytest.raises(IntegrityError), db.begin_nested():
        db.execute(insert(Order), [{"id": 1}])
    kit.publish_toast("ada", "Hello")
    assert titles() == []
    db.commit()
    assert titles() == ["Hello"]


HOOKS = ["before_flush", "after_flush", "after_flush_postexec", "before_commit"]


@pytest.mark.parametrize("hook", HOOKS)
def test_hooks_before_the_commit_join(
    kit: Kit, db: scoped[Session], titles: Titles, hook: str
) -> None:
    published: list[str] = []

    def publish(*_: object) -> None:
        if not published:
            published.append(kit.publish_toast("ada", "Hello").status)
            assert titles() == []

    event.listen(db, hook, publish)
    db.add(Order())
    with at_once():
        db.commit()
    assert (published, titles()) == (["queued"], ["Hello"])


@pytest.mark.parametrize("hook", ["after_commit", "after_transaction_end"])
def test_hooks_after_the_commit_publish_at_once(
    kit: Kit, db: scoped[Session], titles: Titles, hook: str
) -> None:
    def publish(*_: object) -> None:
        if not db().in_transaction() or hook == "after_commit":
            kit.publish_toast("ada", "Hello", dedupe_key="once")

    event.listen(db, hook, publish)
    db.add(Order())
    with at_once():
        db.commit()
    event.remove(db, hook, publish)
    assert titles() == ["Hello"]


def test_a_hook_that_takes_a_savepoint_for_the_commit_still_joins(
    kit: Kit, db: scoped[Session], titles: Titles, database: str
) -> None:
    if database == "sqlite":
        pytest.skip("without an explicit BEGIN the end of the first SAVEPOINT is the commit")

    def publish(*_: object) -> None:
        kit.publish_toast("ada", "Hello")

    event.listen(db, "after_commit", publish)
    with db.begin_nested(), at_once():
        db.add(Order())
    event.remove(db, "after_commit", publish)
    assert titles() == []
    db.rollback()
    assert titles() == []


def test_a_commit_succeeds_whatever_becomes_of_its_toasts(
    kit: Kit,
    db: scoped[Session],
    titles: Titles,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for error in (StorageUnavailable("disk full"), RuntimeError("broken")):

        def fail(*_: object, error: Exception = error) -> None:
            raise error

        with monkeypatch.context() as patch:
            patch.setattr(kit._storage.inbox, "relay", fail)
            db.add(Order())
            kit.publish_toast("ada", str(error))
            db.commit()
        assert "1 committed toasts wait" in caplog.text
        caplog.clear()
    assert titles() == []
    clock.advance(2)
    kit._publisher.relay()
    assert titles() == ["disk full", "broken"]


def test_toasts_are_told_when_the_session_has_let_go_of_its_connection(
    kit: Kit, db: scoped[Session], engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    out: list[tuple[int, bool]] = []
    relay = kit._storage.inbox.relay

    def look(*given: Any) -> Any:
        out.append((engine.pool.checkedout(), db().in_transaction()))  # type: ignore[attr-defined]
        return relay(*given)

    monkeypatch.setattr(kit._storage.inbox, "relay", look)
    db.add(Order())
    kit.publish_toast("ada", "Hello")
    db.commit()
    assert out == [(0, False)]


def test_ids_of_a_rollback_are_forgotten(
    kit: Kit, db: scoped[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(kit._storage.inbox, "relay", lambda ids, *_: asked.append(list(ids)))
    kit.publish_toast("ada", "Never", db=db)
    db.rollback()
    db.add(Order())
    db.commit()
    kept = kit.publish_toast("ada", "Hello", db=db).id
    db.commit()
    db.commit()
    assert asked == [[kept]]


def test_a_commit_inside_somebody_elses_transaction_is_none(
    kit: Kit, engine: Engine, titles: Titles, clock: ManualClock
) -> None:
    with engine.connect() as connection:
        outer = connection.begin()
        with Session(connection, join_transaction_mode="create_savepoint") as session, at_once():
            session.add(Order())
            kit.publish_toast("ada", "Hello", db=session)
            session.commit()
        assert titles() == []
        outer.commit()
    clock.advance(2)
    kit._publisher.relay()
    assert titles() == ["Hello"]


def test_every_thread_has_its_own_transaction(
    kit: Kit, db: scoped[Session], titles: Titles
) -> None:
    def work(number: int) -> None:
        for turn in range(10):
            db.add(Order())
            kit.publish_toast(f"u{number}", str(turn))
            if turn % 2:
                db.rollback()
            else:
                db.commit()
        db.remove()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [titles(f"u{number}") for number in range(4)] == [["0", "2", "4", "6", "8"]] * 4


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


def test_a_two_phase_transaction_is_refused(kit: Kit, engine: Engine) -> None:
    with Session(engine, twophase=True) as session, pytest.raises(CannotJoin, match="two-phase"):
        kit.publish_toast("ada", "Hello", db=session)


@pytest.mark.parametrize(
    ("given", "remedy"),
    [
        (AsyncSession(), "asyncio.to_thread"),
        (type("SQLAlchemy", (), {"session": None})(), r"db\.session"),
        ("yes", "'auto', None"),
    ],
)
def test_what_is_no_session_is_refused_with_the_remedy(kit: Kit, given: Any, remedy: str) -> None:
    with pytest.raises(CannotJoin, match=remedy):
        kit.publish_toast("ada", "Hello", db=given)


def test_a_host_says_which_session_is_the_callers() -> None:
    with pytest.raises(ConfigError, match="current="):
        Host(sessionmaker())
    assert Host(sessionmaker(), current=lambda: None).session() is None


def test_a_host_keeps_no_kit_alive(url: str, db: scoped[Session]) -> None:
    kit = Kit(Config(database_url=url), host=Host(db))
    known = weakref.ref(kit)
    del kit
    gc.collect()
    assert known() is None


CRASH = """
import os, sys
from sqlalchemy import create_engine
from sqlalchemy.orm import Session, scoped_session, sessionmaker
from tests.joining.conftest import Order
from toastkit import Config, Host, Kit
url = sys.argv[1]
db = scoped_session(sessionmaker(create_engine(url.replace("postgresql:", "postgresql+psycopg:"))))
kit = Kit(Config(database_url=url), host=Host(db))
kit._joining._relay = lambda ids: os.kill(os.getpid(), 9)
db.add(Order())
kit.publish_toast("ada", "Hello")
db.commit()
"""


def test_who_serves_publishes_what_a_crash_after_the_commit_left(
    url: str, db: scoped[Session]
) -> None:
    done = subprocess.run([sys.executable, "-c", CRASH, url], check=False, timeout=30)
    assert done.returncode == -9
    with Kit(Config(database_url=url, sweep_ms=50), host=Host(db)) as kit:
        assert kit.toasts.list("ada").items == []
        kit.node.serve()
        until = time.monotonic() + 10
        while time.monotonic() < until:
            found = [(each.title, each.state) for each in kit.toasts.list("ada").items]
            if found == [("Hello", "undelivered")]:
                break
            time.sleep(0.05)
        assert found == [("Hello", "undelivered")]
