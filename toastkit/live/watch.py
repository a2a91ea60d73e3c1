"""Watch over connections: who is silent, who is stuck, whose ticket has run out."""

from __future__ import annotations

from collections import deque

from ..clock import Clock
from ..closing import CloseReason
from ..config import Config
from ..replies import Expiring, Failure
from .connection import SILENT, WARNED, Connection
from .wheel import Wheel


class Watch:
    """Look after every connection of a node, driven by one tick a second.

    Each connection has its turn every ``ping_seconds``: it is pinged, and warned once when its
    ticket ends soon. Silence ``pong_seconds`` after the ping ends its foreground at once, so that a
    phone rings for a client whose network is gone; silence at the next turn ends the connection. A
    ticket that has run out ends it, to the second: ``expired_seconds`` later, for it may still be
    refreshed (A.8), at once where no client is heard.
    """

    def __init__(self, wheel: Wheel[Connection], clock: Clock, config: Config) -> None:
        self._wheel = wheel
        self._clock = clock
        self._config = config
        self._pinged: deque[tuple[int, list[Connection]]] = deque()
        self._last: set[Connection] = set()  # whose end comes before their next turn
        self.behind: set[Connection] = set()
        self.leaving: set[Connection] = set()

    @property
    def idle(self) -> bool:
        """Tell whether nobody is left who says farewell, is behind, or owes a pong."""
        return not (self.leaving or self.behind or self._pinged)

    def add(self, connection: Connection) -> None:
        """Look after a connection from now on."""
        self._wheel.add(connection)
        self._look_ahead(connection)

    def leave(self, connection: Connection) -> None:
        """Look only whether a connection's farewell comes to an end."""
        self._wheel.discard(connection)
        self._last.discard(connection)
        self.leaving.add(connection)

    def tick(self) -> None:
        """Do what has become due; at least once a second."""
        now = int(self._clock.monotonic())
        turn = self._wheel.advance(now)
        self._hush(now)
        for connection in turn:
            self._look_ahead(connection)
        self._end_expired()
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
        # Tells whether it owes a pong: a client with older frames to read is not pinged yet.
        if connection.flags & SILENT:
            connection.end(CloseReason.NO_PONG)
        if connection.ending:
            return False
        self._warn(connection)
        if connection.buffer is not None:
            return False
        connection.send(connection.dialect.framing.ping)
        return not connection.deaf

    def _warn(self, connection: Connection) -> None:
        # In its last turn but one, or earlier: it has expiring_seconds for certain. The greeting
        # comes first, and may wait for what was missed.
        if connection.flags & WARNED or connection.catching is not None:
            return
        seconds = self._config.expiring_seconds + self._config.ping_seconds
        if connection.expires_at - self._clock.now() <= seconds * 1000:
            connection.flags |= WARNED
            connection.reply(Expiring(None, connection.expires_at))

    def _look_ahead(self, connection: Connection) -> None:
        next_turn = self._clock.now() + self._config.ping_seconds * 1000
        if self._end(connection) <= next_turn:
            self._last.add(connection)
        else:
            self._last.discard(connection)  # its ticket was refreshed

    def _end_expired(self) -> None:
        now = self._clock.now()
        over = [connection for connection in self._last if self._end(connection) <= now]
        # Thousands may have connected in one second: those beyond a slice are ended a second later.
        for connection in over[: self._config.fanout_slice]:
            connection.reply(Failure(code="token_expired", message="Token expired"))
            connection.end(CloseReason.TOKEN_EXPIRED)

    def _end(self, connection: Connection) -> int:
        late = 0 if connection.deaf else self._config.expired_seconds * 1000
        return connection.expires_at + late

    def _end_stuck(self, now: int) -> None:
        for connection in list(self.behind):
            ending = connection.ending
            limit = self._config.close_seconds if ending else self._config.slow_seconds
            if connection.buffer is None:
                self.behind.discard(connection)
            elif now - connection.buffer.since >= limit:
                connection.stuck()
