"""Every principal's toasts: what the publisher asks of storage, and what a reader may list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from .. import principals
from ..errors import Invalid
from ..events import Event
from ..records import Accepted, StateChange, StoredToast

MAX_PAGE = 200

Then = Callable[[list[Accepted]], object]
"""What is done with the answers of an accept, on the loop; it must not block."""


class Inbox(Protocol):
    """Keep toasts durably, one row each, numbered per principal."""

    def accept(
        self, events: Sequence[Event], due_ms: int, then: Then | None = None
    ) -> list[Accepted]:
        """Store toasts and return what became of each, in order; back only after the commit.

        All are kept together, or none. ``due_ms`` from now what is still undecided is due to be
        decided again. ``then`` is given the answers on the loop, in the order of the commits, and
        has ended when this returns: whoever tells toasts there tells them in the order of their
        positions.

        Raises:
            StorageUnavailable: nothing was kept.
        """

    def mark(self, changes: Sequence[StateChange]) -> None:
        """Owe state changes to the next commit; waits for nothing.

        What cannot be written any more, for storage was closed, is logged: the toast is durable,
        and its publisher is told so.
        """

    def page(self, user_id: str, limit: int, include_collapsed: bool = False) -> list[StoredToast]:
        """Return a principal's newest toasts, newest first.

        Raises:
            StorageUnavailable: the database cannot be read.
        """


class Toasts:
    """Read a principal's toasts (A19, A20)."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    def list(
        self, user_id: object, limit: int = 50, *, include_collapsed: bool = False
    ) -> list[StoredToast]:
        """Return the newest toasts of a user, newest first; ``limit`` is 1 to 200.

        Of those that share a collapse key only the newest delivered one, unless
        ``include_collapsed``. A toast past its time to live is listed only if it was delivered.

        Raises:
            Invalid: the user id or the limit is wrong.
            StorageUnavailable: the database cannot be read.
        """
        if type(limit) is not int or not 1 <= limit <= MAX_PAGE:
            raise Invalid(f"limit must be 1-{MAX_PAGE}", ("limit",), "range")
        return self._inbox.page(principals.user_id(user_id), limit, include_collapsed)
