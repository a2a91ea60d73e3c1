"""Projects: rows of a user's own, which move along when who was anonymous signs in."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import Connection, RowMapping, text

from toastkit.clock import Clock, iso

from ..database import Database
from .accounts import spend

MOST_SHOWN = 200

_LIST = text(
    "SELECT id, name, created_at FROM projects WHERE user_id = :user_id "
    "ORDER BY created_at DESC, id DESC LIMIT :limit"
)
_MAKE = text(
    "INSERT INTO projects (id, user_id, name, created_at) VALUES (:id, :user_id, :name, :now)"
)


class Projects:
    """Make and list projects; each one costs a credit."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def list(self, user_id: str) -> list[dict[str, Any]]:
        """Return a user's projects, newest first, at most 200."""
        given = {"user_id": user_id, "limit": MOST_SHOWN}

        def find(connection: Connection) -> list[RowMapping]:
            return list(connection.execute(_LIST, given).mappings())

        return [
            _shown(row["id"], row["name"], row["created_at"]) for row in self._database.read(find)
        ]

    def create(self, user_id: str, name: str) -> dict[str, Any]:
        """Keep a project and use a credit, both or neither; return the project.

        Raises:
            NoCreditsLeft: there is none.
        """
        id, now = str(uuid.uuid4()), self._clock.now()

        def keep(connection: Connection) -> None:
            spend(connection, user_id, id, now)
            connection.execute(_MAKE, {"id": id, "user_id": user_id, "name": name, "now": now})

        self._database.write(user_id, keep)
        return _shown(id, name, now)


def _shown(id: str, name: str, created_at: int) -> dict[str, Any]:
    return {"id": id, "name": name, "created_at": iso(created_at)}
