"""What is owed to the outside world: kept, claimed by one at a time, settled; on every database."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine, select, update

from tests.postgres import plain_engine
from toastkit import ids
from toastkit.deliveries import Carried, Delivery, Later, Outcome, Refusal, Sent
from toastkit.publishing.courier import DeliveryRepository
from toastkit.records import PageQuery
from toastkit.storage import Storage, claiming, owing
from toastkit.storage.deliveries import Deliveries
from toastkit.storage.tables import deliveries as table
from toastkit.testing import ManualClock

LEASE_MS = 10_000
LIFE_MS = 3_600_000
ROOM = {"mail": 8}

Owe = Callable[..., Delivery]


@pytest.fixture
def fresh(clock: ManualClock) -> Owe:
    """Make a delivery of the present time."""

    def make(kind: str = "mail", target: str = "ada@example.org", **given: Any) -> Delivery:
        now = clock.now()
        start: dict[str, Any] = {
            "id": ids.delivery_id(now),
            "payload": {"text": "Grüße", "n": 1},
            "created_at": now,
            "expires_at": now + LIFE_MS,
        }
        return Delivery(kind=kind, target=target, **start | given)

    return make


@pytest.fixture
def owe(storage: Storage, fresh: Owe) -> Owe:
    """Owe a delivery, and return it."""

    def owe(*given: Any, **named: Any) -> Delivery:
        delivery = fresh(*given, **named)
        storage.deliveries.add(delivery)
        return delivery

    return owe


@pytest.fixture
def kept(url: str) -> Callable[[Delivery], Any]:
    """Look at a delivery's row."""

    def look(delivery: Delivery) -> Any:
        engine = plain_engine(url)
        with engine.connect() as connection:
            query = select(table).where(table.c.id == delivery.id)
            found = connection.execute(query).mappings().one()
        engine.dispose()
        return found

    return look


def claim(storage: Storage, **room: int) -> list[Delivery]:
    return storage.deliveries.claim(room or ROOM, LEASE_MS)


def flush(storage: Storage) -> None:
    """Wait for what is owed: it is carried out before what is asked."""
    storage.inbox.facts("nothing")


def settle(storage: Storage, delivery: Delivery, state: Any, at: int | None = None) -> None:
    answer = f"{state}!"
    outcomes: dict[str, Outcome] = {"sent": Sent(answer), "waiting": Later(answer)}
    carried = Carried(
        delivery=delivery,
        outcome=outcomes.get(state, Refusal(answer)),
        state=state,
        answer=answer,
        next_attempt_at=at,
    )
    storage.deliveries.settle(carried)
    flush(storage)


def test_a_delivery_comes_back_as_it_was_owed(storage: Storage, owe: Owe) -> None:
    owed = owe(user_id="ada", toast_id="toast1")
    assert claim(storage) == [owed]


def test_what_is_claimed_is_nobody_elses_until_its_lease_ends(
    storage: Storage, owe: Owe, clock: ManualClock
) -> None:
    owed = owe()
    assert claim(storage) == [owed]
    clock.advance(LEASE_MS / 1000 - 0.001)
    assert claim(storage) == []
    clock.advance(0.001)
    assert claim(storage) == [replace(owed, attempts=1)]


def test_a_lease_that_is_renewed_goes_on(storage: Storage, owe: Owe, clock: ManualClock) -> None:
    owe()
    claimed = claim(storage)
    clock.advance(9)
    storage.deliveries.renew(claimed, LEASE_MS)
    flush(storage)
    clock.advance(9)
    assert claim(storage) == []
    clock.advance(1)
    assert len(claim(storage)) == 1


def test_a_claim_that_is_anothers_by_now_is_not_renewed(
    storage: Storage, owe: Owe, clock: ManualClock, kept: Any
) -> None:
    owed = owe()
    slow = claim(storage)
    clock.advance(10)
    claim(storage)
    ends = clock.now() + LEASE_MS
    clock.advance(1)
    storage.deliveries.renew(slow, LEASE_MS)
    flush(storage)
    assert kept(owed)["lease_until"] == ends


def test_whether_it_was_claimed_is_found_out_where_nobody_answered(
    storage: Storage, owe: Owe, clock: ManualClock
) -> None:
    owed, until = owe(), clock.now() + LEASE_MS

    def kept() -> bool | None:
        return storage.deliveries._database.read(lambda here: claiming.kept(until, here, [owed]))

    assert kept() is False
    claim(storage)
    assert kept() is True


