"""Tokens that must not open anything, by what is wrong with them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from functools import cache

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA512

NOW = 1_767_225_600
ISSUER = "https://clerk.example.com"
PARTY = "https://app.example.com"
CLAIMS = {"sub": "ada", "iss": ISSUER, "azp": PARTY, "iat": NOW, "nbf": NOW, "exp": NOW + 60}


@cache
def private_key(name: str = "ours") -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(name: str = "ours") -> str:
    encoding, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    return private_key(name).public_key().public_bytes(encoding, form).decode()


def jwk(name: str = "ours", **extra: object) -> dict[str, object]:
    key = jwt.algorithms.RSAAlgorithm.to_jwk(private_key(name).public_key(), as_dict=True)
    return {**key, "kid": name, "use": "sig", "alg": "RS256", **extra}


def b64(data: bytes | str) -> str:
    raw = data.encode() if isinstance(data, str) else data
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(header: object, payload: object, name: str = "ours") -> str:
    """Sign anything at all, as no library would."""
    parts = [part if isinstance(part, str) else json.dumps(part) for part in (header, payload)]
    head = ".".join(b64(part) for part in parts)
    signature = private_key(name).sign(head.encode(), padding.PKCS1v15(), SHA256())
    return f"{head}.{b64(signature)}"


def token(name: str = "ours", header: dict[str, object] | None = None, **changes: object) -> str:
    """Return a good token; a claim that is ``None`` is left out."""
    claims = {k: v for k, v in {**CLAIMS, **changes}.items() if v is not None}
    return signed({"alg": "RS256", "typ": "JWT", "kid": name, **(header or {})}, claims, name)


def _hs256(secret: bytes) -> str:
    head = f"{b64(json.dumps({'alg': 'HS256', 'kid': 'ours'}))}.{b64(json.dumps(CLAIMS))}"
    return f"{head}.{b64(hmac.digest(secret, head.encode(), hashlib.sha256))}"


def _ps256() -> str:
    head = f"{b64(json.dumps({'alg': 'PS256', 'kid': 'ours'}))}.{b64(json.dumps(CLAIMS))}"
    pss = padding.PSS(padding.MGF1(SHA256()), 32)
    return f"{head}.{b64(private_key().sign(head.encode(), pss, SHA256()))}"


def _rs512() -> str:
    head = f"{b64(json.dumps({'alg': 'RS512', 'kid': 'ours'}))}.{b64(json.dumps(CLAIMS))}"
    return f"{head}.{b64(private_key().sign(head.encode(), padding.PKCS1v15(), SHA512()))}"


def _es256() -> str:
    return jwt.encode(
        CLAIMS, ec.generate_private_key(ec.SECP256R1()), "ES256", headers={"kid": "ours"}
    )


def forgeries() -> dict[str, str]:
    """Return forged, mangled and misused tokens by name."""
    good = token()
    head, payload, signature = good.split(".")
    eve = b64(json.dumps({**CLAIMS, "sub": "eve"}))
    none = b64(json.dumps({"alg": "none", "typ": "JWT"}))
    attacker = jwk("attacker")
    return {
        "empty parts": "..",
        "one part": "x",
        "two parts": f"{head}.{payload}",
        "four parts": f"{good}.x",
        "five parts, as if encrypted": "a.b.c.d.e",
        "no signature": f"{head}.{payload}.",
        "another payload under the signature": f"{head}.{eve}.{signature}",
        "a signature of another key": token("attacker", header={"kid": "ours"}),
        "an unknown kid": token("attacker"),
        "no kid": signed({"alg": "RS256"}, CLAIMS, "attacker"),
        "a kid that is a number": token(header={"kid": 1}),
        "a kid that is a list": token(header={"kid": ["ours"]}),
        "a kid that is an object": token(header={"kid": {"a": 1}}),
        "a kid that is a path": token("attacker", header={"kid": "../../../dev/null"}),
        "a key that comes along": token("attacker", header={"jwk": attacker}),
        "a key to be fetched": token("attacker", header={"jku": "https://evil.example/jwks"}),
        "a certificate that comes along": token("attacker", header={"x5c": ["AAAA"]}),
        "alg none, unsigned": f"{none}.{payload}.",
        "alg none, with the signature": f"{none}.{payload}.{signature}",
        "alg NONE": signed({"alg": "NONE", "kid": "ours"}, CLAIMS),
        "alg missing": signed({"kid": "ours"}, CLAIMS),
        "alg null": signed({"alg": None, "kid": "ours"}, CLAIMS),
        "alg a list": signed({"alg": ["RS256"], "kid": "ours"}, CLAIMS),
        "alg in small letters": signed({"alg": "rs256", "kid": "ours"}, CLAIMS),
        "HS256 with the public key as its secret": _hs256(pem().encode()),
        "HS256 with an empty secret": _hs256(b""),
        "RS512 by the right key": _rs512(),
        "PS256 by the right key": _ps256(),
        "ES256": _es256(),
        "an unknown crit": token(header={"crit": ["exp"]}),
        "an empty crit": token(header={"crit": []}),
        "a detached payload": token(header={"b64": False, "crit": ["b64"]}),
        "typ of something else": token(header={"typ": "secevent+jwt"}),
        "a header that is a list": signed([], CLAIMS),
        "a header that is not JSON": signed("{", CLAIMS),
        "a header nested too deep": signed('{"a":' + "[" * 2500 + "]" * 2500 + "}", CLAIMS),
        "a payload that is a list": signed({"alg": "RS256", "kid": "ours"}, []),
        "a payload that is not JSON": signed({"alg": "RS256", "kid": "ours"}, "x"),
        "a payload that is empty": signed({"alg": "RS256", "kid": "ours"}, ""),
        "a payload nested too deep": signed(
            {"alg": "RS256", "kid": "ours"}, '{"sub":' + "[" * 2500 + "]" * 2500 + "}"
        ),
        "padding": f"{head}=.{payload}.{signature}",
        "plus and slash": good.replace("-", "+").replace("_", "/") + "+/",
        "a line break": f"{head}.{payload}.\n{signature}",
        "too long": token(padding="x" * 8192),
        "8 KiB of dots": "." * 8192,
        "not ASCII": f"{good}é",
        "no text at all": "\udcff\udcfe",
        "sub missing": token(sub=None),
        "sub empty": token(sub=""),
        "sub a number": token(sub=7),
        "sub a list": token(sub=["ada"]),
        "sub anon": token(sub="anon"),
        "sub an anonymous principal": token(sub="anon:0b9d4c1e-7d5f-4a2b-9c3d-1e2f3a4b5c6d"),
        "sub with a separator": token(sub="ada:admin"),
        "sub a wildcard": token(sub="*"),
        "sub with white space": token(sub="a da"),
        "sub with NUL": token(sub="ada\x00"),
        "sub too long": token(sub="a" * 201),
        "iss missing": token(iss=None),
        "iss of another": token(iss="https://clerk.example.com.evil"),
        "iss with a slash": token(iss=ISSUER + "/"),
        "iss a list": token(iss=[ISSUER]),
        "azp missing": token(azp=None),
        "azp of another": token(azp="https://evil.example"),
        "azp a list": token(azp=[PARTY]),
        "exp missing": token(exp=None),
        "exp a string": token(exp=str(NOW + 60)),
        "exp true": token(exp=True),
        "exp a list": token(exp=[NOW + 60]),
        "exp beyond all time": token(exp=10**400),
        "exp NaN": token().replace(payload, b64(json.dumps({**CLAIMS, "exp": float("nan")}))),
        "exp NaN, signed": token(exp=float("nan")),
        "exp infinite, signed": token(exp=float("inf")),
        "nbf tomorrow": token(nbf=NOW + 86_400),
        "nbf a string": token(nbf="soon"),
        "iat tomorrow": token(iat=NOW + 86_400),
        "iat an object": token(iat={}),
    }
