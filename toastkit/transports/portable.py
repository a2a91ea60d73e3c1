"""Serve a connection through simple-websocket itself, where no socket can be taken.

Costs a thread (or greenlet) per connection and hands messages over twice: for TLS that ends in
the server, and for servers the take-over does not know.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable
from typing import Any

from ..closing import CloseReason
from ..config import Config
from ..live import Connection
from ..runtime.contract import Runtime, Timer

ROOM = 65_536


def serve(ws: Any, connection: Connection, runtime: Runtime, config: Config) -> None:
    """Read a client's messages in this thread until it has gone."""
    from simple_websocket import ConnectionClosed

    call = runtime.call
    transport = PortableTransport(runtime, config, ws.sock, connection)
    ws.max_message_size = config.message_bytes
    ws.sock = transport.line
    call(connection.open, transport)
    try:
        while True:
            message = ws.receive()
            if isinstance(message, str):
                call(connection.receive, message.encode())
            else:
                call(connection.end, CloseReason.UNSUPPORTED)
    except ConnectionClosed:
        # Its reader thread wakes us first and answers the client's farewell second.
        ws.thread.join(config.close_seconds)
        call(connection.lost)
        call(transport.abort)


class PortableTransport:
    """Keep a connection's ``Transport`` promises over a socket that blocks.

    What ``write`` takes goes out beside the loop, in order and whole; it takes no more than
    ``ROOM`` bytes at a time, so that a slow reader still fills its connection's own buffer.
    """

    def __init__(self, runtime: Runtime, config: Config, sock: Any, connection: Connection) -> None:
        self.line = _Line(sock, runtime, self._alive)
        self._runtime = runtime
        self._config = config
        self._connection: Connection | None = connection
        self._waiting = b""
        self._pushing = False
        self._callback: Callable[[], None] | None = None
        self._timer: Timer | None = None

    def write(self, data: bytes | memoryview) -> int:
        if self._connection is None:
            raise OSError("the socket is gone")
        if self._waiting and len(self._waiting) + len(data) > ROOM:
            return 0
        self._waiting += data
        self._push()
        return len(data)

    def when_writable(self, callback: Callable[[], None] | None) -> None:
        self._callback = callback
        if callback is not None and not self._waiting:
            self._runtime.call(self._taken)

    def finish(self) -> None:
        # No half-close: TLS has none. The client's own close frame ends the reading thread.
        if self._connection is not None and self._timer is None:
            self._timer = self._runtime.call_later(self._config.close_seconds, self.abort)

    def abort(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        self._callback = None
        if self._timer is not None:
            self._timer.cancel()
        self.line.close()
        connection.closed()

    def _alive(self) -> None:
        if self._connection is not None:
            self._connection.heard()

    def _push(self) -> None:
        if self._waiting and not self._pushing:
            self._pushing = True
            data, self._waiting = self._waiting, b""
            try:
                self._runtime.spawn(lambda: self._send(data))
            except RuntimeError:  # no thread is to be had, and what comes next must not go first
                self._runtime.call(self._broken)

    def _send(self, data: bytes) -> None:
        try:
            self.line.send(data)
        except OSError:
            self._runtime.call(self._broken)
        else:
            self._runtime.call(self._pushed)

    def _pushed(self) -> None:
        self._pushing = False
        self._push()
        self._taken()

    def _taken(self) -> None:
        if self._callback is not None:
            self._callback()

    def _broken(self) -> None:
        if self._connection is not None:
            self._connection.lost()
        self.abort()


class _Line:
    """Be the socket simple-websocket works with: whole frames out, every sign of life noted.

    Its own ``send`` would take a short write for a whole one, and mix its pongs into our frames.
    """

    def __init__(self, sock: Any, runtime: Runtime, heard: Callable[[], None]) -> None:
        self._sock = sock
        self._runtime = runtime
        self._heard = heard
        self._process = os.getpid()
        self._writing = threading.Lock()

    def send(self, data: bytes) -> int:
        with self._writing:
            self._sock.sendall(data)
        return len(data)

    def recv(self, size: int) -> bytes:
        # A client that never stops talking would keep a gevent worker to itself: the reader yields
        # only when there is nothing to read.
        self._runtime.breathe()
        data: bytes = self._sock.recv(size)
        if data:
            self._runtime.call(self._heard)
        return data

    def fileno(self) -> int:
        descriptor: int = self._sock.fileno()
        return descriptor

    def close(self) -> None:
        # The server closes its own socket; shut down, nothing it writes then reaches the client.
        # A forked child must not hang up for its parent.
        with contextlib.suppress(OSError):
            if os.getpid() == self._process:
                self._sock.shutdown(socket.SHUT_RDWR)
