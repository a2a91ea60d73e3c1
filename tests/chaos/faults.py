"""What is done to a service, each thing for real and once: every fault returns what proves it.

A fault does its harm, waits, heals it, and returns the proof that it happened. One that could not
be done, or had no effect, returns nothing or raises.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psutil

from tests.apple.chaos import LOST, TRANSIENT
from tests.cluster import alive, wait_for
from tests.proxy import DOWN, UP

LONG = 0.07
"""Share of faults that last longer than anybody waits."""


@dataclass
class Scene:
    """Everything that harm can be done to."""

    cluster: Any
    crowd: Any
    apple: Any
    elsewhere: Any
    redis: Any
    proxy: Any
    postgres: Any
    random: random.Random
    patience: float = 1.0

    def seconds(self, most: float) -> float:
        """Return how long a fault lasts: mostly short, now and then as long as this."""
        long = self.random.random() < LONG
        return float((most if long else min(most, self.random.expovariate(3))) * self.patience)

    def a_while(self, most: float) -> None:
        """Let a fault last."""
        time.sleep(self.seconds(most))

    def place(self) -> Any:
        """Return one worker."""
        return self.random.choice(self.cluster.places)

    def page(self) -> Any:
        """Return one page."""
        return self.random.choice(self.crowd.pages)


Fault = Callable[[Scene], str]
GROUND: dict[str, Fault] = {}
"""Faults of what the workers stand on; one at a time."""

PEOPLE: dict[str, Fault] = {}
"""Faults of the workers, and of those they serve; one at a time, beside one of the ground."""


def fault(group: dict[str, Fault], name: str) -> Callable[[Fault], Fault]:
    """Name a fault."""

    def named(function: Fault) -> Fault:
        group[name] = function
        return function

    return named


@fault(GROUND, "redis killed")
def kill_redis(scene: Scene) -> str:
    before = run_id(scene.redis)
    scene.redis.kill()
    try:
        scene.a_while(2)
    finally:
        scene.redis.start()
    after = run_id(scene.redis)
    return f"run_id {before[:6]} is {after[:6]}" if after != before else ""


@fault(GROUND, "redis paused")
def pause_redis(scene: Scene) -> str:
    pid = scene.redis.pid
    scene.redis.pause()
    try:
        wait_for(lambda: psutil.Process(pid).status() == psutil.STATUS_STOPPED)
        scene.a_while(4)
    finally:
        scene.redis.resume()
    return f"process {pid} was stopped"


@fault(GROUND, "redis subscribers killed")
def kill_subscribers(scene: Scene) -> str:
    return kill_clients(scene, "pubsub")


@fault(GROUND, "redis publishers killed")
def kill_publishers(scene: Scene) -> str:
    return kill_clients(scene, "normal")


def kill_clients(scene: Scene, kind: str) -> str:
    """End one connection, some, or all of a kind."""

    def kill() -> list[str]:
        found = scene.redis.clients(kind)
        chosen = scene.random.sample(found, scene.random.randint(min(1, len(found)), len(found)))
        return [id for id in chosen if scene.redis.ask("CLIENT", "KILL", "ID", id)]

    killed = wait_for(kill, what=f"a {kind} connection that can be killed")
    return f"{kind} connections {', '.join(killed)} were killed"


@fault(GROUND, "redis cut off")
def cut_off_redis(scene: Scene) -> str:
    """Let bytes wait on the way, in one direction or both: no FIN, no RST."""
    scene.proxy.hold(*scene.random.choice([(UP,), (DOWN,), (UP, DOWN)]))
    try:
        scene.a_while(7)
        held = wait_for(lambda: scene.proxy.held, what="a byte that waits")
    finally:
        scene.proxy.heal()
    return f"{held} bytes were held"


@fault(GROUND, "redis connections reset")
def reset_redis(scene: Scene) -> str:
    many = wait_for(scene.proxy.reset, what="a connection to reset")
    return f"{many} connections were reset"


@fault(GROUND, "redis cut in a reply")
def cut_reply(scene: Scene) -> str:
    before = scene.proxy.cuts
    scene.proxy.cut_after(scene.random.randrange(1, 4000))
    try:
        wait_for(lambda: scene.proxy.cuts > before, what="the end of the bytes")
    finally:
        scene.proxy.heal()
    return f"{scene.proxy.cuts - before} connection was cut"


@fault(GROUND, "redis far away")
def delay_redis(scene: Scene) -> str:
    before = scene.proxy.passed
    delay = scene.random.uniform(0.02, 0.3)
    scene.proxy.delay(delay)
    try:
        scene.a_while(2)
        wait_for(lambda: scene.proxy.passed > before, what="a byte that was late")
    finally:
        scene.proxy.heal()
    return f"{scene.proxy.passed - before} bytes were {delay:.2f} s late"


@fault(GROUND, "redis out of memory")
def exhaust_redis(scene: Scene) -> str:
    scene.redis.ask("CONFIG", "SET", "maxmemory", "1")
    try:
        scene.a_while(2)
        try:
            scene.redis.ask("SET", "chaos", "1")
        except Exception as error:  # noqa: BLE001 - of whatever client
            return str(error) if "maxmemory" in str(error) else ""
    finally:
        scene.redis.ask("CONFIG", "SET", "maxmemory", "0")
    return ""


@fault(GROUND, "sqlite locked")
def lock_sqlite(scene: Scene) -> str:
    path = scene.cluster.database.partition("sqlite:///")[2]
    lock = sqlite3.connect(path, timeout=20, isolation_level=None)
    try:
        lock.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        if scene.random.random() < 0.3:  # longer than a publish waits
            time.sleep(2.6 * scene.patience)
        scene.a_while(1.5)
        held = time.monotonic() - began
        lock.execute("ROLLBACK")
    finally:
        lock.close()
    return f"locked for {held:.2f} s"


@fault(GROUND, "postgresql restarted")
def restart_postgres(scene: Scene) -> str:
    before = started(scene)
    scene.postgres.stop(scene.random.choice(["fast", "immediate"]))
    try:
        scene.a_while(1)
    finally:
        scene.postgres.start()
    after = started(scene)
    return f"started {after}" if after != before else ""


@fault(GROUND, "postgresql backends ended")
def end_backends(scene: Scene) -> str:
    ended = scene.postgres.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'fresh%'"
    )
    return f"{len(ended)} backends were ended" if ended else ""


@fault(PEOPLE, "worker killed")
def kill_worker(scene: Scene) -> str:
    place = scene.place()
    pid = place.kill()
    place.followed(pid)
    return f"{pid} is {place.pid}"


@fault(PEOPLE, "worker frozen")
def freeze_worker(scene: Scene) -> str:
    with scene.place().frozen() as pid:
        scene.a_while(4)
        status = psutil.Process(pid).status()
    return f"{pid} was {status}" if status == psutil.STATUS_STOPPED else ""


@fault(PEOPLE, "worker ended")
def end_worker(scene: Scene) -> str:
    place = scene.place()
    pid = place.stop()
    place.followed(pid)
    wait_for(lambda: not alive(pid), what="the end of a worker")
    return f"{pid} is {place.pid}"


@fault(PEOPLE, "service reloaded")
def reload_service(scene: Scene) -> str:
    before = [place.pid for place in scene.cluster.places]
    scene.cluster.reload(60)
    after = [place.pid for place in scene.cluster.places]
    return f"{before} are {after}" if not set(before) & set(after) else ""


@fault(PEOPLE, "publisher killed")
def kill_publisher(scene: Scene) -> str:
    pid = scene.elsewhere.pid
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: scene.elsewhere.pid != pid, what="another process that publishes")
    return f"{pid} is {scene.elsewhere.pid}"


def of_a_page(name: str, most: float) -> Fault:
    """Return the fault of a page that has this name."""

    def befall(scene: Scene) -> str:
        page = scene.page()
        told: str = scene.crowd.call(getattr(page, name)(scene.seconds(most)))
        return told

    return befall


PEOPLE["page reset"] = of_a_page("reset", 0)
PEOPLE["page closed"] = of_a_page("close", 0)
PEOPLE["page vanished"] = of_a_page("vanish", 4)
PEOPLE["page reads nothing"] = of_a_page("freeze", 6)


@fault(PEOPLE, "apple in trouble")
def trouble_apple(scene: Scene) -> str:
    """Let half of all pushes go wrong, none for good: every toast is to get there."""
    chance = random.Random(scene.random.random())
    before = len(scene.apple.requests)

    def wrong() -> int:
        return sum(
            request.answer is not None and not (request.answer.takes and not request.lost)
            for request in scene.apple.requests[before:]
        )

    moods = (*TRANSIENT, *LOST)
    scene.apple.decide = lambda request: chance.choice(moods) if chance.random() < 0.5 else None
    try:
        scene.a_while(2)
        many = wait_for(wrong, what="a push that goes wrong")
    finally:
        scene.apple.decide = lambda request: None
    return f"{many} pushes went wrong"


@fault(PEOPLE, "apple away")
def leave_apple(scene: Scene) -> str:
    before = scene.apple.connections
    scene.apple.leave()
    try:
        scene.a_while(2)
    finally:
        scene.apple.come_back()
    wait_for(lambda: scene.apple.connections > before, 60, "a new connection to Apple")
    return f"connection {scene.apple.connections} followed {before}"


def run_id(redis: Any) -> str:
    """Return what a Redis server is called until it ends."""
    told = redis.ask("INFO", "server")
    if isinstance(told, dict):
        return str(told["run_id"])
    text = told.decode() if isinstance(told, bytes) else told
    return str(text.partition("run_id:")[2].split()[0])


def started(scene: Scene) -> str:
    """Return since when PostgreSQL runs."""
    return str(scene.postgres.run("SELECT pg_postmaster_start_time()")[0][0])
