"""What Apple looks at before it takes a push; first come, first named."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jwt

from tests.apple.papers import KEY_ID, TEAM_ID

if TYPE_CHECKING:
    from tests.apple.request import Request

HOUR, TWENTY_MINUTES = 3600, 1200
PATH = re.compile(r"/3/device/([^/?#]*)")
DEVICE = re.compile(r"[0-9a-fA-F]{64,200}")
TOPIC = re.compile(r"[A-Za-z0-9.-]{1,155}")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
PUSH_TYPES = {"alert", "background"}
SECONDS = re.compile(r"0|1[0-9]{9}")
"""Now or never, or seconds since the epoch: neither a duration nor milliseconds."""

HEADERS = {
    *("apns-topic", "apns-push-type", "apns-id", "apns-collapse-id", "apns-expiration"),
    *("apns-priority", "authorization"),
}


class Providers:
    """Check the token each push is signed with; ``seen`` is when each came first."""

    def __init__(self, public_key: Any, now: Callable[[], float] = time.time) -> None:
        self.now = now
        self.seen: dict[str, float] = {}
        self.strict = False
        self._public_key = public_key
        self._began: dict[str, float | str] = {}

    def fault(self, header: str | None) -> str | None:
        """Return what is wrong with an authorization, if anything."""
        scheme, _, token = (header or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return "MissingProviderToken"
        began = self._began.setdefault(token, self._read(token))
        if isinstance(began, str):
            return began
        age = self.now() - began
        if age < -60:
            return "InvalidProviderToken"
        if age > HOUR:
            return "ExpiredProviderToken"
        return self._update(token)

    def _update(self, token: str) -> str | None:
        if token not in self.seen:
            newest = max(self.seen.values(), default=None)
            if self.strict and newest is not None and self.now() - newest < TWENTY_MINUTES:
                return "TooManyProviderTokenUpdates"
            self.seen[token] = self.now()
        return None

    def _read(self, token: str) -> float | str:
        try:
            head = jwt.get_unverified_header(token)
            said = jwt.decode(
                *(token, self._public_key, ["ES256"]),
                options={"verify_iat": False, "require": ["iss", "iat"]},
            )
        except jwt.InvalidTokenError:
            return "InvalidProviderToken"
        right = (
            head.get("kid") == KEY_ID
            and said["iss"] == TEAM_ID
            and type(said["iat"]) in {int, float}
        )
        return float(said["iat"]) if right else "InvalidProviderToken"


def fault(request: Request, providers: Providers) -> str | None:
    """Return the reason why Apple would not take a push, or ``None``."""
    headers = request.headers
    if request.method != "POST":
        return "MethodNotAllowed"
    path = PATH.fullmatch(request.path)
    if path is None:
        return "BadPath"
    if not path[1]:
        return "MissingDeviceToken"
    if request.doubled & HEADERS:
        return "DuplicateHeaders"
    return (
        providers.fault(headers.get("authorization"))
        or (None if DEVICE.fullmatch(path[1]) else "BadDeviceToken")
        or _header_fault(headers)
        or _body_fault(request.body)
    )


def _header_fault(headers: dict[str, str]) -> str | None:
    if "apns-topic" not in headers:
        return "MissingTopic"
    rules = {
        "BadTopic": TOPIC.fullmatch(headers["apns-topic"]),
        "InvalidPushType": headers.get("apns-push-type") in PUSH_TYPES,
        "BadMessageId": UUID.fullmatch(
            headers.get("apns-id", "0" * 8 + "-0000" * 3 + "-" + "0" * 12)
        ),
        "BadExpirationDate": SECONDS.fullmatch(headers.get("apns-expiration", "0")),
        "BadPriority": headers.get("apns-priority", "10") in {"1", "5", "10"},
        "BadCollapseId": 1 <= len(headers.get("apns-collapse-id", "1").encode()) <= 64,
    }
    return next((reason for reason, kept in rules.items() if not kept), None)


def _body_fault(body: bytes) -> str | None:
    if len(body) > 4096:
        return "PayloadTooLarge"
    try:
        read = json.loads(body.decode())
    except ValueError:
        return "PayloadEmpty"
    alert = isinstance(read, dict) and isinstance(read.get("aps"), dict)
    return None if alert else "PayloadEmpty"
