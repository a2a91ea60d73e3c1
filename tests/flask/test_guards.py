from __future__ import annotations

import asyncio

import pytest
from flask import Flask, abort

from tests.verifiers.forgeries import token
from toastkit import publish_control, publish_toast
from toastkit.errors import StorageUnavailable, UnknownToast
from toastkit_flask import ToastKit, current_principal, session_required
from toastkit_flask.guards import bearer

BOOTSTRAP, TOASTS = "/v1/sessions/toast-bootstrap", "/v1/toasts"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
def test_B17_the_scheme_is_read_in_any_case(client, scheme):
    answer = client.get(TOASTS, headers={"Authorization": f"{scheme}   {token()} "})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Bearer    ", "Basic eDp5", "Token x", "Bearer\tx"]
)
def test_B17_a_request_without_a_bearer_is_told_so(client, header):
    headers = {} if header is None else {"Authorization": header}
    answer = client.get(TOASTS, headers=headers)
    assert answer.status_code == 401
    assert answer.json["detail"] == "Missing Bearer token"
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_the_hosts_login_counts_with_the_header_of_its_own_page(client, ada):
    assert client.get(TOASTS, headers=ada).status_code == 200


def test_the_hosts_login_alone_does_not_count(client):
    answer = client.get(TOASTS, headers={"X-User": "ada"})
    assert (answer.status_code, answer.json["detail"]) == (401, "Missing Bearer token")


def test_who_shows_a_cookie_alone_is_told_which_header_goes_along(client):
    client.set_cookie("session", "of the host")
    told = client.get(TOASTS).json
    assert told["detail"] == "Missing Bearer token"
    assert "X-ToastKit: 1" in told["message"]


def test_who_shows_nothing_is_told_of_no_header(client):
    assert client.get(TOASTS).json["message"] == "Missing Bearer token"


def test_a_page_of_nobody_is_told_who_knows_of_nobody(client):
    client.set_cookie("session", "of nobody")
    answer = client.get(TOASTS, headers={"X-ToastKit": "1"}).json
    assert answer["detail"].startswith("Missing Bearer token")
    assert "@toastkit.user_loader" in answer["message"]


def test_a_bearer_may_come_from_any_origin(client):
    headers = {"Authorization": f"Bearer {token()}", "Origin": "https://elsewhere.example"}
    assert client.post(BOOTSTRAP, headers=headers).status_code == 200


def test_a_bearer_and_a_login_of_two_users_are_refused(client, ada):
    headers = {**ada, "X-User": "bob", "Authorization": f"Bearer {token()}"}
    answer = client.get(TOASTS, headers=headers)
    assert answer.status_code == 401
    assert answer.json["detail"].startswith("Invalid token: ")


def test_a_proxys_basic_authorization_does_not_hide_the_login(client, ada):
    assert client.get(TOASTS, headers={**ada, "Authorization": "Basic eDp5"}).status_code == 200


@pytest.mark.parametrize("found", ["a:b", "anon", "x" * 201, "a b"])
def test_a_login_whose_id_cannot_be_used_is_401_and_not_500(client, ada, found):
    assert client.get(TOASTS, headers={**ada, "X-User": found}).status_code == 401


def test_without_any_login_a_bearer_is_asked_for(tmp_path):
    app = Flask("host", instance_path=str(tmp_path))
    ToastKit(app)
    answer = app.test_client().get(TOASTS, headers={"X-ToastKit": "1"})
    assert answer.json["detail"] == "Missing Bearer token"


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost", 200), ("app.example.com", 200), ("evil.example", 403), ("localhost.evil", 403)],
)
def test_a_foreign_host_is_refused_when_hosts_are_named(make_app, host, status):
    client = make_app(trusted_hosts="localhost,.example.com").test_client()
    assert client.get("/health", base_url=f"http://{host}").status_code == status


