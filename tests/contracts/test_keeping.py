"""How long things are kept, and all that is kept of one user; the same on every database."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import (
    Column,
    DateTime,
    Engine,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    Table,
    Text,
    Uuid,
    func,
    insert,
    inspect,
    select,
)

from toastkit import ids
from toastkit.errors import ConfigError, StorageUnavailable
from toastkit.records import Device, PageQuery, Session, Ticket
from toastkit.storage import Storage, owned, register_owned
from toastkit.storage.batches import BATCH
from toastkit.storage.tables import (
    anonymous,
    dedupe,
    deliveries,
    metadata,
    outbox,
    sessions,
    tickets,
    toasts,
)
from toastkit.testing import ManualClock

pytestmark = pytest.mark.plain

DAY_MS = 24 * 3600 * 1000
RETENTION_MS = 90 * DAY_MS
VISITOR = "0d9b1c9e-1c5f-4c39-9a41-5a3a1f6b7c11"

NO_USERS = {
    *("app_id", "id", "toast_id", "replaced_by", "epoch", "topic", "topics", "title", "body"),
    *("style", "priority", "deeplink", "data", "event", "payload", "key", "dedupe_key"),
    *("collapse_key", "state", "transport", "reason", "kind", "target", "last_answer", "device_id"),
    *("bundle_id", "push_token", "environment", "token_hash", "session_hash", "device_hash"),
    "secret_hash",
    "version_num",
}
"""Columns of text that name no user: whoever adds another must say which kind it is."""


@pytest.fixture
def prune(storage: Storage, clock: ManualClock) -> Callable[..., dict[str, int]]:
    return lambda: dict(storage.keeping.prune(clock.now(), RETENTION_MS))


@pytest.fixture
def toast(storage: Storage, event: Any, clock: ManualClock, mark: Any) -> Callable[..., str]:
    """Store a toast of the present time whose id says so, decided unless told otherwise."""

    def store(*states: str, user_id: str = "ada", **given: Any) -> str:
        fresh = replace(event(user_id, **given), id=ids.toast_id(clock.now()))
        storage.inbox.accept([fresh], due_ms=2000)
        mark(fresh.id, *(states or ("written",)), user_id=user_id)
        return fresh.id

    return store


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget afterwards what a test registers."""
    monkeypatch.setattr(owned, "_registered", dict(owned._registered))


@pytest.fixture
def orders(host: Engine, registered: None) -> Iterator[Table]:
    """Make two tables of a host's, the second of which refers to the first."""
    theirs = MetaData()
    orders = Table(
        "orders",
        theirs,
        Column("number", Integer, primary_key=True),
        Column("customer", Text),
        Column("made", DateTime),
        Column("price", Numeric),
        Column("secret", LargeBinary),
    )
    lines = Table(
        "lines",
        theirs,
        Column("place", Integer, primary_key=True),
        Column("number", Integer, ForeignKey("orders.number"), primary_key=True),
        Column("buyer", Text),
    )
    theirs.create_all(host)
    register_owned(orders, "customer", hidden=("secret",))
    register_owned(lines, "buyer", on_clash="keep")
    yield orders
    theirs.drop_all(host)


def count(host: Engine, table: Table) -> int:
    with host.connect() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def put(host: Engine, table: Table, *rows: dict[str, Any]) -> None:
    with host.begin() as connection:
        connection.execute(insert(table), list(rows))


# How long


def test_toasts_are_kept_for_the_retention(
    toast: Any, prune: Any, storage: Storage, clock: ManualClock
) -> None:
    old = toast()
    clock.advance(1)
    young = toast()
    clock.advance(90 * 24 * 3600 - 1)
    assert prune() == {}
    clock.advance(0.001)
    assert prune() == {"toastkit_toasts": 1}
    assert storage.inbox.facts(old) is None
    assert storage.inbox.facts(young) is not None


@pytest.mark.parametrize("states", [["undelivered"], ["expired"], ["written", "acked"]])
def test_whatever_was_decided_goes(
    toast: Any, prune: Any, clock: ManualClock, states: list[str]
) -> None:
    toast(*states)
    clock.advance(91 * 24 * 3600)
    assert prune() == {"toastkit_toasts": 1}


