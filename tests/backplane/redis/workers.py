"""Workers on one Redis, in this process or another, and what each of them has heard."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Collection

import psutil

from tests.forked import Forked
from toastkit.backplane.contract import Answer, Confirmation, Dismissal
from toastkit.backplane.redis import RedisBackplane, broker
from toastkit.backplane.redis.keys import Keys
from toastkit.clock import SystemClock
from toastkit.config import Config
from toastkit.events import Event
from toastkit.runtime import runtime_for
from toastkit.runtime.contract import Runtime

PATIENCE = 30


def until(fact: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait for a fact; how long a busy machine takes says nothing about the code."""
    end = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.005)


class Ear:
    """Hear for a worker with one client on each of its routes, who sees everything at once."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.doubts: list[Collection[str] | None] = []
        self.answers = True
        self.held: list[Answer] = []

    def hear(self, event: Event, answer: Answer) -> None:
        self.heard.append(event.id)
        if self.answers:
            answer(1, 1)
        else:
            self.held.append(answer)

    def doubt(self, routes: Collection[str] | None = None) -> None:
        self.doubts.append(routes)

    @property
    def doubts_all(self) -> int:
        """Return how often everything was doubted."""
        return self.doubts.count(None)


class Worker:
    """One backplane, with an ear that remembers."""

    def __init__(self, runtime: Runtime, config: Config, routes: Collection[str] | None) -> None:
        self.runtime = runtime
        self.ear = Ear()
        self.dismissed: list[Dismissal] = []
        self.keys = Keys(config.redis_prefix)
        self.backplane = RedisBackplane(config, runtime, SystemClock())
        self.backplane.listen(self.ear)
        self.backplane.heed(self.dismissed.append)
        if routes is not None:
            self.backplane.serve()
            for route in routes:
                self.join(route)

    @property
    def broker(self):
        return self.backplane._broker

    @property
    def hears(self) -> bool:
        return bool(self.broker._listener.heard)

    @property
    def speaks(self) -> bool:
        """Tell whether it can say something, and has said what waited for that."""
        return self.runtime.ask(lambda: self.broker._pump.is_open)

    @property
    def peers(self) -> int:
        return len(self.broker._peers)

    def join(self, route: str) -> None:
        self.runtime.ask(lambda: self.backplane.join(route))

    def leave(self, route: str) -> None:
        self.runtime.ask(lambda: self.backplane.leave(route))

    def broadcast(self, *events: Event, seconds: float = PATIENCE) -> list[Confirmation]:
        return self.runtime.ask(lambda: self.backplane.broadcast(events)).wait(seconds)


class Process:
    """A worker in a process of its own, which may be frozen and killed."""

    def __init__(self, config: Config, *routes: str) -> None:
        places = (config.redis_url, config.redis_prefix, str(broker.TICK_SECONDS))
        self.process = Forked(__name__, *places, *routes)
        assert self.process.stdout.readline() == "hears\n"

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)
        until(lambda: psutil.Process(self.process.pid).status() == psutil.STATUS_STOPPED)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def end(self) -> None:
        """Kill it, frozen or not."""
        self.process.kill()
        self.process.wait(PATIENCE)
        self.process.stdin.close()
        self.process.stdout.close()


def main(url: str, prefix: str, tick: str, *routes: str) -> None:
    """Be a worker with a client on each route, until nobody holds the other end."""
    broker.TICK_SECONDS = float(tick)
    worker = Worker(runtime_for("threads"), Config(redis_url=url, redis_prefix=prefix), routes)
    until(lambda: worker.hears)
    print("hears", flush=True)
    sys.stdin.read()
