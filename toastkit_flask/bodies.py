"""Read what a request says and write what it is answered."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from flask import Response, request
from msgspec import Meta, Struct, field
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException

from toastkit import topics
from toastkit.config import Config
from toastkit.dialects import read_body
from toastkit.dialects.shapes import (
    Apns,
    BundleId,
    DeviceId,
    Handset,
    Secret,
    ToastId,
    TopicName,
    Wanted,
)
from toastkit.errors import Invalid, TooLarge
from toastkit.identity.devices import check_bundle_id, check_device_id
from toastkit.ids import default_device_id
from toastkit.publishing.toasts import MAX_PAGE

from .state import current_kit

PIECE = 4096
"""Bytes that are read at a time: they may come in as many chunks, which takes 10 ms already."""

OWN_CONNECTION_HEADER = "X-ToastKit-Session"

Topics = Annotated[
    list[Wanted],
    Meta(
        description="What to hear from the first moment; those of somebody else are dropped, an "
        "empty list means one's own."
    ),
]

_encode = msgspec.json.Encoder().encode


class Bootstrap(Struct, frozen=True):
    """What the body of a bootstrap asks for (A2-A5); ``clerk_jwt`` is not even read (A2)."""

    device_id: DeviceId | None = None
    bundle_id: BundleId | None = None
    default_topics: Topics | None = None

    def device_of(self, user_id: str) -> str:
        """Return the device that is meant (A3)."""
        if self.device_id is None:
            return default_device_id(user_id)
        return check_device_id(self.device_id, user_id)

    def topics_of(self, user_id: str) -> list[str]:
        """Return the topics that are wanted: none named means one's own (A5)."""
        return self.default_topics or [topics.own(user_id)]


class Registration(Struct, frozen=True):
    """What the body of a register-toast says (A12)."""

    device_id: DeviceId | None = None
    bundle_id: BundleId | None = None
    apns: Apns | None = None


class OfDevice(Struct, frozen=True):
    """What the body of an anonymous session, or of a rebind, says (B7, B10).

    Whatever the fields are: their own texts say what is wrong with them.
    """

    device_id: Handset = None
    device_secret: Secret = None


class ReadAll(Struct, frozen=True):
    """What the body of a read-all says (A.22): ``before`` is the last toast that was read."""

    before: ToastId | None = None


class Listing(Struct, frozen=True):
    """Which toasts are wanted, as a query says it."""

    limit: Annotated[int, Meta(ge=1, le=MAX_PAGE)] = 50
    cursor: Annotated[ToastId, Meta(description="The `next_cursor` of the page before.")] | None = (
        None
    )
    topic: Annotated[TopicName, Meta(description="Toasts of one topic alone.")] | None = None
    unread: Annotated[bool, Meta(description="Those that are unread alone.")] = False
    include_collapsed: Annotated[
        bool, Meta(description="Also those a newer one of their `collapse_key` has replaced.")
    ] = False


class OfPage(Struct, frozen=True):
    """What a page says about itself."""

    connection: (
        Annotated[
            str, Meta(description="The `session_id` of a connection that need not be told of it.")
        ]
        | None
    ) = field(default=None, name=OWN_CONNECTION_HEADER)


def read_bootstrap(config: Config) -> Bootstrap:
    """Read the body of a bootstrap; an empty one asks for nothing in particular.

    Raises:
        Invalid: the first field that is wrong.
        TooLarge: it is longer than a body may be.
    """
    body = read_body(read_raw(config) or b"{}", Bootstrap)
    check_bundle_id(body.bundle_id, config.default_bundle_id)
    if len(body.default_topics or ()) > config.topics_per_connection:
        text = f"default_topics must be at most {config.topics_per_connection} topics"
        raise Invalid(text, ("default_topics",), "length")
    return body


def read_raw(config: Config) -> bytes:
    """Return the body as it came, with or without a ``Content-Length``.

    Never reads more than the limit: a chunked body tells its length only at the end.

    Raises:
        TooLarge: it is longer than ``body_bytes``.
        Invalid: it ended early or was badly chunked.
    """
    most, parts, size = config.body_bytes, [], 0
    if (request.content_length or 0) > most:
        raise TooLarge(f"a body may have at most {most} bytes")
    while part := _read_some(min(PIECE, most + 1 - size)):
        parts.append(part)
        size += len(part)
        if size > most:
            raise TooLarge(f"a body may have at most {most} bytes")
        if len(part) == PIECE:
            current_kit().node.runtime.breathe()
    return b"".join(parts)


def _read_some(size: int) -> bytes:
    try:
        return request.stream.read(size)
    except HTTPException:
        raise
    except Exception:  # noqa: BLE001  # each server has errors of its own for chunks that are none
        raise Invalid("the body could not be read", (), "json") from None


def query() -> MultiDict[str, str]:
    """Return the parameters of the query.

    Raises:
        Invalid: a server let bytes through that are no text.
    """
    try:
        return request.args
    except UnicodeDecodeError:
        raise Invalid("the query must be UTF-8", ("query",), "characters") from None


def read_page() -> dict[str, Any]:
    """Return which toasts are wanted (A19, A.21), in the words of ``Toasts.list``.

    Raises:
        Invalid: the first parameter that is wrong.
    """
    return {
        "limit": read_limit(),
        "cursor": query().get("cursor"),
        "topic": query().get("topic"),
        "unread": read_flag("unread"),
        "include_collapsed": read_flag("include_collapsed"),
    }


def read_up_to(config: Config) -> str | None:
    """Read the body of a read-all; without one everything is meant.

    Raises:
        Invalid: the first field that is wrong.
        TooLarge: it is longer than a body may be.
    """
    return read_body(read_raw(config) or b"{}", ReadAll).before


def read_limit() -> int:
    """Return how many items are wanted (A19); the range is stated, so nothing is clamped.

    Raises:
        Invalid: it is not a whole number.
    """
    text = query().get("limit", "50")
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise Invalid("limit must be 1-200", ("limit",), "type")
    return int(text)


def read_flag(name: str) -> bool:
    """Return whether a query parameter says true.

    Raises:
        Invalid: it says neither true nor false.
    """
    text = query().get(name, "false").lower()
    if text not in ("true", "1", "false", "0"):
        raise Invalid(f"{name} must be true or false", (name,), "type")
    return text in ("true", "1")


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Write a JSON answer; it is one user's own, so no cache may keep it."""
    response = Response(_encode(body), status, headers, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response
