"""Do something again and again beside everything else; a round that fails ends nothing."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from ..errors import StorageUnavailable, ToastKitError
from ..runtime.contract import Runtime, Signal

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Round:
    """Say what is done in each round, how many seconds lie between two, and what it looks for."""

    look: Callable[[], object]
    seconds: float
    wanted: str


class Rounds:
    """Go round until stopped; what a round raises is logged, and the next one comes."""

    def __init__(self, runtime: Runtime, each: Round) -> None:
        self._runtime = runtime
        self._each = each
        self._bell: Signal | None = None
        self._ended: Signal | None = None
        self._over = False
        self._well = True
        self._awaited: deque[Signal] = deque()

    @property
    def stopped(self) -> bool:
        """Tell whether a round that goes on should come to its end."""
        return self._over

    def start(self) -> None:
        """Begin, beside everything else. Once; does not block."""
        self._prepare()
        self._runtime.spawn(self._run)

    def run(self) -> None:
        """Go round here, beginning at once, until stopped or interrupted; instead of ``start``."""
        self._prepare()
        self.hurry()
        self._run()

    def hurry(self) -> None:
        """Have the next round begin at once; one that goes on is followed by another."""
        if self._bell is not None:
            self._bell.set()

    def look_now(self, seconds: float) -> bool:
        """Have a round begin now; wait at most ``seconds`` for its end, and tell whether it came."""
        ended = self._runtime.signal()
        self._awaited.append(ended)
        self.hurry()
        return ended.wait(seconds)

    def cancel(self) -> None:
        """Begin no further round."""
        self._over = True
        self.hurry()

    def stop(self, seconds: float) -> None:
        """Begin no further round; wait at most ``seconds`` for one that goes on."""
        self.cancel()
        if self._ended is not None:
            self._ended.wait(seconds)

    def abandon(self) -> None:
        """Begin no further round in a forked child: gevent goes on there with what the parent began.

        Nobody is woken: what the parent's thread waits for is not the child's to touch.
        """
        self._over = True

    def _prepare(self) -> None:
        self._bell, self._ended = self._runtime.signal(), self._runtime.signal()

    def _run(self) -> None:
        assert self._ended is not None
        try:
            while self._comes():
                # Those that come while it goes on wait for the next one.
                awaited = len(self._awaited)
                self._look()
                for _ in range(awaited):
                    self._awaited.popleft().set()
        finally:
            self._ended.set()

    def _comes(self) -> bool:
        """Wait for the next round; tell whether there is one."""
        assert self._bell is not None
        self._bell.wait(self._each.seconds)
        # A fresh one before the round: whoever hurries from here on has another one begin. And
        # before the flag is read: whoever cancels sets that first, and rings the bell second.
        self._bell = self._runtime.signal()
        return not self._over

    def _look(self) -> None:
        # Nothing may end this job: what is wanted would wait for ever.
        try:
            self._each.look()
        except StorageUnavailable:
            # Storage says so itself, once for everybody who wants something of it.
            pass
        except ToastKitError as error:
            # The database lacks its tables until somebody upgrades it.
            if self._well and not self._over:
                log.warning("%s cannot be looked for: %s", self._each.wanted, error)
            self._well = False
        except Exception:
            log.exception("a look for %s failed; the next one is in a moment", self._each.wanted)
        else:
            self._well = True
