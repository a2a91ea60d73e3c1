"""A session ends while real servers hold requests, sockets and streams of it."""

import json
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.clients.flock import Flock
from tests.clients.lines import Lines
from tests.e2e.conftest import serving
from toastkit import Config, Kit

SERVERS = [
    ("gevent", "sqlite"),
    ("gevent", "postgresql"),
    ("gthread", "sqlite"),
    ("werkzeug", "sqlite"),
]
pytestmark = pytest.mark.plain
SECOND = 3
"""Within a second, and what a busy machine adds."""


def bearing(token):
    return {"Authorization": f"Bearer {token}"}


def sign_in(server, user="ada"):
    return server.post("/sessions", {"users": [user]})[0]


def gateway(server, token):
    status, answer = server.request(
        "POST", "/v1/sessions/toast-bootstrap", {"device_id": "phone"}, **bearing(token)
    )
    assert status == 200, answer
    return answer["token"]


@pytest.fixture(params=["here", "elsewhere"])
def sign_out(request, server):
    """End a session over HTTP, or as another process on the same database does."""
    if request.param == "here":

        def over_http(token):
            answer = server.request("DELETE", "/auth/session", **bearing(token))
            assert answer == (200, {"success": True})

        yield over_http
        return
    with Kit(Config(database_url=server.database)) as kit:
        yield kit.sessions.revoke


@pytest.fixture(scope="module", params=SERVERS, ids="-".join)
def server(request, tmp_path_factory, sqlite_template):
    """Run a server for all of these tests; ``database`` is the URL of what it works with."""
    worker, database = request.param
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp(worker)
        if database == "sqlite":
            url = f"sqlite:///{shutil.copyfile(sqlite_template, folder / 'toastkit.db')}"
        else:
            postgres = request.getfixturevalue("postgres")
            url = postgres.fresh()
            stack.callback(postgres.drop, url)
        start = stack.enter_context(serving(folder, sqlite_template))
        server = start(worker, TOASTKIT_DATABASE_URL=url)
        server.database = url
        yield server


def until_refused(server, token):
    """Return how many seconds a token is still believed."""
    began = time.monotonic()
    while server.request("GET", "/v1/toasts", **bearing(token))[0] == 200:
        assert time.monotonic() < began + 10
    return time.monotonic() - began


def test_B5_a_request_in_flight_fails_when_its_session_ends(server, sign_out):
    token = sign_in(server)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(server.request, "GET", "/long", **bearing(token))
        assert server.post("/long/begun", {})
        sign_out(token)
        assert until_refused(server, token) < SECOND
        server.post("/long/go-on", {})
        status, answer = asked.result()
    assert (status, answer["detail"]) == (401, "Invalid token: session revoked")


def test_B5_one_whose_session_stays_is_answered(server):
    token, other = sign_in(server), sign_in(server)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(server.request, "GET", "/long", **bearing(token))
        assert server.post("/long/begun", {})
        server.request("DELETE", "/auth/session", **bearing(other))
        server.post("/long/go-on", {})
        assert asked.result() == (200, b"ada")


def test_B5_sockets_and_streams_of_a_session_end_within_a_second(server, sign_out):
    token, other = sign_in(server), sign_in(server)
    with (
        connect(server.gateway(gateway(server, token)), proxy=None) as hers,
        connect(server.gateway(gateway(server, other)), proxy=None) as another,
        Lines(server.address, **bearing(token)) as stream,
    ):
        for each in (hers, another):
            assert json.loads(each.recv(timeout=10))["type"] == "connection_ack"
        assert stream.head()[0] == 200
        assert stream.next()["type"] == "connection_ack"
        began = time.monotonic()
        sign_out(token)
        with pytest.raises(ConnectionClosed):
            hers.recv(timeout=10)
        assert stream.rest()[-1] == {"type": "close", "code": 4001, "reason": "token revoked"}
        assert time.monotonic() - began < SECOND
        assert (hers.close_code, hers.close_reason) == (4001, "token revoked")
        another.send('{"type":"ping","id":1}')
        assert json.loads(another.recv(timeout=10))["type"] == "pong"


def test_B5_of_many_who_connect_while_their_sessions_end_nobody_stays(server, sign_out):
    tokens = server.post("/sessions", {"users": [f"user{number}" for number in range(40)]})
    tickets = [gateway(server, token) for token in tokens]
    with Flock(server.address) as flock:
        leaving = threading.Thread(target=lambda: [sign_out(token) for token in tokens])
        leaving.start()
        for ticket in tickets:
            flock.join([ticket])
            flock.run(lambda: True, 0)
        leaving.join()
        assert flock.run(lambda: all(bird.gone for bird in flock.birds), 5)
        assert {(bird.closed.code, bird.closed.reason) for bird in flock.birds} == {
            (4001, "token revoked")
        }


def test_all_sessions_of_a_user_end_at_once(server):
    tokens, bobs = [sign_in(server, "carol") for _ in range(3)], sign_in(server, "bob")
    with connect(server.gateway(gateway(server, tokens[1])), proxy=None) as socket:
        assert json.loads(socket.recv(timeout=10))["type"] == "connection_ack"
        answer = server.request("DELETE", "/auth/sessions", **bearing(tokens[0]))
        assert answer == (200, {"success": True, "sessions": 3})
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=5)
        assert socket.close_code == 4001
    for token in tokens:
        assert server.request("GET", "/v1/toasts", **bearing(token))[0] == 401
    assert server.request("GET", "/v1/toasts", **bearing(bobs))[0] == 200
