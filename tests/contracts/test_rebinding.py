"""An anonymous principal's rows become a user's, all or none; the same on every database."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine, inspect, select, update

from tests.storage.conftest import only_postgres
from toastkit import ids
from toastkit.clock import SystemClock
from toastkit.deliveries import Delivery, Sent
from toastkit.errors import StorageUnavailable
from toastkit.events import Event
from toastkit.records import (
    AnonymousDevice,
    Device,
    Move,
    PageQuery,
    Rebound,
    Session,
    Since,
    StateChange,
    Ticket,
)
from toastkit.runtime import runtime_for
from toastkit.storage import Storage, postgres, rebinding
from toastkit.storage.outbox import add as add_to_outbox
from toastkit.storage.owing import add
from toastkit.storage.tables import anonymous, deliveries, metadata, outbox, sessions, toasts
from toastkit.testing import ManualClock

pytestmark = pytest.mark.plain

UUID = "0d9b1c9e-1c5f-4c39-9a41-5a3a1f6b7c11"
ANON = f"anon:{UUID}"
DEVICE = AnonymousDevice(device_hash="d", anon_uuid=UUID, created_at=1)
Rebind = Callable[..., Move | None]


def nothing_owed(_rows: int) -> list[Delivery]:
    return []


@pytest.fixture
def rebind(storage: Storage, clock: ManualClock) -> Rebind:
    """Make the visitor's rows a user's, by default ada's."""

    def rebind(user_id: str = "ada", owe: Any = nothing_owed) -> Move | None:
        storage.anonymous.claim(DEVICE)
        device = storage.anonymous.find("d")
        assert device is not None
        return storage.anonymous.rebind(device, user_id, clock.now(), owe)

    return rebind


@pytest.fixture
def store(storage: Storage, event: Any, clock: ManualClock, mark: Any) -> Callable[..., str]:
    """Store a toast, by default the visitor's, in one state after the other."""

    def store(*states: str, user_id: str = ANON, **given: Any) -> str:
        fresh: Event = replace(event(user_id, **given), id=ids.toast_id(clock.now()))
        storage.inbox.accept([fresh], due_ms=2000)
        if states:
            mark(fresh.id, *states, user_id=user_id)
        clock.advance(0.001)
        return fresh.id

    return store


@pytest.fixture
def listed(storage: Storage) -> Callable[..., list[Any]]:
    """Return a user's list, the newest first."""
    return lambda user_id="ada": storage.inbox.page(PageQuery(user_id=user_id)).items


@pytest.fixture
def replayed(storage: Storage, clock: ManualClock) -> Callable[..., list[str]]:
    """Return what a user's client is shown that was away since the beginning."""

    def replayed(user_id: str = "ada") -> list[str]:
        place = replace(storage.inbox.missed(user_id, ALL, bool, 0).position, seq=0)
        missed = storage.inbox.missed(user_id, Since(position=place), lambda _: True, 200)
        assert missed.reason is None
        return [toast.id for toast in missed.toasts]

    return replayed


ALL = Since(toast_id="nothing")


def dump(host: Engine) -> dict[str, list[str]]:
    """Return everything there is."""
    with host.connect() as connection:
        return {
            name: sorted(map(str, connection.exec_driver_sql(f"SELECT * FROM {name}")))
            for name in inspect(connection).get_table_names()
        }


def everything_of(user_id: str, storage: Storage, event: Any, publish: Any, host: Engine) -> None:
    """Keep something of a user in every table."""
    own = f"user:{user_id}"
    fresh = [event(user_id, topic=topic, dedupe_key=topic) for topic in (own, f"{own}:x", "news")]
    storage.inbox.accept(fresh, due_ms=2000)
    publish(event(user_id, topic=f"{own}:late"))
    payload = {"toast": {"topic": f"{own}:x", "n": [own, 1]}}
    owed = Delivery(
        id=user_id,
        payload=payload,
        created_at=1,
        expires_at=5,
        user_id=user_id,
        kind="apns",
        target="t",
    )
    with host.begin() as connection:
        add(connection, [owed])
    phone = Device(user_id=user_id, device_id=user_id, bundle_id="app", push_token=user_id)
    storage.devices.register(phone, 20)
    session = Session(
        token_hash=f"s {user_id}", user_id=user_id, kind="user", created_at=1, expires_at=10**15
    )
    storage.sessions.add(session)
    ticket = Ticket(
        token_hash=f"t {user_id}",
        user_id=user_id,
        device_id="d",
        topics=(own,),
        session_hash=None,
        expires_at=10**15,
    )
    storage.tickets.add(ticket)


