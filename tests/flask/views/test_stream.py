"""The stream's door: who may pass, what they hear, and that nobody stays who was refused."""

from __future__ import annotations

import json
import socket
from contextlib import ExitStack, closing

import pytest
from flask import Flask, abort

from tests.flask.views.test_realtime import settle
from toastkit import StorageUnavailable
from toastkit.closing import CloseReason

PATH = "/v1/toasts/stream"
ANON = "anon:0b0e7f52-6c0b-4a4e-9d39-0d6f0b6e3c0f"


@pytest.fixture
def kit(app):
    """Return the app's kit, serving: nothing published is left for a sweeper to tell meanwhile."""
    kit = app.extensions["toastkit"].kit
    kit.node.serve()
    return kit


@pytest.fixture
def pair():
    server, client = socket.socketpair()
    client.settimeout(5)
    with server, client:
        yield server, client


@pytest.fixture
def follow(client, pair):
    """Ask for a stream on a socket as a server would hand it over; return what the client reads."""
    with ExitStack() as readers:

        def follow(query="", **headers):
            environ = {"werkzeug.socket": pair[0]}
            refused = client.get(PATH + query, headers=headers, environ_overrides=environ)
            return refused, readers.enter_context(closing(Reader(pair[1])))

        yield follow


class Reader:
    """Read a head and lines from a socket."""

    def __init__(self, sock):
        self._file = sock.makefile("rb")

    def close(self):
        self._file.close()  # it keeps its socket open; a failed test's traceback would keep both

    def head(self):
        lines = [line.decode().rstrip("\r\n") for line in iter(self._file.readline, b"\r\n")]
        return lines[0], dict(line.split(": ", 1) for line in lines[1:])

    def line(self):
        return json.loads(self._file.readline() or "null")


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def test_the_head_and_the_greeting(follow, ada, clock):
    _, reader = follow(**ada)
    status, headers = reader.head()
    assert status == "HTTP/1.1 200 OK"
    assert headers["Content-Type"] == "application/x-ndjson"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Accel-Buffering"] == "no"
    assert headers["Connection"] == "close"
    assert "Content-Length" not in headers
    greeting = reader.line()
    assert (greeting["type"], greeting["topics"]) == ("connection_ack", ["user:ada"])


def test_the_same_below_api(client, pair, ada):
    environ = {"werkzeug.socket": pair[0]}
    client.get("/api" + PATH, headers=ada, environ_overrides=environ)
    with closing(Reader(pair[1])) as reader:
        assert reader.head()[0] == "HTTP/1.1 200 OK"


def test_a_toast_and_a_control_are_lines(follow, ada, kit):
    _, reader = follow(**ada)
    reader.head(), reader.line()
    receipt = kit.publish_toast("ada", "Hi")
    kit.publish_control("flags.changed", {"a": 1})
    assert receipt.session_count == 1
    assert reader.line()["toast"]["title"] == "Hi"
    assert reader.line()["control"]["params"] == {"a": 1}


def test_what_the_host_adds_to_every_answer_is_on_this_one(app, follow, ada):
    @app.after_request
    def add(response):
        response.headers["Access-Control-Allow-Origin"] = "https://app.example"
        response.set_cookie("seen", "1")
        return response

    _, headers = follow(**ada)[1].head()
    assert headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert headers["Set-Cookie"].startswith("seen=1")


def test_B17_without_a_credential_it_is_401(client):
    answer = client.get(PATH)
    assert (answer.status_code, answer.json["detail"]) == (401, "Missing Bearer token")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_B4_an_expired_session_is_401(client, kit, clock):
    token, _ = kit.sessions.mint("ada")
    clock.advance(1800)
    answer = client.get(PATH, headers=bearer(token))
    assert (answer.status_code, answer.json["detail"]) == (401, "Token expired")


def test_B5_a_revoked_session_is_401(client, kit):
    token, _ = kit.sessions.mint("ada")
    kit.sessions.revoke(token)
    answer = client.get(PATH, headers=bearer(token))
    assert (answer.status_code, answer.json["code"]) == (401, "session_revoked")


def test_an_anonymous_session_hears_its_own(follow, kit):
    token, _ = kit.sessions.mint(ANON)
    _, reader = follow(**bearer(token))
    reader.head()
    assert reader.line()["topics"] == [f"user:{ANON}"]


