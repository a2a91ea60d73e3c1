"""Carry out what a client asks for, one message after the other."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from functools import partial

from .. import ids
from ..commands import Ack, Command, Ping, Refresh, SetState, Subscribe, Unsubscribe
from ..errors import (
    BadMessage,
    CommandRefused,
    TooManyTopics,
    TopicNotAllowed,
    UnknownMessageType,
)
from ..records import StateChange
from ..replies import Acked, Failure, Pong, Recovery, StateSet, Subscribed, Unsubscribed
from .connection import Connection
from .parts import NodeParts
from .recovery import Recoveries, Wish, position
from .refreshing import Refreshing

log = logging.getLogger("toastkit")


class Dispatch:
    """Turn each message of a client into an answer, in the order they came.

    What may block (the host's ``authorize``, a read of what was missed) is done beside the loop.
    What the client says meanwhile waits in the connection's ``backlog``, which exists only then.
    """

    def __init__(self, parts: NodeParts, recoveries: Recoveries) -> None:
        self._rules = parts.rules
        self._runtime = parts.runtime
        self._clock = parts.clock
        self._config = parts.config
        self._inbox = parts.inbox
        self._recoveries = recoveries
        self._refreshing = Refreshing(parts)

    def receive(self, connection: Connection, payload: bytes) -> None:
        """Carry out one message."""
        if self._too_many_wait(connection):
            self._slow_down(connection)
            return
        if not self.in_time(connection):
            return
        try:
            command = connection.dialect.read(payload)
        except CommandRefused as refusal:
            self._refuse(connection, refusal)
            return
        if connection.backlog is None:
            self._begin(connection, command)
        else:
            connection.backlog.append(command)

    def catch_up(self, connection: Connection) -> None:
        """Read what a connection was not told; what its client says meanwhile waits."""
        if connection.backlog is not None:
            self._recoveries.fill(connection, None)  # the host is asked, and goes on afterwards
        else:
            self._recoveries.fill(connection, self._pause(connection))

    def in_time(self, connection: Connection) -> bool:
        """Count one frame; tell the client, and the caller, when it came too fast."""
        if self._too_fast(connection):
            self._slow_down(connection)
            return False
        return True

    def _slow_down(self, connection: Connection) -> None:
        text = f"more than {self._config.message_rate} messages a second"
        connection.fail(Failure(code="rate_limited", message=text, retryable=True))

    def _too_fast(self, connection: Connection) -> bool:
        # GCRA: one float per connection instead of two entries in a limiter's tables.
        now, rate = self._clock.monotonic(), self._config.message_rate
        due = max(connection.due, now)
        # Half a message of tolerance: sums of 1 / rate are not exact.
        if due - now > (self._config.message_burst - 0.5) / rate:
            return True
        connection.due = due + 1 / rate
        return False

    def _too_many_wait(self, connection: Connection) -> bool:
        # A hook of the host that hangs must not let a client fill the memory meanwhile.
        waiting = connection.backlog
        return waiting is not None and len(waiting) >= self._config.message_burst

    def _refuse(self, connection: Connection, refusal: CommandRefused) -> None:
        failure = Failure(refusal.id, refusal.code, str(refusal), refusal.topic)
        if isinstance(refusal, (BadMessage, UnknownMessageType)):
            connection.fail(failure)
        else:
            connection.reply(failure)

    def _begin(self, connection: Connection, command: Command) -> None:
        topics = command.topics if isinstance(command, (Subscribe, Unsubscribe)) else ()
        if len(topics) > self._config.topics_per_message:
            most = f"at most {self._config.topics_per_message} topics in one message"
            self._refuse(connection, TooManyTopics(most, command.id))
        elif isinstance(command, Refresh):
            connection.backlog = deque()
            self._refreshing.begin(connection, command, self._catch_breath)
        elif not isinstance(command, Subscribe):
            self._answer(connection, command)
        else:
            connection.backlog = deque()
            if self._rules.ask_host:
                self._ask_beside(connection, command)
            else:
                accepted = self._rules.accepted(connection.user_id, command.topics)
                self._resume(connection, command, accepted)

    def _ask_beside(self, connection: Connection, command: Subscribe) -> None:
        try:
            self._runtime.spawn(partial(self._ask, connection, command))
        except RuntimeError as error:  # no thread is to be had
            log.warning("the authorize hook could not be asked: %s", error)
            self._resume(connection, command, None)

    def _ask(self, connection: Connection, command: Subscribe) -> None:
        accepted: tuple[str, ...] | None = None
        try:
            accepted = self._rules.accepted(connection.user_id, command.topics)
        except Exception:
            log.exception("the authorize hook failed; the subscribe was refused")
        self._runtime.call(self._resume, connection, command, accepted)

    def _resume(
        self, connection: Connection, command: Subscribe, accepted: tuple[str, ...] | None
    ) -> None:
        if connection.catching is not None:
            # A gap was found meanwhile, or it has not caught up since it came back: another
            # recovery would take the place of that one, and what it still holds would be lost.
            again = partial(self._resume, connection, command, accepted)
            connection.catching.then = again
            return
        backlog, connection.backlog = connection.backlog or deque(), None
        if connection.ending:
            return
        if accepted is None:
            connection.reply(Failure(command.id, message="try again later", retryable=True))
        else:
            self._subscribe(connection, command, accepted)
        self._go_on(connection, backlog)

    def _catch_breath(self, connection: Connection) -> None:
        """Go on with what a client said while its ticket was refreshed."""
        if connection.catching is not None:
            # A gap was found meanwhile: what is missing is told before anything changes.
            connection.catching.then = partial(self._catch_breath, connection)
            return
        backlog, connection.backlog = connection.backlog or deque(), None
        self._go_on(connection, backlog)

    def _pause(self, connection: Connection) -> Callable[[], None]:
        """Let messages wait, and return what carries them out."""
        waiting = connection.backlog = deque()

        def go_on() -> None:
            connection.backlog = None
            self._go_on(connection, waiting)

        return go_on

    def _go_on(self, connection: Connection, backlog: deque[Command]) -> None:
        # A client that an answer has ended is heard no more, just as if this message came later.
        while backlog and connection.backlog is None and not connection.ending:
            self._begin(connection, backlog.popleft())
        if connection.backlog is not None:
            # Something is asked again: what is left waits for that answer too.
            connection.backlog.extend(backlog)

    def _answer(self, connection: Connection, command: Command) -> None:
        match command:
            case Ping(id=id):
                connection.reply(Pong(id, self._clock.now()))
            case SetState(id=id, foreground=foreground):
                connection.foreground = foreground
                connection.reply(StateSet(id, foreground))
            case Unsubscribe(id=id, topics=topics):
                gone = tuple(topic for topic in topics if topic in connection.topics)
                connection.topics = tuple(t for t in connection.topics if t not in gone)
                connection.reply(Unsubscribed(id, topics))
            case Ack(id=id, ids=acked):
                self._take_acks(connection, acked)
                if id is not None:
                    connection.reply(Acked(id, acked))

    def _take_acks(self, connection: Connection, acked: tuple[str, ...]) -> None:
        # Owed to the next commit, which nobody waits for: the database was opened when this
        # client's ticket was redeemed. What cannot be an id is not worth asking for.
        now, user_id = self._clock.now(), connection.user_id
        sound = (id for id in dict.fromkeys(acked) if ids.is_toast_id(id))
        changes = [StateChange(id, user_id, "acked", now, transport="websocket") for id in sound]
        if changes:
            self._inbox.mark(changes)

    def _subscribe(
        self, connection: Connection, command: Subscribe, accepted: tuple[str, ...]
    ) -> None:
        for topic in dict.fromkeys(command.topics):
            if topic not in accepted:
                refusal = TopicNotAllowed(topic)
                told = Failure(command.id, refusal.code, str(refusal), topic[:200])
                connection.reply(told)
        heard = tuple(dict.fromkeys(connection.topics + accepted))
        if len(heard) > self._config.topics_per_connection:
            most = f"at most {self._config.topics_per_connection} topics on one connection"
            self._refuse(connection, TooManyTopics(most, command.id))
        elif accepted or not command.topics:
            self._hear(connection, command, accepted)

    def _hear(self, connection: Connection, command: Subscribe, accepted: tuple[str, ...]) -> None:
        heard = tuple(dict.fromkeys(connection.topics + accepted))
        if command.since is None:
            if heard != connection.topics:
                # What was there before of the new ones was not told: an echo can only be more.
                connection.topics, connection.start = heard, connection.seq
            connection.reply(Subscribed(command.id, accepted, heard))
            return

        def answer(recovery: Recovery) -> None:
            place = position(connection)
            connection.reply(Subscribed(command.id, accepted, heard, place, recovery))

        wanted = accepted if command.topics else heard
        wish = Wish(command.since, wanted, answer, self._pause(connection))
        self._recoveries.begin(connection, wish)
