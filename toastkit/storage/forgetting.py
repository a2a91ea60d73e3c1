"""One user's rows, wherever they are: all deleted, or all shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Table,
    delete,
    inspect,
    literal,
    or_,
    select,
    tuple_,
)
from sqlalchemy.sql.ddl import sort_tables

from ..errors import ConfigError, StorageUnavailable
from . import tables
from .batches import BATCH, Doomed, delete_in_batches
from .database import Database
from .owned import Owned, is_own

Progress = Callable[[str, int], object]


@dataclass(frozen=True, slots=True)
class _Part:
    """What one table holds of one user."""

    table: Table
    theirs: ColumnElement[bool]
    hidden: frozenset[str]


def forget(
    database: Database,
    registered: Sequence[Owned],
    user_id: str,
    progress: Progress | None = None,
) -> dict[str, int]:
    """Delete everything of one user; return how many rows of each table.

    ``progress`` is told of each batch: the table, and how many rows of it so far.

    What has been written since under the anonymous principals that became this user goes, too:
    nobody else can ever ask for it. Hosts' tables come first, those that refer to others before
    them. Broken off, it may be called again.

    Raises:
        ConfigError: a registered table is not in this database; nothing was deleted.
        StorageUnavailable: a part is deleted.
    """
    counts: Counter[str] = Counter()

    def note(table: str, some: int) -> None:
        counts[table] += some
        if some and progress is not None:
            progress(table, counts[table])

    rows = [each for each in registered if each.table is not tables.anonymous]
    for anon_id in database.read(partial(anonymous_of, user_id)):
        # But for who they became, which is what they are found by when this is broken off.
        _forget(database, rows, anon_id, note)
    _forget(database, registered, user_id, note)
    return dict(counts)


def export(
    database: Database, registered: Sequence[Owned], user_id: str
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Return every row of one user, some of one table at each step; every table comes once at least.

    Without what would open a door.

    Raises:
        ConfigError: a registered table is not in this database.
        StorageUnavailable: the database cannot be read.
    """

    def read(connection: Connection) -> list[_Part]:
        parts = _parts(registered, user_id, *anonymous_of(user_id, connection))
        ensure_here(connection, [part.table for part in parts])
        return parts

    for part in database.read(read):
        for rows in _pages(database, part):
            yield part.table.fullname, rows


def _forget(
    database: Database, registered: Sequence[Owned], user_id: str, note: Callable[[str, int], None]
) -> None:
    parts = _parts(registered, user_id)
    database.read(lambda connection: ensure_here(connection, [part.table for part in parts]))
    for part in parts:
        note(part.table.fullname, 0)
    for part in reversed(parts):
        for some in _delete(database, part, user_id):
            note(part.table.fullname, some)
        database.read(partial(_ensure_gone, part))
    # Once more and together: a toast published meanwhile must not outlive its numbering, for
    # another would be given its position.
    own = [part for part in parts if _is_own(part.table)]
    for table, some in database.write(_rest, own, about=[user_id]).items():
        note(table, some)


def anonymous_of(user_id: str, connection: Connection) -> list[str]:
    """Return the anonymous principals that became a user."""
    became = tables.anonymous.c.rebound_to == user_id
    return [
        f"anon:{uuid}"
        for uuid in connection.scalars(select(tables.anonymous.c.anon_uuid).where(became))
    ]


def _parts(registered: Sequence[Owned], *user_ids: str) -> list[_Part]:
    """Return what every table holds of users; a table comes after those it refers to."""
    parts = []
    for table in in_order(registered):
        columns = [each for each in registered if each.table is table]
        theirs = [
            each.column == value
            for each in columns
            for user_id in user_ids
            if (value := each.spelled(user_id)) is not None
        ]
        if theirs:
            hidden = frozenset[str]().union(*(each.hidden for each in columns))
            parts.append(_Part(table, or_(*theirs), hidden))
    return parts


def in_order(registered: Sequence[Owned]) -> list[Table]:
    """Return the library's tables, the principals first, then the hosts'; each after its parents."""
    theirs = [each.table for each in registered if not is_own(each)]
    own = list(dict.fromkeys(each.table for each in registered if is_own(each)))
    own.sort(key=lambda table: table is not tables.principals)
    return [*own, *sort_tables(list(dict.fromkeys(theirs)))]


def _is_own(table: Table) -> bool:
    return table.metadata is tables.metadata


def ensure_here(connection: Connection, wanted: Sequence[Table]) -> None:
    """Make sure that the hosts' among these tables are in this database.

    Raises:
        ConfigError: one is not.
    """
    inspector = inspect(connection)
    for table in wanted:
        if not _is_own(table) and not inspector.has_table(table.name, schema=table.schema):
            raise ConfigError(
                f"owned tables: the table {table.fullname} is not in toastkit's database"
            )


def _delete(database: Database, part: _Part, user_id: str) -> Iterator[int]:
    if part.table is tables.principals:
        return
    key = tuple(part.table.primary_key)
    if key:
        yield from delete_in_batches(database, Doomed(part.table, part.theirs, key, user_id))
    else:
        yield database.write(_all, part, about=[user_id])


def _ensure_gone(part: _Part, connection: Connection) -> None:
    """Make sure that a host's table holds nothing of the user any more.

    Raises:
        StorageUnavailable: it does.
    """
    held = select(literal(1)).select_from(part.table).where(part.theirs).limit(1)
    if not _is_own(part.table) and connection.scalar(held) is not None:
        raise StorageUnavailable(
            f"rows of {part.table.fullname} are held by a transaction that goes on; end it first"
        )


def _all(connection: Connection, parts: Sequence[_Part]) -> list[int]:
    return [connection.execute(delete(part.table).where(part.theirs)).rowcount for part in parts]


def _rest(connection: Connection, users: Sequence[Sequence[_Part]]) -> list[dict[str, int]]:
    return [{part.table.fullname: _all(connection, [part])[0] for part in parts} for parts in users]


def _pages(database: Database, part: _Part) -> Iterator[list[dict[str, Any]]]:
    """Return rows a batch at a time: a table of years takes neither long to answer nor memory."""
    key, after = tuple(part.table.primary_key), None
    while True:
        rows = database.read(partial(_page, part, after))
        yield [_shown(part, row) for row in rows]
        if not key or len(rows) < BATCH:
            return
        after = [rows[-1][column] for column in key]


def _page(part: _Part, after: Sequence[Any] | None, connection: Connection) -> Sequence[RowMapping]:
    key = tuple(part.table.primary_key)
    query = select(part.table).where(part.theirs)
    if key:
        query = query.order_by(*key).limit(BATCH)
    if after is not None:
        query = query.where(tuple_(*key) > tuple_(*after))
    return connection.execute(query).mappings().all()


def _shown(part: _Part, row: RowMapping) -> dict[str, Any]:
    found = {name: value for name, value in row.items() if name not in part.hidden}
    # Whatever a host keeps in its rows, an export is JSON.
    shown: dict[str, Any] = msgspec.to_builtins(found, enc_hook=str)
    return shown
