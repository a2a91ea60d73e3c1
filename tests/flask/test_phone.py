"""A phone through the doors of an app: registered, rung or not, removed; on both databases."""

from __future__ import annotations

import pytest

from tests.apple.answers import refused
from tests.apple.server import Apple

pytestmark = pytest.mark.plain

REGISTER, DEVICES, PUBLISH = "/v1/devices/register-toast", "/v1/devices", "/v1/toasts/publish"
HERS, HIS = "ab" * 32, "cd" * 32
RUNG = {
    "delivered": True,
    "transport": "apns",
    "session_count": 0,
    "status": "delivered",
    "reason": None,
}


def silent(reason):
    return {
        "delivered": False,
        "transport": "none",
        "session_count": 0,
        "status": "undelivered",
        "reason": reason,
    }


@pytest.fixture
def apple(papers, clock):
    with Apple(papers, now=lambda: clock.now() / 1000) as apple:
        yield apple
        assert apple.faults() == []


@pytest.fixture
def app(make_app, apple, url):
    return make_app(**apple.config(), database_url=url, confirm_ms=5000, sweep_ms=20)


@pytest.fixture
def register(client, ada):
    def register(user_id, device_id, token):
        apns = {"token": token, "environment": "production"}
        answer = client.post(
            REGISTER,
            json={"device_id": device_id, "apns": apns},
            headers={**ada, "X-User": user_id},
        )
        assert answer.json == {
            "registered": True,
            "device_id": device_id,
            "apns_fallback_enabled": True,
        }

    return register


@pytest.fixture
def publish(client, publisher):
    """Publish to somebody; return what the receipt says, without its id."""

    def publish(user_id="ada", **given):
        body = {"user_id": user_id, "topic": f"user:{user_id}", "toast": {"title": "Hello"}}
        answer = client.post(PUBLISH, json={**body, **given}, headers=publisher)
        assert answer.status_code == 202
        return {name: value for name, value in answer.json.items() if name != "id"}

    return publish


def test_A26_a_phone_rings_when_nobody_is_in_front_and_only_then(
    app, apple, register, publish, connect
):
    register("ada", "phone", HERS)
    assert publish() == RUNG
    (request,) = apple.requests
    assert (request.token, request.json["aps"]["alert"]) == (HERS, {"title": "Hello"})
    page = connect("ada")
    assert publish()["transport"] == "websocket"
    assert len(apple.requests) == 1
    node = app.extensions["toastkit"].kit.node
    node.runtime.ask(lambda: page.say({"type": "state", "state": "background"}))
    assert publish() == RUNG
    node.runtime.ask(lambda: page.say({"type": "state", "state": "foreground"}))
    assert publish()["transport"] == "websocket"
    assert len(apple.requests) == 2


def test_A_27_a_phone_that_changed_hands_rings_for_its_new_user_alone(apple, register, publish):
    register("ada", "phone", HERS)
    register("bob", "phone", HERS)
    assert publish("ada") == silent("no_device")
    assert publish("bob") == RUNG
    assert len(apple.requests) == 1


def test_every_phone_of_a_user_rings_once(apple, register, publish):
    register("ada", "phone", HERS)
    register("ada", "pad", HIS)
    assert publish() == RUNG
    assert sorted(request.token for request in apple.wait(2)) == [HERS, HIS]
    assert list(apple.taken().values()) == [1, 1]


def test_a_removed_phone_is_silent(apple, register, publish, client, ada):
    register("ada", "phone", HERS)
    assert client.delete(f"{DEVICES}/phone", headers=ada).status_code == 200
    assert publish() == silent("no_device")
    assert apple.requests == []


def test_A15_a_publisher_may_want_no_phone_to_ring(apple, register, publish):
    register("ada", "phone", HERS)
    assert publish(fallback_apns=False) == silent("fallback_disabled")
    assert apple.requests == []


def test_A_29_a_phone_whose_app_is_gone_is_not_promised_any_pushes(
    apple, register, publish, client, ada, clock
):
    register("ada", "phone", HERS)
    apple.script(HERS, refused(410, "Unregistered", timestamp=clock.now() + 1))
    assert publish() == silent("provider_error")
    assert publish() == silent("no_device")
    (item,) = client.get(DEVICES, headers=ada).json["items"]
    assert (item["device_id"], item["apns_fallback_enabled"]) == ("phone", False)
    register("ada", "phone", HERS)
    assert publish() == RUNG


def test_a_visitors_phone_rings_for_the_user_the_visitor_became(
    apple, publish, client, ada, register
):
    token = client.post("/auth/anonymous", json={"device_id": "made-up"}).json["token"]
    visitor = {"Authorization": f"Bearer {token}"}
    apns = {"token": HERS, "environment": "production"}
    body = {"device_id": "phone", "apns": apns}
    assert client.post(REGISTER, json=body, headers=visitor).json["apns_fallback_enabled"] is True
    (item,) = client.get(DEVICES, headers=visitor).json["items"]
    assert item["device_id"] == "phone"
    client.post("/auth/rebind", json={"device_id": "made-up"}, headers=ada)
    assert publish() == RUNG
    assert client.get(DEVICES, headers=visitor).status_code == 401
    register("ada", "clerk:ada", HERS)  # as the app does at its next start
    assert publish() == RUNG
    assert [request.token for request in apple.requests] == [HERS, HERS]
