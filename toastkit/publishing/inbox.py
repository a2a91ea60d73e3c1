"""Every principal's toasts: what the publisher asks of storage."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from ..events import Event, Missed
from ..records import (
    Accepted,
    Facts,
    Page,
    PageQuery,
    Position,
    ReadMark,
    Since,
    StateChange,
    TailQuery,
    Trace,
)

Then = Callable[[list[Accepted]], object]
"""What is done with the answers of an accept, on the loop; it must not block."""

Relayed = tuple[Event, Accepted]
ThenRelayed = Callable[[list[Relayed]], object]


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

    def relay(
        self, ids: Sequence[str] | None, due_ms: int, then: ThenRelayed | None = None
    ) -> list[Relayed]:
        """Accept what waits in the outbox: those of ``ids`` that are there, else the oldest few.

        Positions are given in the order they were published; what a rollback discarded is not
        there. ``then`` is given the answers on the loop, each with its event.

        Raises:
            StorageUnavailable: everything waits as before.
        """

    def claim_due(self, limit: int, lease_ms: int) -> list[Event]:
        """Take undecided toasts whose time has come, the oldest first; nobody else gets them.

        A claim is a lease: what its taker does not decide until then is due again.

        Raises:
            StorageUnavailable: nothing was taken.
        """

    def claim_unacked(self, limit: int, lease_ms: int) -> list[Event]:
        """Take written toasts whose ack is overdue; nobody else gets them.

        A claim is a lease: what its taker does not owe a fallback until then is overdue again.

        Raises:
            StorageUnavailable: nothing was taken.
        """

    def missed(
        self, user_id: str, since: Since, heard: Callable[[str], bool], limit: int
    ) -> Missed:
        """Return what a principal's client missed of the topics it has ``heard``.

        Left out is what is expired, deleted, read or replaced by now. ``position`` is where the
        principal's toasts stood when it was read, whatever was found.

        Raises:
            StorageUnavailable: the database cannot be read.
        """

    def standings(self, user_ids: Sequence[str]) -> Mapping[str, Position]:
        """Return where the toasts of each principal stand; who never got one is left out.

        Raises:
            StorageUnavailable: the database cannot be read.
        """

    def page(self, query: PageQuery) -> Page:
        """Return one page of a principal's toasts, newest first.

        Raises:
            Invalid: the cursor is not one of the principal's toasts.
            StorageUnavailable: the database cannot be read.
        """

    def set_read(self, user_id: str, id: str, mark: ReadMark, at: int) -> bool:
        """Note what a user did with a toast; tell whether there is such a toast.

        Reading is seeing, too. A deleted toast is there no longer. Done twice it is done once: the
        first time stays.

        Raises:
            StorageUnavailable: nothing was changed.
        """

    def read_all(self, user_id: str, up_to: str | None, at: int) -> int | None:
        """Note that a user has read all toasts, up to and with ``up_to``; tell how many were not.

        ``None`` when the user has no toast ``up_to``.

        Raises:
            StorageUnavailable: nothing was changed.
        """

    def facts(self, id: str) -> Facts | None:
        """Return all that is known about a toast, or ``None`` where nothing is.

        Raises:
            StorageUnavailable: the database cannot be read.
        """

    def traces(self, query: TailQuery, since: int) -> list[Trace]:
        """Return how far the toasts made since then have come.

        Of one user the newest thousand instead, whenever they were made.

        Raises:
            StorageUnavailable: the database cannot be read.
        """

    def newest(self, query: TailQuery, since: int | None, limit: int) -> list[Facts]:
        """Return the newest toasts, made since then, the oldest of them first.

        What is derived of other tables is left out.

        Raises:
            StorageUnavailable: the database cannot be read.
        """

    def known(self, ids: Sequence[str]) -> list[Facts]:
        """Return what is stored of these toasts, in the order they were made.

        Raises:
            StorageUnavailable: the database cannot be read.
        """
