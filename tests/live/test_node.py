"""The node admits who fits, tells events to who is there, and says farewell to all."""

from typing import Any

import pytest
from msgspec.structs import replace

from tests.fakes import World, assert_empty, control, toast
from toastkit.closing import CloseReason
from toastkit.ids import token_hash
from toastkit.live import Node
from toastkit.replies import Failure


@pytest.fixture
def world() -> World:
    return World(connections=3, connections_per_user=2)


def first(answers: list[Any]) -> Any:
    return answers[0]["code"] if isinstance(answers[0], dict) else answers[0]


def test_building_a_node_starts_nothing(world: World) -> None:
    assert world.firsts == []
    assert world.runtime.timers == []
    assert not world.node.serving


def test_the_first_connection_makes_it_serve_and_is_told_once(world: World) -> None:
    world.connect()
    world.connect()
    assert world.node.serving
    assert world.firsts == ["first"]


@pytest.mark.parametrize("error", [RuntimeError, IndexError])
def test_a_beginning_that_fails_is_told_and_made_again(
    world: World, error: type[Exception]
) -> None:
    begun: list[int] = []

    def begin() -> None:
        begun.append(len(begun))
        if len(begun) == 1:
            raise error("can't start new thread")

    node = Node(world.parts, at_first=lambda: None, at_serve=begin)
    with pytest.raises(error):
        node.serve()
    node.serve(), node.serve()
    assert begun == [0, 1]


