"""Keys of an identity provider, and tokens signed by them, good and otherwise."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from functools import cache

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

NOW = 1_767_225_600
ISSUER = "https://clerk.example.com"
PARTY = "https://app.example.com"
AUDIENCE = "toasts"
CLAIMS = {
    "sub": "ada",
    "iss": ISSUER,
    "azp": PARTY,
    "aud": AUDIENCE,
    "iat": NOW,
    "nbf": NOW,
    "exp": NOW + 60,
}
HEADER = {"alg": "RS256", "typ": "JWT", "kid": "ours"}

Sign = Callable[[bytes], bytes]


def private_key(name: str = "ours") -> rsa.RSAPrivateKey:
    return _made(name)  # not cached here: nothing and "ours" would be two keys


@cache
def _made(name: str) -> rsa.RSAPrivateKey:
    bits = 1024 if name == "weak" else 2048
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def other_key(curve: str = "P-256") -> ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey:
    return _made_otherwise(curve)


@cache
def _made_otherwise(curve: str) -> ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey:
    if curve == "Ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key({"P-256": ec.SECP256R1, "P-384": ec.SECP384R1}[curve]())


def pem(name: str = "ours") -> str:
    encoding, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    return private_key(name).public_key().public_bytes(encoding, form).decode()


def jwk(name: str = "ours", **extra: object) -> dict[str, object]:
    key = jwt.algorithms.RSAAlgorithm.to_jwk(private_key(name).public_key(), as_dict=True)
    return {**key, "kid": name, "use": "sig", "alg": "RS256", **extra}


def other_jwk(curve: str = "P-256", **extra: object) -> dict[str, object]:
    kind = jwt.algorithms.OKPAlgorithm if curve == "Ed25519" else jwt.algorithms.ECAlgorithm
    return {**kind.to_jwk(other_key(curve).public_key(), as_dict=True), "kid": curve, **extra}


def jwks() -> dict[str, object]:
    """Return what the provider publishes: good keys, and keys that must open nothing."""
    return {
        "keys": [
            jwk("ours"),
            jwk("second"),
            jwk("vault", use="enc"),
            jwk("wrapper", key_ops=["encrypt"]),
            jwk("weak"),
            jwk("newer", alg="PS256"),
            {"kty": "oct", "kid": "shared", "k": b64(b"s" * 32), "alg": "HS256"},
            {"kty": "oct", "kid": "disguised", "k": b64(b"s" * 32), "alg": "RS256"},
            other_jwk(),
        ]
    }


def b64(data: bytes | str) -> str:
    raw = data.encode() if isinstance(data, str) else data
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def rs256(name: str = "ours") -> Sign:
    return lambda message: private_key(name).sign(message, padding.PKCS1v15(), SHA256())


def assembled(header: object, payload: object, sign: Sign) -> str:
    """Make a token of anything at all, as no library would."""
    parts = [
        each if isinstance(each, str | bytes) else json.dumps(each) for each in (header, payload)
    ]
    head = ".".join(b64(part) for part in parts)
    return f"{head}.{b64(sign(head.encode()))}"


def signed(header: object, payload: object, name: str = "ours") -> str:
    return assembled(header, payload, rs256(name))


def token(name: str = "ours", header: dict[str, object] | None = None, **changes: object) -> str:
    """Return a good token; a claim that is ``None`` is left out."""
    claims = {k: v for k, v in {**CLAIMS, **changes}.items() if v is not None}
    return signed({**HEADER, "kid": name, **(header or {})}, claims, name)
