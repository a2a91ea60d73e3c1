"""Take a client's socket from the web server, and answer on it."""

from __future__ import annotations

import _socket
import os
import socket
from functools import partial
from typing import Any

from ..config import Config
from ..errors import UnsupportedServer
from ..live import Connection
from ..runtime.contract import Runtime
from .handshake import ensure_handshake, switching_protocols
from .portable import serve
from .portablestream import PortableStream
from .sockets import SocketTransport
from .stream import StreamTransport
from .websocket import WebSocketTransport

GUNICORN, WERKZEUG = "gunicorn.socket", "werkzeug.socket"
EXTENSIONS = "HTTP_SEC_WEBSOCKET_EXTENSIONS"


class Arrival:
    """Turn one client's request into its connection.

    Raises:
        UnsupportedServer: this server's sockets cannot be taken.
    """

    def __init__(self, environ: dict[str, Any], runtime: Runtime, config: Config) -> None:
        self._environ = environ
        self._runtime = runtime
        self._config = config
        self._sock = None if config.gateway == "portable" else _find_socket(environ)

    @classmethod
    def from_environ(cls, environ: dict[str, Any], runtime: Runtime, config: Config) -> Arrival:
        """Check a handshake, and that its socket can be taken; touches nothing yet.

        Raises:
            Invalid: the request is no handshake of ours (``type`` ``version``: 426).
            UnsupportedServer: this server's sockets cannot be taken, or it shows none at all.
        """
        ensure_handshake(environ)
        _ensure_any_socket(environ)
        return cls(environ, runtime, config)

    @property
    def portable(self) -> bool:
        """Tell whether the server keeps its socket, so that ``serve`` is called for, not ``open``."""
        return self._sock is None

    def open(self, connection: Connection) -> None:
        """Take the socket, answer the handshake and greet; the server finds its client gone."""
        self._hand_over(connection, switching_protocols(self._environ), WebSocketTransport)

    def stream(self, connection: Connection, head: bytes) -> None:
        """Take the socket, answer with ``head`` and send lines; the server finds its client gone."""
        self._hand_over(connection, head, StreamTransport)

    def lines(self, connection: Connection) -> PortableStream:
        """Return a response's body of lines, for a server that keeps its socket."""
        return PortableStream(self._runtime, connection)

    def _hand_over(
        self, connection: Connection, answer: bytes, transport: type[SocketTransport]
    ) -> None:
        try:
            taken = _take(self._sock, detach=self._is_cooperative())
        except (OSError, ValueError):  # the server has closed it; gevent's is emptied then
            self.abandon(connection)
            return
        begin = partial(self._begin, taken, connection, answer, transport)
        if self._runtime.on_loop():
            begin()
        else:
            self._runtime.call(begin)

    def serve(self, connection: Connection, ws: Any) -> None:
        """Greet through flask-sock's own object, and read in this thread until the client is gone."""
        serve(ws, connection, self._runtime, self._config)

    def abandon(self, connection: Connection) -> None:
        """Let go of a connection that will not be opened."""
        self._runtime.call(connection.lost)

    def _is_cooperative(self) -> bool:
        # gevent drops its watchers of the descriptor when it is detached, and gunicorn's gevent
        # worker closes an emptied socket quietly. No other server does.
        return GUNICORN in self._environ and type(self._sock).__module__.startswith("gevent.")

    def _begin(
        self,
        taken: _socket.socket,
        connection: Connection,
        answer: bytes,
        transport: type[SocketTransport],
    ) -> None:
        try:
            taken.setblocking(False)
            taken.setsockopt(_socket.SOL_SOCKET, _socket.SO_SNDBUF, self._config.socket_send_bytes)
            if taken.family in (_socket.AF_INET, _socket.AF_INET6):
                taken.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
            # The first bytes on this socket, so the kernel takes them whole, unless the client has
            # not read the answers to earlier requests of the same connection.
            if taken.send(answer) < len(answer):
                raise BlockingIOError
        except OSError:
            # The client has gone already.
            taken.close()
            connection.lost()
            return
        connection.open(transport(self._runtime, self._config, taken, connection))


def refuse_compression(environ: dict[str, Any]) -> None:
    """Take the extensions out of a handshake that simple-websocket will answer.

    It accepts permessage-deflate from whoever offers it, and every browser does: 120 KiB a
    connection, and one small frame may inflate to gigabytes.
    """
    environ.pop(EXTENSIONS, None)


def _ensure_any_socket(environ: dict[str, Any]) -> None:
    """Make sure that a WebSocket can come by this server at all, in one gateway or the other."""
    server = environ.get("SERVER_SOFTWARE", "this server")
    known = (WERKZEUG, GUNICORN, "eventlet.input")  # and gevent's: simple-websocket finds its own
    if not (server.startswith("gevent") or any(name in environ for name in known)):
        raise UnsupportedServer(
            f"{server} shows no socket to its apps, so no WebSocket can come by it: serve with "
            "gunicorn (gevent or gthread)"
        )


def _find_socket(environ: dict[str, Any]) -> Any:
    sock = environ.get(WERKZEUG) or environ.get(GUNICORN)
    if sock is None:
        server = environ.get("SERVER_SOFTWARE", "this server")
        raise UnsupportedServer(
            f"{server} gives no socket to take over: serve with gunicorn (gevent or gthread), "
            "or set TOASTKIT_GATEWAY=portable"
        )
    if hasattr(sock, "do_handshake"):
        raise UnsupportedServer(
            "a TLS socket cannot be taken over: end TLS in a proxy in front of this server, "
            "or set TOASTKIT_GATEWAY=portable"
        )
    return sock


def _take(sock: Any, *, detach: bool) -> _socket.socket:
    """Take the connection out of a server's socket object, which then acts as if it had ended."""
    kind = (sock.family, sock.type, sock.proto)
    if detach:
        return _socket.socket(*kind, fileno=sock.detach())
    taken = _socket.socket(*kind, fileno=os.dup(sock.fileno()))
    _hang_up(sock)
    return taken


def _hang_up(sock: Any) -> None:
    """Put a connection whose other end has gone in the place of the server's descriptor.

    The server goes on working with its socket: it writes a response to it, shuts it down, waits
    for its end, closes it. All of that finds a client that has hung up, which every server takes
    quietly; nothing of it reaches the real client. Emptied by ``detach()`` the object would make
    gunicorn's gthread count the connection out twice and werkzeug log a traceback.
    """
    here, there = socket.socketpair()
    with here, there:
        os.dup2(here.fileno(), sock.fileno(), inheritable=False)
