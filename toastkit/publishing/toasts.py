"""What a user sees of their toasts and does with them: the list, what is read, what is gone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from .. import ids, principals
from ..clock import Clock
from ..config import Config
from ..errors import Invalid, NotServing, UnknownToast
from ..events import Event
from ..records import Page, PageQuery, ReadMark, TailQuery
from ..topics import Topic
from .draft import control_event, topic_of
from .explain import Explanation, explain, unknown
from .hints import Here
from .inbox import Inbox
from .tail import Tail, TailParts

MAX_PAGE = 200

CONTROLS: dict[ReadMark, str] = {
    "read": "toast.read",
    "unread": "toast.unread",
    "seen": "toast.seen",
    "deleted": "toast.deleted",
}
"""The control that tells a user's other connections of each mark (A.22)."""


class ToastsParts(Struct, frozen=True):
    """What the facade is made of.

    ``tell`` takes a control to whoever is connected; ``here`` returns a user's connections to
    this process, or ``None`` where it serves nobody.
    """

    config: Config
    clock: Clock
    inbox: Inbox
    tell: Callable[[Event], object]
    here: Callable[[str], list[Here] | None]


class Toasts:
    """List a user's toasts, note what was read, and explain what became of them (A19-A.22).

    Each change is told to the user's connections by a control once it is committed; ``exclude``
    is the ``session_id`` of the one that made it. A process that serves nobody and has no Redis
    tells nobody: the list is the truth, and a client fetches it when it connects.
    """

    def __init__(self, parts: ToastsParts) -> None:
        self._ack_timeout_ms = parts.config.ack_timeout_ms
        self._clock = parts.clock
        self._inbox = parts.inbox
        self._tell = parts.tell
        self._here = parts.here

    def list(
        self,
        user_id: object,
        limit: int = 50,
        *,
        cursor: str | None = None,
        topic: str | None = None,
        unread: bool = False,
        include_collapsed: bool = False,
    ) -> Page:
        """Return a page of a user's toasts, newest first; ``limit`` is 1 to 200.

        ``cursor`` is the ``next_cursor`` of the page before; ``topic`` and ``unread`` leave out
        all others. Of those that share a collapse key only the newest delivered one is listed,
        unless ``include_collapsed``; a toast past its time to live only if it was delivered.

        Raises:
            Invalid: the user id, the limit or the cursor is wrong.
            TopicNotAllowed: the topic is somebody else's, or a wildcard.
            StorageUnavailable: the database cannot be read.
        """
        if type(limit) is not int or not 1 <= limit <= MAX_PAGE:
            raise Invalid(f"limit must be 1-{MAX_PAGE}", ("limit",), "range")
        if cursor is not None and not ids.is_toast_id(cursor):
            raise Invalid("cursor must be the next_cursor of a page", ("cursor",))
        owner = principals.user_id(user_id)
        query = PageQuery(
            user_id=owner,
            limit=limit,
            cursor=cursor,
            topic=None if topic is None else topic_of(topic, owner),
            unread=unread,
            include_collapsed=include_collapsed,
        )
        return self._inbox.page(query)

    def unread_count(self, user_id: object) -> int:
        """Return how many of the toasts a user's list shows are unread.

        Raises:
            Invalid: the user id is wrong.
            StorageUnavailable: the database cannot be read.
        """
        return self.list(user_id, 1).unread_count

    def read(self, user_id: object, id: str, *, exclude: str | None = None) -> None:
        """Note that a user has read a toast, and so has seen it; the first time counts.

        Raises:
            UnknownToast: the user has no such toast.
            StorageUnavailable: nothing was changed.
        """
        self._set(user_id, id, "read", exclude)

    def unread(self, user_id: object, id: str, *, exclude: str | None = None) -> None:
        """Note that a user means to read a toast again; raises as ``read`` does."""
        self._set(user_id, id, "unread", exclude)

    def seen(self, user_id: object, id: str, *, exclude: str | None = None) -> None:
        """Note that a user has seen a toast in the list; raises as ``read`` does."""
        self._set(user_id, id, "seen", exclude)

    def delete(self, user_id: object, id: str, *, exclude: str | None = None) -> None:
        """Take a toast out of a user's list for good; raises as ``read`` does."""
        self._set(user_id, id, "deleted", exclude)

    def read_all(
        self, user_id: object, *, up_to: str | None = None, exclude: str | None = None
    ) -> int:
        """Note that a user has read everything, or ``up_to`` and all before it; return how many.

        Raises:
            UnknownToast: the user has no toast ``up_to``.
            StorageUnavailable: nothing was changed.
        """
        owner = principals.user_id(user_id)
        if up_to is not None:
            _ensure_id(up_to)
        count = self._inbox.read_all(owner, up_to, self._clock.now())
        if count is None:
            raise UnknownToast
        if count:
            self._tell_others(owner, "toasts.read_all", {"up_to": up_to}, exclude)
        return count

    def explain(self, id: str) -> Explanation:
        """Say what became of a toast and why, whoever it was for.

        Raises:
            UnknownToast: there is none: its id is wrong, its transaction was rolled back, or it
                is kept no longer.
            StorageUnavailable: the database cannot be read.
        """
        facts = self._inbox.facts(id) if ids.is_toast_id(id) else None
        if facts is None:
            raise UnknownToast(unknown(id))
        here = self._here(facts.user_id)
        return explain(facts, here, self._clock.now(), self._ack_timeout_ms)

    def tail(self, user_id: object = None, topic: str | None = None) -> Tail:
        """Follow toasts as they are accepted, whoever publishes them, and what becomes of them.

        Everybody's on every topic, unless one is named. It works in any process on the database;
        controls are not stored, so they are not told.

        Raises:
            Invalid: the user id is wrong.
            TopicNotAllowed: the topic is none, or a wildcard, or not the user's.
        """
        owner = None if user_id is None else principals.user_id(user_id)
        if topic is not None:
            owner = owner or Topic.parse(topic).owner
            topic_of(topic, owner or "")
        parts = TailParts(self._inbox, self._clock, self._ack_timeout_ms)
        return Tail(parts, TailQuery(user_id=owner, topic=topic))

    def _set(self, user_id: object, id: str, mark: ReadMark, exclude: str | None) -> None:
        owner = principals.user_id(user_id)
        _ensure_id(id)
        if not self._inbox.set_read(owner, id, mark, self._clock.now()):
            raise UnknownToast
        self._tell_others(owner, CONTROLS[mark], {"id": id}, exclude)

    def _tell_others(
        self, owner: str, name: str, params: dict[str, Any], exclude: str | None
    ) -> None:
        now = self._clock.now()
        event = control_event(name, params, owner, now, most_bytes=MOST_BYTES)
        with suppress(NotServing):  # see the class
            self._tell(replace(event, exclude=exclude))


MOST_BYTES = 1024
"""More than the params of any control of ours take."""


def _ensure_id(id: object) -> None:
    # What is no id is nobody's toast; a database might even refuse to be asked (NUL).
    if not ids.is_toast_id(id):
        raise UnknownToast
