"""This worker's connections by route, and the one loop that serves them."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from .. import topics
from ..dialects.contract import Dialect
from ..events import EVERYBODY, Event
from .connection import Connection
from .position import ECHO, GAP, NEW, meet
from .sendbuffer import Tally


class Roster:
    """Know which connections are on which route.

    A lone member is kept bare: most principals have one connection, and a set each would cost
    more than half of what the connection itself does.
    """

    def __init__(self) -> None:
        self.connections: set[Connection] = set()
        self._routes: dict[str, Connection | set[Connection]] = {}

    def add(self, connection: Connection, route: str) -> bool:
        """Put a connection on a route; tell whether it is the first there."""
        self.connections.add(connection)
        present = self._routes.get(route)
        if present is None:
            self._routes[route] = connection
            return True
        if isinstance(present, set):
            present.add(connection)
        elif present is not connection:
            self._routes[route] = {present, connection}
        return False

    def remove(self, connection: Connection, route: str) -> bool:
        """Take a connection off a route; tell whether it was the last there."""
        self.connections.discard(connection)
        present = self._routes.get(route)
        if isinstance(present, set):
            present.discard(connection)
            if len(present) == 1:
                self._routes[route] = present.pop()
            return False
        if present is not connection:
            return False
        del self._routes[route]
        return True

    @property
    def routes(self) -> Collection[str]:
        """Return the routes somebody is on; copy before a connection can come or go."""
        return self._routes.keys()

    def members(self, route: str) -> Collection[Connection]:
        """Return the connections on a route; copy before a connection can come or go."""
        if route == EVERYBODY:
            return self.connections
        present = self._routes.get(route)
        if present is None:
            return ()
        return present if isinstance(present, set) else (present,)


def deliver(event: Event, members: Iterable[Connection], tally: Tally, now: int) -> None:
    """Send an event to those who hear its topic, written once per dialect.

    The tally counts foreground connections only: a client in the background is no proof that
    anybody saw the toast (A.17). Neither is one that has gone: it may have left before its
    slice came, or turn out to be gone only now. What has expired by ``now`` is told to nobody,
    but it moves connections on like every toast of their principal.
    """
    frames: dict[Dialect, bytes | None] = {}
    late = event.expired(now)
    for connection in members:
        if connection.ending:
            continue
        foreground = connection.foreground
        counted = tally if foreground else None
        if connection.catching is not None:
            step = GAP
        else:
            step = NEW if event.seq is None else meet(connection, event)
        if step is GAP:
            connection.node.hold(connection, event, counted)
        elif not late and hears(connection, event):
            dialect = connection.dialect
            if dialect not in frames:
                frames[dialect] = dialect.event(event)
            # An echo was sent before, and may wait in the buffer still. An empty frame behind it
            # has the answer wait for that.
            frame = b"" if step is ECHO else frames[dialect]
            if frame is not None:
                tally.written += connection.send(frame, counted, event.expires_at) and foreground
        tally.present += foreground and not late and not connection.ending


def hears(connection: Connection, event: Event) -> bool:
    """Tell whether an event is for a connection: it hears the topic, and did not cause it."""
    if connection.id == event.exclude:
        return False
    return event.topic is None or topics.hears(connection.topics, event.topic)
