"""Rows of the hosts' own tables become another user's; the same on every database."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    insert,
    select,
    text,
    update,
)

from tests.storage.conftest import only_postgres
from toastkit.clock import SystemClock
from toastkit.errors import ConfigError, RebindClash, StorageUnavailable
from toastkit.records import AnonymousDevice
from toastkit.runtime import runtime_for
from toastkit.storage import Owned, Storage

pytestmark = pytest.mark.plain

UUID = "0d9b1c9e-1c5f-4c39-9a41-5a3a1f6b7c11"
ANON = f"anon:{UUID}"
DEVICE = AnonymousDevice(device_hash="d", anon_uuid=UUID, created_at=1)

Rebind = Callable[..., int]


@pytest.fixture
def theirs(host: Engine) -> Iterator[MetaData]:
    """Hold the host's tables, which go at the end."""
    theirs = MetaData()
    yield theirs
    theirs.drop_all(host)


@pytest.fixture
def rebind(url: str, host: Engine, theirs: MetaData) -> Iterator[Rebind]:
    """Make the visitor's rows ada's in a kit that owns some tables; return how many rows."""
    clock = SystemClock()
    opened: list[Storage] = []

    def rebind(*owned: Any, wait_ms: int = 2000) -> int:
        storage = Storage(url, runtime_for("auto"), clock, owned=owned, wait_ms=wait_ms)
        opened.append(storage)
        device = storage.anonymous.claim(DEVICE)
        move = storage.anonymous.rebind(device, "ada", clock.now(), lambda _: [])
        assert move is not None
        return move.rebound.rows_updated

    yield rebind
    for storage in opened:
        storage.close()


@pytest.fixture
def put(host: Engine, theirs: MetaData) -> Callable[..., None]:
    def put(table: Table, *rows: tuple[Any, ...]) -> None:
        theirs.create_all(host)
        with host.begin() as connection:
            names = [column.name for column in table.c]
            connection.execute(insert(table), [dict(zip(names, row, strict=True)) for row in rows])

    return put


@pytest.fixture
def rows(host: Engine) -> Callable[[Table], list[tuple[Any, ...]]]:
    def rows(table: Table) -> list[tuple[Any, ...]]:
        with host.connect() as connection:
            return sorted(map(tuple, connection.execute(select(table))))

    return rows


def projects(theirs: MetaData, *more: Any) -> Table:
    number = Column("number", Integer, primary_key=True)
    return Table("projects", theirs, number, Column("owner", Text), Column("name", Text), *more)


def profiles(theirs: MetaData) -> Table:
    return Table("profiles", theirs, Column("owner", Text, primary_key=True), Column("plan", Text))


def test_rows_of_the_visitor_become_the_users_and_all_others_stay(
    rebind: Rebind, put: Any, rows: Any, theirs: MetaData
) -> None:
    table = projects(theirs)
    put(table, (1, ANON, "a"), (2, "ada", "b"), (3, ANON, "c"), (4, "bob", "d"), (5, None, "e"))
    assert rebind(Owned.of(table, "owner")) == 2
    owners = [(number, owner) for number, owner, _ in rows(table)]
    assert owners == [(1, "ada"), (2, "ada"), (3, "ada"), (4, "bob"), (5, None)]


def test_a_kit_without_tables_of_the_hosts_moves_none(
    rebind: Rebind, put: Any, rows: Any, theirs: MetaData
) -> None:
    table = projects(theirs)
    put(table, (1, ANON, "a"))
    assert rebind() == 0
    assert rows(table) == [(1, ANON, "a")]


@pytest.mark.parametrize(
    ("on_clash", "left", "count"), [("keep", ("ada", "pro"), 0), ("replace", ("ada", "free"), 1)]
)
def test_of_two_rows_where_one_may_be_one_stays(
    on_clash: Any, left: Any, count: int, rebind: Rebind, put: Any, rows: Any, theirs: MetaData
) -> None:
    table = profiles(theirs)
    put(table, (ANON, "free"), ("ada", "pro"), ("bob", "x"))
    assert rebind(Owned.of(table, "owner", on_clash=on_clash)) == count
    assert rows(table) == [left, ("bob", "x")]


@pytest.mark.parametrize("on_clash", ["keep", "replace", "error"])
def test_a_row_that_is_in_nobodys_way_moves_in_any_case(
    on_clash: Any, rebind: Rebind, put: Any, rows: Any, theirs: MetaData
) -> None:
    table = profiles(theirs)
    put(table, (ANON, "free"), ("bob", "x"))
    assert rebind(Owned.of(table, "owner", on_clash=on_clash)) == 1
    assert rows(table) == [("ada", "free"), ("bob", "x")]