def test_what_is_undecided_is_never_deleted(
    toast: Any, prune: Any, change: Any, clock: ManualClock
) -> None:
    toast("owed")
    clock.advance(400 * 24 * 3600)
    assert prune() == {}
    change(state="accepted")
    assert prune() == {}


def test_a_retry_is_as_young_as_it_is_whatever_its_id_says(
    toast: Any, storage: Storage, event: Any, prune: Any, mark: Any, clock: ManualClock
) -> None:
    id = toast("undelivered", dedupe_key="k", expires_at=clock.now())
    clock.advance(299)
    [retry] = storage.inbox.accept([event(dedupe_key="k")], due_ms=2000)
    assert retry.id == id
    mark(id, "written")
    clock.advance(90 * 24 * 3600 - 298)
    assert prune() == {"toastkit_dedupe": 1}
    assert storage.inbox.facts(id) is not None


def test_a_claim_goes_when_its_window_is_over(
    toast: Any, prune: Any, host: Engine, clock: ManualClock
) -> None:
    toast(dedupe_key="delivered")
    toast("undelivered", dedupe_key="released")
    clock.advance(299.999)
    assert prune() == {}
    clock.advance(0.001)
    assert prune() == {"toastkit_dedupe": 2}
    assert count(host, dedupe) == 0


def test_tickets_and_sessions_go_a_day_after_they_expired(
    storage: Storage, prune: Any, clock: ManualClock
) -> None:
    storage.tickets.add(ticket(expires_at=clock.now()))
    storage.sessions.add(session(expires_at=clock.now()))
    clock.advance(24 * 3600 - 0.001)
    assert prune() == {}
    clock.advance(0.001)
    assert prune() == {"toastkit_tickets": 1, "toastkit_sessions": 1}
    assert storage.tickets.find("h") is None


def test_finished_deliveries_go_and_those_to_be_tried_again_stay(
    host: Engine, prune: Any, clock: ManualClock
) -> None:
    rows = [
        {"id": ids.toast_id(clock.now()), "next_attempt_at": again, **DELIVERY}
        for again in (None, 5)
    ]
    put(host, deliveries, *rows)
    clock.advance(90 * 24 * 3600)
    assert prune() == {}
    clock.advance(0.001)
    assert prune() == {"toastkit_deliveries": 1}
    assert count(host, deliveries) == 1


def test_what_waits_for_a_commit_or_a_device_is_never_deleted(
    publish: Any, event: Any, storage: Storage, prune: Any, host: Engine, clock: ManualClock
) -> None:
    publish(event())
    storage.devices.register(Device(user_id="ada", device_id="phone", bundle_id="app"), 20)
    clock.advance(4000 * 24 * 3600)
    assert prune() == {}
    assert count(host, outbox) == 1


def test_many_go_in_small_commits_and_others_have_their_turn(
    host: Engine, storage: Storage, clock: ManualClock
) -> None:
    rows = [
        {"user_id": f"u{number % 7}", "key": f"{number:04}", "toast_id": "t", "until": until}
        for number, until in enumerate([1, 10**15, -1] * 500)
    ]
    put(host, dedupe, *rows)
    steps = storage.keeping.prune(clock.now(), RETENTION_MS)
    assert next(steps) == ("toastkit_dedupe", BATCH)
    assert storage.inbox.page(PageQuery(user_id="u1")).items == []
    assert list(steps) == [("toastkit_dedupe", 1000)]
    assert count(host, dedupe) == 500


def test_a_claim_made_anew_while_others_are_deleted_stays(
    toast: Any, storage: Storage, host: Engine, clock: ManualClock, monkeypatch: Any
) -> None:
    toast(dedupe_key="k")
    clock.advance(300)
    wait = storage.keeping._database.write

    def late(work: Any, given: Any, *rest: Any, **named: Any) -> Any:
        monkeypatch.undo()
        toast(dedupe_key="k")  # after it was found, before it is deleted
        return wait(work, given, *rest, **named)

    monkeypatch.setattr(storage.keeping._database, "write", late)
    assert dict(storage.keeping.prune(clock.now(), RETENTION_MS)) == {"toastkit_dedupe": 0}
    assert count(host, dedupe) == 1


