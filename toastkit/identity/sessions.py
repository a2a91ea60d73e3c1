"""Opaque sessions: the 30-minute tokens of ``/auth/session``."""

from __future__ import annotations

from typing import Protocol

from .. import ids, principals
from ..clock import Clock
from ..config import Config
from ..errors import InvalidToken, SessionRevoked, TokenExpired
from ..records import Session


class SessionRepository(Protocol):
    """Keep sessions by the hash of their token."""

    def add(self, session: Session) -> None:
        """Keep a new session."""

    def find(self, token_hash: str) -> Session | None:
        """Return a session, expired and revoked ones too."""

    def revoke(self, token_hash: str, at: int) -> bool:
        """Revoke a session that is not revoked yet; tell whether this call did it."""


class Sessions:
    """Mint, find and revoke opaque sessions (B1-B5). Only the hash of a token is stored."""

    def __init__(self, repository: SessionRepository, config: Config, clock: Clock) -> None:
        self._repository = repository
        self._config = config
        self._clock = clock

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
        """
        session = self._repository.find(ids.token_hash(token)) if self.owns(token) else None
        if session is None:
            raise InvalidToken("unknown session")
        if session.revoked_at is not None:
            raise SessionRevoked
        if self._clock.now() >= session.expires_at:
            raise TokenExpired
        return session

    def revoke(self, token: str) -> Session:
        """End a live session at once and return it (B5).

        Raises:
            TokenExpired: it had ended by itself.
            InvalidToken: it is not a session token, unknown, or revoked already.
        """
        if not self.owns(token):
            raise InvalidToken("not a session token")
        session = self.find(token)
        # Two logouts may race past find(); the repository lets one of them win.
        if not self._repository.revoke(session.token_hash, self._clock.now()):
            raise SessionRevoked
        return session

    def ensure_not_revoked(self, token_hash: str) -> None:
        """Make sure that a session, named by its hash, has not been revoked.

        Raises:
            SessionRevoked: it has.
        """
        if self.is_revoked(token_hash):
            raise SessionRevoked

    def is_revoked(self, token_hash: str) -> bool:
        """Tell whether a session, named by its hash, has been revoked."""
        session = self._repository.find(token_hash)
        return session is not None and session.revoked_at is not None
