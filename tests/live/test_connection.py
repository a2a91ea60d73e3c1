"""A connection says everything in order, whole, in bounds, and leaves nothing behind."""

from typing import Any

import pytest

from tests.fakes import Client, World, assert_empty, toast
from toastkit.closing import CloseReason
from toastkit.replies import Failure, Pong

SLOW = "CLOSE 4008 slow consumer"


@pytest.fixture
def world() -> World:
    return World(buffer_messages=4, buffer_bytes=2000)


@pytest.fixture
def client(world: World) -> Client:
    return world.connect()


def titles(client: Client) -> list[Any]:
    return [each["toast"]["title"] if isinstance(each, dict) else each for each in client.news()]


def test_A22_the_first_frame_is_the_greeting(world: World) -> None:
    connection = world.admit("u1", "user:u1", "news")
    assert world.open(connection).said() == [
        {
            "type": "connection_ack",
            "session_id": connection.id,
            "topics": ["user:u1", "news"],
            "seq": 0,
            "epoch": "",
        }
    ]


def test_what_is_published_before_it_is_open_waits_behind_the_greeting(world: World) -> None:
    connection = world.admit()
    answers = world.hear(toast())
    assert answers == []
    kinds = [each["type"] for each in world.open(connection).said()]
    assert kinds == ["connection_ack", "toast"]
    assert answers == [(1, 1)]


def test_a_greeting_the_socket_takes_in_pieces_arrives_whole(world: World) -> None:
    connection = world.admit()
    client = world.open(connection, takes=5)
    client.transport.make_room(5)
    client.transport.make_room(None)
    assert [each["session_id"] for each in client.said()] == [connection.id]


def test_once_open_it_has_no_buffer(client: Client) -> None:
    assert client.connection.buffer is None
    assert client.transport.callback is None


def test_a_frame_taken_whole_was_sent(client: Client) -> None:
    assert client.connection.send(b"3:one,") is True
    assert client.said() == ["one"]


def test_partial_writes_go_on_where_they_stopped(world: World, client: Client) -> None:
    client.transport.takes = 3
    assert client.connection.send(b"3:one,") is False
    assert client.connection.send(b"3:two,") is False
    for _ in range(9):
        client.transport.make_room(1)
    assert client.said() == ["one", "two"]
    assert client.connection.buffer is None
    assert client.transport.callback is None
    assert world.node._watch.behind == set()


def test_later_frames_do_not_overtake_those_that_wait(world: World, client: Client) -> None:
    world.fill(client)
    client.connection.send(b"3:one,")
    client.transport.takes = None
    client.connection.send(b"3:two,")
    client.transport.make_room(None)
    assert client.said() == ["one", "two"]


def test_a_frame_that_waits_is_confirmed_when_it_went(world: World, client: Client) -> None:
    world.fill(client)
    answers = world.hear(toast())
    assert answers == []
    client.transport.make_room(None)
    assert answers == [(1, 1)]


def test_too_many_messages_end_a_slow_consumer(world: World, client: Client) -> None:
    world.fill(client)
    for _ in range(5):
        client.connection.send(b"3:one,")
    client.transport.make_room(None)
    assert client.said() == [SLOW]
    assert client.transport.finished


def test_too_many_bytes_end_a_slow_consumer(world: World, client: Client) -> None:
    world.fill(client)
    for _ in range(3):
        client.connection.send(b"900:" + b"x" * 900 + b",")
    client.transport.make_room(None)
    assert client.said() == [SLOW]


def test_the_bounds_themselves_are_within_bounds(world: World, client: Client) -> None:
    world.fill(client)
    for _ in range(4):
        client.connection.send(b"494:" + b"x" * 494 + b",")
    assert (len(client.connection.buffer or ()), client.connection.ending) == (4, False)
    client.connection.send(b"0:,")
    assert client.connection.ending


def test_exactly_as_many_bytes_as_may_wait(world: World, client: Client) -> None:
    world.fill(client)
    for _ in range(2):
        client.connection.send(b"x" * 1000)
    assert not client.connection.ending


