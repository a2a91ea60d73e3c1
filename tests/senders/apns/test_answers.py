"""Every answer of the push service means what A.29 says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.apple.answers import REASONS
from toastkit.deliveries import Gone, Later, Outcome, Refusal, Sent
from toastkit.senders.apns.answers import Answer, is_fault, outcome

pytestmark = pytest.mark.plain

SINCE = 1_799_999_000_000


def said(reason: str, status: int | None = None, **members: Any) -> Answer:
    body = json.dumps({"reason": reason} | members).encode()
    return Answer(REASONS[reason] if status is None else status, body)


def expected(reason: str) -> Outcome:
    status = REASONS[reason]
    told = f"{status} {reason}"
    if status == 410:
        return Gone(told)
    if reason in {"IdleTimeout", "Shutdown", "TooManyRequests", "InternalServerError"}:
        return Later(told)
    if status in {429, 503} or (status == 403 and reason != "BadEnvironmentKeyIdInToken"):
        return Later(told, away=True)
    return Refusal(told, suspect=reason in {"BadDeviceToken", "DeviceTokenNotForTopic"})


@pytest.mark.parametrize("reason", REASONS)
def test_A29_every_reason_has_its_outcome(reason: str) -> None:
    assert outcome(said(reason)) == expected(reason)


def test_A29_what_was_taken_is_sent() -> None:
    assert outcome(Answer(200)) == Sent("200")


def test_A29_a_device_is_gone_since_a_time() -> None:
    answer = said("Unregistered", timestamp=SINCE)
    assert outcome(answer) == Gone("410 Unregistered", SINCE)


@pytest.mark.parametrize("status", [201, 204, 302, 307])
def test_what_no_push_service_says_loses_no_push(status: int) -> None:
    """Something is in between, which may go away again."""
    assert outcome(Answer(status)) == Later(str(status))


@pytest.mark.parametrize("timestamp", ["soon", 1.5, -1, 0, True, None, 1 << 60])
def test_A29_a_time_that_is_none_is_left_out(timestamp: Any) -> None:
    assert outcome(said("Unregistered", timestamp=timestamp)) == Gone("410 Unregistered")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7", 7.0), (" 30 ", 30.0), ("999999999", 86_400.0), ("", None), ("-1", None), ("soon", None)],
)
def test_A29_it_is_tried_again_when_the_answer_says(text: str, seconds: float | None) -> None:
    for status in (429, 500, 503):
        made = outcome(Answer(status, b"", text))
        assert isinstance(made, Later)
        assert made.seconds == seconds


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'{"reason": 1}', b'{"reason": "a\\r\\nb"}', b"\xff", b"[" * 100_000],
)
def test_an_answer_without_sense_is_its_status(body: bytes) -> None:
    assert outcome(Answer(400, body)) == Refusal("400")
    assert outcome(Answer(599, body)) == Later("599")
    assert outcome(Answer(0, body)) == Later("0")


def test_an_operator_hears_of_what_an_operator_can_mend() -> None:
    quiet = {reason for reason in REASONS if not is_fault(said(reason))}
    assert quiet == {
        *("BadDeviceToken", "DeviceTokenNotForTopic", "ExpiredToken", "Unregistered"),
        *("IdleTimeout", "Shutdown", "TooManyRequests", "InternalServerError"),
        "ServiceUnavailable",
    }
