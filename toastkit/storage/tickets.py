"""Tickets: who may open a connection. Looked up at every handshake."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from ..records import Ticket
from .database import Database
from .tables import tickets

FIND = """
SELECT token_hash, user_id, device_id, topics, session_hash, expires_at
FROM toastkit_tickets WHERE token_hash = ?
"""


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
        """Return the ticket with this hash, expired or not.

        Raises:
            StorageUnavailable: the database cannot be read.
        """

        def read(connection: Connection) -> Ticket | None:
            row = connection.exec_driver_sql(FIND, (token_hash,)).first()
            if row is None:
                return None
            values = row._asdict()
            values["topics"] = tuple(msgspec.json.decode(values["topics"]))
            return Ticket(**values)

        return self._database.read(read)


def _add(connection: Connection, fresh: Sequence[Ticket]) -> list[None]:
    rows = []
    for ticket in fresh:
        row = msgspec.structs.asdict(ticket)
        row["topics"] = msgspec.json.encode(ticket.topics).decode()
        rows.append(row)
    connection.execute(tickets.insert(), rows)
    return [None] * len(fresh)
