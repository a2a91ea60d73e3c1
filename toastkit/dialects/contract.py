"""How one client family spells commands, replies, events and closes. Stateless and pure."""

from __future__ import annotations

from typing import Protocol

from ..closing import CloseReason
from ..commands import Command
from ..events import Event
from ..replies import Reply


class Framing(Protocol):
    """How a transport wraps a dialect's words; WebSocket frames, or lines of a stream."""

    ping: bytes

    def text(self, payload: bytes) -> bytes:
        """Wrap one message."""

    def close(self, code: int, reason: str) -> bytes:
        """Wrap a farewell; empty where the transport has none."""


class Dialect(Protocol):
    """Read what a client says and write what it is told, as bytes ready for its transport.

    One event is written once per dialect and worker, and the bytes are shared by every
    connection.
    """

    framing: Framing

    def read(self, text: bytes) -> Command:
        """Read one message of a client.

        Raises:
            CommandRefused: it is not a message of this dialect.
        """

    def reply(self, reply: Reply) -> bytes:
        """Write one reply."""

    def event(self, event: Event) -> bytes | None:
        """Write one event; ``None`` when this dialect has no word for it."""

    def close(self, reason: CloseReason) -> bytes:
        """Write a farewell with this dialect's code for the reason."""