# One user's


def ticket(user_id: str = "ada", **given: Any) -> Ticket:
    names = {"token_hash": "h", "device_id": "phone", "topics": ("news",), "session_hash": "s"}
    return Ticket(user_id=user_id, **{**names, "expires_at": 5, **given})


def session(user_id: str = "ada", **given: Any) -> Session:
    names = {"token_hash": "h", "kind": "user", "created_at": 1, "expires_at": 5}
    return Session(user_id=user_id, **{**names, **given})


DELIVERY = {
    "kind": "apns",
    "target": "t",
    "user_id": "ada",
    "payload": "{}",
    "state": "sent",
    "attempts": 1,
}
ADAS = {
    "toastkit_anonymous": 1,
    "toastkit_dedupe": 1,
    "toastkit_deliveries": 1,
    "toastkit_devices": 1,
    "toastkit_outbox": 1,
    "toastkit_principals": 1,
    "toastkit_sessions": 1,
    "toastkit_tickets": 1,
    "toastkit_toasts": 2,
}


@pytest.fixture
def everything(storage: Storage, event: Any, toast: Any, publish: Any, host: Engine) -> None:
    """Keep something of ada in every table, and the same of bob."""
    for user_id in ("ada", "bob"):
        toast(user_id=user_id, dedupe_key="k")
        storage.inbox.accept([event(user_id)], due_ms=2000)
        publish(event(user_id))
        device = Device(user_id=user_id, device_id=user_id, bundle_id="app", push_token=user_id)
        storage.devices.register(device, 20)
        storage.tickets.add(ticket(user_id, token_hash=f"{user_id}h"))
        storage.sessions.add(session(user_id, token_hash=f"{user_id}h"))
        visit = {"device_hash": user_id, "anon_uuid": user_id, "created_at": 1}
        put(host, anonymous, {**visit, "rebound_to": user_id})
        put(host, deliveries, {**DELIVERY, "id": user_id, "user_id": user_id})


def test_a_user_is_forgotten_everywhere_and_nobody_else(
    everything: None, storage: Storage, host: Engine
) -> None:
    assert storage.keeping.forget("ada") == ADAS
    assert storage.keeping.forget("ada") == dict.fromkeys(ADAS, 0)
    left = {table.name: count(host, table) for table in metadata.tables.values()}
    assert left == ADAS


def test_whoever_comes_back_is_a_stranger(
    everything: None, storage: Storage, event: Any, host: Engine
) -> None:
    before = storage.inbox.accept([event()], due_ms=2000)[0]
    storage.keeping.forget("ada")
    after = storage.inbox.accept([event(dedupe_key="k")], due_ms=2000)[0]
    assert (after.seq, after.duplicate) == (1, False)
    assert after.epoch != before.epoch


def test_a_toast_published_meanwhile_does_not_outlive_its_numbering(
    everything: None, storage: Storage, event: Any, host: Engine, monkeypatch: Any
) -> None:
    wait = storage.keeping._database.write

    def late(work: Any, given: Any, *rest: Any, **named: Any) -> Any:
        storage.inbox.accept([event()], due_ms=2000)  # between any two steps
        return wait(work, given, *rest, **named)

    monkeypatch.setattr(storage.keeping._database, "write", late, raising=True)
    accept = storage.inbox._database
    monkeypatch.setattr(storage.inbox, "_database", _Written(accept, wait))
    storage.keeping.forget("ada")
    assert storage.inbox.page(PageQuery(user_id="ada")).items == []
    assert storage.inbox.accept([event()], due_ms=2000)[0].seq == 1


class _Written:
    """A database whose writes go the plain way."""

    def __init__(self, database: Any, write: Any) -> None:
        self.write, self.read = write, database.read


def test_a_visitor_is_forgotten_by_the_id_they_had(storage: Storage, host: Engine) -> None:
    put(host, anonymous, {"device_hash": "d", "anon_uuid": VISITOR, "created_at": 1})
    assert storage.keeping.forget(VISITOR)["toastkit_anonymous"] == 0
    assert storage.keeping.forget(f"anon:{VISITOR}")["toastkit_anonymous"] == 1


