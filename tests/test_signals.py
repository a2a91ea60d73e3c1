"""Every signal but those of a publish: who came and went, what ended, whose sessions are over."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hearing import Heard
from tests.test_kit import connect, eventually
from toastkit import Config, Kit, signals
from toastkit.deliveries import Delivery, Later, Outcome, Refusal, Sent
from toastkit.errors import SessionRevoked
from toastkit.ids import default_device_id
from toastkit.senders import RecordingSender
from toastkit.signals import client_connected, client_disconnected, delivery_settled
from toastkit.testing import ManualClock


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/toastkit.db"


@pytest.fixture
def kit(url: str) -> Iterator[Kit]:
    with Kit(Config(database_url=url), clock=ManualClock()) as kit:
        yield kit


# Clients


def test_a_client_comes_and_goes_and_both_are_told_in_order(kit: Kit) -> None:
    heard: list[tuple[str, dict[str, Any]]] = []

    def came(_: Kit, **facts: Any) -> None:
        heard.append(("came", facts))

    def left(_: Kit, **facts: Any) -> None:
        heard.append(("left", facts))

    client_connected.connect(came, sender=kit)
    client_disconnected.connect(left, sender=kit)
    connection = connect(kit, "ada").connection
    kit.node.runtime.ask(connection.lost)
    eventually(lambda: len(heard) == 2)
    known = {"user_id": "ada", "device_id": "d", "connection_id": connection.id}
    assert heard == [("came", {**known, "topics": ("user:ada",)}), ("left", known)]


def test_a_client_that_named_no_device_is_told_by_its_users(kit: Kit) -> None:
    heard = Heard(client_connected, kit)
    connect(kit, "ada", default_device_id("ada"))
    eventually(lambda: heard.told)
    assert heard.told[0]["device_id"] == default_device_id("ada")


def test_closing_tells_that_everybody_has_gone_before_it_returns(url: str) -> None:
    with Kit(Config(database_url=url)) as kit:
        heard = Heard(client_disconnected, kit)
        for n in range(40):
            connect(kit, f"u{n}")
    assert len(heard.told) == 40


@pytest.mark.plain
def test_closing_waits_no_longer_than_it_must_for_a_receiver_that_hangs(url: str) -> None:
    hang = threading.Event()

    def receiver(_: Kit, **__: Any) -> None:
        hang.wait(30)

    with Kit(Config(database_url=url, close_seconds=1)) as kit:
        client_disconnected.connect(receiver, sender=kit)
        connect(kit, "ada")
    hang.set()


def test_a_slow_receiver_holds_up_only_its_own_connection(kit: Kit) -> None:
    heard, go_on = [], threading.Event()

    def receiver(_: Kit, user_id: str, **__: Any) -> None:
        if user_id == "slow":
            go_on.wait(10)
        heard.append(user_id)

    client_connected.connect(receiver, sender=kit)
    slow = connect(kit, "slow")
    connect(kit, "ada")
    eventually(lambda: heard == ["ada"])
    assert slow.say({"type": "ping"}), "it is served all the same"
    go_on.set()
    eventually(lambda: heard == ["ada", "slow"])


def test_a_receiver_of_a_connection_may_publish_and_close_it(kit: Kit) -> None:
    answers: list[str] = []

    def welcome(kit: Kit, user_id: str, **_: Any) -> None:
        answers.append(kit.publish_toast(user_id, "Welcome back").status)
        kit.sessions.revoke_all(user_id)

    client_connected.connect(welcome, sender=kit)
    client = connect(kit, "ada")
    eventually(lambda: answers == ["delivered"])
    eventually(lambda: any("Welcome back" in str(each) for each in client.said()))


def test_it_is_told_in_the_hosts_context_and_never_on_the_loop(kit: Kit) -> None:
    heard = Heard(client_connected, kit)
    connect(kit, "ada")
    eventually(lambda: heard.told)
    if kit.node.runtime.name == "threads":  # gevent's jobs and its loop are one thread
        assert heard.threads != [kit.node.runtime.ask(threading.get_ident)]


def test_online_asks_from_any_thread(kit: Kit) -> None:
    found: list[int] = []
    connect(kit, "ada")
    asking = threading.Thread(target=lambda: found.append(kit.node.online("ada")))
    asking.start()
    asking.join()
    assert found == [kit.node.online("ada")] == [1]


@pytest.mark.plain
def test_the_end_of_the_program_tells_who_has_gone(tmp_path: Path) -> None:
    script = f"""
import threading
from tests.test_kit import connect
from toastkit import Config, Kit
from toastkit.signals import client_disconnected
kit = Kit(Config(database_url="sqlite:///{tmp_path}/toastkit.db"))
client_disconnected.connect(lambda kit, **facts: print(facts["user_id"], flush=True), weak=False)
connect(kit, "ada")
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert (done.stdout, done.stderr) == ("ada\n", "")


# Sessions


def test_a_logout_is_told_once(kit: Kit) -> None:
    heard = Heard(signals.session_revoked, kit)
    token, _ = kit.sessions.mint("ada")
    kit.sessions.revoke(token)
    with pytest.raises(SessionRevoked):
        kit.sessions.revoke(token)
    assert heard.told == [{"user_id": "ada", "sessions": 1}]


