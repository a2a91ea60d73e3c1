"""Windows of requests that all workers share: those of the ``limits`` library, in Redis."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from limits import RateLimitItem
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter

from toastkit import Config
from toastkit.backplane.redis.keys import Keys
from toastkit.backplane.redis.requests import Requests
from toastkit.backplane.redis.scripts import Script
from toastkit.clock import Clock

LONGEST_MS = 250


class SharedWindows:
    """Count requests for all workers; a request waits at most ``LONGEST_MS`` for that.

    The times in a window are those of the machines that counted: their clocks should agree.
    """

    def __init__(self, config: Config, clock: Clock) -> None:
        most = min(config.redis_timeout_ms, LONGEST_MS)
        requests = Requests(config.redis_url, clock, most)
        keys = Keys(config.redis_prefix, requests.database)
        self._limiter = MovingWindowRateLimiter(_Storage(requests, keys))

    def take(self, rate: RateLimitItem, key: tuple[str, ...]) -> float:
        """Count a hit and return 0, or return the seconds until one would count.

        Raises:
            BackplaneUnavailable: nobody knows now.
        """
        # One text: joined as the library joins several, those of two users could be the same.
        name = repr(key)
        if self._limiter.hit(rate, name):
            return 0
        # Its words for the end: when the oldest hit of the window is over, by the machines' time.
        left = self._limiter.get_window_stats(rate, name).reset_time - time.time()
        return min(max(left, 0.001), rate.get_expiry())


class _Storage(RedisStorage):
    """Have ``limits`` ask by our connections: with one deadline, and not while Redis is away."""

    STORAGE_SCHEME = []  # noqa: RUF012  # none: it is made here, and found by no URL

    def __init__(self, requests: Requests, keys: Keys) -> None:
        self._client: Any = _Client(requests)
        self._keys = keys
        super().__init__("redis://")  # of the connections that this names none is ever made

    def initialize_storage(self, _uri: str) -> None:
        self.storage = self._client
        super().initialize_storage(_uri)

    def prefixed_key(self, key: str) -> str:
        return self._keys.limit(key)


class _Client:
    """Be what ``limits`` needs of redis-py's client."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    def register_script(self, text: str | bytes) -> Callable[[Sequence[str], Sequence[float]], Any]:
        script = Script(text if isinstance(text, str) else text.decode())

        def run(keys: Sequence[str], given: Sequence[float]) -> Any:
            return self._requests.run(script, keys, *given)

        return run
