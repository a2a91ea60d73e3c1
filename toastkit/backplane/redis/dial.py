"""Where Redis is, and how a connection to it is made."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from redis import ConnectionPool, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from ...config import Config
from ...errors import ConfigError

CONNECT_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Place:
    """Say where Redis is, in words that hold no password, and how it is reached.

    ``dial`` makes a connection that has shown who it is and has chosen its database; it blocks,
    and raises ``OSError`` or redis-py's errors.
    """

    name: str
    database: int
    dial: Callable[[], socket.socket]

    @classmethod
    def of(cls, config: Config) -> Place:
        """Read the settings.

        Raises:
            ConfigError: the URL names no Redis.
        """
        text = (
            "TOASTKIT_REDIS_URL or REDIS_URL must be like redis://:password@host:6379/0, "
            "rediss:// or unix:///path"
        )
        try:
            _ensure_number(config.redis_url)
            pool = ConnectionPool.from_url(config.redis_url)
            pool.connection_class(**pool.connection_kwargs)
        except (ValueError, TypeError, RedisError):
            # Not its words: they may be those of the URL, which holds the password.
            raise ConfigError(text) from None
        seconds = config.redis_timeout_ms / 1000
        given = {
            **pool.connection_kwargs,
            "protocol": 2,
            "socket_timeout": seconds,
            "socket_connect_timeout": min(seconds, CONNECT_SECONDS),
            # redis-py 8 would go on trying for seconds.
            "retry": Retry(NoBackoff(), 0),
            "client_name": "toastkit",
        }

        def dial() -> socket.socket:
            connection = pool.connection_class(**given)
            connection.connect()
            # From here on the socket is ours, and the loop's: redis-py would block for each reply.
            connected, connection._sock = connection._sock, None  # noqa: SLF001
            return connected  # type: ignore[no-any-return]

        return cls(_name(given), int(given.get("db", 0)), dial)


def _ensure_number(url: str) -> None:
    parts = urlsplit(url)
    number = parts.path.removeprefix("/")
    # redis-py would take a database that is no number for 0, and so join who did not mean it.
    if parts.scheme != "unix" and number and not number.isdecimal():
        raise ValueError(number)


def _name(given: dict[str, object]) -> str:
    where = given.get("path") or f"{given.get('host', 'localhost')}:{given.get('port', 6379)}"
    return f"Redis at {where}"
