"""Stand-ins for the outside world that a test moves by hand."""

import json
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from toastkit.backplane import MemoryBackplane
from toastkit.closing import CloseReason
from toastkit.config import Config
from toastkit.dialects import ToastsDialect
from toastkit.errors import StorageUnavailable
from toastkit.events import Event
from toastkit.hooks import Hooks
from toastkit.live import Connection, Node, NodeParts, Rules
from toastkit.publishing.inbox import Then
from toastkit.records import Accepted, StateChange, StoredToast, Ticket
from toastkit.replies import Failure
from toastkit.testing import ManualClock


class FakeSignal:
    """Be set or not; who waits lets the loop run instead."""

    def __init__(self, runtime: "FakeRuntime") -> None:
        self._runtime = runtime
        self._set = False
        self.waited: float | None = None

    def set(self) -> None:
        self._set = True

    def wait(self, timeout: float | None = None) -> bool:
        self.waited = timeout
        self._runtime.run()
        return self._set


@dataclass
class FakeTimer:
    due: float
    callback: Callable[[], None] | None

    def cancel(self) -> None:
        self.callback = None


class FakeRuntime:
    """Queue what is called and spawned until a test lets it run; time is the manual clock's."""

    name = "fake"

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.here = True
        self.calls: deque[Callable[[], None]] = deque()
        self.jobs: deque[Callable[[], None]] = deque()
        self.timers: list[FakeTimer] = []

    def on_loop(self) -> bool:
        return self.here

    def call(self, callback: Callable[..., None], *args: Any) -> None:
        self.calls.append(lambda: callback(*args))

    def ask(self, job: Callable[[], Any]) -> Any:
        return job()

    def call_later(self, seconds: float, callback: Callable[[], None]) -> FakeTimer:
        timer = FakeTimer(self.clock.monotonic() + seconds, callback)
        self.timers.append(timer)
        return timer

    def spawn(self, job: Callable[[], None]) -> None:
        self.jobs.append(job)

    def offload(self, job: Callable[[], Any]) -> Any:
        return job()

    def thread(self, job: Callable[[], None]) -> None:
        self.jobs.append(job)

    def signal(self) -> FakeSignal:
        return FakeSignal(self)

    def watch(self, fd: int, write: bool = False) -> Any:
        raise AssertionError("nothing here has a descriptor")

    def breathe(self) -> None:
        self.run()

    def close(self) -> None:
        self.timers.clear()

    # What a test does

    def run(self) -> None:
        """Run what was called, in order, until nothing is left."""
        while self.calls:
            self.calls.popleft()()

    def run_job(self) -> None:
        """Let the oldest spawned job end, and the loop hear of it."""
        self.jobs.popleft()()
        self.run()

    def fire(self) -> None:
        """Call the timers that are due now; those they set wait for the next time."""
        due = [timer for timer in self.timers if timer.due <= self.clock.monotonic()]
        self.timers = [timer for timer in self.timers if timer not in due]
        for timer in due:
            if timer.callback is not None:
                timer.callback()


class FakeTransport:
    """Take as many bytes as a test allows: ``takes=None`` is a socket that is never full."""

    def __init__(self, connection: Connection, takes: int | None = None) -> None:
        self.connection = connection
        self.takes = takes
        self.gone = False
        self.out = bytearray()
        self.callback: Callable[[], None] | None = None
        self.finished = self.aborted = self.returned = False

    def write(self, data: bytes | memoryview) -> int:
        assert not self.finished, "nothing may be written after the end"
        if self.gone:
            raise BrokenPipeError
        count = len(data) if self.takes is None else min(self.takes, len(data))
        self.out += data[:count]
        if self.takes is not None:
            self.takes -= count
        return count

    def when_writable(self, callback: Callable[[], None] | None) -> None:
        self.callback = callback

    def finish(self) -> None:
        assert not self.finished, "finished twice"
        self.finished = True

    def abort(self) -> None:
        self.aborted = True
        self.give_back()

    def give_back(self) -> None:
        """Give the descriptor back, as when the client has closed its side too."""
        if not self.returned:
            self.returned = True
            self.callback = None
            self.connection.closed()

    def make_room(self, size: int | None) -> None:
        """Let the socket take ``size`` more bytes (``None``: any number), and say so."""
        self.takes = size
        if self.callback is not None:
            self.callback()


class FakeFraming:
    """Wrap messages as netstrings, so that a test can see where one ends and if one is torn."""

    ping = b"4:PING,"

    def text(self, payload: bytes) -> bytes:
        return b"%d:%s," % (len(payload), payload)

    def close(self, code: int, reason: str) -> bytes:
        return self.text(f"CLOSE {code} {reason}".encode())


def frames(stream: bytes) -> list[bytes]:
    """Take a stream of netstrings apart; fails when one is torn."""
    found, rest = [], bytes(stream)
    while rest:
        size, _, rest = rest.partition(b":")
        assert len(rest) > int(size), "the last frame is torn"
        payload, comma, rest = (
            rest[: int(size)],
            rest[int(size) : int(size) + 1],
            rest[int(size) + 1 :],
        )
        assert comma == b","
        found.append(payload)
    return found


def words(payload: bytes) -> Any:
    """Return what one frame says: an object, or text for ping and close."""
    return json.loads(payload) if payload.startswith(b"{") else payload.decode()


