"""An event on its way between workers: JSON of one shape, and nothing else is taken."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from ...events import Event, Toast

MAX_BYTES = 256 * 1024
VERSION: Literal[1] = 1

Text = Annotated[str, Meta(min_length=1, max_length=1000)]
Number = Annotated[int, Meta(ge=0, le=2**53)]
Time = Annotated[int, Meta(ge=0, le=253_402_300_799_999)]
"""Milliseconds since the epoch, to the end of the year 9999: later ones cannot be written."""


class Unreadable(Exception):
    """Something on a channel is not what belongs there; ``reason`` is what it is counted under."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Envelope(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Carry what a worker needs of an event to tell its clients, and whom it answers.

    ``reply_to`` is ``worker/number``: of the broadcast, not of the event. A toast that is told
    again must not be given the late answers of the first time.
    """

    v: Literal[1]
    id: Text
    kind: Literal["toast", "control"]
    route: Text
    name: Text
    data: dict[str, Any]
    created_at: Time
    topic: Text | None = None
    user_id: Text | None = None
    seq: Number | None = None
    epoch: Text | None = None
    expires_at: Time | None = None
    collapse_key: Text | None = None
    exclude: Text | None = None
    replayed: bool = False
    reply_to: Text | None = None

    @property
    def event(self) -> Event:
        """Return the event that was packed."""
        return Event(**{name: getattr(self, name) for name in _SHARED})


_SHARED = tuple(name for name in Envelope.__struct_fields__ if name in Event.__struct_fields__)
_SHOWN = frozenset(Toast.__struct_fields__)
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Envelope).decode


def pack(event: Event, reply_to: str | None = None) -> bytes:
    """Return an event as it travels; ``reply_to`` nobody: it is heard, and not answered."""
    shared = {name: getattr(event, name) for name in _SHARED}
    return _encode(Envelope(v=VERSION, reply_to=reply_to, **shared))


def unpack(route: str, payload: bytes) -> Event:
    """Read the event that came by the channel of a route.

    Raises:
        Unreadable: it is none, as ``open_envelope`` says.
    """
    return open_envelope(route, payload).event


def open_envelope(route: str, payload: bytes) -> Envelope:
    """Read what came by the channel of a route.

    Raises:
        Unreadable: it is too big, no JSON, of another shape or version, or of another route.
    """
    if len(payload) > MAX_BYTES:
        raise Unreadable("too_big")
    envelope: Envelope = read(payload, _decode)
    if envelope.route != route:
        raise Unreadable("wrong_route")
    return envelope


def ensure_tellable(event: Event) -> None:
    """Check that dialects have words for an event: not only its shape is that of a toast.

    Raises:
        Unreadable: they have none.
    """
    if event.kind != "toast":
        return
    try:
        msgspec.convert(event.data, Toast)
    except (msgspec.ValidationError, RecursionError):
        raise Unreadable("wrong_data") from None
    if not event.data.keys() >= _SHOWN:
        raise Unreadable("wrong_data")


def read(payload: bytes, decode: Any) -> Any:
    """Decode what came by a channel.

    Raises:
        Unreadable: it is no JSON, or of another shape.
    """
    try:
        return decode(payload)
    except msgspec.ValidationError:
        raise Unreadable("wrong_shape") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Unreadable("not_json") from None
