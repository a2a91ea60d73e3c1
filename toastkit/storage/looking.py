"""Look at a database without changing anything of it: not its schema, not even its file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

from msgspec import Struct
from sqlalchemy import URL, Connection, Inspector, func, inspect, select
from sqlalchemy.exc import DBAPIError

from .. import ids
from ..errors import ToastKitError
from . import engine
from .lookingfile import FileFacts, look_at_file
from .lookingserver import ServerFacts, look_at_server
from .tables import deliveries, toasts
from .trouble import cause
from .upgrade import HEAD, VERSION_TABLE, missing_of, version_of

WAIT_SECONDS = 2.0


class Waiting(Struct, frozen=True):
    """Say how many deliveries of a kind wait, and since when the first is due."""

    kind: str
    number: int
    due_since: int | None


class SchemaFacts(Struct, frozen=True):
    """Say how far the schema is.

    ``version`` is ``None`` where no migration of toastkit's has been. ``hosts``: the tables are
    there all the same. ``missing`` is what a host's migrations have not made.
    """

    version: str | None
    hosts: bool
    missing: tuple[str, ...] = ()
    head: str = HEAD


class Rows(Struct, frozen=True):
    """Say what waits: deliveries, toasts to be decided since ``undecided_since``.

    ``newest_at`` is when the newest toast was made, by the clock of who made it.
    """

    waiting: tuple[Waiting, ...] = ()
    undecided: int = 0
    undecided_since: int | None = None
    newest_at: int | None = None


class DatabaseFacts(Struct, frozen=True):
    """Hold what is known of a database; ``trouble`` says why that is not more."""

    place: str
    trouble: str = ""
    file: FileFacts | None = None
    server: ServerFacts | None = None
    schema: SchemaFacts | None = None
    rows: Rows | None = None


def place_of(url: str) -> str:
    """Return which database a URL names, without anything that may be secret."""
    try:
        read = engine.read_url(url)
    except ToastKitError:
        return "set"
    # set(password=None) would keep it.
    bare = URL.create(read.drivername, read.username, None, read.host, read.port, read.database)
    return bare.render_as_string()


def look(url: str, now: Callable[[], int]) -> DatabaseFacts:
    """Look at a database; waits some seconds at most for a server that does not answer.

    ``now`` is this machine's clock, in milliseconds since the epoch.

    Raises:
        ConfigError: the URL names nothing that can be used.
    """
    place, read = place_of(url), engine.read_url(url)
    file = look_at_file(read) if engine.ways(read).HAS_LOG else None
    if file is not None and (file.trouble or not file.exists):
        return DatabaseFacts(place, file.trouble, file)
    found: list[Any] = []
    try:
        engine.ways(read).ensure_place(read)
        with engine.telling():
            reading = engine.ways(read).reading(read, WAIT_SECONDS)
            try:
                with reading.connect() as connection:
                    found.extend(_looks(connection, None if file is not None else now))
            finally:
                reading.dispose()
    except ToastKitError as error:
        return DatabaseFacts(place, cause(error), file, *found)
    return DatabaseFacts(place, "", file, *found)


def _looks(connection: Connection, now: Callable[[], int] | None) -> Iterator[Any]:
    """Yield what is found of server, schema and rows, as far as one comes."""
    yield None if now is None else look_at_server(connection, now)
    schema = _schema(connection)
    yield schema
    yield _rows(connection) if _is_whole(schema) else None


def _schema(connection: Connection) -> SchemaFacts:
    found: Inspector = inspect(connection)
    if found.has_table(VERSION_TABLE):
        return SchemaFacts(version_of(connection), hosts=False)
    if not found.has_table(toasts.name):
        return SchemaFacts(None, hosts=False, missing=tuple(missing_of(found)))
    return SchemaFacts(None, hosts=True, missing=tuple(missing_of(found)))


def _is_whole(schema: SchemaFacts) -> bool:
    return schema.version == HEAD or (schema.hosts and not schema.missing)


def _rows(connection: Connection) -> Rows:
    try:
        return _counted(connection)
    except DBAPIError as error:
        if engine.trouble(error) is None:
            raise
        return Rows()  # too many to be counted in time, or not to be read by this role


def _counted(connection: Connection) -> Rows:
    due = deliveries.c.next_attempt_at
    waits = select(deliveries.c.kind, func.count(), func.min(due)).where(due.is_not(None))
    rows = connection.execute(waits.group_by(deliveries.c.kind))
    waiting = tuple(Waiting(kind, number, since) for kind, number, since in rows)
    accepted = (toasts.c.state == "accepted") & toasts.c.due_at.is_not(None)
    undecided = select(func.count(), func.min(toasts.c.due_at)).where(accepted)
    number, since = connection.execute(undecided).one()
    # By the key, which begins with the time: created_at has no index.
    newest = cast("str | None", connection.scalar(select(func.max(toasts.c.id))))
    newest_at = None if newest is None else ids.made_at(newest)
    return Rows(waiting, number, since, newest_at)
