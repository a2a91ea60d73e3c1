"""Stand-ins for the outside world that a test moves by hand."""

import json
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from toastkit.backplane import MemoryBackplane
from toastkit.closing import CloseReason
from toastkit.config import Config
from toastkit.dialects import ToastsDialect
from toastkit.errors import InvalidToken, StorageUnavailable
from toastkit.events import Event, Missed
from toastkit.hooks import Hooks
from toastkit.ids import default_device_id, toast_id
from toastkit.live import Arriving, Connection, Node, NodeParts, Rules, Witness
from toastkit.publishing.inbox import Relayed, Then, ThenRelayed
from toastkit.records import (
    Accepted,
    Facts,
    Page,
    PageQuery,
    Position,
    ReadMark,
    Since,
    StateChange,
    StoredToast,
    Ticket,
)
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
        while self._runtime.jobs and not self._set:
            self._runtime.run_job()
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

    def __init__(
        self, hooks: Hooks | None = None, witness: Witness | None = None, **settings: Any
    ) -> None:
        self.clock = ManualClock()
        self.config = Config(**settings)
        self.runtime = FakeRuntime(self.clock)
        self.backplane = MemoryBackplane(self.runtime)
        self.hooks = hooks or Hooks()
        self.firsts: list[str] = []
        self.inbox = FakeInbox()
        self.places: dict[str, int] = {}
        rules = Rules(self.hooks)
        self.tickets: dict[str, Ticket | Exception] = {}
        self.parts = NodeParts(
            *(self.config, self.clock, self.runtime, self.backplane, rules),
            inbox=self.inbox,
            redeem=self.redeem,
            witness=witness or Witness(),
        )
        self.node = Node(self.parts, at_first=lambda: self.firsts.append("first"))
        self.dialect = ToastsDialect(FakeFraming())

    def redeem(self, token: str) -> Ticket:
        """Return the ticket that a test gave a token, or raise what it gave instead."""
        found = self.tickets.get(token, InvalidToken("unknown WebSocket token"))
        if isinstance(found, Exception):
            raise found
        return found

    def ticket(
        self, user_id: str = "u1", *topics: str, seconds: int = 900, session: str | None = None
    ) -> Ticket:
        return Ticket(
            token_hash="h",
            user_id=user_id,
            device_id=default_device_id(user_id),
            topics=topics or (f"user:{user_id}",),
            session_hash=session,
            expires_at=self.clock.now() + seconds * 1000,
            position=self.position(user_id),
        )

    def position(self, user_id: str = "u1") -> Position:
        """Return where a principal's toasts stand."""
        seq = self.places.get(user_id, 0)
        return Position(seq, "e1" if seq else "")

    def admit(
        self,
        user_id: str = "u1",
        *topics: str,
        background: bool = False,
        since: Since | None = None,
        session: str | None = None,
    ) -> Connection:
        arriving = Arriving(background, since)
        ticket = self.ticket(user_id, *topics, session=session)
        return self.node.admit(ticket, self.dialect, arriving)

    def open(self, connection: Connection, takes: int | None = None) -> Client:
        client = Client(connection, FakeTransport(connection, takes))
        connection.open(client.transport)
        return client

    def connect(
        self,
        user_id: str = "u1",
        *topics: str,
        background: bool = False,
        session: str | None = None,
    ) -> Client:
        """Return a connected client that has read its greeting."""
        client = self.open(self.admit(user_id, *topics, background=background, session=session))
        client.news()
        return client

    def refuse(self, reason: CloseReason, failure: Failure | None = None) -> Connection:
        return self.node.refuse(self.dialect, reason, failure)

    def hear(self, event: Event) -> list[tuple[int, int]]:
        """Let the node hear an event and return its answers, now and later.

        A toast without a position is kept at the next one first, as the publisher does.
        """
        if event.kind == "toast" and event.seq is None:
            event = self.keep(event)
        answers: list[tuple[int, int]] = []
        self.node.hear(event, lambda written, present: answers.append((written, present)))
        return answers

    def keep(self, event: Event) -> Event:
        """Keep a toast at its principal's next position, as another process would."""
        seq = self.places[event.user_id] = self.places.get(event.user_id, 0) + 1
        kept = replace(event, seq=seq, epoch="e1")
        self.inbox.kept.append(kept)
        return kept

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
    assert node._watch._last == set()
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
    }
    data = content | given.pop("data", {})
    return Event(**(start | given), data=data)


def control(name: str = "flags.changed", route: str = "*", **params: Any) -> Event:
    """Return a control's event as the publisher broadcasts it."""
    now = ManualClock().now()
    return Event(kind="control", id="c1", route=route, name=name, data=params, created_at=now)


