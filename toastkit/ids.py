"""Make identifiers and tokens, and the hashes they are stored as."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import uuid
from collections.abc import Iterable

from ulid import ULID

_TOAST_ID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}", re.ASCII)
_LAST = "76EZ91ZPZZZZZZZZZZZZZZZZZZ"
"""The last id of the year 9999, where the dates of Python and of databases end."""


def toast_id(at: int) -> str:
    """Return a fresh toast id: a ULID (A20) made ``at`` milliseconds since the epoch.

    Order is carried by ``seq``, never by ids.
    """
    return str(ULID.from_timestamp(at))


def delivery_id(at: int) -> str:
    """Return a fresh id of a delivery made ``at`` milliseconds since the epoch; its time is in it."""
    return toast_id(at)


def made_at(id: str) -> int | None:
    """Return when a toast id was made, or ``None`` for a text that is none."""
    return ULID.from_str(id).milliseconds if is_toast_id(id) else None


def first_at(at: int) -> str:
    """Return the least id of a toast made ``at`` milliseconds since the epoch, or later."""
    return str(ULID.from_bytes(at.to_bytes(6, "big") + bytes(10)))


def is_toast_id(text: object) -> bool:
    """Tell whether a text could be a toast's id; what cannot is not worth asking a database."""
    return isinstance(text, str) and bool(_TOAST_ID.fullmatch(text)) and text <= _LAST


def connection_id() -> str:
    """Return a fresh connection id: a UUID (A22)."""
    return str(uuid.uuid4())


def epoch() -> str:
    """Return a fresh epoch: it tells that a principal's numbering began anew."""
    return secrets.token_hex(4)


def token(prefix: str = "") -> str:
    """Return a fresh credential with 256 random bits."""
    return prefix + secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """Return what is stored of a credential, so that a leaked database opens no door."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def is_one_of(shown: str, secrets: Iterable[bytes]) -> bool:
    """Tell whether a secret that somebody showed is one of ours.

    Every one is compared, as bytes and in constant time: neither the place of the first wrong
    character nor which of two secrets is meant can be read from the clock.
    """
    given = shown.encode("utf-8", "surrogateescape")
    matches = [hmac.compare_digest(given, secret) for secret in secrets]
    return any(matches)


def default_device_id(user_id: str) -> str:
    """Return the device id of a client that names none: stable over reconnects (A3).

    For an anonymous principal it is a hash, so that a list of devices does not show its id.
    """
    if user_id.startswith("anon:"):
        digest = hashlib.sha256(user_id.removeprefix("anon:").encode()).hexdigest()
        return f"anon:{digest[:16]}"
    return f"clerk:{user_id}"
