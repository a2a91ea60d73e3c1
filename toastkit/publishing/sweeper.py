"""Look for what nobody has decided, and hand it to the publisher's own tail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..clock import Clock
from ..config import Config
from ..runtime.contract import Runtime
from .fallback import Fallback
from .inbox import Inbox
from .publisher import Publisher
from .rounds import Round, Rounds

BATCH = 64
"""Toasts taken at once: a claim is a lease, and what is taken must be decided within it."""


@dataclass(frozen=True, slots=True)
class SweeperParts:
    """What a sweeper is made of; ``prune`` deletes one batch and tells whether more is left."""

    config: Config
    clock: Clock
    runtime: Runtime
    inbox: Inbox
    publisher: Publisher
    fallback: Fallback
    prune: Callable[[], bool]


class Sweeper(Rounds):
    """Look every ``sweep_ms``, in a process that serves: only such a one may decide.

    Finds what a process that serves nobody has published, what a crash left undecided, what a
    committed transaction left in the outbox, written toasts whose ack is overdue, and what is not
    kept any longer. Decides nothing for ``reconnect_ms`` where a fallback would follow.
    """

    def __init__(self, parts: SweeperParts) -> None:
        seconds = parts.config.sweep_ms / 1000
        super().__init__(parts.runtime, Round(self.sweep, seconds, "due toasts"))
        self._config = parts.config
        self._clock = parts.clock
        self._runtime = parts.runtime
        self._inbox = parts.inbox
        self._publisher = parts.publisher
        self._fallback = parts.fallback
        # This process has just started, and its clients are on their way back: no phone should ring
        # for a toast that they are about to be replayed.
        grace = parts.config.reconnect_ms / 1000 if parts.fallback.steps else 0
        self._decides_at = parts.clock.monotonic() + grace
        self._prune = parts.prune
        self._pruned_at = parts.clock.monotonic()

    def sweep(self) -> None:
        """Look once.

        Raises:
            StorageUnavailable: what is due stays due.
        """
        while self._publisher.relay() >= BATCH and not self.stopped:
            self._runtime.breathe()
        if self._clock.monotonic() >= self._decides_at:
            self._decide()
            if self._config.ack_timeout_ms:
                self._give_up_acks()
        if self._clock.monotonic() - self._pruned_at >= self._config.prune_seconds:
            self._prune_for_a_while()

    def _decide(self) -> None:
        while due := self._inbox.claim_due(BATCH, self._config.lease_ms):
            # In the order of their positions, so that one user's leave in it.
            self._publisher.resume(sorted(due, key=lambda event: event.seq or 0))
            if len(due) < BATCH or self.stopped:
                break
            self._runtime.breathe()

    def _give_up_acks(self) -> None:
        while overdue := self._inbox.claim_unacked(BATCH, self._config.lease_ms):
            self._fallback.owe(self._fallback.owings(overdue, gated=True))
            if len(overdue) < BATCH or self.stopped:
                break
            self._runtime.breathe()

    def _prune_for_a_while(self) -> None:
        # Millions of rows take minutes: what is due meanwhile must not wait for the last of them.
        began, more = self._clock.monotonic(), False
        until = began + self._config.sweep_ms / 1000
        try:
            while more := self._prune():
                if self.stopped or self._clock.monotonic() >= until:
                    break
                self._runtime.breathe()
        finally:
            if not more:
                self._pruned_at = began
