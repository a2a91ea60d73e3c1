"""Say in one word, and in one sentence, what became of a toast."""

from __future__ import annotations

from typing import Literal

from ..records import DELIVERED, Facts

Why = Literal[
    "read",
    "seen",
    "deleted",
    "replaced",
    "superseded",
    "duplicate",
    "acked",
    "delivered",
    "not_acked",
    "replayed",
    "sent",
    "owed",
    "expired",
    "no_session",
    "not_subscribed",
    "fallback_disabled",
    "no_device",
    "provider_error",
    "undelivered",
    "queued",
    "undecided",
    "outbox",
]
"""What counts most about a toast, for programs; reasons are those of a receipt."""

VERDICTS: dict[Why, str] = {
    "read": "{user} has read it.",
    "seen": "{user} has seen it in the list.",
    "deleted": "{user} has deleted it from the list.",
    "replaced": "{came}; then a newer toast with the same collapse key took its place.",
    "superseded": "It was never shown: a newer toast with the same collapse key came before its turn.",
    "duplicate": "It was published before {user} signed in, and never shown: {user} has had another "
    "one with its dedupe key.",
    "acked": "{came}, and a client of {user} confirmed that it has it.",
    "delivered": "{came}.",
    "not_acked": "{came}, but no client of {user} confirmed in time that it has it.",
    "replayed": "{user} was shown it late, when a client that had missed it came back.",
    "sent": "{came}.",
    "owed": "{user} was not shown it: nobody was in front of the app. What is to follow is on its "
    "way.",
    "expired": "Its time to live ran out before {user} was shown it.",
    "no_session": "{user} was not shown it: nobody was in front of the app.",
    "not_subscribed": "{user} was not shown it: the app was open, but did not listen to its topic.",
    "fallback_disabled": "{user} was not shown it: nobody was in front of the app, and it was "
    "published not to ring a phone.",
    "no_device": "{user} was not shown it: nobody was in front of the app, and there is no phone "
    "to ring.",
    "provider_error": "{user} was not shown it: nobody was in front of the app, and the push "
    "service did not take it.",
    "undelivered": "{user} was not shown it; why was not recorded.",
    "queued": "It is kept, and it is being decided whether {user} can be shown it.",
    "undecided": "It is kept, but nobody has decided it yet: it waits for a process that serves.",
    "outbox": "It was published in a transaction that is committed, and waits to be taken in.",
}

REASONS: tuple[Why, ...] = (
    *("no_session", "not_subscribed", "fallback_disabled", "no_device", "provider_error"),
    "superseded",
)
"""Why nobody was shown it; the words of a receipt, and of what came after it."""


def why(facts: Facts, now: int, ack_timeout_ms: int) -> Why:
    """Return what counts most: what the user did, then what was shown, then why nothing was."""
    if facts.waiting:
        return "outbox"
    if facts.deleted_at is not None:
        return "deleted"
    if facts.read_at is not None:
        return "read"
    if facts.seen_at is not None:
        return "seen"
    if facts.state == "superseded":
        return "duplicate" if facts.reason == "duplicate" else "superseded"
    if facts.replaced_by is not None:
        return "replaced"
    if facts.state in DELIVERED:
        return _shown(facts, now, ack_timeout_ms)
    if facts.state == "owed" and facts.delivered_at is not None:
        return "not_acked"  # on a socket; the push that follows is told of beside
    if facts.state == "expired" or expired(facts, now):
        return "expired"
    return _not_shown(facts, now)


def sentence(facts: Facts, reason: Why) -> str:
    """Return the sentence of a word, about one toast."""
    return VERDICTS[reason].format(user=facts.user_id, came=_came(facts))


def expired(facts: Facts, now: int) -> bool:
    """Tell whether its time to live is over."""
    return facts.expires_at is not None and facts.expires_at <= now


def connections(facts: Facts) -> str:
    """Return to how many connections it was written, to be put behind what was done."""
    count = facts.session_count
    if not count:
        return ""
    return f", on {count} connection{'s' if count > 1 else ''} in front of the app"


def pushed(facts: Facts) -> str | None:
    """Return the kind of delivery by which it was sent, if it was."""
    return facts.transport if facts.transport not in (None, "none", "websocket") else None


def _shown(facts: Facts, now: int, ack_timeout_ms: int) -> Why:
    if facts.state == "acked" or facts.acked_at is not None:
        return "acked"
    if facts.state == "sent":
        return "sent"
    if facts.reason == "replayed":
        return "replayed"
    if ack_timeout_ms and now >= (facts.delivered_at or now) + ack_timeout_ms:
        return "not_acked"
    return "delivered"


def _not_shown(facts: Facts, now: int) -> Why:
    if facts.state == "owed":
        return "owed"
    if facts.state == "accepted":
        taken = facts.lease_until is not None and facts.lease_until > now
        due = facts.due_at is not None and facts.due_at <= now
        return "undecided" if due and not taken else "queued"
    for word in REASONS:
        if facts.reason == word:
            return word
    return "provider_error" if facts.state == "failed" else "undelivered"


def _came(facts: Facts) -> str:
    """Say how it came to its user, as the beginning of a sentence."""
    if facts.reason == "replayed":
        return f"{facts.user_id} was shown it late, when a client that had missed it came back"
    if facts.delivered_at is None:
        return f"{facts.user_id} was not shown it when it was published"
    if (kind := pushed(facts)) is not None:
        late = (
            f", for no client of {facts.user_id} confirmed it in time" if connections(facts) else ""
        )
        by = f"to a phone of {facts.user_id}" if kind == "apns" else f"to {facts.user_id} by {kind}"
        return f"It was sent {by}{late}"
    return f"It was delivered to {facts.user_id}{connections(facts)}"
