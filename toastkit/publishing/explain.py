"""Say why a user did or did not see a toast, in words a support person understands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from msgspec import Struct

from .. import ids, topics
from ..clock import iso
from ..records import DELIVERED, Facts, State

Why = Literal[
    "read",
    "seen",
    "deleted",
    "replaced",
    "superseded",
    "acked",
    "delivered",
    "not_acked",
    "replayed",
    "sent",
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
    "superseded": "It was never shown: a newer toast with the same collapse key was there first.",
    "acked": "{came}, and a client of {user} confirmed that it has it.",
    "delivered": "{came}.",
    "not_acked": "{came}, but no client of {user} confirmed in time that it has it.",
    "replayed": "{user} was shown it late, when a client that had missed it came back.",
    "sent": "It was sent to a phone of {user}.",
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

_REASONS: tuple[Why, ...] = (
    *("no_session", "not_subscribed", "fallback_disabled", "no_device", "provider_error"),
)

_UNSEEN: tuple[Why, ...] = (
    *("not_acked", "expired", *_REASONS, "undelivered", "queued", "undecided", "outbox"),
)
"""Why somebody asks: here it matters whether the user is there now."""


class Here(Struct, frozen=True):
    """One connection of a user to this process: whether anybody is in front of it, what it hears."""

    foreground: bool
    topics: tuple[str, ...]


class Explanation(Struct, frozen=True, kw_only=True):
    """Say what became of one toast.

    ``verdict`` is one sentence for people, ``why`` the same as a word that stays; ``timeline``
    holds what is known to have happened, each with its time (ISO 8601), and ``hints`` what else
    whoever asks may want to know.
    """

    id: str
    user_id: str
    state: State
    why: Why
    verdict: str
    timeline: tuple[tuple[str, str], ...]
    hints: tuple[str, ...]


def explain(
    facts: Facts, here: Sequence[Here] | None, now: int, ack_timeout_ms: int
) -> Explanation:
    """Return what became of a toast; ``here`` is ``None`` in a process that serves nobody."""
    reason = why(facts, now, ack_timeout_ms)
    hints = [*_about_itself(facts), *_about_the_list(facts, now)]
    if reason == "delivered":
        hints.append(
            "no client has confirmed that it has it; toastkit.js does so at once, other clients may not"
        )
    if reason in _UNSEEN:
        hints += [*_about_waiting(facts, reason, now), *_about_now(facts, here)]
    return Explanation(
        id=facts.id,
        user_id=facts.user_id,
        state=facts.state,
        why=reason,
        verdict=VERDICTS[reason].format(user=facts.user_id, came=_came(facts)),
        timeline=tuple((iso(at), text) for at, text in sorted(_timeline(facts, now), key=_when)),
        hints=tuple(hints),
    )


def unknown(id: object) -> str:
    """Say why there may be no toast of an id."""
    if not ids.is_toast_id(id):
        return "that is no toast's id: one has 26 digits and capital letters"
    made = iso(ids.made_at(str(id)) or 0)
    return (
        f"there is no such toast: its id is of {made}, and either it is kept no longer, or its user "
        "was forgotten, or the transaction it was published in was rolled back or still goes on"
    )


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
        return "superseded"
    if facts.replaced_by is not None:
        return "replaced"
    if facts.state in DELIVERED:
        return _shown(facts, now, ack_timeout_ms)
    if facts.state == "expired" or _expired(facts, now):
        return "expired"
    return _not_shown(facts, now)


def _shown(facts: Facts, now: int, ack_timeout_ms: int) -> Why:
    if facts.state == "sent":
        return "sent"
    if facts.state == "acked":
        return "acked"
    if facts.reason == "replayed":
        return "replayed"
    if ack_timeout_ms and now >= (facts.delivered_at or now) + ack_timeout_ms:
        return "not_acked"
    return "delivered"


def _not_shown(facts: Facts, now: int) -> Why:
    if facts.state in ("accepted", "owed"):
        taken = facts.lease_until is not None and facts.lease_until > now
        due = facts.due_at is not None and facts.due_at <= now
        return "undecided" if due and not taken else "queued"
    for word in _REASONS:
        if facts.reason == word:
            return word
    return "provider_error" if facts.state == "failed" else "undelivered"


def _came(facts: Facts) -> str:
    """Say how it came to its user, as the beginning of a sentence."""
    if facts.reason == "replayed":
        return f"{facts.user_id} was shown it late, when a client that had missed it came back"
    if facts.delivered_at is None:
        return f"{facts.user_id} was not shown it when it was published"
    return f"It was delivered to {facts.user_id}{_on(facts)}"


def _on(facts: Facts) -> str:
    count = facts.session_count
    if not count:
        return ""
    return f", on {count} connection{'s' if count > 1 else ''} in front of the app"


def _timeline(facts: Facts, now: int) -> Iterator[tuple[int, str]]:
    made = ids.made_at(facts.id)
    again = ""
    if made is not None and _retried(facts):
        yield made, "published, and it reached nobody"
        again = " again with the same dedupe key, which took the place of the first"
    yield facts.created_at, f"published{again}, on {facts.topic}"
    for at, text in (
        (facts.delivered_at, _delivery(facts)),
        (facts.acked_at, "a client confirmed that it has it"),
        (facts.seen_at, f"seen by {facts.user_id}"),
        (facts.read_at, f"read by {facts.user_id}"),
        (facts.deleted_at, f"deleted by {facts.user_id}"),
        (facts.due_at, "due to be looked at again"),
        (facts.expires_at, f"time to live {'ran' if _expired(facts, now) else 'runs'} out"),
    ):
        if at is not None:
            yield at, text


def _when(entry: tuple[int, str]) -> int:
    # Of what happened in the same moment the order above is the order it happened in.
    return entry[0]


def _delivery(facts: Facts) -> str:
    if facts.reason == "replayed":
        return "sent to a client that had missed it"
    if facts.transport == "apns":
        return "sent to a phone"
    return f"delivered{_on(facts)}"


def _about_itself(facts: Facts) -> Iterator[str]:
    if _retried(facts):
        yield (
            "it was published more than once with its dedupe key: the first time reached nobody, so "
            "a later publish overwrote it under the same id"
        )
    if facts.claimed:
        yield (
            f"its dedupe key {facts.dedupe_key!r} is held: further publishes with it are answered "
            "duplicate, with this id"
        )
    if facts.replaced_by is not None:
        yield f"it was replaced by {facts.replaced_by}; explain that one, too"


def _about_the_list(facts: Facts, now: int) -> Iterator[str]:
    if facts.waiting or facts.deleted_at is not None:
        return
    if facts.state == "expired" or (facts.delivered_at is None and _expired(facts, now)):
        yield "it is not in the list any more: what expired before it was shown is dropped"
    elif facts.state == "superseded" or facts.replaced_by is not None:
        yield "it is in the list only with include_collapsed"
    else:
        yield "it is in the list"


def _about_waiting(facts: Facts, reason: Why, now: int) -> Iterator[str]:
    if reason == "undecided":
        late = max(0, now - (facts.due_at or now)) // 1000
        yield (
            f"it is overdue by {late} s: processes that serve look for such toasts all the time, so "
            "either none is running or none reaches this database"
        )
    if reason == "outbox":
        yield "a process that serves takes it in within moments, even after a crash"
    if reason == "not_acked":
        yield "the client may have lost its network, or it does not send acks"
    if reason == "no_session" and not facts.devices:
        yield "no device is registered for this user, so no phone could have rung either"


def _about_now(facts: Facts, here: Sequence[Here] | None) -> Iterator[str]:
    user = facts.user_id
    if here is None:
        yield f"this process serves nobody, so it cannot tell whether {user} is connected now"
        return
    if not here:
        yield f"{user} is not connected to this process now"
        return
    front = sum(each.foreground for each in here)
    yield f"{user} is connected to this process now: {len(here)} times, {front} in front of the app"
    if not any(topics.hears(each.topics, facts.topic) for each in here):
        heard = ", ".join(sorted({topic for each in here for topic in each.topics})) or "nothing"
        yield f"none of these connections listens to {facts.topic}; they listen to {heard}"


def _retried(facts: Facts) -> bool:
    # An id is made when its toast is published first; a retry that overwrites it brings its own
    # time and keeps the id.
    made = ids.made_at(facts.id)
    return made is not None and made != facts.created_at


def _expired(facts: Facts, now: int) -> bool:
    return facts.expires_at is not None and facts.expires_at <= now
