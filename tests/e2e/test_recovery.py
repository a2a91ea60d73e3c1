"""What a client missed, or another process published, comes over a real socket."""

import json
import os
import subprocess
import sys
import time

import pytest
from websockets.sync.client import connect

from tests.e2e.conftest import ROOT

pytestmark = pytest.mark.plain
WORKERS = ["gevent", "gthread", "werkzeug"]
ELSEWHERE = """
from toastkit import Config, Kit
with Kit(Config.from_env()) as kit:
    print(kit.publish_toast("ada", "From a cron job").status)
"""


def hear(client):
    return json.loads(client.recv(timeout=10))


def come_back(server, greeting, toast=None):
    """Connect again from where a client left off: at its greeting, or at a toast."""
    place = toast or greeting
    where = f"{server.gateway(server.tickets('ada')[0])}&since={place['seq']}.{place['epoch']}"
    return connect(where, close_timeout=2, proxy=None)


def publish(server, title):
    return server.post("/toast", {"user_id": "ada", "toast": title})


def publish_elsewhere(tmp_path):
    environ = {**os.environ, "TOASTKIT_DATABASE_URL": f"sqlite:///{tmp_path / '0.db'}"}
    command = [sys.executable, "-c", ELSEWHERE]
    done = subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=30, check=True
    )
    return done.stdout.strip()


@pytest.mark.parametrize("worker", WORKERS)
def test_A19_three_missed_toasts_come_in_order_and_then_live_ones(serve, worker):
    server = serve(worker)
    with connect(server.gateway(server.tickets("ada")[0]), close_timeout=2, proxy=None) as client:
        greeting = hear(client)
        publish(server, "Seen")
        seen = hear(client)
        client.socket.close()
    for title in ("One", "Two", "Three"):
        publish(server, title)
    with come_back(server, greeting, seen) as client:
        again = hear(client)
        assert (again["recovered"], again["replayed"]) == (True, 3)
        assert (again["seq"], again["epoch"]) == (4, seen["epoch"])
        missed = [hear(client) for _ in range(3)]
        assert [frame["toast"]["title"] for frame in missed] == ["One", "Two", "Three"]
        assert [(frame["seq"], frame["replayed"]) for frame in missed] == [
            (2, True),
            (3, True),
            (4, True),
        ]
        receipt = publish(server, "Live")
        live = hear(client)
        assert (live["toast"]["title"], live["seq"], "replayed" in live) == ("Live", 5, False)
        assert receipt["delivered"] is True


def test_the_first_toast_of_all_is_recovered(serve):
    server = serve("gevent")
    with server.join("ada") as client:
        client.socket.close()
    publish(server, "First")
    with come_back(server, {"seq": 0, "epoch": ""}) as client:
        assert hear(client)["replayed"] == 1
        assert hear(client)["toast"]["title"] == "First"


@pytest.mark.parametrize(
    ("query", "reason"),
    [("since=nonsense", "epoch_changed"), ("last_toast_id=%00", "unknown_id")],
)
def test_a_place_that_cannot_be_read_never_refuses_the_handshake(serve, query, reason):
    server = serve("gevent")
    publish(server, "Hello")
    where = f"{server.gateway(server.tickets('ada')[0])}&{query}"
    with connect(where, close_timeout=2, proxy=None) as client:
        greeting = hear(client)
        assert (greeting["recovered"], greeting["reason"]) == (False, reason)


def test_where_the_server_keeps_its_socket_missed_toasts_come_too(serve):
    server = serve("gthread", TOASTKIT_GATEWAY="portable")
    events = [publish(server, title)["id"] for title in ("Seen", "Missed")]
    where = f"{server.gateway(server.tickets('ada')[0])}&last_toast_id={events[0]}"
    with connect(where, close_timeout=2, proxy=None) as client:
        assert hear(client)["recovered"] is True
        assert hear(client)["toast"]["title"] == "Missed"


@pytest.mark.parametrize("worker", ["gevent", "gthread"])
def test_what_another_process_publishes_comes_within_a_second(serve, worker, tmp_path):
    server = serve(worker)
    with server.join("ada") as client:
        assert publish_elsewhere(tmp_path) == "queued"
        began = time.monotonic()
        frame = hear(client)
        assert frame["toast"]["title"] == "From a cron job"
        assert time.monotonic() - began < 3  # a second, and a busy machine
        publish(server, "And then")
        assert hear(client)["seq"] == 2


def test_a_toast_of_another_process_comes_before_the_next_one(serve, tmp_path):
    server = serve("gevent", TOASTKIT_SWEEP_MS=60_000)
    with server.join("ada") as client:
        publish_elsewhere(tmp_path)
        receipt = publish(server, "Next")
        titles = [hear(client)["toast"]["title"] for _ in range(2)]
        assert titles == ["From a cron job", "Next"]
        assert receipt["delivered"] is True


def test_acks_are_answered(serve):
    server = serve("gevent")
    with server.join("ada") as client:
        publish(server, "Hello")
        toast = hear(client)["toast"]
        client.send(json.dumps({"type": "ack", "ids": [toast["id"]], "id": 1}))
        assert hear(client) == {"type": "ack_ack", "ids": [toast["id"]], "id": 1}
