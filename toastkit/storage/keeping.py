"""How long things are kept, and what is kept of whom."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from ..records import Upgrade
from .database import Database
from .forgetting import Progress, anonymous_of, export, forget
from .owned import Owned
from .pruning import prune


class Keeping:
    """Delete what is kept no longer, and what is one user's.

    What each method promises is said by the ``Keeping`` that publishing asks for.
    """

    def __init__(self, database: Database, owned: Callable[[], list[Owned]]) -> None:
        self._database = database
        self._owned = owned

    def upgrade(self) -> Upgrade:
        """Bring the schema up to date; say where it was and is.

        Raises:
            ConfigError: a newer toastkit has been here, or a host's migrations lack something.
            StorageUnavailable: the database cannot be opened or written.
        """
        return self._database.upgrade()

    def upgrade_sql(self, since: str | None) -> str:
        """Return the SQL that would, from the revision it is at, or from ``since``.

        Raises:
            Invalid: there is no such revision.
            ConfigError: a newer toastkit has been here, or the tables are a host's.
            StorageUnavailable: the database cannot be opened.
        """
        return self._database.upgrade_sql(since)

    def prune(self, now: int, retention_ms: int) -> Iterator[tuple[str, int]]:
        """Delete one batch at each step; tell of which table, and how many rows of it so far.

        Raises:
            StorageUnavailable: the rest is kept until the next time.
        """
        return prune(self._database, now, retention_ms)

    def forget(self, user_id: str, progress: Progress | None = None) -> dict[str, int]:
        """Delete everything of one user; return how many rows of each table.

        ``progress`` is told of each batch: the table, and how many rows of it so far.

        Raises:
            ConfigError: a registered table is not in this database; nothing was deleted.
            StorageUnavailable: a part is deleted; the same call goes on.
        """
        return forget(self._database, self._owned(), user_id, progress)

    def anonymous_of(self, user_id: str) -> list[str]:
        """Return the anonymous principals that became a user.

        Raises:
            StorageUnavailable: the database cannot be read.
        """
        return self._database.read(partial(anonymous_of, user_id))

    def export(self, user_id: str) -> dict[str, list[dict[str, Any]]]:
        """Return every row of one user by table, without hashes of tokens.

        Raises:
            ConfigError: a registered table is not in this database.
            StorageUnavailable: the database cannot be read.
        """
        tables: dict[str, list[dict[str, Any]]] = {}
        for table, rows in self.export_parts(user_id):
            tables.setdefault(table, []).extend(rows)
        return tables

    def export_parts(self, user_id: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        """Return the same, some rows of one table at each step.

        Raises:
            ConfigError: a registered table is not in this database.
            StorageUnavailable: the database cannot be read.
        """
        return export(self._database, self._owned(), user_id)
