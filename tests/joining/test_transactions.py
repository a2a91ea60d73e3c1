"""Toasts are told after the outermost commit, and a rollback forgets them."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session
from sqlalchemy.orm import scoped_session as scoped

from tests.joining.conftest import Order, Titles, at_once
from toastkit import Kit
from toastkit.testing import ManualClock


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


def test_toasts_are_told_when_the_session_has_let_go_of_its_connection(
    kit: Kit, db: scoped[Session], engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    out: list[tuple[int, bool]] = []
    relay = kit._ground.storage.inbox.relay

    def look(*given: Any) -> Any:
        out.append((engine.pool.checkedout(), db().in_transaction()))  # type: ignore[attr-defined]
        return relay(*given)

    monkeypatch.setattr(kit._ground.storage.inbox, "relay", look)
    db.add(Order())
    kit.publish_toast("ada", "Hello")
    db.commit()
    assert out == [(0, False)]


def test_ids_of_a_rollback_are_forgotten(
    kit: Kit, db: scoped[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(kit._ground.storage.inbox, "relay", lambda ids, *_: asked.append(list(ids)))
    kit.publish_toast("ada", "Never", db=db)
    with db.begin_nested():
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
