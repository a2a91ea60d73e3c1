"""Who signed this token, and whom does it name."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct


class Claims(Struct, frozen=True):
    """What a verified token says: the user it names."""

    user_id: str


class Verifier(Protocol):
    """Check a host identity provider's signed token."""

    def verify(self, token: str) -> Claims:
        """Return what the token says.

        Raises:
            TokenExpired: it was good once.
            InvalidToken: it is not a token of this provider for us.
            Unavailable: its keys cannot be had right now.
        """
