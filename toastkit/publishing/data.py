"""How long a database keeps things, and everything it keeps of one user."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from msgspec import Struct

from .. import principals
from ..clock import Clock
from ..config import Config
from ..records import Upgrade

DAY_MS = 24 * 3600 * 1000

Progress = Callable[[str, int], object]


class Keeping(Protocol):
    """Delete what is kept no longer, and what is one user's."""

    def upgrade(self) -> Upgrade:
        """Bring the schema up to date; say where it was and is.

        Raises:
            ConfigError: a newer toastkit has been here, or a host's migrations lack something.
            StorageUnavailable: the database cannot be opened or written.
        """

    def upgrade_sql(self, since: str | None) -> str:
        """Return the SQL that would, from the revision it is at, or from ``since``.

        Raises:
            Invalid: there is no such revision.
            ConfigError: a newer toastkit has been here, or the tables are a host's.
            StorageUnavailable: the database cannot be opened.
        """

    def prune(self, now: int, retention_ms: int) -> Iterator[tuple[str, int]]:
        """Delete one batch at each step; tell of which table, and how many rows of it so far.

        Toasts go ``retention_ms`` after they were made, unless they are undecided.

        Raises:
            StorageUnavailable: the rest is kept until the next time.
        """

    def forget(self, user_id: str, progress: Progress | None = None) -> dict[str, int]:
        """Delete everything of one user; return how many rows of each table.

        ``progress`` is told of each batch: the table, and how many rows of it so far.

        Raises:
            ConfigError: a registered table is not in this database; nothing was deleted.
            StorageUnavailable: a part is deleted; the same call goes on.
        """

    def anonymous_of(self, user_id: str) -> list[str]:
        """Return the anonymous principals that became a user, whose rows are that user's.

        Raises:
            StorageUnavailable: the database cannot be read.
        """

    def export(self, user_id: str) -> dict[str, list[dict[str, Any]]]:
        """Return every row of one user by table, without hashes of tokens.

        Raises:
            ConfigError: a registered table is not in this database.
            StorageUnavailable: the database cannot be read.
        """

    def export_parts(self, user_id: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        """Return the same, some rows of one table at each step; every table comes at least once.

        Raises:
            ConfigError: a registered table is not in this database.
            StorageUnavailable: the database cannot be read.
        """


class DataParts(Struct, frozen=True):
    """What the facet is made of.

    ``dismiss`` ends a user's connections; ``breathe`` lets others run first.
    """

    keeping: Keeping
    config: Config
    clock: Clock
    dismiss: Callable[[str], object]
    breathe: Callable[[], object]


class Data:
    """Upgrade the schema, prune what is old, forget a user, export what is kept of one."""

    def __init__(self, parts: DataParts) -> None:
        self._keeping = parts.keeping
        self._config = parts.config
        self._clock = parts.clock
        self._dismiss = parts.dismiss
        self._breathe = parts.breathe
        self._pruning: Iterator[tuple[str, int]] | None = None

    def upgrade(self) -> Upgrade:
        """Bring the schema up to date, which a kit's first use does, too; say where it was and is.

        Tables among a host's own are only looked at: its migrations make them.

        Raises:
            ConfigError: a newer toastkit has been here, or a host's migrations lack something.
            StorageUnavailable: the database cannot be opened or written.
        """
        return self._keeping.upgrade()

    def upgrade_sql(self, since: str | None = None) -> str:
        """Return the SQL that ``upgrade`` would carry out; empty where there is nothing to do.

        ``since`` is the revision to begin at (``base``: none); then the database is not looked at.

        Raises:
            Invalid: there is no such revision.
            ConfigError: a newer toastkit has been here, or the tables are a host's.
            StorageUnavailable: the database cannot be opened.
        """
        return self._keeping.upgrade_sql(since)

    def prune(self, progress: Progress | None = None) -> dict[str, int]:
        """Delete what is kept no longer; return how many rows of each table.

        Goes in small commits, so that nobody waits; ``progress`` is told of each, with the table
        and its rows so far. A process that serves does this by itself every ``prune_seconds``.

        Raises:
            StorageUnavailable: the rest is kept until the next time.
        """
        counts: dict[str, int] = {}
        for table, rows in self._prune():
            counts[table] = rows
            if progress is not None:
                progress(table, rows)
            self._breathe()
        return counts

    def prune_some(self) -> bool:
        """Delete one batch of what is kept no longer; tell whether there may be more.

        For one caller, who goes on until it says no.

        Raises:
            StorageUnavailable: the rest is kept until the next time.
        """
        pruning, self._pruning = self._pruning or self._prune(), None
        if next(pruning, None) is None:
            return False
        self._pruning = pruning
        return True

    def forget(self, user_id: object, progress: Progress | None = None) -> dict[str, int]:
        """Delete everything of one user; end their connections, with Redis to every worker.

        The anonymous principals that became this user go, too: their rows, and their connections.
        Returns how many rows of each table went, those of registered tables of the host's too.
        What is published to the user afterwards is kept as a stranger's would be. ``progress`` is
        told of each batch: the table, and how many rows of it so far.

        Raises:
            Invalid: it is no user id.
            ConfigError: a registered table is not in this database; nothing was deleted.
            StorageUnavailable: a part is deleted; the same call goes on.
        """
        owner = principals.user_id(user_id)
        gone = [owner, *self._keeping.anonymous_of(owner)]
        counts = self._keeping.forget(owner, progress)
        # Afterwards: before, they would come back with the tickets they still had.
        for principal in gone:
            self._dismiss(principal)
        return counts

    def export(self, user_id: object) -> dict[str, list[dict[str, Any]]]:
        """Return every row kept of one user by table, as JSON can carry it.

        Left out are hashes of tokens, and columns a host has registered as hidden.

        Raises:
            Invalid: it is no user id.
            ConfigError: a registered table is not in this database.
            StorageUnavailable: the database cannot be read.
        """
        return self._keeping.export(principals.user_id(user_id))

    def export_parts(self, user_id: object) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        """Return the same, some rows of one table at each step; every table comes at least once.

        For who has a lot: it is never in memory as a whole.

        Raises:
            Invalid: it is no user id.
            ConfigError: a registered table is not in this database.
            StorageUnavailable: the database cannot be read.
        """
        return self._keeping.export_parts(principals.user_id(user_id))

    def _prune(self) -> Iterator[tuple[str, int]]:
        retention_ms = self._config.retention_days * DAY_MS
        return self._keeping.prune(self._clock.now(), retention_ms)
