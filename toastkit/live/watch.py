"""Watch over connections: who is silent, who is stuck, whose ticket has run out."""

from __future__ import annotations

from collections import deque

from ..clock import Clock
from ..closing import CloseReason
from ..config import Config
from ..replies import Failure
from .connection import SILENT, Connection
from .wheel import Wheel


class Watch:
    """Look after every connection of a node, driven by one tick a second.

    Each connection has its turn every ``ping_seconds``: it is pinged, or ended when its ticket
    has run out. Silence ``pong_seconds`` after the ping ends its foreground at once, so that a
    phone rings for a client whose network is gone; silence at the next turn ends the connection.
    """

    def __init__(self, wheel: Wheel[Connection], clock: Clock, config: Config) -> None:
        self._wheel = wheel
        self._clock = clock
        self._config = config
        self._pinged: deque[tuple[int, list[Connection]]] = deque()
        self.behind: set[Connection] = set()
        self.leaving: set[Connection] = set()

    @property
    def idle(self) -> bool:
        """Tell whether nobody is left who says farewell, is behind, or owes a pong."""
        return not (self.leaving or self.behind or self._pinged)

    def tick(self) -> None:
        """Do what has become due; at least once a second."""
        now = int(self._clock.monotonic())
        turn = self._wheel.advance(now)
        self._hush(now)
        pinged = [connection for connection in turn if self._visit(connection)]
        if pinged:
            self._pinged.append((now, pinged))
        self._end_stuck(now)

    def _hush(self, now: int) -> None:
        while self._pinged and now - self._pinged[0][0] >= self._config.pong_seconds:
            pinged_at, connections = self._pinged.popleft()
            for connection in connections:
                if connection.seen < pinged_at:
                    connection.flags |= SILENT

    def _visit(self, connection: Connection) -> bool:
        # Tells whether it was pinged: who still waits for older frames cannot owe a pong yet.
        if connection.expires_at <= self._clock.now():
            connection.reply(Failure(code="token_expired", message="Token expired"))
            connection.end(CloseReason.TOKEN_EXPIRED)
        elif connection.flags & SILENT:
            connection.end(CloseReason.NO_PONG)
        elif connection.buffer is None:
            connection.send(connection.dialect.framing.ping)
            return True
        return False

    def _end_stuck(self, now: int) -> None:
        for connection in list(self.behind):
            ending = connection.ending
            limit = self._config.close_seconds if ending else self._config.slow_seconds
            if connection.buffer is None:
                self.behind.discard(connection)
            elif now - connection.buffer.since >= limit:
                connection.stuck()
