"""What may not have been heard is looked for, for many at once, and told to whoever is behind."""

import logging
from typing import Any

import pytest

from tests.fakes import Client, World, control, toast
from toastkit.errors import StorageUnavailable
from toastkit.events import Event
from toastkit.live import doubts

U1, U2 = "user:u1", "user:u2"


@pytest.fixture
def world() -> World:
    return World()


def at(seq: int, user_id: str = "u1", epoch: str = "e1") -> Event:
    return toast(user_id, seq=seq, epoch=epoch, id=f"{user_id}-{seq}")


def keep(world: World, *toasts: Event) -> None:
    """Have toasts be stored, which this worker did not hear."""
    world.inbox.kept += toasts


def doubt(world: World, *routes: str) -> None:
    """Let the node hear a doubt, of all routes if none is named, and do all it does about it."""
    world.node.doubt(routes or None)
    world.runtime.run()
    while world.runtime.jobs:
        world.runtime.run_job()


def look_again(world: World) -> None:
    """Let the time pass after which the node looks again, and let it."""
    world.clock.advance(doubts.AGAIN_SECONDS)
    world.runtime.fire()
    world.runtime.run()
    while world.runtime.jobs:
        world.runtime.run_job()


def numbers(client: Client) -> list[Any]:
    return [frame["seq"] for frame in client.news() if isinstance(frame, dict)]


def standings(world: World) -> list[Any]:
    """Return who was asked for, in each read of many."""
    return [asked for asked in world.inbox.asked if asked and isinstance(asked[-1], str)]


