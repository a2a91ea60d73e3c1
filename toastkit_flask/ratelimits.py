"""At most so many requests in any minute."""

from __future__ import annotations

import logging
import math
import threading
from collections import OrderedDict, deque
from typing import TYPE_CHECKING

from limits import RateLimitItem, parse

from toastkit import Config
from toastkit.clock import Clock
from toastkit.errors import BackplaneUnavailable, ConfigError, RateLimited

if TYPE_CHECKING:
    from .sharedwindows import SharedWindows

log = logging.getLogger(__name__)

RATES = (
    *("bootstrap", "register", "publish", "list", "inbox", "stream"),
    *("session", "anonymous", "device", "rebind", "profile"),
)


class RateLimits:
    """Count requests by name and key; exactly N are let through in any window, never N+1.

    A rate is written as ``30/minute``. With Redis that is for all workers together. While it is
    away each counts alone, and goes on from what it let through itself.

    A worker's own windows are kept here and not in the memory storage of ``limits``: that one
    reads a clock tests cannot set, starts a thread before a server forks, and walks every key it
    ever saw whenever one is hit.
    """

    def __init__(self, config: Config, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._rates = {name: _rate(config, name) for name in RATES} if config.rate_limits else {}
        self._windows: dict[str, _Windows] = {name: OrderedDict() for name in self._rates}
        self._shared = _shared(config, clock) if self._rates else None
        self._together = True

    def hit(self, name: str, *key: str) -> None:
        """Count one request.

        Raises:
            RateLimited: it is one too many; it is not counted.
        """
        rate = self._rates.get(name)
        if rate is None:
            return
        wait = self._take_shared(rate, (name, *key))
        if not wait:
            # Also what all workers let through: it counts when this one has to go on alone.
            with self._lock:
                alone = _take(self._windows[name], key, rate, self._clock.monotonic())
            wait = alone if wait is None else 0
        if wait > 0:
            raise RateLimited(rate.amount, max(1, math.ceil(wait)))

    def _take_shared(self, rate: RateLimitItem, key: tuple[str, ...]) -> float | None:
        """Count a hit for all workers, as ``_take``; return ``None`` when nobody can now."""
        if self._shared is None:
            return None
        wait, trouble = None, None
        try:
            wait = self._shared.take(rate, key)
        except BackplaneUnavailable as error:
            trouble = str(error)
        if (trouble is None) != self._together:
            self._together = trouble is None
            if trouble is None:
                log.warning("rates are counted by all workers together again")
            else:
                log.warning("rates are counted by each worker alone: %s", trouble)
        return wait


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


def _shared(config: Config, clock: Clock) -> SharedWindows | None:
    if not config.redis_url:
        return None
    # Not above: a process alone needs no Redis, and not its packages.
    from .sharedwindows import SharedWindows

    return SharedWindows(config, clock)


def _rate(config: Config, name: str) -> RateLimitItem:
    text = getattr(config, f"{name}_rate")
    try:
        rate = parse(text)
    except ValueError:
        raise ConfigError(f"{name}_rate: {text!r} is not a rate like 30/minute") from None
    if rate.amount < 1:
        raise ConfigError(f"{name}_rate: {text!r} lets nobody in; it must be 1/minute or more")
    return rate
