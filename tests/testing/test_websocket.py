"""The WebSocket client that goes through an app's own routes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask, Response, request
from flask.testing import FlaskClient

from toastkit.errors import UsageError
from toastkit.testing import ManualClock, Toasts
from toastkit_flask.testing import WebSocketClient

MakeApp = Callable[..., Flask]


def test_a_signed_in_page_hears_toasts(client: FlaskClient, toasts: Toasts) -> None:
    with toasts.websocket(client) as ws:
        assert ws.greeting["topics"] == ["user:ada"]
        assert client.post("/orders").json == {"shown_on": 1, "status": "delivered"}
        [frame] = ws.pending()
        assert frame["toast"]["title"] == "Order placed"
        assert ws.ack(frame["toast"]["id"])["type"] == "ack_ack"
        assert ws.subscribe("user:ada:orders")["topics"] == ["user:ada:orders"]
        client.post("/orders", json={"topic": "user:ada:orders"})
        assert ws.receive()["topic"] == "user:ada:orders"
        assert ws.look("background")["state"] == "background"
        assert client.post("/orders").json == {"shown_on": 0, "status": "undelivered"}
    assert ws.close_code == 1000
    assert client.post("/orders").json == {"shown_on": 0, "status": "undelivered"}


def test_an_answer_is_told_from_what_comes_before(client: FlaskClient, toasts: Toasts) -> None:
    with toasts.websocket(client, topics=["user:ada:orders", "news"]) as ws:
        client.post("/orders", json={"topic": "user:ada:orders"})
        assert ws.ask({"type": "ping"})["type"] == "pong"
        assert ws.receive()["type"] == "toast"
        ws.send("no json")
        assert ws.receive()["code"] == "bad_message"


@pytest.mark.parametrize(
    ("token", "code", "error"), [("x", 4001, "invalid_token"), ("", 4002, "missing_token")]
)
def test_a_refusal_is_heard(
    client: FlaskClient, toasts: Toasts, token: str, code: int, error: str
) -> None:
    with toasts.websocket(client, token=token) as ws:
        assert ws.greeting is None
        assert ws.closed() == ws.close_code == code
        assert [frame["code"] for frame in ws.pending()] == [error]


def test_time_goes_by_as_the_clock_is_set(client: FlaskClient, toasts: Toasts) -> None:
    with toasts.websocket(client) as ws:
        for _ in range(30):  # pings are answered, or it would be silent by now
            toasts.clock.advance(28)
            toasts.settle()
        assert [frame["type"] for frame in ws.pending()] == ["token_expiring"]
        toasts.clock.advance(120)
        toasts.settle()
        assert ws.closed() == 4001
        assert ws.receive()["code"] == "token_expired"
        with pytest.raises(AssertionError, match="closed the connection: 4001 token expired"):
            ws.receive()


def test_what_does_not_come_is_told_with_what_was_published(
    client: FlaskClient, toasts: Toasts
) -> None:
    with toasts.websocket(client) as ws:
        client.post("/orders", json={"topic": "user:ada:orders"})
        said = r"nothing came within 0 seconds .* to user:ada when .*'Order placed' \(undelivered: not_"
        with pytest.raises(AssertionError, match=said):
            ws.receive(0)
        with pytest.raises(AssertionError, match="kept the connection open for 0 seconds"):
            ws.closed(0)


def test_a_network_that_is_gone_says_no_farewell(client: FlaskClient, toasts: Toasts) -> None:
    with toasts.websocket(client) as ws:
        toasts.offline("ada")
        assert ws.closed() == 1006
        with pytest.raises(AssertionError, match="closed the connection: 1006"):
            ws.ask({"type": "ping"})


def test_who_is_not_signed_in_is_told_to_be(app: Flask, toasts: Toasts) -> None:
    with (
        pytest.raises(UsageError, match=r"sign in first.*401"),
        toasts.websocket(app.test_client()),
    ):
        pass


def test_who_connects_too_often_is_told_what_to_set(make_app: MakeApp, toasts: Toasts) -> None:
    app = make_app(bootstrap_rate="1/minute")
    client, toasts = app.test_client(), toasts.of(app)
    client.post("/login/ada")
    with toasts.websocket(client):
        pass
    with pytest.raises(UsageError, match="TOASTKIT_RATE_LIMITS = False"), toasts.websocket(client):
        pass


def test_a_client_that_is_not_connected_says_so(client: FlaskClient) -> None:
    with pytest.raises(UsageError, match="use it in a with block"):
        WebSocketClient(client).send({"type": "ping"})


def test_a_handshake_that_is_refused_is_told(client: FlaskClient, toasts: Toasts) -> None:
    headers = {"Origin": "https://elsewhere.example"}
    with (
        pytest.raises(AssertionError, match="the handshake was refused: 403"),
        toasts.websocket(client, token="x", headers=headers),
    ):
        pass


def test_the_hosts_own_rules_are_in_force_and_its_prefix(make_app: MakeApp, toasts: Toasts) -> None:
    app = make_app(url_prefix="/toasts", clock=ManualClock())

    @app.before_request
    def members_only() -> Response | None:
        known = request.path.startswith("/login") or "session" in request.cookies
        return None if known else Response(status=403)

    client = app.test_client()
    client.post("/login/ada")
    with toasts.of(app).websocket(client) as ws:
        client.post("/orders")
        assert ws.receive()["toast"]["title"] == "Order placed"


def test_the_portable_gateway_serves_it_too(make_app: MakeApp, toasts: Toasts) -> None:
    app = make_app(gateway="portable")
    client = app.test_client()
    client.post("/login/ada")
    with toasts.of(app).websocket(client) as ws:
        client.post("/orders")
        assert ws.receive()["toast"]["title"] == "Order placed"
