"""What a phone gets to show is never too large, and never torn."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.senders.apns.pushes import TOAST
from toastkit.senders.apns.payload import CUT, MAX_BYTES, payload

pytestmark = pytest.mark.plain


def shown(**changes: Any) -> dict[str, Any]:
    raw = payload(TOAST | changes)
    assert len(raw) <= MAX_BYTES
    read: dict[str, Any] = json.loads(raw.decode())
    return read


def test_A28_it_holds_what_is_seen_and_where_it_leads() -> None:
    assert shown() == {
        "aps": {"alert": {"title": "Hello", "body": "World"}, "sound": "default"},
        "toast": {
            "id": TOAST["id"],
            "topic": "user:ada",
            "deeplink": "app://orders/1",
            "style": "info",
        },
    }
    assert shown(body=None)["aps"]["alert"] == {"title": "Hello"}


@pytest.mark.parametrize(
    ("priority", "level", "sound"),
    [("high", "time-sensitive", "default"), ("normal", None, "default"), ("low", "passive", None)],
)
def test_A28_a_phone_makes_as_much_of_it_as_it_matters(
    priority: str, level: str | None, sound: str | None
) -> None:
    aps = shown(priority=priority)["aps"]
    assert (aps.get("interruption-level"), aps.get("sound")) == (level, sound)


def test_A28_the_body_gives_way_first() -> None:
    cut = shown(body="ä" * 2000, deeplink="app://" + "x" * 1500)
    body = cut["aps"]["alert"]["body"]
    assert body == "ä" * (len(body) - 1) + CUT
    assert (cut["toast"]["deeplink"][:6], cut["aps"]["alert"]["title"]) == ("app://", "Hello")
    assert len(payload(TOAST | {"body": "ä" * 2000, "deeplink": "app://" + "x" * 1500})) > 4090


def test_A28_then_the_title() -> None:
    cut = shown(title="😀" * 200, body="World", deeplink="x" * 3500)
    assert "body" not in cut["aps"]["alert"]
    assert cut["aps"]["alert"]["title"].endswith("😀" + CUT)
    assert cut["toast"]["deeplink"] == "x" * 3500


def test_A28_and_a_deeplink_is_whole_or_not_there() -> None:
    cut = shown(title="😀" * 200, body="World", deeplink="/😀" * 1000)
    assert cut["aps"]["alert"] == {"title": "😀" * 200, "body": "World"}
    assert cut["toast"]["deeplink"] is None


@pytest.mark.parametrize(
    "sign",
    ["👩\u200d🚀", "👍🏽", "e\u0301", "❤\ufe0f", "🇩🇪", "👨\u200d👩\u200d👧\u200d👦"],
)
def test_A28_what_is_seen_as_one_sign_is_not_torn(sign: str) -> None:
    for before in range(12):
        body = shown(body="x" * before + sign * (1900 // len(sign)), deeplink="y" * 2000)["aps"]
        kept = body["alert"]["body"].removesuffix(CUT)[before:]
        assert kept
        assert kept == sign * (len(kept) // len(sign))


texts = st.text(st.characters(exclude_categories=["Cs"]))


@given(texts.map(lambda text: (text or "x") * 7), texts.map(lambda text: text * 40), texts)
def test_whatever_it_is_it_fits(title: str, body: str, deeplink: str) -> None:
    cut = shown(
        title=title[:200], body=body[:2000], deeplink=(deeplink * 40)[:2000], topic="t" * 200
    )
    alert = cut["aps"]["alert"]
    assert title.startswith(alert["title"].removesuffix(CUT))
    assert body.startswith(alert.get("body", "").removesuffix(CUT))
