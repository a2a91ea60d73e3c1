"""Tokens that must not open anything, by what is wrong with them."""

from __future__ import annotations

import hashlib
import hmac
import json

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512

from tests.verifiers.signing import (
    AUDIENCE,
    CLAIMS,
    HEADER,
    ISSUER,
    NOW,
    PARTY,
    Sign,
    assembled,
    b64,
    jwk,
    jwks,
    other_key,
    pem,
    private_key,
    rs256,
    signed,
    token,
)


def _hmac(secret: bytes, algorithm: str = "HS256", **header: object) -> str:
    digest = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}
    # An algorithm of another name is what the header says; the bytes are those of HS256.
    made = digest.get(algorithm, hashlib.sha256)
    head = {**HEADER, "alg": algorithm, **header}
    return assembled(head, CLAIMS, lambda message: hmac.digest(secret, message, made))


def _alg(value: object, sign: Sign | None = None) -> str:
    return assembled({**HEADER, "alg": value}, CLAIMS, sign or rs256())


def _rsa(algorithm: str) -> str:
    made = {"256": SHA256, "384": SHA384, "512": SHA512}[algorithm[2:]]()
    pss = padding.PSS(padding.MGF1(made), made.digest_size)
    how = pss if algorithm.startswith("PS") else padding.PKCS1v15()
    return _alg(algorithm, lambda message: private_key().sign(message, how, made))


def _other(algorithm: str, curve: str = "P-256", kid: str = "ours") -> str:
    return jwt.encode(CLAIMS, other_key(curve), algorithm, headers={"kid": kid})


