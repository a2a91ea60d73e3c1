"""Read JSON bodies into what they mean, and say which field is wrong."""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec
from msgspec import Struct

from ..errors import Invalid
from ..events import CHOICES, Toast

T = TypeVar("T")

_MISSING = re.compile(r"missing required field `(?P<field>[^`]+)`")
_PATH = re.compile(r" - at `\$(?P<path>[^`]*)`$")


class PublishRequest(Struct, frozen=True, kw_only=True):
    """What the body of a publish asks for (A15)."""

    user_id: str | int
    topic: str
    toast: Toast
    dedupe_key: str | None = None
    collapse_key: str | None = None
    ttl_ms: float | None = None
    fallback_apns: bool = True


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
    if text.startswith("Invalid enum value") and loc[-1] in CHOICES:
        text = f"must be one of {', '.join(CHOICES[str(loc[-1])])}"
    return Invalid(f"{'.'.join(map(str, loc))}: {text}", loc, "type")


def _location(path: str) -> tuple[str | int, ...]:
    parts = re.findall(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]", path)
    return tuple(name or (int(index) if index.isdigit() else index) for name, index in parts)