# The device


def test_B7_the_same_device_has_the_same_principal(storage: Storage) -> None:
    first = storage.anonymous.claim(DEVICE)
    again = storage.anonymous.claim(replace(DEVICE, anon_uuid="another", created_at=9))
    assert first == again == DEVICE == storage.anonymous.find("d")
    assert storage.anonymous.find("nobody's") is None


def test_B7_two_processes_that_meet_a_device_first_give_it_one_principal(both: Any) -> None:
    def claim(storage: Storage) -> list[str]:
        fresh = [
            AnonymousDevice(device_hash=f"d{n}", anon_uuid=ids.connection_id(), created_at=1)
            for n in range(25)
        ]
        return [storage.anonymous.claim(device).anon_uuid for device in fresh]

    one, two = both(claim)
    assert one == two


def test_a_secret_is_given_to_a_device_that_has_none_and_stays(storage: Storage) -> None:
    storage.anonymous.claim(DEVICE)
    for secret in ("first", "second"):
        found = storage.anonymous.claim(replace(DEVICE, secret_hash=secret))
        assert found.secret_hash == "first"
    assert storage.anonymous.claim(DEVICE).secret_hash == "first"


# Everything moves


def test_B11_everything_becomes_the_users_in_one_go(
    storage: Storage, event: Any, publish: Any, host: Engine, rebind: Rebind
) -> None:
    everything_of(ANON, storage, event, publish, host)
    everything_of("bob", storage, event, publish, host)
    bobs = [row for rows in dump(host).values() for row in rows if "bob" in row]
    move = rebind()
    # Three toasts and their claims, one that waits, a delivery, a device.
    assert move == Move(
        rebound=Rebound(rebound=True, rows_updated=9, anon_uuid=UUID),
        toasts=3,
        ended=(f"s {ANON}",),
    )
    assert [row for rows in dump(host).values() for row in rows if "bob" in row] == bobs


def test_no_column_that_names_a_user_names_the_visitor_any_more(
    storage: Storage, event: Any, publish: Any, host: Engine, rebind: Rebind
) -> None:
    everything_of(ANON, storage, event, publish, host)
    rebind()
    left = {
        f"{table.name}.{column.name}"
        for table in metadata.tables.values()
        for column in table.c
        if column.name in ("user_id", "topic", "topics", "payload", "event")
        for (value,) in rows_of(host, select(column))
        if ANON in str(value)
    }
    assert left == {"toastkit_sessions.user_id"}


def rows_of(host: Engine, query: Any) -> list[Any]:
    with host.connect() as connection:
        return list(connection.execute(query))


def test_toasts_are_put_after_the_users_own_in_their_order(
    store: Any, rebind: Rebind, listed: Any, storage: Storage
) -> None:
    first = store("written", user_id="ada")
    theirs = [store("written", title=str(number)) for number in range(3)]
    last = store("written", user_id="ada")
    move = rebind()
    assert move is not None
    assert move.toasts == 3
    assert [(toast.id, toast.seq) for toast in reversed(listed())] == [
        *((first, 1), (last, 2)),
        *((id, number) for number, id in enumerate(theirs, 3)),
    ]
    store("written", user_id="ada")
    assert [toast.seq for toast in listed()] == [6, 5, 4, 3, 2, 1]


def test_a_user_to_whom_nothing_was_published_gets_a_numbering(
    store: Any, rebind: Rebind, listed: Any, replayed: Any
) -> None:
    id = store("undelivered")
    rebind()
    assert [(toast.id, toast.seq) for toast in listed()] == [(id, 1)]
    assert replayed() == [id]