@dataclass
class Client:
    """Be one client: what it said and was told."""

    connection: Connection
    transport: FakeTransport

    def said(self) -> list[Any]:
        """Return everything the client was told so far."""
        return [words(payload) for payload in frames(bytes(self.transport.out))]

    def news(self) -> list[Any]:
        """Return what the client was told, and forget it."""
        told = self.said()
        self.transport.out.clear()
        return told

    def say(self, message: Any) -> list[Any]:
        """Say something and return what is answered at once."""
        raw = message if isinstance(message, bytes) else json.dumps(message).encode()
        self.connection.heard()
        self.connection.receive(raw)
        return self.news()


class World:
    """Hold a node with everything around it, moved by hand."""

    def __init__(self, hooks: Hooks | None = None, **settings: Any) -> None:
        self.clock = ManualClock()
        self.config = Config(**settings)
        self.runtime = FakeRuntime(self.clock)
        self.backplane = MemoryBackplane(self.runtime)
        self.hooks = hooks or Hooks()
        self.firsts: list[str] = []
        rules = Rules(self.hooks)
        parts = NodeParts(self.config, self.clock, self.runtime, self.backplane, rules)
        self.node = Node(parts, at_first=lambda: self.firsts.append("first"))
        self.dialect = ToastsDialect(FakeFraming())

    def ticket(self, user_id: str = "u1", *topics: str, seconds: int = 900) -> Ticket:
        return Ticket(
            token_hash="h",
            user_id=user_id,
            device_id=f"clerk:{user_id}",
            topics=topics or (f"user:{user_id}",),
            session_hash=None,
            expires_at=self.clock.now() + seconds * 1000,
        )

    def admit(self, user_id: str = "u1", *topics: str, background: bool = False) -> Connection:
        return self.node.admit(self.ticket(user_id, *topics), self.dialect, background)

    def open(self, connection: Connection, takes: int | None = None) -> Client:
        client = Client(connection, FakeTransport(connection, takes))
        connection.open(client.transport)
        return client

    def connect(self, user_id: str = "u1", *topics: str, background: bool = False) -> Client:
        """Return a connected client that has read its greeting."""
        client = self.open(self.admit(user_id, *topics, background=background))
        client.news()
        return client

    def refuse(self, reason: CloseReason, failure: Failure | None = None) -> Connection:
        return self.node.refuse(self.dialect, reason, failure)

    def hear(self, event: Event) -> list[tuple[int, int]]:
        """Let the node hear an event and return its answers, now and later."""
        answers: list[tuple[int, int]] = []
        self.node.hear(event, lambda written, present: answers.append((written, present)))
        return answers

    def pass_time(self, seconds: int) -> None:
        """Let whole seconds pass, one tick after the other."""
        for _ in range(seconds):
            self.clock.advance(1)
            self.runtime.fire()

    def fill(self, client: Client) -> None:
        """Fill a client's socket: it takes nothing more until it is told to."""
        client.transport.takes = 0


def assert_empty(node: Node) -> None:
    """Check that nothing of any connection is left behind."""
    assert node.roster.connections == set()
    assert node.roster._routes == {}
    assert not any(node.wheel._slots)
    assert node._watch.behind == set()
    assert node._watch.leaving == set()


def toast(user_id: str = "u1", **given: Any) -> Event:
    """Return a toast's event as the publisher broadcasts it."""
    content = {
        "title": "Hello",
        "body": None,
        "style": "info",
        "priority": "normal",
        "deeplink": None,
        "data": None,
    }
    start: dict[str, Any] = {
        "kind": "toast",
        "id": "01HXY7Z1",
        "route": f"user:{user_id}",
        "name": "toast",
        "created_at": ManualClock().now(),
        "topic": f"user:{user_id}",
        "user_id": user_id,
        "seq": 1,
        "epoch": "e1",
    }
    data = content | given.pop("data", {})
    return Event(**(start | given), data=data)


def control(name: str = "flags.changed", route: str = "*", **params: Any) -> Event:
    """Return a control's event as the publisher broadcasts it."""
    now = ManualClock().now()
    return Event(kind="control", id="c1", route=route, name=name, data=params, created_at=now)


@dataclass
class FakeInbox:
    """Number toasts and remember the changes; a key in ``held`` makes a duplicate."""

    held: dict[str, str] = field(default_factory=dict)
    takes_over: dict[str, str] = field(default_factory=dict)
    broken: bool = False
    stored: list[Event] = field(default_factory=list)
    changes: list[StateChange] = field(default_factory=list)
    rows: list[StoredToast] = field(default_factory=list)
    asked: list[Any] = field(default_factory=list)

    def accept(
        self, events: Sequence[Event], due_ms: int, then: Then | None = None
    ) -> list[Accepted]:
        if self.broken:
            raise StorageUnavailable("the database is locked")
        accepted = [self._accept(event) for event in events]
        if then is not None:
            then(accepted)
        return accepted

    def mark(self, changes: Sequence[StateChange]) -> None:
        self.changes += changes

    def page(self, user_id: str, limit: int, include_collapsed: bool = False) -> list[StoredToast]:
        self.asked.append((user_id, limit, include_collapsed))
        return self.rows[:limit]

    def _accept(self, event: Event) -> Accepted:
        key = event.dedupe_key or ""
        if key in self.held:
            return Accepted(self.held[key], 1, "e1", duplicate=True)
        self.stored.append(event)
        return Accepted(self.takes_over.get(key, event.id), len(self.stored), "e1")
