"""One process on the bus: what it tells the others, and what it makes of what it hears."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial

from ...clock import Clock
from ...events import EVERYBODY, Event
from ...runtime.contract import Runtime
from ..contract import Dismissal
from .asking import Asked, AskedParts, Asking, Broadcast
from .counts import Counts
from .dial import Place
from .envelope import MAX_BYTES, pack
from .hearing import Hearing, HearingParts
from .keys import Keys
from .line import LineParts
from .listener import Listener, Listening
from .notices import Beat, Bye, Dismissed, Notice
from .peers import Crew, Peers
from .pump import Pump
from .routes import Routes
from .speaking import Hearers, Speaking
from .unsaid import Unsaid

log = logging.getLogger(__name__)

LOOK_TICKS = 20
"""Ticks between two looks at everybody's position, though nothing is wrong."""
STAY_TICKS = 10
"""After how many of them another reason is told, too: it was away, say, and now wants a password."""
TICK_SECONDS = 1.0
"""How often it beats, looks whether anybody is there, and forgets."""


@dataclass(frozen=True, slots=True)
class BrokerParts:
    """What a broker is made of; Redis may take ``seconds`` to answer."""

    runtime: Runtime
    clock: Clock
    place: Place
    keys: Keys
    counts: Counts
    seconds: float


class _Roll:
    """Hold how many processes heard each route when some events were told, if that is known."""

    def __init__(self, heard: bool) -> None:
        self.heard = heard
        self.hearers: Hearers = {}

    def take(self, hearers: Hearers | None) -> None:
        self.hearers = hearers or {}


