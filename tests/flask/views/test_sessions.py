from __future__ import annotations

import re

import pytest

from tests.verifiers.forgeries import token
from toastkit import ids

PATH = "/v1/sessions/toast-bootstrap"
ANONYMOUS = "anon:0b9d4c1e-7d5f-4a2b-9c3d-1e2f3a4b5c6d"


def ticket_of(app, answer):
    return app.extensions["toastkit"].kit.identity.tickets.redeem(answer.json["token"])


def test_A1_a_jwt_mints_a_ticket(client):
    answer = client.post(PATH, headers={"Authorization": f"Bearer {token()}"})
    assert answer.status_code == 200


def test_A1_a_session_token_mints_a_ticket_that_knows_its_session(app, client):
    opened = app.extensions["toastkit"].kit.sessions.mint("ada")
    answer = client.post(PATH, headers={"Authorization": f"Bearer {opened[0]}"})
    assert ticket_of(app, answer).session_hash == opened[1].token_hash


def test_A1_an_anonymous_session_gets_a_device_id_that_hides_its_uuid(app, client):
    opened, _ = app.extensions["toastkit"].kit.sessions.mint(ANONYMOUS)
    answer = client.post(PATH, headers={"Authorization": f"Bearer {opened}"})
    assert answer.json["default_topics"] == [f"user:{ANONYMOUS}"]
    device_id = ticket_of(app, answer).device_id
    assert re.fullmatch("anon:[0-9a-f]{16}", device_id)
    assert device_id == ids.default_device_id(ANONYMOUS)


@pytest.mark.parametrize("clerk_jwt", ["forged", "", None, 7, {"a": 1}])
def test_A2_clerk_jwt_in_the_body_is_neither_verified_nor_trusted(app, client, ada, clerk_jwt):
    answer = client.post(PATH, json={"clerk_jwt": clerk_jwt}, headers=ada)
    assert ticket_of(app, answer).user_id == "ada"


def test_A2_clerk_jwt_in_the_body_authenticates_nobody(client):
    assert client.post(PATH, json={"clerk_jwt": token()}).status_code == 401


@pytest.mark.parametrize("body", [{}, {"device_id": None}])
def test_A3_the_default_device_id_is_stable(app, client, ada, body):
    answers = [client.post(PATH, json=body, headers=ada) for _ in range(2)]
    assert [ticket_of(app, answer).device_id for answer in answers] == ["clerk:ada"] * 2


def test_A3_a_device_id_is_kept(app, client, ada):
    answer = client.post(PATH, json={"device_id": "phone"}, headers=ada)
    assert ticket_of(app, answer).device_id == "phone"


@pytest.mark.parametrize("bundle_id", [None, "com.bairisland.manticscore", "com.example.app-2"])
def test_A4_a_bundle_id_is_accepted(client, ada, bundle_id):
    assert client.post(PATH, json={"bundle_id": bundle_id}, headers=ada).status_code == 200


@pytest.mark.parametrize("body", [None, {}, {"default_topics": []}, {"default_topics": None}])
def test_A5_without_topics_the_own_one_is_inserted(client, ada, body):
    answer = client.post(PATH, json=body, headers=ada)
    assert answer.json["default_topics"] == ["user:ada"]


def test_A5_A10_what_passed_is_told_in_order_and_once(app, client, ada):
    wanted = ["user:ada:builds", "user:bob", "news", "user:ada:builds", "user:ada:*", "user:ada"]
    answer = client.post(PATH, json={"default_topics": wanted}, headers=ada)
    expected = ["user:ada:builds", "news", "user:ada:*", "user:ada"]
    assert answer.json["default_topics"] == expected
    assert list(ticket_of(app, answer).topics) == expected


def test_A5_when_all_were_dropped_none_is_inserted(client, ada):
    answer = client.post(PATH, json={"default_topics": ["user:bob"]}, headers=ada)
    assert answer.json["default_topics"] == []


