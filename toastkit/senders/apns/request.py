"""A delivery, as the push service wants it asked for."""

from __future__ import annotations

import hashlib
import re
import uuid
from typing import Any

from msgspec import Struct

from ...deliveries import Delivery, Refusal
from ...records import Device
from .payload import payload

MAX_COLLAPSE = 64
"""Longest collapse id, in bytes."""

NOWHERE = "no push token, or none that can be posted to"
NOTHING = "its payload holds no toast to show"

_SHOWN = frozenset(
    [
        "id",
        "topic",
        "title",
        "body",
        "style",
        "priority",
        "deeplink",
        "created_at",
        "expires_at",
        "collapse_key",
    ]
)
_TOKEN = re.compile(r"[0-9a-fA-F]{8,200}", re.ASCII)
_BUNDLE = re.compile(r"[A-Za-z0-9.-]{1,155}", re.ASCII)
_IDS = uuid.UUID("6f0a3a42-1d0c-5c55-9c5e-4a3d4b2f7e11")


class PushRequest(Struct, frozen=True):
    """Hold one request as it is posted, but for the credential of the one who posts it.

    ``host`` is ``host`` or ``host:port``; ``headers`` are in the order they are sent.
    """

    host: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


def device_of(delivery: Delivery) -> Device | Refusal:
    """Return the device a delivery goes to, if it can be named in a path and a header.

    The doors let nothing else in; but what a path and a header are made of is looked at here, too,
    and whether there is a toast: a host may owe what it likes.
    """
    device, toast = delivery.device, delivery.payload.get("toast")
    if device is None or not _TOKEN.fullmatch(device.push_token or ""):
        return Refusal(NOWHERE)
    if not _BUNDLE.fullmatch(device.bundle_id):
        return Refusal(NOWHERE)
    return device if isinstance(toast, dict) and toast.keys() >= _SHOWN else Refusal(NOTHING)


def push_request(delivery: Delivery, device: Device, host: str) -> PushRequest:
    """Write the push of a delivery to a device; the same delivery is always the same push."""
    toast = delivery.payload["toast"]
    return PushRequest(
        host,
        f"/3/device/{device.push_token}",
        (
            ("apns-id", _push_id(delivery, device)),
            ("apns-topic", device.bundle_id),
            ("apns-push-type", "alert"),
            ("apns-priority", "5" if toast["priority"] == "low" else "10"),
            ("apns-expiration", str(_expiration(delivery, toast))),
            ("apns-collapse-id", _collapse_id(toast)),
            ("content-type", "application/json"),
        ),
        payload(toast),
    )


def _push_id(delivery: Delivery, device: Device) -> str:
    about = delivery.toast_id or delivery.id
    return str(uuid.uuid5(_IDS, f"{about}\n{device.device_id}"))


def _expiration(delivery: Delivery, toast: dict[str, Any]) -> int:
    """Return until when it may be stored, in seconds since the epoch; 0: now or never (A.16)."""
    if toast["expires_at"] is not None and toast["expires_at"] <= toast["created_at"]:
        return 0
    return delivery.expires_at // 1000


def _collapse_id(toast: dict[str, Any]) -> str:
    """Return by what a later push replaces this one.

    Without a collapse key it is the toast's own id: if an answer was lost, the push is repeated,
    and must not be seen twice.
    """
    key: str | None = toast["collapse_key"]
    if key is None:
        return str(toast["id"])
    if len(key) <= MAX_COLLAPSE and key.isascii() and key.isprintable() and key == key.strip():
        return key
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]
