"""Read a signed token as it was offered, strictly, and check who signed it."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

import jwt
import msgspec

from ..errors import InvalidToken
from .keys import ALGORITHMS, PublicKey

MAX_TOKEN = 8192
MAX_KID = 256
ID_TOKENS = frozenset({"JWT"})
ACCESS_TOKENS = frozenset({"JWT", "AT+JWT"})
_FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_NOT_UNDERSTOOD = ("crit", "b64", "zip", "enc")
_JWS = jwt.PyJWS(algorithms=list(ALGORITHMS))


@dataclass(frozen=True, slots=True)
class Offered:
    """Hold a token whose form is right; who signed it is not known yet.

    ``issuer`` is what the token itself claims, which proves nothing.
    """

    text: str = field(repr=False)
    algorithm: str
    kid: str | None
    issuer: object

    @classmethod
    def read(cls, text: str, algorithms: Collection[str], types: Collection[str]) -> Offered:
        """Read a token; ``algorithms`` and ``types`` are ours, never the token's choice.

        Raises:
            InvalidToken: it is not a signed token of these kinds.
        """
        if len(text) > MAX_TOKEN:
            raise InvalidToken(f"longer than {MAX_TOKEN} characters")
        if not _FORM.fullmatch(text):
            raise InvalidToken("not a JWT")
        head, payload, _ = text.split(".")
        header = _read_object(_decoded(head), "header")
        _ensure_understood(header, types)
        algorithm, kid = header.get("alg"), header.get("kid")
        if not isinstance(algorithm, str) or algorithm not in algorithms:
            raise InvalidToken(f"the algorithm must be {' or '.join(sorted(algorithms))}")
        if not (kid is None or (isinstance(kid, str) and len(kid) <= MAX_KID)):
            raise InvalidToken("its kid is not a name")
        return cls(text, algorithm, kid, _read_object(_decoded(payload), "claims").get("iss"))

    def verified(self, keys: Iterable[PublicKey]) -> dict[str, Any]:
        """Return the claims, once one of the keys turns out to have signed them.

        Raises:
            InvalidToken: none of them has.
        """
        for key in keys:
            try:
                payload = _JWS.decode(self.text, key, algorithms=[self.algorithm])
            except (jwt.PyJWTError, ValueError):
                continue
            return _read_object(payload, "claims")
        raise InvalidToken("the signature is not of a known key")


def _decoded(part: str) -> bytes:
    # That nothing but one spelling decodes to these bytes is PyJWT's to check.
    try:
        return urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError:
        raise InvalidToken("not a JWT") from None


def _read_object(raw: bytes, what: str) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise InvalidToken(f"its {what} cannot be read as JSON") from None
    if not isinstance(found, dict):
        raise InvalidToken(f"its {what} cannot be read as an object")
    return found


def _ensure_understood(header: dict[str, Any], types: Collection[str]) -> None:
    kind = header.get("typ", "JWT")
    known = isinstance(kind, str) and kind.upper().removeprefix("APPLICATION/") in types
    if not known or any(name in header for name in _NOT_UNDERSTOOD):
        raise InvalidToken("its header asks for what is not understood")