def test_A6_the_four_keys_and_no_other(client, ada):
    answer = client.post(PATH, headers=ada)
    assert list(answer.json) == ["token", "ws_url", "expires_at", "default_topics"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_A7_A9_it_expires_in_15_minutes_written_with_an_offset(client, ada):
    assert client.post(PATH, headers=ada).json["expires_at"] == "2026-01-01T00:15:00+00:00"


@pytest.mark.parametrize(
    ("settings", "base_url", "expected"),
    [
        ({}, "http://localhost", "ws://localhost/api/v1/realtime"),
        ({}, "http://127.0.0.1:8000", "ws://127.0.0.1:8000/api/v1/realtime"),
        ({}, "https://api.example.com", "wss://api.example.com/api/v1/realtime"),
        ({}, "http://localhost/mounted", "ws://localhost/mounted/api/v1/realtime"),
        ({"url_prefix": "/t"}, "http://localhost", "ws://localhost/t/api/v1/realtime"),
        (
            {"public_url": "https://pub.example.com"},
            "http://10.0.0.7:8000",
            "wss://pub.example.com/api/v1/realtime",
        ),
        (
            {"public_url": "https://pub.example.com/app/"},
            "http://10.0.0.7:8000",
            "wss://pub.example.com/app/api/v1/realtime",
        ),
    ],
)
def test_A8_the_url_carries_the_token_and_the_documented_path(
    make_app, ada, settings, base_url, expected
):
    path = settings.get("url_prefix", "") + PATH
    answer = make_app(**settings).test_client().post(path, headers=ada, base_url=base_url)
    assert answer.json["ws_url"] == f"{expected}?token={answer.json['token']}"


def test_A8_forwarding_headers_are_believed_only_through_the_hosts_proxyfix(client, ada):
    forged = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example", **ada}
    answer = client.post(PATH, headers=forged)
    assert answer.json["ws_url"].startswith("ws://localhost/")


@pytest.mark.parametrize(
    ("body", "loc", "detail"),
    [
        ({"device_id": ""}, ["device_id"], "device_id required"),
        ({"device_id": 7}, ["device_id"], "device_id: Expected `str | null`, got `int`"),
        ({"device_id": "x" * 201}, ["device_id"], "device_id must be 1-200 printable chars"),
        ({"device_id": "clerk:bob"}, ["device_id"], "device_id belongs to another user"),
        ({"bundle_id": "a b"}, ["bundle_id"], "bundle_id must be 1-155 letters, digits and hyphens, joined by dots"),
        ({"default_topics": "user:ada"}, ["default_topics"], "default_topics: Expected `array | null`, got `str`"),
        ({"default_topics": {"a": 1}}, ["default_topics"], "default_topics: Expected `array | null`, got `object`"),
        ({"default_topics": ["news"] * 101}, ["default_topics"], "default_topics must be at most 100 topics"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named(client, ada, body, loc, detail):
    answer = client.post(PATH, json=body, headers=ada)
    assert answer.status_code == 422
    assert answer.json["detail"] == detail
    assert answer.json["errors"][0]["loc"] == loc


def test_the_host_may_narrow_topics_and_only_narrow(make_app, ada):
    app = make_app()
    app.extensions["toastkit"].hooks.authorize = lambda *_: True
    answer = app.test_client().post(PATH, json={"default_topics": ["user:bob"]}, headers=ada)
    assert answer.json["default_topics"] == []


@pytest.mark.parametrize("host", ["a b", ":abc", "a/b", "my_app:8000", "[::1"])
def test_A8_a_host_that_is_none_is_no_address_to_connect_to(client, ada, make_app, host):
    told = client.post("/v1/sessions/toast-bootstrap", headers={**ada, "Host": host})
    assert told.status_code == 422
    assert "set TOASTKIT_PUBLIC_URL" in told.json["detail"]
    named = make_app(public_url="https://app.example.com").test_client()
    told = named.post("/v1/sessions/toast-bootstrap", headers={**ada, "Host": host})
    assert told.json["ws_url"].startswith("wss://app.example.com/api/v1/realtime?token=")
