"""Faults as they happen, while a process publishes: what it heard is what there is."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from tests.postgres import Postgres, ask, plain_engine
from tests.storage.conftest import only_postgres
from toastkit.storage.trouble import LOCKED

pytestmark = pytest.mark.plain  # the processes that publish are patched themselves

Start = Callable[..., "Running"]
WAIT = 2.0
"""How long a publish waits for a database that cannot write."""
STANDSTILL = 0.4
"""The longest a loop may stand still, in seconds: far less than anything that happens here takes."""


class Running:
    """A process that publishes."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"

    def heard(self) -> dict[str, Any]:
        """Return what it heard, when its time has come."""
        said, _ = self._process.communicate(timeout=30)
        assert self._process.returncode == 0
        heard: dict[str, Any] = json.loads(said)
        return heard


@pytest.fixture
def load(url: str) -> Iterator[Start]:
    """Start a process that publishes for some seconds."""
    started: list[subprocess.Popen[str]] = []

    def start(seconds: float, order: int = 1) -> Running:
        command = [sys.executable, "-m", "tests.storage.load", url, str(seconds), str(order)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return Running(process)

    yield start
    for process in started:
        process.kill()
        process.communicate()


@contextmanager
def locked(url: str) -> Iterator[None]:
    """Hold the lock that writers need, as a backup or a migration may."""
    engine = plain_engine(url)
    statement = "LOCK TABLE toastkit_principals IN EXCLUSIVE MODE"
    if url.startswith("sqlite"):
        statement = "UPDATE toastkit_principals SET seq = seq"
    with engine.connect() as connection:
        if engine.name == "sqlite":
            connection.exec_driver_sql("PRAGMA busy_timeout = 0")
        until = time.monotonic() + 20
        while not _takes(connection, statement):
            assert time.monotonic() < until, "never free"
        yield
        connection.rollback()
    engine.dispose()


def _takes(connection: Connection, statement: str) -> bool:
    # SQLite's own wait sleeps ever longer, and a writer that is never idle goes first for seconds.
    try:
        connection.exec_driver_sql(statement)
    except OperationalError:
        connection.rollback()
        return False
    return True


def stored(url: str) -> set[str]:
    return {id for (id,) in ask(url, "SELECT id FROM toastkit_toasts")}


def assert_positions_have_no_gap(url: str) -> None:
    query = "SELECT user_id, count(*), max(seq) FROM toastkit_toasts GROUP BY user_id"
    last = dict(ask(url, "SELECT user_id, seq FROM toastkit_principals"))
    for user_id, count, newest in ask(url, query):
        assert count == newest == last[user_id]


def test_locked_for_3_seconds_the_loop_goes_on_and_nothing_refused_is_kept(
    load: Start, url: str
) -> None:
    running = load(5)
    time.sleep(0.5)
    with locked(url):
        time.sleep(3)
    heard = running.heard()
    assert heard["standstill"] < STANDSTILL
    assert heard["slowest"] < WAIT + 1.5
    assert {*heard["refused"]} == {LOCKED}
    assert stored(url) == {*heard["acknowledged"]}
    assert heard["duplicates"] == 0
    assert_positions_have_no_gap(url)


def test_two_processes_that_meet_the_same_users_the_other_way_round_never_wait_in_a_circle(
    load: Start, url: str
) -> None:
    running = [load(3, order) for order in (1, -1)]
    everything = [process.heard() for process in running]
    assert [heard["refused"] for heard in everything] == [[], []]
    assert stored(url) == {id for heard in everything for id in heard["acknowledged"]}
    assert all(heard["acknowledged"] for heard in everything)
    assert_positions_have_no_gap(url)
    if url.startswith("postgresql"):
        query = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        assert ask(url, query) == [(0,)]


@only_postgres
def test_connections_that_are_ended_under_load_lose_nothing_and_double_nothing(
    load: Start, url: str
) -> None:
    running = load(3)
    for _ in range(8):
        time.sleep(0.3)
        ask(
            url,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'toastkit' AND datname = current_database()",
        )
    heard = running.heard()
    assert heard["refused"] == []
    assert heard["duplicates"] == 0
    assert stored(url) == {*heard["acknowledged"]}
    assert_positions_have_no_gap(url)


@only_postgres
@pytest.mark.parametrize("how", ["fast", "immediate"])
def test_a_server_that_stops_and_comes_back_lost_nothing_it_acknowledged(
    load: Start, url: str, postgres: Postgres, how: str
) -> None:
    running = load(4)
    time.sleep(0.5)
    postgres.stop(how)
    try:
        time.sleep(0.5)
    finally:
        postgres.start()
    heard = running.heard()
    assert heard["standstill"] < STANDSTILL
    assert heard["duplicates"] == 0
    assert stored(url) == {*heard["acknowledged"]}
    assert_positions_have_no_gap(url)
