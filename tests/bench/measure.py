"""What is measured. Each measurement takes a fresh server and returns figures by name."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from .client import Crowd, Loop, Lost, Publisher, now
from .contenders import Contender, Seed, broadcast_body, publish_body
from .server import Server, settle

BROADCASTS = 50
PUBLISHERS = 16
MOST_PUBLISHERS = 64
PER_SECOND = 500


@dataclass(frozen=True)
class Sizes:
    """How much of everything."""

    connections: int
    subscribers: int
    bursts: int
    listeners: int
    publishes: int
    open_seconds: float
    warmup: int = 200


@dataclass(frozen=True)
class Scene:
    """One fresh server with the clients that are to come."""

    contender: Contender
    server: Server
    crowd: Crowd
    sizes: Sizes
    seed: Seed


Figures = dict[str, float]


def connect(scene: Scene) -> Figures:
    """Handshakes with 100 in flight, and what each connection keeps when it is idle."""
    sizes, server, doors = scene.sizes, scene.server, scene.seed.doors(scene.contender)
    # The first ones pay for imports, for pages that a fork shares, and for growing tables.
    scene.crowd.connect(doors, sizes.warmup)
    settle(server, sizes.warmup)
    time.sleep(1)
    memory, cpu = server.memory(), server.cpu()
    seconds = scene.crowd.connect(doors, sizes.connections)
    everybody = sizes.warmup + sizes.connections
    settle(server, everybody)
    opening = (server.cpu() - cpu) / sizes.connections
    time.sleep(1)
    memory = server.memory() - memory
    # What a handshake leaves to be done when its client goes is part of its price.
    cpu = server.cpu()
    scene.crowd.close()
    settle(server, 0)
    closing = (server.cpu() - cpu) / everybody
    return {
        "handshakes/s": sizes.connections / seconds,
        "CPU us per handshake": opening * 1e6,
        "CPU us per handshake and its end": (opening + closing) * 1e6,
        "KiB per idle connection": memory / sizes.connections,
    }


def fanout(scene: Scene) -> Figures:
    """Fifty POSTs back to back, each told to all."""
    crowd, sizes = scene.crowd, scene.sizes
    crowd.connect(scene.seed.doors(scene.contender), sizes.subscribers)
    settle(scene.server, sizes.subscribers)
    publisher = Publisher(crowd.loop, scene.server.address)
    _burst(crowd, publisher, 5)
    cpu = scene.server.cpu()
    bursts = [_burst(crowd, publisher, BROADCASTS) for _ in range(sizes.bursts)]
    cpu = scene.server.cpu() - cpu
    publisher.close()
    seconds, busy = sum(burst[0] for burst in bursts), sum(burst[1] for burst in bursts)
    deliveries = sizes.bursts * BROADCASTS * sizes.subscribers
    return {
        "deliveries/s": deliveries / seconds,
        "CPU s per million deliveries": cpu / deliveries * 1e6,
        "client's share of its core": busy / seconds,
    }


def _burst(crowd: Crowd, publisher: Publisher, number: int) -> tuple[float, float]:
    """Broadcast so many, and check that everybody heard all, in order.

    Returns the seconds until they had, and this client's CPU seconds until then.
    """
    crowd.forget()
    answered = 0

    def next_one(_: bytes = b"") -> None:
        nonlocal answered
        if answered < number:
            answered += 1
            publisher.post("/broadcast", broadcast_body(answered), next_one)
        else:
            answered += 1

    started, used = now(), time.process_time()
    next_one()
    goal = number * len(crowd.members)
    crowd.loop.run(lambda: crowd.count >= goal and answered > number)
    seconds, used = now() - started, time.process_time() - used
    for user, heard in crowd.numbers().items():
        if [found for found, _ in heard] != list(range(1, number + 1)):
            raise Lost(f"{user} did not hear all, once and in order")
    return seconds, used


def publish(scene: Scene) -> Figures:
    """Toasts to one user each: as fast as 16 publishers can, then 500 a second."""
    crowd, sizes = scene.crowd, scene.sizes
    crowd.connect(scene.seed.doors(scene.contender), sizes.listeners)
    settle(scene.server, sizes.listeners)
    errand = _Errand(scene)
    errand.closed(PUBLISHERS * 20)
    cpu = scene.server.cpu()
    seconds, answers = errand.closed(sizes.publishes)
    cpu = scene.server.cpu() - cpu
    arrivals = errand.open(round(sizes.open_seconds * PER_SECOND))
    return {
        "publishes/s": sizes.publishes / seconds,
        "CPU us per publish": cpu / sizes.publishes * 1e6,
        **_quantiles("publish, 16 at once", answers),
        **_quantiles("publish to receive, 500/s", arrivals),
    }


class _Errand:
    """Publish numbered toasts to random users, and check that each heard their own."""

    def __init__(self, scene: Scene) -> None:
        self._crowd = scene.crowd
        self._path = scene.contender.publish_path
        self._address = scene.server.address
        self._users = list(scene.crowd.members)
        self._random = random.Random(2)
        self._sent: list[tuple[str, float]] = []
        self._first = 0

    def closed(self, total: int) -> tuple[float, list[float]]:
        """Let each publisher send its next when the last is answered.

        Returns the seconds it took, and the seconds of each POST.
        """
        self._begin()
        publishers = [Publisher(self._crowd.loop, self._address) for _ in range(PUBLISHERS)]
        took: list[float] = []

        def send(publisher: Publisher) -> None:
            if len(self._sent) < total:
                sent = now()
                self._post(publisher, sent, lambda: answered(publisher, sent))

        def answered(publisher: Publisher, sent: float) -> None:
            took.append(now() - sent)
            send(publisher)

        started = now()
        for publisher in publishers:
            send(publisher)
        self._crowd.loop.run(lambda: len(took) == total)
        seconds = now() - started
        self._finish(publishers)
        return seconds, took

    def open(self, total: int) -> list[float]:
        """Publish at a fixed rate, whatever the answers do.

        Returns the seconds from the time each should have been sent to its arrival.
        """
        self._begin()
        loop, started = self._crowd.loop, now() + 0.1
        publishers = [Publisher(loop, self._address) for _ in range(PUBLISHERS)]
        idle = list(publishers)
        while len(self._sent) < total:
            due = started + len(self._sent) / PER_SECOND
            # epoll counts milliseconds: the last of them is spent spinning, to be on time.
            if (wait := due - now()) > 0:
                loop.turn(max(0.0, wait - 0.002))
                continue
            if not idle and len(publishers) < MOST_PUBLISHERS:
                publishers.append(Publisher(loop, self._address))
                idle.append(publishers[-1])
            if idle:
                publisher = idle.pop(0)
                self._post(publisher, due, lambda publisher=publisher: idle.append(publisher))
            else:
                loop.turn(0.01)
        loop.run(lambda: len(idle) == len(publishers))
        return self._finish(publishers)

    def _post(self, publisher: Publisher, at: float, then: Callable[[], None]) -> None:
        user = self._random.choice(self._users)
        number = self._first + len(self._sent)
        self._sent.append((user, at))
        publisher.post(self._path, publish_body(user, number), lambda _: then())

    def _begin(self) -> None:
        self._first += len(self._sent)
        self._sent = []
        self._crowd.forget()

    def _finish(self, publishers: list[Publisher]) -> list[float]:
        self._crowd.loop.run(lambda: self._crowd.count >= len(self._sent))
        for publisher in publishers:
            publisher.close()
        heard = {
            (user, number): at
            for user, numbers in self._crowd.numbers().items()
            for number, at in numbers
        }
        owed = {(user, self._first + i): at for i, (user, at) in enumerate(self._sent)}
        if heard.keys() != owed.keys() or self._crowd.count != len(owed):
            raise Lost("a toast came to the wrong user, twice, or not at all")
        return [heard[key] - at for key, at in owed.items()]


def _quantiles(name: str, seconds: list[float]) -> Figures:
    ordered = sorted(seconds)
    return {
        f"{name}: p50 ms": ordered[len(ordered) // 2] * 1e3,
        f"{name}: p99 ms": ordered[len(ordered) * 99 // 100] * 1e3,
        f"{name}: max ms": ordered[-1] * 1e3,
    }


MEASUREMENTS: dict[str, Callable[[Scene], Figures]] = {
    "connect": connect,
    "fanout": fanout,
    "publish": publish,
}


def run(name: str, contender: Contender, seed: Seed, sizes: Sizes) -> Figures:
    """Run one measurement on a fresh server."""
    with seed.server(contender) as server:
        crowd = Crowd(Loop(), server.address, contender.greeting)
        try:
            return MEASUREMENTS[name](Scene(contender, server, crowd, sizes, seed))
        finally:
            crowd.close()