def test_a_slow_consumers_torn_frame_is_finished_first(world: World, client: Client) -> None:
    client.transport.takes = 2
    for _ in range(6):
        client.connection.send(b"3:one,")
    client.transport.make_room(None)
    assert client.said() == ["one", SLOW]


def test_a_toast_a_slow_consumer_never_got_finds_nobody(world: World, client: Client) -> None:
    world.fill(client)
    waiting = [world.hear(toast()) for _ in range(4)]
    assert waiting == [[]] * 4
    world.hear(toast())
    assert waiting == [[(0, 0)]] * 4


def test_the_toast_that_overflows_finds_nobody(world: World, client: Client) -> None:
    world.fill(client)
    for _ in range(4):
        client.connection.send(b"3:one,")
    assert world.hear(toast()) == [(0, 0)]


def test_five_seconds_without_progress_end_it(world: World, client: Client) -> None:
    world.fill(client)
    client.connection.send(b"3:one,")
    world.pass_time(4)
    assert not client.connection.ending
    world.pass_time(1)
    assert client.connection.ending
    client.transport.make_room(None)
    assert client.said() == [SLOW]


def test_progress_keeps_a_slow_reader(world: World, client: Client) -> None:
    world.fill(client)
    client.connection.send(b"20:" + b"x" * 20 + b",")
    for _ in range(5):
        world.pass_time(4)
        client.transport.make_room(1)
    assert not client.connection.ending


def test_who_does_not_take_the_farewell_either_is_given_up(world: World, client: Client) -> None:
    world.fill(client)
    client.connection.send(b"3:one,")
    world.pass_time(5 + 2)
    assert client.transport.aborted
    assert_empty(world.node)


def test_a_farewell_has_time_of_its_own(world: World, client: Client) -> None:
    world.fill(client)
    client.connection.send(b"3:one,")
    world.pass_time(4)
    client.connection.end(CloseReason.RESTART)
    world.pass_time(1)
    assert not client.transport.aborted
    world.pass_time(1)
    assert client.transport.aborted


def test_expired_frames_do_not_leave_the_buffer(world: World, client: Client) -> None:
    world.fill(client)
    answers = world.hear(toast(expires_at=world.clock.now() + 2000, data={"title": "old"}))
    world.hear(toast(data={"title": "new"}))
    world.pass_time(2)
    client.transport.make_room(None)
    assert titles(client) == ["new"]
    assert answers == [(0, 0)]


def test_an_expired_frame_that_has_begun_is_finished(world: World, client: Client) -> None:
    client.transport.takes = 1
    world.hear(toast(expires_at=world.clock.now() + 2000, data={"title": "old"}))
    world.pass_time(2)
    client.transport.make_room(None)
    assert titles(client) == ["old"]


def test_the_first_reason_to_end_is_said_and_only_once(client: Client) -> None:
    client.connection.end(CloseReason.RESTART)
    client.connection.end(CloseReason.NO_PONG)
    client.connection.peer_closed()
    assert client.said() == ["CLOSE 1012 restart"]


def test_nothing_is_said_after_the_farewell(client: Client) -> None:
    client.connection.end(CloseReason.RESTART)
    client.connection.reply(Pong())
    client.connection.fail(Failure())
    assert client.connection.send(b"3:one,") is False
    assert client.said() == ["CLOSE 1012 restart"]


def test_the_farewell_comes_after_what_waits(world: World, client: Client) -> None:
    world.fill(client)
    client.connection.send(b"3:one,")
    client.connection.end(CloseReason.RESTART)
    assert not client.transport.finished
    client.transport.make_room(None)
    assert client.said() == ["one", "CLOSE 1012 restart"]
    assert client.transport.finished


def test_a_clients_farewell_is_answered(client: Client) -> None:
    client.connection.peer_closed(3001)
    assert client.said() == ["CLOSE 3001 "]
    assert client.transport.finished


def test_an_ending_connection_carries_out_nothing(client: Client) -> None:
    client.connection.end(CloseReason.RESTART)
    client.news()
    assert client.say({"type": "ping"}) == []


def test_an_ending_connection_hears_nothing(world: World, client: Client) -> None:
    client.connection.end(CloseReason.RESTART)
    assert world.hear(toast()) == [(0, 0)]


