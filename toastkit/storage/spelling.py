"""One text of a statement, spelled for the database it goes to.

Written as SQLite takes it: ``?`` for a parameter, ``json_each(?)`` for rows that travel as one JSON
array, ``value ->> 0`` for the first field of such a row. PostgreSQL gives every field as text, so
numbers are cast: ``CAST(value ->> 1 AS BIGINT)``, which SQLite understands, too.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, Protocol

import msgspec
from sqlalchemy import Connection

_encode = msgspec.json.Encoder().encode


class Executes(Protocol):
    """A connection or a session, perhaps a host's, inside its transaction."""

    def execute(self, statement: Any, parameters: Any) -> Any:
        """Execute a statement."""


def as_json(value: Any) -> str:
    """Return what a column keeps as JSON, or the array that rows travel as."""
    return _encode(value).decode()


def spell(connection: Connection, text: str) -> str:
    """Return a statement as the connection's database takes it."""
    return _for_postgres(text) if connection.dialect.name == "postgresql" else text


def run(connection: Connection, text: str, parameters: Any) -> Iterable[Any]:
    """Run a statement, or (given a list) the same one for each of many; return its rows.

    For the writer: what SQLAlchemy adds to a statement takes SQLite longer than the statement.
    """
    if connection.dialect.name != "sqlite":
        return connection.exec_driver_sql(spell(connection, text), parameters)
    driver: Any = connection.connection.driver_connection
    many = isinstance(parameters, list)
    rows: Iterable[Any] = (driver.executemany if many else driver.execute)(text, parameters)
    return rows


@cache
def _for_postgres(text: str) -> str:
    return text.replace("json_each(?)", "json_array_elements(CAST(? AS json))").replace("?", "%s")
