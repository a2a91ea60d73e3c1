"""The inbox: toasts as they are accepted, decided, recovered and listed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

from sqlalchemy import Connection

from ..clock import Clock
from ..errors import Invalid, StorageUnavailable
from ..events import Event, Missed
from ..records import (
    Accepted,
    Facts,
    Page,
    PageQuery,
    Position,
    ReadMark,
    Since,
    State,
    StateChange,
    TailQuery,
    Trace,
)
from . import due, outbox, tailing
from .accepting import Accepting, Row, kept
from .database import Database
from .desk import shares
from .facts import facts
from .marking import FROM, mark
from .outbox import Relayed, Waiting
from .page import page
from .readmarks import AllRead, Mark, read_all, set_read
from .recovering import Wanted, missed, standings

Then = Callable[[list[Accepted]], object]
ThenRelayed = Callable[[list[Relayed]], object]

log = logging.getLogger(__name__)


class Inbox:
    """Store every toast once, in the order of each principal's positions.

    What each method promises is said by the ``Inbox`` that publishing asks for.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._accepting = Accepting(clock)
        self._unreadable: frozenset[str] = frozenset()

    def accept(
        self, events: Sequence[Event], due_ms: int, then: Then | None = None
    ) -> list[Accepted]:
        """Store toasts in one commit; return once they are on disk, one answer each, in order.

        Raises:
            Invalid: an event cannot be stored; nothing was kept.
            StorageUnavailable: the database is locked, full or gone; nothing was kept.
        """
        # From now on: of many toasts that are made at once the last are accepted seconds later.
        due_at = self._clock.now() + due_ms
        rows = [Row(event, due_at) for event in events]
        about = [row.user_id for row in rows]
        return self._database.write(
            self._accepting.carry_out, rows, len(rows), about=about, then=then, kept=kept
        )

    def mark(self, changes: Sequence[StateChange]) -> None:
        """Change toasts' states with the next commit; returns at once.

        A change that its toast's state does not allow any more is dropped.

        Raises:
            Invalid: a state is named that no toast may enter.
        """
        for change in changes:
            if change.state not in FROM:
                raise Invalid(f"no toast may become {change.state}", ("state",))
        for share in shares(changes):
            about = [change.user_id for change in share]
            self._database.owe(mark, share, len(share), about=about)

    def relay(
        self, ids: Sequence[str] | None, due_ms: int, then: ThenRelayed | None = None
    ) -> list[Relayed]:
        """Accept what waits in the outbox, one commit for each 64 of ``ids``.

        Raises:
            StorageUnavailable: what is not relayed yet waits as before.
        """
        some = [None] if ids is None else shares(ids)
        return [each for share in some for each in self._relay(share, due_ms, then)]

    def claim_due(self, limit: int, lease_ms: int) -> list[Event]:
        """Take undecided toasts whose time has come, for ``lease_ms``; the oldest first.

        Raises:
            StorageUnavailable: nothing was taken.
        """
        return self._claim("accepted", limit, lease_ms)

    def claim_unacked(self, limit: int, lease_ms: int) -> list[Event]:
        """Take written toasts whose ack is overdue, for ``lease_ms``; the oldest first.

        Raises:
            StorageUnavailable: nothing was taken.
        """
        return self._claim("written", limit, lease_ms)

    def missed(
        self, user_id: str, since: Since, heard: Callable[[str], bool], limit: int
    ) -> Missed:
        """Return what a principal's client missed; ``heard`` is asked in a native thread.

        Raises:
            StorageUnavailable: the database cannot be read.
        """
        wanted = Wanted(user_id, since, heard, limit)
        now = self._clock.now()
        return self._database.read(lambda connection: missed(connection, wanted, now))

    def standings(self, user_ids: Sequence[str]) -> dict[str, Position]:
        """Return where the toasts of each principal stand; who never got one is left out.

        Raises:
            StorageUnavailable: the database cannot be read.
        """
        return self._database.read(lambda connection: standings(connection, user_ids))

    def page(self, query: PageQuery) -> Page:
        """Return one page of a principal's toasts, newest first.

        Raises:
            Invalid: the cursor is not one of the principal's toasts.
            StorageUnavailable: the database cannot be read.
        """
        now = self._clock.now()
        return self._database.read(lambda connection: page(connection, query, now))

    def set_read(self, user_id: str, id: str, mark: ReadMark, at: int) -> bool:
        """Note what a user did with a toast; tell whether there is such a toast.

        Raises:
            StorageUnavailable: nothing was changed.
        """
        return self._database.write(set_read, Mark(user_id, id, mark, at), about=[user_id])

    def read_all(self, user_id: str, up_to: str | None, at: int) -> int | None:
        """Note that a user has read all toasts, up to and with ``up_to``.

        Raises:
            StorageUnavailable: nothing was changed.
        """
        return self._database.write(read_all, AllRead(user_id, up_to, at), about=[user_id])

    def facts(self, id: str) -> Facts | None:
        """Return all that is known about one toast, or ``None`` if nothing is.

        Raises:
            StorageUnavailable: the database cannot be read.
        """
        # What this process owes must have been told to the database, if that takes anything now.
        with suppress(StorageUnavailable):
            self._database.write(_nothing, None)
        now = self._clock.now()
        return self._database.read(lambda connection: facts(connection, id, now))

    def traces(self, query: TailQuery, since: int) -> list[Trace]:
        """Return how far the toasts made since then have come; of one user the newest.

        Raises:
            StorageUnavailable: the database cannot be read.
        """
        return self._database.read(lambda connection: tailing.traces(connection, query, since))

    def newest(self, query: TailQuery, since: int | None, limit: int) -> list[Facts]:
        """Return the newest toasts, made since then, the oldest of them first.

        Raises:
            StorageUnavailable: the database cannot be read.
        """
        return self._database.read(
            lambda connection: tailing.newest(connection, query, since, limit)
        )

    def known(self, ids: Sequence[str]) -> list[Facts]:
        """Return what is stored of these toasts, in the order they were made.

        Raises:
            StorageUnavailable: the database cannot be read.
        """
        return self._database.read(lambda connection: tailing.of_ids(connection, ids))

    def _claim(self, state: State, limit: int, lease_ms: int) -> list[Event]:
        # Looked for beside the writer: mostly nothing is due, and then nothing is written.
        now = self._clock.now()
        found = self._database.read(lambda connection: due.due(connection, state, now, limit))
        if not found:
            return []
        until = now + lease_ms
        claim = due.Claim(tuple(found), state, now, until)
        users, kept = list(found.values()), partial(due.kept, until)
        return self._database.write(due.claim, claim, len(found), about=users, kept=kept)

    def _relay(
        self, ids: Sequence[str] | None, due_ms: int, then: ThenRelayed | None
    ) -> list[Relayed]:
        wanted = outbox.Wanted(ids, self._unreadable, self._clock.now(), due_ms)
        found = self._database.read(lambda connection: outbox.waiting(connection, wanted))
        self._complain(found.unreadable)
        if not found.ready:
            return []
        return self._database.write(
            self._relays,
            found.ready,
            len(found.ready),
            about=[waiting.user_id for waiting in found.ready],
            then=then,
            kept=outbox.kept,
        )

    def _relays(
        self, connection: Connection, members: Sequence[Sequence[Waiting]]
    ) -> list[list[Relayed]]:
        return outbox.relay(connection, self._accepting, members)

    def _complain(self, ids: set[str]) -> None:
        for id in ids - self._unreadable:
            log.error("toast %s waits in the outbox and cannot be read; it stays there", id)
        self._unreadable |= ids


def _nothing(_connection: Connection, members: Sequence[None]) -> Sequence[None]:
    return members
