"""How the toast document spells a list of toasts (A20, A.21), and of devices (A13)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..clock import iso
from ..records import Device, Page, StoredToast


def toast_page(page: Page) -> dict[str, Any]:
    """Write one page of the list, additions last."""
    return {
        "items": [toast_item(toast) for toast in page.items],
        "next_cursor": page.next_cursor,
        "unread_count": page.unread_count,
    }


def toast_item(toast: StoredToast) -> dict[str, Any]:
    """Write one toast as the list shows it (A20), additions last."""
    return {
        "id": toast.id,
        "topic": toast.topic,
        "title": toast.title,
        "body": toast.body,
        "style": toast.style,
        "priority": toast.priority,
        "deeplink": toast.deeplink,
        "created_at": iso(toast.created_at),
        "data": toast.data,
        "seq": toast.seq,
        "seen_at": _at(toast.seen_at),
        "read_at": _at(toast.read_at),
    }


def device_page(devices: Iterable[Device], pushes: Callable[[Device], bool]) -> dict[str, Any]:
    """Write a user's devices; ``pushes`` tells whether a push could be sent to one."""
    return {"items": [device_item(device, pushes(device)) for device in devices]}


def device_item(device: Device, pushed_to: bool) -> dict[str, Any]:
    """Write one device. Never its push token: whoever has that can have the phone ring."""
    return {
        "device_id": device.device_id,
        "bundle_id": device.bundle_id,
        "environment": device.environment,
        "apns_fallback_enabled": pushed_to,
        "registered_at": iso(device.registered_at),
    }


def _at(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else iso(milliseconds)
