"""Every principal's toasts: what the publisher asks of storage, and what a reader may list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from .. import principals
from ..errors import Invalid
from ..events import Event
from ..records import Accepted, StateChange, StoredToast

MAX_PAGE = 200


class Inbox(Protocol):
    """Keep toasts durably, one row each, numbered per principal."""

    def accept(self, events: Sequence[Event], due_ms: int) -> list[Accepted]:
        """Store toasts and return what became of each, in order; back only after the commit.

        ``due_ms`` from now the sweeper may decide what is still undecided. Up to 64 are kept
        together or not at all.

        Raises:
            StorageUnavailable: nothing was kept.
        """

    def mark(self, changes: Sequence[StateChange]) -> None:
        """Owe state changes to the next commit; waits for nothing."""

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
