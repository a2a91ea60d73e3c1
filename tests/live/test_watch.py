"""Silence ends foreground first, then the connection; a ticket ends when it has run out."""

from typing import Any

import pytest

from tests.fakes import Client, World, assert_empty, toast
from toastkit.live import Arriving
from toastkit.records import Position, Since


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def client(world: World) -> Client:
    return world.connect()


def until_pinged(world: World, client: Client) -> None:
    for _ in range(25):
        world.pass_time(1)
        if client.transport.out:
            return
    raise AssertionError("no ping came")


def connect(world: World, seconds: int, *, deaf: bool = False) -> Client:
    """Return a client, greeted, whose ticket ends in so many seconds."""
    ticket = world.ticket(seconds=seconds)
    client = world.open(world.node.admit(ticket, world.dialect, Arriving(deaf=deaf)))
    client.news()
    return client


def is_end(told: Any) -> bool:
    return told == "CLOSE 4001 token expired" or told["type"] == "error"


def test_everybody_is_pinged_once_per_round(world: World) -> None:
    clients = [world.connect() for _ in range(40)]
    for _ in range(25):
        world.pass_time(1)
        for client in clients:
            client.connection.heard()
    assert [client.news() for client in clients] == [["PING"]] * 40


def test_who_answers_is_never_ended(world: World, client: Client) -> None:
    for _ in range(300):
        world.pass_time(1)
        if client.news():
            client.connection.heard()
    assert client.connection.foreground
    assert not client.connection.ending


def test_A26_a_missed_pong_ends_foreground_after_ten_seconds(world: World, client: Client) -> None:
    until_pinged(world, client)
    world.pass_time(9)
    assert client.connection.foreground
    world.pass_time(1)
    assert not client.connection.foreground
    assert not client.connection.ending
    assert world.hear(toast()) == [(0, 0)]


def test_who_is_heard_again_is_in_front_again(world: World, client: Client) -> None:
    until_pinged(world, client)
    world.pass_time(10)
    client.connection.heard()
    assert client.connection.foreground
    assert world.hear(toast()) == [(1, 1)]


def test_who_was_in_the_background_stays_there_when_heard(world: World) -> None:
    client = world.connect(background=True)
    until_pinged(world, client)
    world.pass_time(10)
    client.connection.heard()
    assert not client.connection.foreground


def test_silence_at_the_next_turn_ends_it(world: World, client: Client) -> None:
    until_pinged(world, client)
    client.news()
    world.pass_time(25)
    assert client.said() == ["CLOSE 1011 no pong"]
    assert client.transport.finished


def test_who_still_waits_for_older_frames_owes_no_pong(world: World, client: Client) -> None:
    world.fill(client)
    client.connection.send(b"200:" + b"x" * 200 + b",")
    for _ in range(80):
        world.pass_time(1)
        client.transport.make_room(1)
    assert not client.connection.ending
    assert client.connection.foreground


def told_by(world: World, client: Client, seconds: int) -> list[Any]:
    """Return what a client that answers its pings is told meanwhile, with the second of each."""
    told: list[Any] = []
    for second in range(1, seconds + 1):
        world.pass_time(1)
        client.connection.heard()
        told += [(second, each) for each in client.news() if each != "PING"]
    return told


def test_A8_who_has_a_minute_left_is_warned_once(world: World, client: Client) -> None:
    ((second, warning),) = told_by(world, client, 900)
    assert warning == {"type": "token_expiring", "expires_at": "2026-01-01T00:15:00+00:00"}
    assert 900 - 60 - 25 <= second <= 900 - 60


def test_who_comes_with_a_ticket_that_ends_soon_is_warned_in_its_first_turn(world: World) -> None:
    client = connect(world, 30)
    ((second, warning),) = told_by(world, client, 30)
    assert warning["type"] == "token_expiring"
    assert second <= 25


