"""Verify Clerk's session tokens: a profile of JWKS."""

from __future__ import annotations

from collections.abc import Sequence

from ..clock import Clock, SystemClock
from ..errors import ConfigError
from .claims import Expected, names
from .contract import Claims
from .examiner import Examiner
from .jwks import ensure_url, is_loaded, remote_keys
from .keys import ensure_algorithms, read_pems
from .remote import JwksLimits, RemoteKeys
from .tokens import ID_TOKENS


class ClerkVerifier:
    """Check Clerk's session tokens: RS256, ``iss``, and ``azp``, which must be there.

    ``authorized_parties`` are the origins of your own front ends. The keys come from ``jwks_url``,
    or else from where this issuer publishes them; with ``jwt_key``, the instance's public key in
    PEM, nothing is fetched. A user who has not finished signing in (``sts`` is ``pending``: an
    organisation is still to be chosen) is nobody yet, unless ``allow_pending``.

    Raises:
        ConfigError: an argument is missing or cannot be.
    """

    def __init__(
        self,
        *,
        issuer: str,
        authorized_parties: Sequence[str],
        jwks_url: str = "",
        jwt_key: str = "",
        audience: str | Sequence[str] | None = None,
        allow_pending: bool = False,
        limits: JwksLimits | None = None,
        clock: Clock | None = None,
    ) -> None:
        parties = names(authorized_parties)
        if not issuer or not parties:
            raise ConfigError("Clerk's tokens need the issuer and the authorized_parties of yours")
        clock, allowed = clock or SystemClock(), ensure_algorithms("RS256")
        self._remote: RemoteKeys | None = None
        if not jwt_key:
            url = jwks_url or f"{issuer}/.well-known/jwks.json"
            ensure_url(url)
            self._remote = remote_keys(url, allowed, clock, limits or JwksLimits())
        self._examiner = Examiner(
            keys=self._remote or read_pems(jwt_key, allowed),
            expected=Expected(
                issuer=issuer,
                audience=names(audience),
                parties=parties,
                refused={} if allow_pending else {"sts": "pending"},
            ),
            algorithms=allowed,
            clock=clock,
            types=ID_TOKENS,
        )

    def verify(self, token: str) -> Claims:
        """Return what a token says.

        Raises:
            TokenExpired: it was good once.
            InvalidToken: it is not a token of this instance for us.
            KeysNotLoaded: its key is not known, and Clerk cannot be asked.
        """
        return self._examiner.verify(token)

    def load(self) -> bool:
        """Fetch the keys unless they are there, and tell whether they are now.

        Nobody needs to: the first token does it. Why they cannot be had is logged.
        """
        return self._remote is None or is_loaded(self._remote)
