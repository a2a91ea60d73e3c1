"""One worker's live half: it joins the roster to the backplane."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from itertools import islice

from .. import ids, principals
from ..backplane.contract import Answer
from ..closing import CloseReason, Ending
from ..dialects.contract import Dialect
from ..events import Event
from ..records import Since, Ticket
from ..replies import Failure, Greeting, Recovery
from ..runtime.contract import Signal
from .comings import Comings
from .connection import DEAF, FOREGROUND, Connection
from .dispatch import Dispatch
from .doubts import Doubts
from .ear import NodeEar
from .lane import Lane
from .parts import NodeParts
from .recovery import Recoveries, Wish, jump, position
from .roster import Roster, deliver
from .sendbuffer import Tally
from .watch import Watch
from .wheel import Wheel


@dataclass(frozen=True, slots=True)
class Arriving:
    """Say how a client comes: in front of its user or not, and from where it left off.

    ``deaf``: it cannot be heard, such as a stream of lines. It owes no pong, and its transport
    must notice when it is gone.
    """

    background: bool = False
    since: Since | None = None
    deaf: bool = False


_FRESH = Arriving()


class Node:
    """Admit connections, hear the backplane for them, and say farewell to all at the end.

    ``serving`` is true once this process has handled a request or a socket: only then may it
    decide that nobody is there (another process on the same database cannot know).
    ``at_serve`` is called once, when that begins (again if it raised); ``at_first`` once, when the
    first connection comes. Neither may block.
    """

    def __init__(
        self,
        parts: NodeParts,
        at_first: Callable[[], object],
        at_serve: Callable[[], object] = lambda: None,
    ) -> None:
        self.config = parts.config
        self.clock = parts.clock
        self.runtime = parts.runtime
        self.rules = parts.rules
        self.serving = False
        self.closing = False
        self.wheel: Wheel[Connection] = Wheel(self.config.ping_seconds, self._second())
        self.roster = Roster()
        self._at_first: Callable[[], object] | None = at_first
        self._backplane = parts.backplane
        self._beginnings = [self._backplane.serve, at_serve]
        self._recoveries = Recoveries(parts)
        self._dispatch = Dispatch(parts, self._recoveries)
        self._doubts = Doubts(parts, self.roster, self._dispatch.catch_up)
        self._watch = Watch(self.wheel, self.clock, self.config)
        self._comings = Comings(self.runtime, self.clock, parts.witness)
        self._lane = Lane(self.runtime, self.clock, self.config.fanout_slice)
        self._ticking = False
        self._gone: Signal | None = None
        self._backplane.listen(NodeEar(self))

    def serve(self, *, alone: bool = True) -> None:
        """Note that this process serves requests or sockets; ``alone`` unless others do, too."""
        self.serving = True
        self._begin_to_serve()
        if not alone:
            self._backplane.share()

    def online(self, user_id: object) -> int:
        """Return how many clients of a user, in this process, the user is in front of; 0: nobody.

        From any thread.

        Raises:
            Invalid: it is no user id.
        """
        route = principals.route(principals.user_id(user_id))
        if not self.serving or self.closing:
            return 0
        members = self.roster.members
        return self.runtime.ask(lambda: sum(each.foreground for each in members(route)))

    def _begin_to_serve(self) -> None:
        while self._beginnings:
            try:
                # Two first requests may meet here: popping is atomic, so each is begun by one.
                begin = self._beginnings.pop()
            except IndexError:
                return
            try:
                begin()
            except BaseException:  # no thread is to be had: whoever comes next begins
                self._beginnings.append(begin)
                raise

    # Connections come and go

    def admit(self, ticket: Ticket, dialect: Dialect, arriving: Arriving = _FRESH) -> Connection:
        """Return a connection that hears its ticket's topics from now on.

        What it is told is held back until it is opened, so that nothing published between its
        admission and the end of its handshake is lost. Who comes back waits here until it is read
        what was missed, two seconds at most. A full worker refuses instead.
        """
        connection = self.runtime.ask(lambda: self._admit(ticket, dialect, arriving))
        self._recoveries.wait(connection)
        return connection

    def refuse(self, dialect: Dialect, reason: CloseReason, failure: Failure | None) -> Connection:
        """Return a connection that hears why it may not stay, and ends.

        A browser cannot read the status of a failed upgrade, so a refusal is told after it
        (A.7).
        """
        return self.runtime.ask(lambda: self._refuse(dialect, reason, failure))

    def _admit(self, ticket: Ticket, dialect: Dialect, arriving: Arriving) -> Connection:
        self.serve()
        if self._at_first is not None:
            self._at_first()
            self._at_first = None
        if self.closing:
            return self._refuse(dialect, CloseReason.RESTART, None)
        if self._is_full(ticket.user_id):
            message = "too many connections"
            failure = Failure(code="too_many_connections", message=message, retryable=True)
            return self._refuse(dialect, CloseReason.OVERLOADED, failure)
        connection = self._make(dialect)
        connection.take(ticket)
        if arriving.background:
            connection.flags &= ~FOREGROUND
        if arriving.deaf:
            connection.flags |= DEAF
        if ticket.position is not None:
            jump(connection, ticket.position)
        self._attach(connection)
        self._comings.came(connection, ticket.topics)
        self._welcome(connection, ticket.topics, arriving.since)
        return connection

    def _welcome(
        self, connection: Connection, topics: tuple[str, ...], since: Since | None
    ) -> None:
        def greet(recovery: Recovery | None) -> None:
            place = position(connection)
            connection.reply(Greeting(None, connection.id, topics, place, recovery))

        if since is None:
            connection.topics = topics
            greet(None)
        else:
            wish = Wish(since, topics, greet, ready=self.runtime.signal())
            self._recoveries.begin(connection, wish)

    def _refuse(self, dialect: Dialect, reason: CloseReason, failure: Failure | None) -> Connection:
        connection = self._make(dialect)
        if failure is not None:
            connection.reply(failure)
        connection.end(reason)
        return connection

    def _make(self, dialect: Dialect) -> Connection:
        if not self._ticking:
            # Nobody was there, so nobody kept the wheel's time.
            self.wheel.advance(self._second())
        connection = Connection(self, dialect, ids.connection_id())
        # A handshake that never ends must not hold a place, nor count as somebody present: what
        # is held back for it makes no progress, like the frames of any stuck client.
        self.behind(connection)
        return connection

    def _is_full(self, user_id: str) -> bool:
        mine = len(self.roster.members(principals.route(user_id)))
        everybody = len(self.roster.connections)
        return mine >= self.config.connections_per_user or everybody >= self.config.connections

    def _attach(self, connection: Connection) -> None:
        route = principals.route(connection.user_id)
        if self.roster.add(connection, route):
            self._backplane.join(route)
        self._keep_ticking()
        self._watch.add(connection)

    def detach(self, connection: Connection, ending: Ending) -> None:
        """Let a connection hear nothing more; it may still be saying farewell."""
        came = connection in self.roster.connections
        route = principals.route(connection.user_id)
        if self.roster.remove(connection, route):
            self._backplane.leave(route)
        self._watch.leave(connection)
        self._recoveries.drop(connection)
        # Last: whatever a witness does, nothing here holds the connection any more.
        if came:
            self._comings.left(connection, ending)
        else:
            self._comings.refused(ending)

    def forget(self, connection: Connection) -> None:
        """Forget a connection whose socket has been given back."""
        self._watch.leaving.discard(connection)
        self._watch.behind.discard(connection)
        self._tell_gone()

    def behind(self, connection: Connection) -> None:
        """Watch a connection whose socket is full, or not there yet."""
        self._watch.behind.add(connection)
        self._keep_ticking()

    def caught_up(self, connection: Connection) -> None:
        """Watch it no longer, and let it go on with what it missed."""
        self._watch.behind.discard(connection)
        self._recoveries.feed(connection)

    # Messages in, events out

    def receive(self, connection: Connection, payload: bytes) -> None:
        """Carry out one message of a client."""
        self._dispatch.receive(connection, payload)

    def in_time(self, connection: Connection) -> bool:
        """Count one frame of a client; tell it, and the caller, when it came too fast."""
        return self._dispatch.in_time(connection)

    def hear(self, event: Event, answer: Answer) -> None:
        """Take one event from the backplane and tell it to those who hear it here."""
        members, tally = self.roster.members(event.route), Tally(answer)
        if len(members) > self.config.fanout_inline or self._lane.holds(event.route):
            self._lane.put(event, list(members), tally)
            return
        deliver(event, list(members), tally, self.clock.now())
        tally.seal()

    def doubt(self, routes: Collection[str] | None = None) -> None:
        """Read what may have been told on these routes, or on all, and was not heard here."""
        self._doubts.doubt(routes)

    def hold(self, connection: Connection, event: Event, tally: Tally | None) -> None:
        """Keep an event for a connection that must be told others first."""
        if connection.catching is None:
            self._dispatch.catch_up(connection)
        self._recoveries.hold(connection, event, tally)

    # The end

    def dismiss(self, user_id: str, reason: CloseReason, session_hash: str | None = None) -> None:
        """End every connection of a principal to this worker, or those of one session only."""
        session = None if session_hash is None else bytes.fromhex(session_hash)
        self.runtime.ask(lambda: self._dismiss(principals.route(user_id), reason, session))

    def stop(self) -> None:
        """Tell every connection 1012, and wait at most ``close_seconds`` until all have gone.

        As long again it waits until everybody who wants to know has been told. From any thread,
        from a greenlet, and from ``atexit``; not from a loop callback.
        """
        gone = self.runtime.ask(self._begin_to_close)
        while self.runtime.ask(self._say_farewells):
            self.runtime.breathe()
        gone.wait(self.config.close_seconds)
        self._comings.finish(self.config.close_seconds)

    def abandon(self) -> None:
        """Give every socket back without a word: in a forked child they are its parent's."""
        self._comings.abandon()
        for connection in self.roster.connections | self._watch.behind | self._watch.leaving:
            connection.lost()

    def _begin_to_close(self) -> Signal:
        self.closing = True
        self._gone = self._gone or self.runtime.signal()
        return self._gone

    def _dismiss(self, route: str, reason: CloseReason, session: bytes | None) -> None:
        for connection in list(self.roster.members(route)):
            if session is None or connection.session == session:
                connection.end(reason)

    def _say_farewells(self) -> bool:
        # In slices: ten thousand farewells at once would hold up whatever else is still served.
        for connection in list(islice(self.roster.connections, self.config.fanout_slice)):
            connection.end(CloseReason.RESTART)
        self._tell_gone()
        return bool(self.roster.connections)

    def _tell_gone(self) -> None:
        if self._gone is not None and not self._watch.leaving and not self.roster.connections:
            self._gone.set()

    def _keep_ticking(self) -> None:
        if not self._ticking:
            self._ticking = True
            self._tick()

    def _tick(self) -> None:
        try:
            self._watch.tick()
        finally:
            # Whatever goes wrong with one connection, the others are still looked after.
            self._ticking = bool(self.roster.connections) or not self._watch.idle
            if self._ticking:
                self.runtime.call_later(1, self._tick)

    def _second(self) -> int:
        return int(self.clock.monotonic())
