"""One run: a service, everybody who uses it, what is done to it, and what became of every toast."""

import json
import os
import random
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.apple.papers import Papers
from tests.apple.server import Apple
from tests.chaos.checker import check, missing
from tests.chaos.faults import Scene
from tests.chaos.history import History, Kept, Rang, now
from tests.chaos.injector import Injector
from tests.chaos.pages import Crowd
from tests.chaos.publishers import Elsewhere, InTurn, Publisher, Wishes, over_http
from tests.cluster import Cluster
from tests.postgres import Postgres, ask
from tests.proxy import Proxy
from tests.redis import RedisServer
from toastkit import Config, Kit
from toastkit.storage import upgrade

SETTINGS = {"ping_seconds": 2, "pong_seconds": 1, "slow_seconds": 2, "lease_ms": 2000}
"""Shorter than usual: what is noticed by and by is noticed within a run."""

BUNDLE = "com.example.app"


@dataclass(frozen=True)
class Size:
    """How much of everything there is."""

    faults: int = 60
    workers: int = 3
    database: str = "sqlite"
    redis: bool = True
    users: int = 6
    pages: int = 2
    phones: int = 2
    watchers: int = 20
    publishers: int = 6
    pause: float = 0.04
    patience: float = 1.0
    settle_seconds: float = 60

    def pages_of(self):
        """Return how many pages each user has who has any."""
        busy = {f"user{number}": self.pages for number in range(self.users)}
        return busy | dict.fromkeys(self.quiet(), self.pages)

    def quiet(self):
        """Return the users who get a toast now and then."""
        return [f"quiet{number}" for number in range(self.watchers)]

    def owners(self):
        """Return the users who have a phone and no page."""
        return [f"phone{number}" for number in range(self.phones)]


@contextmanager
def scene_of(size, seed, folder):
    """Build everything, and take it down."""
    history = History()
    with ExitStack() as stack:
        postgres = Postgres() if size.database == "postgresql" else None
        if postgres is not None:
            stack.callback(postgres.close)
        url = _database(postgres, folder)
        redis = RedisServer() if size.redis else None
        if redis is not None:
            stack.callback(redis.close)
        proxy = stack.enter_context(Proxy(("127.0.0.1", redis.port))) if redis else None
        redis_url = f"redis://{proxy.host}/0" if proxy else ""
        (folder / "papers").mkdir()
        apple = stack.enter_context(Apple(Papers(folder / "papers")))
        tokens = _register_phones(url, size.owners())
        given = {"database": url, "redis": redis_url, "workers": size.workers}
        settings = {**SETTINGS, **apple.config()}
        cluster = stack.enter_context(Cluster(folder, **given, **settings))
        settings |= {"database_url": url, "redis_url": redis_url}
        elsewhere = Elsewhere({**os.environ, **_variables(settings)}, folder / "elsewhere.log")
        stack.callback(elsewhere.close)
        crowd = stack.enter_context(Crowd(cluster.address, size.pages_of(), history, seed))
        crowd.wait_until_greeted()
        things = (cluster, crowd, apple, elsewhere, redis, proxy, postgres)
        yield Scene(*things, random.Random(seed), size.patience), history, tokens


def _database(postgres, folder):
    if postgres is not None:
        return postgres.fresh()
    url = f"sqlite:///{folder}/chaos.db"
    upgrade(url)
    return url


def _variables(settings):
    return {f"TOASTKIT_{name.upper()}": str(value) for name, value in settings.items()}


def _register_phones(url, owners):
    """Give each of these users a phone; return whose a push token is."""
    tokens = {f"{number + 1:064x}": user for number, user in enumerate(owners)}
    with Kit(Config(database_url=url)) as kit:
        for token, user in tokens.items():
            kit.devices.register(user, f"phone of {user}", BUNDLE, {"token": token})
    return tokens


