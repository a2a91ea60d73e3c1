"""Connections of redis-py that keep to one deadline, connecting and handshake included."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from redis.backoff import NoBackoff
from redis.connection import Connection, SSLConnection, UnixDomainSocketConnection
from redis.retry import Retry

if TYPE_CHECKING:
    from ...clock import Clock

    _Base = Any
else:
    _Base = object

SHORTEST = 0.001


class TimelyConnection(_Base):  # type: ignore[misc]  # its half is not typed
    """Ask with one deadline for everything that an answer takes.

    redis-py has a limit for each read, and a handshake has five of them.
    """

    until: float

    def __init__(self, clock: Clock, **settings: Any) -> None:
        self._clock = clock
        self.server = ""
        # Whatever a URL says: others may use it, too.
        own = {"retry": Retry(NoBackoff(), 0), "protocol": 2, "health_check_interval": 0}
        super().__init__(**settings | own | {"decode_responses": False})

    def begin(self, until: float) -> None:
        """Connect; learn which start of the server this is."""
        self.until = until
        for each in ("socket_timeout", "socket_connect_timeout"):
            setattr(self, each, self._left())
        self.connect()
        self.send_command("INFO", "server")
        info: bytes = self.read_response()
        lines = [line for line in info.decode().splitlines() if line.startswith("run_id:")]
        self.server = lines[0] if lines else ""

    def send_packed_command(self, *given: Any, **named: Any) -> Any:
        self._limit()
        return super().send_packed_command(*given, **named)

    def read_response(self, *given: Any, **named: Any) -> Any:
        self._limit()
        return super().read_response(*given, **named)

    def _limit(self) -> None:
        if self._sock is not None:
            self._sock.settimeout(self._left())

    def _left(self) -> float:
        return max(SHORTEST, self.until - self._clock.monotonic())


class _Tcp(TimelyConnection, Connection):
    pass


class _Tls(TimelyConnection, SSLConnection):
    pass


class _Unix(TimelyConnection, UnixDomainSocketConnection):
    pass


def timely(kind: type) -> Callable[..., TimelyConnection]:
    """Return our kind of the connection that a URL asks for."""
    kinds: dict[type, Callable[..., TimelyConnection]]
    kinds = {SSLConnection: _Tls, UnixDomainSocketConnection: _Unix}
    return kinds.get(kind, _Tcp)