def _of_the_algorithm() -> dict[str, str]:
    payload = b64(json.dumps(CLAIMS))
    unsigned = {name: b64(json.dumps({**HEADER, "alg": name})) for name in ("none", "None", "nOnE")}
    der = (
        private_key()
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    modulus = private_key().public_key().public_numbers().n.to_bytes(256, "big")
    secrets = {
        "the PEM text": pem().encode(),
        "the PEM text, stripped": pem().strip().encode(),
        "the key in DER": der,
        "the modulus": modulus,
        "the JWK": json.dumps(jwk()).encode(),
        "the JWKS document": json.dumps(jwks()).encode(),
        "its kid": b"ours",
        "nothing": b"",
        "a NUL": b"\0",
    }
    return {
        **{f"alg {name}, unsigned": f"{head}.{payload}." for name, head in unsigned.items()},
        **{f"alg {name}, signed": _alg(name) for name in (*unsigned, "NONE")},
        **{f"HS256 with {what} as secret": _hmac(key) for what, key in secrets.items()},
        **{f"{alg} with the PEM text": _hmac(pem().encode(), alg) for alg in ("HS384", "HS512")},
        "RS256 by name, HS256 by deed": _hmac(pem().encode(), "RS256"),
        "HS256 with a published secret": _hmac(b"s" * 32, kid="shared"),
        "RS256 with a published secret": _hmac(b"s" * 32, "RS256", kid="disguised"),
        **{f"{alg} by the right key": _rsa(alg) for alg in ("RS384", "RS512", "PS256", "PS384")},
        "RS256 by a key for PS256": token("newer"),
        "ES256 with an RSA key's name": _other("ES256"),
        "ES256 by a published key": _other("ES256", kid="P-256"),
        "ES384": _other("ES384", "P-384"),
        "EdDSA": _other("EdDSA", "Ed25519"),
        "ES256 of zeros": _alg("ES256", lambda _: bytes(64)),
        "RS256 by name, ES256 by deed": signed(HEADER, CLAIMS).rpartition(".")[0]
        + "."
        + _other("ES256").rpartition(".")[2],
        "alg missing": signed({"kid": "ours"}, CLAIMS),
        **{
            f"alg {value!r}": _alg(value)
            for value in (None, True, 256, [], ["RS256"], {"RS256": 1}, "", "rs256", "Rs256")
        },
        **{
            f"alg {value!r}": _alg(value) for value in (" RS256", "RS256 ", "RS256\0", "RS256,none")
        },
        **{
            f"alg {value!r}": _alg(value)
            for value in ("RSA", "SHA256", "RSA-OAEP", "dir", "ES256K")
        },
    }


def _of_the_key() -> dict[str, str]:
    attacker = jwk("attacker")
    evil = "https://evil.example/jwks.json"
    paths = (
        "../../../dev/null",
        "/etc/passwd",
        "' OR 1=1 --",
        "ours\0",
        "OURS",
        "ours ",
        "http://[",
    )
    return {
        "a signature of another key": token("attacker", header={"kid": "ours"}),
        "an unknown kid": token("attacker"),
        "a key that was taken back": token("retired"),
        "a key for encryption": token("vault"),
        "a key with other uses": token("wrapper"),
        "a key that is too short": token("weak"),
        "another key of the set than the kid says": token("second", header={"kid": "ours"}),
        "no kid, of another key": signed({"alg": "RS256"}, CLAIMS, "attacker"),
        **{
            f"a kid like {value!r}"[:40]: token(header={"kid": value})
            for value in (1, 0, True, False, 1.5, ["ours"], [], {"a": 1}, {}, "o" * 257, "o" * 5000)
        },
        **{f"a kid like {value!r}": token("attacker", header={"kid": value}) for value in paths},
        "a kid of snow": token("attacker", header={"kid": "☃"}),
        "a kid of half a character": signed('{"alg":"RS256","kid":"\\ud800"}', CLAIMS, "attacker"),
        "a key that comes along": token("attacker", header={"jwk": attacker}),
        "a key that comes along, as ours": token(
            "attacker", header={"jwk": attacker, "kid": "ours"}
        ),
        "a key to be fetched": token("attacker", header={"jku": evil}),
        "a key to be fetched, as ours": token("attacker", header={"jku": evil, "kid": "ours"}),
        "a certificate to be fetched": token("attacker", header={"x5u": evil, "kid": "ours"}),
        "a certificate that comes along": token(
            "attacker", header={"x5c": ["AAAA"], "kid": "ours"}
        ),
        "a thumbprint": token("attacker", header={"x5t#S256": "AAAA", "kid": "ours"}),
    }


def _of_the_header() -> dict[str, str]:
    texts = {
        "not JSON": "{",
        "empty": "",
        "text": '"RS256"',
        "a number": "1",
        "null": "null",
        "a list": json.dumps([HEADER]),
        "two objects": json.dumps(HEADER) * 2,
        "followed by something": json.dumps(HEADER) + "x",
        "in single quotes": str(HEADER),
        "with a comment": json.dumps(HEADER)[:-1] + "/**/}",
        "with a comma too many": json.dumps(HEADER)[:-1] + ",}",
        "nested too deep": '{"a":' + "[" * 2500 + "]" * 2500 + "}",
    }
    raw = {
        "in UTF-16": json.dumps(HEADER).encode("utf-16"),
        "with a BOM": b"\xef\xbb\xbf" + json.dumps(HEADER).encode(),
        "not UTF-8": b'{"alg":"RS256","kid":"\xff"}',
        "with a NUL": json.dumps(HEADER).encode() + b"\0",
    }
    types = (
        "JWE",
        "logout+jwt",
        "secevent+jwt",
        "dpop+jwt",
        "SAML",
        "JWT ",
        "",
        1,
        None,
        ["JWT"],
        {},
    )
    return {
        **{f"a header {what}": signed(text, CLAIMS) for what, text in {**texts, **raw}.items()},
        **{f"typ {value!r}": token(header={"typ": value}) for value in types},
        "an unknown crit": token(header={"crit": ["exp"]}),
        "an empty crit": token(header={"crit": []}),
        "a detached payload": token(header={"b64": False, "crit": ["b64"]}),
        "b64 without crit": token(header={"b64": False}),
        "compressed": token(header={"zip": "DEF"}),
        "as if encrypted": token(header={"enc": "A256GCM"}),
    }


def _of_the_claims() -> dict[str, str]:
    good = json.dumps(CLAIMS)
    texts = {
        "not JSON": "x",
        "empty": "",
        "a list": "[]",
        "text": '"ada"',
        "null": "null",
        "true": "true",
        "two objects": good * 2,
        "followed by something": good + "x",
        "cut off": good[:-1],
        "in single quotes": str(CLAIMS),
        "nested too deep": '{"sub":' + "[" * 2500 + "]" * 2500 + "}",
        "in UTF-16": good.encode("utf-16"),
        "with a BOM": b"\xef\xbb\xbf" + good.encode(),
        "not UTF-8": good.encode().replace(b"ada", b"\xff\xfe"),
        "of half a character": good.replace("ada", "\\ud800"),
        "with a NUL": good.encode() + b"\0",
        "an object in it": json.dumps({"claims": CLAIMS}),
    }
    far = {"tomorrow": NOW + 86_400, "a string": str(NOW), "true": True, "an object": {}, "[]": []}
    infinite = {"NaN": float("nan"), "infinite": float("inf"), "beyond all time": 10**400}
    never = {**far, **infinite}
    subs = {
        "empty": "",
        "a number": 7,
        "true": True,
        "a list": ["ada"],
        "an object": {"id": "ada"},
        "anon": "anon",
        "an anonymous principal": "anon:0b9d4c1e-7d5f-4a2b-9c3d-1e2f3a4b5c6d",
        "anon of nobody": "anon:",
        "with a separator": "ada:admin",
        "a wildcard": "*",
        "with white space": "a da",
        "white space": " ",
        "with a line break": "ada\n",
        "with NUL": "ada\x00",
        "turned around": "\u202eada",
        "without width": "ada\u200b",
        "too long": "a" * 201,
    }
    issuers = {
        "of another": f"{ISSUER}.evil",
        "with a slash": f"{ISSUER}/",
        "in capitals": ISSUER.upper(),
        "by http": ISSUER.replace("https", "http"),
        "with a path": f"{ISSUER}/evil",
        "with a user": ISSUER.replace("//", "//evil@"),
        "a list": [ISSUER],
        "an object": {ISSUER: 1},
        "empty": "",
        "true": True,
    }
    parties = {
        "of another": "https://evil.example",
        "a list": [PARTY],
        "empty": "",
        "a part": "https",
    }
    return {
        **{f"claims {what}": signed(HEADER, text) for what, text in texts.items()},
        **{f"{name} missing": token(**{name: None}) for name in ("sub", "iss", "azp", "exp")},
        **{f"{name} null": _with_null(name) for name in ("sub", "iss", "azp", "exp")},
        **{f"sub {what}": token(sub=value) for what, value in subs.items()},
        **{f"iss {what}": token(iss=value) for what, value in issuers.items()},
        **{f"azp {what}": token(azp=value) for what, value in parties.items()},
        **{f"exp {what}": token(exp=value) for what, value in never.items() if what != "tomorrow"},
        **{f"nbf {what}": token(nbf=value) for what, value in never.items()},
        **{f"iat {what}": token(iat=value) for what, value in never.items()},
        "a notice that somebody has signed out": token(events={"backchannel-logout": {}}),
    }


def _with_null(name: str) -> str:
    return signed(HEADER, {**CLAIMS, name: None})


def _of_the_form() -> dict[str, str]:
    good = token()
    head, payload, signature = good.split(".")
    eve = b64(json.dumps({**CLAIMS, "sub": "eve"}))
    bob = token(sub="bob").split(".")
    whole = {"payload": payload, "protected": head, "signature": signature}
    flipped = {
        f"{name}, character {place} changed": ".".join(
            part[:at] + ("A" if part[at] != "A" else "Q") + part[at + 1 :]
            if part is which
            else part
            for part in (head, payload, signature)
        )
        for name, which in (("header", head), ("claims", payload), ("signature", signature))
        for place, at in (
            ("0", 0),
            ("1", 1),
            ("in the middle", len(which) // 2),
            ("-2", -2 % len(which)),
        )
    }
    return {
        **flipped,
        "empty parts": "..",
        "one part": "x",
        "two parts": f"{head}.{payload}",
        "four parts": f"{good}.x",
        "a dot in front": f".{good}",
        "a dot at the end": f"{good}.",
        "five parts, as if encrypted": "a.b.c.d.e",
        "parts in another order": f"{payload}.{head}.{signature}",
        "no header": f".{payload}.{signature}",
        "no claims": f"{head}..{signature}",
        "no signature": f"{head}.{payload}.",
        "another payload under the signature": f"{head}.{eve}.{signature}",
        "a signature of another good token": f"{head}.{payload}.{bob[2]}",
        "claims of another good token": f"{head}.{bob[1]}.{signature}",
        "a signature of zeros": f"{head}.{payload}.{b64(bytes(256))}",
        "a signature of one": f"{head}.{payload}.{b64(bytes(255) + bytes([1]))}",
        "a signature cut short": good[:-4],
        "a signature made longer": f"{good}AAAA",
        "another spelling of the signature": good[:-1] + chr(ord(good[-1]) + 1),
        "something to be skipped": f"{head}.{payload}.{signature[:9]}!{signature[9:]}",
        "padding": f"{head}=.{payload}.{signature}",
        "padding at the end": f"{good}==",
        "plus and slash": good.replace("-", "+").replace("_", "/") + "+/",
        "a line break": f"{head}.{payload}.\n{signature}",
        "a line break at the end": f"{good}\n",
        "white space in front": f" {good}",
        "white space in it": f"{head}. {payload}.{signature}",
        "a tab at the end": f"{good}\t",
        "twice": f"{good} {good}",
        "twice, with a comma": f"{good},{good}",
        "in quotes": f'"{good}"',
        "with its scheme": f"Bearer {good}",
        "in small letters": good.lower(),
        "backwards": good[::-1],
        "as JSON": json.dumps(whole),
        "as JSON with several signatures": json.dumps({"payload": payload, "signatures": [whole]}),
        "percent encoded": good.replace(".", "%2E"),
        "dots of another kind": good.replace(".", "\u2024"),
        "a letter of another alphabet": good.replace("e", "\u0435", 1),
        "a byte order mark": f"\ufeff{good}",
        "a zero width space": f"{good}\u200b",
        "a NUL at the end": f"{good}\0",
        "too long": token(padding="x" * 8192),
        "8 KiB of dots": "." * 8192,
        "a mebibyte": "A" * 2**20,
        "not ASCII": f"{good}é",
        "no text at all": "\udcff\udcfe",
        "empty": "",
    }


def misdirected() -> dict[str, str]:
    """Return tokens for somebody else, for where an audience is named, and several keys are."""
    audiences = {
        "of another": "billing",
        "a list of others": ["a", "b"],
        "an empty list": [],
        "empty": "",
        "longer": f"{AUDIENCE}-admin",
        "a part": AUDIENCE[:-1],
        "a number": 1,
        "an object": {AUDIENCE: 1},
        "a list in a list": [[AUDIENCE]],
        "in capitals": "TOASTS",
    }
    return {
        "no kid among several keys": signed({"alg": "RS256"}, CLAIMS),
        "aud missing": token(aud=None),
        "aud null": _with_null("aud"),
        **{f"aud {what}": token(aud=value) for what, value in audiences.items()},
    }


def forgeries() -> dict[str, str]:
    """Return forged, mangled and misused tokens by name."""
    families = (_of_the_form, _of_the_algorithm, _of_the_key, _of_the_header, _of_the_claims)
    found: dict[str, str] = {}
    for family in families:
        made = family()
        assert not found.keys() & made.keys()
        found |= made
    return found