def perform(size, seed, logs=None):
    """Do one run; return its verdict, its history, and how long its parts took.

    What the service said is kept in the folder ``logs``, if one is named.
    """
    with tempfile.TemporaryDirectory(prefix="toastkit-chaos-") as name:
        began = time.monotonic()
        folder = Path(name)
        with scene_of(size, seed, folder) as (scene, history, tokens):
            times = {"start": time.monotonic() - began}
            publishers = _publishers(scene, history, size, seed)
            for each in publishers:
                each.start()
            began = time.monotonic()
            quiet = Publisher(
                over_http(scene.cluster.address), history, InTurn(size.quiet(), seed), 0
            )
            Injector(scene, history, quiet, many=size.faults, seed=seed).run()
            times["harm"] = time.monotonic() - began
            for each in publishers:
                each.leave()
            began = time.monotonic()
            _settle(scene, history, tokens, size)
            times["settle"] = time.monotonic() - began
            _look_at_lists(scene, history, [*size.pages_of(), *size.owners()])
            stall, log = scene.cluster.worst_stall(), scene.cluster.log
            if logs is not None:
                logs.mkdir(exist_ok=True)
                (logs / f"{size.database}-{seed}.log").write_text(log)
        verdict = check(history, frozenset(size.owners()))
        verdict.counts["worst stall ms"] = round(stall * 1000)
        verdict.counts["tracebacks"] = log.count("Traceback (most")
        return verdict, history, times


def _publishers(scene, history, size, seed):
    users = [user for user in size.pages_of() if user not in size.quiet()] + size.owners()
    roads = [over_http(scene.cluster.address)] * (size.publishers - 1) + [scene.elsewhere]
    return [
        Publisher(road, history, Wishes(users, f"{seed}.{number}"), size.pause)
        for number, road in enumerate(roads)
    ]


def _settle(scene, history, tokens, size):
    """Wait until everything is decided and told; what is not by then is the checker's business."""
    until = time.monotonic() + size.settle_seconds
    owners, known = frozenset(size.owners()), 0
    while time.monotonic() < until:
        known = _look_at_phones(scene, history, tokens, known)
        undecided = ask(
            scene.cluster.database,
            "SELECT count(*) FROM toastkit_toasts WHERE state IN ('accepted', 'owed')",
        )
        waiting = [what for what, _ in missing(history, owners, now()) if what != "not in the list"]
        if undecided == [(0,)] and not waiting:
            return
        time.sleep(0.3)


def _look_at_phones(scene, history, tokens, known):
    """Write down what phones have got since the last look; return how far Apple was read."""
    requests = scene.apple.requests[known:]
    for request in requests:
        if request.taken:
            toast = request.json
            title = toast["aps"]["alert"]["title"]
            user = tokens[request.token]
            history.add(Rang(user=user, id=toast["toast"]["id"], title=title, at=now()))
    return known + len(requests)


def _look_at_lists(scene, history, users):
    with Kit(Config(database_url=scene.cluster.database)) as kit:
        for user in users:
            cursor = None
            while True:
                page = kit.toasts.list(user, 200, cursor=cursor)
                for item in page.items:
                    history.add(Kept(user=user, id=item.id, title=item.title, at=now()))
                cursor = page.next_cursor
                if cursor is None:
                    break


def figures(verdict, size, seed, times):
    """Return a run as one line of JSON."""
    told = {
        "database": size.database,
        "seed": seed,
        "workers": size.workers,
        "faults": sum(verdict.faults.values()),
        "kinds": len(verdict.faults),
        "without_effect": len(verdict.without_effect),
        **{
            name.replace(",", "").replace(" ", "_"): many
            for name, many in verdict.figures().items()
        },
        **{name.replace(" ", "_"): many for name, many in sorted(verdict.counts.items())},
        **{f"told_p{share:g}_ms": verdict.wait(share / 100) for share in (50, 99, 100)},
        **{f"{name}_seconds": round(took, 1) for name, took in times.items()},
    }
    return json.dumps(told)
