"""Find the kit a plain function call means; one is never built silently."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .errors import NoKit
from .events import Toast
from .joining import Db
from .kit import Kit, open_kits
from .receipts import Receipt

Finder = Callable[[], Kit | None]

_finders: list[Finder] = []


def register_finder(finder: Finder) -> None:
    """Ask ``finder`` first for the kit that is meant, such as the current Flask app's."""
    if finder not in _finders:
        _finders.append(finder)


def find_current() -> Kit | None:
    """Return the kit of what is current here, such as a Flask app; ``None`` where nothing is."""
    return next((kit for finder in _finders if (kit := finder()) is not None), None)


def kits() -> list[Kit]:
    """Return the kits of this process that have not been closed."""
    return list(open_kits)


def current_kit() -> Kit:
    """Return the Flask app's kit, else the only kit of the process.

    Raises:
        NoKit: there is none, or more than one.
    """
    kit = find_current()
    if kit is not None:
        return kit
    known = kits()
    if len(known) == 1:
        return known[0]
    if known:
        raise NoKit(
            f"{len(known)} kits are open in this process and no Flask app is current: call "
            "kit.publish_toast(...) on the one you mean, or push its app context"
        )
    raise NoKit(
        "no kit is open in this process. In a Flask app: ToastKit(app) or init_app(app). Elsewhere: "
        "with Kit(Config.from_env()) as kit: kit.publish_toast(...)"
    )


def publish_toast(
    user_id: object,
    toast: Toast | Mapping[str, Any] | str,
    *,
    topic: str | None = None,
    dedupe_key: str | None = None,
    collapse_key: str | None = None,
    ttl_ms: float | None = None,
    fallback_apns: bool = True,
    db: Db = "auto",
) -> Receipt:
    """Publish a toast to one user with the current kit; see ``Kit.publish_toast``.

    Raises:
        NoKit: no kit, or more than one, could be meant.
    """
    return current_kit().publish_toast(
        user_id,
        toast,
        topic=topic,
        dedupe_key=dedupe_key,
        collapse_key=collapse_key,
        ttl_ms=ttl_ms,
        fallback_apns=fallback_apns,
        db=db,
    )


def publish_toasts(
    user_ids: Iterable[object],
    toast: Toast | Mapping[str, Any] | str,
    *,
    topic: str | None = None,
    dedupe_key: str | None = None,
    collapse_key: str | None = None,
    ttl_ms: float | None = None,
    fallback_apns: bool = True,
    db: Db = "auto",
) -> list[Receipt]:
    """Publish one toast to many users with the current kit; see ``Kit.publish_toasts``.

    Raises:
        NoKit: no kit, or more than one, could be meant.
    """
    return current_kit().publish_toasts(
        user_ids,
        toast,
        topic=topic,
        dedupe_key=dedupe_key,
        collapse_key=collapse_key,
        ttl_ms=ttl_ms,
        fallback_apns=fallback_apns,
        db=db,
    )


def publish_control(
    kind: str, params: Mapping[str, Any] | None = None, user_id: object = None
) -> None:
    """Tell a control to one user or everybody with the current kit; see ``Kit.publish_control``.

    Raises:
        NoKit: no kit, or more than one, could be meant.
    """
    current_kit().publish_control(kind, params, user_id)
