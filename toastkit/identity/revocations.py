"""Revocations: known here at once, and in every other process that serves at its next look."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from ..clock import Clock
from ..records import Session

LOOK_BACK_MS = 10_000
"""How far every look goes back: commits may be that late, and clocks of machines so far apart."""

Dismiss = Callable[[str, str], object]
"""End what is connected here by one session of a user; it is given the user and the hash."""


class Revoked(Protocol):
    """Tell of sessions that were revoked."""

    def revoked_since(self, at: int) -> Sequence[Session]:
        """Return every session that was revoked at a time or later."""


class Revocations:
    """End what revoked sessions have opened here.

    ``forget`` lets this process believe them no longer. Nothing is remembered of earlier looks: a
    connection that was admitted while its session was being revoked is found by the next one.
    """

    def __init__(
        self, revoked: Revoked, forget: Callable[[str], object], dismiss: Dismiss, clock: Clock
    ) -> None:
        self._revoked = revoked
        self._forget = forget
        self._dismiss = dismiss
        self._clock = clock
        self._looked_at: int | None = None

    def tell(self, user_id: str, token_hashes: Iterable[str]) -> None:
        """Note that these sessions of a user have been revoked."""
        for token_hash in token_hashes:
            # In this order: who is admitted after the dismissal has asked before it.
            self._forget(token_hash)
            self._dismiss(user_id, token_hash)

    def look(self) -> None:
        """Look for what other processes have revoked, since the last look and some time before.

        Raises:
            StorageUnavailable: the next look goes back as far.
        """
        now = self._clock.now()
        since = now if self._looked_at is None else min(self._looked_at, now)
        for session in self._revoked.revoked_since(since - LOOK_BACK_MS):
            self.tell(session.user_id, [session.token_hash])
        self._looked_at = now
