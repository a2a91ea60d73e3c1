"""What every short history promises, on each that there is."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from msgspec.structs import replace

from tests.fakes import control
from tests.redis import RedisServer
from toastkit.backplane import MemoryBackplane
from toastkit.backplane.contract import Answer
from toastkit.backplane.history import MAX_EVENT_BYTES, History, Keep, Past
from toastkit.backplane.memoryhistory import MemoryHistory
from toastkit.clock import SystemClock
from toastkit.errors import TooLarge
from toastkit.events import Event
from toastkit.records import Position
from toastkit.runtime import runtime_for

pytestmark = pytest.mark.plain

KEEP = Keep(size=10, ms=60_000)


@dataclass
class Stage:
    """A history, another worker's view of the same, and what a worker heard on ``room``."""

    ours: History
    theirs: History
    heard: Callable[[int], list[Event]]
    lose: Callable[[], None]

    def append(self, *ids: str, keep: Keep = KEEP, **given: Any) -> Position:
        for id in ids:
            position = self.ours.append(event(id, **given), keep)
        return position

    def here(self) -> Position:
        return self.theirs.newest("room", 0).position

    def since(self, seq: int, most: int = 100) -> Past:
        return self.theirs.since("room", Position(seq, self.here().epoch), most)


def event(id: str, **given: Any) -> Event:
    return replace(control(), **{"id": id, "route": "room", "data": {"text": "a"}, **given})


def ids(past: Past) -> list[str]:
    return [event.id for event in past.events]


class Ear:
    def __init__(self) -> None:
        self.heard: list[Event] = []

    def hear(self, event: Event, answer: Answer) -> None:
        self.heard.append(event)
        answer(0, 0)

    def doubt(self, routes: Any = None) -> None:
        pass


@pytest.fixture
def in_memory() -> Iterator[Stage]:
    runtime, ear = runtime_for("auto"), Ear()
    backplane = MemoryBackplane(runtime)
    backplane.listen(ear)
    runtime.ask(lambda: backplane.join("room"))
    history = MemoryHistory(backplane, runtime, SystemClock())
    yield Stage(history, history, lambda _: ear.heard, history._routes.clear)
    runtime.close()


@pytest.fixture
def in_redis(redis_server: RedisServer, redis_prefix: str) -> Iterator[Stage]:
    import redis

    from toastkit.backplane.redis.envelope import unpack
    from toastkit.backplane.redis.history import RedisHistory
    from toastkit.backplane.redis.keys import Keys
    from toastkit.backplane.redis.requests import Requests

    keys = Keys(redis_prefix)
    requests = [Requests(redis_server.url, SystemClock(), 30_000) for _ in range(2)]
    ours, theirs = (RedisHistory(each, keys) for each in requests)
    with redis.Redis.from_url(redis_server.url) as client, client.pubsub() as listener:
        listener.subscribe(keys.channel("room"))
        listener.get_message(timeout=30)

        def heard(count: int) -> list[Event]:
            told = [listener.get_message(timeout=30) for _ in range(count)]
            return [unpack("room", each["data"]) for each in told if each]

        def lose() -> None:
            client.delete(*keys.history("room"))

        yield Stage(ours, theirs, heard, lose)
    for each in requests:
        each.close()


@pytest.fixture(params=["memory", "redis"])
def stage(request: pytest.FixtureRequest) -> Stage:
    stage: Stage = request.getfixturevalue(f"in_{request.param}")
    return stage


def test_events_are_numbered_from_one(stage: Stage) -> None:
    first, second = stage.append("a"), stage.append("b")
    assert (first.seq, second.seq) == (1, 2)
    assert first.epoch == second.epoch == stage.here().epoch
    assert stage.here() == second


def test_what_is_kept_is_heard_with_its_position(stage: Stage) -> None:
    position = stage.append("a", "b", "c")
    heard = stage.heard(3)
    assert [(each.id, each.seq) for each in heard] == [("a", 1), ("b", 2), ("c", 3)]
    assert {each.epoch for each in heard} == {position.epoch}
    assert not any(each.replayed for each in heard)


def test_what_is_read_is_what_was_published_marked_as_replayed(stage: Stage) -> None:
    position = stage.append("a", topic="room", exclude="me", data={"text": "ä", "n": [1, None]})
    [kept] = stage.since(0).events
    given = event("a", topic="room", exclude="me", data={"text": "ä", "n": [1, None]})
    assert kept == replace(given, seq=1, epoch=position.epoch, replayed=True)


def test_what_came_after_a_position_is_told_in_order(stage: Stage) -> None:
    stage.append(*"abcd")
    assert ids(stage.since(2)) == ["c", "d"]
    assert ids(stage.since(4)) == []
    assert stage.since(4).reason is None
    assert stage.since(1).position == stage.here()


