"""Read an identity provider's public keys, and find those that may have signed a token."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from ..errors import ConfigError

PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey | Ed448PublicKey

_RSA = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
_EC = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
ALGORITHMS = frozenset({*_RSA, *_EC.values(), "EdDSA"})
"""Those that may be allowed. A public key must never serve as the secret of an HMAC."""

MIN_BITS, MAX_BITS = 2048, 8192
MAX_KEYS = 100
_KINDS = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}
_MAX_MEMBER = 4 * MAX_BITS // 3 // 8 + 8


class Unusable(Exception):
    """A key was meant to verify tokens and cannot."""


class OfAnotherKind(Unusable):
    """A key fits none of the algorithms that are allowed."""


@dataclass(frozen=True, slots=True)
class Key:
    """Hold one public key and the algorithms it may verify."""

    public: PublicKey
    algorithms: frozenset[str]


class KeySet:
    """Find keys by the name and the algorithm that a token gives.

    A key without a name, such as a PEM text, may be that of any token. A token without the name
    of its key is checked where there is but one.
    """

    def __init__(self, keys: Sequence[tuple[str | None, Key]]) -> None:
        self._named: dict[str | None, list[Key]] = {}
        for kid, key in keys:
            self._named.setdefault(kid, []).append(key)
        self._only = [keys[0][1]] if len(keys) == 1 else []

    def find(self, kid: str | None, algorithm: str) -> list[PublicKey]:
        """Return the keys that may have signed a token, or none."""
        found = self._named.get(kid) or self._named.get(None)
        if not found and kid is None:
            found = self._only
        return [key.public for key in found or () if algorithm in key.algorithms]


def ensure_algorithms(algorithms: Collection[str]) -> frozenset[str]:
    """Return the algorithms that are allowed.

    Raises:
        ConfigError: one of them cannot be, or there is none.
    """
    given = frozenset([algorithms] if isinstance(algorithms, str) else algorithms)
    if not given or not given <= ALGORITHMS:
        raise ConfigError(
            f"a verifier's algorithms must be among {', '.join(sorted(ALGORITHMS))}: an identity "
            "provider signs with a key that nobody else has"
        )
    return given


def read_pems(pems: str | Sequence[str], allowed: frozenset[str]) -> KeySet:
    """Read public keys from PEM texts.

    Raises:
        ConfigError: there is none, or one that is private, too short or of another kind.
    """
    texts = [pems] if isinstance(pems, str) else list(pems)
    try:
        return _set_of([(None, _sound(_read_pem(text), allowed)) for text in texts])
    except Unusable as error:
        raise ConfigError(f"a verifier's key {error}") from None


def read_jwks(document: object, allowed: frozenset[str], *, lenient: bool = False) -> KeySet:
    """Read the keys of a JWKS document; keys for other uses and algorithms are left alone.

    ``lenient``: a key that cannot be used is left out as long as there is another.

    Raises:
        ConfigError: no key is left, or one that was meant to verify tokens cannot.
    """
    entries = document.get("keys") if isinstance(document, Mapping) else None
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        entries = ()
    keys: list[tuple[str | None, Key]] = []
    for entry in entries[:MAX_KEYS]:
        if not _verifies(entry, allowed):
            continue
        try:
            keys.append((_name(entry), _read_jwk(entry, allowed)))
        except OfAnotherKind:
            continue
        except Unusable as error:
            if not lenient:
                raise ConfigError(f"a key of the JWKS document {error}") from None
    return _set_of(keys)


def _set_of(keys: list[tuple[str | None, Key]]) -> KeySet:
    if not keys:
        raise ConfigError("a verifier needs at least one public key of its algorithms")
    return KeySet(keys)


def _verifies(entry: object, allowed: frozenset[str]) -> bool:
    if not isinstance(entry, Mapping) or entry.get("kty") not in list(_KINDS):
        return False  # a list, because kty may be anything
    uses, algorithm = entry.get("key_ops"), entry.get("alg")
    return (
        entry.get("use", "sig") == "sig"
        and (uses is None or (isinstance(uses, list) and "verify" in uses))
        and (algorithm is None or (isinstance(algorithm, str) and algorithm in allowed))
    )


def _name(entry: Mapping[str, Any]) -> str | None:
    kid = entry.get("kid")
    if kid is not None and not isinstance(kid, str):
        raise Unusable("has a kid that is no text")
    return kid


def _read_jwk(entry: Mapping[str, Any], allowed: frozenset[str]) -> Key:
    if "d" in entry:
        raise Unusable("is a private one, which everybody can read")
    # Only what a public key consists of, and no more of it than such a key can have: an integer
    # of a million digits takes a parser long.
    members = {name: entry.get(name) for name in ("kty", *_KINDS[entry["kty"]])}
    if not all(isinstance(value, str) and len(value) <= _MAX_MEMBER for value in members.values()):
        raise Unusable("cannot be read")
    try:
        public = jwt.PyJWK(members).key
    except (jwt.PyJWTError, ValueError, UnsupportedAlgorithm):
        raise Unusable("cannot be read") from None
    stated = entry.get("alg")
    return _sound(public, allowed if stated is None else allowed & {stated})


def _read_pem(text: str) -> object:
    try:
        return load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise Unusable("must be a public key in PEM") from None


def _sound(public: object, allowed: frozenset[str]) -> Key:
    fits = _algorithms_of(public) & allowed
    if not fits or not isinstance(public, PublicKey):
        raise OfAnotherKind(f"must be one for {' or '.join(sorted(allowed))}")
    if isinstance(public, RSAPublicKey) and not MIN_BITS <= public.key_size <= MAX_BITS:
        raise Unusable(f"must have {MIN_BITS} bits, and at most {MAX_BITS}")
    return Key(public, fits)


def _algorithms_of(public: object) -> frozenset[str]:
    match public:
        case RSAPublicKey():
            return _RSA
        case EllipticCurvePublicKey():
            return frozenset({_EC.get(public.curve.name, "")})
        case Ed25519PublicKey() | Ed448PublicKey():
            return frozenset({"EdDSA"})
    return frozenset()
