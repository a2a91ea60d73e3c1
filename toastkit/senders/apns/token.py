"""The token by which the push service knows whose pushes these are."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Mapping

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from ...clock import Clock
from ...errors import ConfigError
from .settings import ApnsSettings

WINDOW_SECONDS = 3000
"""How long one token is used; the push service takes one for an hour, and not a new one at will."""

RENEWED_SECONDS = 60
SIZE = 32


class ProviderToken:
    """Make the provider token of a team; everybody who has the key makes the same at a time.

    The push service refuses a team that shows it a new token too often, however many processes and
    machines it has. So a token says the beginning of a window of the clock, and its signature is
    a function of what it says: who shares the key shares the token, and nothing else has to be.

    Raises:
        ConfigError: the cryptography package here cannot sign like that.
    """

    def __init__(self, settings: ApnsSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._at, self._text = 0, ""
        self._renewed = 0
        try:
            self._how = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
        except UnsupportedAlgorithm:
            raise ConfigError(
                "pushes need signatures that are the same every time (RFC 6979), which the OpenSSL "
                "of this cryptography package cannot make; its own wheels can"
            ) from None

    def current(self) -> str:
        """Return the token of now."""
        window = _floor(self._clock.now() // 1000, WINDOW_SECONDS)
        with self._lock:
            at = max(window, self._renewed)
            # A clock that was set back ends what was renewed in a future that is none any more.
            if self._renewed >= window + WINDOW_SECONDS:
                at = self._renewed = window
            if at != self._at:
                self._at, self._text = at, self._mint(at)
            return self._text

    def renew(self, refused: str) -> str:
        """Return another token than one that was refused as too old.

        Many may ask at once, in many processes: they all get that of the present minute.
        """
        with self._lock:
            if refused == self._text:
                self._renewed = _floor(self._clock.now() // 1000, RENEWED_SECONDS)
        return self.current()

    def _mint(self, at: int) -> str:
        head = {"alg": "ES256", "kid": self._settings.key_id, "typ": "JWT"}
        claims = {"iss": self._settings.team_id, "iat": at}
        said = f"{_spell(head)}.{_spell(claims)}"
        numbers = decode_dss_signature(self._settings.key.sign(said.encode(), self._how))
        return f"{said}.{_base64(b''.join(each.to_bytes(SIZE, 'big') for each in numbers))}"


def _floor(seconds: int, step: int) -> int:
    return seconds - seconds % step


def _spell(members: Mapping[str, object]) -> str:
    return _base64(json.dumps(members, separators=(",", ":")).encode())


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
