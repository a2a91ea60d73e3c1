"""Measure what docs/design gives as reasons: ``python -m tests.bench.decisions``; takes 20 seconds.

CPU time of this process, system included, in microseconds for each: the best of a few rounds.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

from redis import Redis

from tests.redis import RedisServer
from toastkit.backplane.redis.counts import Counts
from toastkit.backplane.redis.dial import Place
from toastkit.backplane.redis.line import Line, LineParts, User
from toastkit.backplane.redis.pump import Pump
from toastkit.config import Config
from toastkit.runtime import ThreadsRuntime
from toastkit.runtime.contract import Signal

TIMES = 5000
TOGETHER = 50
ROUNDS = 5
ROUTE, TEXT = "route", b"x" * 200
PUBLISH = ("PUBLISH", ROUTE, TEXT)

SAY = f"""
import sys
from redis import Redis
with Redis.from_url(sys.argv[1]) as redis:
    while not redis.pubsub_numsub({ROUTE!r})[0][1]:
        pass
    for _ in range({TIMES // TOGETHER}):
        pipe = redis.pipeline(transaction=False)
        for _ in range({TOGETHER}):
            pipe.publish({ROUTE!r}, b"x" * 200)
        pipe.execute()
"""

COUNTERS = """
from time import process_time
from prometheus_client import Counter, Histogram
published = Counter("published", "", ["status", "transport", "reason"])
written, requests = Counter("written", ""), Counter("requests", "", ["operation", "status"])
request, commit, confirm = [Histogram(name, "", given) for name, given in
    (("request", ["operation"]), ("commit", []), ("confirm", []))]
began = process_time()
for _ in range(20_000):
    published.labels("delivered", "websocket", "").inc()
    written.inc(1)
    requests.labels("publish", "2xx").inc()
    request.labels("publish").observe(0.001)
    commit.observe(0.001)
    confirm.observe(0.001)
print((process_time() - began) / 20_000)
"""
"""What one publish over HTTP counts, by prometheus-client's own counters."""

NOTES = """
from time import process_time
from toastkit.backplane import MemoryBackplane
from toastkit.clock import SystemClock
from toastkit.metrics import Metrics
from toastkit.receipts import Receipt
from toastkit.runtime import ThreadsRuntime
runtime, metrics = ThreadsRuntime(), Metrics()
metrics.begin(runtime, SystemClock(), MemoryBackplane(runtime))
receipt, noted, began = [Receipt.shown("id", 1)], 0.0, process_time()
for _ in range(200):  # of each 50 ms one hundred publishes, which are many
    before = process_time()
    for _ in range(100):
        metrics.published([], receipt)
        metrics.answered("publish", 202, 0.001)
        metrics.committed(0.001)
        metrics._confirmed(0.001, 0)
    noted += process_time() - before
    runtime.ask(metrics._look_now)
print((process_time() - began) / 20_000, noted / 80_000)
runtime.close()
"""
"""The same by ours, with the adding up; and what one of the four notes costs alone."""


def main() -> None:
    """Print each figure beside the one of the library that was not used."""
    with closing(RedisServer()) as server:
        for name, ours, theirs in (
            ("publish, alone", publish_alone, redis_publish_alone),
            (f"publish, of {TOGETHER} in a turn", publish_together, redis_publish_together),
            ("message heard", hear, redis_hear),
        ):
            show(f"Redis: {name}", best(ours, server), best(theirs, server), "redis-py")
    counted = [_python(NOTES) for _ in range(ROUNDS)]
    theirs = min(_python(COUNTERS)[0] for _ in range(ROUNDS))
    show("metrics: one publish over HTTP", min(each[0] for each in counted), theirs, "its counters")
    print(f"{'metrics: one note':32} {min(each[1] for each in counted) * 1e6:6.2f}")


def best(measure: Callable[[RedisServer], float], server: RedisServer) -> float:
    """Return the seconds of the round that was disturbed least."""
    return min(measure(server) for _ in range(ROUNDS))


def show(name: str, ours: float, theirs: float, whose: str) -> None:
    """Print one line."""
    print(f"{name:32} {ours * 1e6:6.2f}   {whose} {theirs * 1e6:6.2f}   {ours / theirs:.2f}")


def publish_alone(server: RedisServer) -> float:
    """Publish the next when the last is answered."""
    return _pumped(server, 1)


def publish_together(server: RedisServer) -> float:
    """Publish so many in each turn of the loop."""
    return _pumped(server, TOGETHER)


def redis_publish_alone(server: RedisServer) -> float:
    """Call its ``publish``, which waits for the answer."""
    with Redis.from_url(server.url, protocol=2) as redis:
        redis.publish(ROUTE, TEXT)
        return _used(lambda: [redis.publish(ROUTE, TEXT) for _ in range(TIMES)])


def redis_publish_together(server: RedisServer) -> float:
    """Execute its pipelines of so many."""
    with Redis.from_url(server.url, protocol=2) as redis:

        def publish() -> None:
            for _ in range(TIMES // TOGETHER):
                pipe = redis.pipeline(transaction=False)
                for _ in range(TOGETHER):
                    pipe.publish(ROUTE, TEXT)
                pipe.execute()

        publish()
        return _used(publish)


def hear(server: RedisServer) -> float:
    """Hear what another process publishes, by a line of ours."""
    runtime = ThreadsRuntime()
    heard, ended = [0], runtime.signal()

    def count(replies: list[Any]) -> None:
        heard[0] += len(replies)
        if heard[0] > TIMES:  # and the answer to SUBSCRIBE
            ended.set()

    def listen() -> Line:
        user = User(lambda: line.send("SUBSCRIBE", ROUTE), count, lambda why: None)
        line = Line(_parts(server, runtime), user)
        line.open()
        return line

    line = runtime.ask(listen)
    seconds = _used(lambda: _heard(server, lambda: ended.wait(30)))
    runtime.ask(line.close)
    runtime.close()
    return seconds


def redis_hear(server: RedisServer) -> float:
    """Hear the same by its ``pubsub``."""
    with Redis.from_url(server.url, protocol=2) as redis, redis.pubsub() as channel:
        channel.subscribe(ROUTE)

        def listen() -> None:
            for _ in range(TIMES + 1):
                channel.get_message(timeout=30)

        return _used(lambda: _heard(server, listen))


def _heard(server: RedisServer, listen: Callable[[], object]) -> None:
    with subprocess.Popen([sys.executable, "-c", SAY, server.url]):
        listen()


def _pumped(server: RedisServer, together: int) -> float:
    runtime = ThreadsRuntime()
    pump = Pump(_parts(server, runtime), 5, lambda: None)
    seconds = _used(lambda: _run(runtime, pump, together))
    runtime.ask(pump.close)
    runtime.close()
    return seconds


def _run(runtime: ThreadsRuntime, pump: Pump, together: int) -> None:
    ended: Signal = runtime.signal()
    left = [TIMES, 0]

    def told(_reply: object) -> None:
        left[1] -= 1
        if left[1]:
            return
        if left[0]:
            some()
        else:
            ended.set()

    def some() -> None:
        left[0] -= together
        left[1] = together
        for _ in range(together):
            pump.do(PUBLISH, told)

    runtime.call(some)
    ended.wait(30)


def _parts(server: RedisServer, runtime: ThreadsRuntime) -> LineParts:
    return LineParts(runtime, Place.of(Config(redis_url=server.url)), Counts())


def _used(job: Callable[[], object]) -> float:
    before = time.process_time()
    job()
    return (time.process_time() - before) / TIMES


def _python(program: str) -> list[float]:
    with tempfile.TemporaryDirectory() as folder:
        environ = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": folder}
        said = subprocess.check_output([sys.executable, "-c", program], env=environ, text=True)
    return [float(word) for word in said.split()]


if __name__ == "__main__":
    main()
