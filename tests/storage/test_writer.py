from __future__ import annotations

import itertools
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Self

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from tests.postgres import ask
from tests.storage.conftest import add, all_said, make, numbers, only_sqlite
from toastkit.clock import SystemClock
from toastkit.errors import StorageUnavailable
from toastkit.runtime import Runtime, runtime_for
from toastkit.storage.database import Database
from toastkit.storage.spelling import spell


class Gate:
    """Keep the writer inside a commit until it is opened."""

    def __init__(self, database: Database, runtime: Runtime) -> None:
        self.entered, self.opened = runtime.signal(), runtime.signal()
        self._thread = threading.Thread(target=lambda: database.write(self._pass, None))

    def _pass(self, _connection: Any, members: Any) -> Any:
        self.entered.set()
        assert self.opened.wait(10)
        return members

    def __enter__(self) -> Self:
        self._thread.start()
        assert self.entered.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self.opened.set()
        self._thread.join()


def together(database: Database, gate: Gate, given: list[int]) -> list[Any]:
    """Write from one thread each while a commit runs; return what each heard."""
    heard: list[Any] = [None] * len(given)

    def write(place: int) -> None:
        try:
            heard[place] = database.write(add, given[place])
        except (IntegrityError, StorageUnavailable) as error:
            heard[place] = error

    threads = [threading.Thread(target=write, args=(place,)) for place in range(len(given))]
    line = database._here().writer._line
    for thread in threads:
        before = line.qsize()
        thread.start()
        while line.qsize() == before:
            time.sleep(0.001)
    gate.opened.set()
    for thread in threads:
        thread.join()
    return heard


def test_who_asks_while_a_commit_runs_shares_the_next(database: Database, runtime: Runtime) -> None:
    with Gate(database, runtime) as gate:
        before = database._here().writer.commits
        assert together(database, gate, [1, 2, 3]) == [3, 3, 3]
    assert database._here().writer.commits == before + 2


def test_a_group_has_at_most_64_members(database: Database, runtime: Runtime) -> None:
    with Gate(database, runtime) as gate:
        assert together(database, gate, list(range(70))) == [64] * 64 + [6] * 6


def test_one_bad_member_fails_alone(database: Database, runtime: Runtime) -> None:
    with Gate(database, runtime) as gate:
        first, second, third = together(database, gate, [1, 1, 2])
    assert (first, third) == (1, 1)
    assert isinstance(second, IntegrityError)
    assert numbers(database) == [1, 2]


def test_what_is_owed_is_written_without_company(database: Database, runtime: Runtime) -> None:
    written = runtime.signal()

    def work(_connection: Any, members: Any) -> Any:
        written.set()
        return members

    database.owe(work, None)
    assert written.wait(5)


def test_what_is_owed_comes_before_what_is_asked_for(database: Database, runtime: Runtime) -> None:
    with Gate(database, runtime) as gate:
        order: list[str] = []

        def note(_connection: Any, members: Any) -> Any:
            order.extend(members)
            return members

        thread = threading.Thread(target=lambda: database.write(note, "asked"))
        thread.start()
        while not database._here().writer._line.qsize():
            time.sleep(0.001)
        database.owe(note, "owed")
        while database._here().writer._line.qsize() < 2:
            time.sleep(0.001)
        gate.opened.set()
        thread.join()
    assert order == ["owed", "asked"]


