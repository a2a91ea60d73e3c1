"""Watch the transactions of sessions: where they began, and whether they were committed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from sqlalchemy import Connection, event
from sqlalchemy.orm import Session, SessionTransaction

from .writes import Start, start

Then = Callable[[Sequence[str]], object]


class Open:
    """One outermost transaction of a session that has not ended."""

    __slots__ = ("_committed", "_ids", "joined", "starts")

    def __init__(self) -> None:
        self.starts: dict[Connection, Start | None] = {}
        self.joined: Connection | None = None
        self._ids: dict[Then, list[str]] = {}
        self._committed = False

    def after_commit(self, connection: Connection, ids: Sequence[str], then: Then) -> None:
        """Give ``ids`` to ``then`` when what ``connection`` writes here has been committed.

        Not before the session has let go of its connections, and never after a rollback.
        """
        self.joined = connection
        self._ids.setdefault(then, []).extend(ids)

    def committed(self) -> None:
        """Note that the session has committed, or so it says."""
        # It says so at the end of a SAVEPOINT, too, and inside somebody else's transaction.
        self._committed = self.joined is not None and not self.joined.in_transaction()

    def ended(self) -> None:
        """Do what was to be done after a commit, if it was one."""
        if self._committed:
            for then, ids in self._ids.items():
                then(ids)


def watch(sessions: Any) -> None:
    """Watch a session, or every session of a ``scoped_session``, ``sessionmaker`` or class."""
    if sessions not in _watched:
        _watched.add(sessions)
        event.listen(sessions, "after_begin", _begun)
        event.listen(sessions, "after_commit", _committed)
        event.listen(sessions, "after_transaction_end", _ended)


def opened(session: Session) -> Open:
    """Return the transaction a session is in; one that nothing is known of has just begun."""
    root = session.get_transaction()
    return Open() if root is None else _of(root)


def _of(root: SessionTransaction) -> Open:
    known = _open.get(root)
    if known is None:
        known = _open[root] = Open()
    return known


# By the transaction and not by its session: what was rolled back is forgotten with it.
_open: WeakKeyDictionary[SessionTransaction, Open] = WeakKeyDictionary()
# No kit is held here: listeners of a class can stay for good, a kit that is let go cannot.
_watched: WeakSet[Any] = WeakSet()


# A session may be watched twice, by itself and with its class: each of these may be called twice.


def _begun(_session: Session, transaction: SessionTransaction, connection: Connection) -> None:
    if transaction.parent is None:
        starts = _of(transaction).starts
        if connection not in starts:
            starts[connection] = start(connection)


def _committed(session: Session) -> None:
    root = session.get_transaction()
    if root is not None and root in _open:
        _open[root].committed()


def _ended(_session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        ended = _open.pop(transaction, None)
        if ended is not None:
            ended.ended()
