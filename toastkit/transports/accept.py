"""Take a client's socket from the web server, once the handshake is out."""

from __future__ import annotations

import _socket
import os
import socket
from typing import Any

from ..config import Config
from ..errors import UnsupportedServer
from ..live import Connection
from ..runtime.contract import Runtime
from .handshake import ensure_handshake
from .portable import serve
from .websocket import WebSocketTransport

GUNICORN, WERKZEUG = "gunicorn.socket", "werkzeug.socket"
EXTENSIONS = "HTTP_SEC_WEBSOCKET_EXTENSIONS"


class Arrival:
    """Be one client between its handshake request and its connection.

    ``from_environ`` comes before flask-sock's handshake, ``open`` in the route, after it.
    """

    def __init__(self, environ: dict[str, Any], runtime: Runtime, config: Config) -> None:
        self._environ = environ
        self._runtime = runtime
        self._config = config
        self._key = ""
        self._sock: Any = None

    @classmethod
    def from_environ(cls, environ: dict[str, Any], runtime: Runtime, config: Config) -> Arrival:
        """Check the handshake and stand between simple-websocket and the server's socket.

        Raises:
            Invalid: the request is no handshake of ours (``type`` ``version``: 426).
            UnsupportedServer: this server's sockets cannot be taken.
        """
        ensure_handshake(environ)
        arrival = cls(environ, runtime, config)
        # simple-websocket accepts permessage-deflate from whoever offers it, and every browser
        # does: 120 KiB a connection, and one small frame may inflate to gigabytes.
        environ.pop(EXTENSIONS, None)
        if config.gateway != "portable":
            arrival._hold()
        return arrival

    def open(self, connection: Connection, ws: Any = None) -> None:
        """Give the socket to the connection and greet; ``ws`` is flask-sock's own object.

        Returns at once, except through the portable gateway: there the request's thread reads
        until the client is gone.
        """
        if self._sock is None:
            serve(ws, connection, self._runtime, self._config)
            return
        taken = _take(self._sock, detach=self._key == GUNICORN and _is_cooperative(self._sock))
        if self._runtime.on_loop():
            self._begin(taken, connection)
        else:
            self._runtime.call(self._begin, taken, connection)

    def abandon(self, connection: Connection | None = None) -> None:
        """Put the server's socket back and let go of a connection that will not be opened."""
        if self._sock is not None:
            self._environ[self._key] = self._sock
        if connection is not None:
            self._runtime.call(connection.lost)

    def _hold(self) -> None:
        self._key = next((key for key in (WERKZEUG, GUNICORN) if key in self._environ), "")
        if not self._key:
            server = self._environ.get("SERVER_SOFTWARE", "this server")
            raise UnsupportedServer(
                f"{server} gives no socket to take over: serve with gunicorn (gevent or gthread), "
                "or set TOASTKIT_GATEWAY=portable"
            )
        sock = self._environ[self._key]
        if hasattr(sock, "do_handshake"):
            raise UnsupportedServer(
                "a TLS socket cannot be taken over: end TLS in a proxy in front of this server, "
                "or set TOASTKIT_GATEWAY=portable"
            )
        self._sock = sock
        self._environ[self._key] = _Shim(sock)

    def _begin(self, taken: _socket.socket, connection: Connection) -> None:
        try:
            taken.setblocking(False)
            taken.setsockopt(_socket.SOL_SOCKET, _socket.SO_SNDBUF, self._config.socket_send_bytes)
            if taken.family in (_socket.AF_INET, _socket.AF_INET6):
                taken.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        except OSError:
            # The client has gone already.
            taken.close()
            connection.lost()
            return
        connection.open(WebSocketTransport(self._runtime, self._config, taken, connection))


class _Shim:
    """Stand in for the server's socket while simple-websocket makes the handshake.

    Its reader thread would swallow the client's first frames, and its close frame would follow
    our greeting. So the 101 goes through, reading fails at once, and the rest goes nowhere.
    """

    def __init__(self, sock: Any) -> None:
        self._sock: Any = sock

    def send(self, data: bytes) -> int:
        sock, self._sock = self._sock, None
        if sock is not None:
            sock.sendall(data)
        return len(data)

    def recv(self, _: int) -> bytes:
        raise OSError("the socket belongs to toastkit")

    def close(self) -> None:
        """Leave the socket open: it is not the handshake's."""


def _take(sock: Any, *, detach: bool) -> _socket.socket:
    """Take the connection out of a server's socket object, which then acts as if it had ended."""
    kind = (sock.family, sock.type, sock.proto)
    if detach:
        # gevent drops its watchers of the descriptor along with it, and its worker closes an
        # emptied socket quietly.
        return _socket.socket(*kind, fileno=sock.detach())
    taken = _socket.socket(*kind, fileno=os.dup(sock.fileno()))
    _hang_up(sock)
    return taken


def _is_cooperative(sock: Any) -> bool:
    return type(sock).__module__.startswith("gevent.")


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
