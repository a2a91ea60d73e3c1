"""Several processes send the pushes of one database: each leaves once, whoever dies."""

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.apple.phones import register, wait_until
from tests.postgres import ask
from toastkit import Config, Kit

pytestmark = [pytest.mark.plain, pytest.mark.timeout(120)]
ROOT = Path(__file__).parents[2]
MANY = 200


@pytest.fixture
def carriers(url, apple):
    """Start processes that carry, and end those that still do."""
    started = []

    def start(lease_ms=10_000):
        settings = {"database_url": url, "sweep_ms": 20, "lease_ms": lease_ms, **apple.config()}
        environ = {f"TOASTKIT_{name.upper()}": str(value) for name, value in settings.items()}
        command = [sys.executable, "-m", "tests.apple.carrier"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environ}, **pipes)
        started.append(process)
        assert process.stdout.readline() == "ready\n"
        return process

    yield start
    for process in started:
        process.communicate(timeout=30)


@pytest.fixture
def kit(url, apple):
    """Publish, but leave the pushes to others."""
    with Kit(Config(database_url=url, carry=False, **apple.config())) as kit:
        kit.node.serve()
        yield kit


def test_two_processes_send_each_push_once(url, apple, kit, carriers):
    apple.latency = 0.01
    carriers()
    carriers()
    for _ in range(2):
        kit.publish_toasts(register(kit, MANY), "One of two")
        wait_until(lambda: not kit.deliveries.waiting())
    assert Counter(apple.taken().values()) == {1: 2 * MANY}
    assert len({request.link for request in apple.requests}) == apple.connections == 2
    assert ask(url, "SELECT DISTINCT state FROM toastkit_toasts") == [("sent",)]
    assert len({request.headers["authorization"] for request in apple.requests}) == 1
    assert apple.faults() == []


def test_what_a_killed_process_was_sending_is_sent_by_another(url, apple, kit, carriers):
    apple.hold()
    dying = carriers(lease_ms=500)
    users = register(kit, 20)
    kit.publish_toasts(users, "In flight")
    apple.wait(1)
    dying.send_signal(signal.SIGKILL)
    dying.wait(10)
    apple.release()
    first = len(apple.requests)
    carriers()
    wait_until(lambda: not kit.deliveries.waiting())
    assert ask(url, "SELECT DISTINCT state FROM toastkit_toasts") == [("sent",)]
    assert len(apple.taken()) == len(users)
    again = Counter(request.id for request in apple.requests)
    assert sum(again.values()) <= len(users) + first
    for id in again:
        assert len({repr(request.sent) for request in apple.requests if request.id == id}) == 1
    assert apple.faults() == []
