"""What PostgreSQL does that SQLite cannot: be away, be asked at a distance, lose an answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy import event, func, select

from tests.postgres import Postgres, ask, plain_engine
from tests.storage.conftest import add, all_said, numbers, only_postgres
from toastkit.clock import SystemClock
from toastkit.errors import Invalid, StorageUnavailable
from toastkit.runtime import Runtime
from toastkit.storage.database import Database
from toastkit.storage.postgres import _number
from toastkit.storage.trouble import Lost

pytestmark = only_postgres


def url_name(url: str) -> str:
    return str(ask(url, "SELECT current_database()")[0][0])


def writing(database: Database) -> Any:
    """Return the engine that writes."""
    return database._here().writer._desk.committer._engine


def terminate(url: str) -> None:
    """End every connection of toastkit's to a database, as an operator may."""
    ask(
        url,
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE application_name = 'toastkit' AND datname = current_database()",
    )


@pytest.fixture
def settings(database: Database) -> Callable[[str], Any]:
    def read(name: str) -> tuple[Any, Any]:
        """Return a setting of the reader's session and of the writer's."""
        query = f"SHOW {name}"
        return (
            database.read(lambda connection: connection.exec_driver_sql(query).scalar()),
            database.write(lambda on, given: [on.exec_driver_sql(query).scalar()], None),
        )

    return read


@pytest.mark.parametrize(
    ("name", "reads", "writes"),
    [
        ("application_name", "toastkit", "toastkit"),
        ("default_transaction_read_only", "on", "off"),
        ("lock_timeout", "0", "100ms"),
        ("statement_timeout", "2s", "2s"),
        ("synchronous_commit", "on", "on"),  # the server's own is off
        ("transaction_isolation", "read committed", "read committed"),
    ],
)
def test_what_a_session_is_told(settings: Any, name: str, reads: str, writes: str) -> None:
    assert settings(name) == (reads, writes)


def test_what_the_url_says_goes_first(url: str, runtime: Runtime) -> None:
    database = Database(f"{url}&application_name=shop", runtime, SystemClock(), wait_ms=100)
    query = "SHOW application_name"
    assert database.read(lambda on: on.exec_driver_sql(query).scalar()) == "shop"
    database.close()


def test_a_group_takes_its_users_in_one_order(database: Database) -> None:
    held = "SELECT classid::bigint << 32 | objid::bigint FROM pg_locks WHERE locktype = 'advisory'"
    begun: list[str] = []

    def look(connection: Any, members: Any) -> Any:
        return [set(connection.exec_driver_sql(held).scalars())] * len(members)

    def listen(*given: Any) -> None:
        begun.extend(statement for statement in given if str(statement).strip().startswith("BEGIN"))

    event.listen(writing(database), "before_cursor_execute", listen)
    users = [f"user{number}" for number in range(9)]
    for about in (users, [*reversed(users), *users]):
        assert database.write(look, None, about=about) == set(map(_number, users))
    assert begun[0] == begun[1]
    assert database.write(look, None) == set()


