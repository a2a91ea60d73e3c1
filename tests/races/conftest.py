"""Databases that several processes share, and processes that publish."""

import json
from contextlib import contextmanager, suppress

import pytest
from sqlalchemy import create_engine, text

from tests.e2e.conftest import serve
from tests.forked import Forked
from toastkit.storage import upgrade

__all__ = ["serve"]


class Shared:
    """One database that processes share, looked at from outside."""

    def __init__(self, url):
        self.url = url
        self.name = url.partition(":")[0]
        self._engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))

    def connect(self):
        return self._engine.connect()

    def rows(self, statement="SELECT * FROM toastkit_toasts ORDER BY seq"):
        with self._engine.connect() as connection:
            return [dict(row) for row in connection.execute(text(statement)).mappings()]

    def close(self):
        self._engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def shared(request, tmp_path):
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/shared.db"
        upgrade(url)
    else:
        server = request.getfixturevalue("postgres")
        url = server.fresh()
    database = Shared(url)
    yield database
    database.close()
    if request.param == "postgresql":
        server.drop(url)


class Process:
    """A process that does what it is told, one line of JSON after the other."""

    module = ""

    def __init__(self, url):
        self.process = Forked(self.module, url)

    def say(self, words):
        with suppress(BrokenPipeError):  # it was killed
            self.process.stdin.write(json.dumps(words) + "\n")
            self.process.stdin.flush()

    def answer(self):
        """Return the answer, or ``None`` of a process that was killed."""
        line = self.process.stdout.readline()
        return json.loads(line) if line.endswith("\n") else None

    def end(self):
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()


@contextmanager
def processes(kind, url, many):
    """Start processes of a kind; they have all opened the database."""
    started = [kind(url) for _ in range(many)]
    try:
        for each in started:
            assert each.process.stdout.readline() == "ready\n"
        yield started
    finally:
        for each in started:
            each.end()


class Publisher(Process):
    """A process that publishes what it is told, and serves nobody."""

    module = "tests.races.publisher"

    def tell(self, **given):
        self.say(given)

    def publish(self, **given):
        self.tell(**given)
        return self.answer()


def publishers(url, many):
    return processes(Publisher, url, many)
