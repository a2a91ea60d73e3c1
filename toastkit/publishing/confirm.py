"""Decide what became of a toast from what the workers answered."""

from __future__ import annotations

from ..backplane.contract import Confirmation
from ..events import Event
from ..receipts import Reason, Receipt
from ..records import State, StateChange


def decide(
    event: Event, confirmation: Confirmation, now: int
) -> tuple[Receipt, StateChange | None]:
    """Return the receipt of a toast, and the state its row goes to.

    Delivered is confirmed, never guessed: without every worker's answer, silence is not known to
    mean nobody, so the row stays accepted and is decided later.
    """
    if confirmation.written:
        receipt = Receipt.shown(event.id, confirmation.written)
        return receipt, _change(event, "written", now)
    if not confirmation.complete:
        return Receipt.queued(event.id), None
    reason = _reason(event, confirmation, now)
    state = _change(event, "expired" if reason == "expired" else "undelivered", now)
    return Receipt.undelivered(event.id, reason), state


def _reason(event: Event, confirmation: Confirmation, now: int) -> Reason:
    if confirmation.present:
        return "not_subscribed"
    if event.expired(now) and event.expires_at != event.created_at:
        return "expired"
    return "no_session" if event.fallback else "fallback_disabled"


def _change(event: Event, state: State, now: int) -> StateChange:
    transport = "websocket" if state == "written" else None
    return StateChange(event.id, event.user_id or "", state, now, transport)
