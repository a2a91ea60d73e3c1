"""Ask Redis something and wait for the answer: briefly, once, and not while it is away."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from redis import ConnectionPool
from redis.exceptions import AuthenticationError, NoScriptError, RedisError, ResponseError
from redis.exceptions import ConnectionError as Broken

from ...clock import Clock
from ...errors import BackplaneUnavailable, ConfigError
from .scripts import Script
from .timely import TimelyConnection, timely

if TYPE_CHECKING:
    from collections.abc import Iterator

Argument = str | bytes | float
Command = Sequence[Argument]

AWAY_SECONDS = 1.0
MAX_CONNECTIONS = 16


class Requests:
    """Let many threads or greenlets of a process ask; each waits at most ``ms`` milliseconds.

    While Redis is away one of them in a second finds out whether it is back, and all others are
    told so at once. Nothing is ever asked twice: what was not answered may have been done.
    """

    def __init__(self, url: str, clock: Clock, ms: int) -> None:
        try:
            pool = ConnectionPool.from_url(url)
            self._kind, self._settings = timely(pool.connection_class), pool.connection_kwargs
            self._clock = clock
            self._connection()  # an option that nobody knows is no matter of each request
        except (ValueError, TypeError, RedisError):
            # Not its words: they may be those of the URL, which holds the password.
            raise ConfigError("redis_url must be like redis://:password@host:6379/0") from None
        self.database: int = self._settings.get("db", 0)
        self._seconds = ms / 1000
        self._begin()

    @property
    def well(self) -> bool:
        """Tell whether Redis answered the last time."""
        return self._away_until is None

    def ask(self, *commands: Command) -> list[Any]:
        """Send commands in one write and return their replies, in order.

        Raises:
            BackplaneUnavailable: there was no answer, or Redis refused one of them.
        """
        with self._lent() as connection:
            return self._ask(connection, commands)

    def run(
        self, script: Script, keys: Sequence[str], *given: Argument, then: Command | None = None
    ) -> Any:
        """Run a script and return its reply; with it, one command that comes after it.

        Raises:
            BackplaneUnavailable: there was no answer, or Redis refused it.
        """
        with self._lent() as connection:
            return self._run(connection, script, [len(keys), *keys, *given], then)

    def run_here(self, script: Script, keys: Sequence[str], *given: Argument) -> Any:
        """Run a script that is told last which start of the server answers; as ``run``.

        Another one may know less than what was told, without any trace of it.
        """
        with self._lent() as connection:
            arguments = [len(keys), *keys, *given, connection.server]
            return self._run(connection, script, arguments)

    def close(self) -> None:
        """Close what nobody uses now."""
        while self._idle:
            self._idle.popleft().disconnect()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(MAX_CONNECTIONS)
        self._idle: deque[TimelyConnection] = deque()
        self._away_until: float | None = None

    @contextmanager
    def _lent(self) -> Iterator[TimelyConnection]:
        """Lend a connection for one question; what was not read to its end is closed."""
        if os.getpid() != self._pid:
            self._begin()  # a fork's: the parent's sockets are dropped, not spoken to
        self._ensure_well()
        until = self._clock.monotonic() + self._seconds
        if not self._places.acquire(timeout=self._seconds):
            raise BackplaneUnavailable("too many requests wait for Redis")
        connection = None
        try:
            connection = self._find(until)
            yield connection
        except ResponseError as error:
            self._put_back(connection)
            raise BackplaneUnavailable(f"Redis refused: {error}") from error
        except (RedisError, OSError) as error:
            self._drop(connection)
            self._away_until = self._clock.monotonic() + AWAY_SECONDS
            refused = isinstance(error, AuthenticationError)
            what = "refused" if refused else "cannot be reached"
            raise BackplaneUnavailable(f"Redis {what}: {error}") from error
        except BaseException:
            self._drop(connection)
            raise
        else:
            self._put_back(connection)
        finally:
            self._places.release()

    def _ensure_well(self) -> None:
        with self._lock:
            now = self._clock.monotonic()
            if self._away_until is None:
                return
            if now < self._away_until:
                raise BackplaneUnavailable("Redis cannot be reached")
            self._away_until = now + AWAY_SECONDS

    def _find(self, until: float) -> TimelyConnection:
        while self._idle:
            connection = self._idle.pop()
            connection.until = until
            if _is_quiet(connection):
                return connection
            connection.disconnect()
        connection = self._connection()
        try:
            connection.begin(until)
        except BaseException:
            connection.disconnect()
            raise
        return connection

    def _connection(self) -> TimelyConnection:
        return self._kind(self._clock, **self._settings)

    def _put_back(self, connection: TimelyConnection | None) -> None:
        self._away_until = None
        if connection is not None:
            self._idle.append(connection)

    def _drop(self, connection: TimelyConnection | None) -> None:
        if connection is not None:
            connection.disconnect()

    def _run(
        self,
        connection: TimelyConnection,
        script: Script,
        given: Sequence[Argument],
        then: Command | None = None,
    ) -> Any:
        after = [] if then is None else [then]
        try:
            return self._ask(connection, [("EVALSHA", script.sha, *given), *after])[0]
        except NoScriptError:
            # Once in the life of a server: it has not been shown the text.
            return self._ask(connection, [("EVAL", script.text, *given), *after])[0]

    def _ask(self, connection: TimelyConnection, commands: Sequence[Command]) -> list[Any]:
        connection.send_packed_command(connection.pack_commands(commands))
        replies = [_reply(connection) for _ in commands]
        for reply in replies:
            if isinstance(reply, ResponseError):
                raise reply
        return replies


def _reply(connection: TimelyConnection) -> Any:
    try:
        return connection.read_response()
    except ResponseError as error:
        return error  # the replies after it are to be read, too


def _is_quiet(connection: TimelyConnection) -> bool:
    """Tell whether nothing has come unasked: a server that went away says so by its end."""
    try:
        return not connection.can_read(0)
    except (Broken, OSError):
        return False
