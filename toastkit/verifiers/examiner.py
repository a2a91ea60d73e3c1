"""Examine a token: its form, who signed it, and what it says, in this order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ..clock import Clock
from ..errors import InvalidToken
from .claims import Expected
from .contract import Claims
from .keys import PublicKey
from .tokens import ACCESS_TOKENS, Offered


class Keys(Protocol):
    """Know the public keys of one issuer."""

    def find(self, kid: str | None, algorithm: str) -> Sequence[PublicKey]:
        """Return the keys that may have signed a token, or none.

        Raises:
            Unavailable: they cannot be had right now.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Examiner:
    """Verify tokens by the keys of one issuer."""

    keys: Keys
    expected: Expected
    algorithms: frozenset[str]
    clock: Clock
    types: frozenset[str] = ACCESS_TOKENS

    def verify(self, token: str) -> Claims:
        """Return what a token says.

        Raises:
            TokenExpired: it was good once.
            InvalidToken: it is not a token of this issuer for us.
            Unavailable: the keys cannot be had right now.
        """
        offered = Offered.read(token, self.algorithms, self.types)
        if self.expected.issuer and offered.issuer != self.expected.issuer:
            # Before any key is asked for: tokens of one provider must not make us fetch the keys
            # of another. It tells a forger nothing, and is looked at again once it is verified.
            raise InvalidToken("another issuer", foreign=True)
        keys = self.keys.find(offered.kid, offered.algorithm)
        # The signature first, the rest of the claims after it: a forger learns nothing of them.
        return self.expected.read(offered.verified(keys), self.clock.now())
