"""Verify the tokens of any OpenID Connect issuer, with the keys it publishes."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from ..clock import Clock, SystemClock
from ..errors import ConfigError, KeysNotLoaded
from .claims import LEEWAY_SECONDS, Expected, names
from .contract import Claims
from .examiner import Examiner
from .fetching import NotFetched, fetch_json, within
from .keys import KeySet, ensure_algorithms, read_jwks
from .remote import JwksLimits, RemoteKeys


class JwksVerifier:
    """Check tokens of one issuer with the keys at a URL, which are fetched when first needed.

    ``issuer`` is ``iss``, to the letter. ``audience`` is what ``aud`` must name, or one of several;
    ``None`` says that any will do, which is right only where nobody else has tokens of this
    issuer: else every other app's users, and its owner, sign in here. ``authorized_parties``
    likewise for ``azp``. ``user_claim`` holds the user's id. ``required`` claims must have exactly
    these values: ``{"token_use": "access"}``.

    Raises:
        ConfigError: an argument is missing or cannot be.
    """

    def __init__(
        self,
        url: str,
        *,
        issuer: str,
        audience: str | Sequence[str] | None,
        authorized_parties: Sequence[str] = (),
        user_claim: str = "sub",
        algorithms: Sequence[str] = ("RS256",),
        required: Mapping[str, Any] | None = None,
        leeway_seconds: int = LEEWAY_SECONDS,
        limits: JwksLimits | None = None,
        allow_http: bool = False,
        clock: Clock | None = None,
    ) -> None:
        _ensure_issuer(issuer)
        if audience is not None and not names(audience):
            raise ConfigError("a verifier's audience must name somebody; None says: anybody")
        expected = Expected(
            issuer=issuer,
            audience=names(audience),
            parties=names(authorized_parties),
            user_claim=user_claim,
            required=dict(required or {}),
            leeway_seconds=leeway_seconds,
        )
        clock, allowed = clock or SystemClock(), ensure_algorithms(algorithms)
        ensure_url(url, allow_http=allow_http)
        self._keys = remote_keys(url, allowed, clock, limits or JwksLimits())
        self._examiner = Examiner(
            keys=self._keys, expected=expected, algorithms=allowed, clock=clock
        )

    def verify(self, token: str) -> Claims:
        """Return what a token says.

        Raises:
            TokenExpired: it was good once.
            InvalidToken: it is not a token of this issuer for us.
            KeysNotLoaded: its key is not known, and the issuer cannot be asked.
        """
        return self._examiner.verify(token)

    def load(self) -> bool:
        """Fetch the keys unless they are there, and tell whether they are now.

        Nobody needs to: the first token does it. It waits for ``timeout_seconds`` at most; why
        they cannot be had is logged.
        """
        return is_loaded(self._keys)


def remote_keys(url: str, allowed: frozenset[str], clock: Clock, limits: JwksLimits) -> RemoteKeys:
    """Return the keys at a URL; nothing is fetched yet."""

    def fetch() -> KeySet:
        deadline = within(limits.timeout_seconds, clock)
        document = fetch_json(url, deadline, limits.max_bytes)
        try:
            return read_jwks(document, allowed, lenient=True)
        except ConfigError:
            raise NotFetched("the document has no key for these algorithms") from None

    return RemoteKeys(_shown(url), fetch, clock, limits)


def is_loaded(keys: RemoteKeys) -> bool:
    """Wait for keys that are not there yet; tell whether they are."""
    try:
        keys.current()
    except KeysNotLoaded:
        return False
    return True


def ensure_url(url: str, *, allow_http: bool = False) -> None:
    """Make sure keys at a URL can be believed.

    Raises:
        ConfigError: anybody on the way could give us keys of their own, or it is no URL.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    if not host or parts.scheme not in {"https", "http"} or parts.username is not None:
        raise ConfigError("the URL of a JWKS must be https://host/path, without a password")
    if parts.scheme == "http" and not (allow_http or _is_here(host)):
        raise ConfigError(
            f"{_shown(url)}: keys must come by https, for whoever is on the way of http could replace "
            "them; http is for this machine alone (or allow_http=True)"
        )


def _ensure_issuer(issuer: str) -> None:
    if not issuer:
        raise ConfigError("a verifier of published keys needs the issuer (iss) of its tokens")


def _shown(url: str) -> str:
    # Some providers want a key of ours behind the question mark; no log does.
    return url.partition("?")[0]


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