def test_B4_it_lives_as_long_as_its_session(follow, kit):
    token, session = kit.sessions.mint("ada")
    follow(**bearer(token))
    (connection,) = kit.node.roster.connections
    assert connection.expires_at == session.expires_at
    assert connection.session == bytes.fromhex(session.token_hash)
    assert connection.deaf


def test_with_the_hosts_login_it_lives_as_long_as_a_ticket(follow, ada, kit, clock):
    follow(**ada)
    (connection,) = kit.node.roster.connections
    assert connection.expires_at == clock.now() + 900_000
    assert connection.session is None


def test_B5_revoking_its_session_ends_it_with_a_farewell(follow, kit):
    token, _ = kit.sessions.mint("ada")
    _, reader = follow(**bearer(token))
    reader.head(), reader.line()
    kit.sessions.revoke(token)
    assert reader.line() == {"type": "close", "code": 4001, "reason": "token revoked"}
    assert reader.line() is None


def test_topics_are_those_that_are_named(follow, ada):
    _, reader = follow("?topic=user:ada:builds&topic=news&topic=news", **ada)
    reader.head()
    assert reader.line()["topics"] == ["user:ada:builds", "news"]


@pytest.mark.parametrize("query", ["?topic=user:bob", "?topic=user:ada&topic=user:bob:x"])
def test_another_users_topic_is_422_and_holds_nobody(client, kit, ada, pair, query):
    environ = {"werkzeug.socket": pair[0]}
    answer = client.get(PATH + query, headers=ada, environ_overrides=environ)
    assert (answer.status_code, answer.json["detail"]) == (422, "topic_not_allowed")
    assert not kit.node.roster.connections


def test_too_many_topics_are_422(client, ada):
    query = "&".join(f"topic=news{number}" for number in range(101))
    answer = client.get(f"{PATH}?{query}", headers=ada)
    assert answer.status_code == 422
    assert answer.json["errors"][0]["loc"] == ["topic"]


def test_the_host_has_its_say_about_topics(app, follow, ada):
    hooks = app.extensions["toastkit"].hooks
    hooks.authorize = lambda user_id, action, topic: topic != "secret"
    answer, _ = follow("?topic=secret", **ada)
    assert answer.json["detail"] == "topic_not_allowed"


@pytest.mark.parametrize(("query", "foreground"), [("", True), ("?state=background", False)])
def test_A17_it_says_whether_its_user_is_in_front_of_it(follow, ada, kit, query, foreground):
    follow(query, **ada)
    (connection,) = kit.node.roster.connections
    assert connection.foreground is foreground


def test_A19_what_was_missed_comes_after_the_greeting(follow, ada, kit):
    first = kit.publish_toast("ada", "One")
    kit.publish_toast("ada", "Two")
    _, reader = follow(f"?last_toast_id={first.id}", **ada)
    reader.head()
    greeting, missed = reader.line(), reader.line()
    assert (greeting["recovered"], greeting["replayed"]) == (True, 1)
    assert (missed["toast"]["title"], missed["replayed"]) == ("Two", True)


def test_a_greeting_says_where_the_toasts_stand(follow, ada, kit):
    kit.publish_toast("ada", "Before")
    _, reader = follow(**ada)
    reader.head()
    greeting = reader.line()
    assert greeting["seq"] == 1
    kit.publish_toast("ada", "After")
    assert reader.line()["toast"]["title"] == "After"
    assert greeting["epoch"]


def test_a_full_worker_says_so_in_a_line(make_app, ada, pair):
    app = make_app(connections_per_user=1)
    other = socket.socketpair()
    with other[0], other[1]:
        for sock in (other[0], pair[0]):
            environ = {"werkzeug.socket": sock}
            app.test_client().get(PATH, headers=ada, environ_overrides=environ)
    with closing(Reader(pair[1])) as reader:
        reader.head()
        assert reader.line()["code"] == "too_many_connections"
        assert reader.line()["code"] == 1013


def test_it_is_counted_by_user(make_app, ada, pair):
    app = make_app(rate_limits=True, stream_rate="1/minute")
    client = app.test_client()
    assert client.head(PATH, headers=ada).status_code == 200
    assert client.get(PATH, headers=ada).status_code == 429
    assert client.head(PATH, headers={**ada, "X-User": "bob"}).status_code == 200