def test_a_position_before_the_first_event_is_good_after_it(stage: Stage) -> None:
    position = stage.here()
    assert position.seq == 0
    stage.append("a")
    assert ids(stage.theirs.since("room", position, 10)) == ["a"]


def test_more_than_asked_for_is_too_many(stage: Stage) -> None:
    stage.append(*"abc")
    assert ids(stage.since(1, most=2)) == ["b", "c"]
    past = stage.since(0, most=2)
    assert (past.reason, past.events, past.position) == ("too_many", (), stage.here())


def test_more_than_is_kept_is_too_many(stage: Stage) -> None:
    stage.append(*"abcd", keep=Keep(size=2, ms=60_000))
    assert ids(stage.since(2)) == ["c", "d"]
    assert stage.since(1).reason == "too_many"
    assert ids(stage.theirs.newest("room", 10)) == ["c", "d"]


def test_what_is_kept_no_longer_is_a_gap_not_silence(stage: Stage) -> None:
    position = stage.append("a", keep=Keep(ms=1))
    wait_until(lambda: stage.since(0).reason == "too_many")
    assert stage.theirs.newest("room", 10) == Past(position=position)
    assert stage.append("b").seq == 2, "the position outlives what is kept"
    assert stage.since(0).reason == "too_many"
    assert ids(stage.since(1)) == ["b"]


def test_each_event_is_kept_for_its_own_time(stage: Stage) -> None:
    stage.append("a", keep=Keep(ms=1))
    stage.append("b")
    wait_until(lambda: stage.since(0).reason == "too_many")
    assert ids(stage.theirs.newest("room", 10)) == ["b"]


def test_what_has_expired_is_left_out_and_is_no_gap(stage: Stage) -> None:
    stage.append("a", expires_at=1)
    stage.append("b")
    past = stage.since(0)
    assert (ids(past), past.reason) == (["b"], None)
    assert ids(stage.theirs.newest("room", 10)) == ["b"]


def test_the_newest_are_told_in_order(stage: Stage) -> None:
    stage.append(*"abcd")
    assert ids(stage.theirs.newest("room", 2)) == ["c", "d"]
    assert ids(stage.theirs.newest("room", 0)) == []


@pytest.mark.parametrize("seq", [-1, 3, 2**70])
def test_a_position_that_never_was_is_not_answered(stage: Stage, seq: int) -> None:
    stage.append("a", "b")
    assert stage.since(seq).reason == "epoch_changed"


@pytest.mark.parametrize("epoch", ["", "other", 'a"b', "1"])
def test_a_position_of_another_epoch_is_not_answered(stage: Stage, epoch: str) -> None:
    stage.append("a")
    assert stage.theirs.since("room", Position(0, epoch), 10).reason == "epoch_changed"


def test_when_it_was_lost_the_numbers_begin_anew_under_another_epoch(stage: Stage) -> None:
    before = stage.append("a", "b")
    stage.lose()
    after = stage.append("c")
    assert after.seq == 1
    assert after.epoch != before.epoch
    assert stage.theirs.since("room", Position(1, before.epoch), 10).reason == "epoch_changed"
    assert ids(stage.since(0)) == ["c"]


def test_routes_are_kept_apart(stage: Stage) -> None:
    stage.append("a")
    assert stage.ours.append(event("b", route="other"), KEEP).seq == 1
    assert ids(stage.theirs.newest("room", 10)) == ["a"]
    assert ids(stage.theirs.newest("other", 10)) == ["b"]


def test_what_is_too_large_is_refused_and_takes_no_number(stage: Stage) -> None:
    with pytest.raises(TooLarge, match=str(MAX_EVENT_BYTES)):
        stage.append("a", data={"text": "a" * MAX_EVENT_BYTES})
    assert stage.append("b").seq == 1


def test_many_at_once_are_heard_in_the_order_of_their_positions(stage: Stage) -> None:
    numbers, epochs = itertools.count(1), set()

    def publish(history: History) -> None:
        for _ in range(25):
            epochs.add(history.append(event(f"e{next(numbers)}"), KEEP).epoch)

    threads = [
        threading.Thread(target=publish, args=(each,)) for each in (stage.ours, stage.theirs)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [each.seq for each in stage.heard(50)] == list(range(1, 51))
    assert len(epochs) == 1
    assert [each.seq for each in stage.since(40).events] == list(range(41, 51))


@pytest.mark.parametrize("given", [{"size": 0}, {"size": 1001}, {"ms": 0}, {"ms": 10**13}])
def test_what_is_kept_is_bounded(given: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="1 to 1000 events"):
        Keep(**given)


def wait_until(fact: Callable[[], bool]) -> None:
    """Look again until it is so; each look asks the store, which takes its time."""
    deadline = SystemClock().monotonic() + 30
    while not fact():
        assert SystemClock().monotonic() < deadline, "it never came to be"
