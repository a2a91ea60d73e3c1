"""Send a client lines through the server's own response, where no socket can be taken.

Costs a thread (or greenlet) per client. That a client is gone is known when the server says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..live import Connection
from ..runtime.contract import Runtime, Signal

ROOM = 65_536


class PortableStream:
    """Be a connection's ``Transport``, and the body of the response that its bytes leave by.

    What ``write`` takes waits for the server's thread, ``ROOM`` bytes at most, so that a slow
    reader still fills its connection's own buffer.
    """

    def __init__(self, runtime: Runtime, connection: Connection) -> None:
        self._runtime = runtime
        self._connection: Connection | None = connection
        self._waiting = bytearray()
        self._ended = False
        self._more: Signal | None = None
        self._callback: Callable[[], None] | None = None

    # On the loop

    def write(self, data: bytes | memoryview) -> int:
        if self._connection is None:
            raise OSError("the response has ended")
        if self._waiting and len(self._waiting) + len(data) > ROOM:
            return 0
        self._waiting += data
        self._wake()
        return len(data)

    def when_writable(self, callback: Callable[[], None] | None) -> None:
        self._callback = callback
        if callback is not None and not self._waiting:
            self._runtime.call(self._taken)

    def finish(self) -> None:
        self._ended = True
        self._wake()

    def abort(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        self._callback = None
        self._waiting.clear()
        self.finish()
        connection.closed()

    def _wake(self) -> None:
        more, self._more = self._more, None
        if more is not None:
            more.set()

    def _begin(self, connection: Connection) -> None:
        connection.open(self)

    def _take(self) -> tuple[bytes, Signal | None]:
        """Take what waits, or what to wait for; neither is the end."""
        if self._waiting:
            data = bytes(self._waiting)
            self._waiting.clear()
            self._runtime.call(self._taken)
            return data, None
        if not self._ended:
            self._more = self._runtime.signal()
        return b"", self._more

    def _taken(self) -> None:
        if self._callback is not None:
            self._callback()

    def _left(self) -> None:
        if self._connection is not None and not self._ended:
            self._connection.lost()
        self.abort()

    # In the server's thread

    def __iter__(self) -> Iterator[bytes]:
        """Yield what is to be sent until the connection ends."""
        if self._connection is not None:
            self._runtime.call(self._begin, self._connection)
        while True:
            data, more = self._runtime.ask(self._take)
            if data:
                yield data
            elif more is None:
                return
            else:
                more.wait()

    def close(self) -> None:
        """Note that the server is done with the response, perhaps as the client has gone.

        A generator would not hear of that where the server never asked for its first line.
        """
        self._runtime.call(self._left)
