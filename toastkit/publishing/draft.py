"""Make events of what a caller says; what one of many could get wrong is checked here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from .. import events, ids, principals, topics
from ..errors import TooLarge, TopicNotAllowed
from ..events import EVERYBODY, Event, Toast
from ..topics import Topic


@dataclass(frozen=True, slots=True, kw_only=True)
class ToastOptions:
    """Say how a toast travels (A15); ``dedupe_ms`` is how long its dedupe key is held."""

    dedupe_ms: int
    topic: str | None = None
    dedupe_key: str | None = None
    collapse_key: str | None = None
    ttl_ms: float | None = None
    fallback_apns: bool = True


def toast_event(user_id: object, toast: Toast, options: ToastOptions, now: int) -> Event:
    """Return the event of one toast for one principal, at ``now`` milliseconds.

    Raises:
        Invalid: the user id, a key or the time to live is wrong.
        TopicNotAllowed: the topic is somebody else's, or a wildcard.
    """
    owner = principals.user_id(user_id)
    ttl_ms = events.ttl(options.ttl_ms)
    return Event(
        kind="toast",
        id=ids.toast_id(now),
        route=principals.route(owner),
        name="toast",
        data=msgspec.structs.asdict(toast),
        created_at=now,
        topic=topics.own(owner) if options.topic is None else topic_of(options.topic, owner),
        user_id=owner,
        expires_at=None if ttl_ms is None else now + ttl_ms,
        dedupe_key=events.key(options.dedupe_key, "dedupe_key"),
        dedupe_ms=options.dedupe_ms,
        collapse_key=events.collapse_key(options.collapse_key),
        fallback=bool(options.fallback_apns),
    )


def control_event(
    kind: object, params: Mapping[str, Any], user_id: object, now: int, *, most_bytes: int
) -> Event:
    """Return the event of one control, for one principal or (``None``) everybody (A27).

    Raises:
        Invalid: the kind, the params or the user id is wrong.
        TooLarge: the params take more than ``most_bytes`` of JSON.
    """
    owner = None if user_id is None else principals.user_id(user_id)
    data, size = events.json_copy(params, "params")
    if size > most_bytes:
        raise TooLarge(f"params must be at most {most_bytes} bytes of JSON, not {size}")
    return Event(
        kind="control",
        id=ids.toast_id(now),
        route=EVERYBODY if owner is None else principals.route(owner),
        name=events.control_name(kind),
        data=data,
        created_at=now,
        user_id=owner,
    )


def topic_of(text: str, owner: str) -> str:
    """Check a topic that a principal's toasts may be on: the own ones, and those of nobody.

    A toast for one user on another's topic would be shown to neither (A.4).

    Raises:
        TopicNotAllowed: the topic is somebody else's, or a wildcard.
    """
    topic = Topic.parse(text)
    if topic.wildcard or not topic.open_to(owner):
        raise TopicNotAllowed(text)
    return text
