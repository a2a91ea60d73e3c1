"""What demo mode shows of a user's pushes."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from example_app.demo.pushes import Shelf
from example_app.factory import create_app
from tests.apple.answers import because
from tests.apple.papers import KEY_ID, TEAM_ID
from tests.apple.server import Apple
from toastkit import Kit

TOKEN = "ab12cd34" * 8


def demo(tmp_path: Path, **environ: str) -> Flask:
    return create_app({"TOASTKIT_DEMO": "1", "INSTANCE_PATH": str(tmp_path), **environ})


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    app = demo(tmp_path)
    yield app
    app.extensions["toastkit"].kit.close()


class Phone:
    """A user with a phone, on the test client of an app."""

    def __init__(self, app: Flask, user: str) -> None:
        self.kit: Kit = app.extensions["toastkit"].kit
        self.client: FlaskClient = app.test_client()
        self.headers = {"Authorization": f"Bearer {self.kit.sessions.mint(user)[0]}"}
        self.user = user

    def register(self, **more: Any) -> Any:
        body = {"device_id": f"phone-of-{self.user}", "apns": {"token": TOKEN}, **more}
        return self.client.post("/v1/devices/register-toast", json=body, headers=self.headers).json

    def pushes(self) -> Any:
        answer = self.client.get("/demo/pushes", headers=self.headers)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store"
        return answer.json

    def settled(self) -> Any:
        """Return the pushes once none waits: a receipt does not wait for its last commit."""
        until = time.monotonic() + 10
        while True:
            told = self.pushes()
            if all(each["state"] != "waiting" for each in told["items"]):
                return told
            assert time.monotonic() < until, told


def test_what_would_have_been_sent_is_shown_to_its_user_alone(app: Flask) -> None:
    ada, grace = Phone(app, "ada"), Phone(app, "grace")
    assert ada.register()["apns_fallback_enabled"] is True
    assert ada.pushes() == {"recorded": True, "items": []}
    receipt = ada.kit.publish_toast(
        "ada", {"title": "Research complete", "body": "All of it", "priority": "high"}
    )
    assert (receipt.transport, receipt.delivered) == ("apns", True)
    told = ada.settled()
    assert told["recorded"] is True
    [push] = told["items"]
    assert (push["state"], push["attempts"], push["last_answer"]) == ("sent", 1, "recorded")
    assert (push["toast_id"], push["device_id"]) == (receipt.id, "phone-of-ada")
    request = push["request"]
    assert (request["method"], request["url"]) == (
        "POST",
        "https://api.push.apple.com/3/device/ab12cd34…",
    )
    assert request["headers"]["apns-topic"] == "com.bairisland.manticscore"
    assert request["headers"]["authorization"] == "bearer …"
    assert request["body"]["aps"]["alert"] == {"title": "Research complete", "body": "All of it"}
    assert request["body"]["aps"]["interruption-level"] == "time-sensitive"
    assert grace.pushes()["items"] == []


def test_no_push_token_is_shown_whole(app: Flask) -> None:
    ada = Phone(app, "ada")
    ada.register()
    ada.kit.publish_toast("ada", "x")
    assert TOKEN not in json.dumps(ada.pushes())


def test_without_a_phone_nothing_is_pushed(app: Flask) -> None:
    ada = Phone(app, "ada")
    ada.client.get("/health")
    receipt = ada.kit.publish_toast("ada", "x")
    assert (receipt.status, receipt.reason) == ("undelivered", "no_device")
    assert ada.pushes()["items"] == []


def test_nobody_in_particular_has_no_pushes(app: Flask) -> None:
    answer = app.test_client().get("/demo/pushes")
    assert (answer.status_code, (answer.json or {})["detail"]) == (401, "Missing Bearer token")


def test_what_another_process_posted_is_shown_as_it_was(tmp_path: Path) -> None:
    earlier = demo(tmp_path)
    ada = Phone(earlier, "ada")
    ada.register()
    ada.kit.publish_toast("ada", "x")
    ada.kit.close()
    later = Phone(demo(tmp_path), "ada")
    [push] = later.settled()["items"]
    assert (push["state"], push["request"]["url"]) == (
        "sent",
        "https://api.push.apple.com/3/device/ab12cd34…",
    )
    later.kit.close()


def test_a_request_that_nobody_has_kept_is_null(tmp_path: Path) -> None:
    ada = Phone(demo(tmp_path), "ada")
    ada.register()
    ada.kit.publish_toast("ada", "x")
    assert ada.settled()["items"][0]["request"]
    for file in (tmp_path / "demo-pushes").iterdir():
        file.unlink()
    assert ada.settled()["items"][0]["request"] is None
    ada.kit.close()


def test_the_shelf_keeps_the_newest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("example_app.demo.pushes.MOST", 3)
    shelf = Shelf(tmp_path / "shelf")
    for number in range(5):
        shelf.put(f"01{number}", {"at": number})
    assert [shelf.get(f"01{number}") for number in range(5)] == [
        *(None, None),
        *({"at": number} for number in range(2, 5)),
    ]
    assert (tmp_path / "shelf").stat().st_mode & 0o777 == 0o700


def test_with_a_key_pushes_are_sent_and_shown_as_they_were(tmp_path: Path, apple: Apple) -> None:
    given = {
        "APNS_TEAM_ID": TEAM_ID,
        "APNS_KEY_ID": KEY_ID,
        "APNS_KEY_FILE": str(apple.papers.key_file),
        "APNS_HOST": apple.host,
        "APNS_CA_FILE": str(apple.papers.ca_file),
    }
    ada = Phone(demo(tmp_path, **given, TOASTKIT_CONFIRM_MS="5000"), "ada")
    ada.register()
    receipt = ada.kit.publish_toast("ada", "Sent")
    assert (receipt.transport, receipt.delivered) == ("apns", True)
    apple.always(because("BadTopic"))
    assert ada.kit.publish_toast("ada", "Refused").reason == "provider_error"
    told = ada.settled()
    ada.kit.close()
    assert told["recorded"] is False
    refused, sent = told["items"]
    assert (sent["state"], refused["state"]) == ("sent", "failed")
    assert "BadTopic" in refused["last_answer"]
    url = f"https://{apple.host}/3/device/ab12cd34…"
    assert [each["request"]["url"] for each in (refused, sent)] == [url, url]
    came = apple.requests[0]
    shown = {k: v for k, v in sent["request"]["headers"].items() if k != "authorization"}
    assert shown.items() <= came.headers.items()
    assert sent["request"]["body"] == came.json
    assert len(apple.requests) == 2, "the kit sends none beside"
    assert apple.faults() == []


def test_the_page_says_where_pushes_go(tmp_path: Path, app: Flask, apple: Apple) -> None:
    assert "Nothing leaves this machine" in app.test_client().get("/").text
    given = dict(zip(("APNS_TEAM_ID", "APNS_KEY_ID"), (TEAM_ID, KEY_ID), strict=True))
    key = {"APNS_KEY_FILE": str(apple.papers.key_file), "APNS_HOST": "push.example"}
    sending = demo(tmp_path / "other", **given, **key)
    text = sending.test_client().get("/").text
    assert "<code>push.example</code>" in text
    assert "Nothing leaves this machine" not in text
    sending.extensions["toastkit"].kit.close()