def test_what_is_a_lot_is_exported_and_forgotten_in_parts(
    storage: Storage, event: Any, toast: Any, host: Engine
) -> None:
    events = [event("ada") for _ in range(BATCH)]
    storage.inbox.accept(events, due_ms=2000)
    toast(user_id="bob")
    whole = [len(rows) for table, rows in storage.keeping.export_parts("ada") if rows]
    assert sorted(whole) == [1, BATCH]
    toast(user_id="ada", title="One more")
    parts = [rows for name, rows in storage.keeping.export_parts("ada") if name == toasts.name]
    assert [len(rows) for rows in parts] == [BATCH, 1]
    assert len({row["id"] for rows in parts for row in rows}) == BATCH + 1
    told: list[tuple[str, int]] = []
    storage.keeping.forget("ada", lambda table, rows: told.append((table, rows)))
    assert told[:2] == [(toasts.name, BATCH), (toasts.name, BATCH + 1)]
    assert count(host, toasts) == 1


def test_what_a_visitor_wrote_after_becoming_a_user_is_the_users_to_forget_and_to_export(
    everything: None, storage: Storage, toast: Any, orders: Table, host: Engine
) -> None:
    who = {"anon_uuid": VISITOR, "created_at": 1}
    put(host, anonymous, {"device_hash": "d", **who, "rebound_to": "ada"})
    toast(user_id=f"anon:{VISITOR}", title="Later")
    put(host, orders, {"number": 1, "customer": f"anon:{VISITOR}"})
    found = storage.keeping.export("ada")
    assert "Later" in [row["title"] for row in found["toastkit_toasts"]]
    assert len(found["orders"]) == 1
    counts = storage.keeping.forget("ada")
    assert (counts["toastkit_toasts"], counts["toastkit_principals"], counts["orders"]) == (3, 2, 1)
    assert storage.keeping.forget(f"anon:{VISITOR}")["toastkit_toasts"] == 0
    assert count(host, toasts) == 2


