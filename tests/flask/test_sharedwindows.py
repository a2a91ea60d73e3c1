"""Rates that are counted in Redis, by real workers."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest
from limits import parse

from toastkit import Config, RateLimited
from toastkit.backplane.redis.requests import Requests
from toastkit.clock import SystemClock
from toastkit_flask import sharedwindows
from toastkit_flask.ratelimits import RateLimits
from toastkit_flask.sharedwindows import SharedWindows

pytestmark = pytest.mark.plain

HIT = """
import os, sys
from toastkit import Config, RateLimited
from toastkit.clock import SystemClock
from toastkit_flask import sharedwindows
from toastkit_flask.ratelimits import RateLimits

sharedwindows.LONGEST_MS = 30_000
limits = RateLimits(Config(redis_url=sys.argv[1], redis_prefix=sys.argv[2], redis_timeout_ms=30_000), SystemClock())
limits.hit("list", "ada")  # the parent has a connection, which is not its children's
ready, go, done = os.pipe(), os.pipe(), os.pipe()
for _ in range(4):
    if os.fork():
        continue
    os.write(ready[1], b".")
    os.read(go[0], 1)
    passed = 0
    for _ in range(100):
        try:
            limits.hit("inbox", "ada")
        except RateLimited:
            continue
        passed += 1
    os.write(done[1], bytes([passed]))
    os._exit(0)
for _ in range(4):
    os.read(ready[0], 1)
os.write(go[1], b"....")
told = [os.read(done[0], 1)[0] for _ in range(4)]
limits.hit("list", "ada")
print(*told)
"""


def worker(url, prefix, clock=None, **given):
    config = Config(redis_url=url, redis_prefix=prefix, redis_timeout_ms=30_000, **given)
    return RateLimits(config, clock or SystemClock())


@pytest.mark.parametrize("ahead", [-5000, 5000])
def test_whatever_a_clock_says_the_wait_is_within_the_window(
    redis_server, redis_prefix, monkeypatch, ahead
):
    config = Config(redis_url=redis_server.url, redis_prefix=redis_prefix, redis_timeout_ms=30_000)
    windows, rate = SharedWindows(config, SystemClock()), parse("1/minute")
    assert windows.take(rate, ("ada",)) == 0
    told = SimpleNamespace(reset_time=time.time() + ahead)
    monkeypatch.setattr(windows._limiter, "get_window_stats", lambda *_: told)
    assert 0 < windows.take(rate, ("ada",)) <= 60


def passed(limits, count, *key):
    """Hit so often; return how many were let through."""
    through = 0
    for _ in range(count):
        try:
            limits.hit("list", *(key or ("ada",)))
        except RateLimited:
            continue
        through += 1
    return through


@pytest.fixture(autouse=True)
def _patient(monkeypatch):
    """Wait for a Redis that is there however busy the machine is."""
    monkeypatch.setattr(sharedwindows, "LONGEST_MS", 30_000)


@pytest.fixture
def workers(redis_server, redis_prefix):
    return [worker(redis_server.url, redis_prefix, list_rate="5/minute") for _ in range(2)]


def test_workers_count_together(workers):
    assert [passed(each, 3) for each in workers] == [3, 2]
    with pytest.raises(RateLimited) as caught:
        workers[1].hit("list", "ada")
    assert 30 <= caught.value.retry_after <= 60


def test_a_window_passes(redis_server, redis_prefix):
    limits = worker(redis_server.url, redis_prefix, list_rate="2/second")
    assert passed(limits, 2) == 2
    deadline = time.monotonic() + 30
    while not passed(limits, 1):
        assert time.monotonic() < deadline


def test_keys_and_names_are_counted_apart(workers):
    for key in (("ada",), ("bob",), ("ada", "bob"), ("ada/bob",), ("ada', 'bob",)):
        assert passed(workers[0], 6, *key) == 5, key
    workers[0].hit("bootstrap", "ada")


def test_no_key_tells_whom_it_is_about(workers, redis_server, redis_prefix):
    passed(workers[0], 1, "ada-lovelace")
    found = redis_server.ask("KEYS", f"{redis_prefix}:*")
    assert "ada" not in str(found)
    assert redis_prefix in str(found)


def test_exactly_N_are_let_through_by_four_forked_processes_at_once(redis_server, redis_prefix):
    command = [sys.executable, "-c", HIT, redis_server.url, redis_prefix]
    started = time.monotonic()
    told = subprocess.check_output(command, text=True, timeout=50).split()
    assert time.monotonic() - started < 60, "they did not all fall into one window"
    assert sum(map(int, told)) == 120, told


def test_while_redis_is_away_each_worker_goes_on_alone(own_redis, caplog, clock):
    limits = worker(own_redis.url, "test", clock, list_rate="5/minute")
    assert passed(limits, 2) == 2
    own_redis.kill()
    assert passed(limits, 5) == 3, "what it let through itself it has counted"
    assert passed(limits, 6, "bob") == 5
    assert [each.levelname for each in caplog.records] == ["WARNING"]
    assert "counted by each worker alone: Redis cannot be reached" in caplog.text


def test_when_redis_is_back_they_count_together_again(own_redis, caplog, clock):
    ours, theirs = (worker(own_redis.url, "test", clock, list_rate="5/minute") for _ in range(2))
    own_redis.kill()
    assert passed(ours, 6) == 5
    own_redis.start()
    clock.advance(1.1)
    assert [passed(ours, 3, "bob"), passed(theirs, 3, "bob")] == [3, 2]
    assert passed(ours, 1) == 1, "what all workers know counts, and not what one knows"
    assert "counted by all workers together again" in caplog.text
    assert [each.levelname for each in caplog.records] == ["WARNING"] * 2


def test_a_frozen_redis_is_waited_for_briefly_and_by_one_request_in_a_second(
    own_redis, clock, monkeypatch
):
    limits = worker(own_redis.url, "test", clock, list_rate="1000/minute")
    limits.hit("list", "ada")
    requests(limits)._seconds = 0.25
    find, asked = Requests._find, []
    monkeypatch.setattr(Requests, "_find", lambda *given: asked.append(1) or find(*given))
    own_redis.pause()
    took = seconds(lambda: at_once(lambda: limits.hit("list", "ada")))
    assert 0.2 < took < 5, "the promise is 250 ms; the machine may be busy"
    assert passed(limits, 100) == 100
    assert 1 <= len(asked) <= 10, "it was asked while it was known to be away"
    asked.clear()
    clock.advance(1.1)
    at_once(lambda: limits.hit("list", "ada"))
    assert len(asked) == 1


def requests(limits):
    return limits._shared._limiter.storage._client._requests


def test_the_promise_is_a_quarter_of_a_second(redis_server, monkeypatch):
    monkeypatch.undo()
    assert requests(worker(redis_server.url, "test"))._seconds == 0.25


def at_once(job, times=10):
    threads = [threading.Thread(target=job) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def seconds(job):
    started = time.monotonic()
    job()
    return time.monotonic() - started


def test_a_redis_that_is_full_refuses_nobody(own_redis, clock):
    own_redis.ask("CONFIG", "SET", "maxmemory", "1")
    limits = worker(own_redis.url, "test", clock, list_rate="5/minute")
    assert passed(limits, 6) == 5


def test_a_redis_that_was_never_there_refuses_nobody(own_redis, clock):
    own_redis.kill()
    limits = worker(own_redis.url, "test", clock, list_rate="5/minute")
    assert passed(limits, 6) == 5
