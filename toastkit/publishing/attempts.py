"""Say what was owed for a toast, and how far that has come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from ..clock import iso
from ..records import StoredDelivery

OVERDUE_MS = 5000
"""What is overdue by more than this is looked at by nobody who could carry it."""


def owed(deliveries: Sequence[StoredDelivery]) -> Iterator[tuple[int, str]]:
    """Return when how many deliveries of each kind were owed."""
    counts = Counter((each.created_at, each.kind) for each in deliveries)
    for (at, kind), count in sorted(counts.items()):
        yield at, f"{kind} was owed" + (f", to {count} devices" if count > 1 else "")


def attempts(deliveries: Sequence[StoredDelivery], now: int) -> Iterator[str]:
    """Return what became of each delivery, the oldest first."""
    for each in deliveries:
        to = f" to {each.target}" if each.target else ""
        yield f"{each.kind}{to} {_became(each, now)}"


def _became(delivery: StoredDelivery, now: int) -> str:
    answer = f": {delivery.last_answer}" if delivery.last_answer else ""
    match delivery.state:
        case "sent":
            return f"was taken, at attempt {delivery.attempts}{answer}"
        case "failed":
            return f"was refused for good{answer}"
        case "dropped":
            return f"was not wanted any more{answer}"
        case "expired":
            return f"was given up when its time was over, after {_times(delivery)}{answer}"
        case "waiting" if delivery.lease_until is not None and delivery.lease_until > now:
            return f"is being tried now, for the {delivery.attempts}. time{answer}"
        case "waiting":
            return f"waits, after {_times(delivery)}{answer}; {_next(delivery, now)}"


def _next(delivery: StoredDelivery, now: int) -> str:
    at = delivery.next_attempt_at or now
    late = now - at
    if late < OVERDUE_MS:
        return f"the next is due at {iso(at)}"
    return (
        f"the next is overdue by {late // 1000} s: no process that has a sender of it is running, "
        "or the other side is away"
    )


def _times(delivery: StoredDelivery) -> str:
    return "1 attempt" if delivery.attempts == 1 else f"{delivery.attempts} attempts"
