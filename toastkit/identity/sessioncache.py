"""The sessions a process remembers, so that most requests cost no read."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress

from ..clock import Clock
from ..errors import SessionRevoked
from ..records import Session

RENEWED_AFTER = 0.75
"""Part of its freshness after which the first who asks for a session reads it again."""


class _Known:
    """What is known of one session: it is believed ``until``, and asked for again some time before.

    ``revoked`` is only ever set: a read that began before a revocation may end after it, and must
    not take it back.
    """

    __slots__ = ("renewed_at", "revoked", "session", "until")

    def __init__(self) -> None:
        self.session: Session | None = None
        self.renewed_at = self.until = 0.0
        self.revoked = False


class SessionCache:
    """Remember sessions by hash, at most so many; each is believed for a while.

    ``read`` asks storage. Used by many threads without a lock: what one does to what is known of
    a session, another cannot undo.
    """

    def __init__(
        self,
        read: Callable[[str], Session | None],
        clock: Clock,
        *,
        most: int,
        fresh_ms: int,
    ) -> None:
        self._read = read
        self._monotonic = clock.monotonic
        self._most = most
        self._fresh = fresh_ms / 1000
        self._known: OrderedDict[str, _Known] = OrderedDict()

    def find(self, token_hash: str) -> Session | None:
        """Return a session as it was at most ``fresh_ms`` ago, an expired one too.

        Raises:
            SessionRevoked: it is revoked; known at once when ``end`` was told.
            StorageUnavailable: it must be read, and cannot be.
        """
        known = self._known.get(token_hash)
        if known is not None:
            if known.revoked:
                raise SessionRevoked
            if self._monotonic() < known.renewed_at:
                return known.session
        return self._find(token_hash)

    def end(self, token_hash: str) -> None:
        """Note that a session is revoked."""
        self._entry(token_hash).revoked = True
        self._shrink()

    def clear(self) -> None:
        """Believe nothing any longer; not what is being read now, either."""
        self._known = OrderedDict()

    def _find(self, token_hash: str) -> Session | None:
        # Entered before it is read, so that a revocation meanwhile finds it. Whatever is entered
        # for this session later, by whom ever, this read does not touch.
        known = self._entry(token_hash)
        # One reads; those who ask meanwhile still believe what is known, as long as they may.
        known.renewed_at = known.until
        began = self._monotonic()
        try:
            session = self._read(token_hash)
        except BaseException:
            if known.session is None and not known.revoked:
                # Made-up tokens must not pile up while the database is away, either.
                self._known.pop(token_hash, None)
            raise
        if session is not None and session.revoked_at is not None:
            known.revoked = True
        if known.revoked:
            raise SessionRevoked
        if session is None:
            # Made-up tokens must not push out real sessions.
            self._known.pop(token_hash, None)
            return None
        known.session, known.until = session, began + self._fresh
        known.renewed_at = began + self._fresh * RENEWED_AFTER
        self._shrink(token_hash)
        return session

    def _entry(self, token_hash: str) -> _Known:
        # setdefault is atomic: of two who enter a session, both get the same entry.
        return self._known.setdefault(token_hash, _Known())

    def _shrink(self, newest: str | None = None) -> None:
        # Another thread may have pushed out the newest, or the last: then there is nothing to do.
        with suppress(KeyError):
            if newest is not None:
                self._known.move_to_end(newest)
            while len(self._known) > self._most:
                self._known.popitem(last=False)
