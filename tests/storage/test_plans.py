"""What is asked often finds its rows by an index, and a look that finds nothing writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection, create_engine

from tests.fakes import toast
from toastkit.clock import SystemClock
from toastkit.deliveries import Carried, Delivery, Due, Outcome, Owing, Refusal, Sent
from toastkit.records import AnonymousDevice, Device, PageQuery, Position, Since, StateChange
from toastkit.runtime import Runtime
from toastkit.storage import (
    Storage,
    batches,
    claiming,
    deliveries,
    due,
    forgetting,
    learning,
    marking,
    outbox,
    page,
    pruning,
    rebinding,
    recovering,
    settling,
    tables,
    upgrade,
)
from toastkit.storage import devices as repository
from toastkit.storage import owing as owed_by
from toastkit.storage.accepting import Accepting, Row
from toastkit.storage.batches import Doomed
from toastkit.storage.due import Claim
from toastkit.storage.recovering import Wanted
from toastkit.storage.settling import Settlement
from toastkit.storage.tables import devices, principals, toasts

Plans = Callable[[Callable[[Connection], object]], str]


@pytest.fixture
def plans(file: Path) -> Iterator[Plans]:
    """Return how SQLite goes about the statements of a job."""
    url = f"sqlite:///{file}"
    upgrade(url)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(principals.insert(), {"user_id": "ada", "seq": 5, "epoch": "e"})

    def plans(job: Callable[[Connection], object]) -> str:
        asked: list[str] = []
        with engine.begin() as connection:
            # From the driver, which hot statements are given without SQLAlchemy.
            driver: Any = connection.connection.driver_connection
            driver.set_trace_callback(asked.append)
            job(connection)
            driver.set_trace_callback(None)
            explained = [
                connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}")
                for text in asked
                if text.lstrip().startswith(("SELECT", "INSERT", "UPDATE", "DELETE"))
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


def test_dedupe_keys_whose_window_is_over_are_found_by_its_end(plans: Plans) -> None:
    [over] = (each for each in pruning._over(5) if each.table.name == "toastkit_dedupe")
    for after in (None, (1, "ada", "k")):
        plan = plans(lambda connection, after=after: batches._next(over, after, connection))
        assert "COVERING INDEX toastkit_dedupe_until (until>" in plan
        assert "B-TREE" not in plan


def test_who_became_a_user_is_found_by_an_index(plans: Plans) -> None:
    plan = plans(lambda connection: forgetting.anonymous_of("ada", connection))
    assert "INDEX toastkit_anonymous_rebound (rebound_to=?)" in plan


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
    assert "B-TREE" not in plan


def test_the_kinds_of_what_is_owed_are_found_one_by_one(plans: Plans) -> None:
    plan = plans(deliveries._kinds)
    assert "INDEX toastkit_deliveries_due" in plan


def test_a_delivery_is_changed_by_its_key(plans: Plans) -> None:
    claim = claiming.Claim({"a": "ada", "b": "ada"}, now=5, until=6)

    def change(connection: Connection) -> None:
        claiming.claim(connection, [claim])
        claiming.expire(connection, [claim])

    assert "SCAN" not in plans(change)


def test_what_became_of_a_push_is_written_by_keys(plans: Plans) -> None:
    delivery = Delivery(
        id="d", kind="apns", target="phone", payload={}, created_at=1, expires_at=9, device=PHONE
    )

    def settled(outcome: Outcome, state: Any) -> Settlement:
        carried = Carried(delivery=delivery, outcome=outcome, state=state, answer="")
        return Settlement(carried, 5)

    def settle(connection: Connection) -> None:
        store_owed(connection)
        settling.settle(connection, [settled(Refusal("", suspect=True), "failed")])
        settling.settle(connection, [settled(Sent(), "sent")])

    assert_no_scan(plans(settle))


def test_what_is_to_be_owed_is_found_by_keys(plans: Plans) -> None:
    due = Due(kind="apns", at=5, expires_at=9)
    owing = Owing(toast_id="t", user_id="ada", seq=1, at=5, payload={}, dues=(due,))

    def owe(connection: Connection) -> None:
        connection.execute(devices.insert(), msgspec.structs.asdict(PHONE))
        connection.execute(toasts.insert(), TOAST)
        [[owed]] = owed_by.owe(connection, [[owing]])
        assert owed is not None
        owed_by.owe(connection, [[owing]])

    assert_no_scan(plans(owe))


def test_whether_a_push_is_still_wanted_is_found_by_keys(plans: Plans) -> None:
    claim = claiming.Claim({"d": "ada"}, now=5, until=6)

    def take(connection: Connection) -> None:
        store_owed(connection)
        assert claiming.claim(connection, [claim]) == [[]]  # there is no device

    assert_no_scan(plans(take))


def test_whether_a_newer_one_is_owed_too_is_found_by_keys(plans: Plans) -> None:
    claim = claiming.Claim({"d": "ada"}, now=5, until=6)

    def take(connection: Connection) -> None:
        connection.execute(devices.insert(), msgspec.structs.asdict(PHONE))
        store_owed(connection)
        one = toasts.update().where(toasts.c.id == "t")
        connection.execute(one.values(collapse_key="k"))
        [[taken]] = claiming.claim(connection, [claim])
        assert taken.id == "d"

    plan = plans(take)
    assert "INDEX toastkit_toasts_collapse (user_id=? AND collapse_key=? AND seq>?)" in plan
    assert "INDEX toastkit_deliveries_toast (toast_id=?)" in plan
    assert_no_scan(plan)


def test_what_waits_in_the_outbox_is_taken_by_its_ids(plans: Plans) -> None:
    accepting = Accepting(SystemClock())
    rows = [Row(toast("ada", id=f"toast{number}"), 0) for number in range(64)]
    waiting = [outbox.Waiting("ada", row) for row in rows]
    plan = plans(lambda connection: outbox.relay(connection, accepting, [waiting]))
    assert "SEARCH toastkit_outbox USING INDEX toastkit_outbox_id (id=?)" in plan
    assert "SCAN toastkit_" not in plan


@pytest.mark.parametrize("state", ["acked", "sent", "owed"])
def test_a_state_is_changed_by_keys(plans: Plans, state: Any) -> None:
    change = StateChange("t", "ada", state, 5)

    def mark(connection: Connection) -> None:
        store_owed(connection)
        marking.mark(connection, [[change]])

    assert_no_scan(plans(mark))


def test_whose_other_tokens_are_taken_is_found_by_an_index(plans: Plans) -> None:
    plan = plans(lambda connection: connection.execute(learning._forget_suspect(PHONE)))
    assert "INDEX toastkit_devices_taken (bundle_id=? AND environment=? AND taken_at>?)" in plan
    assert_no_scan(plan)


def test_the_devices_of_a_user_are_found_by_their_key(plans: Plans) -> None:
    def register(connection: Connection) -> None:
        repository._register(connection, [(PHONE, 1)])
        repository._remove(connection, [("ada", "phone")])

    assert_no_scan(plans(register))


PHONE = Device(user_id="ada", device_id="phone", bundle_id="app", push_token="token")
TOAST = {
    "id": "t",
    "user_id": "ada",
    "seq": 1,
    "topic": "t",
    "title": "t",
    "style": "info",
    "priority": "normal",
    "created_at": 1,
    "state": "accepted",
    "fallback": True,
}
OWED = {
    "id": "d",
    "kind": "apns",
    "target": "phone",
    "toast_id": "t",
    "user_id": "ada",
    "seq": 1,
    "payload": "{}",
    "state": "waiting",
    "attempts": 0,
    "next_attempt_at": 1,
    "expires_at": 9,
}


def store_owed(connection: Connection) -> None:
    """Keep a toast that a push is owed for."""
    connection.execute(toasts.insert(), {**TOAST, "state": "owed"})
    connection.execute(tables.deliveries.insert(), OWED)


def assert_no_scan(plan: str) -> None:
    lines = [line for line in plan.splitlines() if line.startswith("SCAN")]
    assert all("VIRTUAL TABLE" in line or "CONSTANT ROW" in line for line in lines), lines


DOOMED = [*pruning._old(5), *pruning._over(5)]


@pytest.mark.parametrize("doomed", DOOMED, ids=lambda doomed: doomed.table.name)
def test_rows_are_deleted_by_their_keys(plans: Plans, doomed: Doomed) -> None:
    columns = len(list(doomed.table.primary_key))
    keys = [(f"a{number}", f"b{number}")[:columns] for number in range(batches.BATCH)]
    batch = batches._Batch(doomed, keys)
    plan = plans(lambda connection: batches._carry_out(connection, [batch]))
    assert f"SCAN {doomed.table.name}" not in plan
    assert f"SEARCH {doomed.table.name} USING" in plan
    # By the key alone: a range of what is old would be gone through in the writer's turn.
    assert "INDEX toastkit_" not in plan


def test_a_look_that_finds_nothing_writes_nothing(file: Path, runtime: Runtime) -> None:
    storage = Storage(f"sqlite:///{file}", runtime, SystemClock())
    assert storage.inbox.claim_due(64, 10_000) == []
    assert storage.inbox.claim_unacked(64, 10_000) == []
    assert storage.inbox.relay(None, 2000) == []
    assert storage.deliveries.claim({"mail": 8}, 10_000) == []
    assert storage.deliveries.expire(500) == []
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
