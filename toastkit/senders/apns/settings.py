"""What a sender of pushes must be told: whose key signs them, and where they go."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from ...config import Config
from ...errors import ConfigError
from ...records import Environment

PRODUCTION, SANDBOX = "api.push.apple.com", "api.sandbox.push.apple.com"

_ID = re.compile(r"[A-Za-z0-9]{1,64}", re.ASCII)
_HOST = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}))(?::([0-9]{1,5}))?", re.ASCII)
_PORTS = range(1, 65_536)
_MAX_SHOWN = 150
"""A path is repeated up to this; a key that was set in its place, in one line, is longer."""


@dataclass(frozen=True, kw_only=True)
class ApnsSettings:
    """Name the key that signs pushes, and the hosts they go to; the key is read at once.

    ``key_file`` is the .p8 file of the developer account, ``key_id`` and ``team_id`` are shown
    beside it. ``host`` and ``sandbox_host`` are ``host`` or ``host:port``; no sandbox means Apple's,
    or ``host`` if that is not Apple's own. ``ca_file`` holds certificates that may vouch for the
    hosts, besides those the system trusts.

    Raises:
        ConfigError: something is missing, or the key is none that can sign.
    """

    team_id: str
    key_id: str
    key_file: str
    host: str = PRODUCTION
    sandbox_host: str = ""
    ca_file: str = ""
    key: ec.EllipticCurvePrivateKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("team_id", "key_id"):
            if not _ID.fullmatch(getattr(self, name)):
                raise ConfigError(
                    f"apns_{name} must be the letters and digits of the {name.replace('_', ' ')} "
                    "that the developer account shows"
                )
        for name, text in (("host", self.host), ("sandbox_host", self.sandbox_host or PRODUCTION)):
            if not _is_host(text):
                raise ConfigError(f"apns_{name} must be host or host:port, like {PRODUCTION}")
        # What __init__ was given never changes; this is only its key, read.
        object.__setattr__(self, "key", _read_key(self.key_file))
        self.trust()

    @classmethod
    def of(cls, config: Config) -> ApnsSettings:
        """Read them from a kit's settings, where each has ``apns_`` before its name.

        Raises:
            ConfigError: something is missing, or the key is none that can sign.
        """
        return cls(
            team_id=config.apns_team_id,
            key_id=config.apns_key_id,
            key_file=config.apns_key_file,
            host=config.apns_host,
            sandbox_host=config.apns_sandbox_host,
            ca_file=config.apns_ca_file,
        )

    def host_of(self, environment: Environment) -> str:
        """Return where pushes to devices of an environment go, as ``host`` or ``host:port``."""
        if environment == "production":
            return self.host
        if self.sandbox_host:
            return self.sandbox_host
        # Apple takes pushes at a second port, too, and so does its sandbox.
        name, colon, port = self.host.partition(":")
        return f"{SANDBOX}{colon}{port}" if name.lower() == PRODUCTION else self.host

    def trust(self) -> ssl.SSLContext:
        """Return what to hold a host's certificate against.

        Raises:
            ConfigError: ``ca_file`` cannot be read.
        """
        context = ssl.create_default_context()
        context.set_alpn_protocols(["h2"])
        if self.ca_file:
            try:
                context.load_verify_locations(self.ca_file)
            except (OSError, ssl.SSLError) as error:
                raise ConfigError(
                    f"apns_ca_file {self.ca_file} holds no certificates: {_why(error)}"
                ) from None
        return context


def address(host: str) -> tuple[str, int]:
    """Take ``host`` or ``host:port`` apart; HTTPS is where no port is named."""
    name, _, port = host.partition(":")
    return name, int(port or 443)


def _is_host(text: str) -> bool:
    match = _HOST.fullmatch(text)
    return match is not None and int(match[2] or 443) in _PORTS


def _read_key(path: str) -> ec.EllipticCurvePrivateKey:
    # No message repeats anything of the file, not even through a cause: it is a secret.
    if not path:
        raise ConfigError("apns_key_file must name the .p8 file of the key")
    try:
        text = Path(path).read_bytes()
    except (OSError, ValueError) as error:
        if len(path) > _MAX_SHOWN or "PRIVATE KEY" in path:
            raise ConfigError(
                "apns_key_file cannot be read: it must be the path of the .p8 file, not what is in it"
            ) from None
        raise ConfigError(f"apns_key_file {path} cannot be read: {_why(error)}") from None
    try:
        key = load_pem_private_key(text, password=None)
    except Exception:  # noqa: BLE001 - whatever is wrong with it, it is no key
        key = None
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    raise ConfigError(
        f"apns_key_file {path} holds no key for pushes: it must be the .p8 file, unchanged, that "
        "the developer account gave out (a private key on the curve P-256, without a password)"
    )


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or type(error).__name__
