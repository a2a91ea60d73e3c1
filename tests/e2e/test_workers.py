"""What only a real server shows."""

import http.client
import signal
import socket
import threading
import time

import psutil
import pytest

from tests.busy import BUSY
from tests.clients.flock import Flock, text

pytestmark = pytest.mark.plain
WORKERS = ["gevent", "gthread", "werkzeug", "sync"]
GRACEFUL = 20
"""Seconds after which gunicorn kills a worker that does not stop."""
PATIENT = ["--graceful-timeout", str(GRACEFUL)]
"""Long enough to tell, on a busy machine too, who was killed from who ended."""


@pytest.mark.parametrize("worker", WORKERS)
def test_a_client_connects_subscribes_hears_and_leaves(serve, worker):
    server = serve(worker)
    with server.join("ada") as client:
        client.send('{"type":"subscribe","topics":["user:ada:builds"],"id":1}')
        assert "subscribe_ack" in client.recv(timeout=5)
        toast = {"user_id": "ada", "toast": "Hi", "topic": "user:ada:builds"}
        receipt = server.post("/toast", toast)
        assert '"title":"Hi"' in client.recv(timeout=5)
        assert (receipt["transport"], receipt["session_count"]) == ("websocket", 1)
    assert client.close_code == 1000
    receipt = server.post("/toast", {"user_id": "ada", "toast": "Gone"})
    assert receipt["reason"] == "no_session"


@pytest.mark.parametrize("worker", WORKERS)
def test_a_stopping_server_tells_1012(serve, worker):
    server = serve(worker)
    with Flock(server.address) as flock:
        flock.join(server.tickets(*(f"user{n}" for n in range(20))))
        assert flock.run(flock.greeted)
        server.process.send_signal(signal.SIGINT if worker == "werkzeug" else signal.SIGTERM)
        assert flock.run(lambda: all(bird.gone for bird in flock.birds), 10)
        assert {bird.closed.code for bird in flock.birds} == {1012}
    server.process.wait(GRACEFUL)


@pytest.mark.parametrize("worker", ["gevent", "gthread"])
def test_200_clients_that_speak_in_the_tick_of_the_101_lose_nothing(serve, worker):
    server = serve(worker)
    users = [f"user{n}" for n in range(200)]
    with Flock(server.address) as flock:
        for user, ticket in zip(users, server.tickets(*users), strict=True):
            topic = {"type": "subscribe", "topics": [f"user:{user}:builds"], "id": user}
            flock.join([ticket], first=text(topic) + text({"type": "ping", "id": user}))
        assert flock.run(lambda: all(bird.messages("pong") for bird in flock.birds))
        for user, bird in zip(users, flock.birds, strict=True):
            assert [message["type"] for _, message in bird.said] == [
                "connection_ack",
                "subscribe_ack",
                "pong",
            ]
            assert bird.messages("subscribe_ack")[0]["id"] == user


def test_a_reader_that_pauses_gets_every_byte_of_60_kb_messages(serve):
    server = serve("gevent")
    sizes = range(40)
    with Flock(server.address) as flock:
        (bird,) = flock.join(server.tickets("ada"))
        assert flock.run(flock.greeted)
        bird.pause()
        for number in sizes[:6]:
            announce(server, number)
        bird.listen()
        for number in sizes[6:]:
            announce(server, number)
            flock.run(lambda at=number - 3: len(bird.messages("control")) >= at)
        assert flock.run(lambda: len(bird.messages("control")) == len(sizes))
        told = [message["control"]["params"] for message in bird.messages("control")]
        assert told == [params(number) for number in sizes]


def params(number):
    return {"number": number, "filling": chr(97 + number % 26) * (60_000 - number)}


def announce(server, number):
    server.post("/control", {"kind": "big.one", "params": params(number), "user_id": "ada"})


@pytest.mark.parametrize("worker", ["gevent", "gthread"])
def test_a_client_that_never_reads_is_closed_and_delays_nobody(serve, worker):
    # Machines are noisy: a slow measurement proves nothing, four do.
    measured = (stall(serve(worker, TOASTKIT_SLOW_SECONDS=1)) for _ in range(4))
    assert any(worst <= 0.2 for worst in measured), "as long as the mute one is borne, or longer"


