"""Who waits for a toast's deliveries hears of each, also of those that were quicker."""

from __future__ import annotations

import threading
import time

import pytest

from toastkit.deliveries import Delivery, Later, Outcome, Refusal, Sent
from toastkit.publishing.board import Board
from toastkit.runtime import runtime_for
from toastkit.testing import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def board(clock: ManualClock) -> Board:
    return Board(runtime_for("auto"), clock)


def tell(board: Board, outcome: Outcome, toast_id: str | None = "t", seq: int = 7) -> None:
    delivery = Delivery(
        id="d",
        kind="apns",
        target="",
        payload={},
        created_at=0,
        expires_at=1,
        toast_id=toast_id,
        seq=seq,
    )
    board.tell(delivery, outcome)


def test_what_was_said_before_anybody_waits_is_heard(board: Board, clock: ManualClock) -> None:
    with board.expect("t", 7) as notice:
        tell(board, Refusal("no"))
        tell(board, Later("busy"))
        assert notice.wait(2, clock.monotonic() + 60) == [
            ("apns", Refusal("no")),
            ("apns", Later("busy")),
        ]


def test_the_first_that_was_sent_is_enough(board: Board, clock: ManualClock) -> None:
    with board.expect("t", 7) as notice:
        tell(board, Sent())
        assert notice.wait(20, clock.monotonic() + 60) == [("apns", Sent())]


def test_others_toasts_are_not_heard_of_nor_those_of_another_position(
    board: Board, clock: ManualClock
) -> None:
    with board.expect("t", 7) as notice:
        tell(board, Sent(), "other")
        tell(board, Sent(), "t", 8)
        tell(board, Sent(), None)
        assert notice.wait(1, clock.monotonic()) == []


def test_nobody_waits_longer_than_until_its_time(board: Board, clock: ManualClock) -> None:
    began = time.monotonic()
    with board.expect("t", 7) as notice:
        assert notice.wait(1, clock.monotonic() + 0.05) == []
    assert 0.04 < time.monotonic() - began < 5


def test_nothing_is_left_behind(board: Board) -> None:
    with pytest.raises(RuntimeError), board.expect("t", 7):
        raise RuntimeError
    assert board._notices == {}


def test_who_waits_is_woken_by_each_until_all_have_spoken(board: Board, clock: ManualClock) -> None:
    heard = []

    def wait() -> None:
        heard.append(notice.wait(50, clock.monotonic() + 60))

    with board.expect("t", 7) as notice:
        waiter = threading.Thread(target=wait)
        waiter.start()
        for _ in range(50):
            tell(board, Refusal("no"))
        waiter.join(10)
    assert [len(each) for each in heard] == [50]
