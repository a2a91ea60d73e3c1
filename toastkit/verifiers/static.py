"""Verify RS256 tokens with public keys that are known beforehand; no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from .. import principals
from ..clock import Clock, SystemClock
from ..errors import ConfigError, Invalid, InvalidToken, TokenExpired
from .contract import Claims

MAX_TOKEN = 8192
LEEWAY_SECONDS = 5
_ALGORITHM = "RS256"
_MIN_BITS = 2048
_END_OF_TIME = 1e12  # seconds; a JSON number may be too large for a float, or not finite
_JWS = jwt.PyJWS(algorithms=[_ALGORITHM])

_Keys = dict[str | None, list[RSAPublicKey]]


class StaticVerifier:
    """Check tokens of one issuer by its public keys: PEM texts, or a JWKS document.

    The signature is checked first and the claims after it, so that a forger learns nothing about
    them. The algorithm is ours, never the token's: a public key must not serve as an HMAC secret.

    Raises:
        ConfigError: no key, or one that is private, too short or not RSA.
    """

    def __init__(
        self,
        keys: str | Sequence[str] | Mapping[str, Any],
        clock: Clock | None = None,
        *,
        issuer: str = "",
        authorized_parties: Sequence[str] = (),
    ) -> None:
        self._keys = _read_jwks(keys) if isinstance(keys, Mapping) else _read_pems(keys)
        self._clock = clock or SystemClock()
        self._issuer = issuer
        self._parties = frozenset(authorized_parties)

    def verify(self, token: str) -> Claims:
        """Return what a token says.

        Raises:
            TokenExpired: it was good once.
            InvalidToken: it is not a token of this issuer for us.
        """
        if len(token) > MAX_TOKEN:
            raise InvalidToken(f"longer than {MAX_TOKEN} characters")
        claims = self._verified(token)
        self._ensure_timely(claims)
        self._ensure_for_us(claims)
        return Claims(_subject(claims))

    def _verified(self, token: str) -> dict[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise InvalidToken("not a JWT") from None
        if header.get("alg") != _ALGORITHM:
            raise InvalidToken(f"the algorithm must be {_ALGORITHM}")
        if str(header.get("typ", "JWT")).upper() != "JWT" or "crit" in header or "b64" in header:
            raise InvalidToken("its header asks for what is not understood")
        for key in self._candidates(header.get("kid")):
            try:
                return _read_claims(_JWS.decode(token, key, algorithms=[_ALGORITHM]))
            except (jwt.PyJWTError, ValueError):
                continue
        raise InvalidToken("the signature is not of a known key")

    def _candidates(self, kid: str | None) -> list[RSAPublicKey]:
        # A PEM text has no name: it may be the key of any token.
        return self._keys.get(kid) or self._keys.get(None) or []

    def _ensure_timely(self, claims: Mapping[str, Any]) -> None:
        now = self._clock.now() / 1000
        expires, begins = _time(claims, "exp"), _time(claims, "nbf")
        issued = _time(claims, "iat")
        if expires is None:
            raise InvalidToken("exp is missing")
        if max(begins or 0, issued or 0) > now + LEEWAY_SECONDS:
            raise InvalidToken("not valid yet")
        if now >= expires + LEEWAY_SECONDS:
            raise TokenExpired

    def _ensure_for_us(self, claims: Mapping[str, Any]) -> None:
        if self._issuer and claims.get("iss") != self._issuer:
            raise InvalidToken("another issuer")
        # A token without azp is refused too: skipping the check when it is absent is a bypass.
        party = claims.get("azp")
        if self._parties and not (isinstance(party, str) and party in self._parties):
            raise InvalidToken("issued to another party")


def _subject(claims: Mapping[str, Any]) -> str:
    subject = claims.get("sub")
    if not isinstance(subject, str):
        raise InvalidToken("sub is missing")
    try:
        user_id = principals.user_id(subject, "sub")
    except Invalid as error:
        raise InvalidToken(str(error)) from None
    if principals.is_anonymous(user_id):
        # An identity provider that lets users choose their id must not open somebody's device.
        raise InvalidToken("sub must not begin with anon:")
    return user_id


def _read_claims(payload: bytes) -> dict[str, Any]:
    try:
        claims = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise InvalidToken("its claims are not JSON") from None
    if not isinstance(claims, dict):
        raise InvalidToken("its claims are not an object")
    return claims


def _time(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not abs(value) < _END_OF_TIME:
        raise InvalidToken(f"{name} is not a time")
    return float(value)


def _read_pems(pems: str | Sequence[str]) -> _Keys:
    texts = [pems] if isinstance(pems, str) else list(pems)
    return {None: [_sound(_read_pem(text)) for text in texts] or _no_keys()}


def _read_pem(text: str) -> object:
    try:
        return load_pem_public_key(text.encode())
    except ValueError as error:
        raise ConfigError(f"a verifier's key must be a public key in PEM: {error}") from None


def _read_jwks(document: Mapping[str, Any]) -> _Keys:
    # Keys for other uses may stand in the same document; they are left alone.
    usable = [
        key
        for key in document.get("keys", ())
        if isinstance(key, Mapping)
        and key.get("kty") == "RSA"
        and key.get("use", "sig") == "sig"
        and key.get("alg", _ALGORITHM) == _ALGORITHM
    ]
    keys: _Keys = {}
    for key in usable:
        try:
            public = jwt.PyJWK(dict(key), algorithm=_ALGORITHM).key
        except (jwt.PyJWTError, ValueError) as error:
            raise ConfigError(f"a key of the JWKS document cannot be read: {error}") from None
        keys.setdefault(key.get("kid"), []).append(_sound(public))
    return keys or {None: _no_keys()}


def _sound(key: object) -> RSAPublicKey:
    if not isinstance(key, RSAPublicKey):
        raise ConfigError("a verifier's key must be an RSA public key")
    if key.key_size < _MIN_BITS:
        raise ConfigError(f"a verifier's key must have at least {_MIN_BITS} bits")
    return key


def _no_keys() -> list[RSAPublicKey]:
    raise ConfigError("a verifier needs at least one RSA public key")
