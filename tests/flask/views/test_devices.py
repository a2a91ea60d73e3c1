from __future__ import annotations

import pytest

PATH = "/v1/devices/register-toast"
APNS = {"token": "ab" * 32, "environment": "sandbox"}


def devices(app, user_id="ada"):
    return app.extensions["toastkit"].kit.devices.of(user_id)


def test_A11_A13_a_device_is_registered(app, client, ada):
    answer = client.post(PATH, json={"device_id": "phone", "apns": APNS}, headers=ada)
    assert answer.status_code == 200
    assert answer.json == {
        "registered": True,
        "device_id": "phone",
        "apns_fallback_enabled": False,
    }
    (device,) = devices(app)
    assert (device.device_id, device.push_token) == ("phone", "ab" * 32)
    assert (device.environment, device.bundle_id) == ("sandbox", "com.bairisland.manticscore")


def test_A11_registering_again_refreshes(app, client, ada):
    for token in ("ab" * 32, "cd" * 32):
        client.post(PATH, json={"device_id": "phone", "apns": {"token": token}}, headers=ada)
    assert [device.push_token for device in devices(app)] == ["cd" * 32]


@pytest.mark.parametrize("body", [{"device_id": "phone"}, {"device_id": "phone", "apns": None}])
def test_A12_apns_may_be_absent(app, client, ada, body):
    assert client.post(PATH, json=body, headers=ada).json["registered"] is True
    assert [device.push_token for device in devices(app)] == [None]


def test_A12_the_synthesized_id_may_be_registered(client, ada):
    answer = client.post(PATH, json={"device_id": "clerk:ada"}, headers=ada)
    assert answer.json["device_id"] == "clerk:ada"


def test_a_phone_that_changed_hands_belongs_to_its_new_user_alone(app, client, ada):
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
        ({"device_id": "phone", "bundle_id": ""}, "bundle_id must be 1-155 letters, digits, dots and hyphens"),
    ],
)  # fmt: skip
def test_A12_a_wrong_field_is_named(app, client, ada, body, detail):
    answer = client.post(PATH, json=body, headers=ada)
    assert (answer.status_code, answer.json["detail"]) == (422, detail)
    assert devices(app) == []


def test_A11_nobody_registers_without_a_session(client):
    assert client.post(PATH, json={"device_id": "phone"}).status_code == 401
