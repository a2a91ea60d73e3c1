"""What a program owes leaves through the kit's senders, from any process, and holds up nothing."""

from __future__ import annotations

import gc
import logging
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from tests.publishing.test_phones import Open, kit
from toastkit import Config, Kit
from toastkit.deliveries import Delivery, Outcome, Sent
from toastkit.errors import ConfigError, Invalid, StorageUnavailable, TooLarge
from toastkit.senders import RecordingSender

__all__ = ["kit"]


class Gate:
    """Keep every attempt until a test opens the gate."""

    kind = "mail"

    def __init__(self) -> None:
        self.came, self.opened = threading.Semaphore(0), threading.Event()

    def post(self, _delivery: Delivery) -> Outcome:
        self.came.release()
        self.opened.wait(30)
        return Sent("through the gate")


def eventually(fact: Callable[[], Any], seconds: float = 5) -> Any:
    until = time.monotonic() + seconds
    while not (found := fact()):
        assert time.monotonic() < until, "never"
        time.sleep(0.01)
    return found


def test_what_is_owed_here_is_posted_at_once(kit: Open) -> None:
    mail = RecordingSender("mail")
    here = kit(mail)
    id = here.deliveries.owe("mail", {"text": "Hello"}, target="ada@example.org", user_id=7)
    [posted] = eventually(lambda: mail.posted)
    assert posted.payload == {"text": "Hello"}
    assert (posted.id, posted.target, posted.user_id) == (id, "ada@example.org", "7")
    assert posted.expires_at - posted.created_at == 259_200_000
    eventually(lambda: here.deliveries.recent(state="sent"))
    assert here.deliveries.waiting() == {}


def test_what_a_process_owes_that_serves_nobody_leaves_elsewhere(kit: Open) -> None:
    mail, unused = RecordingSender("mail"), RecordingSender("mail")
    cron = kit(unused, serve=False)
    kit(mail, sweep_ms=20)
    cron.deliveries.owe("mail", {})
    eventually(lambda: mail.posted)
    assert not unused.posted


def test_each_of_many_leaves_once_from_two_processes(kit: Open) -> None:
    mails = [RecordingSender("mail") for _ in range(2)]
    first, _ = (kit(mail, sweep_ms=20) for mail in mails)
    owed = {first.deliveries.owe("mail", {"n": number}) for number in range(100)}
    eventually(lambda: not first.deliveries.waiting(), 20)
    posted = [delivery.id for mail in mails for delivery in mail.posted]
    assert len(posted) == 100
    assert set(posted) == owed


def test_a_sender_that_hangs_holds_up_no_publish_and_no_other_kind(kit: Open) -> None:
    gate, chat = Gate(), RecordingSender("chat")
    here = kit(gate, chat)
    for _ in range(20):
        here.deliveries.owe("mail", {})
    for _ in range(8):
        assert gate.came.acquire(timeout=20)
    assert here.publish_toast("ada", "Hello").status == "undelivered"
    here.deliveries.owe("chat", {})
    eventually(lambda: chat.posted)
    assert not gate.came.acquire(timeout=0.05)
    gate.opened.set()
    eventually(lambda: len(here.deliveries.recent(state="sent")) == 21)


def test_closing_waits_for_attempts_that_go_on(kit: Open, url: str) -> None:
    gate = Gate()
    here = kit(gate)
    here.deliveries.owe("mail", {})
    assert gate.came.acquire(timeout=20)
    threading.Timer(0.2, gate.opened.set).start()
    here.close()
    with Kit(Config(database_url=url)) as later:
        assert later.deliveries.recent()[0].last_answer == "through the gate"


def test_closing_does_not_wait_for_one_that_hangs(kit: Open, url: str) -> None:
    gate = Gate()
    here = kit(gate, close_seconds=1)
    here.deliveries.owe("mail", {})
    assert gate.came.acquire(timeout=20)
    began = time.monotonic()
    here.close()
    assert time.monotonic() - began < 10
    gate.opened.set()
    with Kit(Config(database_url=url)) as later:
        assert later.deliveries.recent()[0].state == "waiting"


def test_an_answer_that_comes_when_the_database_is_closed_ends_nothing(
    kit: Open, caplog: pytest.LogCaptureFixture
) -> None:
    gate = Gate()
    here = kit(gate, close_seconds=1)
    here.deliveries.owe("mail", {})
    assert gate.came.acquire(timeout=20)
    here.close()
    with caplog.at_level(logging.WARNING):
        gate.opened.set()
        eventually(lambda: "were not written: storage is closed" in caplog.text)


class App:
    """Hold a kit that has a sender which holds the app."""

    kind = "mail"

    def __init__(self, url: str) -> None:
        self.kit = Kit(Config(database_url=url, sweep_ms=1), senders=[self])
        self.kit.node.serve()

    def post(self, _delivery: Delivery) -> Outcome:
        return Sent()


