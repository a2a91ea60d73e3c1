"""What is published: the content somebody gives, and the event it becomes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from . import texts
from .errors import Invalid
from .records import Position, Unrecoverable

MAX_DATA_BYTES = 4096
MAX_TTL_MS = 366 * 24 * 3600 * 1000
_ACTIVE = frozenset({"javascript", "data", "vbscript"})
_URI = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]*):|/(?![/\\])")


CHOICES = {
    "style": ("info", "success", "warning", "error"),
    "priority": ("low", "normal", "high"),
}
"""The words a toast's fields may be."""


_TITLE = {"pattern": r"^[^\x00]*[^\s\x00][^\x00]*$"}
_TEXT = {"pattern": r"^[^\x00]*$"}
_LINK = {
    "pattern": r"^([A-Za-z][A-Za-z0-9+.\-]*:|/$|/[^/\\\s\x00-\x1f\x7f])[^\\\s\x00-\x1f\x7f]*$",
    "description": "A URI, or a path that begins with one slash; no script.",
}
"""What a schema can say of what is checked below."""


class Toast(Struct, frozen=True, kw_only=True, omit_defaults=False):
    """Say what one toast shows (A.10). Lengths are in characters, ``data`` in JSON bytes."""

    title: Annotated[str, Meta(min_length=1, max_length=200, extra_json_schema=_TITLE)]
    body: Annotated[str, Meta(max_length=2000, extra_json_schema=_TEXT)] | None = None
    style: Literal["info", "success", "warning", "error"] = "info"
    priority: Literal["low", "normal", "high"] = "normal"
    deeplink: Annotated[str, Meta(max_length=2000, extra_json_schema=_LINK)] | None = None
    data: dict[str, Any] | None = None

    @classmethod
    def of(cls, given: Toast | Mapping[str, Any] | str) -> Toast:
        """Read what a caller gave: a toast, a mapping like the HTTP body's ``toast``, a title.

        Raises:
            Invalid: the first field that is missing or wrong.
        """
        try:
            toast = msgspec.convert(_fields(given), cls)
        except (msgspec.ValidationError, TypeError, ValueError, RecursionError) as error:
            raise Invalid(f"toast: {_with_choices(str(error))}", ("toast",)) from None
        _ensure_sound(toast)
        if toast.data is None:
            return toast
        data, size = json_copy(toast.data, "toast", "data")
        if size > MAX_DATA_BYTES:
            text = f"data must be at most {MAX_DATA_BYTES} bytes"
            raise Invalid(text, ("toast", "data"), "length")
        return msgspec.structs.replace(toast, data=data)


class Event(Struct, frozen=True, kw_only=True):
    """Carry one published thing from its publisher to every listener.

    ``kind`` decides the policy: a toast is stored and may go to a phone, a control is neither.
    ``route`` is the pub/sub key; ``topic`` what a subscriber named (``None``: everyone on the
    route). Times are milliseconds since the epoch; a dedupe key is held for ``dedupe_ms``. ``seq``
    and ``epoch`` are the position a toast takes when it is accepted; ``replayed`` marks one that a
    client gets because it missed it.
    """

    kind: Literal["toast", "control"]
    id: str
    route: str
    name: str
    data: dict[str, Any]
    created_at: int
    topic: str | None = None
    user_id: str | None = None
    expires_at: int | None = None
    dedupe_key: str | None = None
    dedupe_ms: int = 0
    collapse_key: str | None = None
    fallback: bool = True
    exclude: str | None = None
    seq: int | None = None
    epoch: str | None = None
    replayed: bool = False

    def expired(self, now: int) -> bool:
        """Tell whether the event's time to live has run out."""
        return self.expires_at is not None and now >= self.expires_at


class Missed(Struct, frozen=True, kw_only=True):
    """Hold what a client missed: toasts in the order of their positions, up to ``position``.

    With a ``reason`` there are none: a part of what was missed would be a silent gap.
    """

    position: Position
    toasts: tuple[Event, ...] = ()
    reason: Unrecoverable | None = None


EVERYBODY = "*"
"""The route every connection of every worker is on (``flags.changed``, A27)."""


