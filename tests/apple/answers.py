"""What Apple may answer to a push, and what it does with the connection instead."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

Way = Literal["answer", "silence", "reset", "refuse", "drop", "goaway"]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One answer: a status with its reason, given after so many ``seconds``.

    ``way`` is what happens instead: nothing at all (silence), the stream is reset, the whole
    connection is reset (drop), or everything is told to go away with this stream being the first
    that is not looked at (goaway); or only this one is not (refuse). ``taken``: the phone gets the push nevertheless.
    ``timestamp`` is that of a 410, in milliseconds; ``body`` replaces the usual one.
    """

    status: int = 200
    reason: str | None = None
    timestamp: int | None = None
    retry_after: str | None = None
    seconds: float = 0
    way: Way = "answer"
    taken: bool = False
    body: str | None = None

    @property
    def takes(self) -> bool:
        """Tell whether the phone gets the push."""
        return self.taken or (self.way == "answer" and self.status == 200)

    def content(self) -> bytes:
        """Return the body as Apple writes it."""
        if self.body is not None:
            return self.body.encode()
        if self.reason is None:
            return b""
        stated = {"reason": self.reason, "timestamp": self.timestamp}
        return json.dumps({name: value for name, value in stated.items() if value}).encode()

    def headers(self, apns_id: str) -> list[tuple[str, str]]:
        """Return the headers as Apple writes them."""
        named = {":status": str(self.status), "apns-id": apns_id, "retry-after": self.retry_after}
        if self.content():
            named["content-type"] = "application/json"
        return [(name, value) for name, value in named.items() if value]


TAKEN = Answer()


def refused(status: int, reason: str, *, timestamp: int | None = None) -> Answer:
    """Return an answer that is no 200."""
    return Answer(status=status, reason=reason, timestamp=timestamp)


REASONS = {
    **dict.fromkeys(
        (
            *("BadCollapseId", "BadDeviceToken", "BadExpirationDate", "BadMessageId"),
            *("BadPriority", "BadTopic", "DeviceTokenNotForTopic", "DuplicateHeaders"),
            *("IdleTimeout", "InvalidPushType", "MissingDeviceToken", "MissingTopic"),
            *("PayloadEmpty", "TopicDisallowed"),
        ),
        400,
    ),
    **dict.fromkeys(
        (
            *("BadCertificate", "BadCertificateEnvironment", "ExpiredProviderToken"),
            *("Forbidden", "InvalidProviderToken", "MissingProviderToken"),
            *("UnrelatedKeyIdInToken", "BadEnvironmentKeyIdInToken"),
        ),
        403,
    ),
    "BadPath": 404,
    "MethodNotAllowed": 405,
    "ExpiredToken": 410,
    "Unregistered": 410,
    "PayloadTooLarge": 413,
    "TooManyProviderTokenUpdates": 429,
    "TooManyRequests": 429,
    "InternalServerError": 500,
    "ServiceUnavailable": 503,
    "Shutdown": 503,
}
"""Every reason Apple documents, and the status it comes with."""


def because(reason: str) -> Answer:
    """Return the answer Apple gives for one of its reasons."""
    return refused(REASONS[reason], reason)
