"""What is owed for toasts that nobody was there for, and what becomes of them; on every database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from toastkit.deliveries import (
    Carried,
    Delivery,
    Due,
    Gone,
    Later,
    Outcome,
    Owed,
    Owing,
    Refusal,
    Sent,
)
from toastkit.records import Device
from toastkit.storage import Storage
from toastkit.testing import ManualClock

LEASE_MS = 10_000
LIFE_MS = 3_600_000
STATES: dict[type, Any] = {Sent: "sent", Later: "waiting", Refusal: "failed", Gone: "failed"}

Settle = Callable[..., None]


@pytest.fixture
def phone(storage: Storage, clock: ManualClock) -> Callable[..., Device]:
    """Register a device that a push would reach."""

    def register(device_id: str = "phone", user_id: str = "ada", **given: Any) -> Device:
        start = {"bundle_id": "app", "push_token": f"token of {device_id}"}
        device = Device(
            user_id=user_id, device_id=device_id, registered_at=clock.now(), **start | given
        )
        storage.devices.register(device)
        return device

    return register


@pytest.fixture
def away(storage: Storage, event: Any, clock: ManualClock) -> Callable[..., Owing]:
    """Accept a toast that nobody is there for; return what is to be owed for it."""

    def accept(*dues: Due, gated: bool = False, **given: Any) -> Owing:
        toast = event(**given)
        [place] = storage.inbox.accept([toast], due_ms=2000)
        return Owing(
            toast_id=place.id,
            user_id=toast.user_id,
            seq=place.seq,
            at=clock.now(),
            payload={"toast": {"id": place.id}},
            dues=dues or (push(clock),),
            gated=gated,
        )

    return accept


@pytest.fixture
def owe(storage: Storage, away: Callable[..., Owing]) -> Callable[..., Owing]:
    """Accept a toast that nobody is there for, and owe its fallback."""

    def owe(*dues: Due, **given: Any) -> Owing:
        owing = away(*dues, **given)
        storage.deliveries.owe([owing])
        return owing

    return owe


@pytest.fixture
def settle(storage: Storage, clock: ManualClock) -> Settle:
    """Note what became of an attempt; back when it is on disk."""

    def settle(delivery: Delivery, outcome: Outcome) -> None:
        state = STATES[type(outcome)]
        at = clock.now() if state == "waiting" else None
        storage.deliveries.settle(
            Carried(
                delivery=delivery,
                outcome=outcome,
                state=state,
                answer=outcome.answer,
                next_attempt_at=at,
            )
        )
        storage.inbox.facts("nothing")  # what is owed is carried out before what is asked

    return settle


def push(clock: ManualClock, **given: Any) -> Due:
    start = {"kind": "apns", "at": clock.now(), "expires_at": clock.now() + LIFE_MS}
    return Due(**start | given)


def claim(storage: Storage, *kinds: str) -> list[Delivery]:
    return storage.deliveries.claim(dict.fromkeys(kinds or ("apns",), 64), LEASE_MS)


def ends(storage: Storage, owing: Owing) -> list[tuple[str, str | None]]:
    """Return how what was owed for a toast has ended."""
    found = storage.inbox.facts(owing.toast_id)
    assert found is not None
    return [(each.state, each.last_answer) for each in found.deliveries]


def decided(row: Any, owing: Owing) -> tuple[str, str | None]:
    found = row(owing.toast_id)
    return found["state"], found["reason"]


# Owing


def test_one_push_is_owed_for_each_device_that_can_be_reached(
    storage: Storage, away: Any, phone: Any, row: Any
) -> None:
    phones = [phone("phone"), phone("tablet")]
    phone("watch", push_token=None)
    phone("other", "bob")
    owing = away()
    assert storage.deliveries.owe([owing]) == [Owed(2, 0, "apns")]
    found = row(owing.toast_id)
    assert (found["state"], found["due_at"], found["reason"]) == ("owed", None, None)
    taken = claim(storage)
    assert sorted(each.target for each in taken) == ["phone", "tablet"]
    assert min(taken, key=lambda each: each.target).device == phones[0]
    for each in taken:
        assert (each.toast_id, each.seq, each.user_id) == (owing.toast_id, owing.seq, "ada")
        assert each.payload == owing.payload


def test_of_other_kinds_one_is_owed_when_its_time_has_come(
    storage: Storage, away: Any, phone: Any, clock: ManualClock
) -> None:
    phone()
    later = push(clock, kind="email", at=clock.now() + 900_000)
    owing = away(push(clock), later)
    assert storage.deliveries.owe([owing]) == [Owed(1, 1, "apns")]
    assert [each.kind for each in claim(storage, "apns", "email")] == ["apns"]
    clock.advance(900)
    [mail] = [each for each in claim(storage, "apns", "email") if each.kind == "email"]
    assert (mail.target, mail.user_id, mail.device) == ("", "ada", None)


def test_A29_who_has_no_device_is_not_pushed_to(
    storage: Storage, away: Any, row: Any, event: Any
) -> None:
    owing = away(dedupe_key="k")
    assert storage.deliveries.owe([owing]) == [Owed(0, 0)]
    assert decided(row, owing) == ("undelivered", "no_device")
    assert not storage.inbox.accept([event(dedupe_key="k")], due_ms=2000)[0].duplicate


def test_what_was_decided_meanwhile_is_not_owed(
    storage: Storage, away: Any, phone: Any, mark: Any, row: Any
) -> None:
    phone()
    owing, fresh = away(), away()
    mark(owing.toast_id, "written")
    assert storage.deliveries.owe([owing, fresh]) == [None, Owed(1, 0, "apns")]
    assert storage.deliveries.owe([fresh]) == [None]
    assert row(owing.toast_id)["state"] == "written"
    assert len(claim(storage)) == 1


def test_a_retry_that_took_the_place_is_another_toast(
    storage: Storage, away: Any, phone: Any
) -> None:
    phone()
    owing = away()
    assert storage.deliveries.owe([replace(owing, seq=owing.seq + 1)]) == [None]
    assert storage.deliveries.owe([owing]) == [Owed(1, 0, "apns")]


@pytest.mark.parametrize(("met", "state"), [("read", "acked"), ("deleted", "superseded")])
def test_what_its_user_has_met_is_not_owed(
    storage: Storage, away: Any, phone: Any, row: Any, clock: ManualClock, met: Any, state: str
) -> None:
    phone()
    owing = away()
    storage.inbox.set_read("ada", owing.toast_id, met, clock.now())
    assert storage.deliveries.owe([owing]) == [None]
    assert row(owing.toast_id)["state"] == state
    assert claim(storage) == []


def test_a_missing_ack_is_made_up_for_by_a_push(
    storage: Storage, away: Any, phone: Any, mark: Any, row: Any, settle: Settle
) -> None:
    phone()
    owing = away(gated=True)
    assert storage.deliveries.owe([owing]) == [None]  # it is not written yet
    mark(owing.toast_id, "written", due_at=1)
    assert storage.deliveries.owe([owing]) == [Owed(1, 0, "apns")]
    [taken] = claim(storage)
    settle(taken, Refusal("no"))
    assert decided(row, owing) == ("written", None)  # as it was before


def test_a_missing_ack_that_nothing_can_make_up_for_is_not_asked_about_again(
    storage: Storage, away: Any, mark: Any, row: Any
) -> None:
    owing = away(gated=True)
    mark(owing.toast_id, "written", due_at=1)
    assert storage.deliveries.owe([replace(owing, dues=())]) == [Owed(0, 0)]
    found = row(owing.toast_id)
    assert (found["state"], found["due_at"], found["transport"]) == ("written", None, "websocket")


# Dropped instead of attempted


@pytest.mark.parametrize(
    ("met", "state", "reason"),
    [("read", "acked", None), ("seen", "acked", None), ("deleted", "superseded", "deleted")],
)
def test_what_its_user_has_met_is_not_attempted(
    storage: Storage,
    owe: Any,
    phone: Any,
    row: Any,
    clock: ManualClock,
    met: Any,
    state: str,
    reason: str | None,
) -> None:
    phone()
    owing = owe()
    storage.inbox.set_read("ada", owing.toast_id, met, clock.now())
    assert claim(storage) == []
    assert ends(storage, owing) == [("dropped", met)]
    assert decided(row, owing) == (state, reason)


def test_what_was_acked_is_not_attempted_but_despite_the_ack(
    storage: Storage, owe: Any, phone: Any, mark: Any, clock: ManualClock
) -> None:
    phone()
    owing = owe(push(clock), push(clock, kind="email", despite_ack=True))
    mark(owing.toast_id, "acked")
    assert [each.kind for each in claim(storage, "apns", "email")] == ["email"]
    assert ("dropped", "acked") in ends(storage, owing)


def test_what_a_newer_one_has_replaced_is_not_attempted(
    storage: Storage, owe: Any, phone: Any, event: Any, mark: Any
) -> None:
    phone()
    owing = owe(collapse_key="k")
    [newer] = storage.inbox.accept([event(collapse_key="k")], due_ms=2000)
    mark(newer.id, "written")
    assert claim(storage) == []
    assert ends(storage, owing) == [("dropped", "replaced")]


def test_A27_a_phone_that_has_changed_hands_does_not_ring(
    storage: Storage, owe: Any, phone: Any, row: Any
) -> None:
    phone()
    owing = owe()
    phone(user_id="bob")
    assert claim(storage) == []
    assert ends(storage, owing) == [("dropped", "no device")]
    assert decided(row, owing) == ("undelivered", "no_device")


def test_a_push_goes_where_the_device_is_registered_by_then(
    storage: Storage, owe: Any, phone: Any
) -> None:
    phone()
    owe()
    fresh = phone(push_token="fresh", environment="sandbox")
    assert [each.device for each in claim(storage)] == [fresh]


# What became of attempts


def test_what_was_sent_is_delivered(
    storage: Storage, owe: Any, phone: Any, row: Any, settle: Settle, event: Any, clock: ManualClock
) -> None:
    phone()
    owing = owe(dedupe_key="k")
    [taken] = claim(storage)
    clock.advance(1)
    settle(taken, Sent("200"))
    found = row(owing.toast_id)
    assert (found["state"], found["transport"], found["delivered_at"]) == (
        "sent",
        "apns",
        clock.now(),
    )
    assert storage.inbox.accept([event(dedupe_key="k")], due_ms=2000)[0].duplicate


def test_a_toast_fails_with_the_last_of_its_deliveries(
    storage: Storage, owe: Any, phone: Any, row: Any, settle: Settle
) -> None:
    phone("phone"), phone("tablet")
    owing = owe()
    one, other = claim(storage)
    settle(one, Refusal("no"))
    assert row(owing.toast_id)["state"] == "owed"
    settle(other, Later("busy"))
    assert row(owing.toast_id)["state"] == "owed"
    [again] = claim(storage)
    settle(again, Refusal("no"))
    assert decided(row, owing) == ("failed", "provider_error")


def test_one_that_is_sent_is_enough(
    storage: Storage, owe: Any, phone: Any, row: Any, settle: Settle
) -> None:
    phone("phone"), phone("tablet")
    owing = owe()
    one, other = claim(storage)
    settle(one, Sent())
    settle(other, Refusal("no"))
    assert decided(row, owing) == ("sent", None)


def test_a_toast_expires_with_what_is_owed_for_it(
    storage: Storage, owe: Any, phone: Any, row: Any, clock: ManualClock
) -> None:
    phone()
    until = clock.now() + 60_000
    short = owe(push(clock, expires_at=until), expires_at=until)
    for_ever = owe(push(clock, expires_at=until))
    clock.advance(60)
    assert storage.deliveries.expire(10) == 2
    assert decided(row, short) == ("expired", "expired")
    assert decided(row, for_ever) == ("failed", "provider_error")


def test_an_answer_that_comes_late_still_counts(
    storage: Storage, owe: Any, phone: Any, row: Any, settle: Settle, clock: ManualClock
) -> None:
    phone()
    owing = owe()
    [slow] = claim(storage)
    clock.advance(LIFE_MS / 1000)
    storage.deliveries.expire(10)
    assert decided(row, owing) == ("failed", "provider_error")
    settle(slow, Sent())
    assert decided(row, owing) == ("sent", None)


# An ack and a push


def test_an_ack_before_the_push_wins(
    storage: Storage, owe: Any, phone: Any, mark: Any, row: Any
) -> None:
    phone()
    owing = owe()
    mark(owing.toast_id, "acked")
    assert row(owing.toast_id)["state"] == "acked"
    assert claim(storage) == []
    assert ends(storage, owing) == [("dropped", "acked")]


def test_an_ack_during_the_push_waits_for_what_becomes_of_it(
    storage: Storage, owe: Any, phone: Any, mark: Any, row: Any, settle: Settle, clock: ManualClock
) -> None:
    phone()
    sent, refused, again = owe(), owe(), owe()
    taken = {each.toast_id: each for each in claim(storage)}
    for each in (sent, refused, again):
        mark(each.toast_id, "acked")
        assert (row(each.toast_id)["state"], row(each.toast_id)["acked_at"]) == (
            "owed",
            clock.now(),
        )
    settle(taken[sent.toast_id], Sent())
    settle(taken[refused.toast_id], Refusal("no"))
    settle(taken[again.toast_id], Later("busy"))
    assert claim(storage) == []
    states = [row(each.toast_id)["state"] for each in (sent, refused, again)]
    assert states == ["sent", "acked", "acked"]


def test_an_ack_while_nobody_knows_whether_it_was_posted_is_only_noted(
    storage: Storage, owe: Any, phone: Any, mark: Any, row: Any, settle: Settle, clock: ManualClock
) -> None:
    phone()
    owing = owe()
    [dead] = claim(storage)
    clock.advance(LEASE_MS / 1000)
    mark(owing.toast_id, "acked")
    assert row(owing.toast_id)["state"] == "owed"
    settle(dead, Sent())
    assert row(owing.toast_id)["state"] == "sent"


def test_an_ack_after_the_push_is_noted(
    storage: Storage, owe: Any, phone: Any, mark: Any, row: Any, settle: Settle, clock: ManualClock
) -> None:
    phone()
    owing = owe()
    settle(claim(storage)[0], Sent())
    clock.advance(1)
    mark(owing.toast_id, "acked")
    found = row(owing.toast_id)
    assert (found["state"], found["acked_at"]) == ("sent", clock.now())
