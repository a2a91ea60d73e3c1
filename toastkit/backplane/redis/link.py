"""One connection to Redis, from the moment it is made until it breaks; driven by the loop."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from ssl import SSLWantReadError, SSLWantWriteError
from typing import Any

from hiredis import ProtocolError, Reader, pack_command

from ...runtime.contract import Runtime

CHUNK = 64 * 1024
"""How much is read before others get their turn: some hundred messages, a few milliseconds."""
BACKLOG = 16 * 1024 * 1024
"""How much may wait for a Redis that does not read."""

_NOTHING = object()
_NOT_NOW = (BlockingIOError, SSLWantReadError, SSLWantWriteError)


@dataclass(frozen=True, slots=True)
class Hearer:
    """Say who is told of replies, as many as came at once, and once of why there are no more."""

    replies: Callable[[list[Any]], None]
    broken: Callable[[str], None]


class Link:
    """Send commands, everything of a loop turn in one write, and hand on the replies in order.

    On the loop only; it never blocks. Errors that Redis answers are replies like others. What is
    sent after the link has broken is dropped: the sender has been told that it broke.
    """

    def __init__(self, connected: socket.socket, runtime: Runtime, hearer: Hearer) -> None:
        connected.setblocking(False)
        self._socket = connected
        self._runtime = runtime
        self._hearer = hearer
        self._reader = Reader(notEnoughData=_NOTHING)
        self._waiting = bytearray()
        self._flushes = False
        self._over = False
        self._readable = runtime.watch(connected.fileno())
        self._writable = runtime.watch(connected.fileno(), write=True)
        self._readable.start(self._read)

    def send(self, *command: str | bytes | int) -> None:
        """Send one command at the end of this turn of the loop."""
        if self._over:
            return
        if len(self._waiting) > BACKLOG:
            self.break_off("it does not read")
            return
        self._waiting += pack_command(command)  # type: ignore[arg-type]  # it takes any number
        if not self._flushes:
            self._flushes = True
            self._runtime.call(self._flush)

    def close(self) -> None:
        """Give the socket back; nobody is told."""
        if self._over:
            return
        self._over = True
        self._readable.close()
        self._writable.close()
        self._socket.close()

    def break_off(self, why: str) -> None:
        """Give it up, and tell who hears it."""
        if not self._over:
            self.close()
            self._hearer.broken(why)

    def _flush(self) -> None:
        if self._over:
            return
        try:
            while self._waiting:
                sent = self._socket.send(self._waiting)
                del self._waiting[:sent]
        except _NOT_NOW:
            self._writable.start(self._flush)
        except OSError as error:
            self.break_off(str(error))
        else:
            self._flushes = False
            self._writable.stop()

    def _read(self) -> None:
        if self._over:
            return
        try:
            received = self._socket.recv(CHUNK)
        except _NOT_NOW:
            return
        except OSError as error:
            self.break_off(str(error))
            return
        if not received:
            self.break_off("it closed the connection")
            return
        if getattr(self._socket, "pending", int)():
            # What TLS has decrypted already makes no descriptor readable.
            self._runtime.call(self._read)
        self._take(received)

    def _take(self, received: bytes) -> None:
        replies: list[Any] = []
        try:
            self._reader.feed(received)
            while (reply := self._reader.gets()) is not _NOTHING:
                replies.append(reply)
        except ProtocolError as error:
            self.break_off(f"it is no Redis: {error}")
            return
        if replies:
            self._hearer.replies(replies)
