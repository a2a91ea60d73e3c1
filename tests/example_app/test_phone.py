"""A phone's day, with the toast document's own lines, against the whole service and an Apple."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from example_app.settings import DEMO_SECRET
from tests.apple.answers import because
from tests.apple.papers import KEY_ID, TEAM_ID, Papers
from tests.apple.server import Apple

from .conftest import Start, serving
from .test_day import Curl, jwt
from .test_service import heard, listen, session_of

pytestmark = [
    pytest.mark.plain,
    pytest.mark.skipif(not shutil.which("curl"), reason="curl is missing: install it"),
]

REGISTER = """
curl -X POST https://api.manticscore.com/v1/devices/register-toast \\
  -H "Authorization: Bearer <clerk_jwt>" \\
  -H "Content-Type: application/json" \\
  -d '{"device_id": "<device_id>", "apns": {"token": "PUSH_TOKEN"}}'
"""
DEVICES = """
curl https://api.manticscore.com/v1/devices \\
  -H "Authorization: Bearer <clerk_jwt>"
"""
REMOVE = """
curl -X DELETE https://api.manticscore.com/v1/devices/<device_id> \\
  -H "Authorization: Bearer <clerk_jwt>"
"""
PUBLISH = """
curl -X POST https://api.manticscore.com/v1/toasts/publish \\
  -H "Authorization: Bearer <toast_publish_secret>" \\
  -H "Content-Type: application/json" \\
  -d '{"user_id": "USER", "topic": "user:USER", "toast": {"title": "Research complete",
       "body": "AI expense tracker for freelancers", "style": "success",
       "deeplink": "manticscore://research/01HXY7AA"}MORE}'
