"""A toast is new, told already, or proof of a gap; each moves the connection it comes to."""

import pytest

from tests.fakes import World, toast
from toastkit.live import Connection
from toastkit.live.position import Step, meet
from toastkit.records import Position


@pytest.fixture
def connection() -> Connection:
    """Return a connection that came at 5 and has been told 6 and 7."""
    connection = World().admit()
    connection.start, connection.seq, connection.epoch = 5, 7, "e1"
    return connection


def at(seq: int, epoch: str = "e1") -> object:
    return toast(seq=seq, epoch=epoch)


def place(connection: Connection) -> tuple[int, int, str]:
    return connection.start, connection.seq, connection.epoch


def test_the_next_is_new_and_moves_it(connection: Connection) -> None:
    assert meet(connection, at(8)) is Step.NEW
    assert place(connection) == (5, 8, "e1")


@pytest.mark.parametrize("seq", [6, 7])
def test_what_it_was_told_is_an_echo(connection: Connection, seq: int) -> None:
    assert meet(connection, at(seq)) is Step.ECHO
    assert place(connection) == (5, 7, "e1")


@pytest.mark.parametrize("seq", [1, 5])
def test_what_is_decided_only_now_is_new_and_moves_nothing(
    connection: Connection, seq: int
) -> None:
    assert meet(connection, at(seq)) is Step.NEW
    assert place(connection) == (5, 7, "e1")


@pytest.mark.parametrize("seq", [9, 100])
def test_a_position_that_is_skipped_is_a_gap_and_moves_nothing(
    connection: Connection, seq: int
) -> None:
    assert meet(connection, at(seq)) is Step.GAP
    assert place(connection) == (5, 7, "e1")


@pytest.mark.parametrize("seq", [1, 7, 8, 50])
def test_another_epoch_is_adopted(connection: Connection, seq: int) -> None:
    assert meet(connection, at(seq, "e2")) is Step.NEW
    assert place(connection) == (seq - 1, seq, "e2")


def test_who_was_there_before_the_first_toast_takes_it_as_new() -> None:
    connection = World().admit()
    assert meet(connection, at(1)) is Step.NEW
    assert place(connection) == (0, 1, "e1")


def test_who_was_there_before_the_first_toast_notices_that_it_missed_it() -> None:
    connection = World().admit()
    assert meet(connection, at(2)) is Step.GAP
    assert place(connection) == (0, 0, "")


def test_a_ticket_says_where_its_connection_stands() -> None:
    world = World()
    for _ in range(4):
        world.keep(toast())
    assert place(world.admit()) == (4, 4, "e1")
    assert world.ticket().position == Position(4, "e1")
