"""One live client: its dialect, principal, topics and send buffer. It does no I/O itself."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from .. import ids
from ..clock import Clock
from ..closing import CloseReason, Ending, Parting
from ..commands import Command
from ..config import Config
from ..dialects.contract import Dialect
from ..events import Event
from ..records import Ticket
from ..replies import Failure, Reply
from .catching import Catching
from .sendbuffer import SendBuffer, Tally
from .wheel import Wheel

FOREGROUND, SILENT, ENDING, HELD, DEAF, WARNED = 1, 2, 4, 8, 16, 32
FORGIVEN = 60
"""Seconds without a bad message after which those before are forgotten."""


class Transport(Protocol):
    """Move a connection's bytes. On the loop only; decides no policy.

    When the descriptor has been given back, ``connection.closed()`` is called once.
    """

    def write(self, data: bytes | memoryview) -> int:
        """Hand bytes to the kernel without blocking; return how many it took, 0 when full.

        Raises:
            OSError: the socket is gone.
        """

    def when_writable(self, callback: Callable[[], None] | None) -> None:
        """Call back whenever the socket takes bytes again, until ``None`` is given."""

    def finish(self) -> None:
        """Half-close, and give the socket back when the peer has closed too or time is up."""

    def abort(self) -> None:
        """Give the socket back now; harmless when it has been."""


class Home(Protocol):
    """What a connection asks of the node it belongs to."""

    clock: Clock
    config: Config
    wheel: Wheel[Connection]

    def receive(self, connection: Connection, payload: bytes) -> None:
        """Carry out one message of the client."""

    def in_time(self, connection: Connection) -> bool:
        """Count one frame of the client; tell it, and the caller, when it came too fast."""

    def hold(self, connection: Connection, event: Event, tally: Tally | None) -> None:
        """Keep an event for a connection that must be told others first."""

    def behind(self, connection: Connection) -> None:
        """Watch a connection whose socket is full."""

    def caught_up(self, connection: Connection) -> None:
        """Watch it no longer; it may go on with what it missed."""

    def detach(self, connection: Connection, ending: Ending) -> None:
        """Let it hear nothing more; it may still be saying farewell."""

    def forget(self, connection: Connection) -> None:
        """Forget it: its socket has been given back."""


class Connection:
    """Be one live client, on the loop only.

    It is held until its transport is there: what it is told meanwhile waits, the greeting first
    (A22). ``session`` is the hash of the session its ticket came from, if it came from one, as 32
    bytes; ``device_id`` is ``None`` for a client that named no device. ``topics`` is what it hears;
    ``foreground`` whether its user is in front of it. It stands at ``seq`` of ``epoch``: what its
    topics had after ``start`` and up to there, it was told. ``catching`` is there while it is told
    what it missed.
    """

    __slots__ = (
        "backlog",
        "buffer",
        "catching",
        "device_id",
        "dialect",
        "due",
        "epoch",
        "erred",
        "errors",
        "expires_at",
        "flags",
        "id",
        "node",
        "seen",
        "seq",
        "session",
        "start",
        "topics",
        "transport",
        "user_id",
    )

    transport: Transport

    def __init__(self, node: Home, dialect: Dialect, id: str) -> None:
        self.node = node
        self.dialect = dialect
        self.id = id
        self.user_id = ""
        self.session: bytes | None = None
        self.device_id: str | None = None
        self.topics: tuple[str, ...] = ()
        self.expires_at = 0
        self.seen = node.wheel.now
        self.flags = FOREGROUND | HELD
        self.buffer: SendBuffer | None = SendBuffer(self.seen)
        self.backlog: deque[Command] | None = None
        self.catching: Catching | None = None
        self.due = 0.0
        self.errors = 0
        self.erred = 0
        self.seq = self.start = 0
        self.epoch = ""

    @property
    def foreground(self) -> bool:
        """Tell whether the user is in front of this client: it says so and is not silent."""
        return self.flags & (FOREGROUND | SILENT) == FOREGROUND

    @foreground.setter
    def foreground(self, value: bool) -> None:
        self.flags = self.flags | FOREGROUND if value else self.flags & ~FOREGROUND

    @property
    def deaf(self) -> bool:
        """Tell whether it hears nothing of its client: no pong, no refresh of its ticket."""
        return bool(self.flags & DEAF)

    @property
    def ending(self) -> bool:
        """Tell whether its farewell has been said."""
        return bool(self.flags & ENDING)

    def take(self, ticket: Ticket) -> None:
        """Be whom a ticket lets in, from its device, until it ends."""
        self.user_id, self.expires_at = ticket.user_id, ticket.expires_at
        self.flags &= ~WARNED
        self.device_id = named_device(ticket)
        # Half of what the text of a hash costs: there are thousands of connections.
        self.session = None if ticket.session_hash is None else bytes.fromhex(ticket.session_hash)

    # What the transport tells

    def open(self, transport: Transport) -> None:
        """Take the transport and say what was held back."""
        self.transport = transport
        self.flags &= ~HELD
        if self.buffer is None:
            transport.abort()  # given up while its handshake took too long
        else:
            self._flush()

    def heard(self) -> int:
        """Note a sign of life, and return when that was, in seconds of the node's wheel."""
        self.seen = self.node.wheel.now
        self.flags &= ~SILENT
        return self.seen

    def receive(self, payload: bytes) -> None:
        """Take one complete text message."""
        if not self.flags & ENDING:
            self.node.receive(self, payload)

    def pinged(self, answer: bytes | None = None) -> None:
        """Take a ping and its answer, or a pong: a flood of them is no better than of messages."""
        if not self.flags & ENDING and self.node.in_time(self) and answer is not None:
            self.send(answer)

    def peer_closed(self, code: int = 1000) -> None:
        """Answer the client's farewell with its own code (RFC 6455 5.5.1)."""
        self._leave(self.dialect.framing.close(code, ""), Parting.CLOSED)

    def lost(self) -> None:
        """Note that the socket is gone."""
        self._detach(Parting.LOST)
        self._drop()
        if self.flags & HELD:
            self.node.forget(self)
        else:
            self.transport.abort()

    def closed(self) -> None:
        """Note that the transport has given its socket back."""
        self._detach(Parting.LOST)
        self._drop()
        self.node.forget(self)

    # What the client is told

    def reply(self, reply: Reply) -> None:
        """Tell the client something about itself."""
        self.send(self.dialect.reply(reply))

    def fail(self, failure: Failure) -> None:
        """Tell the client its message was no good; too many of those end the connection."""
        self.reply(failure)
        now = self.node.wheel.now
        if now - self.erred >= FORGIVEN:
            self.errors = 0
        self.errors, self.erred = self.errors + 1, now
        if self.errors > self.node.config.message_errors:
            self.end(CloseReason.TOO_MANY_ERRORS)

    def send(self, frame: bytes, tally: Tally | None = None, expires_at: int | None = None) -> bool:
        """Tell whether the whole frame went to the kernel now; else it waits, in bounds.

        ``tally`` is told what becomes of a frame that waits.
        """
        if self.buffer is not None or self.flags & ENDING:
            self._queue(frame, tally, expires_at)
            return False
        try:
            sent = self.transport.write(frame)
        except OSError:
            self.lost()
            return False
        if sent == len(frame):
            return True
        self.buffer = SendBuffer(self.node.wheel.now)
        self.buffer.push(frame, tally, expires_at)
        self.buffer.begun(sent)
        self._await_writable()
        return False

    def end(self, reason: CloseReason) -> None:
        """Say farewell, and go when it has been said; the first reason given counts."""
        if reason is CloseReason.SLOW_CONSUMER and self.buffer is not None and not self.ending:
            self.buffer.discard(keep_begun=True)
        self._leave(self.dialect.close(reason), reason)

    def stuck(self) -> None:
        """End a client whose socket has taken nothing for too long, or never came."""
        if self.flags & ENDING:
            self.lost()
        else:
            self.end(CloseReason.SLOW_CONSUMER)

    def _leave(self, farewell: bytes, ending: Ending) -> None:
        if self.flags & ENDING:
            return
        self._detach(ending)
        if self.buffer is None:
            self.buffer = SendBuffer(self.node.wheel.now)
        self.buffer.push(farewell)
        self.buffer.since = self.node.wheel.now
        if not self.flags & HELD:
            self._flush()

    def _queue(self, frame: bytes, tally: Tally | None, expires_at: int | None) -> None:
        config, buffer = self.node.config, self.buffer
        if buffer is None or self.flags & ENDING:
            return
        if len(buffer) >= config.buffer_messages or buffer.size + len(frame) > config.buffer_bytes:
            self.end(CloseReason.SLOW_CONSUMER)
        else:
            buffer.push(frame, tally, expires_at)

    def _flush(self) -> None:
        buffer = self.buffer
        if buffer is None:
            return
        try:
            if buffer.flush(self.transport.write, self.node.clock.now()):
                buffer.since = self.node.wheel.now
        except OSError:
            self.lost()
            return
        if len(buffer):
            self._await_writable()
            return
        self.buffer = None
        self.transport.when_writable(None)
        ending = self.ending
        self.node.caught_up(self)  # which may say more, and end it in its own way
        if ending:
            self.transport.finish()

    def _drop(self) -> None:
        if self.buffer is not None:
            self.buffer.discard(keep_begun=False)
            self.buffer = None

    def _await_writable(self) -> None:
        self.node.behind(self)
        self.transport.when_writable(self._flush)

    def _detach(self, ending: Ending) -> None:
        if not self.flags & ENDING:
            self.flags |= ENDING
            self.node.detach(self, ending)


def named_device(ticket: Ticket) -> str | None:
    """Return the device a client named for its ticket; ``None`` stands for its user's default."""
    default = ids.default_device_id(ticket.user_id)
    return None if ticket.device_id == default else ticket.device_id
