"""A toast published in a host's transaction is told after its commit, or never was."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session
from sqlalchemy.orm import scoped_session as scoped

from tests.fakes import Client, FakeFraming, FakeTransport
from tests.joining.conftest import Order, Titles, at_once
from toastkit import CannotJoin, Config, Host, Invalid, Kit, StorageUnavailable
from toastkit.dialects import ToastsDialect
from toastkit.records import Ticket
from toastkit.storage import upgrade
from toastkit.testing import ManualClock


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


def test_a_page_is_told_by_the_commit_in_the_order_of_the_calls(
    kit: Kit, db: scoped[Session]
) -> None:
    page = connect(kit)
    db.add(Order())
    for title in ("One", "Two"):
        kit.publish_toast("ada", title)
    kit.publish_toast("grace", "Not ada's")
    db.rollback()
    db.add(Order())
    for title in ("Three", "Four"):
        kit.publish_toast("ada", title)
    kit.node.runtime.ask(lambda: None)
    assert page.said() == []
    db.commit()
    kit.publish_toast("ada", "Five")
    said = [(frame["toast"]["title"], frame["seq"]) for frame in page.said()]
    assert said == [("Three", 1), ("Four", 2), ("Five", 3)]


def connect(kit: Kit) -> Client:
    """Connect a client of ada's; it has read its greeting."""
    ticket = Ticket(
        token_hash="h",
        user_id="ada",
        device_id="d",
        topics=("user:ada",),
        session_hash=None,
        expires_at=10**15,
    )
    connection = kit.node.admit(ticket, ToastsDialect(FakeFraming()))
    client = Client(connection, FakeTransport(connection))
    client.transport.finish = client.transport.give_back  # type: ignore[method-assign]
    kit.node.runtime.ask(lambda: connection.open(client.transport))
    client.news()
    return client


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


def test_each_of_many_is_decided_without_the_sweeper(url: str, db: scoped[Session]) -> None:
    config = Config(database_url=url, sweep_ms=3_600_000)
    with Kit(config, host=Host(db)) as kit:
        kit.node.serve()
        db.add(Order())
        kit.publish_toasts([f"u{number}" for number in range(150)], "Hello")
        db.commit()
        until = time.monotonic() + 10
        states: set[str] = set()
        while states != {"undelivered"} and time.monotonic() < until:
            time.sleep(0.05)
            found = [kit.toasts.list(f"u{number}").items for number in (0, 75, 149)]
            states = {toast.state for (toast,) in found}
        assert states == {"undelivered"}


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
            patch.setattr(kit._ground.storage.inbox, "relay", fail)
            db.add(Order())
            kit.publish_toast("ada", str(error))
            db.commit()
        assert "1 committed toasts wait" in caplog.text
        told = caplog.records[-1].exc_info
        assert bool(told) is isinstance(error, RuntimeError), "a locked database is no bug"
        caplog.clear()
    assert titles() == []
    clock.advance(2)
    kit._publisher.relay()
    assert titles() == ["disk full", "broken"]


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


CRASH = """
import os, sys
from sqlalchemy import create_engine
from sqlalchemy.orm import Session, scoped_session, sessionmaker
from tests.joining.conftest import Order
from toastkit import Config, Host, Kit
url = sys.argv[1]
db = scoped_session(sessionmaker(create_engine(url.replace("postgresql:", "postgresql+psycopg:"))))
kit = Kit(Config(database_url=url), host=Host(db))
kit._publisher.relay = lambda ids: os.kill(os.getpid(), 9)
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