def stall(server):
    """Tell 20 readers and one that does not read; return the readers' worst wait in seconds."""
    with Flock(server.address) as flock:
        (mute,) = flock.join(server.tickets("mute"), receive_buffer=4096)
        readers = flock.join(server.tickets(*(f"user{n}" for n in range(20))))
        assert flock.run(flock.greeted)
        mute.pause()
        sent = {}
        publisher = threading.Thread(target=publish_steadily, args=(server, sent, 300))
        publisher.start()
        assert flock.run(lambda: all(len(bird.messages("control")) == 300 for bird in readers), 30)
        publisher.join()
        waits = [
            at - sent[message["control"]["params"]["number"]]
            for bird in readers
            for at, message in bird.said
            if message["type"] == "control"
        ]
        receipt = server.post("/toast", {"user_id": "mute", "toast": "Still there?"})
        assert receipt["reason"] == "no_session"
        mute.listen()
        assert flock.run(lambda: mute.gone, 10)
    return max(waits)


def publish_steadily(server, sent, count):
    for number in range(count):
        sent[number] = time.perf_counter()
        body = {"number": number, "filling": "x" * 2000}
        server.post("/control", {"kind": "steady.one", "params": body})


@pytest.mark.parametrize("worker", ["gevent", "gthread"])
def test_1000_connections_hear_everything_once_and_in_order(serve, worker):
    server = serve(worker)
    users = [f"user{n}" for n in range(1000)]
    with Flock(server.address) as flock:
        tickets = server.tickets(*users)
        for begin in range(0, 1000, 100):
            flock.join(tickets[begin : begin + 100])
            assert flock.run(flock.greeted, 30)
        for number in range(5):
            server.post("/control", {"kind": "all.hear", "params": {"number": number}})
        assert flock.run(lambda: all(len(bird.said) == 6 for bird in flock.birds), 30)
        for bird in flock.birds:
            told = [message["control"]["params"]["number"] for _, message in bird.said[1:]]
            assert told == [0, 1, 2, 3, 4]
        assert server.request("GET", "/health")[0] == 200


