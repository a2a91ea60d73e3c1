"""Carry out what a client asks for, one message after the other."""

from __future__ import annotations

import logging
from collections import deque

from ..clock import Clock
from ..commands import Command, Ping, SetState, Subscribe, Unsubscribe
from ..config import Config
from ..errors import (
    BadMessage,
    CommandRefused,
    TooManyTopics,
    TopicNotAllowed,
    UnknownMessageType,
)
from ..replies import Failure, Pong, StateSet, Subscribed, Unsubscribed
from ..runtime.contract import Runtime
from .connection import Connection
from .rules import Rules

log = logging.getLogger("toastkit")


class Dispatch:
    """Turn each message of a client into an answer, in the order they came.

    What may block (the host's ``authorize``) is asked beside the loop; what the client says
    meanwhile waits in the connection's ``backlog``, which exists only then.
    """

    def __init__(self, rules: Rules, runtime: Runtime, clock: Clock, config: Config) -> None:
        self._rules = rules
        self._runtime = runtime
        self._clock = clock
        self._config = config

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
        elif not isinstance(command, Subscribe):
            self._answer(connection, command)
        elif self._rules.ask_host:
            if connection.backlog is None:
                connection.backlog = deque()
            self._runtime.spawn(lambda: self._ask(connection, command))
        else:
            accepted = self._rules.accepted(connection.user_id, command.topics)
            self._subscribe(connection, command, accepted)

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
        backlog, connection.backlog = connection.backlog or deque(), None
        if connection.ending:
            return
        if accepted is None:
            connection.reply(Failure(command.id, message="try again later", retryable=True))
        else:
            self._subscribe(connection, command, accepted)
        self._go_on(connection, backlog)

    def _go_on(self, connection: Connection, backlog: deque[Command]) -> None:
        while backlog:
            self._begin(connection, backlog.popleft())
            if connection.backlog is not None:
                # The host is asked again: what is left waits for that answer too.
                connection.backlog.extend(backlog)
                return

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
            connection.topics = heard
            connection.reply(Subscribed(command.id, accepted, heard))