@pytest.mark.parametrize("path", ["/health", "/the-hosts-own", "/no-such-path"])
def test_the_first_request_makes_the_process_serve(app, client, path):
    app.add_url_rule("/the-hosts-own", "own", lambda: "")
    assert not app.extensions["toastkit"].kit.node.serving
    client.get(path)
    assert app.extensions["toastkit"].kit.node.serving


def test_the_hosts_first_request_may_tell_a_control(app, client):
    def change() -> str:
        publish_control("flags.changed")
        return publish_toast("ada", "Hello").status

    app.add_url_rule("/change", "change", change)
    assert client.get("/change").text == "undelivered"


@pytest.fixture
def signing_out(app):
    """Add a view during which the session that asks ends, and that then answers as it is told."""
    kit = app.extensions["toastkit"].kit

    def add(answer):
        @app.get("/host")
        @session_required
        def host():
            kit.sessions.revoke(bearer())
            return answer()

        opened, _ = kit.sessions.mint("ada")
        return {"Authorization": f"Bearer {opened}"}

    return add


def abort_404():
    abort(404)


def refuse():
    raise UnknownToast


@pytest.mark.parametrize("answer", [lambda: "secret", abort_404, refuse])
def test_B5_who_is_signed_out_meanwhile_is_not_answered(client, signing_out, answer):
    told = client.get("/host", headers=signing_out(answer))
    assert (told.status_code, told.json["detail"]) == (401, "Invalid token: session revoked")
    assert told.headers["WWW-Authenticate"] == "Bearer"
    assert told.headers["Cache-Control"] == "no-store"


def test_B5_an_error_nobody_expected_is_not_hidden_by_that(client, signing_out, caplog):
    assert client.get("/host", headers=signing_out(lambda: 1 // 0)).status_code == 500
    assert "ZeroDivisionError" in caplog.text


def test_B5_who_is_known_otherwise_is_answered(app, client, ada):
    @app.get("/host")
    @session_required
    def host():
        app.extensions["toastkit"].kit.sessions.revoke_all("ada")
        return current_principal().user_id

    assert client.get("/host", headers=ada).text == "ada"


def test_B5_a_session_that_cannot_be_asked_for_again_says_what_is_not_known(
    app, client, clock, monkeypatch
):
    kit = app.extensions["toastkit"].kit

    @app.post("/host")
    @session_required
    def host():
        clock.advance(2)  # what was read of the session is not believed any longer

        def away(_hash):
            raise StorageUnavailable("the database cannot be read; nothing was kept")

        monkeypatch.setattr(kit.sessions._cache, "_read", away)
        return "made"

    token, _ = kit.sessions.mint("ada")
    told = client.post("/host", headers={"Authorization": f"Bearer {token}"})
    assert (told.status_code, told.json["code"]) == (503, "storage_unavailable")
    assert "may have been done" in told.json["message"]


def test_a_view_of_the_hosts_may_be_async(app, client, ada):
    app.async_to_sync = lambda view: lambda **path: asyncio.run(view(**path))  # asgiref's, else
    kit = app.extensions["toastkit"].kit

    @app.get("/host/<what>")
    @session_required
    async def host(what):
        if what == "leave":
            kit.sessions.revoke(bearer())
        return current_principal().user_id

    assert client.get("/host/stay", headers=ada).text == "ada"
    opened, _ = kit.sessions.mint("ada")
    left = client.get("/host/leave", headers={"Authorization": f"Bearer {opened}"})
    assert left.json["detail"] == "Invalid token: session revoked"
    assert client.get("/host/stay").status_code == 401


def test_B2_a_session_is_read_once_for_many_requests(app, client, monkeypatch):
    kit, asked = app.extensions["toastkit"].kit, []
    find = kit._ground.storage.sessions.find
    opened, _ = kit.sessions.mint("ada")
    monkeypatch.setattr(
        kit.sessions._cache, "_read", lambda token_hash: asked.append(1) or find(token_hash)
    )
    for _ in range(10):
        headers = {"Authorization": f"Bearer {opened}"}
        assert client.get(TOASTS, headers=headers).status_code == 200
    assert asked == [1]
