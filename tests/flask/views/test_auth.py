from __future__ import annotations

import pytest

from tests.verifiers.forgeries import token

PATH = "/auth/session"


def bearing(value):
    return {"Authorization": f"Bearer {value}"}


def test_B1_a_jwt_is_exchanged_for_a_session(client):
    answer = client.post(PATH, headers=bearing(token()))
    assert answer.status_code == 200
    assert list(answer.json) == ["token", "expires_in"]
    assert answer.json["token"].startswith("ms_sess_")
    assert answer.json["expires_in"] == 1800
    assert answer.headers["Cache-Control"] == "no-store"


def test_B2_the_session_authenticates(client):
    opened = client.post(PATH, headers=bearing(token())).json["token"]
    assert client.get("/v1/toasts", headers=bearing(opened)).status_code == 200


def test_B1_a_session_token_mints_no_other(client):
    opened = client.post(PATH, headers=bearing(token())).json["token"]
    answer = client.post(PATH, headers=bearing(opened))
    assert answer.status_code == 401
    assert answer.json["detail"] == "Invalid token: expected a Clerk JWT"


def test_B1_the_hosts_login_mints_none(client, ada):
    answer = client.post(PATH, headers=ada)
    assert (answer.status_code, answer.json["detail"]) == (401, "Missing Bearer token")


def test_B3_each_exchange_gives_another_session(client):
    tokens = {client.post(PATH, headers=bearing(token())).json["token"] for _ in range(2)}
    assert len(tokens) == 2


def test_B4_after_30_minutes_it_is_expired(client, clock):
    opened = client.post(PATH, headers=bearing(token())).json["token"]
    clock.advance(1800)
    answer = client.get("/v1/toasts", headers=bearing(opened))
    assert (answer.status_code, answer.json["detail"]) == (401, "Token expired")
    assert client.delete(PATH, headers=bearing(opened)).json["detail"] == "Token expired"


def test_B4_an_old_jwt_is_expired(client, clock):
    clock.advance(65)
    answer = client.post(PATH, headers=bearing(token()))
    assert (answer.status_code, answer.json["detail"]) == (401, "Token expired")


def test_B5_a_session_is_revoked_at_once(client):
    opened = client.post(PATH, headers=bearing(token())).json["token"]
    answer = client.delete(PATH, headers=bearing(opened))
    assert (answer.status_code, answer.json) == (200, {"success": True})
    after = client.get("/v1/toasts", headers=bearing(opened))
    assert (after.status_code, after.json["code"]) == (401, "session_revoked")
    assert client.delete(PATH, headers=bearing(opened)).status_code == 401


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        ({}, "Missing Bearer token"),
        (bearing("ms_sess_nobody"), "Invalid token: unknown session"),
        (bearing(token()), "Invalid token: not a session token"),
    ],
)
def test_B5_what_is_no_session_cannot_be_revoked(client, headers, detail):
    answer = client.delete(PATH, headers=headers)
    assert (answer.status_code, answer.json["detail"]) == (401, detail)
