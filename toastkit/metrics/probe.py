"""Look all the time how late the loop comes to what is due."""

from __future__ import annotations

from collections.abc import Callable

from ..clock import Clock
from ..runtime.contract import Runtime

TICK_SECONDS = 0.05
"""Time between two looks: whatever holds the loop longer than this is seen by one of them."""


class Probe:
    """Tell ``told`` how late each look was, in seconds, on the loop, from ``start`` to the end.

    It is started and ended as the rounds of a kit are.
    """

    def __init__(self, runtime: Runtime, clock: Clock, told: Callable[[float], object]) -> None:
        self._runtime = runtime
        self._clock = clock
        self._told = told
        self._due = 0.0
        self._over = False

    @property
    def stopped(self) -> bool:
        """Tell whether nobody looks any more."""
        return self._over

    def start(self) -> None:
        """Begin; does not block."""
        self._runtime.call(self._await)

    def look_now(self, _seconds: float) -> bool:
        """Have what was noted added up now; not late, as nobody waited for it."""
        self._runtime.ask(lambda: self._told(0.0))
        return True

    def cancel(self) -> None:
        """Look no more."""
        self._over = True

    def stop(self, _seconds: float) -> None:
        """Look no more; there is nothing to wait for."""
        self._over = True

    def abandon(self) -> None:
        """Look no more in a forked child."""
        self._over = True

    def _await(self) -> None:
        self._due = self._clock.monotonic() + TICK_SECONDS
        self._runtime.call_later(TICK_SECONDS, self._look)

    def _look(self) -> None:
        if self._over:
            return
        late = self._clock.monotonic() - self._due
        try:
            self._told(max(0.0, late))
        finally:
            # Whatever goes wrong with one look, the next one comes.
            self._await()