def collapse_key(value: object) -> str | None:
    """Check a collapse key: as any key, and nothing that reads as a path like ``a/../b``.

    It is sent as a header of a push, which servers on the way may log or decode.

    Raises:
        Invalid: it is not such a key, as it stands or percent-decoded.
    """
    checked = key(value, "collapse_key")
    if checked is not None and (texts.climbs(checked) or not texts.plain(checked)):
        text = "collapse_key must not have the part . or .. or an encoded control character"
        raise Invalid(text, ("collapse_key",), "characters")
    return checked


def key(value: object, field: str) -> str | None:
    """Check a dedupe or collapse key: 1 to 200 printable characters, or none.

    Raises:
        Invalid: the key is empty, too long or holds control characters.
    """
    if value is None:
        return None
    if not isinstance(value, str) or not 1 <= len(value) <= 200 or not value.isprintable():
        raise Invalid(f"{field} must be 1-200 printable chars", (field,), "length")
    return value


def ttl(value: object) -> int | None:
    """Check a time to live: whole milliseconds, 0 means now or never (A.16).

    Raises:
        Invalid: the value is negative, not a whole number, or more than a year.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value // 1:
        raise Invalid("ttl_ms must be a whole number of milliseconds", ("ttl_ms",), "type")
    if not 0 <= value <= MAX_TTL_MS:
        raise Invalid(f"ttl_ms must be 0-{MAX_TTL_MS}", ("ttl_ms",), "range")
    return int(value)


def control_name(kind: object) -> str:
    """Check a control's kind: words of letters, digits and ``_`` joined by dots (A27).

    Raises:
        Invalid: the kind has another form.
    """
    if not isinstance(kind, str) or not re.fullmatch(r"[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*", kind):
        raise Invalid("kind must be words joined by dots, like usage.changed", ("kind",))
    return kind


def _fields(given: object) -> dict[str, Any]:
    if isinstance(given, str):
        return {"title": given}
    if isinstance(given, Toast):
        return msgspec.structs.asdict(given)
    if isinstance(given, Mapping):
        return dict(given)
    raise TypeError(f"must be a Toast, a mapping or a title, not {type(given).__name__}")


def _with_choices(message: str) -> str:
    # msgspec says that a word is none of those allowed, but not which are.
    for field, words in CHOICES.items():
        if message.endswith(f"$.{field}`"):
            return f"{field} must be one of {', '.join(words)}"
    return message


def _ensure_sound(toast: Toast) -> None:
    # What a type cannot say.
    if not toast.title.strip():
        raise Invalid("title required", ("toast", "title"), "missing")
    _ensure_text(toast.title, "title")
    _ensure_text(toast.body, "body")
    _ensure_deeplink(toast.deeplink)


def _ensure_text(value: str | None, field: str) -> None:
    # A lone surrogate or NUL would be accepted here and refused by a database or a client later.
    if value is None:
        return
    try:
        sound = b"\x00" not in value.encode()
    except UnicodeEncodeError:
        sound = False
    if not sound:
        raise Invalid(f"{field} must not contain NUL or lone surrogates", ("toast", field))


def _ensure_deeplink(value: str | None) -> None:
    # A client may put this into an href: a script scheme would run in the host's page, and a
    # browser reads "/\other.example" as another host.
    if value is None:
        return
    match = _URI.match(value)
    plain = value.isprintable() and not any(char.isspace() or char == "\\" for char in value)
    if not match or not plain or (match["scheme"] or "").casefold() in _ACTIVE:
        raise Invalid(
            "deeplink must be a URI or a path that begins with one slash, and no script",
            ("toast", "deeplink"),
        )


def json_copy(value: Mapping[str, Any], *loc: str) -> tuple[dict[str, Any], int]:
    """Return a mapping as JSON carries it, and how many bytes that takes.

    A copy: what a caller changes after publishing must not reach the loop, and what JSON cannot
    say must fail here.

    Raises:
        Invalid: it is no JSON object.
    """
    name = loc[-1]
    if not isinstance(value, Mapping):
        raise Invalid(f"{name} must be a mapping", loc, "type")
    try:
        encoded = msgspec.json.encode(value)
        return msgspec.json.decode(encoded, type=dict[str, Any]), len(encoded)
    except (TypeError, ValueError, RecursionError) as error:
        raise Invalid(f"{name} must be JSON: {error}", loc) from None
