"""Services that harm is done to, and who uses them meanwhile."""

import itertools
import shutil
import threading
import time
from contextlib import contextmanager, suppress
from http.client import HTTPException
from typing import NamedTuple

import pytest
from sqlalchemy.exc import OperationalError

from tests.busy import BUSY
from tests.clients.returning import Swallows
from tests.cluster import Cluster, running, wait_for
from tests.postgres import plain_engine

PUBLISH_SECONDS = 1.2 * BUSY
"""What a publish may take while Redis is away."""
BACK_SECONDS = 3.0 * BUSY
"""After this everything is as before."""
STALL_SECONDS = 0.2 * BUSY
"""The longest a worker's loop may stand still."""


@pytest.fixture
def make_cluster(tmp_path, sqlite_template):
    """Start services: ``make_cluster(workers=2, redis=url, confirm_ms=500)``."""
    numbers = itertools.count()
    clusters = []

    def make(*, database=None, **given):
        folder = tmp_path / f"cluster{next(numbers)}"
        folder.mkdir()
        if database is None:
            shutil.copyfile(sqlite_template, folder / "toastkit.db")
            database = f"sqlite:///{folder / 'toastkit.db'}"
        cluster = Cluster(folder, database=database, **given)
        clusters.append(cluster)
        return cluster.__enter__()

    yield make
    for cluster in clusters:
        cluster.end()


@pytest.fixture
def pg(postgres):
    """Lend a database of PostgreSQL."""
    url = postgres.fresh()
    yield url
    postgres.drop(url)


@pytest.fixture
def flock():
    """Return a maker of clients that come back, of one service."""
    flocks = []

    def make(server):
        flocks.append(Swallows(server.address))
        return flocks[-1]

    yield make
    for each in flocks:
        each.__exit__()


class Try(NamedTuple):
    """One publish: its title, what the answer said (0: none came), when and for how long."""

    title: str
    status: int
    answer: object
    at: float
    seconds: float

    @property
    def count(self):
        """Return how many clients it was written to, as far as the answer knows."""
        return self.answer["session_count"] if self.status == 202 else 0

    @property
    def ids(self):
        return [self.answer["id"]] if self.status == 202 else []


class Stream(threading.Thread):
    """Publish one toast after the other to one user, at each door in its turn."""

    def __init__(self, doors, user, pause=0.03, body="", **given):
        super().__init__(daemon=True)
        self.user, self.tries = user, []
        self._doors, self._pause, self._given = itertools.cycle(doors), pause, given
        self._body = {"body": body} if body else {}
        self._ending = threading.Event()

    def run(self):
        for number in itertools.count():
            title, began = f"{self.user} {number}", time.monotonic()
            try:
                toast = {"title": title, **self._body}
                told = next(self._doors).publish(self.user, title, toast=toast, **self._given)
                self.tries.append(Try(title, told.status, told.answer, began, told.seconds))
            except (OSError, HTTPException):
                self.tries.append(Try(title, 0, None, began, time.monotonic() - began))
            if self._ending.wait(self._pause):
                return

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self._ending.set()
        self.join(60)

    def many(self, more=5, seconds=20):
        """Wait until so many more have been answered."""
        wanted = len(self.tries) + more
        wait_for(lambda: len(self.tries) >= wanted, seconds, "answers to publishes")

    def accepted(self):
        return {each.answer["id"]: each.title for each in self.tries if each.status == 202}

    def slowest(self):
        return max(each.seconds for each in self.tries)

    def statuses(self):
        return {each.status for each in self.tries}


@contextmanager
def frozen_at_rest(cluster, place):
    """Freeze a worker that is not just writing: it would hold SQLite's only lock all the while."""
    engine = plain_engine(cluster.database)
    resting = False
    while not resting:
        with place.frozen() as pid:
            with engine.connect() as connection, suppress(OperationalError):
                connection.exec_driver_sql("PRAGMA busy_timeout = 200")
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                connection.rollback()
                resting = True
            if resting:
                yield pid
                assert not running(pid)
    engine.dispose()


def whole_again(flock, stream, count, since):
    """Wait for a publish after ``since`` that reaches that many at once; return how long it took.

    It was written to all of them before it was answered: that is what ``session_count`` says.
    """

    def reached():
        whole = (each for each in stream.tries if each.at > since and each.count == count)
        return next(whole, None)

    assert flock.run(reached), f"never {count} again: {stream.tries[-3:]}"
    first = reached()
    return first.at + first.seconds - since


def latest(flock, *streams):
    """Return how long after its publish a toast came at the latest, in seconds."""
    began = {id: each.at for stream in streams for each in stream.tries for id in each.ids}
    return max(
        at - began[id] for bird in flock.birds for id, at in bird.shown_at.items() if id in began
    )


def settle(flock, *streams, seconds=20):
    """Wait until everybody was shown all that was accepted for them; check what must not be."""
    accepted = {stream.user: stream.accepted() for stream in streams}

    def told():
        return all(accepted.get(bird.user, {}).keys() <= bird.shown.keys() for bird in flock.birds)

    assert flock.run(told, seconds), f"lost: {lost(flock, accepted)}; {flock.faults()}"
    assert flock.faults() == []
    for bird in flock.birds:
        assert len(set(bird.shown.values())) == len(bird.shown), "one publish, shown twice"
        stray = {title for title in bird.shown.values() if not title.startswith(f"{bird.user} ")}
        assert not stray, f"{bird.user} was shown what is another's: {stray}"


def lost(flock, accepted):
    """Name what each client was not shown, and how it fared."""
    return {
        (bird.user, bird.position, bird.here, tuple(bird.codes)): [
            title for id, title in accepted[bird.user].items() if id not in bird.shown
        ]
        for bird in flock.birds
        if not accepted.get(bird.user, {}).keys() <= bird.shown.keys()
    }