def test_topics_of_the_visitor_become_the_users_and_others_stay(
    store: Any, rebind: Rebind, row: Any
) -> None:
    own = f"user:{ANON}"
    wanted = {own: "user:ada", f"{own}:x:y": "user:ada:x:y", "news": "news", "x:user:a": "x:user:a"}
    stored = {store(topic=topic): topic for topic in wanted}
    rebind()
    assert {stored[id]: row(id).topic for id in stored} == wanted


def test_what_was_shown_is_listed_but_not_shown_again(
    store: Any, rebind: Rebind, listed: Any, replayed: Any, row: Any
) -> None:
    shown = [store("written"), store("written", "acked"), store("owed", "sent")]
    missed = [store("undelivered"), store(), store("owed", "failed")]
    rebind()
    assert [toast.id for toast in reversed(listed())] == [*shown, *missed]
    assert replayed() == missed
    assert {row(id).reason for id in shown} == {"rebound"}
    assert "rebound" not in {row(id).reason for id in missed}


def test_what_is_undecided_is_due_at_once_whoever_had_taken_it(
    store: Any, rebind: Rebind, storage: Storage, clock: ManualClock, mark: Any, row: Any
) -> None:
    id = store()
    clock.advance(3)
    [taken] = storage.inbox.claim_due(9, 10_000)
    rebind()
    [again] = storage.inbox.claim_due(9, 10_000)
    assert (again.id, again.user_id, again.topic, again.seq) == (id, "ada", "user:ada", 1)
    mark(id, "undelivered", user_id=ANON, seq=taken.seq)  # who had taken it decides too late
    assert row(id).state == "accepted"


def test_a_claim_goes_along(store: Any, rebind: Rebind, storage: Storage, event: Any) -> None:
    id = store("written", dedupe_key="k")
    rebind()
    [again] = storage.inbox.accept([event(dedupe_key="k")], due_ms=2000)
    assert (again.id, again.duplicate) == (id, True)
    [theirs] = storage.inbox.accept([event(ANON, dedupe_key="k")], due_ms=2000)
    assert not theirs.duplicate


@pytest.mark.parametrize("own", [["written"], []])
def test_of_two_claims_the_users_counts(
    store: Any, rebind: Rebind, storage: Storage, event: Any, own: list[str]
) -> None:
    id = store(*own, user_id="ada", dedupe_key="k")
    store("written", dedupe_key="k")
    move = rebind()
    assert move is not None
    assert move.rebound.rows_updated == 1  # the toast, and not the claim
    [again] = storage.inbox.accept([event(dedupe_key="k")], due_ms=2000)
    assert (again.id, again.duplicate) == (id, True)


def test_a_push_that_is_owed_follows_its_toast_to_the_user(
    storage: Storage, owe: Any, phone: Any, store: Any, rebind: Rebind, settle: Any, row: Any
) -> None:
    store(user_id="ada")
    phone(user_id=ANON)
    waiting, going = owe(user_id=ANON), owe(user_id=ANON)
    taken = storage.deliveries.claim({"apns": 1}, 10_000)
    rebind()
    for each in taken:
        settle(each, Sent())
    [other] = storage.deliveries.claim({"apns": 8}, 10_000)
    assert other.user_id == "ada"
    assert other.device is not None
    settle(other, Sent())
    for each in (waiting, going):
        found = row(each.toast_id)
        assert (found["user_id"], found["state"]) == ("ada", "sent")


def test_a_push_for_a_toast_that_a_retry_replaced_stays_old_news(
    storage: Storage, owe: Any, phone: Any, rebind: Rebind, event: Any, settle: Any
) -> None:
    phone(user_id=ANON)
    old = owe(user_id=ANON, dedupe_key="k")
    [slow] = storage.deliveries.claim({"apns": 8}, 0)
    storage.devices.remove(ANON, "phone")
    assert storage.deliveries.claim({"apns": 8}, 10_000) == []
    [retry] = storage.inbox.accept([event(ANON, dedupe_key="k")], due_ms=2000)
    assert retry.id == old.toast_id
    rebind()
    settle(slow, Sent())
    facts = storage.inbox.facts(retry.id)
    assert facts is not None
    assert (facts.state, facts.deliveries) == ("accepted", ())


