"""How the toast document spells a list of toasts (A20, A.21), and of devices (A13)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal

from msgspec import Struct

from ..clock import iso
from ..records import Device, Environment, Page, StoredToast
from .shapes import Moment, ToastId


class ToastItem(Struct, frozen=True, kw_only=True):
    """One toast as the list shows it (A20), additions last."""

    id: ToastId
    topic: str
    title: str
    body: str | None
    style: Literal["info", "success", "warning", "error"]
    priority: Literal["low", "normal", "high"]
    deeplink: str | None
    created_at: Moment
    data: dict[str, Any] | None
    seq: int
    seen_at: Moment | None
    read_at: Moment | None


class ToastPage(Struct, frozen=True, kw_only=True):
    """One page of a list, newest first; ``next_cursor`` is null on the last."""

    items: list[ToastItem]
    next_cursor: str | None
    unread_count: int


class DeviceItem(Struct, frozen=True, kw_only=True):
    """One device. Never its push token: whoever has that can have the phone ring."""

    device_id: str
    bundle_id: str
    environment: Environment
    apns_fallback_enabled: bool
    registered_at: Moment


class DevicePage(Struct, frozen=True, kw_only=True):
    """Every device of a user."""

    items: list[DeviceItem]


def toast_page(page: Page) -> ToastPage:
    """Write one page of the list, additions last."""
    return ToastPage(
        items=[toast_item(toast) for toast in page.items],
        next_cursor=page.next_cursor,
        unread_count=page.unread_count,
    )


def toast_item(toast: StoredToast) -> ToastItem:
    """Write one toast as the list shows it (A20)."""
    return ToastItem(
        id=toast.id,
        topic=toast.topic,
        title=toast.title,
        body=toast.body,
        style=toast.style,  # type: ignore[arg-type]  # it was read as one of them
        priority=toast.priority,  # type: ignore[arg-type]
        deeplink=toast.deeplink,
        created_at=iso(toast.created_at),
        data=toast.data,
        seq=toast.seq,
        seen_at=_at(toast.seen_at),
        read_at=_at(toast.read_at),
    )


def device_page(devices: Iterable[Device], pushes: Callable[[Device], bool]) -> DevicePage:
    """Write a user's devices; ``pushes`` tells whether a push could be sent to one."""
    return DevicePage(items=[device_item(device, pushes(device)) for device in devices])


def device_item(device: Device, pushed_to: bool) -> DeviceItem:
    """Write one device."""
    return DeviceItem(
        device_id=device.device_id,
        bundle_id=device.bundle_id,
        environment=device.environment,
        apns_fallback_enabled=pushed_to,
        registered_at=iso(device.registered_at),
    )


def _at(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else iso(milliseconds)
