"""Every sender keeps the promises of the contract; one that a host writes may be put here, too."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from msgspec.json import encode

from example_app.posthog import PostHogSender
from example_app.settings import PostHog
from tests.apple.papers import KEY_ID, TEAM_ID, Papers
from tests.senders.apns import pushes
from toastkit import ids
from toastkit.deliveries import Delivery, Later, Refusal, Sent
from toastkit.publishing.posting import ROOM, Senders
from toastkit.senders import RecordingSender
from toastkit.senders.apns import ApnsSender, ApnsSettings, RecordingApns
from toastkit.senders.contract import Sender

NOBODY = PostHog(api_key="phc_x", host="http://127.0.0.1:1")


def apns_sender() -> ApnsSender:
    """Return one whose push service is not there."""
    with tempfile.TemporaryDirectory() as folder:
        key = str(Papers(Path(folder)).key_file)
        named = {"team_id": TEAM_ID, "key_id": KEY_ID, "host": "127.0.0.1:1"}
        return ApnsSender(ApnsSettings(key_file=key, **named))


SENDERS: dict[str, Callable[[], Sender]] = {
    "recording": lambda: RecordingSender("mail"),
    "apns": apns_sender,
    "recording apns": RecordingApns,
    "posthog": lambda: PostHogSender(NOBODY),
}


@pytest.fixture(params=SENDERS)
def sender(request: pytest.FixtureRequest) -> Sender:
    return SENDERS[request.param]()


def delivery(sender: Sender) -> Delivery:
    if sender.kind == "apns":
        return pushes.delivery()
    payload = {"anon_uuid": "0d9b1c9e-1c5f-4c39-9a41-5a3a1f6b7c11", "user_id": "ada", "at": 1}
    return Delivery(
        id=ids.delivery_id(1),
        kind=sender.kind,
        target="",
        payload=payload,
        created_at=1,
        expires_at=2,
    )


def test_it_may_be_registered(sender: Sender) -> None:
    assert list(Senders([sender]).kinds) == [sender.kind]


def test_it_says_what_became_of_an_attempt_and_leaves_the_delivery_as_it_is(
    sender: Sender,
) -> None:
    owed = delivery(sender)
    before = encode(owed)
    assert isinstance(sender.post(owed), Sent | Refusal | Later)
    assert encode(owed) == before


def test_the_same_delivery_may_come_again(sender: Sender) -> None:
    owed = delivery(sender)
    assert type(sender.post(owed)) is type(sender.post(owed))


def test_several_attempts_go_on_side_by_side(sender: Sender) -> None:
    together = threading.Barrier(ROOM)

    def post() -> object:
        together.wait(10)
        return sender.post(delivery(sender))

    with ThreadPoolExecutor(ROOM) as pool:
        outcomes = [pool.submit(post) for _ in range(ROOM)]
    assert all(isinstance(each.result(), Sent | Refusal | Later) for each in outcomes)


def test_the_recording_one_keeps_the_newest() -> None:
    sender = RecordingSender("mail", most=2)
    owed = [delivery(sender) for _ in range(3)]
    for each in owed:
        sender.post(each)
    assert list(sender.posted) == owed[1:]