@pytest.mark.parametrize("states", [[], ["undelivered"], ["owed"], ["owed", "failed"]])
def test_what_nobody_saw_of_a_key_the_user_holds_is_a_duplicate_and_never_shown(
    store: Any, rebind: Rebind, row: Any, replayed: Any, storage: Storage, states: list[str]
) -> None:
    seen = store("written", user_id="ada", dedupe_key="k")
    late = store(*states, dedupe_key="k")
    rebind()
    assert (row(late).state, row(late).reason) == ("superseded", "duplicate")
    assert storage.inbox.claim_due(9, 1) == []
    assert replayed() == [seen]


def test_of_two_claims_the_one_that_is_held_counts(
    store: Any, rebind: Rebind, storage: Storage, event: Any, clock: ManualClock
) -> None:
    store("undelivered", user_id="ada", dedupe_key="k")  # released
    store("written", user_id="ada", dedupe_key="l")
    clock.advance(300)  # over
    ids_ = [store("written", dedupe_key=key) for key in ("k", "l")]
    rebind()
    again = storage.inbox.accept([event(dedupe_key=key) for key in ("k", "l")], due_ms=2000)
    assert [(each.id, each.duplicate) for each in again] == [(id, True) for id in ids_]


@pytest.mark.parametrize("order", [("ada", ANON), (ANON, "ada")])
def test_of_toasts_with_one_collapse_key_the_newest_delivered_stays_visible(
    store: Any, rebind: Rebind, listed: Any, order: tuple[str, str]
) -> None:
    for user_id in order:
        newest = store("written", user_id=user_id, collapse_key="c")
    other = store("written", collapse_key="other")
    rebind()
    assert {toast.id for toast in listed()} == {newest, other}


def test_an_undecided_toast_that_a_newer_one_replaced_is_never_shown(
    store: Any, rebind: Rebind, storage: Storage, row: Any, replayed: Any
) -> None:
    old = store(collapse_key="c")
    newest = store("written", user_id="ada", collapse_key="c")
    fresh = store(collapse_key="c")
    rebind()
    assert (row(old).state, row(old).replaced_by) == ("superseded", newest)
    assert [toast.id for toast in storage.inbox.claim_due(9, 1)] == [fresh]
    assert set(replayed()) == {newest, fresh}


def test_what_waits_for_its_relay_is_relayed_as_the_users(
    publish: Any, event: Any, rebind: Rebind, storage: Storage, listed: Any, host: Engine
) -> None:
    own = f"user:{ANON}"
    waiting = publish(event(ANON), event(ANON, topic=f"{own}:x"), event(ANON, topic="news"))
    move = rebind()
    assert move is not None
    assert (move.rebound.rows_updated, move.toasts) == (3, 0)
    relayed = storage.inbox.relay(waiting, 0)
    assert {(event.user_id, event.route) for event, _ in relayed} == {("ada", "user:ada")}
    assert [toast.topic for toast in reversed(listed())] == ["user:ada", "user:ada:x", "news"]


def test_what_was_read_before_it_moved_is_not_relayed_as_the_visitors(
    publish: Any, event: Any, rebind: Rebind, storage: Storage, listed: Any, monkeypatch: Any
) -> None:
    waiting = publish(event(ANON))
    write = storage.inbox._database.write

    def late(*given: Any, **named: Any) -> Any:
        monkeypatch.undo()
        rebind()  # after it was read, before it is taken
        return write(*given, **named)

    monkeypatch.setattr(storage.inbox._database, "write", late)
    assert storage.inbox.relay(waiting, 0) == []
    assert len(storage.inbox.relay(waiting, 0)) == 1
    assert [toast.id for toast in listed()] == waiting