def test_a_forgetting_that_was_broken_off_still_finds_the_visitors(
    storage: Storage, toast: Any, host: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(
        host,
        anonymous,
        {"device_hash": "d", "anon_uuid": VISITOR, "created_at": 1, "rebound_to": "ada"},
    )
    toast(user_id=f"anon:{VISITOR}")
    write = storage.keeping._database.write
    for allowed in range(9):
        steps = iter(range(allowed))

        def some(*given: Any, steps: Iterator[int] = steps, **named: Any) -> Any:
            if next(steps, None) is None:
                raise StorageUnavailable("broken off")
            return write(*given, **named)

        monkeypatch.setattr(storage.keeping._database, "write", some)
        try:
            storage.keeping.forget("ada")
        except StorageUnavailable:
            monkeypatch.undo()
        else:
            break
    assert [
        count(host, table) for table in (anonymous, toasts, metadata.tables["toastkit_principals"])
    ] == [0, 0, 0]


def test_an_export_shows_every_row_and_no_hash_of_a_token(
    everything: None, storage: Storage
) -> None:
    found = storage.keeping.export("ada")
    assert {name: len(rows) for name, rows in found.items()} == ADAS
    assert {row["seq"] for row in found["toastkit_toasts"]} == {1, 2}
    assert found["toastkit_devices"][0]["push_token"] == "ada"
    hidden = {name for rows in found.values() for row in rows for name in row if "hash" in name}
    assert hidden == set()
    assert json.loads(json.dumps(found)) == found
    assert "bob" not in json.dumps(found)


# Hosts' tables


def test_a_hosts_rows_are_forgotten_too_those_that_refer_to_others_first(
    storage: Storage, orders: Table, host: Engine
) -> None:
    put(host, orders, *({"number": number, "customer": "ada"} for number in range(3)))
    put(host, orders, {"number": 3, "customer": "bob"})
    lines = orders.metadata.tables["lines"]
    put(host, lines, *({"place": 1, "number": number, "buyer": "ada"} for number in range(3)))
    counts = storage.keeping.forget("ada")
    assert (counts["orders"], counts["lines"]) == (3, 3)
    assert count(host, orders) == 1


def test_a_hosts_rows_are_exported_as_json_carries_them(
    storage: Storage, orders: Table, host: Engine
) -> None:
    made, price = datetime(2026, 5, 5, 8, 45, tzinfo=UTC).replace(tzinfo=None), Decimal("1.5")
    order = {"number": 1, "customer": "ada", "made": made, "price": price, "secret": b"x"}
    put(host, orders, order)
    [row] = storage.keeping.export("ada")["orders"]
    assert float(row.pop("price")) == 1.5
    assert row == {"number": 1, "customer": "ada", "made": "2026-05-05T08:45:00"}


def test_a_registered_table_elsewhere_is_named_before_anything_is_deleted(
    everything: None, storage: Storage, registered: None, host: Engine
) -> None:
    register_owned(Table("elsewhere", MetaData(), Column("user_id", Text)))
    for job in (storage.keeping.forget, storage.keeping.export):
        with pytest.raises(ConfigError, match="elsewhere is not in toastkit's database"):
            job("ada")
    assert count(host, toasts) == 4


def test_a_host_may_spell_user_ids_as_numbers_or_uuids(
    storage: Storage, registered: None, host: Engine
) -> None:
    theirs = MetaData()
    member = Table("member", theirs, Column("id", Integer, primary_key=True), Column("name", Text))
    guest = Table("guest", theirs, Column("id", Uuid, primary_key=True))
    theirs.create_all(host)
    register_owned(member, "id")
    register_owned(guest, "id")
    put(host, member, {"id": 7}, {"id": 8})
    put(host, guest, {"id": uuid.UUID(VISITOR)})
    for other in ("07", "ada", "7.0"):
        assert "member" not in storage.keeping.forget(other)
    assert storage.keeping.forget("7")["member"] == 1
    assert storage.keeping.forget(VISITOR)["guest"] == 1
    assert storage.keeping.export("8")["member"] == [{"id": 8, "name": None}]
    theirs.drop_all(host)


def test_a_table_without_a_key_and_one_with_two_users_are_forgotten(
    storage: Storage, registered: None, host: Engine
) -> None:
    theirs = MetaData()
    mail = Table("mail", theirs, Column("sender", Text), Column("receiver", Text))
    theirs.create_all(host)
    register_owned(mail, "sender")
    register_owned(mail, "receiver")
    pairs = [("ada", "bob"), ("bob", "ada"), ("ada", "ada"), ("bob", "bob")]
    put(host, mail, *({"sender": sender, "receiver": receiver} for sender, receiver in pairs))
    assert len(storage.keeping.export("ada")["mail"]) == 3
    assert storage.keeping.forget("ada")["mail"] == 3
    assert count(host, mail) == 1
    theirs.drop_all(host)


def test_a_row_that_a_host_still_works_on_holds_up_nobody(
    storage: Storage, orders: Table, host: Engine, event: Any
) -> None:
    put(host, orders, {"number": 1, "customer": "ada"})
    with host.begin() as connection:
        if host.dialect.name == "postgresql":  # SQLite knows no rows that are held
            connection.execute(orders.update().values(price=2))
            with pytest.raises(StorageUnavailable, match="rows of orders are held"):
                storage.keeping.forget("ada")
    assert storage.keeping.forget("ada")["orders"] == 1


# Every table


def test_every_column_that_names_a_user_is_registered(host: Engine) -> None:
    known = {(each.name, each.column.name) for each in owned.owned()}
    inspector = inspect(host)
    unknown = [
        f"{table}.{column['name']}"
        for table in inspector.get_table_names()
        for column in inspector.get_columns(table)
        if isinstance(column["type"], Text) or column["type"].python_type is str
        if column["name"] not in NO_USERS and (table, column["name"]) not in known
    ]
    assert not unknown, f"register these in storage/owned.py, or say what they hold: {unknown}"
    assert {name for name, _ in known} == set(metadata.tables)
    assert sessions.name in inspector.get_table_names()
    assert tickets.name in inspector.get_table_names()
