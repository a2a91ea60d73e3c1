"""Who somebody is: a user id of the host, or an anonymous principal."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from .errors import Invalid

MAX_USER_ID = 200
_FORBIDDEN = frozenset(":*")


@dataclass(frozen=True, slots=True)
class Principal:
    """Say who is asking.

    ``session_hash`` names the opaque session used, if one was; ``expires_at`` is when the
    credential ends, in milliseconds since the epoch, if it does.
    """

    user_id: str
    session_hash: str | None = None
    expires_at: int | None = None

    @property
    def anonymous(self) -> bool:
        """Tell whether this principal never signed in (B9)."""
        return is_anonymous(self.user_id)


def user_id(value: object, field: str = "user_id") -> str:
    """Return a principal's id as text: a user id, or ``anon:<uuid>``.

    Ints and UUIDs are accepted and stored as text. A user id has 1 to 200 printable characters,
    no ``:``, ``*`` or white space, and is not ``anon``: topics are compared by their segments, so
    a user id that could hold a separator would let one user spell another's namespace.

    Raises:
        Invalid: the value is not a user id.
    """
    if isinstance(value, int) and abs(value) >= 10**MAX_USER_ID:
        # Python refuses to write an int of thousands of digits.
        raise Invalid(f"{field} must be 1-{MAX_USER_ID} chars", (field,), "length")
    if isinstance(value, (int, uuid.UUID)) and not isinstance(value, bool):
        value = str(value)
    if value is None or value == "":
        raise Invalid(f"{field} required", (field,), "missing")
    if not isinstance(value, str):
        kind = type(value).__name__
        raise Invalid(f"{field} must be text, an int or a UUID, not {kind}", (field,), "type")
    if value.startswith("anon:"):
        return _anonymous(value, field)
    if len(value) > MAX_USER_ID:
        raise Invalid(f"{field} must be 1-{MAX_USER_ID} chars", (field,), "length")
    if value == "anon" or not _plain(value) or not _FORBIDDEN.isdisjoint(value):
        raise Invalid(
            f"{field} must not be 'anon' or contain ':', '*', white space or control characters",
            (field,),
            "characters",
        )
    return value


def is_anonymous(user_id: str) -> bool:
    """Tell whether this principal never signed in (B9)."""
    return user_id.startswith("anon:")


def route(user_id: str) -> str:
    """Return the pub/sub key that reaches every connection of a principal (A26)."""
    return f"user:{user_id}"


def _plain(text: str) -> bool:
    return text.isprintable() and not any(char.isspace() for char in text)


def _anonymous(value: str, field: str) -> str:
    try:
        parsed = uuid.UUID(value.removeprefix("anon:"))
    except ValueError:
        parsed = None
    if parsed is None or value != f"anon:{parsed}":
        raise Invalid(f"{field} must be anon:<uuid> with a lower-case UUID", (field,), "characters")
    return value
