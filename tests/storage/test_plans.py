"""What is asked often finds its rows by an index, and a look that finds nothing writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, event

from toastkit.clock import SystemClock
from toastkit.records import AnonymousDevice, PageQuery, Position, Since
from toastkit.runtime import Runtime
from toastkit.storage import (
    Storage,
    batches,
    claiming,
    deliveries,
    due,
    page,
    pruning,
    rebinding,
    recovering,
    upgrade,
)
from toastkit.storage.batches import Doomed
from toastkit.storage.due import Claim
from toastkit.storage.recovering import Wanted
from toastkit.storage.tables import principals, toasts

Plans = Callable[[Callable[[Connection], object]], str]


@pytest.fixture
def plans(file: Path) -> Iterator[Plans]:
    """Return how SQLite goes about the statements of a job."""
    url = f"sqlite:///{file}"
    upgrade(url)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(principals.insert(), {"user_id": "ada", "seq": 5, "epoch": "e"})
    asked: list[tuple[str, Any]] = []

    def listen(_connection: Any, _cursor: Any, text: str, values: Any, *_rest: Any) -> None:
        asked.append((text, values))

    def plans(job: Callable[[Connection], object]) -> str:
        with engine.begin() as connection:
            event.listen(connection, "before_cursor_execute", listen)
            job(connection)
            event.remove(connection, "before_cursor_execute", listen)
            explained = [
                connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values)
                for text, values in asked
            ]
            return "\n".join(row[3] for rows in explained for row in rows)

    yield plans
    engine.dispose()


@pytest.mark.parametrize("state", ["accepted", "written"])
def test_a_look_for_what_is_due_passes_nothing_else(plans: Plans, state: Any) -> None:
    plan = plans(lambda connection: due.due(connection, state, 5, 64))
    assert "INDEX toastkit_toasts_due (state=? AND due_at<?)" in plan
    assert "B-TREE" not in plan


def test_a_claim_finds_its_toasts_by_their_ids(plans: Plans) -> None:
    claim = Claim(("a", "b"), "accepted", now=5, until=6)
    plan = plans(lambda connection: due.claim(connection, [claim]))
    assert "SCAN" not in plan


@pytest.mark.parametrize("asked", [{}, {"unread": True}, {"topic": "news"}, {"cursor": "a"}])
def test_a_page_is_read_in_the_order_of_positions(plans: Plans, asked: Any) -> None:
    def read(connection: Connection) -> None:
        query = page._wanted(PageQuery(user_id="ada", **asked), 7 if "cursor" in asked else None, 5)
        connection.execute(query)

    plan = plans(read)
    assert "INDEX toastkit_toasts_position (user_id=?" in plan
    assert ("seq<?" in plan) == ("cursor" in asked)
    assert "B-TREE" not in plan


def test_what_was_missed_is_read_in_the_order_of_positions(plans: Plans) -> None:
    wanted = Wanted("ada", Since(position=Position(3, "e")), lambda topic: True, 200)
    plan = plans(lambda connection: recovering.missed(connection, wanted, 5))
    assert "INDEX toastkit_toasts_position (user_id=? AND seq>? AND seq<?)" in plan
    assert "SCAN" not in plan
    assert "B-TREE" not in plan


def test_old_toasts_are_found_by_the_times_in_their_ids(plans: Plans) -> None:
    old, *_ = pruning._old(5)
    plan = plans(lambda connection: batches._next(old, None, connection))
    assert "PRIMARY KEY (id<?)" in plan
    assert "B-TREE" not in plan


@pytest.mark.parametrize("table", ["tickets", "sessions"])
def test_what_expired_is_found_by_its_time(plans: Plans, table: str) -> None:
    [over] = (each for each in pruning._over(5) if each.table.name == f"toastkit_{table}")
    plan = plans(lambda connection: batches._next(over, None, connection))
    assert f"INDEX toastkit_{table}_expiry (expires_at<?)" in plan


def test_a_look_for_what_is_owed_passes_nothing_else(plans: Plans) -> None:
    plan = plans(lambda connection: deliveries.due(connection, "mail", 5, 8))
    assert "INDEX toastkit_deliveries_due (kind=? AND next_attempt_at<?)" in plan
    assert "B-TREE" not in plan


def test_what_is_owed_no_longer_is_found_by_its_time(plans: Plans) -> None:
    plan = plans(lambda connection: deliveries.over(connection, 5, 500))
    assert "INDEX toastkit_deliveries_expiry (expires_at<?)" in plan


def test_the_kinds_of_what_is_owed_are_found_one_by_one(plans: Plans) -> None:
    plan = plans(deliveries._kinds)
    assert "INDEX toastkit_deliveries_due" in plan


def test_a_delivery_is_changed_by_its_key(plans: Plans) -> None:
    claim = claiming.Claim({"a": "ada", "b": "ada"}, now=5, until=6)

    def change(connection: Connection) -> None:
        claiming.claim(connection, [claim])
        claiming.expire(connection, [claim])

    assert "SCAN" not in plans(change)


DOOMED = [*pruning._old(5), *pruning._over(5)]


@pytest.mark.parametrize("doomed", DOOMED, ids=lambda doomed: doomed.table.name)
def test_rows_are_deleted_by_their_keys(plans: Plans, doomed: Doomed) -> None:
    batch = batches._Batch(doomed, [("a", "b")[: len(list(doomed.table.primary_key))]])
    plan = plans(lambda connection: batches._carry_out(connection, [batch]))
    assert f"SCAN {doomed.table.name}" not in plan


def test_a_look_that_finds_nothing_writes_nothing(file: Path, runtime: Runtime) -> None:
    storage = Storage(f"sqlite:///{file}", runtime, SystemClock())
    assert storage.inbox.claim_due(64, 10_000) == []
    assert storage.inbox.claim_unacked(64, 10_000) == []
    assert storage.inbox.relay(None, 2000) == []
    assert storage.deliveries.claim({"mail": 8}, 10_000) == []
    assert storage.deliveries.expire(500) == 0
    assert storage.inbox._database._here().writer.commits == 0
    storage.close()


def test_a_rebind_finds_everything_by_an_index(plans: Plans) -> None:
    device = AnonymousDevice(device_hash="d", anon_uuid="uuid", created_at=1)
    task = rebinding.Task(device, "ada", 5, lambda _: [], ())

    def move(connection: Connection) -> None:
        rebinding.end_sessions(connection, task)
        for step in rebinding.STEPS.values():
            step(connection, task.handover)
        rebinding.note(connection, task)

    def with_toasts(connection: Connection) -> None:
        toast = {"id": "t", "user_id": "anon:uuid", "seq": 1, "topic": "t", "title": "t"}
        kept = {"style": "info", "priority": "normal", "created_at": 1, "state": "written"}
        connection.execute(toasts.insert(), {**toast, **kept, "fallback": True})
        move(connection)

    for job in (move, with_toasts):
        assert "SCAN toastkit_" not in plans(job)
