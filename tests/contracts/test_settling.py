"""What becomes of attempts, and of acks meanwhile; on every database."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contracts.pushes import LEASE_MS, LIFE_MS, Settle, claim, decided, ends
from toastkit.deliveries import Carried, Gone, Later, Refusal, Sent
from toastkit.storage import Storage
from toastkit.storage.settling import Settlement
from toastkit.testing import ManualClock

pytestmark = pytest.mark.plain

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


def test_who_writes_to_a_device_waits_for_who_registers_one(
    storage: Storage, owe: Any, phone: Any, clock: ManualClock
) -> None:
    """Or each could wait for the other: the device may be leaving for another user."""
    phone(taken_at=clock.now())
    owe()
    [taken] = claim(storage)

    def about(outcome: Sent | Gone) -> list[str]:
        carried = Carried(delivery=taken, outcome=outcome, state="sent", answer="")
        return Settlement(carried, clock.now()).about

    assert about(Gone("410")) == ["ada", "devices"]
    assert about(Sent("200")) == ["ada"]


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
    assert len(storage.deliveries.expire(10)) == 2
    assert decided(row, short) == ("expired", "expired")
    assert decided(row, for_ever) == ("failed", "provider_error")


def test_A16_now_or_never_fails_when_now_was_refused(
    storage: Storage, owe: Any, phone: Any, push: Any, row: Any, settle: Settle, clock: ManualClock
) -> None:
    phone()
    owing = owe(push(expires_at=clock.now() + 250), expires_at=clock.now())
    settle(claim(storage)[0], Refusal("no"))
    assert decided(row, owing) == ("failed", "provider_error")


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
