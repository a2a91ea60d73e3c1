"""Pushes of a real server: what its worker was sending when it was killed."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.apple.phones import push_token, wait_until
from tests.postgres import ask

pytestmark = [pytest.mark.plain, pytest.mark.timeout(120)]
MANY = 16


STATES = "SELECT state, COUNT(*) FROM toastkit_toasts GROUP BY state"


@pytest.fixture
def server(serve, apple, url):
    """Run a server that sends pushes, with a phone for each of its users."""
    settings = {"database_url": url, "lease_ms": 1000, **apple.config()}
    server = serve("gevent", **{f"TOASTKIT_{name.upper()}": v for name, v in settings.items()})
    for number in range(MANY):
        phone = {"device_id": f"d{number}", "apns": {"token": push_token(number)}}
        path, who = "/v1/devices/register-toast", {"X_User": f"u{number}", "X_ToastKit": "1"}
        answer = server.request("POST", path, phone, **who)[1]
        assert answer["apns_fallback_enabled"], answer
    return server


def publish(server):
    """Publish a toast to each user, all at once."""

    def one(number):
        return server.post("/toast", {"user_id": f"u{number}", "toast": "Sent for sure"})

    with ThreadPoolExecutor(MANY) as threads:
        receipts = list(threads.map(one, range(MANY)))
    assert {(each["transport"], each["status"]) for each in receipts} == {("apns", "queued")}


def test_a_worker_killed_while_it_sends_loses_no_push(server, apple, url):
    apple.hold()
    publish(server)
    apple.wait(1)
    [worker] = server.workers()
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: server.workers() not in ([worker], [server.pid]))
    server.wait_until_ready()
    apple.release()
    unheard = len(apple.requests)
    wait_until(lambda: ask(url, STATES) == [("sent", MANY)], 40)
    assert len(apple.taken()) == MANY
    assert len(apple.requests) == MANY + unheard
    for id in apple.taken():
        assert len({repr(each.sent) for each in apple.requests if each.id == id}) == 1
    assert apple.faults() == []


def test_a_worker_that_stops_hears_what_became_of_its_pushes(server, apple, url):
    server.post("/toast", {"user_id": "u0", "toast": "Believe me"})
    apple.hold()
    publish(server)
    apple.wait(1 + MANY)
    server.process.send_signal(signal.SIGTERM)
    time.sleep(0.5)  # the worker is told, and has closed its door
    apple.release()
    server.process.wait(30)
    assert ask(url, STATES) == [("sent", MANY + 1)]
    assert len(apple.requests) == MANY + 1
    assert apple.faults() == []
