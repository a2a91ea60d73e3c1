"""Deliveries to a phone, and the settings that send them to our Apple."""

from __future__ import annotations

from typing import Any

from tests.apple.server import Apple
from toastkit.deliveries import Delivery
from toastkit.records import Device
from toastkit.senders.apns import ApnsSettings

TOKEN = "a1" * 32
CREATED = 1_800_000_000_000

TOAST = {
    "id": "01KDVZ3RC0ABCDEFGHJKMNPQRS",
    "topic": "user:ada",
    "title": "Hello",
    "body": "World",
    "style": "info",
    "priority": "normal",
    "deeplink": "app://orders/1",
    "data": {"never": "shown"},
    "created_at": CREATED,
    "expires_at": None,
    "collapse_key": None,
}


def device(token: str | None = TOKEN, **given: Any) -> Device:
    names = {"user_id": "ada", "device_id": "phone", "bundle_id": "com.example.app"}
    return Device(**{**names, "push_token": token, "registered_at": CREATED, **given})


def delivery(to: Device | None = None, **changes: Any) -> Delivery:
    """Return a delivery of a toast with these changes, to a device."""
    toast = TOAST | changes
    to = device() if to is None else to
    return Delivery(
        id="01KDVZ3RC1ABCDEFGHJKMNPQRS",
        kind="apns",
        target=to.device_id,
        payload={"toast": toast},
        created_at=CREATED,
        expires_at=toast["expires_at"] or CREATED + 3_600_500,
        user_id=to.user_id,
        toast_id=toast["id"],
        seq=1,
        device=to,
    )


def settings(apple: Apple, **given: Any) -> ApnsSettings:
    named = {name.removeprefix("apns_"): value for name, value in apple.config().items()}
    return ApnsSettings(**named | given)
