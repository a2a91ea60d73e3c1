"""Join a host's transaction: its toasts are committed with its rows, and told afterwards."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol

from sqlalchemy import Connection
from sqlalchemy.exc import InvalidRequestError, OperationalError
from sqlalchemy.orm import Session, scoped_session

from ..errors import CannotJoin, StorageUnavailable
from ..events import Event
from ..receipts import Receipt
from ..storage import outbox
from ..storage.tables import outbox as table
from . import transactions
from .database import MISSING, Home
from .host import Db, Host
from .sharing import share
from .transactions import Open, Then
from .writes import has_written, holds_write_lock


class Publishing(Protocol):
    """Publish what a transaction has committed."""

    def relay(self, ids: Sequence[str]) -> int:
        """Publish what it left in the outbox."""
        ...

    def publish(self, toasts: Sequence[Event]) -> list[Receipt]:
        """Publish what it could not keep itself."""
        ...


log = logging.getLogger(__name__)


class Joining:
    """Decide which transaction a publish belongs to, and put its toasts there.

    ``publisher`` is given what was published in a transaction, after its commit.
    """

    def __init__(self, url: str, host: Host | None, publisher: Publishing) -> None:
        self._home = Home(url)
        self._host = host
        self._publisher = publisher
        if host is not None:
            transactions.watch(host.sessions)
            engine = host.bound_to()
            if engine is not None:
                share(engine)

    def session(self, db: Db) -> Session | None:
        """Return the session whose transaction a publish joins; ``None``: it goes at once.

        Raises:
            CannotJoin: it can do neither.
        """
        current = None if self._host is None else self._host.session()
        if db == "auto":
            if current is not None and self._is_at_work(current):
                return current
        elif db is not None:
            chosen = _read(db)
            if current is not None and current is not chosen:
                self._ensure_unlocked(current)
            return chosen
        if current is not None:
            self._ensure_unlocked(current)
        return None

    def publish(self, session: Session, toasts: Sequence[Event]) -> list[Receipt]:
        """Write toasts into a session's transaction; they are told after its outermost commit.

        Raises:
            CannotJoin: that transaction takes none, or is another database's.
        """
        ids = [toast.id for toast in toasts]
        then: Then
        if self._host is not None and self._host.beside:
            # Kept nowhere until then: a process that dies with its database in memory owes nothing.
            connection, then = session.connection(), partial(self._publish_later, toasts)
        else:
            connection, then = self._connection(session), self._after
            self._home.ensure_ready(connection)
            self._add(connection, toasts)
        opened = transactions.opened(session)
        if connection not in opened.starts:  # nobody watches it yet
            transactions.watch(session)
        opened.after_commit(connection, ids, then)
        return [Receipt.queued(id) for id in ids]

    def _add(self, connection: Connection, toasts: Sequence[Event]) -> None:
        try:
            outbox.add(connection, toasts)
        except OperationalError as error:
            if f"no such table: {table.name}" in str(error.orig):
                raise CannotJoin(MISSING) from error
            raise

    def _is_at_work(self, session: Session) -> bool:
        """Tell whether a session would lose something by a rollback."""
        if session.new or session.deleted or any(map(session.is_modified, session.dirty)):
            return True
        starts = transactions.opened(session).starts
        return any(has_written(connection, since) for connection, since in starts.items())

    def _ensure_unlocked(self, session: Session) -> None:
        """Make sure that storage would not wait for a lock its own caller holds.

        Raises:
            CannotJoin: it would, for as long as the caller waits for storage.
        """
        for connection in transactions.opened(session).starts:
            if holds_write_lock(connection) and self._home.reached_by(connection):
                raise CannotJoin(
                    "the current session's transaction holds the write lock of toastkit's SQLite "
                    "file: commit or roll it back first, or publish with db=session, so that the "
                    "toast is committed with it"
                )

    def _connection(self, session: Session) -> Connection:
        if session.twophase:
            raise CannotJoin("a two-phase transaction cannot be joined: publish with db=None")
        known = self._known(transactions.opened(session))
        # By its engine, where it is known: a session with several may have no default.
        which: dict[str, Any] = {"clause": table} if known is None else {"bind": known.engine}
        try:
            connection = session.connection(bind_arguments=which)
        except InvalidRequestError as error:
            # A hook that SQLAlchemy calls at the end of a SAVEPOINT: the session is between two
            # transactions, its connection is in the outer one.
            if known is not None and known.in_transaction():
                return known
            raise CannotJoin(
                f"the session's transaction takes no toasts: {error} Publish before it ends, or "
                "with db=None"
            ) from error
        if connection.dialect.is_async:
            raise CannotJoin(_ASYNC)
        if not self._home.reached_by(connection):
            raise CannotJoin(
                "the session works on another database than toastkit's, so that nothing could "
                "commit both together: use one database (ToastKit(app, db=db), or one "
                "TOASTKIT_DATABASE_URL), or publish with db=None"
            )
        return connection

    def _known(self, opened: Open) -> Connection | None:
        at_work = (each for each in opened.starts if each.in_transaction())
        return next(filter(self._home.reached_by, at_work), None)

    def _after(self, ids: Sequence[str]) -> None:
        """Publish what has been committed; its commit cannot fail any more, whatever happens."""
        try:
            self._publisher.relay(ids)
        except StorageUnavailable as error:
            log.warning("%d committed toasts wait for a process that serves: %s", len(ids), error)
        except Exception:
            log.exception("%d committed toasts wait for a process that serves", len(ids))

    def _publish_later(self, toasts: Sequence[Event], _ids: Sequence[str]) -> None:
        try:
            self._publisher.publish(toasts)
        except Exception:
            log.exception("%d toasts of a committed transaction are lost", len(toasts))


_ASYNC = (
    "an AsyncSession cannot be joined: publish with db=None after its commit, in a thread "
    "(asyncio.to_thread)"
)


def _read(db: Any) -> Session:
    session = db() if isinstance(db, scoped_session) else db
    if isinstance(session, Session):
        return session
    if hasattr(session, "sync_session"):
        raise CannotJoin(_ASYNC)
    hint = "db.session" if hasattr(db, "session") else "an SQLAlchemy Session"
    raise CannotJoin(
        f"db must be 'auto', None, or the session whose transaction the toast joins: pass {hint}, "
        f"not {type(db).__name__}"
    )