@pytest.mark.parametrize("way", ["constraint", "index"])
@pytest.mark.parametrize(("on_clash", "left"), [("keep", {2, 3, 4, 5}), ("replace", {1, 3, 4, 5})])
def test_only_rows_with_the_same_key_are_in_the_way(
    way: str, on_clash: Any, left: Any, rebind: Rebind, put: Any, rows: Any, theirs: MetaData
) -> None:
    unique = {
        "constraint": UniqueConstraint("owner", "name"),
        "index": Index("once", "owner", "name", unique=True),
    }
    table = projects(theirs, unique[way])
    mine, adas = [(1, ANON, "same"), (3, ANON, "other")], [(2, "ada", "same"), (4, "ada", "own")]
    put(table, *mine, *adas, (5, "bob", "same"))
    assert rebind(Owned.of(table, "owner", on_clash=on_clash)) == len(left & {1, 3})
    assert {number for number, _, _ in rows(table)} == left
    assert [row for row in rows(table) if row[1] == ANON] == []


def test_a_clash_moves_nothing_at_all_and_says_where(
    rebind: Rebind, put: Any, rows: Any, theirs: MetaData, storage: Storage, event: Any
) -> None:
    free, table = projects(theirs), profiles(theirs)
    put(table, (ANON, "free"), ("ada", "pro"))
    put(free, (1, ANON, "a"))
    storage.inbox.accept([event(ANON)], due_ms=2000)
    with pytest.raises(RebindClash, match="the user has a row in profiles"):
        rebind(Owned.of(free, "owner"), Owned.of(table, "owner"))
    assert rows(table) == [("ada", "pro"), (ANON, "free")]
    assert rows(free) == [(1, ANON, "a")]
    found = storage.anonymous.find("d")
    assert found is not None
    assert found.rebound_to is None
    assert rebind(Owned.of(free, "owner")) == 2  # who takes it out of the way may go on


def test_a_partial_index_is_no_reason_to_delete_what_is_in_nobodys_way(
    rebind: Rebind, put: Any, rows: Any, theirs: MetaData
) -> None:
    chosen = text("name = 'default'")
    once = Index("once", "owner", unique=True, sqlite_where=chosen, postgresql_where=chosen)
    table = projects(theirs, once)
    put(table, (1, ANON, "a"), (2, ANON, "b"), (3, "ada", "default"))
    assert rebind(Owned.of(table, "owner", on_clash="keep")) == 2
    with_clash = [(4, ANON, "default"), (5, ANON, "c")]
    put(table, *with_clash)
    with pytest.raises(RebindClash):
        rebind(Owned.of(table, "owner", on_clash="keep"))
    assert rows(table)[3:] == with_clash


def test_a_table_with_two_users_moves_by_both_and_counts_each_row_once(
    rebind: Rebind, put: Any, rows: Any, theirs: MetaData
) -> None:
    table = Table("mail", theirs, Column("sender", Text), Column("receiver", Text))
    put(table, (ANON, "bob"), ("bob", ANON), (ANON, ANON), ("bob", "bob"))
    assert rebind(Owned.of(table, "sender"), Owned.of(table, "receiver")) == 3
    assert rows(table) == [("ada", "ada"), ("ada", "bob"), ("bob", "ada"), ("bob", "bob")]


def test_a_column_that_cannot_hold_a_visitor_is_left_alone(
    rebind: Rebind, put: Any, theirs: MetaData
) -> None:
    numbers = Table("numbers", theirs, Column("owner", Integer, primary_key=True))
    guests = Table("guests", theirs, Column("owner", Uuid, primary_key=True))
    put(numbers, (7,))
    owned = [Owned.of(numbers, "owner", on_clash="keep"), Owned.of(guests, "owner")]
    assert rebind(*owned) == 0


def test_a_table_elsewhere_is_named_and_nothing_is_moved(
    rebind: Rebind, put: Any, rows: Any, theirs: MetaData
) -> None:
    table = projects(theirs)
    put(table, (1, ANON, "a"))
    elsewhere = Table("elsewhere", MetaData(), Column("user_id", Text))
    with pytest.raises(ConfigError, match="elsewhere is not in toastkit's database"):
        rebind(Owned.of(table, "owner"), elsewhere)
    assert rows(table) == [(1, ANON, "a")]


# A function of the host's


def test_a_function_moves_the_rows_its_own_way_in_the_same_transaction(
    rebind: Rebind, put: Any, rows: Any, theirs: MetaData
) -> None:
    table = profiles(theirs)
    put(table, (ANON, "5"), ("ada", "7"))

    def add(connection: Connection, anon_id: str, user_id: str) -> int:
        plans = dict(tuple(row) for row in connection.execute(select(table)))
        total = str(int(plans[anon_id]) + int(plans[user_id]))
        connection.execute(update(table).where(table.c.owner == user_id).values(plan=total))
        connection.execute(table.delete().where(table.c.owner == anon_id))
        return 1

    assert rebind(Owned.of(table, "owner", on_clash=add)) == 1
    assert rows(table) == [("ada", "12")]


