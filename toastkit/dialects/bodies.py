"""Read JSON bodies into what they mean, and say which field is wrong."""

from __future__ import annotations

import re
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct

from ..errors import Invalid
from ..events import CHOICES, MAX_TTL_MS, Toast
from .shapes import TopicName, UserId, text

T = TypeVar("T")

_MISSING = re.compile(r"missing required field `(?P<field>[^`]+)`")
_EMPTY = "Expected `str` of length >= 1"
_PATH = re.compile(r" - at `\$(?P<path>[^`]*)`$")


DedupeKey = Annotated[
    str, text("A toast whose key was one of a delivered toast's lately is dropped.")
]
CollapseKey = Annotated[
    str,
    text(
        "A toast takes the place of the one with the same key. No part may be `.` or `..`, as in "
        "a path."
    ),
]
TimeToLive = Annotated[
    float,
    Meta(
        description="How long it is worth keeping undelivered, in milliseconds; 0: now or never.",
        extra_json_schema={"multipleOf": 1, "minimum": 0, "maximum": MAX_TTL_MS},
    ),
]
Fallback = Annotated[
    bool, Meta(description="Whether a phone may ring when nobody is in front of the app.")
]


class PublishRequest(Struct, frozen=True, kw_only=True):
    """What the body of a publish asks for (A15)."""

    user_id: UserId
    topic: TopicName
    toast: Toast
    dedupe_key: DedupeKey | None = None
    collapse_key: CollapseKey | None = None
    ttl_ms: TimeToLive | None = None
    fallback_apns: Fallback = True


def read_publish(raw: bytes) -> PublishRequest:
    """Read the body of a publish.

    Raises:
        Invalid: it is not JSON, or the first field that is missing or wrong.
    """
    return read_body(raw, PublishRequest)


def read_body(raw: bytes, kind: type[T]) -> T:
    """Read a JSON body of a known shape; fields nobody knows are ignored.

    Raises:
        Invalid: it is not JSON, or the first field that is missing or wrong.
    """
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # RecursionError: a hundred thousand brackets are no JSON anybody means.
        raise Invalid("body must be a JSON object", (), "json") from None


def _invalid(message: str) -> Invalid:
    path = _PATH.search(message)
    loc: tuple[str | int, ...] = _location(path["path"]) if path else ()
    text = message[: path.start()] if path else message
    missing = _MISSING.search(text)
    if missing:
        return Invalid(f"{missing['field']} required", (*loc, missing["field"]), "missing")
    if not loc:
        return Invalid("body must be a JSON object", (), "json")
    if text == _EMPTY:
        return Invalid(f"{loc[-1]} required", loc, "missing")
    if text.startswith("Invalid enum value") and loc[-1] in CHOICES:
        text = f"must be one of {', '.join(CHOICES[str(loc[-1])])}"
    return Invalid(f"{'.'.join(map(str, loc))}: {text}", loc, "type")


def _location(path: str) -> tuple[str | int, ...]:
    parts = re.findall(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]", path)
    return tuple(name or (int(index) if index.isdigit() else index) for name, index in parts)
