"""The words of the toast gateway (A22-A27; frames of A.5-A.11)."""

from __future__ import annotations

from typing import Any

import msgspec

from ..clock import iso
from ..closing import CloseReason
from ..commands import Command, Ping, SetState, Subscribe, Unsubscribe
from ..errors import BadMessage, UnknownMessageType
from ..events import Event
from ..replies import Failure, Greeting, Pong, Reply, StateSet, Subscribed, Unsubscribed
from .contract import Framing

CODES = {
    CloseReason.TOKEN_EXPIRED: 4001,
    CloseReason.TOKEN_REJECTED: 4001,
    CloseReason.TOKEN_REVOKED: 4001,
    CloseReason.TOKEN_MISSING: 4002,
    CloseReason.SLOW_CONSUMER: 4008,
    CloseReason.TOO_MANY_ERRORS: 4009,
    CloseReason.PROTOCOL: 1002,
    CloseReason.UNSUPPORTED: 1003,
    CloseReason.BAD_UTF8: 1007,
    CloseReason.TOO_SLOW: 1008,
    CloseReason.TOO_BIG: 1009,
    CloseReason.NO_PONG: 1011,
    CloseReason.INTERNAL: 1011,
    CloseReason.RESTART: 1012,
    CloseReason.OVERLOADED: 1013,
}
"""The close code of every reason. Below 4000 are the words of RFC 6455 and IANA's registry."""

_OPTIONAL = ("collapse_key", "dedupe_key")
_encode = msgspec.json.Encoder().encode


class ToastsDialect:
    """Speak as the toast document's clients do."""

    __slots__ = ("framing",)

    def __init__(self, framing: Framing) -> None:
        self.framing = framing

    def read(self, text: bytes) -> Command:
        message = _decode(text)
        id = message.get("id")
        if isinstance(id, (dict, list)) or len(str(id)) > 200:
            raise BadMessage("id must be a scalar of at most 200 characters")
        match message.get("type"):
            case "subscribe":
                return Subscribe(id, _topics(message, id))
            case "unsubscribe":
                return Unsubscribe(id, _topics(message, id))
            case "ping":
                return Ping(id)
            case "state":
                return SetState(id, _foreground(message, id))
            case str():
                raise UnknownMessageType("type must be subscribe, unsubscribe, ping or state", id)
            case _:
                raise BadMessage("type required", id)

    def reply(self, reply: Reply) -> bytes:
        return self.framing.text(_encode(_spell(reply)))

    def event(self, event: Event) -> bytes | None:
        if event.kind == "toast":
            return self.framing.text(_encode(_toast_frame(event)))
        ts = iso(event.created_at)
        control = {"kind": event.name, "params": event.data, "ts": ts}
        return self.framing.text(_encode({"type": "control", "control": control}))

    def close(self, reason: CloseReason) -> bytes:
        return self.framing.close(CODES[reason], reason.value)


def _decode(text: bytes) -> dict[str, Any]:
    try:
        message = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadMessage("messages are JSON objects") from None
    if not isinstance(message, dict):
        raise BadMessage("messages are JSON objects")
    return message


def _topics(message: dict[str, Any], id: Any) -> tuple[str, ...]:
    topics = message.get("topics")
    if not isinstance(topics, list) or not all(isinstance(topic, str) for topic in topics):
        raise BadMessage("topics must be a list of strings", id)
    return tuple(topics)


def _foreground(message: dict[str, Any], id: Any) -> bool:
    if message.get("state") not in ("foreground", "background"):
        raise BadMessage("state must be foreground or background", id)
    return bool(message["state"] == "foreground")


def _spell(reply: Reply) -> dict[str, Any]:
    words: dict[str, Any]
    match reply:
        case Greeting():
            words = {
                "type": "connection_ack",
                "session_id": reply.connection_id,
                "topics": reply.topics,
            }
        case Subscribed():
            words = {
                "type": "subscribe_ack",
                "topics": reply.topics,
                "all_topics": reply.all_topics,
            }
        case Unsubscribed():
            words = {"type": "unsubscribe_ack", "topics": reply.topics}
        case Pong():
            words = {"type": "pong", "ts": iso(reply.at)}
        case StateSet():
            words = {"type": "state_ack", "state": _state(reply.foreground)}
        case Failure():
            words = _failure(reply)
        case _:
            raise TypeError(f"no word for {reply!r}")
    if reply.id is not None:
        words["id"] = reply.id
    return words


def _state(foreground: bool) -> str:
    return "foreground" if foreground else "background"


def _failure(failure: Failure) -> dict[str, Any]:
    words: dict[str, Any] = {
        "type": "error",
        "code": failure.code,
        "message": failure.message,
        "retryable": failure.retryable,
    }
    if failure.topic is not None:
        words["topic"] = failure.topic
    return words


def _toast_frame(event: Event) -> dict[str, Any]:
    data = event.data
    toast = {
        "id": event.id,
        "topic": event.topic,
        "title": data["title"],
        "body": data["body"],
        "style": data["style"],
        "priority": data["priority"],
        "deeplink": data["deeplink"],
        "created_at": iso(event.created_at),
    }
    for name in _OPTIONAL:
        if getattr(event, name) is not None:
            toast[name] = getattr(event, name)
    if event.expires_at is not None:
        toast["expires_at"] = iso(event.expires_at)
    if data["data"] is not None:
        toast["data"] = data["data"]
    return {
        "type": "toast",
        "topic": event.topic,
        "toast": toast,
        "seq": event.seq,
        "epoch": event.epoch,
    }
