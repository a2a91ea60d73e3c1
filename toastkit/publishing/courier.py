"""Carry what is owed to the outside world: take it, have it posted, note what was answered."""

from __future__ import annotations

import logging
import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from ..clock import Clock
from ..config import Config
from ..deliveries import Carried, Delivery, DeliveryState, Ended, StoredDelivery
from ..runtime.contract import Runtime
from .board import Board
from .errands import Errands
from .judge import Judge
from .posting import Senders
from .rounds import Round, Rounds
from .sink import Sink

BATCH = 500
"""Deliveries whose time is over, ended at once."""

SLOW_SECONDS = 60.0
"""An attempt that takes longer is told of: its sender lacks a timeout."""

LOOK_SECONDS = 60.0
"""Time between two looks for what nobody here can carry."""

log = logging.getLogger(__name__)


class DeliveryRepository(Protocol):
    """Keep what is owed until it is carried; several processes may take of it."""

    def add(self, delivery: Delivery) -> None:
        """Keep a delivery; it is due at once.

        Raises:
            StorageUnavailable: nothing was kept.
        """

    def claim(self, room: Mapping[str, int], lease_ms: int) -> list[Delivery]:
        """Take due deliveries, of each kind at most so many; nobody else gets them.

        A claim is a lease: what is neither settled nor renewed in time is due again. It counts as
        an attempt at once: whoever takes it may not live to tell. What is not wanted any more is
        dropped instead: its toast was acked, read, deleted or replaced, a newer one of its collapse
        key is owed to the same target, or there is no such device any more. None taken means that
        none is due.

        Raises:
            StorageUnavailable: nothing was taken.
        """

    def renew(self, claimed: Sequence[Delivery], lease_ms: int) -> None:
        """Keep claims that are still one's own; returns at once."""

    def settle(self, carried: Carried) -> None:
        """Note what became of a claim that is still one's own; returns at once.

        What was sent was sent, whoever holds it by now. With it goes what becomes of its toast, and
        what a push has taught about its device.
        """

    def expire(self, limit: int) -> list[Ended]:
        """End deliveries whose time is over and that nobody holds; return them.

        Raises:
            StorageUnavailable: they wait as before.
        """

    def kinds(self) -> list[str]:
        """Return the kinds of which something waits.

        Raises:
            StorageUnavailable: the database cannot be read.
        """

    def recent(
        self, limit: int, state: DeliveryState | None = None, kind: str | None = None
    ) -> list[StoredDelivery]:
        """Return the newest deliveries, of one state or kind if named.

        Raises:
            StorageUnavailable: the database cannot be read.
        """

    def waiting(self) -> dict[str, int]:
        """Return how many deliveries of each kind wait.

        Raises:
            StorageUnavailable: the database cannot be read.
        """


@dataclass(frozen=True, slots=True)
class CourierParts:
    """What a courier is made of.

    ``senders`` returns ``None`` when whoever registered them is gone; ``chance`` is a number from
    0 to 1. ``told`` is called after each attempt, ``sink`` of each delivery that has ended.
    """

    config: Config
    clock: Clock
    runtime: Runtime
    repository: DeliveryRepository
    senders: Callable[[], Senders | None]
    chance: Callable[[], float] = random.random
    told: Callable[[Carried], object] | None = None
    sink: Sink = field(default_factory=Sink)


@dataclass(slots=True)
class _Held:
    """One attempt that goes on."""

    delivery: Delivery
    until: int
    began: float
    told: bool = False


