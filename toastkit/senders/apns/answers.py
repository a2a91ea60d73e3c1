"""What the push service answers, and what it means for a delivery (A.29)."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec import Struct

from ...deliveries import Gone, Later, Outcome, Refusal, Sent

EXPIRED = "ExpiredProviderToken"
WRONG_DEVICE = frozenset({"BadDeviceToken", "DeviceTokenNotForTopic"})
"""The push token was refused: it may be of the other environment, of another app, or made up."""

LEAVING = frozenset({"Shutdown", "IdleTimeout"})
"""The answering machine takes no more; another one will."""

OURS = frozenset({"BadEnvironmentKeyIdInToken"})
"""Refused with 403, but for one environment: no reason to stop the pushes to the other."""

MOST_SECONDS = 86_400

_REASON = re.compile(r"[A-Za-z]{1,64}", re.ASCII)
_SECONDS = re.compile(r"[0-9]{1,9}", re.ASCII)
_MILLISECONDS = range(1, 1 << 53)


class Answer(Struct, frozen=True):
    """Hold what came back for one push."""

    status: int
    body: bytes = b""
    retry_after: str = ""

    @property
    def reason(self) -> str:
        """Return why it was not taken, in the word of the push service; empty if it says none."""
        reason = _members(self.body).get("reason")
        return reason if isinstance(reason, str) and _REASON.fullmatch(reason) else ""

    @property
    def since(self) -> int | None:
        """Return since when nobody is there, in milliseconds since the epoch."""
        timestamp = _members(self.body).get("timestamp")
        known = type(timestamp) is int and timestamp in _MILLISECONDS
        return timestamp if known else None

    @property
    def seconds(self) -> float | None:
        """Return how long to wait, if that is said."""
        match = _SECONDS.fullmatch(self.retry_after.strip())
        return float(min(int(match[0]), MOST_SECONDS)) if match else None

    def __str__(self) -> str:
        return f"{self.status} {self.reason}".rstrip()


def outcome(answer: Answer) -> Outcome:
    """Say what an answer means for the delivery it was given to."""
    status, reason, said = answer.status, answer.reason, str(answer)
    if status == 200:
        return Sent(said)
    if status == 410:
        return Gone(said, answer.since)
    if status == 429:
        return Later(said, answer.seconds, away=reason == "TooManyProviderTokenUpdates")
    if status == 403 and reason not in OURS:
        # Our key or our token: an operator mends it, and no push need be lost meanwhile.
        return Later(said, answer.seconds, away=True)
    # What is neither taken nor refused was not said by the push service: something is in between.
    if status >= 500 or status < 400 or reason in LEAVING:
        return Later(said, answer.seconds, away=status == 503 and reason not in LEAVING)
    return Refusal(said, suspect=reason in WRONG_DEVICE)


def is_fault(answer: Answer) -> bool:
    """Tell whether an answer speaks of a mistake of ours, which an operator should hear of."""
    if answer.status == 429:
        return answer.reason == "TooManyProviderTokenUpdates"
    return (
        400 <= answer.status < 500
        and answer.status != 410
        and not (answer.reason in WRONG_DEVICE or answer.reason in LEAVING)
    )


def _members(body: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
