"""What is told of a toast beside its verdict: what happened when, and what else is good to know."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from .. import ids, topics
from ..clock import iso
from ..records import Facts
from .attempts import attempts, owed
from .verdict import REASONS, Why, connections, expired, pushed

_UNSEEN: tuple[Why, ...] = (
    *("not_acked", "owed", "expired", *REASONS, "undelivered", "queued", "undecided", "outbox"),
)
"""Here it matters whether the user is there now."""


class Here(Struct, frozen=True):
    """One connection of a user to this process: whether anybody is in front of it, what it hears."""

    foreground: bool
    topics: tuple[str, ...]


def timeline(facts: Facts, now: int) -> tuple[tuple[str, str], ...]:
    """Return what is known to have happened, each with its time, in the order of time."""
    return tuple((iso(at), text) for at, text in sorted(_happened(facts, now), key=_when))


def hints(facts: Facts, reason: Why, here: Sequence[Here] | None, now: int) -> tuple[str, ...]:
    """Return what else whoever asks may want to know."""
    told = [*_about_itself(facts), *_about_the_list(facts, now), *_about(facts, reason, now)]
    told += attempts(facts.deliveries, now)
    return tuple([*told, *_about_now(facts, here)] if reason in _UNSEEN else told)


def _happened(facts: Facts, now: int) -> Iterator[tuple[int, str]]:
    made = ids.made_at(facts.id)
    again = ""
    if made is not None and _retried(facts):
        yield made, "published, and it reached nobody"
        again = " again with the same dedupe key, which took the place of the first"
    yield facts.created_at, f"published{again}, on {facts.topic}"
    yield from owed(facts.deliveries)
    for at, text in (
        (facts.delivered_at, _delivery(facts)),
        (facts.acked_at, "a client confirmed that it has it"),
        (facts.seen_at, f"seen by {facts.user_id}"),
        (facts.read_at, f"read by {facts.user_id}"),
        (facts.deleted_at, f"deleted by {facts.user_id}"),
        (facts.due_at, "due to be looked at again"),
        (facts.expires_at, f"time to live {'ran' if expired(facts, now) else 'runs'} out"),
    ):
        if at is not None:
            yield at, text


def _when(entry: tuple[int, str]) -> int:
    # By time alone: the sort is stable, and the list above is in the order things happen in.
    return entry[0]


def _delivery(facts: Facts) -> str:
    if facts.reason == "replayed":
        return "sent to a client that had missed it"
    kind = pushed(facts)
    if kind is not None and not facts.session_count:
        return "sent to a phone" if kind == "apns" else f"sent by {kind}"
    return f"delivered{connections(facts)}"


def _about_itself(facts: Facts) -> Iterator[str]:
    if _retried(facts):
        yield (
            "it was published more than once with its dedupe key: the first time reached nobody, so "
            "a later publish overwrote it under the same id"
        )
    if facts.reason == "rebound":
        yield (
            f"it was delivered before {facts.user_id} signed in, to the anonymous principal whose it "
            "was then"
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
    if facts.state == "expired" or (facts.delivered_at is None and expired(facts, now)):
        yield "it is not in the list any more: what expired before it was shown is dropped"
    elif facts.state == "superseded" or facts.replaced_by is not None:
        yield "it is in the list only with include_collapsed"
    else:
        yield "it is in the list"


def _about(facts: Facts, reason: Why, now: int) -> Iterator[str]:
    match reason:
        case "delivered":
            yield (
                "no client has confirmed that it has it; toastkit.js does so at once, others may "
                "not"
            )
        case "not_acked":
            yield "the client may have lost its network, or it sends no acks"
        case "undecided":
            late = max(0, now - (facts.due_at or now)) // 1000
            yield (
                f"it is overdue by {late} s: processes that serve look for such toasts all the "
                "time, so either none is running or none reaches this database"
            )
        case "outbox":
            yield "a process that serves takes it in within moments, even after a crash"
        case "sent" if pushed(facts) == "apns":
            yield "what was sent was taken; whether a phone showed it nobody is told"
        case "no_session":
            yield (
                "nothing was to follow: who decided it had no sender for a step of "
                "TOASTKIT_FALLBACK, or found it too late for one"
            )
            if not facts.devices:
                yield "no device is registered for this user, so no phone could have rung either"
        case "no_device" if facts.devices:
            yield "a device is registered now, but none had a push token when it was decided"


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
