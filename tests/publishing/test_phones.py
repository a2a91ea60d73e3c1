"""A toast nobody is there for reaches a phone, once, or its receipt says why not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.test_kit import connect, eventually
from toastkit import Config, ConfigError, Kit
from toastkit.deliveries import Delivery, Gone, Later, Outcome, Refusal, Sent
from toastkit.records import Device
from toastkit.senders import RecordingSender

RARELY = {"sweep_ms": 3_600_000, "lease_ms": 3 * 3_600_000, "confirm_ms": 5000}
"""Nobody looks by himself, and a publish has time."""

Open = Callable[..., Kit]


class Apple:
    """Answer what a test says, about whichever phone."""

    kind = "apns"
    room = 64

    def __init__(self, *answers: Outcome) -> None:
        self.answers = list(answers)
        self.posted: list[Delivery] = []
        self.closed = 0

    def post(self, delivery: Delivery) -> Outcome:
        self.posted.append(delivery)
        return self.answers.pop(0) if self.answers else Sent("200")

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def kit(url: str) -> Iterator[Open]:
    """Open a kit that serves, with these senders."""
    kits = []

    def open_kit(*senders: Any, serve: bool = True, **settings: Any) -> Kit:
        kit = Kit(Config(database_url=url, **RARELY | settings), senders=senders)
        kits.append(kit)
        if serve:
            kit.node.serve()
        return kit

    yield open_kit
    for each in kits:
        each.close()


def phone(kit: Kit, user_id: str = "ada", name: str = "phone", digit: str = "a") -> Device:
    return kit.devices.register(user_id, name, None, {"token": digit * 64})


def test_A16_A26_a_push_that_is_taken_in_time_is_delivered(kit: Open) -> None:
    here = kit(apple := Apple())
    device = phone(here)
    receipt = here.publish_toast("ada", {"title": "Hello", "body": "You"}, collapse_key="c")
    assert (receipt.delivered, receipt.transport, receipt.status) == (True, "apns", "delivered")
    assert (receipt.session_count, receipt.reason) == (0, None)
    [posted] = apple.posted
    assert (posted.device, posted.target, posted.toast_id) == (device, "phone", receipt.id)
    assert posted.payload["toast"]["title"] == "Hello"
    assert device.push_token not in str(posted.payload)
    assert here.toasts.explain(receipt.id).state == "sent"


def test_A26_nobodys_phone_rings_while_they_look(kit: Open) -> None:
    here = kit(apple := Apple())
    phone(here)
    client = connect(here, "ada")
    assert here.publish_toast("ada", "Hello").transport == "websocket"
    assert here.publish_toast("ada", "Hello", topic="user:ada:x").reason == "not_subscribed"
    assert here.publish_toast("bob", "Hello", fallback_apns=False).reason == "fallback_disabled"
    assert here.deliveries.recent() == apple.posted == []
    assert len(client.said()) == 1


def test_A11_who_has_no_phone_is_told_nothing(kit: Open) -> None:
    here = kit(Apple())
    here.devices.register("ada", "tablet", None, None)
    receipt = here.publish_toast("ada", "Hello", dedupe_key="k")
    assert (receipt.status, receipt.reason) == ("undelivered", "no_device")
    assert here.deliveries.recent() == []
    phone(here)
    again = here.publish_toast("ada", "Hello", dedupe_key="k")
    assert (again.id, again.status) == (receipt.id, "delivered")


@pytest.mark.parametrize(
    ("answer", "expected", "state"),
    [
        (Refusal("BadTopic"), ("undelivered", "none", "provider_error"), "failed"),
        (Gone("Unregistered"), ("undelivered", "none", "provider_error"), "failed"),
        (Later("busy", 60), ("queued", "apns", None), "owed"),
        (Later("nobody answers", away=True), ("queued", "apns", None), "owed"),
    ],
)
def test_A16_what_the_push_service_answers_is_in_the_receipt(
    kit: Open, answer: Outcome, expected: tuple[Any, ...], state: str
) -> None:
    here = kit(Apple(answer))
    phone(here)
    receipt = here.publish_toast("ada", "Hello")
    assert (receipt.status, receipt.transport, receipt.reason) == expected
    assert here.toasts.explain(receipt.id).state == state


def test_A_29_a_phone_that_is_gone_is_not_rung_again(kit: Open) -> None:
    here = kit(apple := Apple(Gone("Unregistered")))
    phone(here)
    here.publish_toast("ada", "Hello")
    assert here.publish_toast("ada", "Hello").reason == "no_device"
    assert len(apple.posted) == 1
    [device] = here.devices.of("ada")
    assert not here.devices.pushes(device)


def test_of_two_phones_one_that_is_taken_is_enough(kit: Open) -> None:
    here = kit(apple := Apple(Refusal("no"), Sent()))
    phone(here)
    phone(here, name="other", digit="b")
    assert here.publish_toast("ada", "Hello").status == "delivered"
    eventually(lambda: len(apple.posted) == 2)


def test_several_toasts_are_owed_and_not_waited_for(kit: Open) -> None:
    here = kit(apple := Apple())
    for user_id, digit in (("ada", "a"), ("bob", "b")):
        phone(here, user_id, user_id, digit)
    receipts = here.publish_toasts(["ada", "bob", "cyd"], "Hello")
    assert [(each.status, each.transport) for each in receipts] == [
        *[("queued", "apns")] * 2,
        ("undelivered", "none"),
    ]
    eventually(lambda: len(apple.posted) == 2)


class Hung(Apple):
    """Let every attempt hang until a test is over."""

    def __init__(self) -> None:
        super().__init__()
        self.over = threading.Event()

    def post(self, delivery: Delivery) -> Outcome:
        self.posted.append(delivery)
        self.over.wait(20)
        return Sent()


def test_a_publish_waits_no_longer_than_its_time(kit: Open) -> None:
    here = kit(apple := Hung(), confirm_ms=150, close_seconds=1)
    phone(here)
    began = time.monotonic()
    assert here.publish_toast("ada", "Hello").status == "queued"
    assert 0.14 < time.monotonic() - began < 10
    eventually(lambda: apple.posted)
    apple.over.set()


def test_while_the_push_service_is_away_nobody_waits(kit: Open) -> None:
    here = kit(apple := Apple(Later("nobody answers", 3600, away=True)))
    phone(here)
    here.publish_toast("ada", "Hello")
    began = time.monotonic()
    for _ in range(5):
        assert here.publish_toast("ada", "Hello").status == "queued"
    assert time.monotonic() - began < 4.5, "none of them waited five seconds"
    assert len(apple.posted) == 1
    assert here.deliveries.waiting() == {"apns": 6}


def test_a_process_that_does_not_carry_leaves_it_to_one_that_does(kit: Open) -> None:
    web, courier = kit(unused := Apple(), carry=False), kit(apple := Apple(), serve=False)
    phone(web)
    receipt = web.publish_toast("ada", "Hello")
    assert (receipt.status, receipt.transport) == ("queued", "apns")
    told: list[Any] = []
    courier.deliveries.carry(told.append, once=True)
    assert [(each.state, each.delivery.toast_id) for each in told] == [("sent", receipt.id)]
    assert (len(apple.posted), unused.posted) == (1, [])
    courier.close()
    assert web.toasts.explain(receipt.id).state == "sent"


def test_a_courier_of_its_own_goes_on_until_it_is_interrupted(kit: Open) -> None:
    web, courier = kit(Apple(), carry=False), kit(Apple(), serve=False, sweep_ms=10)
    phone(web)

    def interrupt(_carried: Any) -> None:
        courier._carrier().cancel()  # type: ignore[union-attr]

    web.publish_toast("ada", "Hello")
    courier.deliveries.carry(interrupt)
    courier.close()
    assert web.deliveries.recent()[0].state == "sent"


def test_who_has_nobody_to_send_anything_cannot_carry(kit: Open) -> None:
    here = kit(serve=False)
    assert here.deliveries.kinds == ()
    with pytest.raises(ConfigError, match=r"no sender is registered.*TOASTKIT_APNS_TEAM_ID"):
        here.deliveries.carry(once=True)


def test_A13_a_phone_is_pushed_to_if_a_push_could_be_sent(kit: Open) -> None:
    device = phone(sends := kit(Apple(), serve=False))
    assert sends.devices.pushes(device)
    assert not kit(serve=False).devices.pushes(device)
    assert not kit(Apple(), serve=False, fallback=("email",)).devices.pushes(device)


def test_a_kit_closes_its_senders_when_no_attempt_is_made_any_more(kit: Open) -> None:
    apple = Apple()
    kit(apple).close()
    assert apple.closed == 1


def test_A_18_who_does_not_ack_in_time_is_pushed_to(kit: Open) -> None:
    settings = {"ack_timeout_ms": 50, "sweep_ms": 20, "reconnect_ms": 0, "lease_ms": 10_000}
    here = kit(apple := Apple(), **settings)
    phone(here)
    phone(here, "bob", "other", "b")
    connect(here, "ada")
    bob = connect(here, "bob")
    receipt = here.publish_toast("ada", "Hello")
    acked = here.publish_toast("bob", "Hello")
    bob.connection.receive(b'{"type":"ack","ids":["%s"]}' % acked.id.encode())
    assert receipt.transport == "websocket"
    eventually(lambda: apple.posted)
    time.sleep(0.2)
    assert [each.toast_id for each in apple.posted] == [receipt.id]
    assert here.toasts.explain(receipt.id).state == "sent"
    assert here.toasts.explain(acked.id).state == "acked"


def test_an_email_follows_when_it_stays_unread(kit: Open) -> None:
    mail = RecordingSender("email")
    steps = {"fallback": ("apns", "email@1s"), "sweep_ms": 50, "lease_ms": 10_000}
    here = kit(Apple(), mail, **steps)
    phone(here)
    unread, read = here.publish_toast("ada", "Unread"), here.publish_toast("ada", "Read")
    here.toasts.read("ada", read.id)
    eventually(lambda: mail.posted)
    time.sleep(0.3)
    assert [each.toast_id for each in mail.posted] == [unread.id]
    assert mail.posted[0].user_id == "ada"


def test_the_settings_alone_send_pushes_to_apple(kit: Open, apple: Any) -> None:
    here = kit(**apple.config())
    assert here.deliveries.kinds == ("apns",)
    phone(here)
    receipt = here.publish_toast("ada", {"title": "Hello", "body": "You"})
    assert (receipt.status, receipt.transport) == ("delivered", "apns")
    [request] = apple.requests
    assert request.token == "a" * 64
    assert request.json["aps"]["alert"] == {"title": "Hello", "body": "You"}
    assert apple.faults() == []


def test_two_who_send_pushes_are_one_too_many(kit: Open, apple: Any) -> None:
    with pytest.raises(ConfigError, match="two senders are of kind 'apns', one you gave"):
        kit(Apple(), **apple.config())


def test_settings_of_the_push_service_are_complete_or_none(kit: Open) -> None:
    with pytest.raises(ConfigError, match=r"apns_key_file must be set, too: pushes need all of"):
        kit(apns_team_id="TEAM123456", apns_key_id="KEY1234567")