def test_who_meets_the_other_way_round_never_waits_in_a_circle(
    database: Database, url: str, runtime: Runtime
) -> None:
    # Else the timeout of our locks would end a circle before the server finds it.
    ask(url, f"ALTER DATABASE {url_name(url)} SET deadlock_timeout = '5ms'")
    ask(url, "INSERT INTO toastkit_principals VALUES ('ada', 0, ''), ('bob', 0, '')")
    databases = [Database(url, runtime, SystemClock(), wait_ms=2000) for _ in range(2)]

    def visit(connection: Any, members: Any) -> Any:
        statement = "UPDATE toastkit_principals SET seq = seq + 1 WHERE user_id = %s"
        for user_id in members[0]:
            connection.exec_driver_sql(statement, (user_id,))
            connection.exec_driver_sql("SELECT pg_sleep(0.02)")
        return members

    def meet(place: int) -> None:
        users = ["ada", "bob"][:: (1, -1)[place]]
        for _ in range(5):
            databases[place].write(visit, users, about=users)

    threads = [threading.Thread(target=meet, args=(place,)) for place in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for each in databases:
        each.close()
    assert ask(url, "SELECT min(seq), max(seq) FROM toastkit_principals") == [(10, 10)]
    query = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    assert ask(url, query) == [(0,)]


def test_one_user_that_another_process_holds_keeps_nobody_else_waiting(
    database: Database, url: str
) -> None:
    engine = plain_engine(url)
    with engine.begin() as stopped:  # such as one whose machine stands still
        stopped.execute(select(func.pg_advisory_xact_lock(_number("ada"))))
        database.owe(add, 1, about=["ada"])
        began = time.monotonic()
        assert [database.write(add, number, about=["bob"]) for number in (2, 3)] == [1, 1]
        assert time.monotonic() - began < 1.9, "they waited as long as a write may"
        assert numbers(database) == [2, 3]
    database.write(add, 4, about=["ada"])
    assert numbers(database) == [1, 2, 3, 4]
    engine.dispose()


def test_who_waits_for_a_user_keeps_the_turn(database: Database, url: str) -> None:
    def note(connection: Any, given: Sequence[int]) -> list[None]:
        order.extend(given)
        return [None] * len(given)

    order: list[int] = []
    engine = plain_engine(url)
    with engine.begin() as other:
        other.execute(select(func.pg_advisory_xact_lock(_number("ada"))))
        for number in (1, 2, 3):
            database.owe(note, number, about=["bob"] if number == 2 else ["ada"])
        database.write(add, 1, about=["bob"])
    database.write(add, 2, about=["ada"])
    assert [number for number in order if number != 2] == [1, 3]
    engine.dispose()


def test_a_reader_whose_server_was_restarted_reads_all_the_same(
    database: Database, url: str
) -> None:
    database.write(add, 1)
    threads = [threading.Thread(target=numbers, args=(database,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for _ in range(5):
        terminate(url)
        assert numbers(database) == [1]


def test_a_writer_whose_connection_was_ended_writes_all_the_same(
    database: Database, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(5):
        terminate(url)
        database.write(add, number)
    assert numbers(database) == [0, 1, 2, 3, 4]


@pytest.fixture
def away(postgres: Postgres) -> Iterator[Callable[[], None]]:
    """Stop the server; it is there again after the test, whatever happens."""
    stopped: list[int] = []

    def stop() -> None:
        postgres.stop()
        stopped.append(1)

    yield stop
    if stopped:
        postgres.start()


def test_a_server_that_is_away_is_told_in_time_and_nothing_is_kept(
    database: Database, away: Any, postgres: Postgres, runtime: Runtime, caplog: Any
) -> None:
    database.write(add, 1)
    away()
    for ask_it in (lambda: database.write(add, 2), lambda: numbers(database)):
        started = time.monotonic()
        with pytest.raises(StorageUnavailable, match="cannot be reached; nothing was kept"):
            ask_it()
        assert time.monotonic() - started < 4  # two seconds, and a busy machine
    database.owe(add, 3)
    postgres.start()
    database.write(add, 4)
    assert numbers(database) == [1, 3, 4]
    all_said(runtime)
    told = [record.message.partition(";")[0] for record in caplog.records]
    # What is written is told on the loop, what is read where it is read: in any order.
    assert {*told[:2]} == {
        "storage cannot write: the database cannot be reached",
        "storage cannot read: the database cannot be reached",
    }
    assert {*told[2:]} == {"storage writes again", "storage reads again"}
    assert len(told) == 4
    assert all("server running" in record.message for record in caplog.records[:2])  # the cause
    assert not [record for record in caplog.records if record.exc_info]  # and no page of a trace


def test_a_short_restart_is_waited_out_and_nobody_told(
    database: Database, away: Any, postgres: Postgres
) -> None:
    heard: list[Any] = []
    away()
    thread = threading.Thread(target=lambda: heard.append(database.write(add, 1)))
    thread.start()
    time.sleep(0.2)
    postgres.start()
    thread.join()
    assert heard == [1]


def test_a_server_that_falls_silent_is_left(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dawdle(connection: Any, members: Any) -> Any:
        # The client's patience ends before the server's: as if the server had stopped.
        connection.connection.driver_connection.looks = 2
        connection.exec_driver_sql("SELECT pg_sleep(1)")
        return members

    started = time.monotonic()
    with pytest.raises(StorageUnavailable):
        database.write(dawdle, None)
    assert time.monotonic() - started < 3
    database.write(add, 1)


def test_a_reader_does_not_wait_twice_for_a_silent_server(database: Database) -> None:
    asked: list[int] = []

    def dawdle(connection: Any) -> None:
        asked.append(1)
        connection.connection.driver_connection.looks = 2
        connection.exec_driver_sql("SELECT pg_sleep(1)")
        pytest.fail("it did answer")

    with pytest.raises(StorageUnavailable, match="cannot be reached"):
        database.read(dawdle)
    assert asked == [1]
    assert numbers(database) == []


@pytest.fixture
def lose(database: Database) -> Callable[[bool], None]:
    """Lose the connection in the next commit, before or after the server has done it."""
    ahead: list[bool] = []

    def losing(connection: Any) -> None:
        if ahead:
            driver = connection.connection.driver_connection
            if ahead.pop():
                driver.commit()
            driver.pgconn.finish()

    event.listen(writing(database), "commit", losing)

    def lose(kept: bool) -> None:
        ahead.append(kept)

    return lose


def there(connection: Any, result: int) -> bool:
    """Tell whether ``add`` of one number was kept."""
    query = "SELECT count(*) FROM numbers WHERE number = 7"
    return bool(connection.exec_driver_sql(query).scalar())


@pytest.mark.parametrize("kept", [True, False])
def test_a_commit_whose_answer_was_lost_is_done_once(
    database: Database, lose: Any, kept: bool
) -> None:
    lose(kept)
    assert database.write(add, 7, about=["ada"], kept=there) == 1
    assert numbers(database) == [7]


def test_what_is_not_known_in_time_is_said_so(
    database: Database, lose: Any, away: Any, url: str
) -> None:
    committer = database._here().writer._desk.committer

    def unreachable(*_: object) -> None:
        raise Lost("away")

    committer.was_kept = unreachable  # type: ignore[method-assign]
    lose(True)
    started = time.monotonic()
    with pytest.raises(StorageUnavailable, match="it may have been kept or not"):
        database.write(add, 7, kept=there)
    assert 1.9 < time.monotonic() - started < 4
    del committer.was_kept  # type: ignore[method-assign]
    database.write(add, 8)


def test_text_that_cannot_be_held_is_its_senders_fault(database: Database) -> None:
    query = "SELECT CAST(%s AS text)"
    with pytest.raises(Invalid, match="NUL"):
        database.read(lambda on: on.exec_driver_sql(query, ("\0",)).scalar())
