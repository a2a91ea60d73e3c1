"""When an event has been answered, and what is known of it then."""

from __future__ import annotations

import pytest

from tests.backplane.redis.workers import until
from toastkit.backplane.contract import Confirmation
from toastkit.backplane.redis.asking import KEPT_TICKS, Asked, AskedParts, Broadcast
from toastkit.backplane.redis.counts import Counts
from toastkit.runtime.contract import Runtime


class World:
    """Questions, and how many workers say nothing."""

    def __init__(self, runtime: Runtime) -> None:
        self.silent = 0
        self.counts = Counts()
        self.asked = Asked(AskedParts(runtime, self.counts, lambda: self.silent))

    def ask(self) -> Broadcast:
        return self.asked.ask(1)


@pytest.fixture
def world(runtime: Runtime) -> World:
    return World(runtime)


def test_answers_and_their_number_come_in_any_order(world: World) -> None:
    early, late = world.ask(), world.ask()
    for broadcast in (early, late):
        (asking,) = broadcast.askings
        if broadcast is late:
            asking.reached(2, sound=True)
        asking.answered(1, 2)
        asking.here(1, 1)
        asking.answered(0, 1)
        if broadcast is early:
            assert broadcast.wait(0) == [Confirmation(2, 4)]
            asking.reached(2, sound=True)
        assert broadcast.wait(0) == [Confirmation(2, 4, complete=True)]


def test_the_own_ear_is_waited_for_too(world: World) -> None:
    broadcast = world.ask()
    broadcast.askings[0].reached(0, sound=True)
    assert broadcast.wait(0) == [Confirmation()]
    broadcast.askings[0].here(0, 0)
    assert broadcast.wait(0) == [Confirmation(complete=True)]


def test_what_comes_when_it_is_over_changes_nothing(world: World) -> None:
    broadcast = world.ask()
    (asking,) = broadcast.askings
    asking.here(1, 1)
    asking.reached(0, sound=True)
    asking.answered(5, 5)
    asking.give_up()
    assert broadcast.wait(0) == [Confirmation(1, 1, complete=True)]


def test_unsound_it_is_never_complete(world: World) -> None:
    broadcast = world.ask()
    broadcast.askings[0].here(1, 1)
    broadcast.askings[0].reached(0, sound=False)
    assert broadcast.wait(30) == [Confirmation(1, 1)]


def test_silent_workers_are_waited_for_a_moment_only(world: World, runtime: Runtime) -> None:
    broadcast = world.ask()
    (asking,) = broadcast.askings
    world.silent = 1
    asking.here(0, 0)
    asking.reached(2, sound=True)
    assert broadcast.wait(0.1) == [Confirmation()]
    runtime.ask(lambda: asking.answered(1, 1))
    assert broadcast.wait(30) == [Confirmation(1, 1, complete=True)]


def test_whose_silence_ends_meanwhile_is_waited_for(world: World, runtime: Runtime) -> None:
    broadcast = world.ask()
    world.silent = 1
    broadcast.askings[0].here(0, 0)
    broadcast.askings[0].reached(1, sound=True)
    world.silent = 0
    assert broadcast.wait(0.2) == [Confirmation()]


def test_what_nobody_answers_is_forgotten(world: World) -> None:
    broadcast, answered = world.ask(), world.ask()
    broadcast.askings[0].here(0, 0)
    answered.askings[0].here(0, 0)
    answered.askings[0].reached(0, sound=True)
    assert world.asked.find(1) is not None
    assert world.asked.find(2) is None
    for _ in range(KEPT_TICKS):
        world.asked.tick()
        assert world.asked.find(1) is not None
    world.asked.tick()
    assert world.asked.find(1) is None
    assert broadcast.wait(30) == [Confirmation()]


def test_late_and_missed_answers_are_counted(world: World) -> None:
    broadcast = world.ask()
    (asking,) = broadcast.askings
    asking.here(0, 0)
    asking.reached(3, sound=True)
    asking.answered(1, 1)
    assert broadcast.wait(0) == [Confirmation(1, 1)]
    asking.answered(1, 1)
    assert (world.counts.missed, world.counts.late) == (2, 1)


def test_of_who_was_not_waited_for_no_answer_was_missed(world: World) -> None:
    broadcast = world.asked.ask(2)
    over, open_still = broadcast.askings
    for asking in (over, open_still):
        asking.here(0, 0)
        asking.reached(1, sound=True)
    over.give_up()
    assert broadcast.wait(0) == [Confirmation()] * 2
    assert world.counts.missed == 1


def test_given_up_nobody_waits(world: World) -> None:
    broadcast = world.ask()
    broadcast.askings[0].reached(2, sound=True)
    world.asked.give_up()
    assert broadcast.wait(30) == [Confirmation()]
    until(lambda: world.asked.find(1) is None)
