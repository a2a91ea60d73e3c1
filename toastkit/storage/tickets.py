"""Tickets: who may open a connection. Looked up at every handshake."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from ..records import Position, Ticket
from .database import Database
from .recovering import standing
from .spelling import as_json, spell

FIND = """
SELECT tickets.token_hash, tickets.user_id, tickets.device_id, tickets.topics,
       tickets.session_hash, tickets.expires_at,
       sessions.revoked_at IS NOT NULL,
       COALESCE(principals.seq, 0), COALESCE(principals.epoch, '')
FROM toastkit_tickets AS tickets
LEFT JOIN toastkit_sessions AS sessions ON sessions.token_hash = tickets.session_hash
LEFT JOIN toastkit_principals AS principals ON principals.user_id = tickets.user_id
WHERE tickets.token_hash = ?
"""
_STORED = tuple(name for name in Ticket.__struct_fields__ if name not in {"revoked", "position"})

ADD = """
INSERT INTO toastkit_tickets (token_hash, user_id, device_id, topics, session_hash, expires_at)
VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (token_hash) DO NOTHING
"""
"""No two tokens are alike: what is there already is what a lost commit kept."""


class Tickets:
    """Store tickets by the hash of their token."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, ticket: Ticket) -> None:
        """Store a fresh ticket; returns once it is on disk.

        Raises:
            StorageUnavailable: nothing was kept.
        """
        self._database.write(_add, ticket)

    def find(self, token_hash: str) -> Ticket | None:
        """Return the ticket with this hash, expired or not, and how its principal stands now.

        Raises:
            StorageUnavailable: the database cannot be read.
        """

        def read(connection: Connection) -> Ticket | None:
            row = connection.exec_driver_sql(spell(connection, FIND), (token_hash,)).first()
            if row is None:
                return None
            *stored, revoked, seq, epoch = row
            values = dict(zip(_STORED, stored, strict=True))
            values["topics"] = tuple(msgspec.json.decode(values["topics"]))
            return Ticket(**values, revoked=bool(revoked), position=Position(seq, epoch))

        return self._database.read(read)

    def position(self, user_id: str) -> Position:
        """Return where a principal's toasts stand now.

        Raises:
            StorageUnavailable: the database cannot be read.
        """
        return self._database.read(lambda connection: standing(connection, user_id))


def _add(connection: Connection, fresh: Sequence[Ticket]) -> list[None]:
    rows = [
        (
            *(ticket.token_hash, ticket.user_id, ticket.device_id),
            *(as_json(ticket.topics), ticket.session_hash, ticket.expires_at),
        )
        for ticket in fresh
    ]
    connection.exec_driver_sql(spell(connection, ADD), rows)
    return [None] * len(fresh)
