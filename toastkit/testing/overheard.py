"""Toasts of transactions that a test takes back: committed by the code under test, told to nobody."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from weakref import WeakKeyDictionary

from sqlalchemy import event, select
from sqlalchemy.orm import Session, SessionTransaction

from ..events import Event
from ..joining import transactions
from ..receipts import Receipt
from ..storage.tables import outbox

Joined = Callable[[Session, Sequence[Event]], list[Receipt]]
Committed = Callable[[Sequence[Event]], object]


class Overheard:
    """Publish in a session's transaction, and tell ``committed`` where that is inside another.

    Many tests run in a transaction of their own, which is rolled back. What the code under test
    commits then is published as far as that code knows, but never visible to anybody else.
    ``beside``: the host's database has no outbox.
    """

    def __init__(self, publish: Joined, committed: Committed, *, beside: bool = False) -> None:
        self._publish = publish
        self._committed = committed
        self._beside = beside
        self._waiting: WeakKeyDictionary[Session, list[Event]] = WeakKeyDictionary()

    def __call__(self, session: Session, toasts: Sequence[Event]) -> list[Receipt]:
        receipts = self._publish(session, toasts)
        if session not in self._waiting:
            self._waiting[session] = []
            event.listen(session, "after_commit", self._heard)
            event.listen(session, "after_transaction_end", self._over)
        self._waiting[session] += toasts
        return receipts

    def close(self) -> None:
        """Listen no more."""
        for session in tuple(self._waiting):
            event.remove(session, "after_commit", self._heard)
            event.remove(session, "after_transaction_end", self._over)

    def _heard(self, session: Session) -> None:
        connection = transactions.opened(session).joined
        if connection is None or session.in_nested_transaction() or not connection.in_transaction():
            return  # a SAVEPOINT, or a commit that can be seen by everybody
        toasts = self._waiting[session]
        if not self._beside:
            # What a rollback to a SAVEPOINT has discarded is not there.
            wanted = outbox.c.id.in_([toast.id for toast in toasts])
            kept = set(connection.scalars(select(outbox.c.id).where(wanted)))
            toasts = [toast for toast in toasts if toast.id in kept]
        self._committed(tuple(toasts))

    def _over(self, session: Session, transaction: SessionTransaction) -> None:
        if transaction.parent is None:
            self._waiting[session].clear()
