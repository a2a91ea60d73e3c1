"""Who signed this token, and whom does it name."""

from __future__ import annotations

from typing import Any, Protocol

from msgspec import Struct


class Claims(Struct, frozen=True):
    """What a verified token says: the user it names, until when, and all the rest.

    ``expires_at`` is in milliseconds since the epoch. ``all`` has every claim as the provider
    wrote it.
    """

    user_id: str
    expires_at: int | None = None
    all: dict[str, Any] = {}


class Verifier(Protocol):
    """Check a host identity provider's signed token."""

    def verify(self, token: str) -> Claims:
        """Return what the token says.

        Raises:
            TokenExpired: it was good once.
            InvalidToken: it is not a token of this provider for us.
            Unavailable: its keys cannot be had right now.
        """