@dataclass
class FakeInbox:
    """Number toasts and remember what was asked; a key in ``held`` makes a duplicate.

    ``kept`` are the toasts as they were stored, at their positions; ``gone`` the ids of those that
    were read, deleted or replaced. ``outbox``, ``due`` and ``unacked`` are what a test put there.
    """

    held: dict[str, str] = field(default_factory=dict)
    takes_over: dict[str, str] = field(default_factory=dict)
    broken: bool = False
    stored: list[Event] = field(default_factory=list)
    kept: list[Event] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    outbox: list[Event] = field(default_factory=list)
    due: list[Event] = field(default_factory=list)
    unacked: list[Event] = field(default_factory=list)
    changes: list[StateChange] = field(default_factory=list)
    rows: list[StoredToast] = field(default_factory=list)
    known: dict[str, Facts] = field(default_factory=dict)
    asked: list[Any] = field(default_factory=list)
    marks: list[tuple[Any, ...]] = field(default_factory=list)
    leases: list[int] = field(default_factory=list)
    due_after: list[int] = field(default_factory=list)

    def accept(
        self, events: Sequence[Event], due_ms: int, then: Then | None = None
    ) -> list[Accepted]:
        self._ensure_sound()
        self.due_after.append(due_ms)
        accepted = [self._accept(event) for event in events]
        if then is not None:
            then(accepted)
        return accepted

    def mark(self, changes: Sequence[StateChange]) -> None:
        self.changes += changes

    def relay(
        self, ids: Sequence[str] | None, due_ms: int, then: ThenRelayed | None = None
    ) -> list[Relayed]:
        self._ensure_sound()
        self.due_after.append(due_ms)
        waiting = [event for event in self.outbox if ids is None or event.id in ids]
        self.outbox = [event for event in self.outbox if event not in waiting]
        relayed = [(event, self._accept(event)) for event in waiting]
        if then is not None:
            then(relayed)
        return relayed

    def claim_due(self, limit: int, lease_ms: int) -> list[Event]:
        self._ensure_sound()
        self.leases.append(lease_ms)
        taken, self.due = self.due[:limit], self.due[limit:]
        return taken

    def claim_unacked(self, limit: int, lease_ms: int) -> list[Event]:
        self._ensure_sound()
        taken, self.unacked = self.unacked[:limit], self.unacked[limit:]
        return taken

    def missed(
        self, user_id: str, since: Since, heard: Callable[[str], bool], limit: int
    ) -> Missed:
        self.asked.append((user_id, since, limit))
        self._ensure_sound()
        mine = sorted(
            (event for event in self.kept if event.user_id == user_id), key=lambda each: each.seq
        )
        newest = mine[-1] if mine else None
        position = Position(newest.seq, newest.epoch) if newest else Position(0, "")
        start = since.position
        if start == Position(0, ""):
            start = Position(0, position.epoch)
        if start is None:
            known = [event for event in mine if event.id == since.toast_id]
            if not known:
                return Missed(position=position, reason="unknown_id")
            start = Position(known[0].seq, position.epoch)
        if start.epoch != position.epoch or start.seq > position.seq:
            return Missed(position=position, reason="epoch_changed")
        found = [event for event in mine if event.seq > start.seq and heard(event.topic)]
        toasts = tuple(
            replace(event, replayed=True) for event in found if event.id not in self.gone
        )
        if len(toasts) > limit:
            return Missed(position=position, reason="too_many")
        return Missed(position=position, toasts=toasts)

    def standings(self, user_ids: Sequence[str]) -> dict[str, Position]:
        self.asked.append(tuple(user_ids))
        self._ensure_sound()
        mine = (event for event in self.kept if event.user_id in user_ids)
        return {
            event.user_id or "": Position(event.seq or 0, event.epoch or "")
            for event in sorted(mine, key=lambda each: each.seq or 0)
        }

    def page(self, query: PageQuery) -> Page:
        self.asked.append(query)
        self._ensure_sound()
        return Page(items=self.rows[: query.limit], next_cursor=None, unread_count=len(self.rows))

    def set_read(self, user_id: str, id: str, mark: ReadMark, at: int) -> bool:
        self._ensure_sound()
        self.marks.append((user_id, id, mark, at))
        return any(toast.id == id for toast in self.rows)

    def read_all(self, user_id: str, up_to: str | None, at: int) -> int | None:
        self._ensure_sound()
        self.marks.append((user_id, up_to, "read_all", at))
        if up_to is not None and all(toast.id != up_to for toast in self.rows):
            return None
        return len(self.rows)

    def facts(self, id: str) -> Facts | None:
        return self.known.get(id)

    def _ensure_sound(self) -> None:
        if self.broken:
            raise StorageUnavailable("the database is locked")

    def _accept(self, event: Event) -> Accepted:
        key = event.dedupe_key or ""
        if key in self.held:
            return Accepted(self.held[key], 1, "e1", duplicate=True)
        self.stored.append(event)
        place = Accepted(self.takes_over.get(key, event.id), len(self.stored), "e1")
        self.kept.append(replace(event, id=place.id, seq=place.seq, epoch=place.epoch))
        return place


def facts(**given: Any) -> Facts:
    """Return what is known about a toast that was accepted a moment ago."""
    now = ManualClock().now()
    start: dict[str, Any] = {
        "id": toast_id(now),
        "user_id": "ada",
        "seq": 1,
        "topic": "user:ada",
        "title": "Hello",
        "created_at": now,
        "state": "accepted",
        "fallback": True,
    }
    return Facts(**start | given)
