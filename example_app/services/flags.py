"""Feature flags, the same for everybody."""

from __future__ import annotations

from sqlalchemy import Connection, text

from ..database import Database

EVERYBODY = "*"
"""Whom a change of a flag is about: two changes at once come one after the other."""

_LIST = text("SELECT name, enabled FROM flags ORDER BY name")
_SET = text(
    "INSERT INTO flags (name, enabled) VALUES (:name, :enabled) "
    "ON CONFLICT (name) DO UPDATE SET enabled = excluded.enabled"
)


class Flags:
    """Set flags and list them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self) -> dict[str, bool]:
        """Return every flag that was ever set, by name."""

        def find(connection: Connection) -> dict[str, bool]:
            return {name: bool(enabled) for name, enabled in connection.execute(_LIST)}

        return self._database.read(find)

    def set(self, name: str, enabled: bool) -> None:
        """Set one flag."""
        given = {"name": name, "enabled": enabled}
        self._database.write(EVERYBODY, lambda connection: connection.execute(_SET, given))
