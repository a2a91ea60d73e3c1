from __future__ import annotations

import pytest

from tests.verifiers.forgeries import token
from toastkit.closing import CloseReason
from toastkit.ids import token_hash

PATH, ALL = "/auth/session", "/auth/sessions"


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


def sign_in(client, user="user_ada"):
    return client.post(PATH, headers=bearing(token(sub=user))).json["token"]


def test_resolution_2_a_revoked_session_never_looks_expired(client, clock):
    opened = sign_in(client)
    client.delete(PATH, headers=bearing(opened))
    clock.advance(3600)
    answer = client.get("/v1/toasts", headers=bearing(opened))
    assert (answer.status_code, answer.json["detail"]) == (401, "Invalid token: session revoked")


def test_resolution_3_the_second_delete_is_401(client):
    opened = sign_in(client)
    answers = [client.delete(PATH, headers=bearing(opened)) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 401]
    assert answers[1].json["detail"] == "Invalid token: session revoked"


def test_resolution_4_every_session_of_a_user_ends_at_once(client):
    hers, bobs = [sign_in(client) for _ in range(3)], sign_in(client, "bob")
    answer = client.delete(ALL, headers=bearing(hers[0]))
    assert (answer.status_code, answer.json) == (200, {"success": True, "sessions": 3})
    for each in hers:
        assert client.get("/v1/toasts", headers=bearing(each)).status_code == 401
    assert client.get("/v1/toasts", headers=bearing(bobs)).status_code == 200


def test_resolution_4_a_jwt_and_the_hosts_login_end_them_too(client):
    page = {"X-ToastKit": "1", "X-User": "bob"}
    for headers in (bearing(token(sub="bob")), page):
        opened = sign_in(client, "bob")
        assert client.delete(ALL, headers=headers).json == {"success": True, "sessions": 1}
        assert client.get("/v1/toasts", headers=bearing(opened)).status_code == 401


def test_resolution_4_another_page_cannot_sign_a_user_out(client):
    opened = sign_in(client, "bob")
    assert client.delete(ALL, headers={"X-User": "bob"}).status_code == 401
    assert client.get("/v1/toasts", headers=bearing(opened)).status_code == 200


def test_resolution_4_it_ends_a_visitors_own_sessions_only(app, client):
    mint = app.extensions["toastkit"].kit.sessions.mint
    one, two = (f"anon:{number}b9d4c1e-7d5f-4a2b-9c3d-1e2f3a4b5c6d" for number in (0, 1))
    hers, others = mint(one)[0], mint(two)[0]
    assert client.delete(ALL, headers=bearing(hers)).json["sessions"] == 1
    assert client.get("/v1/toasts", headers=bearing(others)).status_code == 200


def test_resolution_4_its_sockets_end(app, client):
    kit = app.extensions["toastkit"].kit
    opened = sign_in(client, "bob")
    told = []
    kit.node.dismiss = lambda *whom: told.append(whom)
    client.delete(PATH, headers=bearing(opened))
    assert told == [("bob", CloseReason.TOKEN_REVOKED, token_hash(opened))]
