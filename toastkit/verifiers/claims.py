"""Judge what a verified token says: is it for us, for now, and whom does it name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .. import principals
from ..errors import ConfigError, Invalid, InvalidToken, TokenExpired
from .contract import Claims

LEEWAY_SECONDS = 5
MAX_LEEWAY_SECONDS = 60
_END_OF_TIME = 1e11  # seconds; a JSON number may be too large for a date, or not finite


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Say what a token must claim; what is empty is not asked.

    Of ``audience`` and ``parties`` (``azp``) one name must be the token's. ``required`` claims
    must have exactly these values, ``refused`` ones must not.

    Raises:
        ConfigError: nobody could tell what is meant.
    """

    issuer: str = ""
    audience: frozenset[str] = frozenset()
    parties: frozenset[str] = frozenset()
    user_claim: str = "sub"
    required: Mapping[str, Any] = field(default_factory=dict)
    refused: Mapping[str, Any] = field(default_factory=dict)
    leeway_seconds: int = LEEWAY_SECONDS

    def __post_init__(self) -> None:
        if not self.user_claim:
            raise ConfigError("a verifier's user_claim must name the claim of the user's id")
        if not 0 <= self.leeway_seconds <= MAX_LEEWAY_SECONDS:
            raise ConfigError(f"a verifier's leeway_seconds must be 0 to {MAX_LEEWAY_SECONDS}")

    def read(self, claims: Mapping[str, Any], now: int) -> Claims:
        """Return what the claims of a verified token say at ``now``, in milliseconds.

        Raises:
            TokenExpired: it was good once.
            InvalidToken: it is not meant for us.
        """
        expires_at = self._ensure_timely(claims, now / 1000)
        self._ensure_for_us(claims)
        return Claims(self._user(claims), expires_at, dict(claims))

    def _ensure_timely(self, claims: Mapping[str, Any], now: float) -> int:
        expires, begins = _time(claims, "exp"), _time(claims, "nbf")
        issued = _time(claims, "iat")
        if expires is None:
            raise InvalidToken("exp is missing")
        if max(begins or 0, issued or 0) > now + self.leeway_seconds:
            raise InvalidToken("not valid yet")
        if now >= expires + self.leeway_seconds:
            raise TokenExpired
        return round(expires * 1000)

    def _ensure_for_us(self, claims: Mapping[str, Any]) -> None:
        if self.issuer and claims.get("iss") != self.issuer:
            raise InvalidToken("another issuer")
        # A token that names nobody is refused, too: a check that is skipped when there is nothing
        # to check is a bypass.
        if self.audience and self.audience.isdisjoint(_audience(claims.get("aud"))):
            raise InvalidToken("meant for another audience")
        party = claims.get("azp")
        if self.parties and not (isinstance(party, str) and party in self.parties):
            raise InvalidToken("issued to another party")
        if "events" in claims:
            # A provider's notice of what happened to a user (a logout, say) has the same
            # signature, issuer and audience, and signs nobody in.
            raise InvalidToken("a notice of events, not a sign-in")
        if any(not _same(claims.get(name), value) for name, value in self.required.items()):
            raise InvalidToken("a claim is not what it must be here")
        if any(_same(claims.get(name), value) for name, value in self.refused.items()):
            raise InvalidToken("its sign-in is not complete")

    def _user(self, claims: Mapping[str, Any]) -> str:
        name, found = self.user_claim, claims.get(self.user_claim)
        if not isinstance(found, str) and (name == "sub" or type(found) is not int):
            raise InvalidToken(f"{name} is missing")
        try:
            user_id = principals.user_id(found, name)
        except Invalid as error:
            raise InvalidToken(str(error)) from None
        if principals.is_anonymous(user_id):
            # A provider that lets users choose their id must not open somebody's device.
            raise InvalidToken(f"{name} must not begin with anon:")
        return user_id


def names(given: str | Sequence[str] | None) -> frozenset[str]:
    """Return names that were given as one, as several, or not at all."""
    listed = [given] if isinstance(given, str) else list(given or ())
    return frozenset(name for name in listed if name)


def _audience(claim: object) -> list[str]:
    listed = claim if isinstance(claim, list) else [claim]
    return [name for name in listed if isinstance(name, str)]


def _same(found: object, value: object) -> bool:
    # True is not 1 here, as it is not in JSON.
    return type(found) is type(value) and found == value


def _time(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not abs(value) < _END_OF_TIME:
        raise InvalidToken(f"{name} is not a time")
    return float(value)