"""
BUNDLE = "com.bairisland.manticscore"


@pytest.fixture(scope="module")
def apple(papers: Papers) -> Iterator[Apple]:
    with Apple(papers) as apple:
        yield apple
        assert apple.faults() == []


@pytest.fixture(scope="module")
def base(start: Start, apple: Apple, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    service = start(
        *("-m", "example_app"),
        INSTANCE_PATH=str(tmp_path_factory.mktemp("phone") / "instance"),
        RATE_LIMITS="0",
        APNS_TEAM_ID=TEAM_ID,
        APNS_KEY_ID=KEY_ID,
        APNS_KEY_FILE=str(apple.papers.key_file),
        APNS_HOST=apple.host,
        APNS_CA_FILE=str(apple.papers.ca_file),
        TOASTKIT_CONFIRM_MS="5000",  # however busy this machine is
    )
    with serving(service) as base:
        yield base


class Phone:
    """Somebody with a phone; ``token`` is what Apple knows it by."""

    def __init__(self, base: str, apple: Apple, user: str) -> None:
        self.curl, self.apple, self.user = Curl(base), apple, user
        self.device = f"phone-of-{user}"
        self.token = user.encode().hex().ljust(64, "0")
        self.session = session_of(base, user)

    def register(self, bearer: str = "") -> tuple[int, Any]:
        line = REGISTER.replace("PUSH_TOKEN", self.token)
        return self.curl(line, bearer or self.session, self.device)

    def publish(self, **more: Any) -> Any:
        told = "".join(f', "{name}": {json.dumps(value)}' for name, value in more.items())
        line = PUBLISH.replace("USER", self.user).replace("MORE", told)
        status, receipt = self.curl(line, DEMO_SECRET)
        assert status == 202
        return receipt

    def outcome(self, **more: Any) -> tuple[str, str, str | None]:
        receipt = self.publish(**more)
        assert receipt["session_count"] == 0
        return receipt["transport"], receipt["status"], receipt["reason"]

    def rung(self) -> list[Any]:
        """Return what Apple was asked to push to this phone."""
        return [each for each in list(self.apple.requests) if each.token == self.token]


PUSHED = ("apns", "delivered", None)


def test_A11_A13_a_phone_is_registered_as_the_document_says(base: str, apple: Apple) -> None:
    phone = Phone(base, apple, "registrar")
    told = {"registered": True, "device_id": phone.device, "apns_fallback_enabled": True}
    assert phone.register(jwt(base, "registrar")) == (200, told)
    assert phone.register() == (200, told), "a refresh"
    bare = REGISTER.replace(', "apns": {"token": "PUSH_TOKEN"}', "")
    without = {"registered": True, "device_id": "no-pushes", "apns_fallback_enabled": False}
    assert phone.curl(bare, phone.session, "no-pushes") == (200, without)


def test_A14_A16_a_toast_nobody_is_there_for_rings(base: str, apple: Apple) -> None:
    phone = Phone(base, apple, "away")
    assert phone.outcome() == ("none", "undelivered", "no_device")
    phone.register()
    receipt = phone.publish(collapse_key="research")
    assert receipt.items() >= {"delivered": True, "transport": "apns", "session_count": 0}.items()
    [push] = phone.rung()
    assert push.path == f"/3/device/{phone.token}"
    assert push.headers["apns-topic"] == BUNDLE
    assert push.headers["apns-push-type"] == "alert"
    assert push.headers["apns-collapse-id"] == "research"
    alert = {"title": "Research complete", "body": "AI expense tracker for freelancers"}
    assert push.json["aps"]["alert"] == alert
    assert push.json["toast"]["id"] == receipt["id"]
    assert push.json["toast"]["deeplink"] == "manticscore://research/01HXY7AA"


def test_A26_in_front_of_the_app_no_phone_rings_and_in_the_background_it_does(
    base: str, apple: Apple
) -> None:
    phone = Phone(base, apple, "switcher")
    phone.register()
    with listen(base, "switcher") as socket:
        shown = phone.publish()
        assert (shown["transport"], shown["session_count"]) == ("websocket", 1)
        assert heard(socket)["toast"]["id"] == shown["id"]
        assert phone.rung() == []
        socket.send(json.dumps({"type": "state", "state": "background"}))
        assert heard(socket)["type"] == "state_ack"
        pushed = phone.publish()
        assert (pushed["transport"], pushed["delivered"]) == ("apns", True)
        assert heard(socket)["toast"]["id"] == pushed["id"], "the frame comes all the same"
    assert len(phone.rung()) == 1


def test_A15_what_a_publish_says_of_the_phone(base: str, apple: Apple) -> None:
    phone = Phone(base, apple, "chooser")
    phone.register()
    assert phone.outcome(fallback_apns=False) == ("none", "undelivered", "fallback_disabled")
    assert phone.rung() == []
    assert phone.outcome(ttl_ms=0) == PUSHED
    assert phone.rung()[0].headers["apns-expiration"] == "0"
    assert phone.outcome(dedupe_key="once") == PUSHED
    assert phone.outcome(dedupe_key="once") == ("none", "duplicate", "duplicate")
    assert len(phone.rung()) == 2


def test_A29_a_phone_that_is_gone_is_not_asked_again(base: str, apple: Apple) -> None:
    phone = Phone(base, apple, "deleter")
    phone.register()
    apple.always(because("Unregistered"), phone.token)
    assert phone.outcome() == ("none", "undelivered", "provider_error")
    assert phone.outcome() == ("none", "undelivered", "no_device")
    [device] = phone.curl(DEVICES, phone.session)[1]["items"]
    assert (device["device_id"], device["apns_fallback_enabled"]) == (phone.device, False)
    apple.always(None, phone.token)
    phone.register()
    assert phone.outcome() == PUSHED


def test_a_phone_of_two_rings_for_its_new_owner_alone(base: str, apple: Apple) -> None:
    seller, buyer = Phone(base, apple, "seller"), Phone(base, apple, "buyer")
    buyer.device, buyer.token = seller.device, seller.token
    seller.register()
    buyer.register()
    assert seller.outcome() == ("none", "undelivered", "no_device")
    assert buyer.outcome() == PUSHED


def test_a_phone_that_was_removed_does_not_ring(base: str, apple: Apple) -> None:
    phone = Phone(base, apple, "remover")
    phone.register()
    assert phone.curl(REMOVE, phone.session, phone.device)[0] == 200
    assert phone.curl(DEVICES, phone.session)[1]["items"] == []
    assert phone.outcome() == ("none", "undelivered", "no_device")
    assert phone.rung() == []


def test_what_apple_had_no_answer_for_is_pushed_when_it_has(base: str, apple: Apple) -> None:
    phone = Phone(base, apple, "patient")
    phone.register()
    apple.script(phone.token, because("InternalServerError"))
    before = len(apple.requests)
    receipt = phone.publish()
    assert (receipt["status"], receipt["transport"]) == ("queued", "apns")
    first, second = apple.wait(before + 2, 30)[before:]
    assert (first.taken, second.taken) == (False, True)
    assert (first.id, first.token, first.body) == (second.id, phone.token, second.body)
