"""What counts most comes first, in a word for programs and a sentence for people."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest

from toastkit.ids import toast_id
from toastkit.publishing.explain import VERDICTS, Explanation, Here, Why, explain, unknown, why
from toastkit.receipts import Reason
from toastkit.records import Facts
from toastkit.testing import ManualClock

NOW = ManualClock().now()
ID = toast_id(NOW)
WRITTEN = {"state": "written", "transport": "websocket", "session_count": 1, "delivered_at": NOW}


def facts(**given: Any) -> Facts:
    start: dict[str, Any] = {
        "id": ID,
        "user_id": "ada",
        "seq": 1,
        "topic": "user:ada",
        "title": "Hello",
        "created_at": NOW,
        "state": "accepted",
        "fallback": True,
    }
    return Facts(**start | given)


def explained(
    here: list[Here] | None = None, now: int = NOW, ack_timeout_ms: int = 0, **given: Any
) -> Explanation:
    return explain(facts(**given), here, now, ack_timeout_ms)


def hinted(here: list[Here] | None = None, **given: Any) -> str:
    return "\n".join(explained(here, **given).hints)


CASES: list[tuple[str, dict[str, Any]]] = [
    ("outbox", {"waiting": True}),
    ("deleted", {**WRITTEN, "read_at": NOW, "deleted_at": NOW}),
    ("read", {"state": "undelivered", "reason": "no_session", "read_at": NOW}),
    ("read", {**WRITTEN, "read_at": NOW, "replaced_by": "newer"}),
    ("seen", {**WRITTEN, "seen_at": NOW}),
    ("superseded", {"state": "superseded", "replaced_by": "newer"}),
    ("replaced", {**WRITTEN, "replaced_by": "newer"}),
    ("replaced", {"state": "undelivered", "reason": "no_session", "replaced_by": "newer"}),
    ("acked", {**WRITTEN, "state": "acked", "acked_at": NOW}),
    ("acked", {**WRITTEN, "state": "acked", "acked_at": NOW, "reason": "replayed"}),
    ("delivered", WRITTEN),
    ("delivered", {**WRITTEN, "expires_at": NOW}),
    ("replayed", {**WRITTEN, "session_count": None, "reason": "replayed"}),
    ("sent", {"state": "sent", "transport": "apns", "delivered_at": NOW}),
    ("expired", {"state": "expired", "reason": "expired", "expires_at": NOW}),
    ("expired", {"state": "undelivered", "reason": "no_session", "expires_at": NOW}),
    ("expired", {"expires_at": NOW}),
    ("no_session", {"state": "undelivered", "reason": "no_session", "expires_at": NOW + 1}),
    ("not_subscribed", {"state": "undelivered", "reason": "not_subscribed"}),
    ("fallback_disabled", {"state": "undelivered", "reason": "fallback_disabled"}),
    ("no_device", {"state": "undelivered", "reason": "no_device"}),
    ("provider_error", {"state": "failed", "reason": "provider_error"}),
    ("provider_error", {"state": "failed"}),
    ("undelivered", {"state": "undelivered"}),
    ("queued", {"due_at": NOW + 1}),
    ("queued", {"due_at": NOW, "lease_until": NOW + 1}),
    ("queued", {"state": "owed"}),
    ("undecided", {"due_at": NOW}),
    ("undecided", {"due_at": NOW, "lease_until": NOW}),
]


@pytest.mark.parametrize(("expected", "given"), CASES)
def test_what_counts_most_is_said(expected: str, given: dict[str, Any]) -> None:
    said = explained(**given)
    assert said.why == expected
    assert said.verdict.endswith(".")
    assert "{" not in said.verdict


def test_a_written_toast_is_not_acked_when_the_time_for_it_is_over() -> None:
    assert why(facts(**WRITTEN), NOW + 4999, 5000) == "delivered"
    assert why(facts(**WRITTEN), NOW + 5000, 5000) == "not_acked"
    assert why(facts(**WRITTEN), NOW + 10**9, 0) == "delivered"


def test_every_word_has_a_sentence_and_a_case() -> None:
    assert set(VERDICTS) == set(get_args(Why))
    assert {expected for expected, _ in CASES} | {"not_acked"} == set(VERDICTS)


def test_every_reason_of_a_receipt_is_a_word() -> None:
    # A duplicate has no toast of its own to explain.
    assert set(get_args(Reason)) - {"duplicate"} <= set(VERDICTS)


def test_a_sentence_names_the_user() -> None:
    assert explained(state="undelivered", reason="no_session").verdict == (
        "ada was not shown it: nobody was in front of the app."
    )


def test_a_user_id_is_text_and_no_template() -> None:
    assert explained(user_id="{came}", read_at=NOW).verdict == "{came} has read it."


def test_connections_are_counted() -> None:
    assert "on 1 connection in" in explained(**WRITTEN).verdict
    assert "on 2 connections in" in explained(**WRITTEN | {"session_count": 2}).verdict


def test_the_timeline_is_in_the_order_of_time() -> None:
    said = explained(**WRITTEN, seen_at=NOW + 2000, read_at=NOW + 2000, expires_at=NOW + 1000)
    assert said.timeline == (
        ("2026-01-01T00:00:00+00:00", "published, on user:ada"),
        ("2026-01-01T00:00:00+00:00", "delivered, on 1 connection in front of the app"),
        ("2026-01-01T00:00:01+00:00", "time to live runs out"),
        ("2026-01-01T00:00:02+00:00", "seen by ada"),
        ("2026-01-01T00:00:02+00:00", "read by ada"),
    )


def test_a_retry_is_known_by_the_time_in_its_id() -> None:
    assert "published more than once" in hinted(created_at=NOW + 1)
    assert "published more than once" not in hinted()


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ({}, "it is in the list"),
        ({**WRITTEN, "expires_at": NOW}, "it is in the list"),
        ({"state": "superseded"}, "it is in the list only with include_collapsed"),
        ({**WRITTEN, "replaced_by": "x"}, "it is in the list only with include_collapsed"),
        ({"expires_at": NOW}, "it is not in the list any more"),
        ({"state": "expired"}, "it is not in the list any more"),
    ],
)
def test_it_is_said_whether_the_list_has_it(given: dict[str, Any], hint: str) -> None:
    assert any(each.startswith(hint) for each in explained(**given).hints)
    assert ("it is in the list" in explained(**given).hints) == (hint == "it is in the list")


def test_who_is_there_now_is_said_of_what_was_not_seen() -> None:
    unseen = {"state": "undelivered", "reason": "no_session"}
    assert "this process serves nobody" in hinted(None, **unseen)
    assert "ada is not connected to this process now" in hinted([], **unseen)
    two = [Here(True, ("user:ada",)), Here(False, ("user:ada:*",))]
    assert "now: 2 times, 1 in front of the app" in hinted(two, **unseen)
    assert "listens to" not in hinted(two, **unseen)
    assert "connected" not in hinted(two, **WRITTEN)


def test_connections_that_do_not_listen_to_its_topic_are_told() -> None:
    said = hinted(
        [Here(True, ("news",)), Here(True, ())], state="undelivered", reason="not_subscribed"
    )
    assert "none of these connections listens to user:ada; they listen to news" in said
    assert "they listen to nothing" in hinted([Here(True, ())], due_at=NOW)


def test_an_explanation_is_json() -> None:
    said = explained([Here(True, ("user:ada",))], state="undelivered", reason="no_session")
    assert msgspec.json.decode(msgspec.json.encode(said), type=Explanation) == said


@pytest.mark.parametrize("id", ["", "x", "\x00", None, 7])
def test_what_is_no_id_is_said(id: Any) -> None:
    assert "26" in unknown(id)


def test_an_unknown_id_says_when_it_was_made() -> None:
    assert "2026-01-01T00:00:00+00:00" in unknown(ID)