@pytest.mark.parametrize("writes", ["send", "waiting"])
def test_a_gone_socket_is_given_back_at_once(world: World, client: Client, writes: str) -> None:
    if writes == "waiting":
        world.fill(client)
        client.connection.send(b"3:one,")
    client.transport.gone = True
    if writes == "send":
        assert client.connection.send(b"3:one,") is False
    else:
        client.transport.make_room(None)
    assert client.transport.aborted
    assert_empty(world.node)


def test_a_toast_to_a_gone_socket_finds_nobody(world: World, client: Client) -> None:
    client.transport.gone = True
    assert world.hear(toast()) == [(0, 0)]


def test_lost_answers_for_what_waited(world: World, client: Client) -> None:
    world.fill(client)
    answers = world.hear(toast())
    client.connection.lost()
    assert answers == [(0, 0)]


def test_a_socket_given_back_early_answers_for_what_waited(world: World, client: Client) -> None:
    world.fill(client)
    answers = world.hear(toast())
    client.transport.give_back()
    assert answers == [(0, 0)]
    assert_empty(world.node)


def test_a_full_buffer_before_it_is_open_still_says_why(world: World) -> None:
    connection = world.admit()
    for _ in range(4):
        connection.send(b"3:one,")
    assert world.open(connection).said() == [SLOW]


def end_by_server(world: World, client: Client) -> None:
    client.connection.end(CloseReason.RESTART)
    client.transport.give_back()


def end_by_client(world: World, client: Client) -> None:
    client.connection.peer_closed()
    client.transport.give_back()


def end_lost(world: World, client: Client) -> None:
    client.connection.lost()


def end_lost_twice(world: World, client: Client) -> None:
    client.connection.lost()
    client.connection.lost()


def end_lost_in_farewell(world: World, client: Client) -> None:
    client.connection.end(CloseReason.RESTART)
    client.connection.lost()


def end_slow(world: World, client: Client) -> None:
    world.fill(client)
    for _ in range(5):
        client.connection.send(b"3:one,")
    client.transport.make_room(None)
    client.transport.give_back()


def end_stuck(world: World, client: Client) -> None:
    world.fill(client)
    client.connection.send(b"3:one,")
    world.pass_time(7)


def end_errors(world: World, client: Client) -> None:
    for _ in range(6):
        client.connection.fail(Failure())
    client.transport.give_back()


def end_silent(world: World, client: Client) -> None:
    world.pass_time(60)
    client.transport.give_back()


def end_expired(world: World, client: Client) -> None:
    for _ in range(1000):
        world.pass_time(1)
        client.connection.heard()
    client.transport.give_back()


def end_given_back(world: World, client: Client) -> None:
    client.transport.give_back()


ENDINGS = [
    end_by_server,
    end_by_client,
    end_lost,
    end_lost_twice,
    end_lost_in_farewell,
    end_slow,
    end_stuck,
    end_errors,
    end_silent,
    end_expired,
    end_given_back,
]


@pytest.mark.parametrize("ending", ENDINGS)
def test_no_ending_leaves_anything_behind(world: World, client: Client, ending: Any) -> None:
    ending(world, client)
    assert_empty(world.node)
    assert world.backplane._routes == {"*"}
    assert client.transport.callback is None


@pytest.mark.parametrize("ending", ENDINGS)
def test_after_the_last_ending_the_clock_stops_ticking(
    world: World, client: Client, ending: Any
) -> None:
    ending(world, client)
    world.pass_time(15)
    assert world.runtime.timers == []
    assert not world.node._watch._pinged


@pytest.mark.parametrize("refused", [True, False])
def test_a_handshake_that_fails_leaves_nothing(world: World, refused: bool) -> None:
    connection = world.refuse(CloseReason.TOKEN_MISSING) if refused else world.admit()
    connection.lost()
    assert_empty(world.node)


def test_a_handshake_that_fails_answers_for_what_waited(world: World) -> None:
    connection = world.admit()
    answers = world.hear(toast())
    connection.lost()
    assert answers == [(0, 0)]
