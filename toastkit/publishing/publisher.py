"""The one road of every event: check, store, broadcast, decide."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from msgspec.structs import replace

from ..backplane.contract import Backplane, Pending
from ..clock import Clock
from ..config import Config
from ..errors import BackplaneUnavailable, NotServing
from ..events import Event
from ..receipts import Receipt
from ..records import Accepted
from ..runtime.contract import Runtime
from .confirm import decide, expiry
from .errands import Errands
from .fallback import Fallback
from .inbox import Inbox, Relayed
from .sink import Sink

SHARE = 64
"""Toasts that are relayed at once."""


@dataclass(frozen=True, slots=True)
class PublisherParts:
    """What a publisher is made of; ``serving`` tells whether this process has clients.

    ``sink`` is told of everything that was published.
    """

    config: Config
    clock: Clock
    runtime: Runtime
    inbox: Inbox
    backplane: Backplane
    fallback: Fallback
    serving: Callable[[], bool]
    sink: Sink = field(default_factory=Sink)


class Publisher:
    """Take every event from its draft to its receipt."""

    def __init__(self, parts: PublisherParts) -> None:
        self._config = parts.config
        self._clock = parts.clock
        self._runtime = parts.runtime
        self._inbox = parts.inbox
        self._backplane = parts.backplane
        self._fallback = parts.fallback
        self._serving = parts.serving
        self._errands = Errands(parts.runtime, parts.clock)
        self._beside: Callable[[Callable[[], None]], None] = self._errands.begin
        self._sink = parts.sink

    def publish(self, toasts: Sequence[Event]) -> list[Receipt]:
        """Store toasts durably, tell whoever is there, and return one receipt each, in order.

        Raises:
            StorageUnavailable: nothing was kept.
        """
        telling, decides = _Telling(), self._decides()
        # A process that serves nobody has nobody to tell, and perhaps no loop that runs. Another
        # process holds the sockets, and unless both share a backplane only that one can know
        # whether anybody is there.
        tell = partial(self._tell, telling, toasts) if decides else None
        accepted = self._inbox.accept(toasts, self._due_ms(decides), tell)
        # Of one toast it is worth waiting for what becomes of a push; many would wait for the last.
        receipts = _receipts(accepted, self._decide(telling, patient=len(toasts) == 1))
        self._sink.published(toasts, receipts)
        return receipts

    def relay(self, ids: Sequence[str] | None = None) -> int:
        """Publish what a committed transaction left in the outbox; return how much that was.

        ``None``: the oldest few of what was forgotten. Returns once it is in the inbox and being
        told. What a rollback discarded is not there.

        Raises:
            StorageUnavailable: it waits in the outbox as before.
        """
        if not self._decides():
            some = [None] if ids is None else _shares(ids)
            return sum(map(self._relay_silently, some))
        tellings: list[_Telling] = []
        tell = partial(self._tell_relayed, tellings)
        try:
            return len(self._inbox.relay(ids, self._due_ms(True), tell))
        finally:  # of many commits some may have succeeded
            if tellings:
                # Beside: whoever committed has a receipt already and need not wait for the answers.
                self._beside(self._sink.later(lambda: self._settle_all(tellings)))

    def finish(self, seconds: float) -> None:
        """Wait at most ``seconds`` until what is decided beside has been, and somebody told of it."""
        self._errands.finish(seconds)

    def abandon(self) -> None:
        """Wait for nothing that was begun before: in a forked child it goes on in its parent."""
        self._errands.abandon()

    def resume(self, toasts: Sequence[Event]) -> None:
        """Take up toasts that were accepted but never decided: tell them, and decide.

        Deciding ends in no state that is taken up again, unless some worker did not answer.
        """
        now = self._clock.now()
        late = [event for event in toasts if event.expired(now)]
        self._inbox.mark([expiry(event, now) for event in late])
        telling = _Telling()
        fresh = [event for event in toasts if not event.expired(now)]
        if fresh:
            self._runtime.ask(lambda: self._broadcast(telling, fresh))
        self._decide(telling)

    def publish_control(self, control: Event) -> None:
        """Tell a control to whoever is there; it is never stored and never pushed (A27).

        Raises:
            NotServing: nobody is connected to this process, and it reaches no other.
            BackplaneUnavailable: it reaches others through Redis, which is away.
        """
        if not self._decides():
            raise NotServing(
                "controls are not stored, so only a process that serves sockets can send one: "
                "call this inside the web process, or set TOASTKIT_REDIS_URL in both"
            )
        told = self._runtime.ask(lambda: self._backplane.broadcast([control]))
        if not self._serving():
            # A process that serves nobody may end at once, so it waits until the others have heard.
            told.wait(self._config.redis_timeout_ms / 500)
            if (trouble := self._backplane.trouble) is not None:
                raise BackplaneUnavailable(f"nobody was told: {trouble}")
        self._sink.told(control)

    def _decides(self) -> bool:
        return self._serving() or self._backplane.shared

    def _due_ms(self, decides: bool) -> int:
        # A process that cannot decide leaves it to one that serves: it is due at once.
        return self._config.due_ms if decides else 0

    def _tell_relayed(self, tellings: list[_Telling], relayed: Sequence[Relayed]) -> None:
        telling = _Telling(relayed=relayed)
        tellings.append(telling)
        toasts = [event for event, _ in relayed]
        self._tell(telling, toasts, [place for _, place in relayed])

    def _tell(
        self, telling: _Telling, toasts: Sequence[Event], accepted: Sequence[Accepted]
    ) -> None:
        # On the loop, before the publisher wakes: publishers wake in any order, but a principal's
        # toasts leave in the order of their positions.
        pairs = zip(toasts, accepted, strict=True)
        fresh = [_placed(event, place) for event, place in pairs if not place.duplicate]
        self._broadcast(telling, fresh)

    def _broadcast(self, telling: _Telling, fresh: Sequence[Event]) -> None:
        until = self._clock.now() + self._config.confirm_ms
        telling.until = self._clock.monotonic() + self._config.confirm_ms / 1000
        told = [_now_or_never(event, until) for event in fresh]
        telling.fresh, telling.answers = fresh, self._backplane.broadcast(told)

    def _settle_all(self, tellings: Sequence[_Telling]) -> None:
        # First decided, then said: a receiver that is slow holds up no decision.
        decided = [self._decide(telling) for telling in tellings]
        for telling, receipts in zip(tellings, decided, strict=True):
            self._say(telling.relayed, receipts)

    def _relay_silently(self, ids: Sequence[str] | None) -> int:
        # A process that serves nobody tells nobody: every receipt is "queued".
        relayed = self._inbox.relay(ids, self._due_ms(False))
        self._say(relayed, {})
        return len(relayed)

    def _say(self, relayed: Sequence[Relayed], decided: Mapping[str, Receipt]) -> None:
        receipts = _receipts([place for _, place in relayed], decided)
        self._sink.published([event for event, _ in relayed], receipts)

    def _decide(self, telling: _Telling, *, patient: bool = False) -> dict[str, Receipt]:
        """Wait for the answers and return the receipt of every toast that was told, by id."""
        if telling.answers is None:
            return {}
        confirmations = telling.answers.wait(self._config.confirm_ms / 1000)
        now = self._clock.now()
        verdicts = [
            (event, *decide(event, confirmation, now, self._config))
            for event, confirmation in zip(telling.fresh, confirmations, strict=True)
        ]
        receipts = {receipt.id: receipt for _, receipt, _ in verdicts}
        unseen = (event for event, receipt, _ in verdicts if receipt.reason == "no_session")
        owings = self._fallback.owings(unseen)
        left = {owing.toast_id for owing in owings}
        changes = [change for _, _, change in verdicts if change is not None]
        self._inbox.mark([change for change in changes if change.id not in left])
        return receipts | self._fallback.owe(owings, telling.until if patient else None)


@dataclass(slots=True)
class _Telling:
    """What the loop leaves for the publisher that waits: the new toasts, and who answers them.

    ``until``, on the monotonic clock, is when the publisher stops waiting; ``relayed`` is what came
    out of an outbox, duplicates too: nobody waits for a receipt of that.
    """

    fresh: Sequence[Event] = ()
    answers: Pending | None = None
    until: float = 0.0
    relayed: Sequence[Relayed] = ()


def _receipts(accepted: Sequence[Accepted], decided: Mapping[str, Receipt]) -> list[Receipt]:
    return [
        Receipt.duplicate(place.id)
        if place.duplicate
        else decided.get(place.id) or Receipt.queued(place.id)
        for place in accepted
    ]


def _shares(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    # One commit each: what the first have done is known, whatever becomes of the others.
    for start in range(0, len(ids), SHARE):
        yield ids[start : start + SHARE]


def _placed(event: Event, place: Accepted) -> Event:
    return replace(event, id=place.id, seq=place.seq, epoch=place.epoch)


def _now_or_never(event: Event, until: int) -> Event:
    # A time to live of 0 means "now or never": now begins when the toast is stored, however long
    # that took, and lasts as long as the publisher waits.
    return replace(event, expires_at=until) if event.expires_at == event.created_at else event