def test_of_two_logouts_at_once_one_is_told(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = Heard(signals.session_revoked, kit)
    token, _ = kit.sessions.mint("ada")
    monkeypatch.setattr(kit.sessions._repository, "revoke", lambda *_: False)  # the other one won
    with pytest.raises(SessionRevoked):
        kit.sessions.revoke(token)
    assert heard.told == []


def test_revoking_all_tells_how_many(kit: Kit) -> None:
    heard = Heard(signals.session_revoked, kit)
    for _ in range(3):
        kit.sessions.mint("ada")
    assert kit.sessions.revoke_all("ada") == 3
    assert kit.sessions.revoke_all("ada") == 0
    assert heard.told == [{"user_id": "ada", "sessions": 3}]


def test_what_another_process_revoked_is_its_own_to_tell(kit: Kit, url: str) -> None:
    heard = Heard(signals.session_revoked, kit)
    token, _ = kit.sessions.mint("ada")
    with Kit(Config(database_url=url), clock=ManualClock()) as other:
        told = Heard(signals.session_revoked, other)
        other.sessions.revoke(token)
    kit.sessions.revocations.look()
    assert (len(told.told), heard.told) == (1, [])


def test_a_rebind_is_told_and_the_sessions_it_ended(kit: Kit) -> None:
    ended = Heard(signals.session_revoked, kit)
    heard = Heard(signals.rebound, kit)
    anonymous = kit.identity.anonymous
    old = anonymous.begin("phone")[1].user_id
    anonymous.rebind("ada", "phone")
    assert heard.told == [{"user_id": "ada", "anonymous_id": old}]
    assert ended.told == [{"user_id": old, "sessions": 1}]


def test_a_rebind_that_changes_nothing_is_not_told(kit: Kit) -> None:
    heard = Heard(signals.rebound, kit)
    kit.identity.anonymous.begin("phone")
    kit.identity.anonymous.rebind("ada", "tablet")
    assert heard.told == []
    for _ in range(2):
        kit.identity.anonymous.rebind("ada", "phone")
    assert len(heard.told) == 1


# Deliveries


class Post:
    """Send as a test says; without more to say, everything is taken."""

    kind = "mail"

    def __init__(self, *outcomes: Outcome) -> None:
        self.outcomes = list(outcomes)

    def post(self, _: Delivery) -> Outcome:
        return self.outcomes.pop(0) if self.outcomes else Sent("taken")


@pytest.fixture
def make(url: str) -> Iterator[Callable[..., Kit]]:
    kits: list[Kit] = []

    def make(*outcomes: Outcome) -> Kit:
        kit = Kit(Config(database_url=url), clock=ManualClock(), senders=[Post(*outcomes)])
        kits.append(kit)
        return kit

    yield make
    for kit in kits:
        kit.close()


@pytest.mark.parametrize(
    ("outcome", "state"), [(Sent("taken"), "sent"), (Refusal("no such address"), "failed")]
)
def test_what_an_attempt_ended_is_told(make: Callable[..., Kit], outcome: Any, state: str) -> None:
    kit = make(outcome)
    heard = Heard(delivery_settled, kit)
    id = kit.deliveries.owe("mail", {"subject": "Hello"}, user_id="ada")
    kit.deliveries.carry(once=True)
    [told] = heard.told
    assert (told["delivery"].id, told["state"], told["answer"]) == (id, state, outcome.answer)
    assert told["delivery"].payload == {"subject": "Hello"}


def test_what_is_tried_again_has_not_ended_and_what_expires_has(make: Callable[..., Kit]) -> None:
    kit = make(Later("busy"))
    heard = Heard(delivery_settled, kit)
    kit.deliveries.owe("mail", {"n": 1}, seconds=60)
    kit.deliveries.carry(once=True)
    assert heard.told == []
    clock = kit._ground.clock
    assert isinstance(clock, ManualClock)
    clock.advance(61)
    kit.deliveries.carry(once=True)
    [told] = heard.told
    assert (told["state"], told["answer"], told["delivery"].payload) == (
        *("expired", "busy"),
        {"n": 1},
    )


def test_carrying_once_waits_until_it_has_been_told(make: Callable[..., Kit]) -> None:
    kit, heard = make(), []
    slow = threading.Event()

    def receiver(_: Kit, delivery: Delivery, **__: Any) -> None:
        slow.wait(0.1)
        heard.append(delivery.id)

    delivery_settled.connect(receiver, sender=kit)
    for n in range(3):
        kit.deliveries.owe("mail", {"n": n})
    kit.deliveries.carry(once=True)
    assert len(heard) == 3


def test_a_slow_receiver_holds_up_no_delivery(url: str) -> None:
    go_on, told = threading.Event(), []

    class One(RecordingSender):
        room = 1

    sender = One("mail")

    def receiver(_: Kit, delivery: Delivery, **__: Any) -> None:
        told.append(delivery.id)
        go_on.wait(10)

    with Kit(Config(database_url=url, sweep_ms=20), senders=[sender]) as kit:
        delivery_settled.connect(receiver, sender=kit)
        kit.node.serve()
        for n in range(3):
            kit.deliveries.owe("mail", {"n": n})
        eventually(lambda: len(sender.posted) == 3)
        eventually(lambda: len(told) == 3)
        go_on.set()


def test_of_many_that_come_and_go_at_once_each_comes_before_it_leaves(kit: Kit) -> None:
    heard: dict[str, list[str]] = {}

    def note(what: str) -> Callable[..., None]:
        def receiver(_: Kit, connection_id: str, **__: Any) -> None:
            heard.setdefault(connection_id, []).append(what)

        return receiver

    came, left = note("came"), note("left")
    client_connected.connect(came, sender=kit)
    client_disconnected.connect(left, sender=kit)

    def visit() -> None:
        for _ in range(20):
            kit.node.runtime.ask(connect(kit, threading.current_thread().name).connection.lost)

    visitors = [threading.Thread(target=visit, name=f"u{n}") for n in range(4)]
    for each in visitors:
        each.start()
    for each in visitors:
        each.join()
    eventually(lambda: [len(each) for each in heard.values()] == [2] * 80)
    assert set(map(tuple, heard.values())) == {("came", "left")}