@only_postgres
def test_what_an_open_transaction_publishes_holds_nobody_up_and_stays_whole(
    event: Any, rebind: Rebind, storage: Storage, listed: Any, host: Engine
) -> None:
    fresh = event(ANON, topic=f"user:{ANON}:x")
    with host.begin() as connection:
        add_to_outbox(connection, [fresh])
        first = rebind()
    [(relayed, _)] = storage.inbox.relay([fresh.id], 0)
    assert (relayed.user_id, relayed.topic) == (ANON, f"user:{ANON}:x")
    second = rebind()
    assert first is not None
    assert second is not None
    assert (first.toasts, second.toasts) == (0, 1)
    assert [toast.topic for toast in listed()] == ["user:ada:x"]


def test_what_waits_and_cannot_be_read_moves_as_it_is(
    rebind: Rebind, host: Engine, publish: Any, event: Any
) -> None:
    publish(event(ANON))
    with host.begin() as connection:
        connection.execute(update(outbox).values(event="{"))
    assert rebind() is not None
    assert rows_of(host, select(outbox.c.user_id, outbox.c.event)) == [("ada", "{")]


def test_topics_in_what_is_owed_become_the_users(
    storage: Storage, event: Any, publish: Any, host: Engine, rebind: Rebind
) -> None:
    everything_of(ANON, storage, event, publish, host)
    rebind()
    [(user_id, payload)] = rows_of(host, select(deliveries.c.user_id, deliveries.c.payload))
    assert user_id == "ada"
    assert payload == '{"toast":{"topic":"user:ada:x","n":["user:ada",1]}}'


# Sessions end


def test_live_sessions_end_and_tickets_go(
    storage: Storage, rebind: Rebind, clock: ManualClock, event: Any, publish: Any, host: Engine
) -> None:
    everything_of(ANON, storage, event, publish, host)
    names: Any = {"user_id": ANON, "kind": "anonymous", "created_at": 1}
    storage.sessions.add(Session(token_hash="expired", expires_at=clock.now(), **names))
    storage.sessions.add(Session(token_hash="ended", expires_at=10**15, revoked_at=5, **names))
    move = rebind()
    assert move is not None
    assert move.ended == (f"s {ANON}",)
    found = dict(rows_of(host, select(sessions.c.token_hash, sessions.c.revoked_at)))
    assert found == {f"s {ANON}": clock.now(), "expired": None, "ended": 5}
    assert storage.tickets.find(f"t {ANON}") is None


def test_a_session_of_later_ends_at_the_next_rebind_though_nothing_moves(
    storage: Storage, rebind: Rebind
) -> None:
    rebind()
    later = Session(
        token_hash="later", user_id=ANON, kind="anonymous", created_at=1, expires_at=10**15
    )
    storage.sessions.add(later)
    move = rebind()
    assert move is not None
    assert not move.rebound.rebound
    assert move.ended == ("later",)


# How often, and whose


def test_B12_the_first_rebind_counts_though_nothing_moves_and_the_second_does_nothing(
    rebind: Rebind, host: Engine, clock: ManualClock
) -> None:
    first = rebind()
    assert first is not None
    assert first.rebound == Rebound(rebound=True, rows_updated=0, anon_uuid=UUID)
    before = dump(host)
    clock.advance(1)
    second = rebind()
    assert second is not None
    assert second.rebound == Rebound(rebound=False, rows_updated=0, anon_uuid=UUID)
    assert dump(host) == before


def test_what_is_written_later_is_moved_by_the_next_rebind(
    rebind: Rebind, store: Any, listed: Any
) -> None:
    store("written")
    rebind()
    store("written", title="Later")
    move = rebind()
    assert move is not None
    assert move.rebound == Rebound(rebound=True, rows_updated=1, anon_uuid=UUID)
    assert [toast.title for toast in listed()] == ["Later", "Hello"]


def test_B14_another_user_gets_nothing_ever(rebind: Rebind, store: Any, host: Engine) -> None:
    rebind()
    store("written")
    before = dump(host)
    assert rebind("bob") is None
    assert dump(host) == before


