"""Owe a push, or whatever the settings name, for a toast that nobody was there for."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ..clock import Clock
from ..config import Config
from ..deliveries import Due, Gone, Owed, Owing, Refusal, Sent, Step, read_steps
from ..errors import StorageUnavailable
from ..events import Event
from ..receipts import Receipt
from .board import Board, Notice

PUSH = Step("apns")

log = logging.getLogger(__name__)


class FallbackRepository(Protocol):
    """Keep what is owed for toasts, together with their state."""

    def owe(self, owings: Sequence[Owing]) -> list[Owed | None]:
        """Take toasts to ``owed`` and keep their deliveries; return how many, in order.

        For each due one delivery to every device of the user with a push token (``DEVICE_KINDS``),
        or one to the user. With none, a toast is ``undelivered`` for want of a device; a gated one
        stays ``written``. ``None``: somebody has decided the toast meanwhile, and nothing is owed.

        Raises:
            StorageUnavailable: nothing was changed.
        """


class Carrier(Protocol):
    """What carries deliveries in this process, as far as a publisher cares."""

    board: Board

    def prompt(self, kind: str) -> bool:
        """Tell whether a delivery of a kind that is owed now is answered at once, as far as known."""

    def hurry(self) -> None:
        """Look for what is due at once."""


@dataclass(frozen=True, slots=True)
class FallbackParts:
    """What the fallback is made of.

    ``kinds`` are those there are senders for; ``carrier`` returns what carries here, if anything
    does.
    """

    config: Config
    clock: Clock
    repository: FallbackRepository
    kinds: Collection[str]
    carrier: Callable[[], Carrier | None]


class Fallback:
    """Owe what the settings name for a toast, and say what became of it if that is known in time."""

    def __init__(self, parts: FallbackParts) -> None:
        self._clock = parts.clock
        self._repository = parts.repository
        self._carrier = parts.carrier
        self._confirm_ms = parts.config.confirm_ms
        self._life_ms = parts.config.fallback_seconds * 1000
        steps = read_steps(parts.config.fallback)
        self._wanted, self._kinds = steps, parts.kinds

    @property
    def steps(self) -> tuple[Step, ...]:
        """Return the steps that somebody here can post."""
        return tuple(step for step in self._wanted if step.kind in self._kinds)

    def warn(self) -> None:
        """Warn, in a process that decides, of steps that nobody here can post.

        Not of pushes: that step is the default, and many do without the settings it needs.
        """
        idle = [step.kind for step in self._wanted if step.kind not in self._kinds]
        for kind in (kind for kind in idle if kind != PUSH.kind):
            log.warning(
                "nothing is owed for the step %r of TOASTKIT_FALLBACK: no sender of that kind is "
                "registered in this process",
                kind,
            )

    def owings(self, toasts: Iterable[Event], *, gated: bool = False) -> list[Owing]:
        """Return what is to be owed for toasts; those for which nothing is due are left out.

        ``gated``: they were written, but not acked in time. All of them are returned then, so that
        it can be noted where nothing more is to be done.
        """
        now, steps = self._clock.now(), self.steps
        owings = (
            Owing(
                toast_id=event.id,
                user_id=event.user_id or "",
                seq=event.seq or 0,
                at=now,
                payload=_payload(event),
                dues=tuple(self._dues(steps, event, now)),
                gated=gated,
            )
            for event in (toasts if steps or gated else ())
        )
        return [owing for owing in owings if owing.dues or gated]

    def owe(self, owings: Sequence[Owing], until: float | None = None) -> dict[str, Receipt]:
        """Owe them and return a receipt for each, by the toast's id.

        ``until``: how long, on the monotonic clock, to wait for the outcome of one toast's deliveries,
        if this process carries them and they are likely to be answered in time.
        """
        if not owings:
            return {}
        carrier = self._carrier()
        if carrier is None or until is None or len(owings) > 1 or not self._prompt(carrier):
            return self._owe(owings, carrier)
        [owing] = owings
        with carrier.board.expect(owing.toast_id, owing.seq) as notice:
            return self._owe(owings, carrier, _Waiting(notice, until))

    def _prompt(self, carrier: Carrier) -> bool:
        at_once = [step.kind for step in self.steps if not step.after_ms]
        return bool(at_once) and all(carrier.prompt(kind) for kind in at_once)

    def _owe(
        self, owings: Sequence[Owing], carrier: Carrier | None, waiting: _Waiting | None = None
    ) -> dict[str, Receipt]:
        try:
            owed = self._repository.owe(owings)
        except StorageUnavailable as error:
            # Each of them is stored, and due to be decided again.
            log.warning("fallbacks of %d toasts are not owed yet: %s", len(owings), error)
            return {owing.toast_id: Receipt.queued(owing.toast_id) for owing in owings}
        if carrier is not None and any(each and each.now for each in owed):
            carrier.hurry()
        pairs = zip(owings, owed, strict=True)
        return {owing.toast_id: self._receipt(owing, each, waiting) for owing, each in pairs}

    def _receipt(self, owing: Owing, owed: Owed | None, waiting: _Waiting | None) -> Receipt:
        id = owing.toast_id
        if owed is None:
            return Receipt.queued(id)
        if not owed.now and not owed.later:
            return Receipt.undelivered(id, "no_device")
        if not owed.now:
            return Receipt.owed(id, None)
        kind = owed.kind or next((step.kind for step in self.steps if not step.after_ms), None)
        spoken = [] if waiting is None else waiting.notice.wait(owed.now, waiting.until)
        for sent_by, outcome in spoken:
            if isinstance(outcome, Sent):
                return Receipt.pushed(id, sent_by)
        refused = sum(isinstance(outcome, Refusal | Gone) for _, outcome in spoken)
        if refused < owed.now:
            return Receipt.owed(id, kind)
        return Receipt.owed(id, None) if owed.later else Receipt.undelivered(id, "provider_error")

    def _dues(self, steps: Sequence[Step], event: Event, now: int) -> Iterator[Due]:
        for step in steps:
            at, expires_at = now + step.after_ms, self._expiry(event, step, now)
            if at < expires_at:
                late = step.after_ms > 0
                yield Due(kind=step.kind, at=at, expires_at=expires_at, despite_ack=late)

    def _expiry(self, event: Event, step: Step, now: int) -> int:
        if event.expires_at is None:
            return event.created_at + step.after_ms + self._life_ms
        if event.expires_at == event.created_at and not step.after_ms:
            return now + self._confirm_ms  # now or never
        return event.expires_at


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Where outcomes are told, and how long they are waited for."""

    notice: Notice
    until: float


def _payload(event: Event) -> dict[str, Any]:
    # The push token is no part of it: where a push goes is looked up when it is tried.
    toast = {
        "id": event.id,
        "topic": event.topic,
        **event.data,
        "created_at": event.created_at,
        "expires_at": event.expires_at,
        "collapse_key": event.collapse_key,
    }
    return {"toast": toast}
