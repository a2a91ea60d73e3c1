"""One service by two workers with Redis between them, beside the same by one worker alone.

Each worker is a gunicorn of its own, as if on a machine of its own: so it is known who is connected
to which. Publishes go to the first; who they are for is connected to the last.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass

import psutil

from tests.redis import RedisServer

from .client import Address, Crowd, Loop
from .contenders import TOASTKIT, Seed
from .measure import connect, fanout
from .publishing import PER_SECOND, WARMUP, Errand, waiting
from .scene import Figures, Scene, Sizes
from .server import CLIENT_CORES, CORES, Server, settle

COUNTS = (2, 1)


class Workers(Server):
    """Several servers, asked as if they were one; the first is published to."""

    def __init__(self, servers: Sequence[Server]) -> None:
        self.servers = servers
        self.address = servers[0].address

    @property
    def addresses(self) -> list[Address]:
        return [server.address for server in self.servers]

    def connections(self) -> int:
        return sum(server.connections() for server in self.servers)

    def standstill(self) -> float:
        return max(server.standstill() for server in self.servers)

    def cpu(self) -> float:
        return sum(server.cpu() for server in self.servers)

    def memory(self) -> float:
        return sum(server.memory() for server in self.servers)


@dataclass(frozen=True)
class Service:
    """So many workers, with Redis or alone."""

    workers: Workers
    redis: RedisServer | None

    def cpus(self) -> dict[str, float]:
        """Return the CPU seconds used by each that has part in a publish."""
        used = {"who publishes": self.workers.servers[0].cpu()}
        if self.redis is not None:
            used["who delivers"] = self.workers.servers[-1].cpu()
            times = psutil.Process(self.redis.pid).cpu_times()
            used["Redis"] = times.user + times.system
        return used


def measure(seed: Seed, sizes: Sizes) -> Iterator[tuple[str, Figures]]:
    """Measure two workers, then one; the name and the figures of each."""
    for count in COUNTS:
        figures: Figures = {}
        for part in (_connect, _fanout, _across):
            with _service(seed, count) as service:
                figures |= part(service, seed, sizes)
        yield (
            f"{count} worker{'s' * (count > 1)}",
            {f"workers, {name}": value for name, value in figures.items()},
        )


def _connect(service: Service, seed: Seed, sizes: Sizes) -> Figures:
    with _scene(service, service.workers.addresses, seed, sizes) as scene:
        return connect(scene)


def _fanout(service: Service, seed: Seed, sizes: Sizes) -> Figures:
    with _scene(service, service.workers.addresses, seed, sizes) as scene:
        return fanout(scene)


def _across(service: Service, seed: Seed, sizes: Sizes) -> Figures:
    """Publish 500 a second over HTTP to one worker, for users that are at the other one."""
    with _scene(service, service.workers.addresses[-1:], seed, sizes) as scene:
        scene.crowd.connect(seed.doors(TOASTKIT), sizes.listeners)
        settle(service.workers, sizes.listeners)
        service.workers.standstill()
        errand = Errand(scene)
        errand.closed(WARMUP, 16)
        total = round(sizes.open_seconds * PER_SECOND)
        before = service.cpus()
        waits = errand.open(total)
        used = {name: cpu - before[name] for name, cpu in service.cpus().items()}
        name = f"HTTP, {PER_SECOND}/s"
        figures = waiting(name, service.workers, None, waits)
        figures[f"{name}: told delivered"] = errand.delivered / total
        costs = {f"{name}: CPU us each, {who}": cpu / total * 1e6 for who, cpu in used.items()}
        return figures | costs


@contextmanager
def _service(seed: Seed, count: int) -> Iterator[Service]:
    """Run so many workers on one database, each on the next core; client and Redis take any."""
    os.sched_setaffinity(0, CORES)
    try:
        with ExitStack() as stack:
            redis = stack.enter_context(closing(RedisServer())) if count > 1 else None
            settings = {} if redis is None else {"TOASTKIT_REDIS_URL": redis.url}
            url = stack.enter_context(seed.copy())
            servers = [
                stack.enter_context(TOASTKIT.serve(url, settings, {CORES[number % len(CORES)]}))
                for number in range(count)
            ]
            yield Service(Workers(servers), redis)
    finally:
        os.sched_setaffinity(0, CLIENT_CORES)


@contextmanager
def _scene(
    service: Service, addresses: Sequence[Address], seed: Seed, sizes: Sizes
) -> Iterator[Scene]:
    with closing(Crowd(Loop(), addresses, TOASTKIT.speech)) as crowd:
        yield Scene(TOASTKIT, service.workers, crowd, sizes, seed)
