"""What counts most comes first, in a word for programs and a sentence for people."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from tests.fakes import facts
from toastkit.publishing.verdict import VERDICTS, Why, sentence, why
from toastkit.receipts import Reason
from toastkit.testing import ManualClock

NOW = ManualClock().now()
WRITTEN = {"state": "written", "transport": "websocket", "session_count": 1, "delivered_at": NOW}
SENT = {"state": "sent", "transport": "apns", "delivered_at": NOW}

CASES: list[tuple[str, dict[str, Any]]] = [
    ("outbox", {"waiting": True}),
    ("deleted", {**WRITTEN, "read_at": NOW, "deleted_at": NOW}),
    ("read", {"state": "undelivered", "reason": "no_session", "read_at": NOW}),
    ("read", {**WRITTEN, "read_at": NOW, "replaced_by": "newer"}),
    ("seen", {**WRITTEN, "seen_at": NOW}),
    ("superseded", {"state": "superseded", "replaced_by": "newer"}),
    ("duplicate", {"state": "superseded", "reason": "duplicate"}),
    ("replaced", {**WRITTEN, "replaced_by": "newer"}),
    ("replaced", {"state": "undelivered", "reason": "no_session", "replaced_by": "newer"}),
    ("acked", {**WRITTEN, "state": "acked", "acked_at": NOW}),
    ("acked", {**WRITTEN, "state": "acked", "acked_at": NOW, "reason": "replayed"}),
    ("delivered", WRITTEN),
    ("delivered", {**WRITTEN, "expires_at": NOW}),
    ("replayed", {**WRITTEN, "session_count": None, "reason": "replayed"}),
    ("sent", SENT),
    ("sent", {**SENT, "session_count": 2}),
    ("sent", {**SENT, "transport": "email"}),
    ("acked", {**SENT, "acked_at": NOW}),
    ("read", {**SENT, "read_at": NOW}),
    ("replaced", {**SENT, "replaced_by": "newer"}),
    ("owed", {"state": "owed"}),
    ("owed", {"state": "owed", "expires_at": NOW + 1}),
    ("expired", {"state": "owed", "expires_at": NOW}),
    ("deleted", {"state": "owed", "deleted_at": NOW}),
    ("not_acked", {**WRITTEN, "state": "owed"}),
    ("acked", {"state": "acked", "acked_at": NOW, "delivered_at": NOW}),
    ("expired", {"state": "expired", "reason": "expired", "expires_at": NOW}),
    ("expired", {"state": "undelivered", "reason": "no_session", "expires_at": NOW}),
    ("expired", {"expires_at": NOW}),
    ("no_session", {"state": "undelivered", "reason": "no_session", "expires_at": NOW + 1}),
    ("not_subscribed", {"state": "undelivered", "reason": "not_subscribed"}),
    ("fallback_disabled", {"state": "undelivered", "reason": "fallback_disabled"}),
    ("no_device", {"state": "undelivered", "reason": "no_device"}),
    ("superseded", {"state": "undelivered", "reason": "superseded"}),
    ("replaced", {"state": "undelivered", "reason": "superseded", "replaced_by": "newer"}),
    ("provider_error", {"state": "failed", "reason": "provider_error"}),
    ("provider_error", {"state": "failed"}),
    ("undelivered", {"state": "undelivered"}),
    ("queued", {"due_at": NOW + 1}),
    ("queued", {"due_at": NOW, "lease_until": NOW + 1}),
    ("undecided", {"due_at": NOW}),
    ("undecided", {"due_at": NOW, "lease_until": NOW}),
]


@pytest.mark.parametrize(("expected", "given"), CASES)
def test_what_counts_most_is_said(expected: str, given: dict[str, Any]) -> None:
    word = why(facts(**given), NOW, 0)
    assert word == expected
    assert sentence(facts(**given), word).endswith(".")
    assert "{" not in sentence(facts(**given), word)


def test_a_written_toast_is_not_acked_when_the_time_for_it_is_over() -> None:
    assert why(facts(**WRITTEN), NOW + 4999, 5000) == "delivered"
    assert why(facts(**WRITTEN), NOW + 5000, 5000) == "not_acked"
    assert why(facts(**WRITTEN), NOW + 10**9, 0) == "delivered"


def test_every_word_has_a_sentence_and_a_case() -> None:
    assert set(VERDICTS) == set(get_args(Why))
    assert {expected for expected, _ in CASES} == set(VERDICTS)


def test_every_reason_of_a_receipt_is_a_word() -> None:
    # A duplicate has no toast of its own to explain.
    assert set(get_args(Reason)) - {"duplicate"} <= set(VERDICTS)


def test_a_sentence_names_the_user() -> None:
    assert sentence(facts(), "no_session") == (
        "ada was not shown it: nobody was in front of the app."
    )


def test_a_user_id_is_text_and_no_template() -> None:
    assert sentence(facts(user_id="{came}"), "read") == "{came} has read it."


def test_connections_are_counted() -> None:
    assert "on 1 connection in" in sentence(facts(**WRITTEN), "delivered")
    assert "on 2 connections in" in sentence(facts(**WRITTEN | {"session_count": 2}), "delivered")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "It was sent to a phone of ada."),
        ({"transport": "email"}, "It was sent to ada by email."),
        (
            {"session_count": 1},
            "It was sent to a phone of ada, for no client of ada confirmed it in time.",
        ),
    ],
)
def test_what_was_sent_says_how(given: dict[str, Any], said: str) -> None:
    assert sentence(facts(**SENT | given), "sent") == said
    confirmed = sentence(facts(**SENT | given), "acked")
    assert confirmed == said[:-1] + ", and a client of ada confirmed that it has it."
