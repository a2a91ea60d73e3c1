"""What was owed for a toast is told delivery by delivery."""

from __future__ import annotations

from typing import Any

import pytest

from toastkit.publishing.attempts import attempts, owed
from toastkit.records import StoredDelivery
from toastkit.testing import ManualClock

NOW = ManualClock().now()
SECOND = 1000


def stored(**given: Any) -> StoredDelivery:
    start: dict[str, Any] = {
        "id": "d",
        "kind": "apns",
        "target": "phone",
        "state": "sent",
        "attempts": 1,
        "created_at": NOW,
        "expires_at": NOW + 3600 * SECOND,
        "next_attempt_at": None,
        "lease_until": None,
        "last_answer": None,
        "user_id": "ada",
        "toast_id": "t",
    }
    return StoredDelivery(**start | given)


WAITING = {"state": "waiting", "next_attempt_at": NOW + SECOND, "attempts": 2}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "apns to phone was taken, at attempt 1"),
        ({"attempts": 3, "last_answer": "200"}, "apns to phone was taken, at attempt 3: 200"),
        ({"kind": "email", "target": ""}, "email was taken, at attempt 1"),
        (
            {"state": "failed", "last_answer": "400 BadTopic"},
            "apns to phone was refused for good: 400 BadTopic",
        ),
        (
            {"state": "dropped", "last_answer": "acked"},
            "apns to phone was not wanted any more: acked",
        ),
        (
            {"state": "expired", "attempts": 7, "last_answer": "503"},
            "apns to phone was given up when its time was over, after 7 attempts: 503",
        ),
        (
            WAITING | {"attempts": 0},
            "apns to phone waits, after 0 attempts; the next is due at 2026-01-01T00:00:01+00:00",
        ),
        (
            WAITING | {"last_answer": "503"},
            (
                "apns to phone waits, after 2 attempts: 503; the next is due at "
                "2026-01-01T00:00:01+00:00"
            ),
        ),
        (
            WAITING | {"lease_until": NOW + 1},
            "apns to phone is being tried now, for the 2. time",
        ),
        (
            WAITING | {"next_attempt_at": NOW - 61 * SECOND, "lease_until": NOW - 61 * SECOND},
            (
                "apns to phone waits, after 2 attempts; the next is overdue by 61 s: no process that "
                "has a sender of it is running, or the other side is away"
            ),
        ),
    ],
)
def test_what_became_of_a_delivery_is_said(given: dict[str, Any], said: str) -> None:
    assert list(attempts([stored(**given)], NOW)) == [said]


def test_what_was_owed_together_is_told_together() -> None:
    later = stored(kind="email", target="", created_at=NOW + 5)
    assert list(owed([later, stored(), stored(target="tablet")])) == [
        (NOW, "apns was owed, to 2 devices"),
        (NOW + 5, "email was owed"),
    ]
