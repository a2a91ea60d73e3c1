"""A process that is killed at any moment of an attempt loses nothing that was owed."""

import os
import random
import signal
import time
from collections import Counter

import pytest

from tests.forked import Forked
from tests.races.carrier import POINTS
from toastkit import Config, Kit

pytestmark = [pytest.mark.plain, pytest.mark.timeout(300)]
MANY = 40


class Carriers:
    """Start processes that carry, and owe what they are to carry."""

    def __init__(self, url, ledger):
        self.url, self.ledger = url, ledger
        self.started = []

    def start(self, point=""):
        process = Forked("tests.races.carrier", self.url, str(self.ledger), point)
        self.started.append(process)
        return process

    def owe(self, many):
        with Kit(Config(database_url=self.url)) as kit:
            return {
                kit.deliveries.owe("mail", {"n": number}, user_id=f"user{number % 5}")
                for number in range(many)
            }

    def posted(self):
        """Return how often each was posted; no two attempts at one may have overlapped."""
        begun, posted = {}, Counter()
        for line in self.ledger.read_text().splitlines():
            what, id, pid = line.split()
            if what == "begin":
                assert not alive(begun.get(id)), "two at once"
                begun[id] = pid
                posted[id] += 1
            else:
                begun[id] = None
        return posted

    def close(self):
        for process in self.started:
            if process.poll() is None:
                process.stdin.close()
                process.wait(20)
            process.stdin.close()
            process.stdout.close()


def alive(pid):
    return pid is not None and os.path.exists(f"/proc/{pid}")


@pytest.fixture
def carriers(shared, tmp_path):
    carriers = Carriers(shared.url, tmp_path / "ledger")
    yield carriers
    carriers.close()


def wait_for(fact, seconds=40):
    until = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < until, "never"
        time.sleep(0.02)


def all_sent(shared):
    states = shared.rows(
        "SELECT DISTINCT state, next_attempt_at, lease_until FROM toastkit_deliveries"
    )
    return states == [{"state": "sent", "next_attempt_at": None, "lease_until": None}]


@pytest.mark.parametrize("point", POINTS)
def test_a_carrier_killed_between_any_two_steps_loses_nothing(carriers, shared, point):
    owed = carriers.owe(3)
    dead = carriers.start(point)
    assert dead.wait(30) == -signal.SIGKILL
    carriers.start()
    wait_for(lambda: all_sent(shared))
    posted = carriers.posted()
    assert set(posted) == owed
    before = point in {"before claim", "after claim", "before begin", "before post"}
    assert max(posted.values()) == 1 if before else max(posted.values()) <= 2


def test_two_carriers_post_each_once(carriers, shared):
    owed = carriers.owe(MANY)
    carriers.start()
    carriers.start()
    wait_for(lambda: all_sent(shared))
    assert carriers.posted() == Counter(owed)
    pids = {line.split()[2] for line in carriers.ledger.read_text().splitlines()}
    assert len(pids) <= 2


def test_carriers_killed_at_random_moments_lose_nothing(carriers, shared):
    choice, owed, kills = random.Random(), set(), 0
    running = [carriers.start(), carriers.start()]
    for _ in range(6):
        owed |= carriers.owe(MANY // 4)
        time.sleep(choice.uniform(0, 0.3))
        victim = running.pop(0)
        victim.send_signal(signal.SIGKILL)
        victim.wait(20)
        kills += 1
        running.append(carriers.start())
    wait_for(lambda: all_sent(shared))
    posted = carriers.posted()
    assert set(posted) == owed
    assert sum(posted.values()) - len(owed) <= kills * 8
