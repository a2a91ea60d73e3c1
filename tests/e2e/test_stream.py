"""Lines from real servers, read from a raw socket as they come, and by curl."""

import json
import shutil
import signal
import socket
import subprocess
import threading
import time

import psutil
import pytest

from tests.clients.flock import Flock
from tests.clients.lines import Lines

pytestmark = pytest.mark.plain
TAKING = ["gevent", "gthread", "werkzeug", "sync"]
PORTABLE = ["gevent", "gthread", "werkzeug"]
ADA = {"X-User": "ada", "X-ToastKit": "1"}
SERVERS = [
    *(pytest.param(each, "takeover", id=each) for each in TAKING),
    *(pytest.param(each, "portable", id=f"{each} portable") for each in PORTABLE),
]


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def publish(server, user="ada", toast="Hi", **more):
    return server.post("/toast", {"user_id": user, "toast": toast, **more})


def until(condition, seconds=10):
    """Wait until something is so, and return how long that took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, "it never came true"
        time.sleep(0.05)
    return time.monotonic() - began


@pytest.mark.parametrize(("worker", "gateway"), SERVERS)
def test_a_client_hears_toasts_and_leaves(serve, worker, gateway):
    server = serve(worker, TOASTKIT_GATEWAY=gateway)
    for user, version in (("ada", "1.0"), ("bob", "1.1")):
        hears_and_leaves(server, gateway, user, version)


def hears_and_leaves(server, gateway, user, version):
    with Lines(server.address, version=version, **{**ADA, "X-User": user}) as client:
        status, headers = client.head()
        assert (status, headers["content-type"]) == (200, "application/x-ndjson")
        assert headers["x-accel-buffering"] == "no"
        assert client.next()["type"] == "connection_ack"
        receipt = publish(server, user)
        assert client.next()["toast"]["title"] == "Hi"
        assert receipt["session_count"] == 1
    if gateway == "takeover":
        until(lambda: publish(server, user, "Gone")["reason"] == "no_session")


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not here")
@pytest.mark.parametrize(("worker", "gateway"), SERVERS)
def test_B4_curl_reads_every_line_as_it_comes_until_its_session_ends(serve, worker, gateway):
    settings = {"TOASTKIT_GATEWAY": gateway, "TOASTKIT_SESSION_SECONDS": 2}
    server = serve(worker, **settings)
    (token,) = server.sessions("ada")
    command = ["curl", "-sSN", "--noproxy", "*", "-H", f"Authorization: Bearer {token}"]
    with subprocess.Popen(
        [*command, f"{server.url}/v1/toasts/stream"], stdout=subprocess.PIPE, text=True
    ) as curl:
        began = time.monotonic()
        assert json.loads(curl.stdout.readline())["type"] == "connection_ack"
        publish(server)
        said = [json.loads(line) for line in iter(curl.stdout.readline, "")]
        took = time.monotonic() - began
    assert curl.returncode == 0
    heard = [each["type"] for each in said if each["type"] not in ("heartbeat", "token_expiring")]
    assert heard == ["toast", "error", "close"]
    assert said[-2]["code"] == "token_expired"
    assert said[-1] == {"type": "close", "code": 4001, "reason": "token expired"}
    assert 1 <= took <= 8


@pytest.mark.parametrize(("worker", "gateway"), SERVERS)
def test_B5_revoking_the_session_ends_it_within_a_second(serve, worker, gateway):
    if worker == "sync":
        pytest.skip("it serves one request at a time")
    server = serve(worker, TOASTKIT_GATEWAY=gateway)
    (token, other) = server.sessions("ada", "ada")
    with (
        Lines(server.address, **bearer(token)) as client,
        Lines(server.address, **bearer(other)) as stays,
    ):
        for each in (client, stays):
            each.head(), each.next()
        assert server.request("DELETE", "/auth/session", **bearer(token))[0] == 200
        began = time.monotonic()
        assert client.rest() == [{"type": "close", "code": 4001, "reason": "token revoked"}]
        assert time.monotonic() - began < 3  # a second, and a busy machine
        publish(server)
        assert stays.next()["toast"]["title"] == "Hi"


def test_B5_revoking_it_in_another_process_ends_it_within_a_second_or_so(serve, tmp_path):
    shared = {"TOASTKIT_DATABASE_URL": f"sqlite:///{tmp_path / 'shared.db'}"}
    server, other = serve("gevent", **shared), serve("gthread", **shared)
    (token,) = other.sessions("ada")
    with Lines(server.address, **bearer(token)) as client:
        client.head(), client.next()
        assert other.request("DELETE", "/auth/session", **bearer(token))[0] == 200
        began = time.monotonic()
        assert client.rest() == [{"type": "close", "code": 4001, "reason": "token revoked"}]
        assert time.monotonic() - began < 4  # half a second, on a machine with nothing else to do
    assert server.request("GET", "/v1/toasts/stream", **bearer(token))[0] == 401


@pytest.mark.parametrize(("worker", "gateway"), SERVERS)
def test_a_stopping_server_says_1012(serve, worker, gateway):
    server = serve(worker, TOASTKIT_GATEWAY=gateway)
    clients = [Lines(server.address, **ADA) for _ in range(3)]
    for client in clients:
        client.head(), client.next()
    server.process.send_signal(signal.SIGINT if worker == "werkzeug" else signal.SIGTERM)
    for client in clients:
        assert client.rest() == [{"type": "close", "code": 1012, "reason": "restart"}]
        client.sock.close()
    server.process.wait(30)


@pytest.mark.parametrize("worker", ["gevent", "gthread"])
def test_a_reload_says_1012_and_the_next_worker_tells_what_was_missed(serve, worker):
    server = serve(worker)
    with Lines(server.address, **ADA) as client:
        client.head()
        greeting = client.next()
        before = set(server.workers())
        server.process.send_signal(signal.SIGHUP)
        assert client.rest()[-1]["code"] == 1012
    until(lambda: before.isdisjoint(server.workers()))
    publish(server)
    where = f"/v1/toasts/stream?since={greeting['seq']}.{greeting['epoch']}"
    with Lines(server.address, where, **ADA) as client:
        client.head()
        assert client.next()["recovered"] is True
        assert client.next()["replayed"] is True


@pytest.mark.parametrize("worker", ["gevent", "gthread"])
def test_a_stream_holds_no_thread_and_goes_with_its_worker(serve, worker):
    server = serve(worker)
    before = server.request("GET", "/threads")[1]
    clients = [Lines(server.address, **{**ADA, "X-User": f"u{n}"}) for n in range(40)]
    for client in clients:
        client.head(), client.next()
    # Four threads serve; each of these would hold one.
    assert server.request("GET", "/threads")[1] <= before + 4
    assert publish(server, "u39")["session_count"] == 1
    for client in clients:
        client.sock.close()


def test_heartbeats_keep_it_and_a_client_that_reads_stays(serve):
    server = serve("gevent", TOASTKIT_PING_SECONDS=1, TOASTKIT_PONG_SECONDS=1)
    with Lines(server.address, **ADA) as client:
        client.head(), client.line()
        assert [client.line()["type"] for _ in range(4)] == ["heartbeat"] * 4
        assert publish(server)["session_count"] == 1


@pytest.mark.parametrize("worker", ["gevent", "gthread"])
def test_A26_whose_network_is_gone_is_not_present_for_long(serve, worker):
    server = serve(worker, TOASTKIT_PING_SECONDS=1, TOASTKIT_PONG_SECONDS=1)
    with Lines(server.address, **ADA) as client:
        client.head(), client.line()
        assert publish(server)["session_count"] == 1
        client.vanish()
        until(lambda: publish(server, toast="There?")["reason"] == "no_session")


@pytest.mark.parametrize("worker", ["gevent", "gthread"])
def test_a_client_that_never_reads_is_closed_and_the_others_hear_all(serve, worker):
    server = serve(worker, TOASTKIT_SLOW_SECONDS=1)
    with Flock(server.address) as flock, Lines(server.address, **ADA) as mute:
        mute.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        mute.head(), mute.next()
        readers = flock.join(server.tickets(*(f"user{n}" for n in range(20))))
        assert flock.run(flock.greeted)
        publisher = threading.Thread(target=tell_everybody, args=(server, 100))
        publisher.start()
        assert flock.run(lambda: all(len(bird.messages("control")) == 100 for bird in readers), 30)
        publisher.join()
        until(lambda: publish(server)["reason"] == "no_session")
        assert mute.drained()


def tell_everybody(server, count):
    for number in range(count):
        params = {"number": number, "filling": "x" * 8000}
        server.post("/control", {"kind": "big.one", "params": params})


def test_a_flood_behind_the_request_ends_it(serve):
    server = serve("gevent")
    with Lines(server.address, **ADA) as client:
        client.head(), client.next()
        client.sock.sendall(b"x" * 100_000)
        assert client.rest()[-1]["code"] == 1002


@pytest.mark.parametrize("worker", ["gevent", "gthread", "werkzeug"])
def test_a_stream_on_a_kept_alive_connection_is_as_good_as_any(serve, worker):
    server = serve(worker)
    with Lines(server.address, "/health") as client:
        status, headers = client.head()
        assert status == 200
        if headers.get("connection", "").lower() == "close":
            return  # this server keeps none
        client.skip(int(headers["content-length"]))
        client.ask("/v1/toasts/stream", **ADA)
        assert client.head()[0] == 200
        assert client.next()["type"] == "connection_ack"
        publish(server)
        assert client.next()["toast"]["title"] == "Hi"


@pytest.mark.parametrize("worker", ["gevent", "gthread"])
def test_A8_a_ticket_is_refreshed_over_the_same_socket(serve, worker):
    server = serve(worker, TOASTKIT_TICKET_SECONDS=4, TOASTKIT_PING_SECONDS=1)
    with Flock(server.address) as flock:
        renews, stays_away = flock.join(server.tickets("ada", "bob"))
        assert flock.run(lambda: renews.messages("token_expiring"))
        began = time.monotonic()
        for _ in range(4):
            (fresh,) = server.tickets("ada")
            count = len(renews.messages("refresh_ack"))
            renews.say({"type": "refresh", "token": fresh, "id": count})
            assert flock.run(lambda at=count: len(renews.messages("refresh_ack")) > at)
            flock.run(lambda: False, 1.5)
        assert time.monotonic() - began > 4
        assert not renews.gone
        assert publish(server)["session_count"] == 1
        (foreign,) = server.tickets("bob")
        renews.say({"type": "refresh", "token": foreign})
        assert flock.run(lambda: renews.gone)
        assert renews.messages("error")[-1]["code"] == "invalid_token"
        assert renews.closed.code == 4001
        assert not stays_away.gone


def test_descriptors_are_given_back(serve):
    server = serve("gevent")
    process = psutil.Process(server.workers()[0])
    publish(server)

    def come_and_go():
        for _ in range(20):
            with Lines(server.address, **ADA) as client:
                client.head(), client.next()

    come_and_go()  # the pool of readers opens as many as it needs, and keeps them
    before = process.num_fds()
    for _ in range(2):
        come_and_go()
    until(lambda: process.num_fds() < before + 20)
