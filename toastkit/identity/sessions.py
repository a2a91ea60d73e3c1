"""Opaque sessions: the 30-minute tokens of ``/auth/session``."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Protocol

from .. import ids, principals
from ..clock import Clock
from ..config import Config
from ..errors import InvalidToken, SessionRevoked, TokenExpired
from ..records import Session
from .revocations import Dismiss, Revocations, Revoked
from .sessioncache import SessionCache


class SessionRepository(Revoked, Protocol):
    """Keep sessions by the hash of their token."""

    def add(self, session: Session) -> None:
        """Keep a new session."""

    def find(self, token_hash: str) -> Session | None:
        """Return a session, expired and revoked ones too."""

    def revoke(self, token_hash: str, user_id: str, at: int) -> bool:
        """Revoke a user's session that is not revoked yet; tell whether this call did it."""

    def revoke_all(self, user_id: str, at: int) -> list[str]:
        """Revoke every live session of a user; return their hashes."""


def _nobody(user_id: str, token_hash: str) -> None:
    """Dismiss nobody: nothing is connected."""


def _nowhere(user_id: str, token_hashes: Collection[str]) -> None:
    """Tell no other worker of sessions that ended: there is none, or it looks itself."""


def _unheard(_user_id: str, _sessions: int) -> None:
    """Tell nobody of sessions that ended."""


class Sessions:
    """Mint, find and revoke opaque sessions (B1-B5). Only the hash of a token is stored.

    A session is found without a read for ``session_fresh_ms``. A revocation counts at once in the
    process that did it, and within ``sweep_ms`` or ``session_fresh_ms`` in others, sooner where
    ``spread`` reaches them. ``dismiss`` ends what is connected here by a session; ``revoked`` is
    told how many of a user this process has ended.
    """

    def __init__(
        self,
        repository: SessionRepository,
        config: Config,
        clock: Clock,
        dismiss: Dismiss = _nobody,
        *,
        revoked: Callable[[str, int], object] = _unheard,
        spread: Callable[[str, Collection[str]], object] = _nowhere,
    ) -> None:
        self._repository = repository
        self._config = config
        self._clock = clock
        self._revoked = revoked
        self._spread = spread
        fresh_ms = config.session_fresh_ms
        self._cache = SessionCache(
            repository.find, clock, most=config.session_cache, fresh_ms=fresh_ms
        )
        self.revocations = Revocations(repository, self._cache.end, dismiss, clock)

    def owns(self, token: str) -> bool:
        """Tell whether a token claims to be an opaque session, by its prefix."""
        return token.startswith(self._config.session_prefix)

    def mint(self, user_id: str) -> tuple[str, Session]:
        """Return a fresh token, shown this once, and its session.

        Raises:
            StorageUnavailable: it could not be kept.
        """
        token, now = ids.token(self._config.session_prefix), self._clock.now()
        session = Session(
            token_hash=ids.token_hash(token),
            user_id=user_id,
            kind="anonymous" if principals.is_anonymous(user_id) else "user",
            created_at=now,
            expires_at=now + self._config.session_seconds * 1000,
        )
        self._repository.add(session)
        return token, session

    def find(self, token: str) -> Session:
        """Return the live session of a token.

        A revoked token never looks expired: a client answers ``Token expired`` by coming back.

        Raises:
            TokenExpired: its 30 minutes are over.
            InvalidToken: it is unknown or revoked.
            StorageUnavailable: it must be read, and cannot be.
        """
        session = self._cache.find(ids.token_hash(token)) if self.owns(token) else None
        if session is None:
            raise InvalidToken("unknown session")
        if self._clock.now() >= session.expires_at:
            raise TokenExpired
        return session

    def revoke(self, token: str) -> Session:
        """End a live session and what is connected by it, at once, and return it (B5).

        Raises:
            TokenExpired: it had ended by itself.
            InvalidToken: it is not a session token, unknown, or revoked already.
            StorageUnavailable: nothing was changed.
        """
        if not self.owns(token):
            raise InvalidToken("not a session token")
        session = self.find(token)
        token_hash, user_id = session.token_hash, session.user_id
        # Two logouts may race past find(); the repository lets one of them win.
        won = self._repository.revoke(token_hash, user_id, self._clock.now())
        if not won:
            self.revocations.tell(user_id, [token_hash])
            raise SessionRevoked
        self.ended(user_id, [token_hash])
        return session

    def revoke_all(self, user_id: object) -> int:
        """End every live session of a user and what is connected by them; return how many.

        For a new password, a lost phone. The host's own login is the host's to end.

        Raises:
            Invalid: it is no user id.
            StorageUnavailable: nothing was changed.
        """
        owner = principals.user_id(user_id)
        ended = self._repository.revoke_all(owner, self._clock.now())
        self.ended(owner, ended)
        return len(ended)

    def ended(self, user_id: str, token_hashes: Collection[str]) -> None:
        """Note that these sessions of a user have been revoked, in a transaction that committed."""
        self.revocations.tell(user_id, token_hashes)
        if token_hashes:
            self._spread(user_id, token_hashes)
            self._revoked(user_id, len(token_hashes))

    def doubt(self) -> None:
        """Believe no session any longer without a read: rows have been deleted."""
        self._cache.clear()

    def ensure_not_revoked(self, token_hash: str) -> None:
        """Make sure that a session, named by its hash, has not been revoked; it may have expired.

        Raises:
            SessionRevoked: it has, or its user was forgotten.
            StorageUnavailable: it must be read, and cannot be.
        """
        if self._cache.find(token_hash) is None:
            raise SessionRevoked
