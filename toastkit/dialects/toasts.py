"""The words of the toast gateway (A22-A27; frames of A.5-A.11)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from .. import ids
from ..clock import iso
from ..closing import CloseReason
from ..commands import Ack, Command, Ping, Refresh, SetState, Subscribe, Unsubscribe
from ..errors import BadMessage, UnknownMessageType
from ..events import Event
from ..records import Position, Since
from ..replies import (
    Acked,
    Expiring,
    Failure,
    Greeting,
    Pong,
    Refreshed,
    Reply,
    StateSet,
    Subscribed,
    Unsubscribed,
)
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

MAX_ACKS = 100
MAX_SEQ = 2**63
MAX_WORD = 64
MAX_TOKEN = 4096

UNREADABLE = Position(0, "?")
"""A position no principal ever stood at: nothing can be recovered from it."""

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
                return Subscribe(id, _topics(message, id), _since(message, id))
            case "unsubscribe":
                return Unsubscribe(id, _topics(message, id))
            case "ping":
                return Ping(id)
            case "state":
                return SetState(id, _foreground(message, id))
            case "ack":
                return Ack(id, _acked(message, id))
            case "refresh":
                return Refresh(id, _token(message, id))
            case str():
                words = "subscribe, unsubscribe, ping, state, ack or refresh"
                raise UnknownMessageType(f"type must be {words}", id)
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


def read_since(since: str | None, last_toast_id: str | None) -> Since | None:
    """Read where a client left off from its URL: ``<seq>.<epoch>``, or the id of a toast (A.19).

    What cannot be read is a place from which nothing can be recovered: the client is told so in
    its greeting, for it could not read why a handshake was refused.
    """
    if since is not None:
        seq, dot, epoch = since.partition(".")
        sound = seq.isascii() and seq.isdigit() and len(seq) <= 18 and len(epoch) <= MAX_WORD
        return Since(position=Position(int(seq), epoch) if dot and sound else UNREADABLE)
    return None if last_toast_id is None else _since_toast(last_toast_id)


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


def _acked(message: dict[str, Any], id: Any) -> tuple[str, ...]:
    acked = message.get("ids")
    if not isinstance(acked, list) or not 1 <= len(acked) <= MAX_ACKS:
        raise BadMessage(f"ids must be a list of 1-{MAX_ACKS} toast ids", id)
    if not all(_is_short(each) for each in acked):
        raise BadMessage("ids must be strings of 1-64 characters", id)
    return tuple(acked)


def _token(message: dict[str, Any], id: Any) -> str:
    token = message.get("token")
    if not isinstance(token, str) or not 1 <= len(token) <= MAX_TOKEN:
        raise BadMessage(f"token must be a string of 1-{MAX_TOKEN} characters", id)
    return token


def _since(message: dict[str, Any], id: Any) -> Since | None:
    since, last = message.get("since"), message.get("last_toast_id")
    if since is not None and last is not None:
        raise BadMessage("give since or last_toast_id, not both", id)
    if last is not None:
        if not _is_short(last):
            raise BadMessage("last_toast_id must be a string of 1-64 characters", id)
        return _since_toast(last)
    if since is None:
        return None
    seq, epoch = (since.get("seq"), since.get("epoch")) if isinstance(since, dict) else (None, None)
    if type(seq) is not int or not 0 <= seq < MAX_SEQ:
        raise BadMessage("since must be an object with seq, a whole number, and epoch", id)
    if not isinstance(epoch, str) or len(epoch) > MAX_WORD:
        raise BadMessage(f"since.epoch must be a string of at most {MAX_WORD} characters", id)
    return Since(position=Position(seq, epoch))


def _since_toast(id: str) -> Since:
    # What cannot be an id is nobody's, and not worth asking a database.
    return Since(toast_id=id if ids.is_toast_id(id) else "")


def _is_short(value: object) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= MAX_WORD


def _spell(reply: Reply) -> dict[str, Any]:
    spell = _SPELLED.get(type(reply))
    if spell is None:
        raise TypeError(f"no word for {reply!r}")
    words: dict[str, Any] = spell(reply)
    if reply.id is not None:
        words["id"] = reply.id
    return words


def _greeting(reply: Greeting) -> dict[str, Any]:
    words = {
        "type": "connection_ack",
        "session_id": reply.connection_id,
        "topics": reply.topics,
    }
    return words | _place(reply)


def _subscribed(reply: Subscribed) -> dict[str, Any]:
    words = {"type": "subscribe_ack", "topics": reply.topics, "all_topics": reply.all_topics}
    return words | _place(reply)


def _place(reply: Greeting | Subscribed) -> dict[str, Any]:
    words: dict[str, Any] = {}
    if reply.position is not None:
        words |= {"seq": reply.position.seq, "epoch": reply.position.epoch}
    recovery = reply.recovery
    if recovery is not None:
        words |= {"recovered": recovery.reason is None, "replayed": recovery.replayed}
        if recovery.reason is not None:
            words["reason"] = recovery.reason
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


_SPELLED: dict[type[Reply], Callable[[Any], dict[str, Any]]] = {
    Greeting: _greeting,
    Subscribed: _subscribed,
    Unsubscribed: lambda reply: {"type": "unsubscribe_ack", "topics": reply.topics},
    Pong: lambda reply: {"type": "pong", "ts": iso(reply.at)},
    StateSet: lambda reply: {"type": "state_ack", "state": _state(reply.foreground)},
    Acked: lambda reply: {"type": "ack_ack", "ids": reply.ids},
    Expiring: lambda reply: {"type": "token_expiring", "expires_at": iso(reply.expires_at)},
    Refreshed: lambda reply: {"type": "refresh_ack", "expires_at": iso(reply.expires_at)},
    Failure: _failure,
}


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
    frame = {
        "type": "toast",
        "topic": event.topic,
        "toast": toast,
        "seq": event.seq,
        "epoch": event.epoch,
    }
    if event.replayed:
        frame["replayed"] = True
    return frame
