"""What is owed for toasts that nobody was there for, and what becomes of them; on every database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from toastkit.deliveries import (
    Delivery,
    Later,
    Owed,
    Owing,
    Refusal,
    Sent,
)
from toastkit.ids import toast_id
from toastkit.storage import Storage
from toastkit.testing import ManualClock

LEASE_MS = 10_000
LIFE_MS = 3_600_000

Settle = Callable[..., None]


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
    storage: Storage, away: Any, phone: Any, push: Any, clock: ManualClock
) -> None:
    phone()
    later = push(kind="email", at=clock.now() + 900_000)
    owing = away(push(), later)
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
    storage: Storage, owe: Any, phone: Any, push: Any, mark: Any, clock: ManualClock
) -> None:
    phone()
    owing = owe(push(), push(kind="email", despite_ack=True))
    mark(owing.toast_id, "acked")
    assert [each.kind for each in claim(storage, "apns", "email")] == ["email"]
    assert ends(storage, owing) == [("dropped", "acked"), ("waiting", None)]


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
    storage: Storage, owe: Any, phone: Any, push: Any, row: Any, clock: ManualClock
) -> None:
    phone()
    until = clock.now() + 60_000
    short = owe(push(expires_at=until), expires_at=until)
    for_ever = owe(push(expires_at=until))
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


# Kept, shown, forgotten


def test_what_is_owed_is_not_lost_in_a_commit_that_is_not_answered(
    storage: Storage, away: Any, phone: Any, unanswered: Callable[[], list[Any]]
) -> None:
    phone()
    known, strange = away(), away(user_id="bob")
    for owings, owed in (([known], Owed(1, 0, "apns")), ([strange], Owed(0, 0))):
        lost = unanswered()
        assert storage.deliveries.owe(owings) == [owed]
        assert lost
    assert len(claim(storage)) == 1


def test_an_attempt_counts_once_in_a_commit_that_is_not_answered(
    storage: Storage, owe: Any, phone: Any, settle: Settle, unanswered: Callable[[], list[Any]]
) -> None:
    phone()
    owe()
    [taken] = claim(storage)
    lost = unanswered()
    settle(taken, Refusal("no", suspect=True))
    assert lost
    assert storage.devices.of("ada")[0].refused == 1


def test_many_are_owed_in_several_commits(storage: Storage, away: Any, phone: Any) -> None:
    phone()
    owings = [away() for _ in range(130)]
    assert storage.deliveries.owe(owings) == [Owed(1, 0, "apns")] * 130
    assert storage.deliveries.waiting() == {"apns": 130}


def test_one_of_two_processes_owes_each(both: Any, away: Any, phone: Any) -> None:
    phone()
    owings = [away() for _ in range(50)]
    one, other = both(lambda storage: [storage.deliveries.owe([each])[0] for each in owings])
    assert all((mine is None) != (theirs is None) for mine, theirs in zip(one, other, strict=True))


def test_who_is_forgotten_is_pushed_to_no_more(
    storage: Storage, owe: Any, phone: Any, settle: Settle
) -> None:
    phone()
    owe(), owe()
    [going, *_] = storage.deliveries.claim({"apns": 1}, LEASE_MS)
    exported = storage.keeping.export("ada")
    assert [len(exported[f"toastkit_{name}"]) for name in ("deliveries", "devices")] == [2, 1]
    storage.keeping.forget("ada")
    settle(going, Sent())
    assert claim(storage) == []
    assert storage.deliveries.recent(10) == []


def test_what_ended_is_pruned_and_what_is_owed_stays(
    storage: Storage, owe: Any, phone: Any, clock: ManualClock, settle: Settle, away: Any
) -> None:
    phone()
    sent = away(id=toast_id(clock.now()))
    storage.deliveries.owe([sent])
    settle(claim(storage)[0], Sent())
    owed = away(id=toast_id(clock.now()))
    storage.deliveries.owe([owed])
    list(storage.keeping.prune(clock.now() + LIFE_MS, 1000))
    assert storage.inbox.facts(sent.toast_id) is None
    assert storage.deliveries.waiting() == {"apns": 1}
    [left] = storage.deliveries.recent(10)
    assert left.toast_id == owed.toast_id
