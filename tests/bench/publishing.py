"""Publishes to one user each: over HTTP, and from inside the serving process."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

from .bodies import publish as publish_body
from .bodies import user
from .client import Lost, Publisher, now
from .scene import Figures, Scene
from .server import Server, settle

AT_ONCE = (1, 16, 64)
MOST_PUBLISHERS = 64
PER_SECOND = 500
WARMUP = 320


def publish(scene: Scene) -> Figures:
    """Toasts over HTTP: as fast as 1, 16 and 64 publishers can, then 500 a second."""
    errand = _begun(scene)
    errand.closed(WARMUP, 16)
    figures: Figures = {}
    for publishers in AT_ONCE:
        total = errand.total(publishers)
        name = f"HTTP, {publishers} at once"
        cpu = scene.server.cpu()
        seconds, waits = errand.closed(total, publishers)
        cpu = scene.server.cpu() - cpu
        figures |= waiting(name, scene.server, total / seconds, waits)
        figures[f"{name}: CPU us each"] = cpu / total * 1e6
    waits = errand.open(round(scene.sizes.open_seconds * PER_SECOND))
    return figures | waiting(f"HTTP, {PER_SECOND}/s", scene.server, None, waits)


def inside(scene: Scene) -> Figures:
    """Toasts from greenlets of the serving worker, and one to very many users at once."""
    errand = _begun(scene)
    errand.called(WARMUP, 16)
    figures: Figures = {}
    for callers in AT_ONCE:
        total = errand.total(callers)
        seconds, waits = errand.called(total, callers)
        name = f"inside, {callers} at once"
        figures |= waiting(name, scene.server, total / seconds, waits)
    errand.told_to_many(WARMUP)
    many = scene.sizes.many
    seconds, waits = errand.told_to_many(many)
    figures |= waiting(name := "inside, to many", scene.server, None, waits)
    figures[f"{name}: us each"] = seconds / many * 1e6
    return figures


def _begun(scene: Scene) -> Errand:
    scene.crowd.connect(scene.seed.doors(scene.contender), scene.sizes.listeners)
    settle(scene.server, scene.sizes.listeners)
    scene.server.standstill()
    return Errand(scene)


class Errand:
    """Publish numbered toasts to random users, and check that each heard their own.

    The seconds it returns are from when each publish began to its toast's arrival. ``delivered``
    counts the answers that said so.
    """

    def __init__(self, scene: Scene) -> None:
        self._crowd = scene.crowd
        self._path = scene.contender.publish_path
        self._server = scene.server
        self._most = scene.sizes.publishes
        self._users = list(scene.crowd.members)
        self._random = random.Random(2)
        self._sent: list[tuple[str, float]] = []
        self._first = 0
        self.delivered = 0

    def total(self, at_once: int) -> int:
        """Return how many are worth publishing: one at a time takes long."""
        return self._most if at_once > 1 else self._most // 4

    def closed(self, total: int, at_once: int) -> tuple[float, list[float]]:
        """Let each publisher send its next when the last is answered; the seconds all took."""
        self._begin()
        answered = 0
        publishers = [self._publisher() for _ in range(at_once)]

        def send(publisher: Publisher) -> None:
            if len(self._sent) < total:
                self._post(publisher, now(), lambda: next_of(publisher))

        def next_of(publisher: Publisher) -> None:
            nonlocal answered
            answered += 1
            send(publisher)

        started = now()
        for publisher in publishers:
            send(publisher)
        self._crowd.loop.run(lambda: answered == total)
        seconds = now() - started
        return seconds, self._finish(publishers)

    def open(self, total: int) -> list[float]:
        """Publish at a fixed rate, whatever the answers do; each begins when it is due."""
        self._begin()
        loop, started = self._crowd.loop, now() + 0.1
        publishers = [self._publisher() for _ in range(16)]
        idle = list(publishers)
        while len(self._sent) < total:
            due = started + len(self._sent) / PER_SECOND
            # epoll counts milliseconds: the last of them is spent spinning, to be on time.
            if (wait := due - now()) > 0:
                loop.turn(max(0.0, wait - 0.002))
                continue
            if not idle and len(publishers) < MOST_PUBLISHERS:
                publishers.append(self._publisher())
                idle.append(publishers[-1])
            if idle:
                publisher = idle.pop(0)
                self._post(publisher, due, lambda publisher=publisher: idle.append(publisher))
            else:
                loop.turn(0.01)
        loop.run(lambda: len(idle) == len(publishers))
        return self._finish(publishers)

    def called(self, total: int, at_once: int) -> tuple[float, list[float]]:
        """Let so many callers inside the server publish; the seconds all took."""
        self._begin()
        users = [self._random.choice(self._users) for _ in range(total)]
        told = self._ask("/calls", {"callers": at_once, "first": self._first, "users": users})
        self._sent = list(zip(users, told["started"], strict=True))
        return told["seconds"], self._finish([])

    def told_to_many(self, many: int) -> tuple[float, list[float]]:
        """Publish one toast to so many users, most of whom are not there; the seconds it took."""
        self._begin()
        told = self._ask("/many", {"users": many, "number": self._first})
        there = [user(number) for number in range(many) if user(number) in self._crowd.members]
        self._sent = [(user_id, told["started"]) for user_id in there]
        return told["seconds"], self._finish([], same=True)

    def _publisher(self) -> Publisher:
        return Publisher(self._crowd.loop, self._server.address)

    def _post(self, publisher: Publisher, at: float, then: Callable[[], None]) -> None:
        user_id = self._random.choice(self._users)
        number = self._first + len(self._sent)
        self._sent.append((user_id, at))
        body = json.dumps(publish_body(user_id, number)).encode()

        def answered(answer: bytes) -> None:
            self.delivered += b'"delivered":true' in answer
            then()

        publisher.post(self._path, body, answered)

    def _ask(self, path: str, wanted: dict[str, object]) -> dict[str, Any]:
        publisher, answers = self._publisher(), list[bytes]()
        publisher.post(path, json.dumps(wanted).encode(), answers.append)
        self._crowd.loop.run(lambda: bool(answers))
        publisher.close()
        return json.loads(answers[0].partition(b"\r\n\r\n")[2])

    def _begin(self) -> None:
        self._first += len(self._sent)
        self._sent = []
        self.delivered = 0
        self._crowd.forget()

    def _finish(self, publishers: list[Publisher], *, same: bool = False) -> list[float]:
        self._crowd.loop.run(lambda: self._crowd.count >= len(self._sent))
        for publisher in publishers:
            publisher.close()
        heard = {
            (user_id, number): at
            for user_id, numbers in self._crowd.numbers().items()
            for number, at in numbers
        }
        owed = {
            (user_id, self._first + (0 if same else i)): at
            for i, (user_id, at) in enumerate(self._sent)
        }
        if heard.keys() != owed.keys() or self._crowd.count != len(owed):
            raise Lost("a toast came to the wrong user, twice, or not at all")
        return [heard[key] - at for key, at in owed.items()]


def waiting(name: str, server: Server, rate: float | None, waits: list[float]) -> Figures:
    ordered = sorted(waits)
    return ({} if rate is None else {f"{name}: publishes/s": rate}) | {
        f"{name}: p50 ms": ordered[len(ordered) // 2] * 1e3,
        f"{name}: p99 ms": ordered[len(ordered) * 99 // 100] * 1e3,
        f"{name}: max ms": ordered[-1] * 1e3,
        f"{name}: standstill, max ms": server.standstill(),
    }
