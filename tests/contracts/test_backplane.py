"""What every backplane promises, shown on the runtime this interpreter would choose."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.fakes import control, toast
from toastkit.backplane import MemoryBackplane
from toastkit.backplane.contract import Answer, Backplane, Confirmation, Pending
from toastkit.backplane.redis import RedisBackplane
from toastkit.clock import SystemClock
from toastkit.config import Config
from toastkit.events import Event
from toastkit.runtime import runtime_for
from toastkit.runtime.contract import Runtime

Broadcast = Callable[..., Pending]
BACKPLANES = ["memory", "redis"]


class Ear:
    """Hear events, and answer as a test says: at once, or when it lets go."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.heard: list[str] = []
        self.on_loop: list[bool] = []
        self.holds: set[str] = set()
        self.fails: set[str] = set()
        self.held: list[Answer] = []

    def hear(self, event: Event, answer: Answer) -> None:
        self.heard.append(event.id)
        self.on_loop.append(self._runtime.on_loop())
        if event.id in self.fails:
            raise ZeroDivisionError
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
    backplane = make(request, runtime)
    backplane.listen(ear)
    backplane.serve()
    runtime.ask(lambda: backplane.join("user:u1"))
    yield backplane
    backplane.close()


def make(request: Any, runtime: Runtime) -> Backplane:
    if request.param == "memory":
        return MemoryBackplane(runtime)
    config = Config(
        redis_url=request.getfixturevalue("redis_server").url,
        redis_prefix=request.getfixturevalue("redis_prefix"),
    )
    return RedisBackplane(config, runtime, SystemClock())


@pytest.fixture
def broadcast(backplane: Backplane, runtime: Runtime) -> Broadcast:
    """Begin on the loop, wait here: as a publisher does."""
    return lambda *events: runtime.ask(lambda: backplane.broadcast(events))


def test_what_is_broadcast_is_heard_and_confirmed(broadcast: Broadcast, ear: Ear) -> None:
    assert broadcast(toast()).wait(5) == [Confirmation(1, 2, complete=True)]
    assert ear.heard == ["01HXY7Z1"]


def test_the_ear_is_called_on_the_loop(broadcast: Broadcast, ear: Ear) -> None:
    broadcast(toast()).wait(5)
    assert ear.on_loop == [True]


def test_a_route_nobody_is_on_is_known_to_be_empty(broadcast: Broadcast, ear: Ear) -> None:
    assert broadcast(toast("u2")).wait(5) == [Confirmation(0, 0, complete=True)]
    assert ear.heard == []


def test_a_route_that_was_left_is_heard_no_longer(
    backplane: Backplane, runtime: Runtime, broadcast: Broadcast, ear: Ear
) -> None:
    runtime.ask(lambda: backplane.leave("user:u1"))
    assert broadcast(toast()).wait(5) == [Confirmation(0, 0, complete=True)]
    assert ear.heard == []


def test_leaving_twice_is_harmless(backplane: Backplane, runtime: Runtime) -> None:
    for _ in range(2):
        runtime.ask(lambda: backplane.leave("user:u1"))


def test_a_route_that_is_joined_again_is_heard_again(
    backplane: Backplane, runtime: Runtime, broadcast: Broadcast, ear: Ear
) -> None:
    runtime.ask(lambda: backplane.leave("user:u1"))
    runtime.ask(lambda: backplane.join("user:u1"))
    broadcast(toast()).wait(5)
    assert ear.heard == ["01HXY7Z1"]


def test_A27_everybodys_route_needs_no_join(broadcast: Broadcast, ear: Ear) -> None:
    broadcast(control()).wait(5)
    assert ear.heard == ["c1"]


def test_what_is_broadcast_first_is_heard_first(broadcast: Broadcast, ear: Ear) -> None:
    pending = [
        broadcast(*(toast(id=str(number)) for number in range(start, start + 3)))
        for start in range(0, 60, 3)
    ]
    for each in reversed(pending):
        each.wait(5)
    assert ear.heard == [str(number) for number in range(60)]


def test_confirmations_come_in_the_order_of_the_events(broadcast: Broadcast) -> None:
    pending = broadcast(toast(id="a"), toast("u2", id="b"), toast(id="c"))
    assert [each.written for each in pending.wait(5)] == [1, 0, 1]


def test_without_every_answer_it_is_not_complete(
    broadcast: Broadcast, runtime: Runtime, ear: Ear
) -> None:
    ear.holds = {"b"}
    told = broadcast(toast(id="a"), toast(id="b")).wait(0.05)
    assert told == [Confirmation(1, 2, complete=True), Confirmation()]
    (late,) = ear.held
    runtime.ask(lambda: late(1, 1))
    assert told[1] == Confirmation()


def test_an_answer_within_the_time_given_counts(
    broadcast: Broadcast, runtime: Runtime, ear: Ear
) -> None:
    ear.holds = {"a"}
    pending = broadcast(toast(id="a"))
    runtime.call_later(0.01, lambda: ear.held[0](3, 4))
    assert pending.wait(5) == [Confirmation(3, 4, complete=True)]


def test_broadcasting_waits_for_no_answer(broadcast: Broadcast, ear: Ear) -> None:
    ear.holds = {"a", "b"}
    assert [broadcast(toast(id=id)).wait(0) for id in "ab"] == [[Confirmation()]] * 2
    assert ear.heard == ["a", "b"]


def test_one_event_that_fails_keeps_no_other_from_being_heard(
    broadcast: Broadcast, ear: Ear, caplog: pytest.LogCaptureFixture
) -> None:
    ear.fails = {"b"}
    told, shown = broadcast(*(toast(id=id) for id in "abc")), Confirmation(1, 2, complete=True)
    started = time.monotonic()
    assert told.wait(5) == [shown, Confirmation(), shown]
    assert time.monotonic() - started < 4
    assert ear.heard == ["a", "b", "c"]
    assert "the toast b could not be told" in caplog.text


def test_nothing_to_tell_is_no_trouble(broadcast: Broadcast) -> None:
    assert broadcast().wait(5) == []


def test_many_threads_may_broadcast(broadcast: Broadcast, ear: Ear) -> None:
    told: list[Confirmation] = []

    def publish(name: str) -> None:
        for number in range(20):
            told.extend(broadcast(toast(id=f"{name}{number}")).wait(5))

    threads = [threading.Thread(target=publish, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == [Confirmation(1, 2, complete=True)] * 80
    for name in "abcd":
        mine = [each for each in ear.heard if each.startswith(name)]
        assert mine == [f"{name}{number}" for number in range(20)]


def test_after_close_nothing_is_heard(backplane: Backplane, broadcast: Broadcast, ear: Ear) -> None:
    backplane.close()
    broadcast(toast()).wait(0)
    assert ear.heard == []
