"""What is due and what was missed; the same on every database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from toastkit.records import Position, Since
from toastkit.storage import Storage
from toastkit.storage.tables import principals, toasts
from toastkit.testing import ManualClock

DUE_MS = 2000
LEASE_MS = 10_000
START = Since(position=Position(0, ""))


def ids(found: Any) -> list[str]:
    return [each.id for each in found]


@pytest.fixture
def due(storage: Storage) -> Callable[..., list[Any]]:
    return lambda limit=64: storage.inbox.claim_due(limit, LEASE_MS)


@pytest.fixture
def missed(storage: Storage) -> Callable[..., Any]:
    def missed(since: Since = START, heard: Any = lambda topic: True, limit: int = 200) -> Any:
        return storage.inbox.missed("ada", since, heard, limit)

    return missed


# What is due


def test_a_toast_is_due_at_its_time_and_no_sooner(
    accept: Any, event: Any, due: Any, clock: ManualClock
) -> None:
    accept(event())
    clock.advance(1.999)
    assert due() == []
    clock.advance(0.001)
    assert ids(due()) == ["toast1"]


def test_a_toast_that_was_made_long_before_is_due_after_it_was_accepted(
    accept: Any, event: Any, due: Any, clock: ManualClock
) -> None:
    made = event()
    clock.advance(5)
    accept(made)
    clock.advance(1.999)
    assert due() == []
    clock.advance(0.001)
    assert ids(due()) == ["toast1"]


def test_the_oldest_are_due_first_and_no_more_than_asked(
    accept: Any, event: Any, due: Any, clock: ManualClock
) -> None:
    for _ in range(3):
        accept(event())
        clock.advance(1)
    clock.advance(2)
    assert ids(due(2)) == ["toast1", "toast2"]
    assert ids(due(2)) == ["toast3"]


def test_a_claim_is_a_lease(
    accept: Any, event: Any, due: Any, row: Any, clock: ManualClock
) -> None:
    accept(event())
    clock.advance(2)
    assert len(due()) == 1
    assert row("toast1")["lease_until"] == clock.now() + LEASE_MS
    clock.advance(9.999)
    assert due() == []
    clock.advance(0.001)
    assert ids(due()) == ["toast1"]


def test_of_two_processes_that_look_at_once_one_gets_each_toast(
    accept: Any, event: Any, both: Any, clock: ManualClock
) -> None:
    accept(*(event(user) for user in ("ada", "bob", "cyd") for _ in range(10)))
    clock.advance(2)
    first, second = both(lambda storage: ids(storage.inbox.claim_due(64, LEASE_MS)))
    assert len(first) + len(second) == len({*first, *second}) == 30


def test_a_due_toast_that_somebody_holds_is_passed_over(
    accept: Any, event: Any, due: Any, host: Engine, clock: ManualClock
) -> None:
    accept(event(), event())
    clock.advance(2)
    with host.begin() as connection:
        held = select(toasts.c.id).where(toasts.c.id == "toast1").with_for_update()
        connection.execute(held)  # on SQLite nothing is held
        assert ids(due())[-1:] == ["toast2"]
    assert ids(due()) == ["toast1"] * (host.dialect.name == "postgresql")


@pytest.mark.parametrize("state", ["written", "owed", "undelivered", "expired", "superseded"])
def test_what_is_decided_is_not_due(
    accept: Any, event: Any, due: Any, mark: Any, clock: ManualClock, state: str
) -> None:
    accept(event())
    mark("toast1", state)
    clock.advance(60)
    assert due() == []


def test_a_leased_toast_that_is_decided_is_due_no_more(
    accept: Any, event: Any, due: Any, mark: Any, row: Any, clock: ManualClock
) -> None:
    accept(event())
    clock.advance(2)
    due()
    mark("toast1", "undelivered")
    clock.advance(60)
    assert due() == []
    assert row("toast1")["lease_until"] is None


def test_expired_toasts_are_due_too_for_somebody_must_say_so(
    accept: Any, event: Any, due: Any, clock: ManualClock
) -> None:
    accept(event(expires_at=clock.now() + 1))
    clock.advance(2)
    assert ids(due()) == ["toast1"]


def test_a_due_toast_is_the_event_that_was_published(
    accept: Any, event: Any, due: Any, clock: ManualClock
) -> None:
    content = {"body": "😀", "deeplink": "/a", "data": {"n": [1, None]}, "style": "error"}
    keys = {"dedupe_key": "d", "collapse_key": "c", "expires_at": clock.now() + 60_000}
    given = event(topic="news", content=content, fallback=False, **keys)
    [accepted] = accept(given)
    clock.advance(2)
    [found] = due()
    for name in ("id", "route", "topic", "user_id", "created_at", "fallback", "data", *keys):
        assert getattr(found, name) == getattr(given, name)
    assert (found.seq, found.epoch, found.replayed) == (accepted.seq, accepted.epoch, False)


def test_a_toast_that_was_deleted_while_it_was_due_is_not_shown(
    accept: Any, event: Any, due: Any, storage: Storage, row: Any, clock: ManualClock
) -> None:
    accept(event(), event())
    storage.inbox.set_read("ada", "toast1", "deleted", clock.now())
    clock.advance(2)
    assert ids(due()) == ["toast2"]
    found = row("toast1")
    assert (found["state"], found["reason"]) == ("superseded", "deleted")
    assert found["due_at"] is None


def unacked(storage: Storage) -> list[str]:
    return ids(storage.inbox.claim_unacked(64, LEASE_MS))


def test_a_written_toast_is_due_when_its_ack_is_late(
    accept: Any, event: Any, due: Any, change: Any, storage: Storage, clock: ManualClock
) -> None:
    accept(event())
    change(state="written", due_at=clock.now() + 5000)
    assert unacked(storage) == []
    clock.advance(5)
    assert due() == []
    assert unacked(storage) == ["toast1"]
    assert unacked(storage) == []
    clock.advance(LEASE_MS / 1000)  # who took it died
    assert unacked(storage) == ["toast1"]


@pytest.mark.parametrize("met", ["deleted_at", "read_at", "seen_at", "replaced_by"])
def test_what_its_user_has_met_needs_no_ack(
    accept: Any, event: Any, change: Any, storage: Storage, row: Any, met: str
) -> None:
    accept(event())
    change(state="written", due_at=0, **{met: "1"})
    assert unacked(storage) == []
    assert row("toast1")["due_at"] is None


def test_an_undecided_toast_waits_for_no_ack(
    accept: Any, event: Any, storage: Storage, clock: ManualClock
) -> None:
    accept(event())
    clock.advance(60)
    assert unacked(storage) == []


# What was missed


def test_what_was_missed_comes_in_the_order_of_positions(
    accept: Any, event: Any, missed: Any
) -> None:
    accepted = accept(*(event(title=str(number)) for number in range(5)))
    epoch = accepted[0].epoch
    found = missed(Since(position=Position(2, epoch)))
    assert [toast.seq for toast in found.toasts] == [3, 4, 5]
    assert [toast.data["title"] for toast in found.toasts] == ["2", "3", "4"]
    assert all(toast.replayed and toast.epoch == epoch for toast in found.toasts)
    assert (found.position, found.reason) == (Position(5, epoch), None)


def test_who_has_missed_nothing_hears_nothing(accept: Any, event: Any, missed: Any) -> None:
    [accepted] = accept(event())
    found = missed(Since(position=Position(1, accepted.epoch)))
    assert (found.toasts, found.reason) == ((), None)


def test_who_was_there_before_the_first_toast_misses_none(
    accept: Any, event: Any, missed: Any
) -> None:
    assert missed().position == Position(0, "")
    accept(event(), event("bob"))
    assert ids(missed().toasts) == ["toast1"]


def test_only_topics_that_are_heard_are_missed(accept: Any, event: Any, missed: Any) -> None:
    accept(*(event(topic="news" if number % 3 else "user:ada") for number in range(12)))
    found = missed(heard=lambda topic: topic == "user:ada", limit=4)
    assert ids(found.toasts) == ["toast1", "toast4", "toast7", "toast10"]
    assert found.reason is None


def test_more_than_the_limit_is_not_replayed_in_parts(accept: Any, event: Any, missed: Any) -> None:
    accept(*(event() for _ in range(5)))
    assert len(missed(limit=5).toasts) == 5
    found = missed(limit=4)
    assert (found.toasts, found.reason) == ((), "too_many")
    assert found.position.seq == 5


GONE: dict[str, Any] = {
    "deleted": {"deleted_at": 1},
    "read": {"read_at": 1},
    "replaced": {"replaced_by": "toast2"},
    "superseded": {"state": "superseded"},
    "expired": {"state": "expired"},
    "past its time": {"expires_at": 1, "state": "undelivered"},
}


@pytest.mark.parametrize("gone", GONE)
def test_what_nobody_wants_any_more_is_not_replayed(
    accept: Any, event: Any, missed: Any, change: Any, gone: str
) -> None:
    accept(event())
    change(**GONE[gone])
    accept(event())
    assert ids(missed(limit=1).toasts) == ["toast2"]


@pytest.mark.parametrize("state", ["accepted", "written", "acked", "undelivered", "owed"])
def test_what_another_device_was_shown_is_replayed(
    accept: Any, event: Any, missed: Any, change: Any, state: str
) -> None:
    accept(event())
    change(state=state, seen_at=1)
    assert ids(missed().toasts) == ["toast1"]


def test_a_position_of_another_epoch_says_nothing(accept: Any, event: Any, missed: Any) -> None:
    [accepted] = accept(event())
    for position in (Position(1, "another"), Position(2, accepted.epoch), Position(1, "")):
        found = missed(Since(position=position))
        assert (found.toasts, found.reason) == ((), "epoch_changed")
        assert found.position == Position(1, accepted.epoch)


def test_a_position_of_somebody_forgotten_says_nothing(missed: Any) -> None:
    found = missed(Since(position=Position(3, "abc")))
    assert (found.reason, found.position) == ("epoch_changed", Position(0, ""))


def test_recovery_may_begin_at_the_last_toast_that_is_known(
    accept: Any, event: Any, missed: Any
) -> None:
    accept(*(event() for _ in range(3)))
    assert ids(missed(Since(toast_id="toast1")).toasts) == ["toast2", "toast3"]


@pytest.mark.parametrize("id", ["toast2", "nobody's"])
def test_a_toast_that_is_not_the_users_is_no_place_to_begin(
    accept: Any, event: Any, missed: Any, id: str
) -> None:
    accept(event(), event("bob"))
    found = missed(Since(toast_id=id))
    assert (found.toasts, found.reason) == ((), "unknown_id")


def test_nothing_is_lost_between_what_is_read_and_the_position(
    accept: Any, event: Any, missed: Any, host: Engine
) -> None:
    accept(event(), event())

    def heard(topic: str) -> bool:  # somebody publishes while the missed ones are read
        with host.begin() as connection:
            query = select(toasts).order_by(toasts.c.seq.desc())
            newest = dict(connection.execute(query).mappings().first())
            seq = newest["seq"] + 1
            connection.execute(toasts.insert(), {**newest, "id": f"late{seq}", "seq": seq})
            connection.execute(update(principals).values(seq=seq))
        return True

    found = missed(heard=heard)
    assert [toast.seq for toast in found.toasts] == list(range(1, found.position.seq + 1))


def test_one_read_tells_where_many_principals_stand(
    storage: Storage, accept: Any, event: Any
) -> None:
    ada = accept(*(event() for _ in range(3)))[-1]
    (bob,) = accept(event("bob"))
    found = storage.inbox.standings(["ada", "bob", "nobody"])
    assert found == {"ada": Position(3, ada.epoch), "bob": Position(1, bob.epoch)}


def test_five_hundred_principals_fit_into_one_read(storage: Storage) -> None:
    assert storage.inbox.standings([f"u{number}" for number in range(500)]) == {}
