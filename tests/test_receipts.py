"""A receipt has every key, always, and its fields agree with each other."""

import json

import msgspec
import pytest

from toastkit.receipts import Receipt

ALL = [
    Receipt.shown("1", 2),
    Receipt.queued("1"),
    Receipt.duplicate("1"),
    Receipt.undelivered("1", "no_session"),
]


@pytest.mark.parametrize("receipt", ALL, ids=lambda receipt: receipt.status)
def test_A16_all_six_keys_are_always_there(receipt: Receipt) -> None:
    assert set(json.loads(msgspec.json.encode(receipt))) == {
        *("delivered", "transport", "session_count", "id", "status", "reason")
    }


@pytest.mark.parametrize("receipt", ALL, ids=lambda receipt: receipt.status)
def test_A16_websocket_means_delivered_to_at_least_one(receipt: Receipt) -> None:
    assert (receipt.transport == "websocket") == receipt.delivered == (receipt.session_count > 0)
    assert receipt.delivered == (receipt.status == "delivered")
    assert receipt.id == "1"


def test_A28_a_duplicate_is_a_receipt_with_its_reason() -> None:
    receipt = Receipt.duplicate("first")
    assert (receipt.status, receipt.reason, receipt.id) == ("duplicate", "duplicate", "first")
