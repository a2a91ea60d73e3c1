"""Nothing that a push is made of is written, told, or kept where it need not be."""

from __future__ import annotations

import json
import secrets
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.apple.answers import Answer, because
from tests.apple.server import Apple
from tests.e2e.test_canary import APP, LOGGED, Canaries, ask
from tests.verifiers.forgeries import pem

pytestmark = pytest.mark.plain

ANSWERS = {
    "taken": Answer(),
    "suspect": because("BadDeviceToken"),
    "gone": because("Unregistered"),
    "later": because("InternalServerError"),
    "many": because("TooManyRequests"),
    "fault": because("BadTopic"),
    "forbidden": because("InvalidProviderToken"),
    "dropped": Answer(way="drop"),
    "reset": Answer(way="reset"),
    "nonsense": Answer(status=400, body="<html>no reason"),
}


class House:
    """A server of somebody who writes down all they can, and phones that Apple answers for."""

    def __init__(self, server: Any, apple: Apple, canaries: Canaries) -> None:
        self.server, self.apple, self.canaries = server, apple, canaries
        self.told: list[str] = []

    def say(self, line: str, body: object, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"Content-Type": "application/json", "X-ToastKit": "1", **named}
        self.told.append(ask(self.server, line, sent, json.dumps(body).encode())[1])

    def ring(self, user: str, answer: Answer) -> None:
        """Register a phone, push to it, and ask for all there is to see."""
        token = self.canaries.mark(f"push token: {user}", secrets.token_hex(32))
        self.apple.always(answer, token)
        device = {"device_id": f"phone-of-{user}", "apns": {"token": token}}
        self.say("POST /v1/devices/register-toast", device, X_User=user)
        toast = {"user_id": user, "topic": f"user:{user}", "toast": {"title": user}}
        secret = self.canaries.secrets["publish"]
        self.say("POST /v1/toasts/publish", toast, Authorization=f"Bearer {secret}")
        for path in ("/v1/devices", "/v1/toasts"):
            self.say(f"GET {path}", {}, X_User=user)
        for wrong in (f"{token}\r\nx: y", f"{token}zz", [token]):
            device["apns"] = {"token": wrong, "environment": token}
            self.say("POST /v1/devices/register-toast", device, X_User=user)


@pytest.mark.parametrize("worker", ["gevent", "gthread"])
def test_no_push_token_and_no_key_of_ours_is_written_or_told(
    serve: Any, tmp_path: Path, apple: Apple, worker: str
) -> None:
    canaries = Canaries()
    settings = {f"TOASTKIT_{name.upper()}": value for name, value in apple.config().items()}
    settings |= {"TOASTKIT_PUBLISH_SECRET": canaries.mark("publish"), "CANARY_PEM": pem()}
    server = serve(worker, APP, LOGGED, **settings)
    for number, line in enumerate(apple.papers.key_file.read_text().split("\n")[1:-2]):
        canaries.mark(f"key, line {number}", line)
    house = House(server, apple, canaries)
    for user, answer in ANSWERS.items():
        house.ring(user, answer)
    apple.wait(len(ANSWERS), 30)
    for number, signed in enumerate(apple.providers.seen):
        canaries.mark(f"provider token {number}", signed)
    assert len(apple.providers.seen) >= 1
    assert server.stop() < 10
    assert "BadTopic" in server.log, "what an operator should know is written"
    assert not canaries.found_in(server.log)
    assert not [names for text in house.told if (names := canaries.found_in(text))]
    assert not canaries.found_in(_besides_devices(tmp_path / "0.db"))


def _besides_devices(file: Path) -> str:
    """Return everything a database holds but the one table where push tokens must be."""
    with sqlite3.connect(file) as database:
        lines = [line for line in database.iterdump() if '"toastkit_devices"' not in line[:60]]
    assert any("deliveries" in line[:60] for line in lines if line.startswith("INSERT"))
    return "\n".join(lines)