class Courier(Rounds):
    """Look for what is due every ``sweep_ms``, in a process that serves, and have it posted.

    Each attempt is made beside everything else, so that a sender that hangs holds up nobody but
    its own kind. A delivery is claimed by a lease that is renewed as long as the attempt goes on;
    when this process dies, it runs out, and another one makes the next attempt. While the other
    side of a kind is away one attempt at a time is made, and as soon as it answers all others.
    """

    def __init__(self, parts: CourierParts) -> None:
        senders = parts.senders()
        often = min(parts.config.sweep_ms, parts.config.lease_ms / 3) / 1000
        seconds = often if senders and senders.kinds else LOOK_SECONDS
        super().__init__(parts.runtime, Round(self.carry, seconds, "due deliveries"))
        self._clock = parts.clock
        self._runtime = parts.runtime
        self._repository = parts.repository
        self._senders = parts.senders
        self._told = parts.told
        self._sink = parts.sink
        self._judge = Judge(parts.clock, parts.chance)
        self.board = Board(parts.runtime, parts.clock)
        self._seconds = seconds
        self._lease_ms = parts.config.lease_ms
        self._held: dict[str, _Held] = {}
        self._errands = Errands(parts.runtime, parts.clock)
        self._taken = 0
        self._full: frozenset[str] = frozenset()
        self._patience = parts.config.confirm_ms / 1000
        self._strange: set[str] = set()
        self._looked_at = -math.inf

    def stop(self, seconds: float) -> None:
        """Begin no further attempt; wait at most ``seconds`` for those that go on."""
        super().stop(seconds)
        self._await(seconds)

    def finish(self) -> None:
        """Carry until nothing more is due, and every attempt is back; instead of ``start``.

        Raises:
            StorageUnavailable: what is due stays due.
        """
        while (self.carry() or self._errands.out) and not self.stopped:
            self._await(self._seconds)

    def settle(self, seconds: float) -> bool:
        """Have what is due by now carried, and wait for it; tell whether that took ``seconds`` at most.

        Where it goes round already: for a test, which must know that nothing more is to come.
        """
        while True:
            taken = self._taken
            if not self.look_now(seconds):
                return False
            self._await(seconds)
            if taken == self._taken:
                return not self._held

    def prompt(self, kind: str) -> bool:
        """Tell whether a delivery of a kind that is owed now is answered at once, as far as known."""
        senders = self._senders()
        if senders is None or self.stopped or kind not in senders.kinds:
            return False
        if kind in self._full:
            return False  # more may be due already, and goes first
        begun = self._begun(kind)
        return len(begun) < senders.room(kind) and self._judge.health[kind].prompt(
            begun, self._patience
        )

    def carry(self) -> int:
        """Look once, begin the attempts that are due, and return how many.

        Raises:
            StorageUnavailable: what is due stays due.
        """
        senders = self._senders()
        if senders is None:
            return 0
        self._keep(senders)
        self._expire()
        self._look_for_strangers(senders)
        room = self._room(senders)
        taken = self._repository.claim(room, self._lease_ms) if room else []
        kinds = [delivery.kind for delivery in taken]
        # Where no room is left more may be due: whoever comes back has the next look begin.
        self._full = frozenset(
            kind for kind in tuple(senders.kinds) if kinds.count(kind) >= room.get(kind, 0)
        )
        self._taken += len(taken)
        for delivery in taken:
            self._begin(senders, delivery)
        return len(taken)

    def _await(self, seconds: float) -> None:
        self._errands.finish(seconds)

    def _room(self, senders: Senders) -> dict[str, int]:
        room = {}
        for kind in tuple(senders.kinds):
            begun = self._begun(kind)
            free = senders.room(kind) - len(begun)
            room[kind] = self._judge.health[kind].room(free, begun)
        return {kind: free for kind, free in room.items() if free > 0}

    def _begun(self, kind: str) -> list[float]:
        return [each.began for each in list(self._held.values()) if each.delivery.kind == kind]

    def _begin(self, senders: Senders, delivery: Delivery) -> None:
        until = self._clock.now() + self._lease_ms
        held = self._held[delivery.id] = _Held(delivery, until, self._clock.monotonic())
        try:
            self._errands.begin(partial(self._attempt, senders, held))
        except BaseException:  # no thread is to be had: the lease must run out
            del self._held[delivery.id]
            raise

    def _attempt(self, senders: Senders, held: _Held) -> None:
        delivery, say = held.delivery, None
        try:
            if not self.stopped:  # a forked child has its parent's jobs, too
                outcome = senders.post(delivery)
                say = self._tell(self._judge.carried(delivery, held.began, outcome))
        finally:
            self._held.pop(delivery.id, None)
            if delivery.kind in self._full:
                self.hurry()
        if say is not None:  # its place is another's by now: a receiver holds up no delivery
            say()

    def _tell(self, carried: Carried) -> Callable[[], object] | None:
        """Note what became of an attempt, and return what tells others of a delivery's end."""
        self._repository.settle(carried)
        self.board.tell(carried.delivery, carried.outcome)
        if self._told is not None:
            self._told(carried)
        if carried.state == "waiting":
            return None
        delivery, state, answer = carried.delivery, carried.state, carried.answer
        return self._sink.settled([Ended(delivery=delivery, state=state, answer=answer)])

    def _expire(self) -> None:
        while ended := self._repository.expire(BATCH):
            say = self._sink.settled(ended)
            if say is not None:
                self._errands.begin(say)
            if len(ended) < BATCH or self.stopped:
                break
            self._runtime.breathe()

    def _keep(self, senders: Senders) -> None:
        """Renew the leases of attempts that go on, until their deliveries' time is over."""
        now, monotonic = self._clock.now(), self._clock.monotonic()
        for held in list(self._held.values()):
            delivery = held.delivery
            if not held.told and monotonic - held.began >= SLOW_SECONDS:
                held.told = True
                log.warning(
                    "the sender of %s has not answered for %d seconds; it needs a timeout of its "
                    "own: %d attempts that hang are all that one process makes",
                    *(delivery.kind, SLOW_SECONDS, senders.room(delivery.kind)),
                )
            if held.until - now <= self._lease_ms / 2 and now < delivery.expires_at:
                held.until = now + self._lease_ms
                self._repository.renew([delivery], self._lease_ms)

    def _look_for_strangers(self, senders: Senders) -> None:
        if self._clock.monotonic() - self._looked_at < LOOK_SECONDS:
            return
        strange = set(self._repository.kinds()) - {*senders.kinds, *self._strange}
        self._looked_at = self._clock.monotonic()
        self._strange |= strange
        for kind in sorted(strange):
            log.warning("deliveries of kind %r wait, and no sender of it is registered here", kind)
