"""Verify tokens with public keys that are known beforehand; no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..clock import Clock, SystemClock
from .claims import Expected, names
from .contract import Claims
from .examiner import Examiner
from .keys import KeySet, ensure_algorithms, read_jwks, read_pems


class StaticVerifier:
    """Check tokens of one issuer by its public keys: PEM texts, or a JWKS document.

    Empty ``issuer``, ``audience`` and ``authorized_parties`` are not asked.

    Raises:
        ConfigError: no key, or one that is private, too short or not for these algorithms.
    """

    def __init__(
        self,
        keys: str | Sequence[str] | Mapping[str, Any],
        clock: Clock | None = None,
        *,
        issuer: str = "",
        audience: str | Sequence[str] | None = None,
        authorized_parties: Sequence[str] = (),
        user_claim: str = "sub",
        algorithms: Sequence[str] = ("RS256",),
    ) -> None:
        allowed = ensure_algorithms(algorithms)
        expected = Expected(
            issuer=issuer,
            audience=names(audience),
            parties=names(authorized_parties),
            user_claim=user_claim,
        )
        self._examiner = Examiner(
            keys=_read(keys, allowed),
            expected=expected,
            algorithms=allowed,
            clock=clock or SystemClock(),
        )

    def verify(self, token: str) -> Claims:
        """Return what a token says.

        Raises:
            TokenExpired: it was good once.
            InvalidToken: it is not a token of this issuer for us.
        """
        return self._examiner.verify(token)


def _read(keys: str | Sequence[str] | Mapping[str, Any], allowed: frozenset[str]) -> KeySet:
    return read_jwks(keys, allowed) if isinstance(keys, Mapping) else read_pems(keys, allowed)
