"""psycopg's connections in native threads, also where gevent has replaced what they wait with.

psycopg waits with ``select`` and connects with ``selectors``: where gevent has replaced these, a
native thread that waits would start a hub of its own. psycopg's C part waits without them, and
without the GIL.
"""

from __future__ import annotations

import _socket  # the C module, which gevent leaves alone
from collections.abc import Generator, Mapping
from typing import Any, TypeVar

from psycopg import Connection, Cursor, OperationalError, generators, waiting
from psycopg.conninfo import make_conninfo

from ..errors import ConfigError
from .trouble import SILENT

T = TypeVar("T")

LOOK_SECONDS = 0.1
"""How often a wait looks up."""

CONNECT_LOOKS = 20
"""A server that has not let us in after 2 s is away."""

_wait: Any = getattr(waiting, "wait_c", None)


class _Silence(OperationalError):
    sqlstate = SILENT

    def __init__(self) -> None:
        super().__init__("the server does not answer")


class NativeConnection(Connection[Any]):
    """A connection that any native thread may use, one at a time."""

    looks = CONNECT_LOOKS
    """How often a wait looks up before it takes the server for lost."""

    def wait(self, gen: Any, *_: Any, **__: Any) -> Any:
        """Wait for an answer; a server that gives none in time is left."""
        return _wait(self._answered(gen), self.pgconn.socket, LOOK_SECONDS)

    def _answered(self, gen: Generator[int, int, T]) -> Generator[int, int, T]:
        silent = 0
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if ready:
                    silent = 0
                    wanted = gen.send(ready)
                    continue
                silent += 1
                if silent > self.looks:
                    self.pgconn.finish()
                    raise _Silence
        except StopIteration as done:
            result: T = done.value
            return result


class _Cursor(Cursor[Any]):
    def execute(self, query: Any, params: Any = None, **given: Any) -> Any:
        # What has no parameters may be several statements, and those cannot be prepared.
        given["prepare"] = None if params else False
        return super().execute(query, params or None, **given)


def ensure_usable() -> None:
    """Make sure that psycopg has its C part.

    Raises:
        ConfigError: it has not.
    """
    if _wait is None:
        raise ConfigError(
            "PostgreSQL needs psycopg's C part, which the extra toastkit[postgres] has"
        )


def connect(given: Mapping[str, Any], looks: int) -> NativeConnection:
    """Connect, within 2 s when the server's name is known; blocks the thread.

    ``looks`` after this many tenths of a second without an answer a server is taken for lost.
    """
    connecting = generators.connect(make_conninfo(**_found(given)))
    silent = 0
    try:
        fileno, wanted = next(connecting)
        while True:
            ready = _wait(_once(wanted), fileno, LOOK_SECONDS)
            if ready:
                fileno, wanted = connecting.send(ready)
            elif (silent := silent + 1) > CONNECT_LOOKS:
                raise _Silence
    except StopIteration as done:
        connection = NativeConnection(done.value)
    connection.looks = looks
    connection.cursor_factory = _Cursor
    connection.autocommit = True
    return connection


def _once(wanted: int) -> Generator[int, int, int]:
    """Wait once for one thing: what psycopg's own loop makes of this is a poll."""
    ready = yield wanted
    return ready


def _found(given: Mapping[str, Any]) -> dict[str, Any]:
    """Look a host's address up here: libpq would hold the GIL while it asks for it."""
    values = dict(given)
    host = values.get("host")
    if not host or "hostaddr" in values or host.startswith(("/", "@")) or "," in host:
        return values
    try:
        found = _socket.getaddrinfo(host, None, 0, _socket.SOCK_STREAM)
    except OSError as error:
        raise OperationalError("the database's host cannot be found") from error
    addresses = list(dict.fromkeys(str(address[4][0]) for address in found))
    several = {"hostaddr": ",".join(addresses), "host": ",".join([host] * len(addresses))}
    return {**values, **several}