def test_each_kind_has_its_own_room(storage: Storage, owe: Owe) -> None:
    for _ in range(3):
        owe("mail")
        owe("chat")
    taken = claim(storage, mail=2, chat=1)
    assert sorted(each.kind for each in taken) == ["chat", "mail", "mail"]


def test_the_first_due_are_taken_first(storage: Storage, owe: Owe, clock: ManualClock) -> None:
    late = owe()
    [claimed] = claim(storage)
    settle(storage, claimed, "waiting", clock.now() + 5000)
    clock.advance(1)
    other = owe()
    clock.advance(10)
    assert claim(storage, mail=1) == [other]
    assert [each.id for each in claim(storage, mail=1)] == [late.id]


def test_what_was_answered_is_kept(storage: Storage, owe: Owe, kept: Any) -> None:
    for state in ("sent", "failed"):
        owed = owe()
        [claimed] = claim(storage)
        settle(storage, claimed, state)
        row = kept(owed)
        assert (row["state"], row["attempts"], row["last_answer"]) == (state, 1, f"{state}!")
        assert (row["next_attempt_at"], row["lease_until"]) == (None, None)
    assert claim(storage) == []


def test_later_is_when_it_says(storage: Storage, owe: Owe, clock: ManualClock) -> None:
    owed = owe()
    [claimed] = claim(storage)
    settle(storage, claimed, "waiting", clock.now() + 60_000)
    clock.advance(59.999)
    assert claim(storage) == []
    clock.advance(0.001)
    assert claim(storage) == [replace(owed, attempts=1)]


def test_who_lost_the_claim_has_no_say_but_that_it_was_sent(
    storage: Storage, owe: Owe, clock: ManualClock, kept: Any
) -> None:
    owed = owe()
    [slow] = claim(storage)
    clock.advance(10)
    [quick] = claim(storage)
    for state in ("failed", "waiting", "expired"):
        settle(storage, slow, state, clock.now())
        assert kept(owed)["lease_until"] == clock.now() + LEASE_MS
    settle(storage, slow, "sent")
    settle(storage, quick, "waiting", clock.now())
    settle(storage, quick, "failed")
    assert kept(owed)["state"] == "sent"
    assert claim(storage) == []


def test_a_settlement_bears_a_repeat(storage: Storage, owe: Owe, kept: Any) -> None:
    owed = owe()
    [claimed] = claim(storage)
    settle(storage, claimed, "waiting", owed.created_at)
    once = kept(owed)
    settle(storage, claimed, "waiting", owed.created_at)
    assert kept(owed) == once


def test_what_is_over_is_ended_and_not_taken(
    storage: Storage, owe: Owe, clock: ManualClock, kept: Any
) -> None:
    first, second, strange = owe(), owe(), owe("nobody knows it")
    [claimed] = claim(storage, mail=1)
    held, left = (first, second) if claimed.id == first.id else (second, first)
    clock.advance(LIFE_MS / 1000 - 5)
    storage.deliveries.renew([claimed], LEASE_MS)
    clock.advance(5)
    assert claim(storage) == []
    assert len(storage.deliveries.expire(10)) == 2
    assert len(storage.deliveries.expire(10)) == 0
    for each in (left, strange):
        row = kept(each)
        assert (row["state"], row["next_attempt_at"]) == ("expired", None)
    assert kept(held)["state"] == "waiting"  # somebody is at it
    settle(storage, claimed, "sent")
    assert kept(held)["state"] == "sent"


def test_what_came_too_late_was_sent_all_the_same(
    storage: Storage, owe: Owe, clock: ManualClock, kept: Any
) -> None:
    owed = owe()
    [claimed] = claim(storage)
    clock.advance(LIFE_MS / 1000)
    assert len(storage.deliveries.expire(10)) == 1
    settle(storage, claimed, "waiting", clock.now())
    assert kept(owed)["state"] == "expired"
    settle(storage, claimed, "sent")
    assert kept(owed)["state"] == "sent"


def test_no_more_than_asked_for_is_ended_at_once(
    storage: Storage, owe: Owe, clock: ManualClock
) -> None:
    for _ in range(5):
        owe()
    clock.advance(LIFE_MS / 1000)
    assert [len(storage.deliveries.expire(2)) for _ in range(4)] == [2, 2, 1, 0]


def test_a_transaction_owes_with_its_commit(storage: Storage, host: Engine, fresh: Owe) -> None:
    mine = fresh()
    with host.connect() as connection:
        with connection.begin() as outer:
            owing.add(connection, [fresh()])
            outer.rollback()
        with connection.begin():
            owing.add(connection, [mine])
            owing.add(connection, [])
            assert claim(storage) == []
    assert claim(storage) == [mine]


