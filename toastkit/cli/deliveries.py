"""What is owed to the outside world, and how far it has come."""

from __future__ import annotations

from typing import Any, get_args

import click
from msgspec.structs import asdict

from ..clock import iso
from ..current import current_kit
from ..deliveries import DeliveryState, StoredDelivery
from .words import as_json, columns, examples, say, say_json, told

TIMES = ("created_at", "expires_at", "next_attempt_at", "lease_until")


@click.command(epilog=examples("toastkit deliveries --state waiting --kind apns"))
@click.option("--state", type=click.Choice(get_args(DeliveryState)), help="Those in this state.")
@click.option("--kind", help="Those of this kind, such as apns.")
@click.option("--limit", metavar="N", type=int, default=50, help="At most so many, 1-1000 (50).")
@as_json
@told
def deliveries(state: DeliveryState | None, kind: str | None, limit: int, as_json: bool) -> None:
    """Show what is owed to the outside world.

    What is and was, newest first, and how much waits. Never what it says: that is between the app
    and whom it is sent to.
    """
    kit = current_kit()
    found, waiting = kit.deliveries.recent(limit, state=state, kind=kind), kit.deliveries.waiting()
    if as_json:
        say_json({"items": [_item(each) for each in found], "waiting": waiting})
        return
    if found:
        now = kit.node.clock.now()
        say(columns(_row(each, now) for each in found))
    wait = ", ".join(f"{count} of {kind}" for kind, count in sorted(waiting.items()))
    say(f"waiting: {wait or 'nothing'}")


def _item(delivery: StoredDelivery) -> dict[str, Any]:
    given = asdict(delivery)
    return given | {name: None if given[name] is None else iso(given[name]) for name in TIMES}


def _row(delivery: StoredDelivery, now: int) -> tuple[str, ...]:
    count = delivery.attempts
    return (
        delivery.id,
        iso(delivery.created_at),
        delivery.kind,
        delivery.user_id or "-",
        delivery.target or "-",
        delivery.state,
        f"{count} attempt" if count == 1 else f"{count} attempts",
        _told(delivery, now),
    )


def _told(delivery: StoredDelivery, now: int) -> str:
    words = [delivery.last_answer or ""]
    if delivery.lease_until is not None and delivery.next_attempt_at is not None:
        words.append("an attempt goes on")
    elif delivery.next_attempt_at is not None:
        due = "next attempt" if delivery.next_attempt_at > now else "due since"
        words.append(f"{due} {iso(delivery.next_attempt_at)}")
    return ", ".join(filter(None, words))