class Broker:
    """Tell events to this process' own ear at once, and to the others through Redis.

    On the loop only. It begins to connect at its first use, and does not survive a fork.
    ``serving`` says that this process has clients.
    """

    def __init__(self, parts: BrokerParts) -> None:
        self.serving = False
        self._parts = parts
        self._worker = secrets.token_hex(8)
        self._own = parts.keys.worker(self._worker).encode()
        self._workers = parts.keys.workers.encode()
        self._everybody = parts.keys.channel(EVERYBODY).encode()
        line = LineParts(parts.runtime, parts.place, parts.counts)
        self._pump = Pump(line, parts.seconds, self._speaks_or_not)
        self._speaking = Speaking(self._pump, parts.keys)
        listening = Listening(self._hears, self._hears_no_more, self._joined, self._message)
        self._listener = Listener(line, listening)
        self._listener.want(self._own)
        self.routes = Routes(parts.keys, self._listener)
        self._peers, self._crew = Peers(), Crew()
        asking = AskedParts(parts.runtime, parts.counts, lambda: len(self._peers.silent))
        self._asked = Asked(asking)
        self.hearing = Hearing(self._worker, self._hearing_parts())
        self._unsaid = Unsaid(self._worker, self._speaking.notice)
        self._held: list[Callable[[], None]] = []
        self._started = self._over = False
        self._ticks = 0
        self._told: str | None = None
        self._trouble: str | None = None
        self._stays = 0

    @property
    def trouble(self) -> str | None:
        """Say in a line what keeps it from reaching the others, or from hearing them."""
        away = self._pump.trouble or self._listener.trouble
        return away or (
            self._speaking.refusal and f"{self._parts.place.name}: {self._speaking.refusal}"
        )

    # What it tells

    def broadcast(self, events: Sequence[Event]) -> Broadcast:
        """Tell events here, and to everybody else who hears them."""
        self._start()
        self._listener.open()
        self._parts.counts.events += len(events)
        broadcast = self._asked.ask(len(events))
        for event, asking in zip(events, broadcast.askings, strict=True):
            self._tell_here(event, asking)
        self._held.append(partial(self._tell_others, events, broadcast))
        self._settle()
        return broadcast

    def dismiss(self, dismissal: Dismissal) -> None:
        """Tell every other worker what was dismissed."""
        self._start()
        self._notify(Dismissed(self._worker, dismissal.user_id, dismissal.sessions))

    def _tell_here(self, event: Event, asking: Asking) -> None:
        # At once: what it tells its own clients depends on nobody else. Should this overtake a toast
        # of another worker, published before, the positions show it.
        if self.hearing.ear is None or not (self.serving and self.routes.joined(event.route)):
            asking.here(0, 0)
            return
        try:
            self.hearing.ear.hear(event, asking.here)
        except Exception:
            # One event that cannot be told must not keep the others from being heard.
            log.exception("the %s %s could not be told", event.kind, event.id)
            asking.failed_here()

    def _tell_others(self, events: Sequence[Event], broadcast: Broadcast) -> None:
        roll = _Roll(self._listener.heard)
        # Asked first: whoever is counted here has subscribed all its routes before what follows.
        routes = {event.route for event in events if self._speaking.watched}
        self._speaking.count({EVERYBODY, *routes}, roll.take)
        for event, asking in zip(events, broadcast.askings, strict=True):
            payload = pack(event, f"{self._worker}/{asking.number}")
            if len(payload) > MAX_BYTES:
                log.warning("the %s %s is too big for other workers", event.kind, event.id)
                self._reached(asking, event, roll, None)
            else:
                then = partial(self._reached, asking, event, roll)
                self._speaking.event(event.route, payload, then)

    def _reached(self, asking: Asking, event: Event, roll: _Roll, receivers: object) -> None:
        if not isinstance(receivers, int) and event.seq is not None:
            self._unsaid.note(event.route)
        # A process that does not hear will hear no answers, and does not wait for any.
        if roll.heard and self._listener.heard and isinstance(receivers, int):
            # Watchers answer nothing, so with them the number of subscribers counts, as it was a
            # moment before. Without them PUBLISH knows better: one may have subscribed since.
            answering = min(receivers, roll.hearers.get(event.route, receivers))
            asking.reached(answering, sound=self._are_all_there(roll.hearers.get(EVERYBODY)))
        else:
            asking.reached(0, sound=False)

    def _are_all_there(self, there: int | None) -> bool:
        """Tell whether nobody is missing who may just be connecting again, with clients of its own."""
        if there is None:
            return False
        return there > len(self._peers) if self.serving else self._crew.all_there(there)

    def _notify(self, notice: Notice, then: Callable[[], None] = lambda: None) -> None:
        self._speaking.notice(notice, lambda _: then())

    def _beat(self, *, hello: bool = False) -> None:
        if self.serving and self._listener.heard:
            self._notify(Beat(self._worker, hello))

    # What it hears

    def serve(self) -> None:
        """Hear from now on what is for this process' clients; ``serving`` is set before."""
        self._start()
        self._listener.want(self._workers)
        self._listener.want(self._everybody, last=True)
        self._listener.open()

    def _hears(self) -> None:
        self._settle()
        if self.serving:
            self._beat(hello=True)
            self._doubt(None)

    def _hears_no_more(self) -> None:
        self._asked.give_up()
        self._settle()

    def _joined(self, channels: list[bytes]) -> None:
        if self._everybody in channels:
            self._hears()
        elif routes := self.routes.named(channels):
            self._doubt(routes)

    def _message(self, channel: bytes, payload: bytes) -> None:
        if channel == self._own:
            self.hearing.answers(payload)
        elif channel == self._workers:
            self.hearing.notice(payload)
        elif (route := self.routes.find(channel)) is not None:
            self.hearing.event(route, payload, joined=self.routes.joined(route))

    def _missed(self, routes: Collection[str]) -> None:
        """Read what another worker could not say; only principals' routes have what can be read."""
        here = [each for each in routes if each != EVERYBODY and self.routes.joined(each)]
        if here or not routes:
            self._doubt(here or None)

    def _doubt(self, routes: Sequence[str] | None) -> None:
        if self.hearing.ear is not None:
            self.hearing.ear.doubt(routes)

    # Its life

    def finish(self, then: Callable[[], None]) -> None:
        """Say farewell; ``then`` is called when everything it has said is said, or cannot be."""
        # Also while the first connection is being made: what was said before waits for it, too.
        if self._started and not self._over:
            self._notify(Bye(self._worker), then)
        else:
            then()

    def close(self) -> None:
        """Give both connections back; nothing is heard any more, and nobody is waited for."""
        self._over = True
        self.hearing.ear = self.hearing.heed = None
        self._listener.close()
        self._pump.close()
        self._asked.give_up()

    def abandon(self) -> None:
        """Give back what is the parent's, in a forked child, without a word to anybody."""
        self._over = True
        self._listener.close()
        self._pump.abandon()

    def _hearing_parts(self) -> HearingParts:
        return HearingParts(
            self._parts.runtime,
            self._parts.clock,
            self._parts.counts,
            self._asked,
            self._peers,
            self._speaking.answer,
            self._beat,
            self._missed,
        )

    def _start(self) -> None:
        if not self._started:
            self._started = True
            self._pump.open()
            self._speaking.tick()
            self._parts.runtime.call_later(TICK_SECONDS, self._tick)

    def _speaks_or_not(self) -> None:
        self._settle()
        self._tell_unsaid()

    def _tell_unsaid(self) -> None:
        # Not at each broadcast: where Redis refuses to publish, all of it would be tried each time.
        if self._pump.is_open:
            self._unsaid.tell()

    def _settle(self) -> None:
        """Tell what waited for the first connections, once they are there or have failed."""
        if self._pump.settled and self._listener.settled:
            held, self._held = self._held, []
            for tell in held:
                tell()

    def _tick(self) -> None:
        if self._over:
            return
        self._parts.runtime.call_later(TICK_SECONDS, self._tick)
        self._listener.tick()
        self.routes.tick()
        self._asked.tick()
        self._crew.tick()
        self._beat()
        if self._listener.heard and self.trouble is None:
            self._peers.tick()
            self._ask_for_silent()
        else:
            # Meanwhile events may go unheard, and beats, too: nobody is blamed for missing ones.
            self._doubt(None)
        self._ticks += 1
        if self._ticks % LOOK_TICKS == 0:
            # Whatever was lost with a process that died: no page stays without it for long.
            self._doubt(None)
        self._tell_unsaid()
        self._speaking.tick()
        self._report()

    def _ask_for_silent(self) -> None:
        """Look for those who say nothing: a dead one is subscribed no longer, a frozen one is."""
        for worker in self._peers.silent:
            self._speaking.look_for(worker, partial(self._found, worker))

    def _found(self, worker: str, connections: int | None) -> None:
        if connections == 0 and worker in self._peers.silent:
            self._peers.gone(worker)

    def _report(self) -> None:
        trouble, before = self.trouble, self._trouble
        self._trouble = trouble
        self._stays = self._stays + 1 if trouble == before else 0
        if trouble is None:
            if self._told is not None:
                log.warning("%s answers again", self._parts.place.name)
            self._told = None
        elif self._told is None or (trouble != self._told and self._stays >= STAY_TICKS):
            log.warning(
                "%s; until it is back, this worker's clients are told what is stored", trouble
            )
            self._told = trouble
