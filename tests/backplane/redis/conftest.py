"""Workers on the session's Redis, or on one that a test may kill."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.backplane.redis.workers import Process, Worker, until
from tests.redis import RedisServer
from toastkit.backplane.redis import broker
from toastkit.config import Config
from toastkit.runtime import runtime_for
from toastkit.runtime.contract import Runtime

Hire = Callable[..., Worker]


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    runtime = runtime_for("auto")
    yield runtime
    runtime.close()


@pytest.fixture
def config(redis_server: RedisServer, redis_prefix: str) -> Config:
    return Config(redis_url=redis_server.url, redis_prefix=redis_prefix)


@pytest.fixture
def hire(runtime: Runtime, config: Config) -> Iterator[Hire]:
    """Make workers that serve clients on some routes; ``None``: a process that serves nobody.

    Those that serve know each other when this returns, unless it is told not to wait.
    """
    with ExitStack() as stack:
        serving: list[Worker] = []

        def hire(
            routes: Collection[str] | None = ("user:u1",), *, wait: bool = True, **given: Any
        ) -> Worker:
            changed = Config(
                **{"redis_url": config.redis_url, "redis_prefix": config.redis_prefix, **given}
            )
            worker = Worker(runtime, changed, routes)
            stack.callback(worker.backplane.close)
            if routes is not None:
                serving.append(worker)
                if wait:
                    until(lambda: all(each.peers >= len(serving) - 1 for each in serving))
                    until(lambda: worker.hears and worker.speaks)
            return worker

        yield hire


@pytest.fixture
def start(config: Config) -> Iterator[Callable[..., Process]]:
    """Start workers in processes of their own."""
    with ExitStack() as stack:

        def start(*routes: str) -> Process:
            process = Process(config, *routes)
            stack.callback(process.end)
            return process

        yield start


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what is done once a second be done ten times, and the look at everything never."""
    monkeypatch.setattr(broker, "TICK_SECONDS", 0.1)
    monkeypatch.setattr(broker, "LOOK_TICKS", 10**6)
