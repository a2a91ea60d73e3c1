"""A push that is only recorded is the one that would be sent."""

from __future__ import annotations

from threading import Timer

from tests.senders.apns.pushes import TOKEN, delivery, device
from toastkit.deliveries import Refusal, Sent
from toastkit.senders.apns import RecordingApns
from toastkit.testing import ManualClock


def test_it_is_kept_as_it_would_be_sent() -> None:
    clock = ManualClock()
    sender = RecordingApns(clock)
    owed = delivery(device(environment="sandbox"))
    assert sender.post(owed) == Sent("recorded")
    (kept,) = sender.posted
    assert (kept.delivery, kept.at) == (owed, clock.now())
    assert (kept.request.host, kept.request.path) == (
        "api.sandbox.push.apple.com",
        f"/3/device/{TOKEN}",
    )


def test_the_newest_are_kept() -> None:
    sender = RecordingApns(most=2)
    for title in "abc":
        sender.post(delivery(title=title))
    assert [kept.delivery.payload["toast"]["title"] for kept in sender.posted] == ["b", "c"]


def test_a_test_waits_for_as_many_as_it_expects() -> None:
    sender = RecordingApns()
    later = [Timer(0.05 * nth, sender.post, [delivery(title=str(nth))]) for nth in (1, 2)]
    for each in later:
        each.start()
    assert len(sender.wait(2)) == 2
    assert len(sender.wait(3, seconds=0)) == 2


def test_without_a_push_token_there_is_nowhere_to_send_it() -> None:
    sender = RecordingApns()
    assert isinstance(sender.post(delivery(device(None))), Refusal)
    assert not sender.posted