def test_a_bad_member_nobody_waits_for_is_logged(
    database: Database, runtime: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    database.write(add, 1)
    database.owe(add, 1)
    database.write(add, 2)
    all_said(runtime)
    assert "a state change could not be written" in caplog.text
    assert "IntegrityError" in caplog.text


def test_of_a_table_that_is_gone_one_line_says_all(
    database: Database, runtime: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    # A test of a host's that ends with db.drop_all() drops toastkit's tables, too.
    database.owe(lambda connection, _: connection.execute(text("DELETE FROM gone")), 1)
    database.write(add, 2)
    all_said(runtime)
    assert "a state change could not be written: " in caplog.text
    assert "gone" in caplog.text
    assert "Traceback" not in caplog.text


def test_no_error_shows_what_users_read(database: Database) -> None:
    def wrong(connection: Any, _members: Any) -> Any:
        statement = "INSERT INTO numbers (nothing) VALUES (?)"
        connection.exec_driver_sql(spell(connection, statement), ("secret",))

    with pytest.raises(DBAPIError) as told:
        database.write(wrong, None)
    assert "secret" not in str(told.value)


def test_a_process_that_starts_while_another_writes_reads_at_once(
    database: Database, program: Any, runtime: Runtime
) -> None:
    other = program(LOCK)
    assert other.stdout.readline() == "locked\n"
    late = Database(database._url, runtime, SystemClock(), wait_ms=100)
    assert numbers(late) == []
    with pytest.raises(StorageUnavailable, match="locked by another process"):
        late.write(add, 1)
    late.close()


def test_close_writes_what_is_owed(database: Database, url: str) -> None:
    for number in range(200):
        database.owe(add, number)
    database.close()
    assert ask(url, "SELECT count(*) FROM numbers") == [(200,)]


@only_sqlite
def test_closing_leaves_one_file_and_no_log(database: Database, file: Path) -> None:
    database.write(add, 1)
    database.close()
    assert [path.name for path in file.parent.iterdir()] == ["toastkit.db"]


def test_after_close_nothing_is_kept_and_everybody_told(database: Database) -> None:
    database.close()
    with pytest.raises(StorageUnavailable, match="closed"):
        database.write(add, 1)
    database.close()


def test_what_is_owed_after_close_is_logged_and_no_error(
    database: Database, runtime: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    writer = database._here().writer
    database.close()
    database.owe(add, 1, 3)
    writer.owe(add, 2, 4)
    all_said(runtime)
    closed = "storage is closed; nothing was kept"
    assert [record.getMessage() for record in caplog.records] == [
        f"{lost} state changes were not written: {closed}" for lost in (3, 4)
    ]


def test_then_hears_the_result_on_the_loop_before_who_waits(
    database: Database, runtime: Runtime
) -> None:
    heard: list[Any] = []
    then = lambda result: heard.append((result, runtime.on_loop()))  # noqa: E731
    assert database.write(add, 1, then=then) == 1
    assert heard == [(1, True)]


def test_what_goes_wrong_in_then_is_logged_and_the_result_stands(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    assert database.write(add, 1, then=lambda _: 1 / 0) == 1
    assert numbers(database) == [1]
    assert "ZeroDivisionError" in caplog.text


def test_then_is_not_heard_of_what_was_not_kept(database: Database) -> None:
    heard: list[Any] = []
    database.write(add, 1)
    with pytest.raises(IntegrityError):
        database.write(add, 1, then=heard.append)
    assert heard == []


def test_thens_come_in_the_order_of_the_commits(database: Database) -> None:
    """However the threads that wait wake up."""
    place, heard = itertools.count(), list[int]()

    def count(_connection: Any, members: Any) -> Any:
        return [next(place) for _ in members]

    def write() -> None:
        for _ in range(50):
            database.write(count, None, then=heard.append)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heard == list(range(400))


@pytest.fixture
def hub(url: str) -> Iterator[Database]:
    """A database used by greenlets, in whatever interpreter this is."""
    database = Database(url, runtime_for("gevent"), SystemClock(), wait_ms=2000)
    database.write(make, None)
    yield database
    database.close()


def test_greenlets_that_ask_in_one_turn_share_a_commit(
    hub: Database, request: pytest.FixtureRequest
) -> None:
    # Else gevent ends a turn after 5 ms, which a busy machine takes to begin a greenlet.
    request.addfinalizer(partial(sys.setswitchinterval, sys.getswitchinterval()))
    sys.setswitchinterval(10)
    runtime, heard = hub._runtime, list[int]()
    for number in range(16):
        runtime.spawn(lambda number=number: heard.append(hub.write(add, number)))  # type: ignore[misc]
    while len(heard) < 16:
        runtime.signal().wait(0.001)
    assert heard == [16] * 16


def test_close_writes_what_was_gathered_in_this_turn(hub: Database, url: str) -> None:
    hub.owe(add, 1)
    hub.close()
    assert ask(url, "SELECT number FROM numbers") == [(1,)]


def test_who_is_handed_over_after_the_end_is_told(hub: Database) -> None:
    writer = hub._here().writer
    hub.close()
    with pytest.raises(StorageUnavailable, match="closed"):
        writer.write(add, 1)


LOCK = """
import sys
url = sys.argv[1]
if url.startswith("sqlite"):
    import sqlite3
    connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
else:
    import psycopg
    connection = psycopg.connect(url)
    connection.execute("LOCK TABLE numbers IN EXCLUSIVE MODE")
print("locked")
sys.stdin.readline()
connection.execute("ROLLBACK")
print("free")
"""


def test_locked_by_another_process_writers_are_told_in_time_and_readers_go_on(
    database: Database, program: Any
) -> None:
    other = program(LOCK)
    assert other.stdout.readline() == "locked\n"
    waits: list[float] = []

    def write(number: int) -> None:
        started = time.monotonic()
        with pytest.raises(StorageUnavailable, match="locked by another process"):
            database.write(add, number)
        waits.append(time.monotonic() - started)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(100)]
    for thread in threads:
        thread.start()
    started, reads = time.monotonic(), 0
    while time.monotonic() < started + 1:
        assert numbers(database) == []
        reads += 1
    for thread in threads:
        thread.join()
    assert len(waits) == 100
    assert min(waits) > 1.9
    assert max(waits) < 2.5
    assert reads > 100
    other.stdin.write("\n")
    other.stdin.flush()
    assert other.stdout.readline() == "free\n"
    database.write(add, 1)
    assert numbers(database) == [1]


def test_a_short_lock_is_waited_out_and_nobody_told(
    database: Database, program: Any, caplog: pytest.LogCaptureFixture
) -> None:
    other = program(LOCK)
    assert other.stdout.readline() == "locked\n"
    timer = threading.Timer(0.3, lambda: (other.stdin.write("\n"), other.stdin.flush()))
    timer.start()
    database.write(add, 1)
    timer.join()
    assert numbers(database) == [1]
    assert not caplog.records


def test_what_is_owed_survives_a_locked_database(database: Database, program: Any) -> None:
    other = program(LOCK)
    assert other.stdout.readline() == "locked\n"
    database.owe(add, 1)
    with pytest.raises(StorageUnavailable):
        database.write(add, 2)
    other.stdin.write("\n")
    other.stdin.flush()
    assert other.stdout.readline() == "free\n"
    database.write(add, 3)
    assert numbers(database) == [1, 3]


def fill(connection: Any, members: Any) -> Any:
    """Store as much as the disk will not take."""
    pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
    connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 10}")
    for number in members:
        connection.exec_driver_sql(
            "INSERT INTO numbers (number, room) VALUES (?, ?)", (number, "x" * 100_000)
        )
    return members


@only_sqlite  # nothing fills a server's disk for one test alone
def test_a_full_disk_is_told_at_once_and_readers_go_on(
    database: Database, runtime: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    database.write(add, 1)
    started = time.monotonic()
    with pytest.raises(StorageUnavailable, match="the disk is full; nothing was kept"):
        database.write(fill, 2)
    assert time.monotonic() - started < 1.9, "it waited for room, as for a lock"
    assert numbers(database) == [1]
    database.write(add, 3)
    assert numbers(database) == [1, 3]
    all_said(runtime)
    assert [record.message for record in caplog.records] == [
        "storage cannot write: the disk is full; nothing was kept (database or disk is full)",
        "storage writes again",
    ]
    assert all(record.levelno == logging.WARNING for record in caplog.records)


STORM = """
import sys, threading
from toastkit import ids
from toastkit.clock import SystemClock
from toastkit.events import Event
from toastkit.runtime import ThreadsRuntime
from toastkit.storage import Storage

clock = SystemClock()
storage = Storage(sys.argv[1], ThreadsRuntime(), clock)
content = dict.fromkeys(("body", "deeplink", "data"))
content.update(title="storm", style="info", priority="normal")

def publish(user):
    while True:
        event = Event(kind="toast", id=ids.toast_id(0), route=user, name="toast", user_id=user,
                      topic=f"user:{user}", data=content, created_at=clock.now(),
                      dedupe_key=ids.toast_id(0), dedupe_ms=1000)
        [accepted] = storage.inbox.accept([event], 2000)
        sys.stdout.write(f"{accepted.id} {user} {accepted.seq}\\n")

threads = [threading.Thread(target=publish, args=(f"u{n}",)) for n in range(16)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


@pytest.mark.plain
def test_killed_in_a_storm_everything_acknowledged_is_there(program: Any, url: str) -> None:
    storm = program(STORM)
    acknowledged = [storm.stdout.readline() for _ in range(500)]
    storm.kill()
    rest, _ = storm.communicate()
    acknowledged += [line for line in rest.splitlines(keepends=True) if line.endswith("\n")]
    stored = set(ask(url, "SELECT id || ' ' || user_id || ' ' || seq FROM toastkit_toasts"))
    assert {(line.strip(),) for line in acknowledged} <= stored
    if url.startswith("sqlite"):
        assert ask(url, "PRAGMA integrity_check") == [("ok",)]
    orphans = "SELECT count(*) FROM toastkit_dedupe WHERE toast_id NOT IN (SELECT id FROM toastkit_toasts)"
    assert ask(url, orphans) == [(0,)]


FORK = """
import os, sys
from toastkit.clock import SystemClock
from toastkit.records import Session
from toastkit.runtime import ThreadsRuntime
from toastkit.storage import Storage

storage = Storage(sys.argv[1], ThreadsRuntime(), SystemClock())

def store(token_hash):
    storage.sessions.add(Session(token_hash=token_hash, user_id="u", kind="user",
                                 created_at=1, expires_at=2))
    assert storage.sessions.find(token_hash) is not None

store("before")
children = []
for number in range(4):
    pid = os.fork()
    if not pid:
        store(f"child {number}")
        assert storage.sessions.find("before") is not None
        storage.close()
        os._exit(0)
    children.append(pid)
store("parent")
codes = {os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children}
store("after")
storage.close()
sys.exit(max(codes))
"""


@pytest.mark.plain
def test_a_forked_process_opens_its_own(url: str) -> None:
    environment = {**os.environ, "PYTHONWARNINGS": "ignore::DeprecationWarning"}
    subprocess.run([sys.executable, "-c", FORK, url], check=True, env=environment, timeout=30)
    # Each child stored one, the parent three.
    assert ask(url, "SELECT count(*) FROM toastkit_sessions") == [(7,)]


GEVENT = """
import sys
from gevent import monkey; monkey.patch_all()
import gevent, time
from toastkit.clock import SystemClock
from toastkit.records import Session
from toastkit.runtime import runtime_for
from toastkit.storage import Storage

storage = Storage(sys.argv[1], runtime_for("auto"), SystemClock())
storage.sessions.find("x")
worst, stop = 0.0, False

def watch():
    global worst
    while not stop:
        started = time.monotonic()
        gevent.sleep(0.005)
        worst = max(worst, time.monotonic() - started - 0.005)

def hold(connection, members):
    monkey.get_original("time", "sleep")(1)
    return members

def store(number):
    storage.sessions.add(Session(token_hash=str(number), user_id="u", kind="user",
                                 created_at=1, expires_at=2))
    return storage.sessions.find(str(number)) is not None

watcher = gevent.spawn(watch)
database = storage.sessions._database
gevent.joinall([gevent.spawn(storage.sessions.find, "x") for _ in range(30)], raise_error=True)
slow = gevent.spawn(database.write, hold, None)
jobs = [gevent.spawn(store, number) for number in range(100)]
gevent.joinall([slow, *jobs], raise_error=True)
stop = True
watcher.join()
storage.close()
assert all(job.value for job in jobs)
assert worst < 0.5, worst
"""


@pytest.mark.plain
def test_under_gevent_a_slow_commit_holds_nobody_up(url: str) -> None:
    subprocess.run([sys.executable, "-c", GEVENT, url], check=True, timeout=30)
