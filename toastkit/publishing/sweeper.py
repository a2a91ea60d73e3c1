"""Look for what nobody has decided, and hand it to the publisher's own tail."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from ..clock import Clock
from ..config import Config
from ..errors import ToastKitError
from ..runtime.contract import Runtime, Signal
from .inbox import Inbox
from .publisher import Publisher

BATCH = 64
"""Toasts taken at once: a claim is a lease, and what is taken must be decided within it."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SweeperParts:
    """What a sweeper is made of; ``prune`` deletes one batch and tells whether more is left."""

    config: Config
    clock: Clock
    runtime: Runtime
    inbox: Inbox
    publisher: Publisher
    prune: Callable[[], bool]


class Sweeper:
    """Look every ``sweep_ms``, in a process that serves: only such a one may decide.

    Finds what a process that serves nobody has published, what a crash left undecided, what a
    committed transaction left in the outbox, written toasts whose ack is overdue, and what is not
    kept any longer.
    """

    def __init__(self, parts: SweeperParts) -> None:
        self._config = parts.config
        self._clock = parts.clock
        self._runtime = parts.runtime
        self._inbox = parts.inbox
        self._publisher = parts.publisher
        self._prune = parts.prune
        self._stopping: Signal | None = None
        self._ended: Signal | None = None
        self._abandoned = False
        self._well = True
        self._pruned_at = parts.clock.monotonic()

    def start(self) -> None:
        """Begin to look, beside everything else. Once; does not block."""
        self._stopping, self._ended = self._runtime.signal(), self._runtime.signal()
        self._runtime.spawn(self._run)

    def cancel(self) -> None:
        """Look no more, when the look that may go on has ended."""
        if self._stopping is not None:
            self._stopping.set()

    def stop(self, seconds: float) -> None:
        """Look no more; wait at most ``seconds`` for a look that goes on."""
        self.cancel()
        if self._ended is not None:
            self._ended.wait(seconds)

    def abandon(self) -> None:
        """Look no more, in a forked child: gevent goes on there with what the parent began.

        Who is connected is the parent's to know: here, everything due would reach nobody.
        """
        self._abandoned = True

    def sweep(self) -> None:
        """Look once.

        Raises:
            StorageUnavailable: what is due stays due.
        """
        while self._publisher.relay() >= BATCH and not self._stopped:
            self._runtime.breathe()
        while due := self._inbox.claim_due(BATCH, self._config.lease_ms):
            # In the order of their positions, so that one user's leave in it.
            self._publisher.resume(sorted(due, key=lambda event: event.seq or 0))
            if len(due) < BATCH or self._stopped:
                break
            self._runtime.breathe()
        if self._config.ack_timeout_ms:
            self._give_up_acks()
        if self._clock.monotonic() - self._pruned_at >= self._config.prune_seconds:
            self._prune_for_a_while()

    @property
    def _stopped(self) -> bool:
        return self._stopping is not None and self._stopping.wait(0)

    def _run(self) -> None:
        assert self._stopping is not None
        assert self._ended is not None
        try:
            while not (self._stopping.wait(self._config.sweep_ms / 1000) or self._abandoned):
                self._look()
        finally:
            self._ended.set()

    def _look(self) -> None:
        # Nothing may end this job: what is due would stay so for ever.
        try:
            self.sweep()
        except ToastKitError as error:
            # The database is away, or lacks its tables until somebody upgrades it.
            if self._well and not self._stopped:
                log.warning("due toasts cannot be looked for: %s", error)
            self._well = False
        except Exception:
            log.exception("a look for due toasts failed; the next one is in a moment")
        else:
            self._well = True

    def _give_up_acks(self) -> None:
        while overdue := self._inbox.claim_unacked(BATCH):
            log.debug("%d written toasts were not acked in time", len(overdue))
            if len(overdue) < BATCH or self._stopped:
                break
            self._runtime.breathe()

    def _prune_for_a_while(self) -> None:
        # Millions of rows take minutes: what is due meanwhile must not wait for the last of them.
        began, more = self._clock.monotonic(), False
        until = began + self._config.sweep_ms / 1000
        try:
            while more := self._prune():
                if self._stopped or self._clock.monotonic() >= until:
                    break
                self._runtime.breathe()
        finally:
            if not more:
                self._pruned_at = began
