"""Only what has been written is joined, by whatever means it was; a lock is never waited for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.orm import scoped_session as scoped

from tests.joining.conftest import Order, Titles, at_once
from toastkit import CannotJoin, Config, Host, Kit

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


def test_what_commits_itself_is_not_waited_for(url: str, engine: Engine, database: str) -> None:
    if "begun" in database:
        pytest.skip("there every statement is in a transaction")
    itself = engine.execution_options(isolation_level="AUTOCOMMIT")
    db = scoped(sessionmaker(itself))
    with Kit(Config(database_url=url), host=Host(db)) as kit:
        db.execute(insert(Order), [{"state": "new"}])
        kit.publish_toast("ada", "Hello")
        db.remove()
        assert len(kit.toasts.list("ada").items) == 1


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
