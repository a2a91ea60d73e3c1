"""Devices over HTTP: registered, listed, removed; what is promised of pushes is true."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from toastkit.senders import RecordingSender

PATH, DEVICES = "/v1/devices/register-toast", "/v1/devices"
HEX = "ab" * 32
APNS = {"token": HEX, "environment": "sandbox"}
AT = "2026-01-01T00:00:00+00:00"


def devices(app, user_id="ada"):
    return app.extensions["toastkit"].kit.devices.of(user_id)


@pytest.fixture
def sending(make_app):
    """A client of an app that could send pushes."""
    return make_app(senders=[RecordingSender("apns")]).test_client()


def test_A11_A13_a_device_is_registered(app, client, ada):
    answer = client.post(PATH, json={"device_id": "phone", "apns": APNS}, headers=ada)
    assert answer.status_code == 200
    assert answer.json == {
        "registered": True,
        "device_id": "phone",
        "apns_fallback_enabled": False,
    }
    (device,) = devices(app)
    assert (device.device_id, device.push_token) == ("phone", HEX)
    assert (device.environment, device.bundle_id) == ("sandbox", "com.bairisland.manticscore")


def test_A13_a_push_is_promised_where_one_could_be_sent(sending, ada):
    answer = sending.post(PATH, json={"device_id": "phone", "apns": APNS}, headers=ada)
    assert answer.json == {"registered": True, "device_id": "phone", "apns_fallback_enabled": True}


@pytest.mark.parametrize("apns", [{}, {"apns": None}])
def test_A13_and_to_none_without_a_push_token(sending, ada, apns):
    for given in ({"apns": APNS}, apns):  # the second time it has none any more
        answer = sending.post(PATH, json={"device_id": "phone", **given}, headers=ada)
    assert answer.json == {"registered": True, "device_id": "phone", "apns_fallback_enabled": False}


@pytest.mark.parametrize("base", ["", "/api"])
def test_the_documents_own_example_is_answered_as_it_shows(sending, ada, base):
    body = {"device_id": "device-uuid", "bundle_id": "com.bairisland.manticscore", "apns": APNS}
    answer = sending.post(base + PATH, json=body, headers=ada)
    assert answer.json == {
        "registered": True,
        "device_id": "device-uuid",
        "apns_fallback_enabled": True,
    }


def test_A11_registering_again_refreshes(app, client, ada):
    for token in (HEX, "cd" * 32):
        client.post(PATH, json={"device_id": "phone", "apns": {"token": token}}, headers=ada)
    assert [device.push_token for device in devices(app)] == ["cd" * 32]


@pytest.mark.parametrize("body", [{"device_id": "phone"}, {"device_id": "phone", "apns": None}])
def test_A12_apns_may_be_absent(app, client, ada, body):
    assert client.post(PATH, json=body, headers=ada).json["registered"] is True
    assert [device.push_token for device in devices(app)] == [None]


def test_A_26_the_sibling_words_of_an_apns_object_are_understood(app, client, ada):
    apns = {"device_token": HEX.upper(), "environment": "development"}
    client.post(PATH, json={"device_id": "phone", "apns": apns}, headers=ada)
    (device,) = devices(app)
    assert (device.push_token, device.environment) == (HEX, "sandbox")


def test_A12_the_synthesized_id_may_be_registered(client, ada):
    answer = client.post(PATH, json={"device_id": "clerk:ada"}, headers=ada)
    assert answer.json["device_id"] == "clerk:ada"


def test_A12_it_is_the_one_a_bootstrap_without_a_device_id_speaks_of(app, client, ada):
    client.post("/v1/sessions/toast-bootstrap", json={}, headers=ada)
    answer = client.post(PATH, json={"device_id": "clerk:ada", "apns": APNS}, headers=ada)
    assert answer.status_code == 200
    assert [device.device_id for device in devices(app)] == ["clerk:ada"]


def test_A_27_a_phone_that_changed_hands_belongs_to_its_new_user_alone(app, client, ada):
    body = {"device_id": "phone", "apns": APNS}
    client.post(PATH, json=body, headers=ada)
    client.post(PATH, json=body, headers={**ada, "X-User": "bob"})
    assert devices(app, "ada") == []
    assert len(devices(app, "bob")) == 1


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "device_id required"),
        ({"device_id": None}, "device_id required"),
        ({"device_id": ""}, "device_id required"),
        ({"device_id": "clerk:bob"}, "device_id belongs to another user"),
        ({"device_id": "phone", "apns": "hex"}, "apns: Expected `object | null`, got `str`"),
        ({"device_id": "phone", "apns": []}, "apns: Expected `object | null`, got `array`"),
        ({"device_id": "phone", "apns": {}}, "apns.token required"),
        ({"device_id": "phone", "bundle_id": ""}, "bundle_id must be 1-155 letters, digits and hyphens, joined by dots"),
    ],
)  # fmt: skip
def test_A12_a_wrong_field_is_named(app, client, ada, body, detail):
    answer = client.post(PATH, json=body, headers=ada)
    assert (answer.status_code, answer.json["detail"]) == (422, detail)
    assert devices(app) == []


def test_A11_nobody_registers_without_a_session(client):
    assert client.post(PATH, json={"device_id": "phone"}).status_code == 401


def test_a_list_shows_ones_own_devices_and_never_a_push_token(sending, ada):
    sending.post(PATH, json={"device_id": "phone", "apns": APNS}, headers=ada)
    sending.post(PATH, json={"device_id": "pad", "bundle_id": "com.example.pad"}, headers=ada)
    sending.post(PATH, json={"device_id": "his"}, headers={**ada, "X-User": "bob"})
    answer = sending.get(DEVICES, headers=ada)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert sorted(answer.json["items"], key=lambda item: item["device_id"]) == [
        {
            "device_id": "pad",
            "bundle_id": "com.example.pad",
            "environment": "production",
            "apns_fallback_enabled": False,
            "registered_at": AT,
        },
        {
            "device_id": "phone",
            "bundle_id": "com.bairisland.manticscore",
            "environment": "sandbox",
            "apns_fallback_enabled": True,
            "registered_at": AT,
        },
    ]
    assert HEX not in answer.text.lower()


def test_who_has_no_device_gets_an_empty_list(client, ada):
    assert client.get(DEVICES, headers=ada).json == {"items": []}


@pytest.mark.parametrize(
    "device_id", ["phone", "clerk:ada", "Ädas Handy", "100%", "a%20b", "a?b#c", "a&b=c", "..."]
)
@pytest.mark.parametrize("base", ["", "/api"])
def test_A_27_a_device_is_removed_by_its_id_whatever_that_is(app, client, ada, base, device_id):
    for each in (device_id, "another"):
        client.post(PATH, json={"device_id": each, "apns": APNS | {"token": None}}, headers=ada)
        client.post(PATH, json={"device_id": each}, headers=ada)
    path = f"{base}{DEVICES}/{quote(device_id, safe='')}"
    answer = client.delete(path, headers=ada)
    assert (answer.status_code, answer.json) == (200, {"removed": True, "device_id": device_id})
    assert [device.device_id for device in devices(app)] == ["another"]
    answer = client.delete(path, headers=ada)
    assert (answer.status_code, answer.json["code"]) == (404, "device_not_found")


def test_A3_the_default_device_of_a_user_with_a_slash_is_removed(app, client, ada):
    odd = {**ada, "X-User": "team/ada"}
    client.post(PATH, json={"device_id": "clerk:team/ada"}, headers=odd)
    answer = client.delete(f"{DEVICES}/clerk:team/ada", headers=odd)
    assert answer.json == {"removed": True, "device_id": "clerk:team/ada"}
    assert devices(app, "team/ada") == []


def test_A_27_nobody_removes_anothers_device(app, client, ada):
    client.post(PATH, json={"device_id": "phone", "apns": APNS}, headers=ada)
    answer = client.delete(f"{DEVICES}/phone", headers={**ada, "X-User": "bob"})
    assert (answer.status_code, answer.json["detail"]) == (404, "device_not_found")
    assert client.delete(f"{DEVICES}/phone").status_code == 401
    assert len(devices(app)) == 1


def test_what_is_removed_may_be_registered_again(sending, ada):
    body = {"device_id": "phone", "apns": APNS}
    for _ in range(2):
        assert sending.post(PATH, json=body, headers=ada).json["apns_fallback_enabled"] is True
        assert sending.delete(f"{DEVICES}/phone", headers=ada).status_code == 200
    assert sending.get(DEVICES, headers=ada).json == {"items": []}


def test_A11_looking_and_removing_take_nothing_of_the_30_a_minute(make_app, ada):
    client = make_app(rate_limits=True).test_client()
    for _ in range(5):
        client.get(DEVICES, headers=ada)
        client.delete(f"{DEVICES}/phone", headers=ada)
    answers = [client.post(PATH, json={"device_id": "phone"}, headers=ada) for _ in range(31)]
    assert [answer.status_code for answer in answers] == [200] * 30 + [429]


def test_of_too_many_devices_the_one_registered_longest_ago_goes(make_app, ada, clock):
    client = make_app(devices_per_user=2).test_client()
    for device_id in ("old", "new", "old", "newest"):  # "old" was refreshed since
        client.post(PATH, json={"device_id": device_id}, headers=ada)
        clock.advance(1)
    items = client.get(DEVICES, headers=ada).json["items"]
    assert sorted(item["device_id"] for item in items) == ["newest", "old"]
