"""Databases that several processes share, and processes that publish."""

import json
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.e2e.conftest import serve
from toastkit.storage import upgrade

__all__ = ["serve"]
ROOT = Path(__file__).parents[2]


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


class Publisher:
    """A process that publishes what it is told, and serves nobody."""

    def __init__(self, url):
        command = [sys.executable, "-m", "tests.races.publisher", url]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.process = subprocess.Popen(command, cwd=ROOT, text=True, **pipes)

    def tell(self, **given):
        self.process.stdin.write(json.dumps(given) + "\n")
        self.process.stdin.flush()

    def answer(self):
        return json.loads(self.process.stdout.readline())

    def publish(self, **given):
        self.tell(**given)
        return self.answer()


@contextmanager
def publishers(url, many):
    """Start processes that publish; they have all opened the database."""
    started = [Publisher(url) for _ in range(many)]
    try:
        for each in started:
            assert each.process.stdout.readline() == "ready\n"
        yield started
    finally:
        for each in started:
            each.process.stdin.close()
        for each in started:
            each.process.wait(20)
            each.process.stdout.close()
