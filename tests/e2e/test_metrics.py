"""Metrics of real gunicorn workers: what each of them has counted is told together."""

import json
import os
import signal
import time
from contextlib import ExitStack

import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families
from websockets.sync.client import connect

from toastkit.metrics import FOLDER

pytestmark = pytest.mark.plain

CONF = "python:tests.e2e.metered"
CLIENTS = 6


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "counted"


@pytest.fixture
def server(serve, folder):
    folder.mkdir()
    (folder / "counter_1-of-a-master-that-is-gone.db").write_bytes(b"and would break every page")
    settings = {"TOASTKIT_SURFACES": "toasts,metrics", FOLDER: folder}
    return serve("gevent", options=["-w", "3"], conf=CONF, **settings)


def scrape(server):
    """Return every sample of the page, by name and labels."""
    status, text = server.request("GET", "/api/metrics/prometheus")
    assert status == 200, text
    families = text_string_to_metric_families(text.decode())
    each = [sample for family in families for sample in family.samples]
    found = {(sample.name, tuple(sample.labels.items())): sample.value for sample in each}
    assert len(found) == len(each)
    return found


def total(found, name, **labels):
    """Return the sum of a metric over all labels that are not named."""
    return sum(
        value
        for (each, told), value in found.items()
        if each == f"toastkit_{name}" and labels.items() <= dict(told).items()
    )


def eventually(server, holds):
    """Scrape until a fact holds; return what was told then."""
    until = time.monotonic() + 30
    while not holds(found := scrape(server)):
        assert time.monotonic() < until, found
        time.sleep(0.05)
    return found


def holders(server, clients):
    """Return how many of the clients' sockets each worker holds."""
    ports = {client.socket.getsockname()[1] for client in clients}
    held = {
        pid: [each.raddr.port for each in psutil.Process(pid).net_connections() if each.raddr]
        for pid in server.workers()
    }
    return {pid: len(ports & set(found)) for pid, found in held.items()}


def counters(found):
    return {key: value for key, value in found.items() if not is_gauge(key[0])}


def is_gauge(name):
    return name in {
        *("toastkit_connections", "toastkit_workers", "toastkit_backplane_up"),
        "toastkit_loop_lag_max_seconds",
    }


def test_what_a_killed_worker_counted_stays_and_how_it_stood_goes(server, folder):
    for number in range(30):
        server.post("/toast", {"user_id": f"user{number}", "toast": "Hi"})
    with ExitStack() as stack:
        tickets = server.tickets(*(f"user{number}" for number in range(CLIENTS)))
        clients = [
            stack.enter_context(connect(server.gateway(ticket), proxy=None)) for ticket in tickets
        ]
        for client in clients:
            assert json.loads(client.recv(timeout=10))["type"] == "connection_ack"
        found = eventually(server, lambda found: total(found, "connections") == CLIENTS)
        # A worker counts from its first request on: asking often enough reaches each.
        eventually(server, lambda found: total(found, "workers") == 3)
        before = eventually(server, lambda found: total(found, "published_total") == 30)
        assert total(found, "http_requests_total", operation="connect", status="1xx") == CLIENTS
        held = holders(server, clients)
        killed = max(held, key=held.__getitem__)
        os.kill(killed, signal.SIGKILL)
        left = CLIENTS - held[killed]
        assert sum(held.values()) == CLIENTS > left
        after = eventually(server, lambda found: total(found, "connections") == left)
        assert total(after, "published_total") == 30
        assert total(after, "connections_opened_total", transport="websocket") == CLIENTS
        assert not [key for key, value in counters(before).items() if after[key] < value]


def test_what_was_counted_survives_a_reload_and_the_folder_does_not_grow(server, folder):
    for number in range(10):
        server.post("/toast", {"user_id": f"user{number}", "toast": "Hi"})
    before = eventually(server, lambda found: total(found, "published_total") == 10)
    for _ in range(2):
        server.wait_for_workers(3)
        old = server.workers()
        server.process.send_signal(signal.SIGHUP)

        def forgotten(_found, old=old):
            return not [file for pid in old for file in folder.glob(f"gauge_*_{pid}-*")]

        after = eventually(server, forgotten)
    assert total(after, "published_total") == 10
    assert not [key for key, value in counters(before).items() if after[key] < value]
    # Whoever reads just then keeps some from being put to the others, until the next one ends.
    assert len(list(folder.glob("counter_*"))) <= len(["the dead", *old, *old])
