"""Sessions: opaque auth tokens, by hash."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from msgspec.structs import astuple
from sqlalchemy import Connection, select, update

from ..records import Session
from .database import Database
from .group import Kept
from .spelling import spell
from .tables import sessions

FIND = """
SELECT token_hash, user_id, kind, created_at, expires_at, revoked_at
FROM toastkit_sessions WHERE token_hash = ?
"""
"""Text, for it is read at every request that carries a session."""

REVOKED_SINCE = """
SELECT token_hash, user_id, kind, created_at, expires_at, revoked_at
FROM toastkit_sessions WHERE revoked_at >= ?
"""
"""Asked for several times a second, in every process that serves; answered by an index."""

ADD = """
INSERT INTO toastkit_sessions (token_hash, user_id, kind, created_at, expires_at, revoked_at)
VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (token_hash) DO NOTHING
"""
"""No two tokens are alike: what is there already is what a lost commit kept."""


class Sessions:
    """Store sessions by the hash of their token."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, session: Session) -> None:
        """Store a fresh session; returns once it is on disk.

        Raises:
            StorageUnavailable: nothing was kept.
        """
        self._database.write(_add, session)

    def find(self, token_hash: str) -> Session | None:
        """Return the session with this hash, expired and revoked ones too.

        Raises:
            StorageUnavailable: the database cannot be read.
        """

        def read(connection: Connection) -> Session | None:
            rows = connection.exec_driver_sql(spell(connection, FIND), (token_hash,))
            found = rows.mappings().first()
            return None if found is None else Session(**found)

        return self._database.read(read)

    def revoked_since(self, at: int) -> list[Session]:
        """Return every session that was revoked at a time or later.

        Raises:
            StorageUnavailable: the database cannot be read.
        """

        def read(connection: Connection) -> list[Session]:
            rows = connection.exec_driver_sql(spell(connection, REVOKED_SINCE), (at,))
            return [Session(**row) for row in rows.mappings()]

        return self._database.read(read)

    def revoke(self, token_hash: str, user_id: str, at: int) -> bool:
        """End a user's session; tell whether it was alive: of two who do at once, one hears yes.

        Raises:
            StorageUnavailable: nothing was changed.
        """
        # Of the user, so that two processes that end several at once cannot wait for each other.
        kept: Kept[bool] = partial(_revoked, token_hash, at)
        return self._database.write(_revoke, (token_hash, at), about=[user_id], kept=kept)

    def revoke_all(self, user_id: str, at: int) -> list[str]:
        """End every session of a user that is alive; return their hashes.

        Raises:
            StorageUnavailable: nothing was changed.
        """
        kept: Kept[list[str]] = partial(_all_revoked, at)
        return self._database.write(_revoke_all, (user_id, at), about=[user_id], kept=kept)


def _add(connection: Connection, fresh: Sequence[Session]) -> list[None]:
    connection.exec_driver_sql(spell(connection, ADD), [astuple(session) for session in fresh])
    return [None] * len(fresh)


def _revoke(connection: Connection, ended: Sequence[tuple[str, int]]) -> list[bool]:
    column = sessions.c
    answers = []
    for token_hash, at in ended:
        alive = (column.token_hash == token_hash) & column.revoked_at.is_(None)
        done = connection.execute(update(sessions).where(alive).values(revoked_at=at))
        answers.append(done.rowcount == 1)
    return answers


def _revoke_all(connection: Connection, users: Sequence[tuple[str, int]]) -> list[list[str]]:
    column = sessions.c
    answers = []
    for user_id, at in users:
        alive = (column.user_id == user_id) & column.revoked_at.is_(None) & (column.expires_at > at)
        ending = update(sessions).where(alive).values(revoked_at=at)
        answers.append(list(connection.scalars(ending.returning(column.token_hash))))
    return answers


def _all_revoked(at: int, connection: Connection, hashes: list[str]) -> bool | None:
    return _revoked(hashes[0], at, connection, revoked=True) if hashes else None


def _revoked(token_hash: str, at: int, connection: Connection, revoked: bool) -> bool | None:
    """Tell whether a revocation was kept; of one that found nothing to do nothing can be told."""
    if not revoked:
        return None
    column = sessions.c
    found = select(column.revoked_at).where(column.token_hash == token_hash)
    return bool(connection.scalar(found) == at)
