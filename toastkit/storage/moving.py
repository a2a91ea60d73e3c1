"""Make a host's rows another user's: one table after the other, in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Inspector,
    Table,
    delete,
    exists,
    func,
    inspect,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from ..errors import ConfigError, RebindClash
from .forgetting import ensure_here, in_order
from .owned import Owned, is_own

_TWICE = frozenset({1555, 2067, 2579, "23505", "23P01"})
"""What SQLite and PostgreSQL call two rows where only one may be."""

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Handover:
    """Say whose rows become whose, and when."""

    old: str
    new: str
    at: int


@dataclass(frozen=True, slots=True)
class HostTable:
    """A table of a host's, its columns that name users, and the sets of columns that must be unique."""

    table: Table
    columns: tuple[Owned, ...]
    keys: tuple[Key, ...]


def host_tables(connection: Connection, registered: Sequence[Owned]) -> list[HostTable]:
    """Look at the hosts' tables; those that others refer to come first.

    Raises:
        ConfigError: one is not in this database.
    """
    theirs = [each for each in registered if not is_own(each)]
    found = in_order(theirs)
    ensure_here(connection, found)
    inspector = inspect(connection)
    return [
        HostTable(
            table,
            tuple(each for each in theirs if each.table is table),
            tuple(_keys(inspector, table)),
        )
        for table in found
    ]


def move(connection: Connection, host: HostTable, given: Handover) -> int:
    """Make one user's rows of a table another's; return how many that are now.

    Raises:
        RebindClash: the other has a row already where one of these would go.
        ConfigError: the database forbids it for another reason.
    """
    plain = [each for each in host.columns if not callable(each.on_clash)]
    count = _count(connection, host.table, plain, given)
    try:
        for each in plain:
            count -= _make_way(connection, host, each, given)
            _rename(connection, each, given)
        return count + sum(_by_host(connection, each, given) for each in host.columns)
    except IntegrityError as error:
        raise told(error, host.table.fullname) from error


def told(error: IntegrityError, table: str) -> RebindClash | ConfigError:
    """Say what a database's constraint means."""
    orig: Any = error.orig
    code = getattr(orig, "sqlstate", None) or getattr(orig, "sqlite_errorcode", None)
    if code in _TWICE:
        return RebindClash(
            f"the user has a row in {table} where one of the anonymous principal's would go"
        )
    return ConfigError(
        f"owned tables: {table} has rows that its constraints keep from becoming another user's: "
        "make its foreign keys DEFERRABLE or ON UPDATE CASCADE, or give on_clash a function"
    )


def _keys(inspector: Inspector, table: Table) -> Iterator[Key]:
    """Return every set of columns that the database keeps unique for all rows."""
    name, schema = table.name, table.schema
    yield tuple(inspector.get_pk_constraint(name, schema)["constrained_columns"])
    for constraint in inspector.get_unique_constraints(name, schema):
        yield tuple(constraint["column_names"])
    for index in inspector.get_indexes(name, schema):
        # Of an expression nothing is known here, nor which rows a partial one is about: to make
        # way for these could cost rows that are in nobody's way. A clash there ends the move.
        names, options = index["column_names"], index.get("dialect_options", {})
        partial = any(option.endswith("_where") for option in options)
        if index["unique"] and not partial and None not in names:
            yield tuple(map(str, names))


def _count(connection: Connection, table: Table, columns: Sequence[Owned], given: Handover) -> int:
    held = [each.column == old for each in columns if (old := each.spelled(given.old)) is not None]
    if not held:
        return 0
    return connection.scalar(select(func.count()).select_from(table).where(or_(*held))) or 0


def _make_way(connection: Connection, host: HostTable, owned: Owned, given: Handover) -> int:
    """Delete what is in the way, as ``on_clash`` says; return how many of those that should move."""
    old, new = owned.spelled(given.old), owned.spelled(given.new)
    if owned.on_clash == "error" or old is None:
        return 0
    kept, gone = (new, old) if owned.on_clash == "keep" else (old, new)
    rows = 0
    for key in host.keys:
        if owned.column.name in key:
            doomed = delete(host.table).where(owned.column == gone, _same(owned, key, kept))
            rows += connection.execute(doomed).rowcount
    return rows if gone == old else 0


def _same(owned: Owned, key: Key, kept: Any) -> ColumnElement[bool]:
    """Choose rows whose key somebody else has, but for whose it is."""
    mine = {column.name: column for column in owned.table.c}
    theirs = {column.name: column for column in owned.table.alias("theirs").c}
    rest = [theirs[name] == mine[name] for name in key if name != owned.column.name]
    return exists().where(theirs[owned.column.name] == kept, *rest)


def _rename(connection: Connection, owned: Owned, given: Handover) -> None:
    old = owned.spelled(given.old)
    if old is not None:
        mine = update(owned.table).where(owned.column == old)
        connection.execute(mine.values({owned.column: owned.spelled(given.new)}))


def _by_host(connection: Connection, owned: Owned, given: Handover) -> int:
    if not callable(owned.on_clash):
        return 0
    rows = owned.on_clash(connection, given.old, given.new)
    if type(rows) is not int or rows < 0:
        raise ConfigError(
            f"owned tables: on_clash of {owned.name} must return how many rows it moved, not {rows!r}"
        )
    return rows
