"""Whatever the order of events, a client is told each toast it hears once, and in order."""

import json
from collections import deque
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import World, control, toast
from toastkit.errors import StorageUnavailable
from toastkit.events import Event, Missed
from toastkit.records import Position, Since

TOPICS = ("user:u1", "news")

step = st.one_of(
    st.tuples(st.sampled_from(["here", "elsewhere", "committed"]), st.sampled_from(TOPICS)),
    st.tuples(st.just("subscribe"), st.sampled_from(TOPICS)),
    st.tuples(st.sampled_from(["loop", "read", "tell", "fill", "drain", "back"]), st.just("")),
    st.tuples(st.just("refresh"), st.just("")),
)
trouble = st.one_of(
    st.just(("elsewhere", TOPICS[0])),
    *(st.just((name, "")) for name in ("broken", "mended", "doubt", "second", "control")),
)


class Schedule:
    """Carry out steps that may come in any order, and know what must be told in the end.

    A toast published ``here`` is told at once; one from ``elsewhere`` only by the next gap; one
    that is ``committed`` is told when the loop comes to it (``tell``), in the order of commits.
    """

    def __init__(self) -> None:
        self.world = World(message_rate=10_000, message_burst=10_000)
        self.client = self.world.connect("u1", *TOPICS)
        self.committed: deque[Event] = deque()
        self.number = 0
        self.told: list[Any] = []
        self.skipped = False
        self.answers: list[list[tuple[int, int]]] = []

    def take(self, name: str, topic: str) -> None:
        getattr(self, name)(*([topic] if topic else []))
        self.listen()

    def listen(self) -> None:
        frames = [each for each in self.client.news() if each != "PING"] if self.whole() else []
        self.skipped |= any(
            each.get("code") == "unrecoverable_position" or each.get("recovered") is False
            for each in frames
        )
        self.told += [frame["seq"] for frame in frames if frame["type"] == "toast"]

    def whole(self) -> bool:
        return self.client.connection.buffer is None

    def event(self, topic: str) -> Event:
        self.number += 1
        return toast(id=f"t{self.number}", topic=topic)

    def here(self, topic: str) -> None:
        while self.committed:  # the loop is called in the order of the commits
            self.tell()
        self.answers.append(self.world.hear(self.event(topic)))

    def elsewhere(self, topic: str) -> None:
        self.world.keep(self.event(topic))

    def committed_(self, topic: str) -> None:
        self.committed.append(self.world.keep(self.event(topic)))

    def tell(self) -> None:
        if self.committed:
            self.answers.append(self.world.hear(self.committed.popleft()))

    def subscribe(self, topic: str) -> None:
        known = max(self.told, default=0)
        message = {"type": "subscribe", "topics": [topic], "since": position(known)}
        self.client.connection.receive(encoded(message))

    def refresh(self) -> None:
        self.world.tickets["fresh"] = self.world.ticket("u1", *TOPICS, seconds=1800)
        self.client.connection.receive(encoded({"type": "refresh", "token": "fresh"}))

    def loop(self) -> None:
        self.world.runtime.run()

    def read(self) -> None:
        if self.world.runtime.jobs:
            self.world.runtime.jobs.popleft()()

    def fill(self) -> None:
        self.client.transport.takes = 30

    def drain(self) -> None:
        self.client.transport.make_room(None)

    def back(self) -> None:
        """Lose the socket and come back from the last toast it was told.

        Nobody does that before the loop comes to the commit of a toast that was read and told
        already: the new connection would take it for one that is decided only now, and tell it.
        """
        self.drain()
        self.listen()
        while self.committed and self.committed[0].seq in self.told:
            self.tell()
            self.listen()
        self.client.connection.lost()
        since = Since(position=Position(**position(max(self.told, default=0))))
        connection = self.world.admit("u1", *TOPICS, since=since)
        self.client = self.world.open(connection)

    def broken(self) -> None:
        """Let what is missed be unreadable; where toasts stand can be read."""
        self.world.inbox.missed = self.fail  # type: ignore[method-assign]

    def mended(self) -> None:
        self.world.inbox.__dict__.pop("missed", None)

    def fail(self, *_: object) -> Missed:
        raise StorageUnavailable("the database is locked")

    def doubt(self) -> None:
        self.world.node.doubt()

    def second(self) -> None:
        self.settle()
        self.client.connection.heard()
        self.world.pass_time(1)
        self.settle()

    def control(self) -> None:
        self.answers.append(self.world.hear(control(route="user:u1")))

    def end(self) -> None:
        """Let everything be told, and one more toast show every gap."""
        self.drain()
        while self.committed:
            self.tell()
        self.here(TOPICS[0])
        for _ in range(5):
            self.settle()
            self.drain()
        self.listen()

    def settle(self) -> None:
        self.loop()
        while self.world.runtime.jobs:
            self.world.runtime.run_job()


def position(seq: int) -> dict[str, Any]:
    return {"seq": seq, "epoch": "e1" if seq else ""}


def encoded(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode()


@given(steps=st.lists(step, max_size=40))
def test_each_toast_is_told_once_and_in_order(steps: list[tuple[str, str]]) -> None:
    schedule = Schedule()
    for name, topic in steps:
        schedule.take("committed_" if name == "committed" else name, topic)
    schedule.end()
    assert schedule.told == list(range(1, schedule.number + 1))
    assert all(len(each) == 1 for each in schedule.answers)
    assert schedule.client.connection.catching is None
    assert schedule.client.connection.backlog is None


@given(steps=st.lists(st.one_of(step, trouble), max_size=40))
def test_what_is_skipped_while_storage_fails_is_said_and_nobody_is_stuck(
    steps: list[tuple[str, str]],
) -> None:
    """A client that was told so may ask again for what it knows, and keeps ids."""
    schedule = Schedule()
    for name, topic in steps:
        schedule.take("committed_" if name == "committed" else name, topic)
    schedule.mended()
    for _ in range(4):
        schedule.end()
        schedule.second()
    shown = list(dict.fromkeys(schedule.told))
    assert schedule.skipped or shown == list(range(1, schedule.number + 1))
    assert schedule.number in shown
    assert schedule.client.connection.catching is None
    assert schedule.client.connection.backlog is None
