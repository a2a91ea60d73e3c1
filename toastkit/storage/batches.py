"""Delete many rows a little at a time, so that nobody who writes waits for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, bindparam, delete, select, tuple_

from .database import Database

BATCH = 500
"""Rows of one commit."""

Columns = tuple[ColumnElement[Any], ...]


@dataclass(frozen=True, slots=True)
class Doomed:
    """Rows of one table that are to go, the order in which they are found, and whose they are.

    ``whose``: a user's id, or the column that holds it.
    """

    table: Table
    gone: ColumnElement[bool]
    order: Columns
    whose: ColumnElement[Any] | str


@dataclass(frozen=True, slots=True)
class _Batch:
    doomed: Doomed
    keys: Sequence[Sequence[Any]]


def delete_in_batches(database: Database, doomed: Doomed) -> Iterator[int]:
    """Delete one batch at each step; tell how many rows it was.

    Raises:
        StorageUnavailable: the rest is still there.
    """
    after: Sequence[Any] | None = None
    while True:
        rows = database.read(partial(_next, doomed, after))
        if rows:
            yield _delete(database, doomed, rows)
        if len(rows) < BATCH:
            return
        after = _cut(rows[-1], doomed.order)


def _next(
    doomed: Doomed, after: Sequence[Any] | None, connection: Connection
) -> Sequence[Row[Any]]:
    # On from the last row found, not from the first there is: what stays is passed once.
    wanted = list(dict.fromkeys((*_key(doomed.table), *doomed.order)))
    if not isinstance(doomed.whose, str) and doomed.whose not in set(wanted):
        wanted.append(doomed.whose)
    query = select(*wanted).where(doomed.gone)
    if after is not None:
        query = query.where(tuple_(*doomed.order) > tuple_(*after))
    return connection.execute(query.order_by(*doomed.order).limit(BATCH)).all()


def _delete(database: Database, doomed: Doomed, rows: Sequence[Row[Any]]) -> int:
    batch = _Batch(doomed, [_cut(row, _key(doomed.table)) for row in rows])
    return database.write(_carry_out, batch, len(rows), about=_users(doomed, rows))


def _users(doomed: Doomed, rows: Sequence[Row[Any]]) -> list[str]:
    if isinstance(doomed.whose, str):
        return [doomed.whose]
    found = {row._mapping[doomed.whose] for row in rows}  # noqa: SLF001 - its public name
    return [user_id for user_id in found if user_id is not None]


def _carry_out(connection: Connection, batches: Sequence[_Batch]) -> list[int]:
    return [_delete_now(connection, batch) for batch in batches]


def _delete_now(connection: Connection, batch: _Batch) -> int:
    table, gone = batch.doomed.table, batch.doomed.gone
    # Looked at again: what was to go may be wanted again meanwhile.
    if connection.dialect.name == "sqlite":
        # Each by its key: to find rows of several columns in a list SQLite goes through the table.
        own = [column == bindparam(f"key{n}") for n, column in enumerate(_key(table))]
        given = [{f"key{n}": value for n, value in enumerate(key)} for key in batch.keys]
        return connection.execute(delete(table).where(*own, gone), given).rowcount
    # A row of a host's that the host's own transaction holds is passed over: everybody who writes
    # would wait for it.
    key = tuple_(*_key(table))
    free = select(*_key(table)).where(key.in_(batch.keys), gone).with_for_update(skip_locked=True)
    return connection.execute(delete(table).where(key.in_(free))).rowcount


def _key(table: Table) -> Columns:
    return tuple(table.primary_key)


def _cut(row: Row[Any], columns: Columns) -> Sequence[Any]:
    return tuple(row._mapping[column] for column in columns)  # noqa: SLF001 - its public name