def test_a_backplane_that_cannot_begin_begins_later_and_nothing_else_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its loop has a thread of its own, which is not always to be had."""
    begun: list[str] = []

    def serve() -> None:
        begun.append("backplane")
        if begun.count("backplane") == 1:
            raise RuntimeError("can't start new thread")

    monkeypatch.setattr(world.backplane, "serve", serve)
    node = Node(world.parts, at_first=lambda: None, at_serve=lambda: begun.append("sweeper"))
    with pytest.raises(RuntimeError):
        node.serve()
    node.serve(), node.serve()
    assert begun == ["sweeper", "backplane", "backplane"]


def test_a_connection_is_what_its_ticket_says(world: World) -> None:
    connection = world.admit("u7", "user:u7", "news")
    assert connection.user_id == "u7"
    assert connection.topics == ("user:u7", "news")
    assert connection.foreground


def test_the_first_of_a_principal_joins_and_the_last_leaves(world: World) -> None:
    one, two = world.connect(), world.connect()
    assert "user:u1" in world.backplane._routes
    one.connection.lost()
    assert "user:u1" in world.backplane._routes
    two.connection.lost()
    assert "user:u1" not in world.backplane._routes


def test_A26_an_event_reaches_every_connection_of_its_principal(world: World) -> None:
    mine, also_mine, other = world.connect("u1"), world.connect("u1"), world.connect("u2")
    assert world.hear(toast("u1")) == [(2, 2)]
    assert [len(client.said()) for client in (mine, also_mine, other)] == [1, 1, 0]


def test_A26_a_foreign_toast_on_a_shared_topic_does_not_arrive(world: World) -> None:
    world.connect("u1", "news")
    other = world.connect("u2", "news")
    world.hear(toast("u1", topic="news"))
    assert other.said() == []


def test_A27_a_broadcast_control_reaches_everybody(world: World) -> None:
    clients = [world.connect("u1"), world.connect("u2"), world.connect("u3", background=True)]
    world.hear(control("flags.changed"))
    assert all(client.said()[0]["control"]["kind"] == "flags.changed" for client in clients)


def test_nobody_there_is_answered_at_once(world: World) -> None:
    assert world.hear(toast("nobody")) == [(0, 0)]


def test_A30_an_expired_event_is_not_told(world: World) -> None:
    client = world.connect()
    assert world.hear(toast(expires_at=world.clock.now())) == [(0, 0)]
    assert client.said() == []


def test_too_many_connections_of_one_user_are_refused_with_1013(world: World) -> None:
    world.connect()
    world.connect()
    refused = world.open(world.admit("u1")).said()
    assert [first(refused), refused[1]] == ["too_many_connections", "CLOSE 1013 overloaded"]
    assert refused[0]["retryable"] is True
    assert len(world.connect("u2").said()) == 0


def test_a_full_worker_refuses_with_1013(world: World) -> None:
    for number in range(3):
        world.connect(f"u{number}")
    assert world.open(world.admit("u9")).said()[-1] == "CLOSE 1013 overloaded"


def test_a_place_that_becomes_free_is_given(world: World) -> None:
    one, _ = world.connect(), world.connect()
    one.connection.end(CloseReason.RESTART)
    assert world.open(world.admit()).said()[0]["type"] == "connection_ack"


def test_A21_refuse_says_why_then_closes(world: World) -> None:
    failure = Failure(code="invalid_token", message="Invalid token")
    client = world.open(world.refuse(CloseReason.TOKEN_REJECTED, failure))
    assert [first(client.said()), client.said()[1]] == [
        "invalid_token",
        "CLOSE 4001 token rejected",
    ]
    assert client.transport.finished


def test_A25_refuse_without_a_token_closes_4002(world: World) -> None:
    client = world.open(world.refuse(CloseReason.TOKEN_MISSING))
    assert client.said() == ["CLOSE 4002 token missing"]


def test_the_refused_are_registered_nowhere_and_forgotten(world: World) -> None:
    client = world.open(world.refuse(CloseReason.TOKEN_MISSING))
    assert world.node.roster.connections == set()
    client.transport.give_back()
    assert_empty(world.node)


def test_the_refused_have_their_time_too_after_an_idle_hour(world: World) -> None:
    world.clock.advance(3600)
    client = world.open(world.refuse(CloseReason.TOKEN_MISSING), takes=0)
    world.pass_time(1)
    assert not client.transport.aborted
    world.pass_time(1)
    assert client.transport.aborted
    assert_empty(world.node)


def test_dismiss_ends_every_connection_of_one_user(world: World) -> None:
    mine, other = [world.connect("u1"), world.connect("u1")], world.connect("u2")
    world.node.dismiss("u1", CloseReason.TOKEN_REVOKED)
    world.node.dismiss("nobody", CloseReason.TOKEN_REVOKED)
    assert [client.said() for client in mine] == [["CLOSE 4001 token revoked"]] * 2
    assert other.said() == []


def test_B5_dismiss_ends_the_connections_of_one_session_only(world: World) -> None:
    ended, other = token_hash("one"), token_hash("two")
    clients = [world.connect(session=each) for each in (ended, other)]
    world.node.dismiss("u1", CloseReason.TOKEN_REVOKED, ended)
    assert [client.said() for client in clients] == [["CLOSE 4001 token revoked"], []]


def test_a_connection_without_a_session_outlives_all_sessions(world: World) -> None:
    client = world.connect()
    world.node.dismiss("u1", CloseReason.TOKEN_REVOKED, token_hash("one"))
    assert client.said() == []


def test_a_device_is_known_by_the_name_its_client_gave_it(world: World) -> None:
    named = replace(world.ticket(), device_id="phone")
    tickets = [world.ticket(), world.ticket("anon:1"), named]
    connections = [world.node.admit(ticket, world.dialect) for ticket in tickets]
    assert [each.device_id for each in connections] == [None, None, "phone"]


def test_stop_tells_every_connection_1012(world: World) -> None:
    clients = [world.connect("u1"), world.connect("u2")]
    world.node.stop()
    assert [client.said() for client in clients] == [["CLOSE 1012 restart"]] * 2
    assert all(client.transport.finished for client in clients)


def test_stop_waits_until_all_have_gone(world: World) -> None:
    clients = [world.connect("u1"), world.connect("u2")]
    for client in clients:
        world.runtime.call(client.transport.give_back)
    world.node.stop()
    assert world.node._gone is not None
    assert world.node._gone.wait(0)
    assert_empty(world.node)


def test_stop_waits_no_longer_than_it_must(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    signals = []
    make = world.runtime.signal
    monkeypatch.setattr(world.runtime, "signal", lambda: signals.append(make()) or signals[-1])
    world.connect()
    world.node.stop()
    assert [signal.waited for signal in signals] == [world.config.close_seconds]


def test_stop_without_connections_is_done_at_once(world: World) -> None:
    world.node.stop()
    assert world.node._gone is not None
    assert world.node._gone.wait(0)


def test_stop_tells_those_in_their_handshake_too(world: World) -> None:
    connection = world.admit()
    world.node.stop()
    assert world.open(connection).said()[-1] == "CLOSE 1012 restart"


def test_who_comes_while_closing_is_told_1012(world: World) -> None:
    world.node.stop()
    assert world.node.closing
    assert world.open(world.admit()).said() == ["CLOSE 1012 restart"]


def test_stopping_twice_is_harmless(world: World) -> None:
    client = world.connect()
    world.node.stop()
    client.transport.give_back()
    world.node.stop()
    assert client.said() == ["CLOSE 1012 restart"]


def test_a_handshake_that_never_ends_holds_no_place(world: World) -> None:
    world.admit()
    assert world.hear(toast("u1")) == []
    world.pass_time(world.config.slow_seconds)
    assert world.hear(toast("u1")) == [(0, 0)]
    world.pass_time(world.config.close_seconds)
    assert_empty(world.node)


def test_a_refused_handshake_that_never_ends_is_forgotten(world: World) -> None:
    world.refuse(CloseReason.TOKEN_MISSING)
    world.pass_time(world.config.close_seconds)
    assert_empty(world.node)


def test_a_handshake_that_ends_too_late_gives_its_socket_back(world: World) -> None:
    connection = world.admit()
    world.pass_time(world.config.slow_seconds + world.config.close_seconds)
    client = world.open(connection)
    assert client.transport.aborted
    assert client.said() == []
    assert_empty(world.node)