def test_nobody_is_warned_before_the_greeting() -> None:
    for since in (None, Since(position=Position(0, ""))):
        world = World(ping_seconds=1)
        # What was missed is still being read, if it was asked for, when the turn comes.
        connection = world.node._admit(world.ticket(), world.dialect, Arriving(since=since))
        connection.take(world.ticket(seconds=30))
        client = world.open(connection)
        world.pass_time(2)
        world.runtime.run()
        while world.runtime.jobs:
            world.runtime.run_job()
        world.pass_time(1)
        told = [each["type"] for each in client.news() if each != "PING"]
        assert told == ["connection_ack", "token_expiring"]


def test_who_refreshed_is_warned_again_before_the_next_end(world: World, client: Client) -> None:
    told_by(world, client, 850)
    client.connection.take(world.ticket())
    ((second, warning),) = told_by(world, client, 900)
    assert warning["type"] == "token_expiring"
    assert 900 - 60 - 25 <= second <= 900 - 60


@pytest.mark.parametrize(("seconds", "grace"), [(900, 25), (900, 0), (100, 7), (3, 0), (3, 25)])
def test_A25_a_ticket_that_runs_out_gets_an_error_frame_then_4001_to_the_second(
    seconds: int, grace: int
) -> None:
    world = World(expired_seconds=grace)
    client = connect(world, seconds)
    told = [each for each in told_by(world, client, seconds + grace + 5) if is_end(each[1])]
    assert [second for second, _ in told] == [seconds + grace] * 2
    assert [told[0][1]["type"], told[0][1]["code"]] == ["error", "token_expired"]
    assert told[1][1] == "CLOSE 4001 token expired"
    client.transport.give_back()
    assert_empty(world.node)


def test_thousands_that_end_in_one_second_hold_nobody_up() -> None:
    world = World(fanout_slice=20)
    clients = [connect(world, 5, deaf=True) for _ in range(50)]
    ended = []
    for _ in range(8):
        world.pass_time(1)
        ended.append(sum(client.connection.ending for client in clients))
    assert ended[4:] == [20, 40, 50, 50]


def test_A8_who_refreshes_after_the_end_but_in_time_stays(world: World) -> None:
    client = connect(world, 10)
    told_by(world, client, 30)
    client.connection.take(world.ticket(seconds=50))
    told = told_by(world, client, 74 - 48)
    assert not world.node._watch._last  # one that has time again is not looked at every second
    told += told_by(world, client, 48)
    assert not [each for each in told if is_end(each[1])]
    assert is_end(told_by(world, client, 1)[0][1])


def test_a_stream_ends_with_its_session_to_the_second(world: World) -> None:
    client = connect(world, 100, deaf=True)
    told = [each for each in told_by(world, client, 130) if is_end(each[1])]
    assert [second for second, _ in told] == [100, 100]
    assert told[1][1] == "CLOSE 4001 token expired"


def test_a_stream_is_sent_a_beat_each_turn_and_owes_no_answer(world: World) -> None:
    client = connect(world, 900, deaf=True)
    world.pass_time(800)
    assert client.said().count("PING") == 32
    assert client.connection.foreground
    assert not client.connection.ending
    assert world.hear(toast()) == [(1, 1)]


def test_a_ticket_is_good_until_it_runs_out(world: World, client: Client) -> None:
    for _ in range(899):
        world.pass_time(1)
        client.connection.heard()
    assert not client.connection.ending


def test_a_loop_that_was_late_ends_nobody_at_once(world: World, client: Client) -> None:
    world.clock.advance(120)
    world.runtime.fire()
    assert not client.connection.ending
    assert client.connection.foreground


def test_trouble_with_one_does_not_end_the_watch(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(data: bytes) -> int:
        raise ValueError

    monkeypatch.setattr(client.transport, "write", broken)
    for _ in range(25):
        try:
            world.pass_time(1)
        except ValueError:
            break
    assert world.runtime.timers
    monkeypatch.undo()
    world.pass_time(40)
    assert "PING" in client.said()


def test_no_connection_no_timer(world: World) -> None:
    assert world.runtime.timers == []
    client = world.connect()
    client.connection.lost()
    world.pass_time(1)
    assert world.runtime.timers == []


def test_one_timer_for_everybody(world: World) -> None:
    for _ in range(20):
        world.connect()
    world.pass_time(30)
    assert len(world.runtime.timers) == 1
