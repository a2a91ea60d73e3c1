"""The whole service in several workers, with a Redis that comes and goes."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection

from example_app.settings import DEMO_SECRET
from tests.redis import RedisServer
from toastkit import Config
from toastkit.doctor import Patient, redis

from .conftest import Start, serving
from .test_service import MODULE, ask, heard, listen

pytestmark = pytest.mark.plain

PATIENCE = 30


def children(process: subprocess.Popen[str]) -> list[int]:
    place = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return [int(pid) for pid in place.read_text().split()]


def publish(base: str, title: str) -> Any:
    body = {"user_id": "ada", "topic": "user:ada", "toast": {"title": title}}
    return ask(f"{base}/v1/toasts/publish", body, DEMO_SECRET)


def until(fact: Callable[[], Any], said: str) -> Any:
    """Wait for a fact; return it."""
    end = time.monotonic() + PATIENCE
    while not (found := fact()):
        assert time.monotonic() < end, f"never {said}"
        time.sleep(0.05)
    return found


def degraded(base: str) -> list[str]:
    """Return what any of the workers that answer in turn calls degraded."""
    answers = [ask(f"{base}/health") for _ in range(6)]
    assert {each["status"] for each in answers} == {"ok"}
    return [part["name"] for each in answers for part in each.get("degraded", ())]


@contextlib.contextmanager
def crowd(base: str, count: int) -> Iterator[list[ClientConnection]]:
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(listen(base, "ada")) for _ in range(count)]


def test_several_workers_are_one_service(start: Start, own_redis: RedisServer) -> None:
    process = start(*MODULE, WEB_CONCURRENCY="2", REDIS_URL=own_redis.url, RATE_LIMITS="0")
    with serving(process) as base:
        until(lambda: len(children(process)) == 2, "two workers")
        with crowd(base, 6) as connections:
            until(lambda: publish(base, "Before")["session_count"] == 6, "all of them told")
            own_redis.kill()
            until(lambda: degraded(base), "degraded")
            publish(base, "Meanwhile")
            own_redis.start()
            until(lambda: not degraded(base), "well again")
            until(lambda: publish(base, "After")["session_count"] == 6, "all of them told again")
            for connection in connections:
                titles = []
                while "After" not in titles:
                    titles.append(heard(connection)["toast"]["title"])
                assert titles.count("Meanwhile") == 1, titles
        before = set(children(process))
        process.send_signal(signal.SIGHUP)
        until(lambda: len(now := set(children(process))) == 2 and not now & before, "others")
        with listen(base, "ada") as connection:
            until(lambda: publish(base, "Anew")["session_count"] == 1, "told by the new ones")
            assert heard(connection)["toast"]["title"] == "Anew"


def test_without_its_redis_it_starts_and_says_so(start: Start) -> None:
    place = "redis://:hush@127.0.0.1:1/0"
    process = start(*MODULE, WEB_CONCURRENCY="2", REDIS_URL=place, LOG_FORMAT="json")
    with serving(process) as base:
        assert until(lambda: degraded(base), "degraded")[0] == "redis"
        assert publish(base, "Kept")["status"] == "queued"
    told = [json.loads(line) for line in process.communicate()[1].splitlines()]
    assert "Connection refused; the service starts all the same" in told[0]["message"]
    assert not [each for each in told if "hush" in each["message"] or "traceback" in each]


def test_what_is_no_redis_is_one_clear_line(start: Start) -> None:
    process = start(*MODULE, REDIS_URL="http://:hush@127.0.0.1/")
    output, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, output, errors.count("\n")) == (2, "", 1)
    assert "REDIS_URL must be like redis://" in errors
    assert "hush" not in errors


def test_a_command_reaches_every_worker(
    start: Start, redis_server: RedisServer, redis_prefix: str
) -> None:
    known = {"REDIS_URL": redis_server.url, "TOASTKIT_REDIS_PREFIX": redis_prefix}
    config = Config(redis_url=redis_server.url, redis_prefix=redis_prefix)
    process = start(*MODULE, WEB_CONCURRENCY="2", **known)
    with serving(process) as base:

        def both() -> bool:
            ask(f"{base}/health")  # a worker is known from its first request on
            found = redis.gather(Patient(config=config, sources={}, said={}))
            return found is not None and (found.name, found.workers) == (f"{redis_prefix}:0", 2)

        until(both, "two workers")
        with crowd(base, 4) as connections:
            command = ("-m", "toastkit", "control", "flags.changed")
            told = start(*command, **known, **elsewhere(process)).communicate(timeout=PATIENCE)
            assert told[0] == "told flags.changed to everybody\n"
            for connection in connections:
                assert heard(connection)["control"]["kind"] == "flags.changed"


def elsewhere(process: subprocess.Popen[str]) -> dict[str, str]:
    """Return where the service has its database."""
    folder = os.readlink(f"/proc/{process.pid}/cwd")
    return {"DATABASE_URL": f"sqlite:///{folder}/instance/toastkit.db"}
