"""Why a phone did or did not ring, staged with a real kit on every database."""

from __future__ import annotations

from typing import Any

import pytest

from tests.publishing.test_phones import Apple, Hung, Open, kit, phone
from tests.test_kit import connect, eventually
from toastkit import Kit
from toastkit.deliveries import Gone, Later, Outcome, Refusal, Sent
from toastkit.senders import RecordingSender

__all__ = ["kit"]


def said(kit: Kit, id: str) -> tuple[str, str, str]:
    """Return state, word, and everything that is said, as one text."""
    found = kit.toasts.explain(id)
    lines = [found.verdict, *(text for _, text in found.timeline), *found.hints]
    return found.state, found.why, "\n".join(lines)


@pytest.mark.parametrize(
    ("answer", "state", "word", "text"),
    [
        (Sent("200"), "sent", "sent", "apns to phone was taken, at attempt 1: 200"),
        (Sent("200"), "sent", "sent", "It was sent to a phone of ada."),
        (Refusal("413"), "failed", "provider_error", "apns to phone was refused for good: 413"),
        (Gone("410"), "failed", "provider_error", "the push service did not take it"),
        (
            Later("503", 60),
            "owed",
            "owed",
            "apns to phone waits, after 1 attempt: 503; the next is",
        ),
    ],
)
def test_what_a_phone_was_sent(
    kit: Open, answer: Outcome, state: str, word: str, text: str
) -> None:
    here = kit(Apple(answer))
    phone(here)
    found = said(here, here.publish_toast("ada", "Hello").id)
    assert found[:2] == (state, word)
    assert text in found[2]
    assert "apns was owed" in found[2]


def test_no_device_and_one_without_a_push_token(kit: Open) -> None:
    here = kit(Apple())
    id = here.publish_toast("ada", "Hello").id
    assert said(here, id)[:2] == ("undelivered", "no_device")
    here.devices.register("ada", "tablet", None, None)
    assert "none had a push token" in said(here, id)[2]


def test_no_sender(kit: Open) -> None:
    here = kit()
    phone(here)
    found = said(here, here.publish_toast("ada", "Hello").id)
    assert found[:2] == ("undelivered", "no_session")
    assert "who decided it had no sender" in found[2]


def test_a_push_that_is_on_its_way(kit: Open) -> None:
    here = kit(apple := Hung(), confirm_ms=100, close_seconds=1)
    phone(here)
    id = here.publish_toast("ada", "Hello").id
    eventually(lambda: here.deliveries.recent()[0].attempts)
    found = said(here, id)
    assert found[:2] == ("owed", "owed")
    assert "is being tried now, for the 1. time" in found[2]
    apple.over.set()


@pytest.mark.parametrize("what", ["read", "seen", "delete"])
def test_what_the_user_did_before_a_later_step(kit: Open, what: str) -> None:
    mail = RecordingSender("email")
    here = kit(mail, fallback=("email@1s",), sweep_ms=50)
    id = here.publish_toast("ada", "Hello").id
    assert said(here, id)[:2] == ("owed", "owed")
    getattr(here.toasts, what)("ada", id)
    eventually(lambda: here.deliveries.recent(state="dropped"))
    word = {"read": "read", "seen": "seen", "delete": "deleted"}[what]
    state, why, text = said(here, id)
    assert (state, why) == ("superseded" if what == "delete" else "acked", word)
    assert f"email was not wanted any more: {word}" in text
    assert not mail.posted


def test_a_push_that_followed_an_ack_that_never_came(kit: Open) -> None:
    settings: dict[str, Any] = {"ack_timeout_ms": 20, "sweep_ms": 20, "reconnect_ms": 0}
    here = kit(Apple(), **settings)
    phone(here)
    connect(here, "ada")
    id = here.publish_toast("ada", "Hello").id
    eventually(lambda: said(here, id)[0] == "sent")
    state, why, text = said(here, id)
    assert (state, why) == ("sent", "sent")
    assert "sent to a phone of ada, for no client of ada confirmed it in time" in text
    assert "delivered, on 1 connection in front of the app" in text


def test_an_ack_after_the_push(kit: Open) -> None:
    here = kit(Apple())
    phone(here)
    id = here.publish_toast("ada", "Hello").id
    client = connect(here, "ada")
    client.connection.receive(b'{"type":"ack","ids":["%s"]}' % id.encode())
    eventually(lambda: said(here, id)[1] == "acked")
    assert said(here, id)[0] == "sent"
    assert "sent to a phone of ada, and a client of ada confirmed" in said(here, id)[2]