def test_two_devices_may_become_one_users(
    rebind: Rebind, storage: Storage, store: Any, clock: ManualClock, listed: Any
) -> None:
    other = AnonymousDevice(device_hash="e", anon_uuid=UUID.replace("0d", "1d"), created_at=1)
    storage.anonymous.claim(other)
    store("written")
    store("written", user_id=other.user_id)
    rebind()
    assert storage.anonymous.rebind(other, "ada", clock.now(), nothing_owed) is not None
    assert [toast.seq for toast in listed()] == [2, 1]


def test_a_device_that_is_forgotten_meanwhile_moves_nothing(
    storage: Storage, store: Any, host: Engine, clock: ManualClock
) -> None:
    storage.anonymous.claim(replace(DEVICE, anon_uuid="another"))
    store("written")
    before = dump(host)
    for device in (DEVICE, replace(DEVICE, device_hash="gone")):
        with pytest.raises(StorageUnavailable, match="forgotten meanwhile"):
            storage.anonymous.rebind(device, "ada", clock.now(), nothing_owed)
    assert dump(host) == before


def test_B16_what_is_owed_is_kept_with_the_move_and_only_with_one(
    rebind: Rebind, store: Any, host: Engine, clock: ManualClock
) -> None:
    def owe(rows: int) -> list[Delivery]:
        payload = {"rows_updated": rows}
        return [
            Delivery(id=f"{rows}", kind="k", target="", payload=payload, created_at=1, expires_at=5)
        ]

    store("written")
    rebind(owe=owe)
    rebind(owe=owe)
    assert rows_of(host, select(deliveries.c.kind, deliveries.c.payload)) == [
        ("k", '{"rows_updated":1}')
    ]


# One of two, all or nothing


def test_of_two_users_who_rebind_at_once_exactly_one_wins(
    both: Any, storage: Storage, clock: ManualClock, listed: Any, event: Any
) -> None:
    devices = [
        AnonymousDevice(device_hash=f"d{n}", anon_uuid=ids.connection_id(), created_at=1)
        for n in range(20)
    ]
    for device in devices:
        storage.anonymous.claim(device)
        storage.inbox.accept([event(device.user_id)], due_ms=2000)
    users = iter(("ada", "bob"))

    def race(storage: Storage) -> tuple[str, list[bool]]:
        user_id = next(users)
        won = [storage.anonymous.rebind(each, user_id, 1, nothing_owed) for each in devices]
        return user_id, [move is not None for move in won]

    answers = dict(both(race))
    assert [a != b for a, b in zip(answers["ada"], answers["bob"], strict=True)] == [True] * 20
    for user_id, won in answers.items():
        assert [toast.seq for toast in listed(user_id)] == list(range(sum(won), 0, -1))


def test_what_is_published_at_the_same_moment_moves_whole_or_stays_whole(
    storage: Storage, event: Any, rebind: Rebind, host: Engine
) -> None:
    published: list[str] = []
    ending = threading.Event()

    def publish() -> None:
        while not ending.is_set():
            fresh = [event(ANON, dedupe_key=ids.connection_id()) for _ in range(3)]
            published.extend(each.id for each in storage.inbox.accept(fresh, due_ms=2000))

    thread = threading.Thread(target=publish)
    thread.start()
    moved = [move.toasts for move in (rebind() for _ in range(20)) if move is not None]
    ending.set()
    thread.join()
    column = toasts.c
    rows = rows_of(host, select(column.id, column.user_id, column.seq, column.topic))
    assert {row.id for row in rows} == set(published)
    assert all(row.topic == f"user:{row.user_id}" for row in rows)
    for user_id in ("ada", ANON):
        places = sorted(row.seq for row in rows if row.user_id == user_id)
        assert places == list(range(1, len(places) + 1))
    assert len([row for row in rows if row.user_id == "ada"]) == sum(moved)
    assert sum(moved) > 0
    claims = rows_of(host, select(metadata.tables["toastkit_dedupe"]))
    owners = {row.id: row.user_id for row in rows}
    assert {claim.toast_id: claim.user_id for claim in claims} == owners


