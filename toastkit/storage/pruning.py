"""What is kept no longer."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import and_

from .. import ids
from .batches import Doomed, delete_in_batches
from .database import Database
from .tables import dedupe, deliveries, sessions, tickets, toasts

DAY_MS = 24 * 3600 * 1000
UNDECIDED = ("accepted", "owed")


def prune(database: Database, now: int, retention_ms: int) -> Iterator[tuple[str, int]]:
    """Delete one batch at each step; tell of which table, and how many rows of it so far.

    Raises:
        StorageUnavailable: the rest is kept until the next time.
    """
    for doomed in (*_old(now - retention_ms), *_over(now)):
        count = 0
        for some in delete_in_batches(database, doomed):
            count += some
            yield doomed.table.name, count


def _old(cutoff: int) -> Iterator[Doomed]:
    """Return toasts and finished deliveries of a time before; what is undecided stays."""
    # By the key, which begins with the time. A retry that took the place of an older toast kept
    # its id, so the time of its own making is asked for, too.
    first = ids.first_at(max(0, cutoff))
    column = toasts.c
    decided = and_(*(column.state != state for state in UNDECIDED))
    gone = and_(column.id < first, column.created_at < cutoff, decided)
    yield Doomed(toasts, gone, (column.id,), column.user_id)
    finished = (deliveries.c.id < first) & deliveries.c.next_attempt_at.is_(None)
    yield Doomed(deliveries, finished, (deliveries.c.id,), deliveries.c.user_id)


def _over(now: int) -> Iterator[Doomed]:
    """Return claims whose window is over, and tickets and sessions that expired a day ago.

    These are kept for a day so that their owner is told that they expired, and not that they never
    were.
    """
    claim = dedupe.c
    past = claim.until.between(-now, now)  # both held and released ones, by one index
    yield Doomed(dedupe, past, (claim.until, claim.user_id, claim.key), claim.user_id)
    for table in (tickets, sessions):
        column = table.c
        expired = column.expires_at <= now - DAY_MS
        yield Doomed(table, expired, (column.expires_at, column.token_hash), column.user_id)