@pytest.mark.parametrize("wrong", [None, True, -1, "1", 1.0])
def test_a_function_that_says_no_number_takes_everything_back(
    wrong: Any, rebind: Rebind, put: Any, rows: Any, theirs: MetaData
) -> None:
    free, table = projects(theirs), profiles(theirs)
    put(free, (1, ANON, "a"))
    with pytest.raises(ConfigError, match="on_clash of profiles must return how many rows"):
        rebind(Owned.of(free, "owner"), Owned.of(table, "owner", on_clash=lambda *_: wrong))
    assert rows(free) == [(1, ANON, "a")]


def test_whatever_a_function_raises_is_told_and_takes_everything_back(
    rebind: Rebind, put: Any, rows: Any, theirs: MetaData
) -> None:
    free, table = projects(theirs), profiles(theirs)
    put(free, (1, ANON, "a"))
    calls = []

    def failing(connection: Connection, *_: str) -> int:
        calls.append(1)
        connection.execute(insert(table).values(owner="somebody", plan="x"))
        raise LookupError("no such plan")

    with pytest.raises(LookupError, match="no such plan"):
        rebind(Owned.of(free, "owner"), Owned.of(table, "owner", on_clash=failing))
    assert (rows(free), rows(table), calls) == ([(1, ANON, "a")], [], [1])


# Tables that refer to each other


def family(theirs: MetaData, **how: Any) -> tuple[Table, Table]:
    parents = Table("parents", theirs, Column("owner", Text, primary_key=True))
    link = ForeignKey("parents.owner", **how)
    key = Column("number", Integer, primary_key=True)
    return parents, Table("children", theirs, key, Column("owner", Text, link))


@pytest.mark.parametrize("how", [{"deferrable": True}, {"onupdate": "CASCADE"}])
def test_tables_that_refer_to_each_other_by_their_user_move_together(
    how: Any, rebind: Rebind, put: Any, rows: Any, theirs: MetaData
) -> None:
    parents, children = family(theirs, **how)
    put(parents, (ANON,))
    put(children, (1, ANON))
    assert rebind(Owned.of(children, "owner"), Owned.of(parents, "owner")) > 0
    assert (rows(parents), rows(children)) == ([("ada",)], [(1, "ada")])


@only_postgres
@pytest.mark.parametrize("how", [{}, {"deferrable": True}])
def test_what_a_foreign_key_forbids_is_told_with_the_remedy(
    how: Any, rebind: Rebind, put: Any, rows: Any, theirs: MetaData
) -> None:
    parents, children = family(theirs, **how)
    put(parents, (ANON,))
    put(children, (1, ANON))
    owned = [Owned.of(parents, "owner")] if how else [Owned.of(children, "owner")]
    with pytest.raises(ConfigError, match="DEFERRABLE or ON UPDATE CASCADE"):
        rebind(*owned)
    assert (rows(parents), rows(children)) == ([(ANON,)], [(1, ANON)])


# Beside the host's own transactions


def test_a_transaction_that_works_on_these_rows_is_waited_for_as_long_as_anybody_waits(
    rebind: Rebind, put: Any, rows: Any, theirs: MetaData, host: Engine
) -> None:
    table = projects(theirs)
    put(table, (1, ANON, "a"), (2, ANON, "b"))
    with host.begin() as connection:
        connection.execute(update(table).where(table.c.number == 2).values(name="changed"))
        with pytest.raises(StorageUnavailable):
            rebind(Owned.of(table, "owner"), wait_ms=300)
    assert rows(table) == [(1, ANON, "a"), (2, ANON, "changed")]
    assert rebind(Owned.of(table, "owner")) == 2


@only_postgres
def test_a_circle_with_a_hosts_transaction_never_costs_the_host_its_own(
    rebind: Rebind, put: Any, rows: Any, theirs: MetaData, host: Engine
) -> None:
    table = projects(theirs)
    put(table, *((number, ANON, "a") for number in range(1, 4)))
    counts: list[int] = []
    moving = threading.Thread(target=lambda: counts.append(rebind(Owned.of(table, "owner"))))
    waits = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    with host.begin() as connection:
        connection.execute(update(table).where(table.c.number == 3).values(name="changed"))
        moving.start()
        with host.connect() as other:
            while not other.scalar(waits):
                other.rollback()
        # The move has the first two by now, and waits for the third, which is ours.
        connection.execute(update(table).where(table.c.number == 1).values(name="changed"))
    moving.join()
    assert counts == [3]
    names = [(number, owner, name) for number, owner, name in rows(table)]
    assert names == [(1, "ada", "changed"), (2, "ada", "a"), (3, "ada", "changed")]
    with host.connect() as connection:
        deadlocks = text("SELECT deadlocks FROM pg_stat_database WHERE datname=current_database()")
        assert connection.scalar(deadlocks) == 0
