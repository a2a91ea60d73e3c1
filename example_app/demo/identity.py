"""An identity provider for one machine: it signs Clerk-shaped JWTs for whoever asks."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from toastkit import principals
from toastkit.clock import Clock
from toastkit.errors import ConfigError, Invalid

LIFE_SECONDS = 60
KEY_FILE = "demo-key.pem"
_KEY_ID = "ins_demo"


@dataclass(frozen=True, slots=True)
class IdentityProvider:
    """Sign tokens with a key of this installation; they live 60 seconds, as Clerk's do."""

    key: rsa.RSAPrivateKey
    clock: Clock
    issuer: str = "http://localhost/demo"

    @classmethod
    def of(cls, folder: Path, clock: Clock) -> IdentityProvider:
        """Return the provider whose key is kept in a folder; the key is made at first use.

        Raises:
            ConfigError: the key can be neither read nor kept.
        """
        try:
            return cls(_kept_key(folder / KEY_FILE), clock)
        except (OSError, ValueError, TypeError) as error:
            raise ConfigError(f"{folder / KEY_FILE}: {error}") from None

    def sign_in(self, name: str) -> str:
        """Return a token that says its bearer is ``name``.

        Raises:
            Invalid: the name cannot be a user id.
        """
        user_id = principals.user_id(name, "name")
        if principals.is_anonymous(user_id):
            raise Invalid("name must not begin with anon:", ("name",), "characters")
        now = self.clock.now() // 1000
        claims = {
            "azp": "http://localhost",
            "exp": now + LIFE_SECONDS,
            "iat": now,
            "iss": self.issuer,
            "jti": secrets.token_hex(10),
            "nbf": now - 10,
            "sid": f"sess_{secrets.token_hex(13)}",
            "sub": user_id,
            "v": 2,
        }
        return jwt.encode(claims, self.key, algorithm="RS256", headers={"kid": _KEY_ID})

    def jwks(self) -> dict[str, Any]:
        """Return the public key as the JWKS document that verifies the tokens."""
        public = RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return {"keys": [public | {"kid": _KEY_ID, "use": "sig", "alg": "RS256"}]}


def _kept_key(path: Path) -> rsa.RSAPrivateKey:
    if not path.exists():
        _keep(_fresh_key(), path)
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("this is not an RSA key")
    return key


def _fresh_key() -> bytes:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _keep(pem: bytes, path: Path) -> None:
    # Written beside and then linked: of several processes that start at once one key wins, whole,
    # and at no moment may others read it.
    beside = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with open(beside, "xb", opener=_private) as file:
        file.write(pem)
    try:
        path.hardlink_to(beside)
    except FileExistsError:
        return  # the other process's key is as good
    finally:
        beside.unlink()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
