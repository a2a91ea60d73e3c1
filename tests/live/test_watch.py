"""Silence ends foreground first, then the connection; a ticket ends when it has run out."""

from typing import Any

import pytest

from tests.fakes import Client, World, toast


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


def test_A25_a_ticket_that_runs_out_gets_an_error_frame_then_4001(world: World) -> None:
    client = world.connect()
    told: list[Any] = []
    for _ in range(900 + 25):
        world.pass_time(1)
        client.connection.heard()
        told += [each for each in client.news() if each != "PING"]
    assert [told[0]["type"], told[0]["code"]] == ["error", "token_expired"]
    assert told[1:] == ["CLOSE 4001 token expired"]


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
