"""Tell a client what it missed, in order, before what is live."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from .. import topics
from ..closing import CloseReason
from ..events import Event, Missed
from ..records import Position, Since, StateChange, Unrecoverable
from ..replies import Failure, Recovery
from ..runtime.contract import Signal
from .catching import Catching, Told
from .connection import Connection
from .parts import NodeParts
from .position import ECHO, GAP, NEW, meet
from .readings import Question, Readings
from .roster import hears
from .sendbuffer import Tally

RETRY_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Wish:
    """Say what a client wants to recover: ``topics``, heard from now on, and what it missed ``since``.

    ``answer`` is called with the verdict, before anything is replayed; ``then`` when all is told.
    ``ready`` is set once it is answered, or nobody is left to be answered.
    """

    since: Since
    topics: tuple[str, ...]
    answer: Callable[[Recovery], None]
    then: Callable[[], None] | None = None
    ready: Signal | None = None


class Recoveries:
    """Let connections catch up: hold what is live, read what was missed, merge them by position.

    On the loop only, but for the reads. What was missed goes out only as fast as the client reads
    it: two hundred toasts are more than a send buffer holds.
    """

    def __init__(self, parts: NodeParts) -> None:
        self._config = parts.config
        self._clock = parts.clock
        self._runtime = parts.runtime
        self._rules = parts.rules
        self._inbox = parts.inbox
        self._witness = parts.witness
        self._readings = Readings(parts)

    def begin(self, connection: Connection, wish: Wish) -> None:
        """Let a connection hear topics, from where its client left off.

        Heard first, read second: what is published meanwhile is in one of the two, or in both.
        """
        before = connection.topics
        connection.topics = tuple(dict.fromkeys(before + wish.topics))
        connection.catching = Catching(
            before, wish.topics, wish.since, wish.then, wish.answer, wish.ready
        )
        self._ask(connection, connection.catching)

    def wait(self, connection: Connection) -> None:
        """Wait, not on the loop, until a connection that recovers at the door is answered."""
        catching = connection.catching
        if catching is not None and catching.ready is not None:
            # A read gives up after half of this; the whole is for a loop that has ended.
            catching.ready.wait(self._config.storage_wait_ms / 500)

    def fill(self, connection: Connection, then: Callable[[], None] | None) -> None:
        """Read what is missing before a toast that came too early."""
        since = Since(position=position(connection))
        topics = connection.topics
        connection.catching = Catching(topics, topics, since, then)
        self._ask(connection, connection.catching)

    def hold(self, connection: Connection, event: Event, tally: Tally | None) -> None:
        """Keep an event until the connection has caught up; its tally waits, too."""
        catching = connection.catching
        if catching is None or len(catching.held) >= self._config.buffer_messages:
            connection.end(CloseReason.SLOW_CONSUMER)
            return
        catching.held.append((event, tally))
        if tally is not None:
            tally.wait()

    def feed(self, connection: Connection) -> None:
        """Go on telling what was missed and what is held, while the socket takes it."""
        catching = connection.catching
        if catching is None:
            return
        while connection.buffer is None and _has_more(connection, catching):
            if catching.line:
                self._tell(connection, *catching.line.popleft())
            else:
                self._release(connection, catching)
        if connection.catching is catching and catching.done:
            connection.catching = None
            if catching.then is not None:
                catching.then()

    def drop(self, connection: Connection) -> None:
        """Forget what a connection that has ended was to be told."""
        catching, connection.catching = connection.catching, None
        if catching is None:
            return
        for _, tally in (*catching.line, *catching.held):
            if tally is not None:
                tally.lost()
        if catching.ready is not None:
            catching.ready.set()

    # What was read comes back

    def _ask(self, connection: Connection, catching: Catching) -> None:
        if connection.catching is not catching:
            return
        catching.reading = True
        # A client that asks for all its topics needs no second read for the rest of them.
        place = None if catching.asks_for_all else position(connection)
        heard = () if place is None else connection.topics
        question = Question(connection.user_id, catching.since, catching.topics, place, heard)
        self._readings.ask(question, partial(self._join, connection, catching))

    def _ask_again(self, connection: Connection, catching: Catching) -> None:
        """Read what is missing before a held toast that came too early."""
        catching.before = catching.topics = connection.topics
        catching.since = Since(position=position(connection))
        self._ask(connection, catching)

    def _join(self, connection: Connection, catching: Catching, missed: Missed | None) -> None:
        if connection.catching is not catching:
            return  # the client has gone meanwhile
        if missed is None and catching.answer is None and not catching.tried:
            catching.tried = True
            again = partial(self._ask, connection, catching)
            self._runtime.call_later(RETRY_SECONDS, again)
            return
        catching.reading = False
        if missed is None:
            reason = self._go_on(connection, catching)
        elif (reason := missed.reason) is not None:
            jump(connection, missed.position)
        else:
            self._merge(connection, catching, missed)
        self._answer(connection, catching, reason)
        self.feed(connection)

    def _go_on(self, connection: Connection, catching: Catching) -> Unrecoverable | None:
        """Go on without having read; return why toasts are skipped by that, if any are."""
        if catching.answer is not None:
            connection.start = connection.seq
            return "unavailable"
        toasts = [event for event, _ in catching.held if event.seq is not None]
        if not toasts:
            # Only a doubt was to be looked at, and is again. A control has no position to go on at.
            return None
        newest = max(toasts, key=lambda event: event.seq or 0)
        jump(connection, Position(newest.seq or 0, newest.epoch or ""))
        return "unavailable"

    def _merge(self, connection: Connection, catching: Catching, missed: Missed) -> None:
        """Line up what was missed and move the connection to where that ends."""
        place = missed.position
        same = connection.epoch == place.epoch
        line = self._line(connection, catching, missed)
        catching.line.extend(line[seq] for seq in sorted(line))
        lined = {id(event) for event, _ in catching.line}
        catching.held = deque(told for told in catching.held if id(told[0]) not in lined)
        first, new = _first(catching, missed), not set(catching.topics) <= set(catching.before)
        if not same or (new and catching.asks_for_all):
            connection.start = first
        elif new:
            # What it heard before, it was told from its own start on; what is new, from here on.
            connection.start = max(connection.start, first)
        elif catching.asks_for_all:
            connection.start = min(connection.start, first)
        connection.seq, connection.epoch = place.seq, place.epoch

    def _line(self, connection: Connection, catching: Catching, missed: Missed) -> dict[int, Told]:
        """Return what is to be told of what was read and of what is held, by position."""
        same = connection.epoch == missed.position.epoch
        line: dict[int, Told] = {}
        for toast in missed.toasts:
            if same and _was_told(connection, catching.before, toast):
                continue
            if self._rules.in_namespace(connection.user_id, toast.topic or ""):
                line[toast.seq or 0] = toast, None
        for told in catching.held:
            seq = told[0].seq or 0
            echo = same and connection.start < seq <= connection.seq
            fresh = 0 < seq <= missed.position.seq and not echo
            if told[0].epoch == missed.position.epoch and (fresh or seq in line):
                # One that was held is told live, not replayed; also when the read left it out as
                # expired, like one of "now or never": it was in time when it came.
                line[seq] = told
        return line

    def _answer(
        self, connection: Connection, catching: Catching, reason: Unrecoverable | None
    ) -> None:
        answer, catching.answer = catching.answer, None
        catching.tried = False
        if answer is not None:
            recovery = Recovery(sum(event.replayed for event, _ in catching.line), reason)
            self._witness.recovered(recovery)
            answer(recovery)
        elif reason is not None:
            text = "toasts were missed that cannot be told any more: fetch the list"
            connection.reply(Failure(code="unrecoverable_position", message=text))
        if catching.ready is not None:
            catching.ready.set()

    # What is told

    def _release(self, connection: Connection, catching: Catching) -> None:
        """Tell the eldest of what is held, as it would have been told when it came."""
        event, tally = catching.held.popleft()
        step = NEW if event.seq is None else meet(connection, event)
        if step is GAP and catching.sought is event:
            # It was looked for once and is not stored: its user was forgotten in this moment, or
            # nobody published it. What comes after it must not wait for it.
            if tally is not None:
                tally.passed()
        elif step is GAP:
            catching.held.appendleft((event, tally))
            catching.sought = event
            self._ask_again(connection, catching)
        else:
            self._tell(connection, event, tally, echo=step is ECHO)

    def _tell(
        self, connection: Connection, event: Event, tally: Tally | None, *, echo: bool = False
    ) -> None:
        if event.replayed and connection.foreground:
            tally = self._noting(event)
        if event.expired(self._clock.now()):
            if tally is not None:
                tally.lost()
            return
        frame = b"" if echo else connection.dialect.event(event)
        told = frame is not None and hears(connection, event)
        sent = told and connection.send(frame or b"", tally, event.expires_at)
        if tally is None:
            return
        if sent:
            tally.went()
        elif connection.ending:
            tally.lost()
        else:
            tally.passed()  # not for this client, or in its buffer, which counts it itself

    def _noting(self, event: Event) -> Tally:
        """Return a tally that waits for one frame, and notes that a missed toast arrived."""
        tally = Tally(partial(self._note, event))
        tally.wait()
        tally.seal()
        return tally

    def _note(self, event: Event, written: int, _: int) -> None:
        if not written:
            return
        now, gate = self._clock.now(), self._config.ack_timeout_ms
        change = StateChange(
            event.id,
            event.user_id or "",
            "written",
            now,
            transport="websocket",
            due_at=now + gate if gate and event.fallback else None,
            reason="replayed",
            session_count=1,
            seq=event.seq,
        )
        self._inbox.mark([change])


def position(connection: Connection) -> Position:
    """Return where a connection stands."""
    return Position(connection.seq, connection.epoch)


def jump(connection: Connection, place: Position) -> None:
    """Go on at a place without what is before it."""
    connection.seq, connection.epoch, connection.start = place.seq, place.epoch, place.seq


def _has_more(connection: Connection, catching: Catching) -> bool:
    # Asked again after each toast: telling it may have found a gap, or that nobody is there.
    return connection.catching is catching and not (catching.reading or catching.done)


def _first(catching: Catching, missed: Missed) -> int:
    """Return the position after which a client knows, or is told now, all that it asked for."""
    if catching.since.position is not None:
        return catching.since.position.seq
    return (missed.toasts[0].seq or 0) - 1 if missed.toasts else missed.position.seq


def _was_told(connection: Connection, before: tuple[str, ...], toast: Event) -> bool:
    after = connection.start < (toast.seq or 0) <= connection.seq
    return after and topics.hears(before, toast.topic or "")
