from __future__ import annotations

import socket

import pytest

from toastkit import StorageUnavailable

PATH = "/api/v1/realtime"
HANDSHAKE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


def settle(app):
    """Wait until the loop has done what it was told so far."""
    runtime = app.extensions["toastkit"].kit.node.runtime
    done = runtime.signal()
    runtime.call(done.set)
    assert done.wait(5)


@pytest.fixture
def shake(client):
    def shake(query="", environ=None, **changes):
        named = {name.replace("_", "-"): value for name, value in changes.items()}
        headers = {name: value for name, value in {**HANDSHAKE, **named}.items() if value}
        overrides = {"SERVER_PROTOCOL": "HTTP/1.1", **(environ or {})}
        return client.get(PATH + query, headers=headers, environ_overrides=overrides)

    return shake


@pytest.fixture
def roster(app):
    return app.extensions["toastkit"].kit.node.roster


@pytest.mark.parametrize("path", ["/v1/realtime", PATH])
def test_a_plain_get_is_told_to_upgrade(client, path):
    answer = client.get(path)
    assert (answer.status_code, answer.json["code"]) == (426, "upgrade_required")
    assert answer.headers["Upgrade"] == "websocket"


def test_another_version_is_426_with_ours(shake):
    answer = shake(Sec_WebSocket_Version="8")
    assert answer.status_code == 426
    assert answer.headers["Sec-WebSocket-Version"] == "13"
    assert answer.json["errors"][0]["type"] == "version"


@pytest.mark.parametrize(
    "change",
    [
        {"Sec_WebSocket_Key": ""},
        {"Sec_WebSocket_Key": "short"},
        {"Sec_WebSocket_Key": "!" * 24},
        {"environ": {"SERVER_PROTOCOL": "HTTP/1.0"}},
        {"environ": {"CONTENT_LENGTH": "5"}},
        {"environ": {"HTTP_TRANSFER_ENCODING": "chunked"}},
        {"environ": {"HTTP_X_ODD": "a\x00b"}},
    ],
)
def test_a_bad_handshake_is_400_in_json(shake, roster, change):
    answer = shake(**change)
    assert (answer.status_code, answer.json["code"]) == (400, "invalid")
    assert not roster.connections


@pytest.mark.parametrize("origin", ["null", "https://evil.example", "http://localhost:81", ""])
def test_a_page_of_another_origin_is_403(client, shake, origin):
    headers = {**HANDSHAKE, "Origin": origin}
    answer = client.get(PATH, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (403, "origin_not_allowed")


def test_a_server_without_a_socket_is_told_in_one_line(shake, caplog):
    answer = shake()
    assert (answer.status_code, answer.json["code"]) == (500, "internal_error")
    assert "serve with gunicorn" in caplog.text
    assert "Traceback" not in caplog.text


def test_a_client_that_left_during_its_handshake_is_held_no_longer(
    app, client, ada, shake, roster, caplog
):
    ticket = client.post("/v1/sessions/toast-bootstrap", headers=ada).json["token"]
    server, its_client = socket.socketpair()
    with server:
        its_client.close()
        shake(f"?token={ticket}", environ={"werkzeug.socket": server})
        settle(app)
    assert not roster.connections
    assert not caplog.records


def test_a_database_that_fails_is_503_before_the_handshake(app, shake, roster, monkeypatch):
    def fail(_):
        raise StorageUnavailable("locked")

    monkeypatch.setattr(app.extensions["toastkit"].kit.identity.tickets, "redeem", fail)
    answer = shake("?token=x", environ={"werkzeug.socket": object()})
    assert (answer.status_code, answer.json["code"]) == (503, "storage_unavailable")
    assert not roster.connections
