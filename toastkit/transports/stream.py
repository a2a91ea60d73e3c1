"""Send a client lines of JSON over HTTP (NDJSON), for those who have no WebSocket."""

from __future__ import annotations

import _socket
from collections.abc import Iterable
from email.utils import formatdate

import msgspec

from ..closing import CloseReason
from ..config import Config
from ..live import Connection
from ..runtime.contract import Runtime
from .sockets import READ_BYTES, SocketTransport

_OURS = frozenset({"content-length", "transfer-encoding", "connection", "keep-alive", "date"})


class LineFraming:
    """Wrap a dialect's words in lines of JSON; the last line is the farewell."""

    ping = b'{"type":"heartbeat"}\n'

    def text(self, payload: bytes) -> bytes:
        """Wrap one message; msgspec writes no line feed into JSON."""
        return payload + b"\n"

    def close(self, code: int, reason: str) -> bytes:
        """Wrap a farewell."""
        return self.text(msgspec.json.encode({"type": "close", "code": code, "reason": reason}))


class StreamTransport(SocketTransport):
    """Write lines, and notice when nobody is there to read them.

    A client that only reads never answers a ping. So the kernel is asked instead: bytes that the
    other side has not acknowledged for ``pong_seconds`` end the connection, and every heartbeat
    sends some. Whatever the client sends is thrown away, up to a bound.
    """

    __slots__ = ("_said",)

    def __init__(
        self, runtime: Runtime, config: Config, sock: _socket.socket, connection: Connection
    ) -> None:
        super().__init__(runtime, config, sock, connection)
        self._said = 0
        if sock.family in (_socket.AF_INET, _socket.AF_INET6):
            _give_up_after(sock, config.pong_seconds)

    def _read(self, connection: Connection, data: bytes) -> None:
        self._said += len(data)
        if self._said > READ_BYTES:
            self._deaf = True
            connection.end(CloseReason.PROTOCOL)


def head(status: str, headers: Iterable[tuple[str, str]], now: int) -> bytes:
    """Return the head of a response whose body ends with its connection (HTTP/1.0 knows that, too).

    ``headers`` are what the host wants said; ``now`` is milliseconds since the epoch.
    """
    said = [(name, value) for name, value in headers if name.lower() not in _OURS]
    said += [("Date", formatdate(now / 1000, usegmt=True)), ("Connection", "close")]
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in said)]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode("latin-1")


def _give_up_after(sock: _socket.socket, seconds: int) -> None:
    option = getattr(_socket, "TCP_USER_TIMEOUT", None)  # Linux's (RFC 5482)
    if option is not None:
        sock.setsockopt(_socket.IPPROTO_TCP, option, seconds * 1000)
