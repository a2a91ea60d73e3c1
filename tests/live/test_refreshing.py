"""A client stays with a fresh ticket, and with nobody else's (A.8)."""

from typing import Any

import pytest
from msgspec.structs import replace

from tests.fakes import Client, World, assert_empty, toast
from toastkit.closing import CloseReason
from toastkit.errors import (
    InvalidToken,
    SessionRevoked,
    StorageUnavailable,
    TokenExpired,
)
from toastkit.hooks import Hooks
from toastkit.ids import token_hash

AGAIN = {"type": "refresh", "token": "s3cret", "id": 7}


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def client(world: World) -> Client:
    return world.connect()


def refresh(world: World, client: Client, outcome: Any = None) -> list[Any]:
    """Refresh with a token that means ``outcome``, and return what is answered."""
    world.tickets["s3cret"] = outcome or world.ticket(seconds=1800)
    told = client.say(AGAIN)
    assert told == []
    world.runtime.run_job()
    return client.news()


def test_a_fresh_ticket_is_taken_without_a_reconnect(world: World, client: Client) -> None:
    ticket = world.ticket(seconds=1800)
    (answer,) = refresh(world, client, ticket)
    assert answer == {"type": "refresh_ack", "id": 7, "expires_at": "2026-01-01T00:30:00+00:00"}
    assert client.connection.expires_at == ticket.expires_at
    for _ in range(1000):
        world.pass_time(1)
        client.connection.heard()
    assert world.hear(toast()) == [(1, 1)]


def test_its_topics_stay_what_they_are(world: World) -> None:
    client = world.connect("u1", "user:u1", "news")
    refresh(world, client, world.ticket("u1", "user:u1:other"))
    assert client.connection.topics == ("user:u1", "news")


def test_its_session_becomes_that_of_the_fresh_ticket(world: World) -> None:
    old, new = token_hash("old"), token_hash("new")
    client = world.connect(session=old)
    refresh(world, client, world.ticket(session=new))
    world.node.dismiss("u1", CloseReason.TOKEN_REVOKED, old)
    assert client.news() == []
    world.node.dismiss("u1", CloseReason.TOKEN_REVOKED, new)
    assert client.news() == ["CLOSE 4001 token revoked"]


@pytest.mark.parametrize("whose", ["u2", "anon:1"])
def test_another_users_ticket_gets_an_error_frame_then_4001(
    world: World, client: Client, whose: str
) -> None:
    told = refresh(world, client, world.ticket(whose))
    assert [told[0]["code"], told[1]] == ["invalid_token", "CLOSE 4001 token rejected"]
    assert told[0]["id"] == 7
    assert client.connection.user_id == "u1"


def test_another_devices_ticket_gets_an_error_frame_then_4001(world: World, client: Client) -> None:
    told = refresh(world, client, replace(world.ticket(), device_id="phone"))
    assert [told[0]["code"], told[1]] == ["invalid_token", "CLOSE 4001 token rejected"]


def test_a_named_device_is_renewed_by_its_own_ticket_only(world: World) -> None:
    phone = replace(world.ticket(), device_id="phone")
    client = world.open(world.node.admit(phone, world.dialect))
    client.news()
    assert refresh(world, client, phone)[0]["type"] == "refresh_ack"
    assert refresh(world, client, world.ticket())[1] == "CLOSE 4001 token rejected"


@pytest.mark.parametrize(
    ("error", "code", "farewell"),
    [
        (TokenExpired(), "token_expired", "CLOSE 4001 token expired"),
        (InvalidToken("unknown"), "invalid_token", "CLOSE 4001 token rejected"),
        (SessionRevoked(), "invalid_token", "CLOSE 4001 token revoked"),
    ],
)
def test_a_ticket_that_is_none_gets_an_error_frame_then_4001(
    world: World, client: Client, error: Exception, code: str, farewell: str
) -> None:
    told = refresh(world, client, error)
    assert [told[0]["code"], told[1]] == [code, farewell]
    client.transport.give_back()
    assert_empty(world.node)


@pytest.mark.parametrize("trouble", [StorageUnavailable("locked"), ZeroDivisionError()])
def test_trouble_of_ours_ends_nobody(
    world: World, client: Client, trouble: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    (told,) = refresh(world, client, trouble)
    assert (told["code"], told["retryable"], told["id"]) == ("internal_error", True, 7)
    assert "could not be refreshed" in caplog.text
    assert "s3cret" not in caplog.text
    assert refresh(world, client)[0]["type"] == "refresh_ack"


def test_what_is_said_meanwhile_is_answered_afterwards_in_order(
    world: World, client: Client
) -> None:
    world.tickets["s3cret"] = world.ticket(seconds=1800)
    told = client.say(AGAIN) + client.say({"type": "ping", "id": 8}) + client.say(AGAIN)
    assert told == []
    world.runtime.run_job()
    world.runtime.run_job()
    answers = [(each["type"], each["id"]) for each in client.news()]
    assert answers == [("refresh_ack", 7), ("pong", 8), ("refresh_ack", 7)]


def test_what_is_said_behind_a_ticket_that_is_none_is_not_carried_out() -> None:
    asked: list[str] = []
    world = World(Hooks(authorize=lambda user_id, action, topic: not asked.append(topic)))
    client = world.connect()
    asked.clear()
    world.tickets["s3cret"] = SessionRevoked()
    client.say(AGAIN)
    client.say({"type": "subscribe", "topics": ["news"]})
    world.runtime.run_job()
    assert client.news()[-1] == "CLOSE 4001 token revoked"
    assert not world.runtime.jobs
    assert asked == []


def test_toasts_come_while_a_ticket_is_redeemed(world: World, client: Client) -> None:
    world.tickets["s3cret"] = world.ticket(seconds=1800)
    client.say(AGAIN)
    assert world.hear(toast()) == [(1, 1)]
    assert [each["type"] for each in client.news()] == ["toast"]


def test_who_has_gone_meanwhile_is_told_nothing(world: World, client: Client) -> None:
    world.tickets["s3cret"] = world.ticket(seconds=1800)
    client.say(AGAIN)
    client.say(AGAIN)
    client.connection.lost()
    world.runtime.run_job()
    assert client.news() == []
    assert not world.runtime.jobs  # nothing is looked up for nobody
    assert_empty(world.node)


def test_what_is_said_behind_it_waits_for_a_gap_that_is_being_filled(world: World) -> None:
    client = world.connect()
    world.hear(toast())  # it stands at 1
    client.news()
    world.tickets["s3cret"] = world.ticket(seconds=1800)
    client.say(AGAIN)
    client.say({"type": "unsubscribe", "topics": ["user:u1"]})
    world.keep(toast(id="02"))
    answers = world.hear(toast(id="03"))  # a gap is found, and 03 is held
    while world.runtime.jobs:
        world.runtime.run_job()
    told = [each.get("toast", each).get("id", each["type"]) for each in client.news()]
    assert told == [7, "02", "03", "unsubscribe_ack"]
    assert answers == [(1, 1)]


def test_the_host_is_not_asked_again_for_topics_it_has_allowed() -> None:
    asked: list[str] = []
    hooks = Hooks(authorize=lambda user_id, action, topic: not asked.append(topic))
    world = World(hooks)
    client = world.connect()
    refresh(world, client)
    assert asked == []


def test_without_a_thread_to_redeem_it_in_it_may_be_tried_again(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Any) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(world.runtime, "spawn", refuse)
        (error,) = client.say(AGAIN)
    assert (error["id"], error["retryable"]) == (7, True)
    assert [answer["type"] for answer in refresh(world, client)] == ["refresh_ack"]
