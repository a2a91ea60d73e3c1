"""What we ask Apple for is what the real apns2 0.7.2 asks for; what we hear is what it hears."""

import json
import os
import subprocess
from pathlib import Path

import jwt
import pytest

from tests.apple.answers import REASONS, Answer, because
from tests.apple.papers import KEY_ID, TEAM_ID
from toastkit.clock import SystemClock
from toastkit.deliveries import Delivery, Gone, Later, Refusal, Sent
from toastkit.records import Device
from toastkit.senders.apns import ApnsSender, ApnsSettings

PYTHON = os.environ.get("TOASTKIT_APNS2_PYTHON")
if PYTHON is None:
    pytest.skip("apns2 has an environment of its own: nox -s apns2_oracle", allow_module_level=True)

SCRIPT = Path(__file__).with_name("apns2_client.py")
TOKEN, TOPIC = "b2" * 32, "com.example.app"
CREATED = 1_800_000_000_000
OF_A_CLIENT = {"user-agent", "accept", "accept-encoding", "content-length", "content-type"}
NEVER_TOLD = {"UnrelatedKeyIdInToken", "BadEnvironmentKeyIdInToken", "InvalidPushType"}
"""Apple's reasons that apns2 does not know: it fails with a KeyError. ``ExpiredToken`` neither."""

TOAST = {
    "id": "01HXY7Z1ABCDEFGHJKMNPQRSTV",
    "topic": "user:u1",
    "title": "Hello",
    "body": "World",
    "style": "info",
    "priority": "normal",
    "deeplink": None,
    "data": None,
    "created_at": CREATED,
    "expires_at": None,
    "collapse_key": None,
}


class Apns2:
    """The real one: ``push`` a delivery, as its user would have to."""

    def __init__(self, apple):
        papers = apple.papers
        files = [str(papers.ca_file), str(papers.key_file)]
        command = [PYTHON, "-W", "ignore", SCRIPT, "localhost", str(apple.port), *files]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._process = subprocess.Popen([*command, KEY_ID, TEAM_ID], text=True, **pipes)

    def push(self, toast, ours):
        wanted = {
            "token": TOKEN,
            "topic": TOPIC,
            "title": toast["title"],
            "body": toast["body"],
            "sound": None if toast["priority"] == "low" else "default",
            "toast": {name: toast[name] for name in ("id", "topic", "deeplink", "style")},
            "priority": "5" if toast["priority"] == "low" else "10",
            "expiration": expires_at(toast) // 1000,
            "collapse_id": ours.headers["apns-collapse-id"],
        }
        self._process.stdin.write(json.dumps(wanted) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self):
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


@pytest.fixture
def apns2(apple):
    client = Apns2(apple)
    yield client
    client.close()


@pytest.fixture
def sender(apple):
    config = {name.removeprefix("apns_"): value for name, value in apple.config().items()}
    sender = ApnsSender(ApnsSettings(**config), SystemClock())
    yield sender
    sender.close()


def expires_at(toast):
    return toast["expires_at"] or CREATED + 3_600_000


def delivery(toast):
    device = Device(
        user_id="u1",
        device_id="phone",
        bundle_id=TOPIC,
        push_token=TOKEN,
        environment="production",
        registered_at=CREATED,
    )
    return Delivery(
        id="d1",
        kind="apns",
        target="phone",
        payload={"toast": toast},
        created_at=CREATED,
        expires_at=expires_at(toast),
        user_id="u1",
        toast_id=toast["id"],
        seq=1,
        device=device,
    )


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"priority": "high"},
        {"priority": "low", "style": "warning"},
        {"body": None},
        {"deeplink": "myapp://orders/1?x=%20&y=ü"},
        {"collapse_key": "order-1"},
        {"title": "Grüße \U0001f469\u200d\U0001f680", "body": 'quote " back \\ line\nend'},
        {"expires_at": CREATED + 60_000},
        {"body": "x" * 2000},
    ],
)
def test_the_same_push_is_asked_for(apple, apns2, sender, changes):
    toast = TOAST | changes
    assert isinstance(sender.post(delivery(toast)), Sent)
    ours = apple.requests[-1]
    assert apns2.push(toast, ours) is None
    theirs = apple.requests[-1]
    assert (ours.method, ours.path) == (theirs.method, theirs.path)
    assert apns(ours) == apns(theirs) | {"apns-id": ours.id}
    assert {*ours.headers} - {*theirs.headers} <= {"apns-id", "apns-priority", *OF_A_CLIENT}
    assert claims(ours) == claims(theirs)
    assert shown(ours) == shown(theirs)
    assert apple.faults() == []


def apns(request):
    """Return what is Apple's; 10 is the priority of what names none."""
    named = {name: value for name, value in request.headers.items() if name.startswith("apns-")}
    return {"apns-priority": "10", **named}


def claims(request):
    scheme, _, token = request.headers["authorization"].partition(" ")
    head, said = (
        jwt.get_unverified_header(token),
        jwt.decode(token, options={"verify_signature": False}),
    )
    assert type(said.pop("iat")) in {int, float}
    assert head.pop("typ", "JWT") == "JWT"
    return scheme, head, said


def shown(request):
    """Return the payload, but for what is newer than apns2."""
    payload = request.json
    payload["aps"].pop("interruption-level", None)
    return payload


@pytest.mark.parametrize("reason", sorted(REASONS.keys() - NEVER_TOLD - {"ExpiredToken"}))
def test_the_same_answer_is_heard(apple, apns2, sender, reason):
    since = CREATED if REASONS[reason] == 410 else None
    apple.always(Answer(status=REASONS[reason], reason=reason, timestamp=since))
    outcome = sender.post(delivery(TOAST))
    assert apns2.push(TOAST, apple.requests[-1]) == [reason, since]
    assert reason in outcome.answer
    gone, later = isinstance(outcome, Gone), isinstance(outcome, Later)
    assert (gone, getattr(outcome, "since", None)) == (since is not None, since)
    assert later == (REASONS[reason] in {403, 429, 500, 503} or reason == "IdleTimeout")
    assert gone or later or isinstance(outcome, Refusal)


@pytest.mark.parametrize("reason", sorted(NEVER_TOLD))
def test_what_apns2_has_not_heard_of_is_no_failure_of_ours(apple, sender, reason):
    apple.always(because(reason))
    assert reason in sender.post(delivery(TOAST)).answer
