"""What every backplane promises, shown on the runtime this interpreter would choose."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.fakes import control, toast
from toastkit.backplane import MemoryBackplane
from toastkit.backplane.contract import Answer, Backplane, Confirmation
from toastkit.events import Event
from toastkit.runtime import runtime_for
from toastkit.runtime.contract import Runtime

BACKPLANES: dict[str, Callable[[Runtime], Backplane]] = {"memory": MemoryBackplane}


class Ear:
    """Hear events, and answer as a test says: at once, or when it lets go."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.heard: list[str] = []
        self.on_loop: list[bool] = []
        self.holds: set[str] = set()
        self.held: list[Answer] = []

    def __call__(self, event: Event, answer: Answer) -> None:
        self.heard.append(event.id)
        self.on_loop.append(self._runtime.on_loop())
        if event.id in self.holds:
            self.held.append(answer)
        else:
            answer(1, 2)


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    runtime = runtime_for("auto")
    yield runtime
    runtime.close()


@pytest.fixture
def ear(runtime: Runtime) -> Ear:
    return Ear(runtime)


@pytest.fixture(params=BACKPLANES)
def backplane(request: Any, runtime: Runtime, ear: Ear) -> Iterator[Backplane]:
    backplane = BACKPLANES[request.param](runtime)
    backplane.listen(ear)
    runtime.ask(lambda: backplane.join("user:u1"))
    yield backplane
    backplane.close()


def settle(runtime: Runtime) -> None:
    """Wait until the loop has done what it was called for so far."""
    runtime.ask(lambda: None)


def test_what_is_broadcast_is_heard_and_confirmed(backplane: Backplane, ear: Ear) -> None:
    assert backplane.broadcast([toast()], 5) == [Confirmation(1, 2, complete=True)]
    assert ear.heard == ["01HXY7Z1"]


def test_the_ear_is_called_on_the_loop(backplane: Backplane, ear: Ear) -> None:
    backplane.broadcast([toast()], 5)
    assert ear.on_loop == [True]


def test_a_route_nobody_is_on_is_known_to_be_empty(backplane: Backplane, ear: Ear) -> None:
    assert backplane.broadcast([toast("u2")], 5) == [Confirmation(0, 0, complete=True)]
    assert ear.heard == []


def test_a_route_that_was_left_is_heard_no_longer(
    backplane: Backplane, runtime: Runtime, ear: Ear
) -> None:
    runtime.ask(lambda: backplane.leave("user:u1"))
    assert backplane.broadcast([toast()], 5) == [Confirmation(0, 0, complete=True)]
    assert ear.heard == []


def test_leaving_twice_is_harmless(backplane: Backplane, runtime: Runtime) -> None:
    for _ in range(2):
        runtime.ask(lambda: backplane.leave("user:u1"))


def test_a_route_that_is_joined_again_is_heard_again(
    backplane: Backplane, runtime: Runtime, ear: Ear
) -> None:
    runtime.ask(lambda: backplane.leave("user:u1"))
    runtime.ask(lambda: backplane.join("user:u1"))
    backplane.broadcast([toast()], 5)
    assert ear.heard == ["01HXY7Z1"]


def test_A27_everybodys_route_needs_no_join(backplane: Backplane, ear: Ear) -> None:
    backplane.broadcast([control()], 5)
    assert ear.heard == ["c1"]


def test_events_of_one_publisher_keep_their_order(
    backplane: Backplane, runtime: Runtime, ear: Ear
) -> None:
    for start in range(0, 60, 3):
        some = [toast(id=str(number)) for number in range(start, start + 3)]
        backplane.broadcast(some, 5 if start % 2 else 0)
    settle(runtime)
    assert ear.heard == [str(number) for number in range(60)]


def test_confirmations_come_in_the_order_of_the_events(backplane: Backplane) -> None:
    events = [toast(id="a"), toast("u2", id="b"), toast(id="c")]
    assert [each.written for each in backplane.broadcast(events, 5)] == [1, 0, 1]


def test_without_every_answer_it_is_not_complete(
    backplane: Backplane, runtime: Runtime, ear: Ear
) -> None:
    ear.holds = {"b"}
    told = backplane.broadcast([toast(id="a"), toast(id="b")], 0.05)
    assert told == [Confirmation(1, 2, complete=True), Confirmation()]
    (late,) = ear.held
    runtime.ask(lambda: late(1, 1))
    assert told[1] == Confirmation()


def test_an_answer_within_the_time_given_counts(
    backplane: Backplane, runtime: Runtime, ear: Ear
) -> None:
    ear.holds = {"a"}

    def answer() -> None:
        if ear.held:
            ear.held[0](3, 4)
        else:
            runtime.call_later(0.001, answer)

    runtime.call_later(0.001, answer)
    assert backplane.broadcast([toast(id="a")], 5) == [Confirmation(3, 4, complete=True)]


def test_confirm_0_does_not_wait(backplane: Backplane, runtime: Runtime, ear: Ear) -> None:
    ear.holds = {"a"}
    assert backplane.broadcast([toast(id="a")], 0) == [Confirmation()]
    settle(runtime)
    assert ear.heard == ["a"]


def test_the_loop_itself_may_broadcast(backplane: Backplane, runtime: Runtime, ear: Ear) -> None:
    told = runtime.ask(lambda: backplane.broadcast([toast()], 0))
    assert len(told) == 1
    settle(runtime)
    assert ear.heard == ["01HXY7Z1"]


def test_nothing_to_tell_is_no_trouble(backplane: Backplane) -> None:
    assert backplane.broadcast([], 5) == []


def test_many_threads_may_broadcast(backplane: Backplane, ear: Ear) -> None:
    told: list[Confirmation] = []

    def publish(name: str) -> None:
        for number in range(20):
            told.extend(backplane.broadcast([toast(id=f"{name}{number}")], 5))

    threads = [threading.Thread(target=publish, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == [Confirmation(1, 2, complete=True)] * 80
    for name in "abcd":
        mine = [each for each in ear.heard if each.startswith(name)]
        assert mine == [f"{name}{number}" for number in range(20)]


def test_after_close_nothing_is_heard(backplane: Backplane, runtime: Runtime, ear: Ear) -> None:
    backplane.close()
    backplane.broadcast([toast()], 0)
    settle(runtime)
    assert ear.heard == []
