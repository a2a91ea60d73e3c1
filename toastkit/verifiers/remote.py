"""Keep the public keys of one issuer, which are fetched and change."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakSet

from ..clock import Clock
from ..errors import ConfigError, KeysNotLoaded
from .fetching import NotFetched
from .keys import KeySet, PublicKey

log = logging.getLogger("toastkit")

THREAD = "toastkit-jwks"

Fetch = Callable[[], KeySet]
"""Return the keys as they are now, or raise NotFetched or ConfigError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JwksLimits:
    """Say how long keys are believed, and how much a fetch of them may cost.

    ``refresh_seconds``: older keys are used, and fetched anew beside the requests.
    ``stale_seconds``: keys that could not be fetched anew for so long are not used any more.
    ``cooldown_seconds``: for so long after a fetch that failed, or that a token with an unknown
    key has caused, no other is begun because of one. ``timeout_seconds``: for a whole fetch, and
    for a request that waits for it. ``max_bytes``: of the document.

    Raises:
        ConfigError: one of them is not positive, or keys would be too old before they are renewed.
    """

    refresh_seconds: float = 300
    stale_seconds: float = 86_400
    cooldown_seconds: float = 5
    timeout_seconds: float = 5
    max_bytes: int = 262_144

    def __post_init__(self) -> None:
        numbers = (self.refresh_seconds, self.cooldown_seconds, self.timeout_seconds)
        if min(*numbers, self.max_bytes) <= 0 or self.stale_seconds < self.refresh_seconds:
            raise ConfigError(
                "the limits of a JWKS must be positive, and its stale_seconds at least its "
                "refresh_seconds"
            )


@dataclass(frozen=True, slots=True)
class _Held:
    keys: KeySet
    since: float


class _Flight:
    """One fetch, by whoever needed it first, for everybody who needs it meanwhile."""

    def __init__(self, began: float, *, asked: bool) -> None:
        self.began = began
        self.asked = asked
        self.over = threading.Event()


class RemoteKeys:
    """Hold one issuer's keys; at most one fetch at a time, in a thread of its own.

    Keys that are held are never lost to a fetch that fails or brings none. Making it fetches
    nothing; what it has fetched is there in a forked child, too.
    """

    def __init__(self, name: str, fetch: Fetch, clock: Clock, limits: JwksLimits) -> None:
        self._name = name
        self._fetch = fetch
        self._clock = clock
        self._limits = limits
        self._lock = threading.Lock()
        self._flight: _Flight | None = None
        self._held: _Held | None = None
        self._failing = False
        self._next_try = self._next_ask = clock.monotonic()
        _living.add(self)

    def find(self, kid: str | None, algorithm: str) -> list[PublicKey]:
        """Return the keys that may have signed a token; an unknown one is looked for anew.

        Raises:
            KeysNotLoaded: nobody can tell right now.
        """
        keys = self.current()
        while not (found := keys.find(kid, algorithm)):
            newer = self._newer(keys)
            if newer is None:
                break
            keys = newer
        return found

    def current(self) -> KeySet:
        """Return the keys that are believed; waits for them only where there are none.

        Raises:
            KeysNotLoaded: they were never had, or not for too long.
        """
        held, now = self._held, self._clock.monotonic()
        if held is None or now - held.since >= self._limits.refresh_seconds:
            flight = self._fly(asked=False)
            if flight is not None and self._is_worth_waiting():
                self._wait(flight)
        keys = self._believed()
        if keys is None:
            raise KeysNotLoaded
        return keys

    def _is_worth_waiting(self) -> bool:
        # Keys nobody has looked at for long may have been taken back meanwhile. In an outage they
        # must do: no request waits for an answer that did not come to the last one.
        held = self._held
        idle = held is not None and (
            self._clock.monotonic() - held.since >= 2 * self._limits.refresh_seconds
        )
        return self._believed() is None or (idle and not self._failing)

    def _believed(self) -> KeySet | None:
        held = self._held
        if held is None or self._clock.monotonic() - held.since >= self._limits.stale_seconds:
            return None
        return held.keys

    def _newer(self, known: KeySet) -> KeySet | None:
        """Return newer keys than the ``known``, or ``None`` where those are new enough.

        Raises:
            KeysNotLoaded: there may be newer ones that cannot be had.
        """
        if self._believed() is known:
            flight = self._fly(asked=True)
            if flight is None and not self._failing:
                return None
            if flight is not None:
                self._wait(flight)
        keys = self._believed()
        if keys is None or keys is known:
            # The key may be a new one. That the token is not good would be a guess, and its
            # bearer would be signed out by it.
            raise KeysNotLoaded
        return keys

    def _fly(self, *, asked: bool) -> _Flight | None:
        """Return the fetch that is under way, or begin one, or none where it is too early."""
        with self._lock:
            if self._flight is not None:
                return self._flight
            now = self._clock.monotonic()
            if now < (max(self._next_try, self._next_ask) if asked else self._next_try):
                return None
            flight = self._flight = _Flight(now, asked=asked)
        try:
            threading.Thread(target=self._run, args=(flight,), name=THREAD, daemon=True).start()
        except RuntimeError as error:  # no more threads, or the interpreter is ending
            self._land(flight, None, str(error))
        return flight

    def _wait(self, flight: _Flight) -> None:
        # Until its time is up, not for so long from now: nobody waits for one that hangs.
        end = flight.began + self._limits.timeout_seconds
        flight.over.wait(max(0.0, end - self._clock.monotonic()))

    def _run(self, flight: _Flight) -> None:
        keys, why = None, "an error that nobody expected; see the log"
        try:
            keys = self._fetch()
        except (NotFetched, ConfigError) as error:
            why = str(error)
        except Exception:
            log.exception("fetching the keys of %s", self._name)
        finally:
            # Whatever happens: a flight that never lands would be the last one.
            self._land(flight, keys, why)

    def _land(self, flight: _Flight, keys: KeySet | None, why: str) -> None:
        with self._lock:
            if self._flight is not flight:
                # A greenlet that a fork has doubled: its twin in the parent reads the same socket.
                flight.over.set()
                return
            again = self._clock.monotonic() + self._limits.cooldown_seconds
            was_failing, failing = self._failing, keys is None
            self._failing = failing
            if keys is not None:
                self._held = _Held(keys, flight.began)
            else:
                self._next_try = again
            if flight.asked:
                self._next_ask = again
            self._flight = None
        try:
            if failing != was_failing:
                self._tell(why if failing else None)
        finally:
            flight.over.set()

    def _tell(self, why: str | None) -> None:
        if why is None:
            log.warning("the keys of %s can be had again", self._name)
        else:
            log.warning("the keys of %s cannot be had: %s; %s", self._name, why, self._so_far())

    def _so_far(self) -> str:
        if self._believed() is None:
            return "until they can, its tokens are answered with 503"
        return f"those known serve for up to {self._limits.stale_seconds / 3600:g} hours"

    def _forked(self) -> None:
        # The thread that fetches has stayed with the parent, which perhaps held the lock.
        self._lock = threading.Lock()
        self._flight = None


_living: WeakSet[RemoteKeys] = WeakSet()


def _tell_of_fork() -> None:
    for each in list(_living):
        each._forked()  # noqa: SLF001


os.register_at_fork(after_in_child=_tell_of_fork)
