"""At most so many requests in any minute."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict, deque

from limits import RateLimitItem, parse

from toastkit import Config
from toastkit.clock import Clock
from toastkit.errors import ConfigError, RateLimited

RATES = (
    *("bootstrap", "register", "publish", "list", "inbox", "stream"),
    *("session", "anonymous", "device", "rebind", "profile"),
)


class RateLimits:
    """Count requests by name and key; exactly N are let through in any window, never N+1.

    A rate is written as ``30/minute``. The windows are kept here and not in the memory storage of
    ``limits``: that one reads a clock tests cannot set, starts a thread before a server forks,
    and walks every key it ever saw whenever one is hit.
    """

    def __init__(self, config: Config, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._rates = {name: _rate(config, name) for name in RATES} if config.rate_limits else {}
        self._windows: dict[str, _Windows] = {name: OrderedDict() for name in self._rates}

    def hit(self, name: str, *key: str) -> None:
        """Count one request.

        Raises:
            RateLimited: it is one too many; it is not counted.
        """
        rate = self._rates.get(name)
        if rate is None:
            return
        with self._lock:
            wait = _take(self._windows[name], key, rate, self._clock.monotonic())
        if wait > 0:
            raise RateLimited(rate.amount, max(1, math.ceil(wait)))


_Windows = OrderedDict[tuple[str, ...], deque[float]]
"""When each key was hit, the key that was hit last at the end."""


def _take(windows: _Windows, key: tuple[str, ...], rate: RateLimitItem, now: float) -> float:
    """Count a hit and return 0, or return the seconds until one would count."""
    began = now - rate.get_expiry()
    hits = windows.setdefault(key, deque())
    while hits and hits[0] <= began:
        hits.popleft()
    if len(hits) >= rate.amount:
        return hits[0] - began
    hits.append(now)
    windows.move_to_end(key)
    _forget(windows, began)
    return 0


def _forget(windows: _Windows, began: float) -> None:
    # Two steps per hit keep up with the one key a hit can add, and cost the same at any size.
    for _ in range(2):
        key, hits = next(iter(windows.items()))
        if hits[-1] > began:
            return
        del windows[key]


def _rate(config: Config, name: str) -> RateLimitItem:
    text = getattr(config, f"{name}_rate")
    try:
        return parse(text)
    except ValueError:
        raise ConfigError(f"{name}_rate: {text!r} is not a rate like 30/minute") from None
