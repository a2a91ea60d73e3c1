"""Move one connection's bytes over a socket that is ours alone: no thread, no greenlet."""

from __future__ import annotations

import _socket
from abc import ABC, abstractmethod
from collections.abc import Callable

from ..config import Config
from ..live import Connection
from ..runtime.contract import Runtime, Timer, Watcher

READ_BYTES = 16_384


class SocketTransport(ABC):
    """Keep a connection's ``Transport`` promises over a raw, non-blocking socket.

    At rest it holds the socket and one watcher; a second watcher exists while the socket is full,
    a timer while it is closing. What the client says is ``_read``'s, until ``_deaf``.
    """

    __slots__ = (
        "_config",
        "_connection",
        "_deaf",
        "_runtime",
        "_sock",
        "_timer",
        "_watcher",
        "_writer",
    )

    def __init__(
        self, runtime: Runtime, config: Config, sock: _socket.socket, connection: Connection
    ) -> None:
        self._runtime = runtime
        self._config = config
        self._sock = sock
        self._connection: Connection | None = connection
        self._deaf = False
        self._timer: Timer | None = None
        self._writer: Watcher | None = None
        self._watcher = runtime.watch(sock.fileno())
        self._watcher.start(self._on_readable)

    def write(self, data: bytes | memoryview) -> int:
        try:
            return self._sock.send(data)
        except BlockingIOError:
            return 0

    def when_writable(self, callback: Callable[[], None] | None) -> None:
        if callback is None:
            writer, self._writer = self._writer, None
            if writer is not None:
                writer.close()
        elif self._connection is not None:
            if self._writer is None:
                self._writer = self._runtime.watch(self._sock.fileno(), write=True)
            self._writer.start(callback)

    def finish(self) -> None:
        # Closed at once, with bytes of the client unread, the kernel would answer with a reset,
        # and a reset overtakes our farewell. So: half-close, and read on until the client is done.
        if self._connection is None or self._timer is not None:
            return
        self._deaf = True
        try:
            self._sock.shutdown(_socket.SHUT_WR)
        except OSError:
            self.abort()
        else:
            self._timer = self._runtime.call_later(self._config.close_seconds, self.abort)

    def abort(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        # Watchers first: once the descriptor is closed its number may be somebody else's.
        self._watcher.close()
        self.when_writable(None)
        if self._timer is not None:
            self._timer.cancel()
        self._sock.close()
        connection.closed()

    def _on_readable(self) -> None:
        connection = self._connection
        if connection is None:
            return
        try:
            data = self._sock.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._on_end(connection)
        elif not (self._deaf or connection.ending):
            self._read(connection, data)

    def _on_end(self, connection: Connection) -> None:
        if self._timer is None:
            connection.lost()
        self.abort()

    @abstractmethod
    def _read(self, connection: Connection, data: bytes) -> None:
        """Take what the client has said."""
