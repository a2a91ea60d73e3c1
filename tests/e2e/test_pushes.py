"""Pushes of a real server: what its worker was sending when it was killed."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.apple.phones import push_token, wait_until
from tests.postgres import ask

pytestmark = [pytest.mark.plain, pytest.mark.timeout(120)]
MANY = 16


def test_a_worker_killed_while_it_sends_loses_no_push(serve, apple, url):
    settings = {"database_url": url, "lease_ms": 1000, **apple.config()}
    server = serve("gevent", **{f"TOASTKIT_{name.upper()}": v for name, v in settings.items()})
    for number in range(MANY):
        phone = {"device_id": f"d{number}", "apns": {"token": push_token(number)}}
        path, who = "/v1/devices/register-toast", {"X_User": f"u{number}", "X_ToastKit": "1"}
        answer = server.request("POST", path, phone, **who)[1]
        assert answer["apns_fallback_enabled"], answer

    def publish(number):
        return server.post("/toast", {"user_id": f"u{number}", "toast": "Sent for sure"})

    apple.hold()
    with ThreadPoolExecutor(MANY) as threads:
        receipts = list(threads.map(publish, range(MANY)))
    assert {(each["transport"], each["status"]) for each in receipts} == {("apns", "queued")}
    apple.wait(1)
    [worker] = server.workers()
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: server.workers() not in ([worker], [server.pid]))
    server.wait_until_ready()
    apple.release()
    unheard = len(apple.requests)
    states = "SELECT state, COUNT(*) FROM toastkit_toasts GROUP BY state"
    wait_until(lambda: ask(url, states) == [("sent", MANY)], 40)
    assert len(apple.taken()) == MANY
    assert len(apple.requests) == MANY + unheard
    for id in apple.taken():
        assert len({repr(each.sent) for each in apple.requests if each.id == id}) == 1
    assert apple.faults() == []