def test_a_payload_nobody_can_read_keeps_no_other_back(
    storage: Storage, owe: Owe, host: Engine, kept: Any
) -> None:
    for payload in ("{", "[]", "7", '"\\ud800"'):
        broken, sound = owe(), owe()
        with host.begin() as connection:
            spoilt = update(table).where(table.c.id == broken.id).values(payload=payload)
            connection.execute(spoilt)
        assert claim(storage) == [sound]
        assert kept(broken)["state"] == "failed"
        assert kept(broken)["last_answer"] == "its payload is no JSON object"


def test_two_processes_never_take_the_same(both: Any, owe: Owe) -> None:
    owed = {owe(user_id=f"user{number % 3}").id for number in range(100)}
    rounds = threading.Barrier(2)

    def take(storage: Storage) -> list[str]:
        taken = []
        for _ in range(20):
            rounds.wait()
            taken += [each.id for each in claim(storage, mail=7)]
        return taken

    one, other = both(take)
    assert {*one, *other} == owed
    assert len(one) + len(other) == 100


def test_two_processes_end_each_once(both: Any, owe: Owe, clock: ManualClock) -> None:
    for _ in range(50):
        owe()
    clock.advance(LIFE_MS / 1000)
    assert sum(both(lambda storage: sum(len(storage.deliveries.expire(9)) for _ in range(8)))) == 50


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)  # SQLite has one writer
def test_a_delivery_held_by_another_transaction_is_passed_over(
    storage: Storage, owe: Owe, host: Engine
) -> None:
    held, free = owe(), owe()
    with host.begin() as connection:
        query = select(table).where(table.c.id == held.id).with_for_update()
        connection.execute(query)
        assert claim(storage) == [free]


def test_operators_see_the_newest_and_how_many_wait(
    storage: Storage, owe: Owe, clock: ManualClock
) -> None:
    owed = []
    for kind in ("mail", "chat", "mail"):
        owed.append(owe(kind, user_id="ada"))
        clock.advance(1)
    [chat] = claim(storage, chat=1)
    settle(storage, chat, "sent")
    [mail] = claim(storage, mail=1)
    shown = storage.deliveries.recent(10)
    assert [each.id for each in shown] == [each.id for each in reversed(owed)]
    assert shown[1].state == "sent"
    assert shown[1].last_answer == "sent!"
    assert shown[2].lease_until == clock.now() + LEASE_MS
    assert shown[0].created_at == owed[2].created_at
    assert [each.id for each in storage.deliveries.recent(1, kind="mail")] == [owed[2].id]
    assert [each.id for each in storage.deliveries.recent(9, "waiting")] == [owed[2].id, mail.id]
    assert storage.deliveries.waiting() == {"mail": 2}
    assert storage.deliveries.kinds() == ["mail"]


def test_every_kind_that_waits_is_found(storage: Storage, owe: Owe) -> None:
    assert storage.deliveries.kinds() == []
    for kind in ("b", "a", "c", "a", "b"):
        owe(kind)
    assert storage.deliveries.kinds() == ["a", "b", "c"]


def test_who_is_forgotten_is_told_of_no_more(storage: Storage, owe: Owe) -> None:
    owed = owe(user_id="ada")
    [claimed] = claim(storage)
    [shown] = storage.keeping.export("ada")["toastkit_deliveries"]
    assert shown["id"] == owed.id
    storage.keeping.forget("ada")
    settle(storage, claimed, "waiting", 0)
    assert storage.deliveries.recent(10) == []


def test_a_lot_that_is_owed_holds_up_no_toast(
    storage: Storage, owe: Owe, accept: Any, event: Any
) -> None:
    for _ in range(20):
        owe()
    storage.deliveries.renew(claim(storage), LEASE_MS)
    assert accept(event())[0].seq == 1
    assert storage.inbox.page(PageQuery(user_id="ada")).unread_count == 1


def test_nothing_is_lost_in_a_commit_that_is_not_answered(
    storage: Storage, owe: Owe, unanswered: Callable[[], list[Any]]
) -> None:
    owed = owe()
    lost = unanswered()
    assert claim(storage) == [owed]
    assert lost


def test_the_facets_repository_is_storages() -> None:
    wanted = {name for name in vars(DeliveryRepository) if not name.startswith("_")}
    assert wanted <= set(vars(Deliveries))
