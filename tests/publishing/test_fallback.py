"""What the settings name is owed where nobody was there, and its outcome told if it comes in time."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes import World, toast
from tests.publishing.phones import Phones
from toastkit.deliveries import Due, Gone, Later, Outcome, Owed, Refusal, Sent
from toastkit.events import Event
from toastkit.receipts import Receipt

NOW = World().clock.now()
HOUR, MINUTE = 3_600_000, 60_000
CHAIN = {"fallback": ("apns", "email@15m")}


def phones(*kinds: str, **settings: Any) -> Phones:
    return Phones(World(**settings), *(kinds or ("apns",)))


def dues(here: Phones, **given: Any) -> list[tuple[Any, ...]]:
    owings = here.fallback.owings([toast(seq=1, **given)])
    found = [due for owing in owings for due in owing.dues]
    return [(due.kind, due.at - NOW, due.expires_at - NOW, due.despite_ack) for due in found]


def owe(here: Phones, event: Event | None = None, wait: bool = True) -> Receipt:
    event = event or toast(id="a", seq=1)
    until = here.world.clock.monotonic() + 0.2 if wait else None
    [receipt] = here.fallback.owe(here.fallback.owings([event]), until).values()
    return receipt


def test_a_step_without_a_sender_is_none() -> None:
    assert dues(phones("mail")) == []
    assert [step.kind for step in phones("email", **CHAIN).fallback.steps] == ["email"]


def test_a_step_that_was_written_down_is_missed(caplog: pytest.LogCaptureFixture) -> None:
    phones("mail").fallback.warn()
    assert caplog.text == ""
    phones("apns", fallback=("apns", "email@15m")).fallback.warn()
    assert "for the step 'email' of TOASTKIT_FALLBACK: no sender" in caplog.text


def test_it_is_tried_for_an_hour_or_until_the_toast_has_expired() -> None:
    assert dues(phones()) == [("apns", 0, HOUR, False)]
    assert dues(phones(fallback_seconds=60)) == [("apns", 0, MINUTE, False)]
    assert dues(phones(), expires_at=NOW + 5) == [("apns", 0, 5, False)]
    assert dues(phones(), created_at=NOW - MINUTE) == [("apns", 0, HOUR - MINUTE, False)]


def test_a_later_step_waits_and_an_ack_does_not_drop_it() -> None:
    both = phones("apns", "email", **CHAIN)
    late = ("email", 15 * MINUTE, 15 * MINUTE + HOUR, True)
    assert dues(both) == [("apns", 0, HOUR, False), late]


def test_A30_what_would_begin_after_the_toasts_time_is_not_owed() -> None:
    both = phones("apns", "email", **CHAIN)
    short, long = 15 * MINUTE, 15 * MINUTE + 1
    assert dues(both, expires_at=NOW + short) == [("apns", 0, short, False)]
    assert dues(both, expires_at=NOW + long)[1:] == [("email", short, long, True)]


def test_A30_now_or_never_is_tried_for_as_long_as_a_publish_waits() -> None:
    assert dues(phones("apns", "email", **CHAIN), expires_at=NOW) == [("apns", 0, 250, False)]


def test_what_is_owed_long_after_its_time_is_not_owed() -> None:
    assert dues(phones(), created_at=NOW - HOUR) == []


def test_a_delivery_holds_the_toast_and_no_push_token() -> None:
    here = phones()
    event = toast(id="a", seq=7, data={"data": {"x": 1}}, collapse_key="c", expires_at=NOW + 9)
    [owing] = here.fallback.owings([event])
    assert (owing.toast_id, owing.user_id, owing.seq, owing.at, owing.gated) == (
        *("a", "u1", 7, NOW, False),
    )
    assert owing.payload == {
        "toast": {
            "id": "a",
            "topic": "user:u1",
            "title": "Hello",
            "body": None,
            "style": "info",
            "priority": "normal",
            "deeplink": None,
            "data": {"x": 1},
            "created_at": NOW,
            "expires_at": NOW + 9,
            "collapse_key": "c",
        }
    }


@pytest.mark.parametrize(
    ("outcomes", "receipt"),
    [
        ([Sent()], Receipt.pushed("a", "apns")),
        ([Refusal("no"), Sent()], Receipt.pushed("a", "apns")),
        ([Refusal("no"), Gone("gone")], Receipt.undelivered("a", "provider_error")),
        ([Refusal("no"), Later("busy")], Receipt.owed("a", "apns")),
        ([Later("away", away=True)] * 2, Receipt.owed("a", "apns")),
        ([Refusal("no")], Receipt.owed("a", "apns")),
        ([], Receipt.owed("a", "apns")),
    ],
)
def test_A16_a_receipt_says_what_became_of_two_phones(
    outcomes: list[Outcome], receipt: Receipt
) -> None:
    here = phones()
    here.owed.says = lambda owing: Owed(2, 0, "apns")
    here.answer("a", *outcomes)
    assert owe(here) == receipt


@pytest.mark.parametrize(
    ("owed", "receipt"),
    [
        (None, Receipt.queued("a")),
        (Owed(0, 0), Receipt.undelivered("a", "no_device")),
        (Owed(0, 1), Receipt.owed("a", None)),
        (Owed(1, 1, "apns"), Receipt.owed("a", None)),
    ],
)
def test_what_is_owed_later_on_is_queued(owed: Owed | None, receipt: Receipt) -> None:
    here = phones("apns", "email", **CHAIN)
    here.owed.says = lambda owing: owed
    here.answer("a", Refusal("no"))
    assert owe(here) == receipt
    assert here.carrier is not None
    assert here.carrier.hurried == bool(owed and owed.now)


def test_an_email_to_who_has_no_phone_is_no_push() -> None:
    here = phones("apns", "email", fallback=("apns", "email"))
    here.owed.says = lambda owing: Owed(1, 0, "email")
    assert owe(here) == Receipt.owed("a", "email")


@pytest.mark.parametrize("without", ["carrier", "health", "patience"])
def test_nobody_waits_where_it_would_be_in_vain(without: str) -> None:
    here = phones()
    here.answer("a", Sent())
    assert here.carrier is not None
    if without == "carrier":
        here.carrier = None
    elif without == "health":
        here.carrier.well = False
    assert owe(here, wait=without != "patience") == Receipt.owed("a", "apns")


def test_nobody_waits_for_two_steps_of_which_one_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    here = phones("apns", "email", fallback=("apns", "email"))
    here.owed.says = lambda owing: Owed(2, 0, "apns")
    here.answer("a", Sent())
    monkeypatch.setattr(here.carrier, "prompt", lambda kind: kind == "apns")
    assert owe(here) == Receipt.owed("a", "apns")


def test_of_several_toasts_none_is_waited_for_and_the_courier_is_hurried_once() -> None:
    here = phones()
    here.answer("a", Sent())
    owings = here.fallback.owings([toast(id="a", seq=1), toast(id="b", seq=2)])
    receipts = here.fallback.owe(owings, here.world.clock.monotonic() + 9)
    assert receipts == {id: Receipt.owed(id, "apns") for id in "ab"}
    assert here.carrier is not None
    assert here.carrier.hurried == 1


def test_what_cannot_be_owed_now_is_decided_later(caplog: pytest.LogCaptureFixture) -> None:
    here = phones()
    here.owed.broken = True
    assert owe(here) == Receipt.queued("a")
    assert "fallbacks of 1 toasts are not owed yet: the database is locked" in caplog.text


def test_A_18_an_overdue_ack_is_noted_also_where_nothing_is_due() -> None:
    here = phones("mail")
    here.fallback.owe(here.fallback.owings([toast(id="a", seq=1)], gated=True))
    [owing] = here.owed.owings
    assert (owing.gated, owing.dues) == (True, ())
    ready = phones()
    [owing] = ready.fallback.owings([toast(id="a", seq=1)], gated=True)
    assert owing.dues == (Due(kind="apns", at=NOW, expires_at=NOW + HOUR),)