def used(app: App) -> Any:
    app.kit.deliveries.owe("mail", {})
    eventually(lambda: app.kit.deliveries.recent(state="sent"))
    return app.kit._couriers[0]


def test_a_kit_whose_senders_hold_the_app_is_not_kept_alive(url: str) -> None:
    app = App(url)
    known, courier = weakref.ref(app), used(app)
    del app
    # Where many tests have run in one process, a busy machine takes seconds to look through it once.
    eventually(lambda: gc.collect() is not None and known() is None, 20)
    assert courier._ended.wait(5)


def test_senders_are_checked_when_the_kit_is_made(kit: Open) -> None:
    with pytest.raises(ConfigError, match="two senders are of kind 'mail'"):
        kit(RecordingSender("mail"), RecordingSender("mail"))


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"kind": ""}, "kind"),
        ({"kind": "a\nb"}, "kind"),
        ({"kind": None}, "kind"),
        ({"payload": ["x"]}, "payload"),
        ({"payload": {"x": object()}}, "payload"),
        ({"target": "x" * 2001}, "target"),
        ({"target": "a\x00"}, "target"),
        ({"target": "\ud800"}, "target"),
        ({"user_id": "a b"}, "user_id"),
        ({"seconds": 0}, "seconds"),
        ({"seconds": 1.5}, "seconds"),
        ({"seconds": 10**9}, "seconds"),
    ],
)
def test_what_cannot_be_owed_is_named(kit: Open, given: dict[str, Any], field: str) -> None:
    here = kit(serve=False)
    with pytest.raises(Invalid, match=field):
        here.deliveries.owe(**{"kind": "mail", "payload": {}} | given)
    assert here.deliveries.recent() == []


def test_a_payload_has_its_limit(kit: Open) -> None:
    here = kit(serve=False, control_bytes=100)
    with pytest.raises(TooLarge, match="payload must be at most 100 bytes"):
        here.deliveries.owe("mail", {"text": "x" * 100})


@pytest.mark.parametrize("given", [{"limit": 0}, {"limit": 1001}, {"limit": True}, {"state": "x"}])
def test_a_list_that_cannot_be_had_is_refused(kit: Open, given: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        kit(serve=False).deliveries.recent(**given)


def test_what_could_not_be_stored_is_told(kit: Open) -> None:
    here = kit(serve=False)
    here.close()
    with pytest.raises(StorageUnavailable):
        here.deliveries.owe("mail", {})


def test_who_carried_once_and_serves_then_hears_of_a_push_in_time(kit: Open) -> None:
    here = kit(pushes := RecordingSender("apns"), serve=False, confirm_ms=5000)
    here.devices.register("ada", "phone", None, {"token": "a" * 64})
    for _ in range(3):
        here.deliveries.carry(once=True)
    here.node.serve()
    assert here.publish_toast("ada", "Hello").delivered
    assert len(pushes.posted) == 1


def test_who_carries_once_goes_on_when_those_that_fill_its_room_are_back(kit: Open) -> None:
    here = kit(gate := Gate(), serve=False, sweep_ms=1)
    for _ in range(9):
        here.deliveries.owe("mail", {})
    threading.Timer(0.3, gate.opened.set).start()
    here.deliveries.carry(once=True)
    eventually(lambda: here.deliveries.waiting() == {})


def test_who_carries_every_minute_keeps_nothing_of_it(
    kit: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, couriers = kit(RecordingSender("mail"), serve=False), []
    make = here._make_courier

    def made(told: Any) -> Any:
        couriers.append(weakref.ref(courier := make(told)))
        return courier

    monkeypatch.setattr(here, "_make_courier", made)
    for _ in range(3):
        here.deliveries.carry(once=True)
    gc.collect()
    assert [courier() is None for courier in couriers] == [True, True, False]


def test_a_forked_child_waits_for_no_attempt_of_its_parent(kit: Open) -> None:
    here = kit(gate := Gate(), close_seconds=30)
    here.deliveries.owe("mail", {})
    assert gate.came.acquire(timeout=20)
    here._forked()  # as in a child, where the attempt never comes to its end
    began = time.monotonic()
    here.close()
    assert time.monotonic() - began < 15
    gate.opened.set()


def test_a_short_lease_is_renewed_in_time_however_rarely_anybody_looks(kit: Open) -> None:
    here = kit(gate := Gate(), lease_ms=900)
    here.deliveries.owe("mail", {})
    assert gate.came.acquire(timeout=20)

    def until() -> int:
        return here.deliveries.recent()[0].lease_until or 0

    first = until()
    eventually(lambda: until() > first)
    gate.opened.set()
