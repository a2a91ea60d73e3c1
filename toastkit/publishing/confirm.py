"""Decide what became of a toast from what the workers answered."""

from __future__ import annotations

from ..backplane.contract import Confirmation
from ..config import Config
from ..events import Event
from ..receipts import Reason, Receipt
from ..records import State, StateChange


def decide(
    event: Event, confirmation: Confirmation, now: int, config: Config
) -> tuple[Receipt, StateChange | None]:
    """Return the receipt of a toast, and the state its row goes to.

    Delivered is confirmed, never guessed: without every worker's answer, silence is not known to
    mean nobody, so the row stays accepted and is decided later; but not for ever
    (``undecided_ms``).
    """
    if confirmation.written:
        receipt = Receipt.shown(event.id, confirmation.written)
        return receipt, _written(event, confirmation.written, now, config)
    if not confirmation.complete and now - event.created_at < config.undecided_ms:
        return Receipt.queued(event.id), None
    reason = _reason(event, confirmation, now)
    if reason == "expired":
        return Receipt.undelivered(event.id, reason), expiry(event, now)
    return Receipt.undelivered(event.id, reason), _change(event, "undelivered", now, reason)


def expiry(event: Event, now: int) -> StateChange:
    """Return the change of a toast whose time to live ran out before anybody saw it."""
    return _change(event, "expired", now, "expired")


def _change(event: Event, state: State, now: int, reason: Reason) -> StateChange:
    return StateChange(event.id, event.user_id or "", state, now, reason=reason, seq=event.seq)


def _written(event: Event, session_count: int, now: int, config: Config) -> StateChange:
    # Who waits for acks looks at the toast again: a frame that was written is no proof that a
    # phone which has just lost its network showed it. But now or never is over by then.
    never_late = event.expires_at == event.created_at
    gated = bool(config.ack_timeout_ms) and event.fallback and not never_late
    return StateChange(
        event.id,
        event.user_id or "",
        "written",
        now,
        transport="websocket",
        due_at=now + config.ack_timeout_ms if gated else None,
        session_count=session_count,
        seq=event.seq,
    )


def _reason(event: Event, confirmation: Confirmation, now: int) -> Reason:
    if confirmation.present:
        return "not_subscribed"
    if event.expired(now) and event.expires_at != event.created_at:
        return "expired"
    return "no_session" if event.fallback else "fallback_disabled"
