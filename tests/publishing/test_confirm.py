"""Delivered is confirmed, never guessed."""

from typing import Any

import pytest

from tests.fakes import toast
from toastkit.backplane.contract import Confirmation
from toastkit.config import Config
from toastkit.publishing import decide
from toastkit.receipts import Receipt

MADE = toast().created_at
LATER = MADE + 250
TTL = {"expires_at": MADE + 200}
NOW_OR_NEVER = {"expires_at": MADE}


def answers(written: int, present: int, complete: bool = True) -> Confirmation:
    return Confirmation(written, present, complete)


@pytest.mark.parametrize(
    ("given", "confirmation", "reason"),
    [
        ({}, answers(0, 0), "no_session"),
        ({"fallback": False}, answers(0, 0), "fallback_disabled"),
        ({}, answers(0, 2), "not_subscribed"),
        ({"fallback": False}, answers(0, 2), "not_subscribed"),
        (TTL, answers(0, 0), "expired"),
        (TTL, answers(0, 1), "not_subscribed"),
        (NOW_OR_NEVER, answers(0, 0), "no_session"),
        (NOW_OR_NEVER, answers(0, 1), "not_subscribed"),
        (NOW_OR_NEVER | {"fallback": False}, answers(0, 0), "fallback_disabled"),
    ],
)
def test_what_every_worker_denies_is_undelivered(
    given: dict[str, Any], confirmation: Confirmation, reason: Any
) -> None:
    event = toast(**given)
    receipt, change = decide(event, confirmation, LATER, Config())
    assert receipt == Receipt.undelivered(event.id, reason)
    assert change is not None
    assert change.state == ("expired" if reason == "expired" else "undelivered")
    assert (change.id, change.user_id, change.at, change.transport) == (event.id, "u1", LATER, None)
    assert change.reason == reason


@pytest.mark.parametrize("complete", [True, False])
@pytest.mark.parametrize("given", [{}, TTL, NOW_OR_NEVER, {"fallback": False}])
def test_A16_one_confirmed_frame_is_delivered(given: dict[str, Any], complete: bool) -> None:
    receipt, change = decide(toast(**given), answers(2, 3, complete), LATER, Config())
    assert receipt == Receipt.shown("01HXY7Z1", 2)
    assert change is not None
    assert (change.state, change.transport) == ("written", "websocket")
    assert (change.session_count, change.due_at) == (2, None)


@pytest.mark.parametrize("given", [{}, TTL, NOW_OR_NEVER, {"fallback": False}])
@pytest.mark.parametrize("present", [0, 1])
def test_a_missing_answer_leaves_it_undecided(given: dict[str, Any], present: int) -> None:
    receipt, change = decide(toast(**given), answers(0, present, complete=False), LATER, Config())
    assert receipt == Receipt.queued("01HXY7Z1")
    assert change is None


@pytest.mark.parametrize(("age", "state"), [(59_999, None), (60_000, "undelivered")])
def test_a_missing_answer_is_not_waited_for_for_ever(age: int, state: str | None) -> None:
    receipt, change = decide(toast(), answers(0, 0, complete=False), MADE + age, Config())
    assert (change and change.state) == state
    assert receipt.status == (state or "queued")


@pytest.mark.parametrize(
    ("given", "due_at"),
    [({}, LATER + 5000), ({"fallback": False}, None), (NOW_OR_NEVER, None)],
    ids=["fallback", "no fallback", "now or never"],
)
def test_A_18_a_toast_with_a_fallback_is_due_when_its_ack_is(
    given: dict[str, Any], due_at: int | None
) -> None:
    config = Config(ack_timeout_ms=5000)
    _, change = decide(toast(**given), answers(1, 1), LATER, config)
    assert change is not None
    assert change.due_at == due_at
