"""A push says to whom, until when, how loudly, and in place of what; every time the same."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from msgspec.structs import replace

from tests.senders.apns.pushes import CREATED, TOAST, TOKEN, delivery, device
from toastkit.deliveries import Refusal
from toastkit.senders.apns import RecordingApns
from toastkit.senders.apns.request import (
    NOTHING,
    NOWHERE,
    PushRequest,
    device_of,
    push_request,
)

pytestmark = pytest.mark.plain

HOST = "api.push.apple.com"


def request(*args: Any, **changes: Any) -> PushRequest:
    owed = delivery(*args, **changes)
    assert owed.device is not None
    return push_request(owed, owed.device, HOST)


def headers(*args: Any, **changes: Any) -> dict[str, str]:
    return dict(request(*args, **changes).headers)


def test_A28_it_is_what_the_push_service_wants() -> None:
    asked = request()
    assert (asked.host, asked.path) == (HOST, f"/3/device/{TOKEN}")
    named = dict(asked.headers)
    uuid.UUID(named.pop("apns-id"))
    assert named == {
        "apns-topic": "com.example.app",
        "apns-push-type": "alert",
        "apns-priority": "10",
        "apns-expiration": str(CREATED // 1000 + 3600),
        "apns-collapse-id": TOAST["id"],
        "content-type": "application/json",
    }
    assert "authorization" not in named


def test_A28_its_id_is_of_the_toast_and_the_device() -> None:
    first = headers()["apns-id"]
    assert first == headers(device("b2" * 32), title="Changed")["apns-id"]
    assert first != headers(device(device_id="tablet"))["apns-id"]
    assert first != headers(id="01KDVZ3RC0ABCDEFGHJKMNPQRT")["apns-id"]


@pytest.mark.parametrize(("priority", "expected"), [("high", "10"), ("normal", "10"), ("low", "5")])
def test_A28_its_priority_is_that_of_the_toast(priority: str, expected: str) -> None:
    assert headers(priority=priority)["apns-priority"] == expected


@pytest.mark.parametrize(
    ("expires_at", "expected"),
    [
        (CREATED + 60_000, CREATED // 1000 + 60),
        (CREATED + 60_999, CREATED // 1000 + 60),
        (CREATED, 0),
    ],
)
def test_A16_it_expires_at_a_time_or_is_now_or_never(expires_at: int, expected: int) -> None:
    assert headers(expires_at=expires_at)["apns-expiration"] == str(expected)


@pytest.mark.parametrize("key", ["order-1", "x" * 64, "a b"])
def test_A15_a_collapse_key_is_what_it_is_replaced_by(key: str) -> None:
    assert headers(collapse_key=key)["apns-collapse-id"] == key


@pytest.mark.parametrize(
    "key", ["x" * 65, "ü", " x", "x ", "a\r\nb: c", "\0", "\ud800", "x" * 10_000]
)
def test_A15_one_that_is_no_header_is_hashed(key: str) -> None:
    found = headers(collapse_key=key)["apns-collapse-id"]
    assert len(found) == 32
    assert found.isalnum()
    assert found == headers(collapse_key=key)["apns-collapse-id"]


@pytest.mark.parametrize(
    "hostile",
    [
        {"token": None},
        {"token": "../../etc"},
        {"token": "a1" * 32 + "\n"},
        {"token": "a" * 201},
        {"token": "٣" * 64},
        {"bundle_id": "a\r\nb: c"},
        {"bundle_id": "com/example"},
        {"bundle_id": "x" * 156},
    ],
)
def test_what_is_no_path_and_no_header_becomes_none(hostile: dict[str, Any]) -> None:
    assert device_of(delivery(device(**hostile))) == Refusal(NOWHERE)


@pytest.mark.parametrize("payload", [{}, {"toast": "Hello"}, {"toast": {"title": "Hello"}}])
def test_what_holds_no_toast_is_no_push(payload: dict[str, Any]) -> None:
    assert device_of(replace(delivery(), payload=payload)) == Refusal(NOTHING)
    assert RecordingApns().post(replace(delivery(), payload=payload)) == Refusal(NOTHING)
