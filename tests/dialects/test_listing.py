"""A list is spelled as the document shows it; what we add comes last."""

from typing import Any

import pytest
from msgspec import to_builtins

from toastkit.dialects import device_page, toast_page
from toastkit.records import Device, Page, StoredToast

pytestmark = pytest.mark.plain

AT = "2026-01-01T00:00:00+00:00"


def item(**given: Any) -> Any:
    stored = StoredToast(
        id="01HXY7Z1",
        topic="user:u1",
        title="Hello",
        body=None,
        style="success",
        priority="normal",
        deeplink=None,
        data=None,
        created_at=1_767_225_600_999,
        seq=3,
        state="written",
        **given,
    )
    page = toast_page(Page(items=[stored], next_cursor=None, unread_count=1))
    return to_builtins(page)["items"][0]


def test_A20_a_listed_toast_has_the_documents_keys_first() -> None:
    assert list(item())[:8] == [
        *("id", "topic", "title", "body", "style", "priority", "deeplink", "created_at")
    ]
    assert (item()["created_at"], item()["body"], item()["seq"]) == (AT, None, 3)


def test_A_22_it_says_when_it_was_seen_and_read() -> None:
    assert (item()["seen_at"], item()["read_at"]) == (None, None)
    read = item(seen_at=1_767_225_600_000, read_at=1_767_225_601_000)
    assert (read["seen_at"], read["read_at"]) == (AT, "2026-01-01T00:00:01+00:00")


def test_A_21_a_page_says_where_the_next_begins_and_what_is_unread() -> None:
    page = toast_page(Page(items=[], next_cursor="01HXY7Z1", unread_count=7))
    assert to_builtins(page) == {"items": [], "next_cursor": "01HXY7Z1", "unread_count": 7}


def test_A13_a_listed_device_tells_whether_it_is_pushed_to_and_never_its_push_token() -> None:
    phone = Device(
        user_id="u1",
        device_id="phone",
        bundle_id="com.example.app",
        push_token="ab" * 32,
        environment="sandbox",
        registered_at=1_767_225_600_999,
    )
    assert to_builtins(device_page([phone], lambda device: device is phone)) == {
        "items": [
            {
                "device_id": "phone",
                "bundle_id": "com.example.app",
                "environment": "sandbox",
                "apns_fallback_enabled": True,
                "registered_at": AT,
            }
        ]
    }