@pytest.mark.parametrize("after", [0, 1])
def test_without_a_thread_to_read_in_it_looks_again(
    world: World, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    """Neither who is behind, nor what is missed."""
    client, spawn, spared = world.connect(), world.runtime.spawn, [None] * after
    client.news()
    keep(world, at(1))

    def refuse(job: Any) -> None:
        if not spared:
            raise RuntimeError("can't start new thread")
        spared.pop()
        spawn(job)

    with monkeypatch.context() as patch:
        patch.setattr(world.runtime, "spawn", refuse)
        doubt(world, U1)
    assert numbers(client) == []
    for _ in range(5):
        look_again(world)
    assert numbers(client) == [1]


def test_who_is_behind_is_told_what_was_not_heard(world: World) -> None:
    client = world.connect()
    client.news()
    keep(world, at(1), at(2))
    doubt(world, U1)
    assert numbers(client) == [1, 2]


def test_what_comes_after_it_is_live_again(world: World) -> None:
    client = world.connect()
    keep(world, at(1))
    doubt(world)
    client.news()
    world.runtime.ask(lambda: world.backplane.broadcast([at(2)]))
    assert numbers(client) == [2]


def test_who_knows_everything_costs_no_read_of_its_own(world: World) -> None:
    client = world.connect()
    keep(world, at(1))
    doubt(world)
    client.news()
    asked = len(world.inbox.asked)
    doubt(world)
    assert world.inbox.asked[asked:] == [("u1",)]
    assert client.news() == []


def test_only_the_doubtful_routes_are_looked_at(world: World) -> None:
    one, two = world.connect("u1"), world.connect("u2")
    one.news(), two.news()
    keep(world, at(1), at(1, "u2"))
    doubt(world, U2)
    assert (numbers(one), numbers(two)) == ([], [1])


def test_one_read_asks_for_many(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doubts, "SLICE", 2)
    for number in range(5):
        world.connect(f"u{number}")
    doubt(world)
    assert sorted(len(asked) for asked in standings(world)) == [1, 2, 2]


def test_what_is_doubted_in_one_turn_is_read_together(world: World) -> None:
    world.connect("u1"), world.connect("u2")
    world.node.doubt([U1])
    doubt(world, U2)
    assert standings(world) == [("u1", "u2")]


def test_a_doubt_during_a_read_is_read_for_again(world: World) -> None:
    client = world.connect()
    client.news()
    world.node.doubt([U1])
    world.runtime.run()
    world.runtime.jobs.popleft()()  # it has read, and what it found is on its way
    keep(world, at(1))
    doubt(world, U1)
    assert numbers(client) == [1]


def test_a_route_nobody_is_on_is_not_asked_for(world: World) -> None:
    world.connect()
    doubt(world, "user:gone")
    assert world.inbox.asked == []


def test_what_cannot_be_read_is_looked_for_again(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    client = world.connect()
    client.news()
    keep(world, at(1))
    world.inbox.broken = True
    with caplog.at_level(logging.WARNING):
        doubt(world)
        look_again(world)
    assert [record.getMessage() for record in caplog.records] == [
        "what was not heard cannot be read yet: the database is locked"
    ], "once, not twice a second"
    world.inbox.broken = False
    look_again(world)
    assert numbers(client) == [1]


def test_one_read_goes_on_at_a_time(world: World) -> None:
    world.connect("u1"), world.connect("u2")
    world.node.doubt([U1])
    world.runtime.run()
    world.node.doubt([U2])
    world.runtime.run()
    assert len(world.runtime.jobs) == 1
    doubt(world, U2)
    assert standings(world) == [("u1",), ("u2",)]


def test_whose_own_read_began_too_early_is_looked_at_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = world.connect()
    client.news()
    missed = world.inbox.missed

    def early(*given: Any) -> Any:
        found = missed(*given)
        monkeypatch.undo()
        keep(world, at(2), at(3))
        doubt(world)  # it is compared while what was found is still on its way
        return found

    monkeypatch.setattr(world.inbox, "missed", early)
    keep(world, at(1))
    world.runtime.ask(lambda: world.backplane.broadcast([at(2)]))  # a gap: it reads
    doubt(world, U2)
    assert numbers(client) == [1, 2]
    look_again(world)
    assert numbers(client) == [3]


def test_a_new_numbering_is_noticed(world: World) -> None:
    client = world.connect()
    keep(world, at(1))
    doubt(world)
    client.news()
    world.inbox.kept = [at(1, epoch="e2")]
    doubt(world)
    assert [frame["code"] for frame in client.news()] == ["unrecoverable_position"]


@pytest.mark.parametrize("held", [(), ("flags.changed",)])
def test_what_was_found_and_cannot_be_read_is_looked_for_again(
    world: World, monkeypatch: pytest.MonkeyPatch, held: tuple[str, ...]
) -> None:
    """Its place stays meanwhile; a control that comes then has none."""
    client = world.connect()
    world.hear(toast())
    client.news()
    keep(world, at(2))

    def break_off(*_: Any) -> None:
        raise StorageUnavailable("the database is locked")

    with monkeypatch.context() as patch:
        patch.setattr(world.inbox, "missed", break_off)
        doubt(world)
        for name in held:
            world.hear(control(name))
        client.connection.receive(b'{"type": "ping"}')
        for _ in range(4):
            look_again(world)
        told = [frame["type"] for frame in client.news() if frame != "PING"]
        assert told == [*["control" for _ in held], "pong"]
    for _ in range(4):
        look_again(world)
    assert numbers(client) == [2]
    asked = len(world.inbox.asked)
    look_again(world)
    assert len(world.inbox.asked) == asked, "who is behind no longer is looked at no longer"


def test_doubts_that_come_again_and_again_do_not_add_up(world: World) -> None:
    """As while neither Redis nor the database can be reached."""
    world.connect()
    world.inbox.broken = True
    asked = [0]
    for _ in range(10):
        doubt(world)
        for _ in range(107):  # a little more than a second, so that no two doubts fall together
            world.clock.advance(0.01)
            world.runtime.fire()
            world.runtime.run()
            while world.runtime.jobs:
                world.runtime.run_job()
        asked.append(len(world.inbox.asked))
    assert asked[-1] - asked[-2] <= asked[2] - asked[1]
