"""What was missed is read beside the loop, once for all who ask the same in one turn."""

import logging
from typing import Any

import pytest

from tests.fakes import World, toast
from toastkit.events import Missed
from toastkit.live.parts import NodeParts
from toastkit.live.readings import AT_ONCE, Question, Readings, read
from toastkit.records import Position, Since

START = Since(position=Position(0, ""))
MINE = Question("u1", START, ("user:u1",))


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def readings(world: World) -> Readings:
    parts = NodeParts(
        *(world.config, world.clock, world.runtime, world.backplane, world.node.rules),
        inbox=world.inbox,
        redeem=world.redeem,
    )
    return Readings(parts)


def seqs(missed: Missed | None) -> Any:
    return missed and [event.seq for event in missed.toasts]


def test_who_asks_the_same_in_one_turn_shares_a_read(world: World, readings: Readings) -> None:
    world.keep(toast())
    found: list[Any] = []
    for _ in range(3):
        readings.ask(MINE, found.append)
    readings.ask(Question("u1", START, ("news",)), found.append)
    world.runtime.run()
    while world.runtime.jobs:
        world.runtime.run_job()
    assert [seqs(each) for each in found] == [[1], [1], [1], []]
    assert len(world.inbox.asked) == 2


def test_each_hears_of_it_in_its_own_turn(world: World, readings: Readings) -> None:
    order: list[str] = []

    def told(_: object) -> None:
        order.append("told")
        world.runtime.call(order.append, "another")

    for _ in range(2):
        readings.ask(MINE, told)
    world.runtime.run()
    world.runtime.jobs.popleft()()
    world.runtime.calls.popleft()()
    assert order == []
    world.runtime.run()
    assert order == ["told", "told", "another", "another"]


def test_a_read_that_fails_is_told_and_logged(
    world: World, readings: Readings, caplog: pytest.LogCaptureFixture
) -> None:
    world.inbox.broken = True
    found: list[Any] = []
    readings.ask(MINE, found.append)
    world.runtime.run()
    with caplog.at_level(logging.WARNING, logger="toastkit"):
        world.runtime.run_job()
    assert found == [None]
    assert "what a client missed could not be read: the database is locked" in caplog.text


def test_a_defect_holds_up_nobody(world: World, readings: Readings) -> None:
    world.inbox.kept.append(None)  # type: ignore[arg-type]
    found: list[Any] = []
    readings.ask(MINE, found.append)
    world.runtime.run()
    with pytest.raises(AttributeError):
        world.runtime.jobs.popleft()()
    world.runtime.run()
    assert found == [None]
    assert readings._jobs == 0


def test_a_read_that_takes_too_long_is_given_up_once(
    world: World, readings: Readings, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[Any] = []
    missed = world.inbox.missed

    def slow(*given: Any) -> Missed:
        for seconds in (1.9, 0.1):
            assert found == []
            world.clock.advance(seconds)
            world.runtime.fire()
            world.runtime.run()
        assert found == [None]
        return missed(*given)

    monkeypatch.setattr(world.inbox, "missed", slow)
    readings.ask(MINE, found.append)
    world.runtime.run()
    world.runtime.run_job()
    assert found == [None]


def test_a_read_that_is_done_leaves_no_timer(world: World, readings: Readings) -> None:
    readings.ask(MINE, lambda _: None)
    world.runtime.run()
    world.runtime.run_job()
    assert [timer.callback for timer in world.runtime.timers] == [None]


def test_only_a_few_are_read_at_once(world: World, readings: Readings) -> None:
    found: list[Any] = []
    for number in range(20):
        readings.ask(Question(f"u{number}", START, ("news",)), found.append)
    world.runtime.run()
    assert len(world.runtime.jobs) == AT_ONCE
    world.runtime.run_job()
    assert len(found) == 20
    for _ in range(AT_ONCE - 1):
        world.runtime.run_job()
    readings.ask(MINE, found.append)
    world.runtime.run()
    assert len(world.runtime.jobs) == 1


def test_what_is_asked_while_the_last_job_ends_is_read(world: World, readings: Readings) -> None:
    found: list[Any] = []
    for number in range(AT_ONCE):
        readings.ask(Question(f"u{number}", START, ("news",)), found.append)
    world.runtime.run()
    readings.ask(MINE, found.append)  # begins after the jobs have found the line empty
    for _ in range(AT_ONCE):
        world.runtime.jobs.popleft()()
    world.runtime.run()
    assert len(found) == AT_ONCE
    assert 1 <= len(world.runtime.jobs) <= AT_ONCE
    world.runtime.run_job()
    assert len(found) == AT_ONCE + 1


def test_who_was_given_up_in_the_line_is_not_read(world: World, readings: Readings) -> None:
    readings.ask(MINE, lambda _: None)
    world.runtime.run()
    world.clock.advance(2)
    world.runtime.fire()
    world.runtime.run()
    world.runtime.run_job()
    assert world.inbox.asked == []


def test_what_was_missed_of_the_rest_comes_from_its_own_place(world: World) -> None:
    for topic in ("news", "user:u1", "news", "user:u1"):
        world.keep(toast(topic=topic))
    place = Position(2, "e1")
    question = Question("u1", START, ("news",), place, ("news", "user:u1"))
    assert seqs(read(world.inbox, question, 10)) == [1, 3, 4]


def test_where_the_rest_cannot_be_told_nothing_is(world: World) -> None:
    for topic in ("news", "user:u1", "user:u1"):
        world.keep(toast(topic=topic))
    question = Question("u1", START, ("news",), Position(1, "e1"), ("news", "user:u1"))
    assert read(world.inbox, question, 1) == Missed(position=Position(3, "e1"), reason="too_many")