@only_postgres
@pytest.mark.parametrize("whom", ["d", ANON, "ada", "devices"])
def test_who_writes_what_a_rebind_writes_is_waited_for(
    whom: str, url: str, storage: Storage, host: Engine
) -> None:
    device = storage.anonymous.claim(DEVICE)
    hasty = Storage(url, runtime_for("auto"), SystemClock(), wait_ms=200)
    with host.begin() as connection:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({postgres._number(whom)})")
        with pytest.raises(StorageUnavailable, match="locked"):
            hasty.anonymous.rebind(device, "ada", 5, nothing_owed)
    hasty.close()
    assert storage.anonymous.rebind(device, "ada", 5, nothing_owed) is not None


@pytest.mark.parametrize("step", [*rebinding.STEPS, "note"])
def test_whatever_fails_nothing_has_happened(
    step: str,
    storage: Storage,
    event: Any,
    publish: Any,
    host: Engine,
    rebind: Rebind,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    everything_of(ANON, storage, event, publish, host)
    storage.anonymous.claim(DEVICE)
    before = dump(host)

    def failing(*_: Any) -> int:
        raise ZeroDivisionError

    if step == "note":
        monkeypatch.setattr(rebinding, "note", failing)
    else:
        monkeypatch.setitem(rebinding.STEPS, step, failing)
    with pytest.raises(ZeroDivisionError):
        rebind()
    assert dump(host) == before
    monkeypatch.undo()
    assert rebind() is not None


def test_a_rebind_that_fails_is_nobody_elses_trouble(
    storage: Storage, event: Any, monkeypatch: pytest.MonkeyPatch, row: Any
) -> None:
    [other] = storage.inbox.accept([event("bob")], due_ms=2000)
    calls: list[int] = []

    def failing(*_: Any) -> int:
        calls.append(1)
        raise ZeroDivisionError

    monkeypatch.setattr(rebinding, "note", failing)
    device = storage.anonymous.claim(DEVICE)
    write = storage.anonymous._database.write

    def together(*given: Any, **named: Any) -> Any:
        storage.inbox.mark([StateChange(other.id, "bob", "written", 5)])
        return write(*given, **named)  # what is owed joins the next commit

    monkeypatch.setattr(storage.anonymous._database, "write", together)
    with pytest.raises(ZeroDivisionError):
        storage.anonymous.rebind(device, "ada", 5, nothing_owed)
    assert row(other.id).state == "written"
    assert calls == [1]


def test_a_move_whose_commit_was_not_answered_is_told_and_owed_once(
    storage: Storage, store: Any, host: Engine, unanswered: Callable[[], list[Any]]
) -> None:
    store()
    device = storage.anonymous.claim(DEVICE)
    lost = unanswered()
    move = storage.anonymous.rebind(device, "ada", 5, lambda rows: [told_of(rows)])
    assert lost
    assert move is not None
    assert move.rebound == Rebound(rebound=True, rows_updated=1, anon_uuid=UUID)
    assert rows_of(host, select(deliveries.c.payload)) == [('{"rows_updated":1}',)]


def told_of(rows: int) -> Delivery:
    payload = {"rows_updated": rows}
    return Delivery(
        id=ids.delivery_id(5), kind="k", target="", payload=payload, created_at=5, expires_at=9
    )


def test_a_move_whose_commit_was_not_answered_is_known_by_its_time(
    rebind: Rebind, host: Engine, clock: ManualClock, storage: Storage
) -> None:
    move = rebind()
    nothing = Rebound(rebound=False, rows_updated=0, anon_uuid=UUID)
    assert move is not None
    task = rebinding.Task(DEVICE, "ada", clock.now(), nothing_owed, ())
    with host.connect() as connection:
        assert rebinding.kept(task, connection, move) is True
        for other in (dataclasses.replace(task, at=5), dataclasses.replace(task, user_id="bob")):
            assert rebinding.kept(other, connection, move) is False
        for result in (None, ZeroDivisionError(), replace(move, rebound=nothing)):
            assert rebinding.kept(task, connection, result) is None
    assert rows_of(host, select(anonymous.c.rebound_at)) == [(clock.now(),)]
