"""Beside the verdict stands what happened when, and what else matters."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes import facts
from tests.publishing.test_attempts import stored
from toastkit.publishing.hints import Here, hints, timeline
from toastkit.publishing.verdict import why
from toastkit.testing import ManualClock

NOW = ManualClock().now()
WRITTEN = {"state": "written", "transport": "websocket", "session_count": 1, "delivered_at": NOW}


def told(here: list[Here] | None = None, **given: Any) -> tuple[str, ...]:
    known = facts(**given)
    return hints(known, why(known, NOW, 0), here, NOW)


def hinted(here: list[Here] | None = None, **given: Any) -> str:
    return "\n".join(told(here, **given))


def test_the_timeline_is_in_the_order_of_time() -> None:
    times = {"seen_at": NOW + 2000, "read_at": NOW + 2000, "expires_at": NOW + 1000}
    assert timeline(facts(**WRITTEN, **times), NOW) == (
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
    assert any(each.startswith(hint) for each in told(**given))
    assert ("it is in the list" in told(**given)) == (hint == "it is in the list")


def test_what_was_delivered_to_a_visitor_says_so() -> None:
    text = "it was delivered before ada signed in, to the anonymous principal whose it was then"
    assert text in told(**WRITTEN, reason="rebound")
    assert text not in told(**WRITTEN)


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


PUSHED = {"state": "sent", "transport": "apns", "delivered_at": NOW}


def test_a_push_is_in_the_timeline_and_one_on_a_socket_stays_that() -> None:
    push = stored(created_at=NOW)
    assert timeline(facts(**PUSHED, deliveries=(push,)), NOW)[1:] == (
        ("2026-01-01T00:00:00+00:00", "apns was owed"),
        ("2026-01-01T00:00:00+00:00", "sent to a phone"),
    )
    late = facts(**PUSHED, session_count=1)
    assert timeline(late, NOW)[1][1] == "delivered, on 1 connection in front of the app"
    mail = facts(**PUSHED | {"transport": "email"})
    assert timeline(mail, NOW)[1][1] == "sent by email"


def test_what_was_sent_promises_no_more_than_that() -> None:
    promise = "what was sent was taken; whether a phone showed it nobody is told"
    assert promise in told(**PUSHED)
    assert promise not in told(**PUSHED | {"transport": "email"})


def test_each_delivery_is_told() -> None:
    said = hinted(state="failed", deliveries=(stored(state="failed", last_answer="BadTopic"),))
    assert "apns to phone was refused for good: BadTopic" in said


def test_why_no_phone_rang_is_said() -> None:
    undelivered = {"state": "undelivered", "reason": "no_device"}
    assert "none had a push token" in hinted(**undelivered, devices=1)
    assert "none had a push token" not in hinted(**undelivered)
    assert "nothing was to follow" in hinted(**undelivered | {"reason": "no_session"})