def test_a_head_is_answered_and_holds_nobody(client, ada, kit):
    answer = client.head(PATH, headers=ada)
    assert (answer.status_code, answer.mimetype) == (200, "application/x-ndjson")
    assert not kit.node.roster.connections


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_other_methods_are_405(client, ada, method):
    assert client.open(PATH, method=method, headers=ada).status_code == 405


def test_a_server_without_a_socket_is_told_in_one_line(client, ada, kit, caplog):
    answer = client.get(PATH, headers=ada)
    assert (answer.status_code, answer.json["code"]) == (500, "internal_error")
    assert "TOASTKIT_GATEWAY=portable" in caplog.text
    assert not kit.node.roster.connections


def test_a_foreign_page_cannot_use_the_login(client, ada):
    answer = client.get(PATH, headers={**ada, "Origin": "https://evil.example"})
    assert answer.status_code == 403


def test_who_is_refused_after_all_is_let_go(app, client, kit, ada, pair):
    app.after_request(lambda _: abort(418))
    environ = {"werkzeug.socket": pair[0]}
    client.get(PATH, headers=ada, environ_overrides=environ)
    settle(app)
    assert not kit.node.roster.connections
    pair[0].send(b"the server's still")
    assert pair[1].recv(100) == b"the server's still"


def test_B5_revoked_while_it_was_admitted_it_is_401_and_let_go(app, client, kit, pair, monkeypatch):
    token, _ = kit.sessions.mint("ada")
    admit = kit.node.admit

    def revoke(*given):
        connection = admit(*given)
        kit.sessions.revoke(token)
        return connection

    monkeypatch.setattr(kit.node, "admit", revoke)
    environ = {"werkzeug.socket": pair[0]}
    answer = client.get(PATH, headers=bearer(token), environ_overrides=environ)
    assert (answer.status_code, answer.json["code"]) == (401, "session_revoked")
    settle(app)
    assert not kit.node.roster.connections


def test_a_client_that_left_meanwhile_is_held_no_longer(app, client, ada, kit, pair, caplog):
    pair[1].close()
    client.get(PATH, headers=ada, environ_overrides={"werkzeug.socket": pair[0]})
    settle(app)
    assert not kit.node.roster.connections
    assert not caplog.records


def test_a_database_that_fails_is_503(client, ada, kit, monkeypatch, pair):
    def fail(*_):
        raise StorageUnavailable("locked")

    monkeypatch.setattr(kit.identity.tickets, "grant", fail)
    answer = client.get(PATH, headers=ada, environ_overrides={"werkzeug.socket": pair[0]})
    assert (answer.status_code, answer.json["code"]) == (503, "storage_unavailable")


class TestPortable:
    """The lines are the body of the server's own response."""

    @pytest.fixture
    def app(self, make_app) -> Flask:
        return make_app(gateway="portable")

    @pytest.fixture
    def body(self, client, ada):
        answer = client.get(PATH, headers=ada)
        assert answer.status_code == 200
        assert answer.mimetype == "application/x-ndjson"
        assert "Content-Length" not in answer.headers
        yield (json.loads(line) for part in answer.response for line in part.splitlines())
        answer.close()

    def test_a_toast_is_a_line(self, body, kit):
        assert next(body)["type"] == "connection_ack"
        assert kit.publish_toast("ada", "Hi").session_count == 1
        assert next(body)["toast"]["title"] == "Hi"

    def test_its_farewell_is_the_last(self, body, kit):
        next(body)
        kit.node.dismiss("ada", CloseReason.TOKEN_REVOKED)
        assert list(body) == [{"type": "close", "code": 4001, "reason": "token revoked"}]

    def test_a_client_that_left_is_held_no_longer(self, app, client, ada, kit):
        answer = client.get(PATH, headers=ada)
        assert len(kit.node.roster.connections) == 1
        answer.close()
        settle(app)
        assert not kit.node.roster.connections

    def test_who_is_refused_after_all_is_let_go(self, app, client, kit, ada):
        app.after_request(lambda _: abort(418))
        client.get(PATH, headers=ada)
        settle(app)
        assert not kit.node.roster.connections