@pytest.mark.parametrize("worker", ["gevent", "gthread"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_worker_says_1012_to_all_and_is_gone_in_3_seconds(serve, worker, number):
    # gunicorn's gthread itself gives idle connections two seconds, and looks once a second.
    limit = BUSY * (3 if worker == "gevent" else 4)
    server = serve(worker, options=["--keep-alive", "75", *PATIENT])
    (old,) = server.workers()
    with Flock(server.address) as flock:
        flock.join(server.tickets(*(f"user{n}" for n in range(300))))
        assert flock.run(flock.greeted)
        idle = [idle_connection(server) for _ in range(8)]
        began = time.monotonic()
        server.process.send_signal(number)
        assert flock.run(lambda: all(bird.gone for bird in flock.birds), limit)
        psutil.Process(old).wait(limit - (time.monotonic() - began))
        assert {bird.closed.code for bird in flock.birds} == {1012}
        for sock in idle:
            sock.close()
    if number == signal.SIGHUP:
        assert server.request("GET", "/health")[0] == 200
    else:
        server.process.wait(GRACEFUL)


def test_a_connection_that_is_kept_may_ask_once_more_while_its_worker_stops(serve):
    # A proxy may be sending at this very moment, and may not repeat a POST that nobody answered.
    conf = "python:tests.e2e.patient"
    server = serve("gevent", conf=conf, options=["--keep-alive", "75", *PATIENT])
    with Flock(server.address) as flock, idle_connection(server) as kept:
        flock.join(server.tickets("ada"))
        assert flock.run(flock.greeted)
        server.process.send_signal(signal.SIGTERM)
        assert flock.run(lambda: flock.birds[0].gone)  # so it is stopping
        kept.sendall(f"GET /health HTTP/1.1\r\nHost: {server.host}\r\n\r\n".encode())
        with kept.makefile("rb") as answer:
            assert answer.readline() == b"HTTP/1.1 200 OK\r\n"
            assert b"connection: close" in answer.read().lower()
    server.process.wait(GRACEFUL)


def idle_connection(server):
    """Return a keep-alive connection that has asked once and now waits."""
    sock = socket.create_connection(server.address)
    sock.sendall(f"GET /health HTTP/1.1\r\nHost: {server.host}\r\n\r\n".encode())
    answer = http.client.HTTPResponse(sock)
    answer.begin()
    assert answer.status == 200
    assert answer.headers["Connection"].lower() == "keep-alive"
    answer.read()  # to its end: it comes in pieces
    return sock


def test_a_connection_that_never_asked_does_not_hold_a_stopping_worker(serve):
    server = serve("gevent", options=["--keep-alive", "75", *PATIENT])
    with socket.create_connection(server.address):
        time.sleep(0.1)
        assert server.stop() < GRACEFUL


def test_the_last_request_of_a_stopping_worker_does_not_hold_it(serve):
    server = serve("gevent", options=["--keep-alive", "60", *PATIENT])
    headers = {"Authorization": f"Bearer {server.sessions('ada')[0]}"}
    asking, other = (http.client.HTTPConnection(server.host, timeout=10) for _ in range(2))
    asking.request("GET", "/long", headers=headers)
    server.post("/long/begun", {})
    other.connect()
    server.process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    time.sleep(0.3)
    other.request("POST", "/long/go-on")
    assert asking.getresponse().read() == b"ada"
    server.process.wait(2 * GRACEFUL)
    assert time.monotonic() - began < GRACEFUL
    other.close()
    asking.close()


def test_a_reload_fails_no_request(serve):
    server = serve("gevent")
    (old,) = server.workers()
    server.process.send_signal(signal.SIGHUP)
    while psutil.pid_exists(old):
        assert server.request("GET", "/health")[0] == 200


def test_two_workers_tell_their_own_clients(serve):
    server = serve("gevent", options=["--workers", "2", *PATIENT])
    server.wait_for_workers(2)
    with Flock(server.address) as flock:
        flock.join(server.tickets(*(f"user{n}" for n in range(50))))
        assert flock.run(flock.greeted)
        assert server.stop() < GRACEFUL
        assert flock.run(lambda: all(bird.gone for bird in flock.birds), 10)
        assert {bird.closed.code for bird in flock.birds} == {1012}


@pytest.mark.parametrize("worker", ["gevent", "gthread"])
def test_an_app_built_before_the_fork_serves_and_stops_as_well(serve, worker):
    # In a master that gevent has not touched: it takes charge in the worker only.
    options = ["--preload", "--workers", "2", *PATIENT]
    server = serve(worker, conf="python:toastkit_flask.gunicorn", options=options)
    server.wait_for_workers(2)
    with Flock(server.address) as flock:
        flock.join(server.tickets(*(f"user{n}" for n in range(20))))
        assert flock.run(flock.greeted)
        assert server.stop() < GRACEFUL
        assert flock.run(lambda: all(bird.gone for bird in flock.birds), 10)
        assert {bird.closed.code for bird in flock.birds} == {1012}


def test_a_second_sigterm_changes_nothing(serve):
    server = serve("gevent")
    (worker,) = server.workers()
    with Flock(server.address) as flock:
        flock.join(server.tickets(*(f"user{n}" for n in range(20))))
        assert flock.run(flock.greeted)
        psutil.Process(worker).terminate()
        psutil.Process(worker).terminate()
        assert flock.run(lambda: all(bird.gone for bird in flock.birds), 10)
        assert {bird.closed.code for bird in flock.birds} == {1012}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
def test_a_quick_stop_tells_1012_as_well(serve, number):
    server = serve("gevent")
    with Flock(server.address) as flock:
        flock.join(server.tickets(*(f"user{n}" for n in range(20))))
        assert flock.run(flock.greeted)
        server.process.send_signal(number)
        assert flock.run(lambda: all(bird.gone for bird in flock.birds), 10)
        assert {bird.closed.code for bird in flock.birds} == {1012}


def test_without_hooks_the_clients_are_told_at_exit(serve):
    server = serve("gthread", conf="/dev/null")
    with Flock(server.address) as flock:
        flock.join(server.tickets("ada"))
        assert flock.run(flock.greeted)
        assert server.stop() < GRACEFUL
        assert flock.run(lambda: flock.birds[0].gone, 10)
        assert flock.birds[0].closed.code == 1012
